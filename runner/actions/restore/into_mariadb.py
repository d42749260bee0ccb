"""Brings a dump of MariaDB or MySQL into a new database, and its tables from there into the live one's place.

Tables are moved by one RENAME TABLE, which the server does whole or not at all. Views, triggers, routines and events
cannot be moved: they are made again from what the new database has, after the tables. Cut off in between, the next try
loads the dump again, sees by the old database that the tables were moved, and makes the rest.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from runner.actions.backup.dumps import Database
from runner.actions.backup.mariadb import CLIENTS, DUMPERS, render_options
from runner.actions.restore import leftovers
from runner.actions.restore.sending import Work
from runner.errors import Failed

_BARE = ("--no-data", "--no-create-info", "--skip-add-drop-table", "--skip-lock-tables", "--triggers")
LONGEST_WAIT = 60  # seconds, for a lock that somebody has on a live table
LONGEST_ARGUMENT = 64 * 1024
_PACKAGE = "mariadb-client"
_OTHERS = (
    "views, triggers or routines there were defined by another user: restore as that one, or as one who may do all, by "
    "restore_user and restore_password of the website's database"
)
_KINDS = "SELECT table_type, HEX(table_name) FROM information_schema.tables WHERE table_schema = {0}"
_TRIGGERS = (
    "SELECT HEX(trigger_name), HEX(event_object_table) FROM information_schema.triggers WHERE trigger_schema = {0}"
)
_ROUTINES = "SELECT routine_type, HEX(routine_name) FROM information_schema.routines WHERE routine_schema = {0}"
_EVENTS = "SELECT 'EVENT', HEX(event_name) FROM information_schema.events WHERE event_schema = {0}"
_GONE = """SELECT HEX(definer) FROM (
SELECT definer FROM information_schema.views WHERE table_schema = {0}
UNION SELECT definer FROM information_schema.triggers WHERE trigger_schema = {0}
UNION SELECT definer FROM information_schema.routines WHERE routine_schema = {0}
UNION SELECT definer FROM information_schema.events WHERE event_schema = {0}) AS made
WHERE NOT EXISTS (SELECT 1 FROM mysql.user AS known
WHERE BINARY CONCAT(known.user, '@', known.host) = BINARY made.definer)"""
_VIEWS = """SELECT HEX(table_name), HEX(view_definition), security_type, HEX(definer) FROM information_schema.views
WHERE table_schema = {0}"""
_REFERENCES = """SELECT DISTINCT HEX(table_name), HEX(referenced_table_name) FROM information_schema.key_column_usage
WHERE table_schema = {0} AND referenced_table_schema = {0} AND referenced_table_name <> table_name"""
# Those with tables of ours that nobody has touched for long; an empty one may have been made for a plan to come.
_LEFT = """SELECT HEX(table_schema) FROM information_schema.tables WHERE table_schema REGEXP {0}
GROUP BY table_schema
HAVING MAX(GREATEST(create_time, COALESCE(update_time, create_time))) <= NOW() - INTERVAL {1} MINUTE"""
_CHARSET = """SELECT default_character_set_name, default_collation_name FROM information_schema.schemata
WHERE schema_name = {0}"""


@dataclass(frozen=True, slots=True)
class IntoMariaDB:
    """A server's MariaDB that takes a database, by a private folder there (see sending)."""

    work: Work
    database: Database
    adopted: set[str] = field(default_factory=set, compare=False)

    @property
    def remarks(self) -> list[str]:
        """Whose views, triggers and routines belong to the account that restores them, for their users are gone."""
        gone = "what '{0}' defined now belongs to the account that restores: that user is gone"
        return [gone.format(each) for each in sorted(self.adopted)]

    def tables(self, name: str) -> list[str]:
        """The tables of a database; none where there is no such database. Raise Failed when it cannot be asked."""
        return sorted(_text(row[1]) for row in self._rows(_KINDS, name) if row[0] != "VIEW")

    def load(self, new: str, dump: Iterable[bytes]) -> None:
        """Make a database of its own name for the dump, and load it. Raise Failed; then nothing live was touched."""
        self._drop_others(new)
        like = self._rows(_CHARSET, self.database.name)
        charset = f" CHARACTER SET {like[0][0]} COLLATE {like[0][1]}" if like else ""
        if not self._make(new, charset):
            self._do([*self._without_rest(new), *self._without_tables(new)], new)
        try:
            self._load(dump, new)
        except Failed as error:
            raise (Failed(f"{error}. {_OTHERS}") if "ERROR 1227 " in str(error) else error) from None
        self._adopt_views(new)

    def _move(self, names: tuple[str, str, str], only: Sequence[str]) -> None:
        """Move the live tables away and the new ones into their place. Raise Failed; then the live ones have their
        triggers again, without which alone they can be moved."""
        live, new, _ = names
        drops = self._without_triggers(live, only)
        triggers = self._dump(live, (*_BARE, "--skip-routines"), only or self.tables(live)) if drops else b""
        try:
            self._do([self._patience(), *drops], live)
            self._do([self._patience(), _rename(self.tables(live), self.tables(new), names, only)], live)
        except Failed:
            with suppress(Failed):
                self._do(self._without_triggers(live, only), live)
                self._load([triggers] if triggers else [], live)
            raise

    def _patience(self) -> str:
        """Lets the server give up by itself where a live table stays locked: it would go on waiting without us."""
        seconds = max(1, min(LONGEST_WAIT, int(self.work.deadline.remaining() / 3)))
        return f"SET lock_wait_timeout = {seconds};\n"

    def drop(self, new: str) -> None:
        """Remove a database that `load` made."""
        self._do([f"DROP DATABASE IF EXISTS {_name(new)};"], new)

    def swap(self, new: str, old: str, only: Sequence[str]) -> None:
        """Bring the tables of `new` (`only` these, else all) into the live database; those that they replace go to the
        database `old`. Raise Failed."""
        live = self.database.name
        rest = self._rest(new, only)
        self._make(live, "")
        moved = not self._make(old, "") and bool(set(only or self.tables(old)) & set(self.tables(old)))
        bare = [new, live] if moved else [new]  # a try that was cut off may have begun to make the live ones again
        self._do([self._patience(), *(drop for name in bare for drop in self._without_triggers(name, only))], live)
        if not moved:
            self._move((live, new, old), only)
            if not only and self.tables(new):
                raise Failed(f"{new}: tables are left in it. look there; the old ones are in {old}")
        if not only:
            self._do(self._without_rest(live), live)
        self._load([rest], live)
        self.drop(new)

    def check_closed(self, name: str, only: Sequence[str]) -> None:
        """Raise Failed where a table alone cannot be put into the others' midst: one refers to another by a key."""
        for row in self._rows(_REFERENCES, name):
            one, other = _text(row[0]), _text(row[1])
            if (one in only) != (other in only):
                raise Failed(
                    f"{name}: '{one}' refers to '{other}', so they are restored together only. name both, or all tables"
                )

    def _gone(self, name: str) -> list[str]:
        """The users that defined something there, and are none any more; none where the account may not ask."""
        try:
            return [_text(row[0]) for row in self._rows(_GONE, name)]
        except Failed:
            return []

    def _adopt_views(self, new: str) -> None:
        """Give views whose users are gone to this account, for the server opens them no more. One on another waits."""
        gone = self._gone(new)
        views = [row for row in self._rows(_VIEWS, new) if _text(row[3]) in gone] if gone else []
        while views:
            left = [row for row in views if not self._adopt_view(new, row)]
            views = left if len(left) < len(views) else []

    def _adopt_view(self, new: str, row: Sequence[str]) -> bool:
        name, definition, security, definer = _text(row[0]), _text(row[1]), row[2], _text(row[3])
        alter = f"ALTER DEFINER = CURRENT_USER SQL SECURITY {security} VIEW {_name(new)}.{_name(name)} AS {definition};"
        try:
            self._do([alter], new)
        except Failed:
            return False
        self.adopted.add(definer)
        return True

    def _adopted(self, rest: bytes, gone: Sequence[str]) -> bytes:
        """Statements of which no user that is gone is the definer."""
        for definer in gone:
            user, _, host = definer.rpartition("@")
            named = f"DEFINER={_name(user)}@{_name(host)}".encode()
            if named in rest:
                self.adopted.add(definer)
                rest = rest.replace(named, b"DEFINER=CURRENT_USER")
        return rest

    def _drop_others(self, new: str) -> None:
        """Remove what other restores left, named as `new` but for the ID."""
        pattern = leftovers.pattern_of_others(new)
        if pattern is None:
            return
        said = self._ask(_LEFT.format(_literal(pattern), leftovers.CLAIMED_MINUTES), new)
        for name in map(_text, said.decode().split()):
            if name != new:
                with suppress(Failed):
                    self.drop(name)

    def _rest(self, name: str, only: Sequence[str]) -> bytes:
        """The statements that make views, triggers, routines and events again."""
        return self._adopted(self._written_rest(name, only), self._gone(name))

    def _written_rest(self, name: str, only: Sequence[str]) -> bytes:
        views = [_text(row[1]) for row in self._rows(_KINDS, name) if row[0] == "VIEW"]
        if only:
            return self._dump(name, (*_BARE, "--skip-routines"), only)
        rest = self._dump(name, (*_BARE, "--routines", "--events"), ())
        return rest + (self._dump(name, ("--no-data", "--skip-triggers"), views) if views else b"")

    def _dump(self, name: str, flags: Sequence[str], tables: Sequence[str]) -> bytes:
        program = self.work.tools.first(DUMPERS, _PACKAGE)
        words = (program, self._login("/dev/stdin"), "--default-character-set=utf8mb4", *flags, "--", name, *tables)
        return self.work.ask(words, render_options(self.database), f"database '{name}'")

    def _without_triggers(self, name: str, only: Sequence[str]) -> list[str]:
        rows = [(_text(row[0]), _text(row[1])) for row in self._rows(_TRIGGERS, name)]
        return [f"DROP TRIGGER {_name(name)}.{_name(each)};\n" for each, table in rows if not only or table in only]

    def _without_rest(self, name: str) -> list[str]:
        views = [("VIEW", row[1]) for row in self._rows(_KINDS, name) if row[0] == "VIEW"]
        rows = [*views, *self._rows(_ROUTINES, name), *self._rows(_EVENTS, name)]
        return [f"DROP {row[0]} {_name(name)}.{_name(_text(row[1]))};\n" for row in rows]

    def _without_tables(self, name: str) -> list[str]:
        drops = [f"DROP TABLE {_name(name)}.{_name(table)};\n" for table in self.tables(name)]
        return ["SET foreign_key_checks = 0;\n", *drops]

    def _make(self, name: str, charset: str) -> bool:
        """Make a database unless it is there: where the account may not, somebody else can have made an empty one."""
        if self._rows(_CHARSET, name):
            return False
        try:
            self._do([f"CREATE DATABASE {_name(name)}{charset};"], name)
        except Failed as error:
            raise Failed(
                f"{error}. where the account may not make databases, begin a new run, and before its plan is signed "
                "make the empty databases that it names by the hosting's panel, with all rights for the account"
            ) from None
        return True

    def _rows(self, query: str, name: str) -> list[list[str]]:
        said = self._ask(query.format(_literal(name)), name)
        return [line.split("\t") for line in said.decode("utf-8", "replace").splitlines()]

    def _do(self, statements: Sequence[str], what: str) -> None:
        """Have short statements done, or many of them."""
        text = "".join(statements)
        if len(text) > LONGEST_ARGUMENT:
            self._load([text.encode()], "", what)
        elif text:
            self._ask(text, what)

    def _ask(self, sql: str, what: str) -> bytes:
        words = (self._client(), self._login("/dev/stdin"), "--batch", "--skip-column-names", "--execute", sql)
        return self.work.ask(words, render_options(self.database), f"database '{what}'")

    def _load(self, script: Iterable[bytes], name: str, what: str = "") -> None:
        into = ("--", name) if name else ()
        words = (self._client(), self._login("/dev/fd/3"), "--batch", "--binary-mode", *into)
        self.work.run(words, render_options(self.database), script, f"database '{what or name}'")

    def _client(self) -> str:
        return self.work.tools.first(CLIENTS, _PACKAGE)

    def _login(self, file: str) -> str:
        """With a user of its own, no option file of the account may override it."""
        return f"--defaults-file={file}" if self.database.user else f"--defaults-extra-file={file}"


def _rename(live: Sequence[str], new: Sequence[str], names: tuple[str, str, str], only: Sequence[str]) -> str:
    """The one statement that moves what is live away and what is new into its place."""
    at, from_, to = map(_name, names)
    away = [table for table in live if not only or table in only]
    here = [table for table in new if not only or table in only]
    moves = [f"{at}.{_name(table)} TO {to}.{_name(table)}" for table in away]
    moves += [f"{from_}.{_name(table)} TO {at}.{_name(table)}" for table in here]
    return f"RENAME TABLE {', '.join(moves)};"


def _name(text: str) -> str:
    return "`" + text.replace("`", "``") + "`"


def _literal(text: str) -> str:
    return f"CONVERT(0x{text.encode().hex()} USING utf8mb4)" if text else "''"


def _text(hexadecimal: str) -> str:
    return bytes.fromhex(hexadecimal).decode("utf-8", "replace")
