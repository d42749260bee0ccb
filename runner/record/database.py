"""SQLite files of a record: made whole or not at all, opened quickly, their errors in words."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

from runner.errors import RecordError
from runner.record.folder import FREE, LONGEST_WAIT, disk_errors, gate, make_folder, shared_bits, sync

SMALLEST_ROOM = 64 << 10  # bytes: twice what SQLite's shared memory grows by
_ANYWHERE = "name another folder with --records"
_REASONS = {
    sqlite3.SQLITE_FULL: ("the disk is full", FREE),
    sqlite3.SQLITE_READONLY: ("cannot be written", f"make file and folder writable for this user, or {_ANYWHERE}"),
    sqlite3.SQLITE_CANTOPEN: ("cannot be opened", f"allow this user to read and write the folder, or {_ANYWHERE}"),
    sqlite3.SQLITE_PERM: ("cannot be opened", f"allow this user to read and write the file, or {_ANYWHERE}"),
    sqlite3.SQLITE_BUSY: ("locked by another process for too long", "wait for it to end, or end it, then try again"),
    sqlite3.SQLITE_NOTADB: ("not a record of sop", f"move the file away, or {_ANYWHERE}"),
    sqlite3.SQLITE_CORRUPT: (
        "the file is damaged",
        "bring the folder back from its backup, then 'sop verify'",
    ),
}


class Format(NamedTuple):
    """A kind of file: its application id, the SQL that makes an empty one of version 1, and the SQL that makes each
    further version of the one before. Only indexes may change: what was recorded stays as it is. `journal_mode` is
    SQLite's."""

    application: int
    script: str
    upgrades: tuple[str, ...] = ()
    journal_mode: str = "DELETE"

    @property
    def version(self) -> int:
        """The version that this program writes."""
        return 1 + len(self.upgrades)

    def script_of(self, version: int) -> str:
        """The SQL that makes an empty file of that version."""
        return "".join([self.script, *self.upgrades[: version - 1]])


@contextmanager
def database_errors(path: Path) -> Iterator[None]:
    """Turn what SQLite refuses inside the block into a RecordError with its place and cure."""
    try:
        yield
    except UnicodeDecodeError as error:  # SQLite's own message quotes bytes of a damaged file
        raise RecordError(f"{path}: the file is damaged. restore it from a backup") from error
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", None)
        if code is None:  # a wrong use of the library is a bug, not a state of the record
            raise
        kind = code & 0xFF
        if kind == sqlite3.SQLITE_IOERR and _is_full(path.parent):  # where its shared memory found no room
            kind = sqlite3.SQLITE_FULL
        reason, cure = _REASONS.get(kind, ("cannot be used", "check the disk"))
        raise RecordError(f"{path}: {reason} ({error}). {cure}") from error


def _is_full(folder: Path) -> bool:
    try:
        return shutil.disk_usage(folder).free < SMALLEST_ROOM
    except OSError:
        return False


def create_database(path: Path, form: Format) -> None:
    """Make an empty file of that form, for this user only, unless there is one. Raise RecordError if that fails.

    It is filled under another name and then renamed: nobody ever opens a half-made one.
    """
    if path.exists():
        return
    make_folder(path.parent)
    with gate(path.parent), disk_errors(path), database_errors(path):
        if path.exists():
            return
        fresh = path.with_name(f".{path.name}.new")
        fresh.unlink(missing_ok=True)
        os.close(os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        fresh.chmod(0o600 | shared_bits(path.parent) & 0o060)
        _fill(fresh, form)
        fresh.rename(path)
        sync(path.parent)


def _fill(path: Path, form: Format) -> None:
    """Write all at once, and only then log ahead: what a log of a file under another name held would be lost."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.executescript(
            f"BEGIN; {form.script_of(form.version)}; PRAGMA application_id = {form.application}; "
            f"PRAGMA user_version = {form.version}; COMMIT; PRAGMA journal_mode = {form.journal_mode}"
        )


def upgrade_database(path: Path, form: Format) -> None:
    """Bring a file of an earlier version to this one, unless it cannot be written: then it is only slower to read.

    Raise RecordError when it is no file of that form, or a newer one.
    """
    with closing(connect_to_read(path, form)) as connection:
        version = version_of(connection)
    if version == form.version or not os.access(path, os.W_OK) or not os.access(path.parent, os.W_OK):
        return
    with gate(path.parent), closing(connect_to_write(path, form)) as connection, database_errors(path):
        connection.execute("BEGIN IMMEDIATE")
        for step in form.upgrades[version_of(connection) - 1 :]:
            for statement in filter(str.strip, step.split(";")):
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {form.version}")
        connection.execute("COMMIT")


def version_of(connection: sqlite3.Connection) -> int:
    """Given an open file, return its version."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def connect_to_write(path: Path, form: Format, *, seconds: float = LONGEST_WAIT) -> sqlite3.Connection:
    """Open a file of that form; each COMMIT is on the disk when it returns. Raise RecordError.

    `seconds` bounds the wait for another process. The connection may move between threads, not be shared by them.
    """
    connection = _connect(path, "mode=rw", seconds)
    with database_errors(path):
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA fullfsync = ON")  # macOS: fsync alone leaves data in the drive's cache
    _check_form(connection, path, form)
    return connection


def connect_to_read(path: Path, form: Format) -> sqlite3.Connection:
    """Open a file of that form for reading, also on a medium that cannot be written. Raise RecordError."""
    log = path.with_name(path.name + "-wal")
    frozen = not os.access(path.parent, os.W_OK) and not log.exists()
    connection = _connect(path, "immutable=1" if frozen else "mode=ro", LONGEST_WAIT)
    _check_form(connection, path, form)
    return connection


def _connect(path: Path, mode: str, seconds: float) -> sqlite3.Connection:
    with database_errors(path):
        place = f"{path.absolute().as_uri()}?{mode}"
        return sqlite3.connect(place, uri=True, timeout=seconds, isolation_level=None, check_same_thread=False)


def _check_form(connection: sqlite3.Connection, path: Path, form: Format) -> None:
    try:
        with database_errors(path):
            (application,) = connection.execute("PRAGMA application_id").fetchone()
            version = version_of(connection)
        if application != form.application:
            raise RecordError(f"{path}: not a record of sop. move the file away, or {_ANYWHERE}")
        if version > form.version:
            known = f"format {version}, this one knows {form.version}"
            raise RecordError(f"{path}: written by a newer sop ({known}). upgrade this sop")
    except RecordError:
        connection.close()
        raise
