"""PostgreSQL over a connection: what a database holds, and its dump.

Everything that says how to log in goes to the client as a service file on its standard input: nothing of it stands on
a command line, in an environment or in a file of the server.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from runner.actions.backup.content import Readable, SqlContent
from runner.actions.backup.dumps import (
    Database,
    Survey,
    Table,
    Tools,
    check_setting,
    empty,
    parse_rows,
    parse_text,
    split_names,
)
from runner.actions.backup.pgsql import END_OF_DUMP, inspect_pgsql
from runner.actions.backup.stream import build_command
from runner.contract import Command
from runner.durations import Deadline
from runner.errors import Failed

CLIENTS, DUMPERS = ("psql",), ("pg_dump",)
_PACKAGE = "postgresql-client"
_SERVICE = "sop"
_ENVIRONMENT = ("env", "LC_ALL=C", "PGSERVICEFILE=/dev/stdin", f"PGSERVICE={_SERVICE}")
_LONGEST_SETTING = 200  # a service file's line has at most 255 bytes
_LOCK_WAIT = 60_000  # milliseconds
_CURES = {
    "password authentication failed": "check `user` and `password`",
    "no password supplied": "check `user` and `password`",
    "Peer authentication failed": "check `user`, or give a `password` and a `host`",
    "does not exist": "check the database's `name`",
    "server version mismatch": "install a postgresql-client there that is as new as the server",
    "lock timeout": "something keeps a table locked: look at pg_stat_activity there, then run the backup again",
    "No such file or directory": "does it run there? check `host` (a socket's folder, too) and `port`",
    "Connection refused": "does it run there? check `host` and `port`",
    "could not translate host name": "check `host`",
    "permission denied": "give this user the rights to all tables (GRANT pg_read_all_data)",
}
# What belongs to an extension is made again by CREATE EXTENSION; it is not in a dump.
_CATALOGUE = """SELECT 'version', encode(convert_to(current_setting('server_version'), 'UTF8'), 'hex'), '', 0
UNION ALL SELECT c.relkind::text,
 encode(convert_to(CASE n.nspname WHEN 'public' THEN '' ELSE n.nspname || '.' END || c.relname, 'UTF8'), 'hex'),
 encode(convert_to(format('%I.%I', n.nspname, c.relname), 'UTF8'), 'hex'),
 CASE WHEN c.relkind = 'r' THEN pg_relation_size(c.oid) ELSE 0 END
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm') AND c.relpersistence <> 't' AND n.nspname <> 'information_schema'
 AND n.nspname !~ '^pg_' AND NOT EXISTS (SELECT 1 FROM pg_depend d
  WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')"""


class _Relation(NamedTuple):
    """A row of the catalogue: r and p are tables, v and m views; `quoted` is the name as SQL writes it."""

    kind: str
    name: str
    quoted: str
    size: int


@dataclass(frozen=True, slots=True)
class PostgreSQL:
    """A server's programs for PostgreSQL."""

    tools: Tools
    format: str = "pgsql"
    end_mark: bytes = END_OF_DUMP

    @property
    def program(self) -> str:
        """The program that dumps. Raise Failed where the server has none."""
        return self.tools.first(DUMPERS, _PACKAGE)

    def inspect(self, stream: Readable) -> SqlContent:
        """Given a dump, return its content."""
        return inspect_pgsql(stream)

    def survey(self, database: Database, deadline: Deadline) -> Survey:
        """Return what the database holds. Raise Failed when it cannot be asked, NotAccepted when it has no table."""
        relations = self._relations(database, deadline)
        version = next(each.name for each in relations if each.kind == "version")
        tables = tuple(Table(r.name, "", int(r.size > 0), r.size) for r in relations if r.kind in ("r", "p"))
        if not tables:
            raise empty(database.name, "tidak berisi satu tabel pun", "it has no tables")
        return Survey(version, tables, tuple(r.name for r in relations if r.kind in ("v", "m")), {})

    def filled(self, database: Database, names: Sequence[str], deadline: Deadline) -> set[str]:
        """Given names of tables, return those that hold a row now."""
        quoted = {each.name: each.quoted for each in self._relations(database, deadline) if each.name in names}
        found: set[str] = set()
        for asked in split_names(list(quoted)):
            questions = ", ".join(_exists(quoted[name]) for name in asked)
            answers = self._query(database, f"SELECT {questions}", deadline)[0]
            found |= {name for name, answer in zip(asked, answers, strict=True) if answer == "t"}
        return found

    def dump_command(self, database: Database, survey: Survey) -> Command:
        """Return the command that sends the dump."""
        words = (*_ENVIRONMENT, self.program, "--no-password", f"--lock-wait-timeout={_LOCK_WAIT}")
        return build_command(words, self.tools.versions, stdin=render_service(database), run_as=self.tools.run_as)

    def cure(self, fault: str) -> str:
        """What to do about a client's complaint, by words of it."""
        return next((cure for words, cure in _CURES.items() if words in fault), "")

    def notes(self, survey: Survey) -> list[str]:
        """What a reader of the dump has to know: owners and rights are those of the server's accounts."""
        return []

    def _relations(self, database: Database, deadline: Deadline) -> list[_Relation]:
        rows = self._query(database, _CATALOGUE, deadline)
        return [
            _Relation(kind, _one_line(parse_text(name)), parse_text(quoted), int(size))
            for kind, name, quoted, size in rows
        ]

    def _query(self, database: Database, sql: str, deadline: Deadline) -> list[list[str]]:
        client = self.tools.first(CLIENTS, _PACKAGE)
        flags = ("-X", "-q", "-A", "-t", "-F", "\t", "-v", "ON_ERROR_STOP=1", "--no-password")
        limit = f"SET lock_timeout = {_LOCK_WAIT}"
        words = (*_ENVIRONMENT, client, *flags, "-c", limit, "-c", sql)
        command = build_command(words, stdin=render_service(database), run_as=self.tools.run_as)
        result = self.tools.connection.run(command, deadline)
        return parse_rows(result, database.name, self)


def render_service(database: Database) -> bytes:
    """Given a database, return the service file that logs in to it. Raise Failed for a value no such file can hold."""
    settings = {
        "dbname": database.name,
        "user": database.user,
        "password": database.password,
        "host": database.socket or database.host,
        "port": str(database.port or ""),
    }
    for name, value in settings.items():
        check_setting(name, value, _LONGEST_SETTING)
        if value != value.strip():
            raise Failed(
                f"{name}: begins or ends with a space, which PostgreSQL's service files cannot hold. change it"
            )
    given = [f"{name}={value}" for name, value in settings.items() if value]
    return "\n".join([f"[{_SERVICE}]", *given, ""]).encode()


def _exists(table: str) -> str:
    return f"EXISTS (SELECT 1 FROM ONLY {table})"  # noqa: S608 - the server itself has quoted the name


def _one_line(name: str) -> str:
    """A name as the comments of a dump have it."""
    return name.replace("\n", " ").replace("\r", " ")
