"""The journal: the append-only record of all runs, in `records/journal.sqlite`.

It lies in SQLite's WAL mode: a commit costs one fsync instead of three or four, and readers never hold up the run that
appends. Appends pass a gate of our own, because SQLite before 3.51.3 can lose pages when one process commits while
another moves the log into the file (sqlite.org/wal.html#walresetbug). WAL needs memory shared by all who have
the file open, so the folder must lie on a disk of this machine.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import Any

from runner.errors import RecordError, RunnerError, refuse
from runner.events import Event, Kind
from runner.record.chain import FORM, GENESIS, Columns, canonical, columns_of, link, playbook_of
from runner.record.database import connect_to_read, connect_to_write, create_database, database_errors, upgrade_database
from runner.record.folder import LONGEST_WAIT, disk_errors, gate
from runner.record.reader import JournalReader

Body = Mapping[str, Any]  # an event as plain JSON values
_LETTERS = "23456789bcdfghjkmnpqrstvwxz"  # none that sounds or looks like another, no vowels: no words
_INSERT = """
    INSERT INTO events (
        seq, hash, body, run, playbook, kind, step, attempt, task, target, item, "try", status, problems, at
    ) VALUES
"""
_ROW = f"({', '.join('?' * 15)})"
_MOST_ROWS = 60  # of one statement: SQLite before 3.32 takes 999 values


class DuplicateClaim(RunnerError):
    """A task was claimed, or finished, or a run started, a second time; nothing was recorded."""

    exit_code = 6


def new_run_id(now: datetime) -> str:
    """Given the time, return a run's id: it sorts by minute, fits a file name and can be read out on the telephone."""
    return f"{now:%Y%m%d-%H%M}-" + "".join(secrets.choice(_LETTERS) for _ in range(5))


def open_journal(records: Path) -> Journal | None:
    """Given a records folder, return its journal, to read; None where there is none yet."""
    return Journal.open(records, create=False) if (records / "journal.sqlite").exists() else None


class Journal(JournalReader):
    """A journal to append to. One object may be used by several threads, one file by several processes."""

    def __init__(self, records: Path, *, seconds: float = LONGEST_WAIT) -> None:
        super().__init__(records)
        self._seconds = seconds
        self._mutex = threading.Lock()
        self._process = os.getpid()
        self._connection: sqlite3.Connection | None = None
        self._file = (0, 0)
        self._asking = threading.Lock()
        self._reader: sqlite3.Connection | None = None
        self._playbooks: dict[str, str] = {}
        self._last: tuple[int, str] | None = None  # number and hash of the record that this object wrote last

    @classmethod
    def open(cls, records: Path, *, create: bool = True, seconds: float = LONGEST_WAIT) -> Journal:
        """Given the records folder, return its journal; an empty one is made unless `create` is False.

        `seconds` bounds each wait for other processes. Raise Refused when there is none, RecordError when it cannot
        be made or read.
        """
        journal = cls(records, seconds=seconds)
        if create:
            create_database(journal.path, FORM)
        elif not journal.path.exists():
            raise refuse(str(journal.path), "there is no journal", "name its folder with --records")
        upgrade_database(journal.path, FORM)
        return journal

    def append(self, events: Sequence[Event]) -> None:
        """Record the events, all or none; they are on the disk when it returns.

        Raise DuplicateClaim when one of them was recorded already, RecordError when they cannot be written.
        """
        if os.getpid() != self._process:  # SQLite's locks do not survive a fork: two writers would both believe in them
            raise RecordError(f"{self.path}: opened by another process. start processes by spawn, and open it there")
        bodies = [event.to_json() for event in events]
        texts = [canonical(body) for body in bodies]
        with self._mutex, gate(self.records, seconds=self._seconds), database_errors(self.path):
            connection = self._writer()
            if not self._insert_at_once(connection, bodies, texts):
                self._insert_behind_last(connection, bodies, texts)

    @contextmanager
    def looking_up(self) -> Iterator[sqlite3.Connection]:
        """Give a connection for one short question; it stays open, since opening costs ten times the answer."""
        if os.getpid() != self._process:
            with self.reading() as connection:
                yield connection
            return
        with self._asking, database_errors(self.path):
            if self._reader is None:
                self._reader = connect_to_read(self.path, FORM)
            yield self._reader

    def close(self) -> None:
        """Close the file; the object can still read, and opens the file again to append."""
        with self._asking:
            if self._reader is not None and os.getpid() == self._process:
                self._reader.close()
                self._reader = None
        if self._connection is not None and os.getpid() == self._process:
            with self._mutex, gate(self.records, seconds=self._seconds), database_errors(self.path):
                self._connection.close()
                self._connection = None

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _writer(self) -> sqlite3.Connection:
        with disk_errors(self.path):
            found = self.path.stat()
        if self._connection is None:
            self._connection = connect_to_write(self.path, FORM, seconds=self._seconds)
            self._last = None
            self._file = (found.st_dev, found.st_ino)
        elif self._file != (found.st_dev, found.st_ino):
            raise RecordError(f"{self.path}: replaced by another file while in use. put the first one back")
        return self._connection

    def _insert_at_once(self, connection: sqlite3.Connection, bodies: Sequence[Body], texts: Sequence[str]) -> bool:
        """Add records behind the one that was written last, by one statement that is its own transaction; return
        whether that could be done. Where others have written meanwhile, the number after that one is taken."""
        last, self._last = self._last, None
        if last is None or not 0 < len(texts) <= _MOST_ROWS:
            return False
        rows = self._rows(connection, last, bodies, texts)
        try:
            _insert_rows(connection, rows)
        except sqlite3.IntegrityError:
            return False
        self._last = rows[-1][0], rows[-1][1]
        return True

    def _insert_behind_last(self, connection: sqlite3.Connection, bodies: Sequence[Body], texts: Sequence[str]) -> None:
        """Add records behind the last one that is there. Raise DuplicateClaim."""
        connection.execute("BEGIN IMMEDIATE")
        try:
            last = connection.execute("SELECT seq, hash FROM events ORDER BY seq DESC LIMIT 1").fetchone()
            rows = self._rows(connection, last or (0, GENESIS), bodies, texts)
            for place in range(0, len(rows), _MOST_ROWS):
                try:
                    _insert_rows(connection, rows[place : place + _MOST_ROWS])
                except sqlite3.IntegrityError:
                    self._insert_singly(connection, rows[place:], bodies[place:])
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        self._last = (rows[-1][0], rows[-1][1]) if rows else last

    def _rows(
        self, connection: sqlite3.Connection, last: tuple[int, str], bodies: Sequence[Body], texts: Sequence[str]
    ) -> list[Columns]:
        """The records of those events as they stand in the table, chained to the last one."""
        seq, digest = last
        rows: list[Columns] = []
        for body, text in zip(bodies, texts, strict=True):
            seq, digest = seq + 1, link(digest, text)
            rows.append((seq, digest, text, *columns_of(body, self._playbook(connection, body))))
        return rows

    def _insert_singly(self, connection: sqlite3.Connection, rows: Sequence[Columns], bodies: Sequence[Body]) -> None:
        """Find out which of the rows is there already."""
        for row, body in zip(rows, bodies, strict=True):
            try:
                _insert_rows(connection, [row])
            except sqlite3.IntegrityError as error:
                raise DuplicateClaim(_already(self.path, Event.from_json(body))) from error

    def _playbook(self, connection: sqlite3.Connection, body: Body) -> str:
        run, started = body["run"], playbook_of(body)
        if started is not None:
            self._playbooks[run] = started
        elif run not in self._playbooks:
            query = "SELECT playbook FROM events WHERE run = ? AND kind = ?"
            row = connection.execute(query, (run, Kind.RUN_STARTED)).fetchone()
            self._playbooks[run] = row[0] if row else ""
        return self._playbooks[run]


def _insert_rows(connection: sqlite3.Connection, rows: Sequence[Columns]) -> None:
    """Insert rows by one statement: at the end of each, a thread of many waits for its turn with the interpreter."""
    connection.execute(_INSERT + ", ".join([_ROW] * len(rows)), [*chain.from_iterable(rows)])


def _already(path: Path, event: Event) -> str:
    what = "/".join(str(part) for part in event.key if part not in (None, ""))
    return f"{path}: run {event.run} has '{event.kind}' {what} already. let the run that holds it go on"
