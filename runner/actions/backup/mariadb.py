"""MariaDB and MySQL over a connection: what a database holds, and its dump.

Everything that says how to log in goes to the client as an option file on its standard input: nothing of it stands
on a command line or in an environment.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from runner.actions.backup.content import END_OF_DUMP, SqlContent
from runner.actions.backup.stream import build_command
from runner.actions.backup.verdict import NotAccepted, complaint, incomplete
from runner.contract import Command, Connection, Result
from runner.durations import Deadline
from runner.errors import Failed

CLIENTS = ("mariadb", "mysql")
DUMPERS = ("mariadb-dump", "mysqldump")
MOST_NAMED = 10
_TABLES_AT_A_TIME = 100  # their names stand in one argument of at most 128 KiB
_CURES = {
    "1044": "give this user the rights to the database",
    "1045": "check `user` and `password`",
    "1049": "check the database's `name`",
    "2002": "does it run there? check `socket`, or `host` and `port`",
    "2003": "does it run there? check `host` and `port`",
    "2005": "check `host`",
}
_LONGEST_SETTING = 1000  # an option file's line has at most 4096 bytes
_TRANSACTIONAL = {"InnoDB", "ROCKSDB", "TokuDB"}
_FLAGS = (
    "--single-transaction",
    "--quick",
    "--routines",
    "--triggers",
    "--events",
    "--hex-blob",
    "--no-tablespaces",
    "--default-character-set=utf8mb4",
    "--max-allowed-packet=1G",
)
# mysqldump 8 asks older servers for what they do not have, and its GTID line stops a restore beside the original
_ORACLE_FLAGS = ("--loose-column-statistics=0", "--loose-set-gtid-purged=OFF")
_SURVEY = """SELECT 'version', HEX(VERSION()), '', 0, 0 UNION ALL
SELECT table_type, HEX(table_name), COALESCE(engine, ''), COALESCE(table_rows, 0), COALESCE(data_length, 0)
FROM information_schema.tables WHERE table_schema = DATABASE()"""


@dataclass(frozen=True, slots=True)
class Database:
    """A database and how to log in, as seen from the server; empty settings are left to the account's own files."""

    name: str
    user: str = ""
    password: str = ""
    host: str = ""
    port: int = 0
    socket: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A table as the server's catalogue has it; `rows` and `size` (bytes) are the server's estimates."""

    name: str
    engine: str
    rows: int
    size: int


@dataclass(frozen=True, slots=True)
class Survey:
    """What a database holds, by the server's catalogue."""

    version: str
    tables: tuple[Table, ...]
    views: tuple[str, ...]

    @property
    def size(self) -> int:
        """Estimated bytes of all rows."""
        return sum(table.size for table in self.tables)


@dataclass(frozen=True, slots=True)
class Client:
    """The programs of a server that talk to the database, and for whom they run."""

    connection: Connection
    tools: Mapping[str, str]
    run_as: str = ""

    def survey(self, database: Database, deadline: Deadline) -> Survey:
        """Return what the database holds. Raise Failed when it cannot be asked, NotAccepted when it has no table."""
        rows = self._query(database, _SURVEY, deadline)
        tables = [Table(_text(row[1]), row[2], int(row[3]), int(row[4])) for row in rows if _is_table(row[0])]
        views = [_text(row[1]) for row in rows if row[0] == "VIEW"]
        if not tables:
            raise _empty(database.name, "tidak berisi satu tabel pun", "it has no tables")
        version = next(_text(row[1]) for row in rows if row[0] == "version")
        return Survey(version, tuple(tables), tuple(views))

    def filled(self, database: Database, names: Sequence[str], deadline: Deadline) -> set[str]:
        """Given names of tables, return those that hold a row now."""
        found: set[str] = set()
        for start in range(0, len(names), _TABLES_AT_A_TIME):
            asked = names[start : start + _TABLES_AT_A_TIME]
            answers = self._query(database, f"SELECT {', '.join(map(_exists, asked))}", deadline)[0]
            found |= {name for name, answer in zip(asked, answers, strict=True) if answer == "1"}
        return found

    def dump_command(self, database: Database, compression: str) -> Command:
        """Return the command that sends the dump."""
        dumper = self.tool(DUMPERS)
        flags = _FLAGS if "MariaDB" in self.tools[dumper] else (*_FLAGS, *_ORACLE_FLAGS)
        words = (dumper, _defaults(database), *flags, "--", database.name)
        return build_command(words, compression, stdin=render_options(database), run_as=self.run_as)

    def tool(self, names: Sequence[str]) -> str:
        """Return the first of these programs that the server has. Raise Failed."""
        for name in names:
            if name in self.tools:
                return name
        raise Failed(f"the server has neither {' nor '.join(names)}. install mariadb-client there")

    def _query(self, database: Database, sql: str, deadline: Deadline) -> list[list[str]]:
        words = (self.tool(CLIENTS), _defaults(database), "--batch", "--skip-column-names", "--execute", sql, "--")
        stdin = render_options(database)
        command = build_command((*words, database.name), "gzip", stdin=stdin, run_as=self.run_as)
        result = self.connection.run(command, deadline)
        if result.exit_code != 0:
            fault = complaint(result.stderr)
            raise Failed(f"database '{database.name}': {fault}. {_cure(fault)}")
        return [line.split("\t") for line in result.stdout.decode("utf-8", "replace").splitlines()]


def _cure(fault: str) -> str:
    """What to do about a client's complaint, by MariaDB's number in it."""
    number = re.search(r"ERROR (\d+)", fault)
    return _CURES.get(number[1] if number else "", "check its name, user and password")


def render_options(database: Database) -> bytes:
    """Given a database, return the option file that logs in to it. Raise Failed for a value no option file can hold."""
    lines = ["[client]", "default-character-set=utf8mb4"]
    settings = {"user": database.user, "password": database.password, "host": database.host, "socket": database.socket}
    for name, value in settings.items():
        if len(value) > _LONGEST_SETTING or not value.isprintable():
            raise Failed(f"{name}: too long, or holds a line break or another control character. correct the value")
        if value:
            escaped = value.replace("\\", "\\\\").replace('"', '\\"')
            lines.append(f'{name}="{escaped}"')
    if database.port:
        lines.append(f"port={database.port}")
    return ("\n".join(lines) + "\n").encode()


def check_dump(result: Result, content: SqlContent, database: Database) -> None:
    """Given how a dump ended and what it holds, raise NotAccepted unless it was written to its end and holds rows."""
    name = database.name
    if result.exit_code != 0:
        reason = complaint(result.stderr)
        raise incomplete(
            f"Backup basis data {name} terputus: program dump berhenti dengan kode {result.exit_code} ({reason}).",
            f"database '{name}': the dump ended with exit code {result.exit_code}: {reason}. nothing was kept",
        )
    if not content.complete:
        mark = END_OF_DUMP.decode()
        raise incomplete(
            f"Backup basis data {name} tidak lengkap: tanda akhir '{mark}' tidak ada.",
            f"database '{name}': the dump lacks its end mark '{mark}'. nothing was kept",
        )
    if not content.filled:
        raise _empty(name, "tidak berisi satu baris pun", "none of its tables has a row")


def find_missing(content: SqlContent, survey: Survey) -> tuple[str, ...]:
    """Given a dump and the catalogue before it, return tables and views that it lacks, or lacks the rows of."""
    lost = [table.name for table in survey.tables if table.name not in content.tables]
    bare = [table.name for table in survey.tables if table.rows and table.name not in content.filled]
    return tuple(sorted({*lost, *bare, *(set(survey.views) - content.views)}))


def check_missing(missing: Sequence[str], after: Survey, filled: set[str], content: SqlContent, name: str) -> None:
    """Given what seemed to be missing, and the catalogue after the dump, raise NotAccepted for what truly is."""
    there = {table.name for table in after.tables} | set(after.views)
    gone = [m for m in missing if m in there and (m in filled or m not in content.tables | content.views)]
    if gone:
        names = ", ".join(gone[:MOST_NAMED]) + (f" (+{len(gone) - MOST_NAMED})" if len(gone) > MOST_NAMED else "")
        raise incomplete(
            f"Backup basis data {name} tidak lengkap: tabel atau isinya tidak ada di dalam dump: {names}.",
            f"database '{name}': the dump lacks these tables, or their rows: {names}. nothing was kept",
        )


def notes_of(survey: Survey) -> list[str]:
    """Given a catalogue, return what a reader of the dump has to know."""
    loose = [table.name for table in survey.tables if table.engine not in _TRANSACTIONAL]
    if not loose:
        return []
    return [f"not in the common snapshot, their engine has no transactions: {', '.join(loose[:MOST_NAMED])}"]


def _defaults(database: Database) -> str:
    """With a user of its own, no option file of the account may override it; without one, the account's files count."""
    return "--defaults-file=/dev/stdin" if database.user else "--defaults-extra-file=/dev/stdin"


def _exists(table: str) -> str:
    quoted = table.replace("`", "``")
    return f"EXISTS(SELECT 1 FROM `{quoted}`)"  # noqa: S608 - quoted as an identifier


def _is_table(kind: str) -> bool:
    return kind in ("BASE TABLE", "SYSTEM VERSIONED")


def _text(hexadecimal: str) -> str:
    return bytes.fromhex(hexadecimal).decode("utf-8", "replace")


def _empty(name: str, indonesian: str, english: str) -> NotAccepted:
    return incomplete(
        f"Basis data {name} {indonesian}; backup kosong tidak diterima.",
        f"database '{name}': {english}. an empty backup is not accepted: look at the database, and at its name",
    )
