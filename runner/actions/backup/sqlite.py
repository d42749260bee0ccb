"""SQLite: a consistent copy of a database that may be in use, page by page.

`.dump` is not used: measured with 3.40, it cuts a text at its first NUL character and ends with exit code 0.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from runner.actions.backup.content import SQLITE_HEADER
from runner.actions.backup.storage import PartFile
from runner.actions.backup.stream import find_tools, pour
from runner.actions.backup.verdict import complaint, incomplete
from runner.contract import Call, Command, Connection
from runner.durations import Deadline
from runner.errors import Failed, TimeUp

VERSION = sqlite3.sqlite_version
PROGRAMS = ("sqlite3", "python3")
LOCK_WAIT = 30  # seconds
_PAGES_AT_A_TIME = 2048
_HEAD = """[ -f "$1" ] || exit 44
head -c 19 < "$1" && wc -c < "$1" """
_WRITE_VERSION, _WAL = 18, 2  # https://www.sqlite.org/fileformat2.html#file_format_version_numbers
_NAMES = r"""SELECT name FROM sqlite_master WHERE type = 'table'
AND name NOT LIKE 'sqlite\_%' ESCAPE '\' AND sql NOT LIKE 'CREATE VIRTUAL%'"""
# While the transaction lasts nobody writes to the file, so that it can be read as it is. With a write-ahead log it
# would not be whole: then it is copied page by page first, and the copy is removed on every way out.
_START = """case $1 in /*) source=$1 ;; *) source=$PWD/$1 ;; esac
exec 3<"$source" 4>&1
"""
_ASIDE = """folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
trap 'exit 143' HUP INT TERM
cd "$folder" || exit 1
"""
_TAKE, _SEND = "'.backup main copy' >&2 || exit\ncat copy", "'.shell cat <&3 >&4' >&2"
_BY_SHELL = """sqlite3 -batch -bail -readonly "$source" ".timeout $2" BEGIN 'SELECT count(*) FROM sqlite_master' """
_BY_PYTHON = """python3 -c "$3" "$source" "$2" """
_PYTHON = """import os, sqlite3, sys
from urllib.parse import quote
address = "file:" + quote(sys.argv[1]) + "?mode=ro"
database = sqlite3.connect(address, uri=True, timeout=int(sys.argv[2]) / 1000, isolation_level=None)
database.execute("BEGIN")
database.execute("SELECT count(*) FROM sqlite_master").fetchone()
if sys.argv[3:]:
    database.backup(sqlite3.connect(sys.argv[3]))
else:
    sys.exit(os.system("cat <&3 >&4") and 1)
"""


class Found(NamedTuple):
    """A database file on a server: its size in bytes, and whether it has a write-ahead log."""

    size: int
    wal: bool


def find(connection: Connection, path: str, deadline: Deadline, run_as: str) -> Found:
    """Given a database file on the server, return what it is without opening it as a database. Raise Failed."""
    result = connection.run(Command(line=_HEAD, parameters=(path,), run_as=run_as), deadline)
    if result.exit_code == 44:
        raise Failed(f"{path}: there is no such file on the server. check the database's name: the path of its file")
    if result.exit_code != 0:
        raise Failed(f"{path}: cannot be read: {complaint(result.stderr)}. check the account's rights")
    if not result.stdout.startswith(SQLITE_HEADER):
        raise Failed(f"{path}: this is no SQLite database. check the database's name: the path of its file")
    head = result.stdout
    return Found(int(head[_WRITE_VERSION + 1 :]), head[_WRITE_VERSION] == _WAL)


def is_here(connection: Connection, call: Call) -> bool:
    """Return whether the connection's server sees this machine's files: it can read a secret just written here."""
    nonce = secrets.token_bytes(32)
    file = call.directory / f"here-{nonce.hex()[:16]}"
    file.write_bytes(nonce)
    try:
        return connection.read(str(file), call.deadline, limit=64) == nonce
    except Failed:
        return False
    finally:
        file.unlink()


def fetch_here(path: str, copy: Path, deadline: Deadline) -> None:
    """Given a database file on this machine, copy it as it stands at one moment. Raise Failed or TimeUp."""

    def check_time(status: int, remaining: int, total: int) -> None:
        if deadline.passed:
            raise TimeUp(f"copying {path} took longer than the task's limit")

    with _words(path), closing(_open(path, min(LOCK_WAIT, deadline.remaining()))) as source:
        source.execute("BEGIN")
        source.execute("SELECT count(*) FROM sqlite_master").fetchone()  # from here on the copy's moment is fixed
        with closing(sqlite3.connect(copy)) as target:
            source.backup(target, pages=_PAGES_AT_A_TIME, progress=check_time)


def fetch(
    connection: Connection, path: str, found: Found, copy: Path, deadline: Deadline, run_as: str
) -> tuple[str, str]:
    """Given a database file on a server that has sqlite3 or Python, copy it as it stands at one moment; return the
    program that did it and its version. With a write-ahead log that goes through a temporary file there.

    Raise Failed, Unreachable or TimeUp.
    """
    tools = find_tools(connection, deadline, PROGRAMS)
    if not tools:
        raise Failed("the server has neither sqlite3 nor python3. install one of them there")
    way, program = _TAKE if found.wal else _SEND, next(name for name in PROGRAMS if name in tools)
    if program == "sqlite3":
        act = _BY_SHELL + way
    else:
        act = _BY_PYTHON + ("copy >&2 || exit\ncat copy" if found.wal else ">&2")
    line = _START + (_ASIDE if found.wal else "") + act
    command = Command(line=line, parameters=(path, str(LOCK_WAIT * 1000), _PYTHON), run_as=run_as)
    with PartFile(copy) as file:
        result = pour(connection, command, deadline, file.write)
        file.keep()
    if result.exit_code != 0:
        reason = complaint(result.stderr)
        raise incomplete(
            f"Backup basis data {path} gagal: {reason}.",
            f"{path}: {program} ended with exit code {result.exit_code}: {reason}. nothing was kept",
        )
    return program, tools[program]


def check_copy(copy: Path, path: str, deadline: Deadline) -> dict[str, int]:
    """Given a copy, return its tables with their numbers of rows. Raise NotAccepted where it is damaged."""
    try:
        with closing(_open(str(copy), 0, "&immutable=1")) as database:  # it has no journal, and shall get none
            database.set_progress_handler(lambda: int(deadline.passed), 100_000)
            faults = [row[0] for row in database.execute("PRAGMA quick_check(3)")]
            tables = _count(database) if faults == ["ok"] else {}
    except sqlite3.Error as error:
        if deadline.passed:
            raise TimeUp(f"checking the copy of {path} took longer than the task's limit") from None
        faults, tables = [str(error)], {}
    if faults != ["ok"]:
        reason = "; ".join(map(str, faults))
        raise incomplete(
            f"Backup basis data {path} rusak: {reason}.",
            f"{path}: the copy is damaged: {reason}. nothing was kept: check the database itself by PRAGMA quick_check",
        )
    return tables


def _count(database: sqlite3.Connection) -> dict[str, int]:
    counts = {}
    for (name,) in database.execute(_NAMES).fetchall():
        quoted = name.replace('"', '""')
        counts[name] = int(database.execute(f'SELECT count(*) FROM "{quoted}"').fetchone()[0])  # noqa: S608 - quoted
    return counts


def _open(path: str, wait: float, how: str = "") -> sqlite3.Connection:
    uri = f"file:{quote(os.path.abspath(path))}?mode=ro{how}"
    return sqlite3.connect(uri, uri=True, timeout=wait, isolation_level=None, check_same_thread=False)


@contextmanager
def _words(path: str) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise Failed(f"{path}: cannot be copied: {error}. check its rights, and who keeps it locked") from None
