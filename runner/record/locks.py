"""Locks: two runs of one playbook never work on the same step of the same target at the same time.

`records/locks.sqlite` says who holds what; `records/running/<run>` is a file that the run's process keeps locked
with flock(). The kernel drops that lock however the process ends, so a free file proves that its holder is dead,
and what it held is taken over.

The proof holds on one machine (containers on it included). Where a records folder is shared by several machines,
a lock of another machine is never taken over: its run is ended there, or a person deletes the file.
"""

from __future__ import annotations

import fcntl
import os
import socket
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

from runner.errors import Locked
from runner.record.database import Format, connect_to_read, connect_to_write, create_database, database_errors
from runner.record.folder import disk_errors, gate, locked_within, make_folder, shared_bits

Pair = tuple[str, str | None]

_WAIT = "wait until it ends, or end it there with Ctrl-C or SIGTERM"
_MOMENT = 0.2  # seconds; another process looks at the file for far less than that
_FORM = Format(
    application=0x736F706C,
    script="""
        CREATE TABLE holders (
            run TEXT PRIMARY KEY, who TEXT, since TEXT, process INTEGER, host TEXT, machine TEXT
        ) WITHOUT ROWID;
        CREATE TABLE locks (
            playbook TEXT, step TEXT, target TEXT, run TEXT, PRIMARY KEY (playbook, step, target)
        ) WITHOUT ROWID;
        CREATE INDEX held_by ON locks (run);
    """,
)
_WANTED = "CREATE TEMP TABLE wanted (playbook, step, target, PRIMARY KEY (playbook, step, target)) WITHOUT ROWID"
_CONFLICT = """
    SELECT step, target, holders.* FROM temp.wanted JOIN locks USING (playbook, step, target) JOIN holders USING (run)
    WHERE run <> ? LIMIT 1
"""


class _Holder(NamedTuple):
    run: str
    who: str
    since: str
    process: int
    host: str
    machine: str

    def __str__(self) -> str:
        return f"{self.who}, since {self.since}, process {self.process} on {self.host}"


class Locks:
    """The locks of a records folder."""

    def __init__(self, records: Path) -> None:
        self._path = records / "locks.sqlite"
        self._running = records / "running"

    def acquire(self, run: str, playbook: str, pairs: Iterable[Pair], who: str) -> Held:
        """Take the (step, target) pairs of a playbook for a run, all or none; target is None in a step that runs once.

        Raise Locked, naming the holder, when one of them is held, or when this very run is already going on.
        """
        create_database(self._path, _FORM)
        make_folder(self._running)
        with self._writing() as connection:
            handle = self._enter(connection, run)
            try:
                self._forget(connection, run)
                connection.execute("INSERT INTO holders VALUES (?, ?, ?, ?, ?, ?)", _this_process(run, who))
                self._take(connection, run, playbook, pairs)
            except BaseException:
                self._leave(run, handle)
                raise
        return Held(self, run, playbook, handle)

    def is_running(self, run: str) -> bool:
        """Return whether a process still works on a run; of a run begun on another machine, whether it may."""
        if self._is_flocked(run):
            return True
        if not (self._file(run).exists() and self._path.exists()):
            return False
        with database_errors(self._path), closing(connect_to_read(self._path, _FORM)) as connection:
            holder = _holder(connection, run)
        return holder is not None and not _was_here(holder)

    @contextmanager
    def taking_up(self) -> Iterator[None]:
        """Let one run at a time see which problems are in nobody's hands and take them up.

        Raise RecordError when another does not leave within LONGEST_WAIT.
        """
        make_folder(self._running)
        with gate(self._running):
            yield

    def forget(self, run: str) -> None:
        """Drop all that a run holds whose process is gone, on another machine too. Raise Locked while it lives here."""
        if not self._path.exists():
            return
        with self._writing() as connection:
            if self._is_flocked(run):
                raise Locked(self._going_on(run, _holder(connection, run)))
            self._forget(connection, run)
            self._file(run).unlink(missing_ok=True)

    def _file(self, run: str) -> Path:
        return self._running / run

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        # a connection per use: nothing stays open across a fork or in another thread
        with (
            gate(self._path.parent),
            closing(connect_to_write(self._path, _FORM)) as connection,
            database_errors(self._path),
            connection,
        ):
            connection.execute("BEGIN IMMEDIATE")
            yield connection

    def _enter(self, connection: sqlite3.Connection, run: str) -> int:
        holder = _holder(connection, run)
        path = self._file(run)
        with disk_errors(path):
            handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
            if (bits := shared_bits(self._running)) and os.fstat(handle).st_uid == os.geteuid():
                os.fchmod(handle, 0o600 | bits & 0o060)
            if locked_within(handle, fcntl.LOCK_EX, seconds=_MOMENT) and (holder is None or _was_here(holder)):
                return handle
            os.close(handle)
        raise Locked(self._going_on(run, holder))

    def _leave(self, run: str, handle: int) -> None:
        self._file(run).unlink(missing_ok=True)
        os.close(handle)

    def _take(self, connection: sqlite3.Connection, run: str, playbook: str, pairs: Iterable[Pair]) -> None:
        connection.execute("PRAGMA temp_store = MEMORY")
        connection.execute(_WANTED)
        wanted = sorted({(playbook, step, target or "") for step, target in pairs})
        connection.executemany("INSERT INTO temp.wanted VALUES (?, ?, ?)", wanted)
        while conflict := connection.execute(_CONFLICT, (run,)).fetchone():
            step, target, *fields = conflict
            self._take_over(connection, _Holder(*fields), _in_words(step, target))
        connection.execute("INSERT OR IGNORE INTO locks SELECT *, ? FROM temp.wanted", (run,))

    def _take_over(self, connection: sqlite3.Connection, holder: _Holder, what: str) -> None:
        if self._is_flocked(holder.run):
            raise Locked(f"{what} is held by run {holder.run} ({holder}). {_WAIT}")
        if not _was_here(holder):
            raise Locked(
                f"{what} is held by run {holder.run} ({holder}), a machine that cannot be asked from here. "
                "let the run end there; if that machine is gone, and no run goes on, "
                "delete locks.sqlite in the records folder"
            )
        self._forget(connection, holder.run)
        self._file(holder.run).unlink(missing_ok=True)

    def _forget(self, connection: sqlite3.Connection, run: str) -> None:
        connection.execute("DELETE FROM locks WHERE run = ?", (run,))
        connection.execute("DELETE FROM holders WHERE run = ?", (run,))

    def _is_flocked(self, run: str) -> bool:
        try:
            handle = os.open(self._file(run), os.O_RDONLY)
        except FileNotFoundError:
            return False
        try:
            return not locked_within(handle, fcntl.LOCK_SH, seconds=0)
        finally:
            os.close(handle)

    def _going_on(self, run: str, holder: _Holder | None) -> str:
        return f"run {run} is going on already ({holder or 'it just began'}). {_WAIT}"


class Held:
    """What a run holds until it is closed, or its process ends in whatever way. A context manager."""

    def __init__(self, locks: Locks, run: str, playbook: str, handle: int) -> None:
        self.run = run
        self.playbook = playbook
        self._locks = locks
        self._handle = handle

    def extend(self, pairs: Iterable[Pair]) -> None:
        """Take further (step, target) pairs, all or none. Raise Locked when one of them is held by another run."""
        with self._locks._writing() as connection:
            self._locks._take(connection, self.run, self.playbook, pairs)

    def release(self, pairs: Iterable[Pair]) -> None:
        """Let go of (step, target) pairs, before a wait for a person for example."""
        given = [(self.playbook, step, target or "", self.run) for step, target in pairs]
        with self._locks._writing() as connection:
            statement = "DELETE FROM locks WHERE playbook = ? AND step = ? AND target = ? AND run = ?"
            connection.executemany(statement, given)

    def close(self) -> None:
        """Let go of everything."""
        if self._handle < 0:
            return
        with self._locks._writing() as connection:
            self._locks._forget(connection, self.run)
            self._locks._leave(self.run, self._handle)
            self._handle = -1

    def __enter__(self) -> Held:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _holder(connection: sqlite3.Connection, run: str) -> _Holder | None:
    row = connection.execute("SELECT * FROM holders WHERE run = ?", (run,)).fetchone()
    return row and _Holder(*row)


def _this_process(run: str, who: str) -> _Holder:
    since = datetime.now(UTC).isoformat(" ", "seconds")
    return _Holder(run, who, since, os.getpid(), socket.gethostname(), _machine())


def _was_here(holder: _Holder) -> bool:
    """Whether a free file proves its holder dead: the same running kernel, or this host before it was restarted."""
    return holder.machine == _machine() or holder.host == socket.gethostname()


def _machine() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:  # not Linux
        return socket.gethostname()


def _in_words(step: str, target: str) -> str:
    return f"step '{step}' on target '{target}'" if target else f"step '{step}'"
