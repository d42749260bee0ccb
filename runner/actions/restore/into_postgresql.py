"""Brings a dump of PostgreSQL into a new database, which then takes the live one's name, both renamed at once.

Single tables are emptied and filled within one transaction: the server does that whole or not at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import chain

from runner.actions.backup.dumps import Database
from runner.actions.backup.postgresql import CLIENTS, DUMPERS, render_service
from runner.actions.restore import leftovers
from runner.actions.restore.sending import Work
from runner.errors import Failed

_PACKAGE = "postgresql-client"
_KEEPER = "postgres"  # the database that one connects to while others are made and renamed
_TRIES = 5
_TABLES = """SELECT translate(
    CASE n.nspname WHEN 'public' THEN '' ELSE n.nspname || '.' END || c.relname, E'\\n\\r', '  ')
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't' AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_';
"""
_LIKE = """SELECT format('ENCODING %L LC_COLLATE %L LC_CTYPE %L', pg_encoding_to_char(encoding), datcollate, datctype)
FROM pg_database WHERE datname = {0};
"""
_REFERENCES = """SELECT DISTINCT c.relname || E'\\t' || r.relname FROM pg_constraint k
JOIN pg_class c ON c.oid = k.conrelid JOIN pg_class r ON r.oid = k.confrelid WHERE k.contype = 'f' AND c.oid <> r.oid;
"""
_THERE = "SELECT 1 FROM pg_database WHERE datname = {0};\n"
# When it was begun stands in a database's comment: the server keeps no other time of it.
_MARK = """DO $$ BEGIN
EXECUTE 'COMMENT ON DATABASE ' || quote_ident({0}) || ' IS ' || quote_literal(now()::text);
END $$"""
_LEFT = """SELECT datname FROM pg_database WHERE datname ~ {0}
AND shobj_description(oid, 'pg_database') ~ '^[0-9]{{4}}-[0-9: .+-]+$'
AND shobj_description(oid, 'pg_database')::timestamptz <= now() - interval '{1} minutes';
"""
_END = """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname IN ({0}, {1}) AND pid <> pg_backend_pid()"""
_RENAME = "ALTER DATABASE {0} RENAME TO {1}"


@dataclass(frozen=True, slots=True)
class IntoPostgreSQL:
    """A server's PostgreSQL that takes a database, by a private folder there (see sending)."""

    work: Work
    database: Database

    @property
    def remarks(self) -> list[str]:
        """There is nothing to tell."""
        return []

    def tables(self, name: str) -> list[str]:
        """The tables of a database; none where there is no such database. Raise Failed when it cannot be asked."""
        return sorted(self._rows(_TABLES, name)) if self._is_there(name) else []

    def load(self, new: str, dump: Iterable[bytes]) -> None:
        """Make a database of its own name for the dump, and load it. Raise Failed; then nothing live was touched."""
        like = self._rows(_LIKE.format(_literal(self.database.name)), _KEEPER)
        self._drop_others(new)
        self.drop(new)
        self._do([f"CREATE DATABASE {_name(new)} TEMPLATE template0 {like[0] if like else ''}"], new)
        self._do([_MARK.format(_literal(new))], new)
        self._load(dump, new)

    def drop(self, new: str) -> None:
        """Remove a database that `load` made."""
        self._do([f"DROP DATABASE IF EXISTS {_name(new)}"], new)

    def swap(self, new: str, old: str, only: Sequence[str]) -> None:
        """Bring the tables of `new` (`only` these, else all) into the live database; the whole one is kept as `old`.
        Raise Failed."""
        live = self.database.name
        if only:
            self._refill(new, only)
            self.drop(new)
            return
        if self._is_there(old):
            self.drop(new)
            return
        if not self._is_there(live):
            self._do([_RENAME.format(_name(new), _name(live))], live)
            return
        renames = [_RENAME.format(_name(live), _name(old)), _RENAME.format(_name(new), _name(live))]
        swap = [_END.format(_literal(live), _literal(new)), "BEGIN", *renames, "COMMIT"]
        for left in reversed(range(_TRIES)):  # the site may connect again between the two statements
            try:
                self._do(swap, live)
                return
            except Failed as error:
                if not left or "being accessed by other users" not in str(error):
                    raise

    def check_closed(self, name: str, only: Sequence[str]) -> None:
        """Raise Failed where a table alone cannot be emptied: one refers to another by a key."""
        for row in self._rows(_REFERENCES, name):
            one, _, other = row.partition("\t")
            if (one in only) != (other in only):
                raise Failed(
                    f"{name}: '{one}' refers to '{other}', so they are restored together only. name both, or all tables"
                )

    def _drop_others(self, new: str) -> None:
        """Remove what other restores left, named as `new` but for the ID."""
        pattern = leftovers.pattern_of_others(new)
        if pattern is None:
            return
        for name in self._rows(_LEFT.format(_literal(pattern), leftovers.CLAIMED_MINUTES), _KEEPER):
            if name != new:
                with suppress(Failed):
                    self.drop(name)

    def _refill(self, new: str, only: Sequence[str]) -> None:
        there = set(self.tables(self.database.name))
        lacking = [table for table in only if table not in there]
        emptied = ", ".join(_path(table) for table in only if table in there)
        script = [f"TRUNCATE {emptied};\n".encode()] if emptied else []
        script += [self._dump(new, ("--schema-only",), lacking)] if lacking else []
        content = self._dump(new, ("--data-only",), only)
        self._load(chain([b"BEGIN;\n"], script, [content, b"\nCOMMIT;\n"]), self.database.name)

    def _dump(self, name: str, flags: Sequence[str], tables: Sequence[str]) -> bytes:
        chosen = [f"--table={_path(table)}" for table in tables]
        return self._ask((self.work.tools.first(DUMPERS, _PACKAGE), "--no-password", *flags, *chosen), name, name)

    def _is_there(self, name: str) -> bool:
        return bool(self._rows(_THERE.format(_literal(name)), _KEEPER))

    def _rows(self, query: str, name: str) -> list[str]:
        said = self._ask((*self._client(), "-A", "-t", "-c", query), name, name)
        return said.decode("utf-8", "replace").splitlines()

    def _do(self, statements: Sequence[str], what: str) -> None:
        """Have statements done one after the other, in the database from which others are made and renamed."""
        self._ask((*self._client(), *(word for each in statements for word in ("-c", each))), _KEEPER, what)

    def _ask(self, words: Sequence[str], name: str, what: str) -> bytes:
        login = render_service(replace(self.database, name=name))
        return self.work.ask((*_environment("/dev/stdin"), *words), login, f"database '{what}'")

    def _load(self, script: Iterable[bytes], name: str) -> None:
        login = render_service(replace(self.database, name=name))
        self.work.run((*_environment("/dev/fd/3"), *self._client()), login, script, f"database '{name}'")

    def _client(self) -> tuple[str, ...]:
        client = self.work.tools.first(CLIENTS, _PACKAGE)
        return client, "-X", "-q", "-v", "ON_ERROR_STOP=1", "--no-password"


def _environment(file: str) -> tuple[str, ...]:
    return "env", "LC_ALL=C", f"PGSERVICEFILE={file}", "PGSERVICE=sop"


def _name(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _path(table: str) -> str:
    """A table as the parts of sets name it: with its schema, unless that is public."""
    schema, dot, name = table.partition(".")
    return f"{_name(schema)}.{_name(name)}" if dot else f"public.{_name(table)}"


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
