"""What all kinds of database server have in common: what a database holds, and when its dump is accepted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from runner.actions.backup.content import Readable, SqlContent
from runner.actions.backup.verdict import NotAccepted, complaint, database_complaint, incomplete
from runner.contract import Command, Connection, Result
from runner.durations import Deadline
from runner.errors import Failed

MOST_NAMED = 10
_TABLES_AT_A_TIME = 100  # their names stand in one argument of at most 128 KiB


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
    """What a database holds, by the server's catalogue; of a view that no longer works, its text."""

    version: str
    tables: tuple[Table, ...]
    views: tuple[str, ...]
    broken: Mapping[str, str]

    @property
    def size(self) -> int:
        """Estimated bytes of all rows."""
        return sum(table.size for table in self.tables)


@dataclass(frozen=True, slots=True)
class Tools:
    """The programs of a server, each with its version, and for whom they run there."""

    connection: Connection
    versions: Mapping[str, str]
    run_as: str = ""

    def first(self, names: Sequence[str], package: str) -> str:
        """Return the first of these programs that the server has. Raise Failed, naming the package."""
        for name in names:
            if name in self.versions:
                return name
        raise Failed(f"the server has neither {' nor '.join(names)}. install {package} there")


class Dumper(Protocol):
    """A kind of database server that can be dumped."""

    @property
    def format(self) -> str:
        """What its dumps are, as parts name it."""

    @property
    def end_mark(self) -> bytes:
        """What the last lines of a whole dump say."""

    @property
    def program(self) -> str:
        """The program of the server that dumps. Raise Failed where it has none."""

    def inspect(self, stream: Readable) -> SqlContent:
        """Given a dump, return its content."""

    def survey(self, database: Database, deadline: Deadline) -> Survey:
        """Return what the database holds. Raise Failed when it cannot be asked, NotAccepted when it has no table."""

    def filled(self, database: Database, names: Sequence[str], deadline: Deadline) -> set[str]:
        """Given names of tables, return those that hold a row now."""

    def dump_command(self, database: Database, survey: Survey) -> Command:
        """Return the command that sends the dump."""

    def cure(self, fault: str) -> str:
        """Given a program's complaint, return what to do about it; "" where that is not known."""

    def notes(self, survey: Survey) -> list[str]:
        """What a reader of the dump has to know."""


def check_dump(result: Result, content: SqlContent, name: str, dumper: Dumper) -> None:
    """Given how a dump ended and what it holds, raise NotAccepted unless it was written to its end."""
    if result.exit_code != 0:
        reason = complaint(result.stderr)
        cure = dumper.cure(reason)
        raise incomplete(
            f"Backup basis data {name} terputus: program dump berhenti dengan kode {result.exit_code} ({reason}).",
            f"database '{name}': the dump ended with exit code {result.exit_code}: {reason}. nothing was kept"
            + (f": {cure}" if cure else ""),
        )
    if not content.complete:
        mark = dumper.end_mark.decode()
        raise incomplete(
            f"Backup basis data {name} tidak lengkap: tanda akhir '{mark}' tidak ada.",
            f"database '{name}': the dump lacks its end mark '{mark}'. nothing was kept",
        )


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
        raise incomplete(
            f"Backup basis data {name} tidak lengkap: tabel atau isinya tidak ada di dalam dump: {shorten(gone)}.",
            f"database '{name}': the dump lacks these tables, or their rows: {shorten(gone)}. nothing was kept",
        )


def parse_rows(result: Result, name: str, dumper: Dumper) -> list[list[str]]:
    """Given what a client answered, a row a line, return the rows. Raise Failed with a cure where it could not ask."""
    if result.exit_code != 0:
        fault = database_complaint(result.stderr)
        raise Failed(f"database '{name}': {fault}. {dumper.cure(fault) or 'check its name, user and password'}")
    return [line.split("\t") for line in result.stdout.decode("utf-8", "replace").splitlines()]


def parse_text(hexadecimal: str) -> str:
    """Given text in hexadecimal, as a row holds what may have tabs and line breaks, return it."""
    return bytes.fromhex(hexadecimal).decode("utf-8", "replace")


def split_names(names: Sequence[str]) -> Iterator[Sequence[str]]:
    """Given names of tables, give them by as many as one question names."""
    for start in range(0, len(names), _TABLES_AT_A_TIME):
        yield names[start : start + _TABLES_AT_A_TIME]


def broken_notes(survey: Survey) -> list[str]:
    """Given a catalogue, return what is said of views that no longer work: without them the dump would end there."""
    return [
        f"the view {name} no longer works on the server (its definer, or what it reads, is gone), so it is not in the "
        f"dump; it was: {text}"
        for name, text in survey.broken.items()
    ]


def empty(name: str, indonesian: str, english: str) -> NotAccepted:
    """Given in which way a database is empty, in both languages, return the error to raise."""
    return incomplete(
        f"Basis data {name} {indonesian}; backup kosong tidak diterima.",
        f"database '{name}': {english}. an empty backup is not accepted: look at the database, and at its name",
    )


def shorten(names: Sequence[str]) -> str:
    """Given names, return the first of them as one text, and how many more there are."""
    more = f" (+{len(names) - MOST_NAMED})" if len(names) > MOST_NAMED else ""
    return ", ".join(names[:MOST_NAMED]) + more


def check_setting(name: str, value: str, longest: int) -> None:
    """Raise Failed for a value that no line of an option file can hold."""
    if len(value.encode()) > longest or not value.isprintable():
        raise Failed(f"{name}: too long, or holds a line break or another control character. correct the value")
