"""What a backup of files knows of itself while it is made: what the server listed, what the parent set has, and which
frame holds what. It lies beside the volumes, so that an interrupted run is taken up again, and holds no more in memory
for a million files than for a thousand.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from runner.actions.backup.listing import Listed, Owner
from runner.errors import Failed

_SCHEMA = """
PRAGMA locking_mode = EXCLUSIVE;
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
PRAGMA temp_store = FILE;
CREATE TABLE IF NOT EXISTS entry (
    path BLOB PRIMARY KEY, type TEXT, size INTEGER, mtime_ns INTEGER, ctime_ns INTEGER, mode INTEGER, uid INTEGER,
    gid INTEGER, owner TEXT, grp TEXT, link BLOB, inode TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS parent (
    path BLOB PRIMARY KEY, type TEXT, size INTEGER, mtime_ns INTEGER, ctime_ns INTEGER, mode INTEGER, uid INTEGER,
    gid INTEGER, line BLOB) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS member (
    path BLOB PRIMARY KEY, type TEXT, size INTEGER, mtime_ns INTEGER, ctime_ns INTEGER, mode INTEGER, uid INTEGER,
    gid INTEGER, kind TEXT, stored_size INTEGER, stored_mtime_ns INTEGER, link BLOB, sha256 TEXT, volume INTEGER,
    frame INTEGER, slices TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS frame (
    volume INTEGER, start INTEGER, length INTEGER, content INTEGER, members INTEGER, open INTEGER, sha256 BLOB,
    PRIMARY KEY (volume, start));
CREATE TABLE IF NOT EXISTS want (
    number INTEGER PRIMARY KEY, path BLOB, type TEXT, size INTEGER, mtime_ns INTEGER, ctime_ns INTEGER, mode INTEGER,
    uid INTEGER, gid INTEGER, owner TEXT, grp TEXT, link BLOB, inode TEXT);
CREATE TABLE IF NOT EXISTS owner (kind TEXT, number INTEGER, name TEXT, PRIMARY KEY (kind, number)) WITHOUT ROWID;
DELETE FROM entry;
DELETE FROM parent;
DELETE FROM want;
DELETE FROM owner;
"""
_SAME = " AND ".join(
    f"{{0}}.{name} IS entry.{name}" for name in ("type", "size", "mtime_ns", "ctime_ns", "mode", "uid", "gid")
)
_HAVE = (
    f"LEFT JOIN member ON member.path = entry.path AND {_SAME.format('member')} "
    f"LEFT JOIN parent ON parent.path = entry.path AND {_SAME.format('parent')}"
)
_ADD = "INSERT OR REPLACE INTO {} VALUES ({})"
_LACKING = f"FROM entry {_HAVE} WHERE member.path IS NULL AND parent.path IS NULL"
_WANTED = f"SELECT entry.* {_LACKING}"
_TOUCHED = "path IN (SELECT folder_of(path) FROM want)"
# All names of a file come in one go, so that they are stored as one file. Folders come last, also those in which
# something changed: unpacking into them changes their time.
_WANT = f"""DELETE FROM want;
INSERT INTO want SELECT NULL, * FROM ({_WANTED}) WHERE inode = '' AND type <> 'folder';
INSERT INTO want SELECT NULL, * FROM entry WHERE inode <> '' AND inode IN (SELECT inode FROM ({_WANTED}))
ORDER BY inode, path;
INSERT INTO want SELECT NULL, * FROM entry WHERE type = 'folder'
AND (path IN (SELECT path FROM ({_WANTED})) OR {_TOUCHED}) ORDER BY path;"""  # noqa: S608 - fixed
_WANT_NAMES = """INSERT INTO want SELECT NULL, * FROM entry
WHERE path = ? OR inode <> '' AND inode = (SELECT inode FROM entry WHERE path = ?)"""
_NAMED = "coalesce((SELECT name FROM owner WHERE kind = '{}' AND number = {}), {})"
_USER, _GROUP = _NAMED.format("user", "entry.uid", "entry.owner"), _NAMED.format("group", "entry.gid", "entry.grp")
_HAD = f"""SELECT entry.path, entry.mode, entry.uid, entry.gid, {_USER}, {_GROUP}, entry.ctime_ns,
member.kind, member.stored_size, member.stored_mtime_ns, member.link, member.sha256, member.volume, member.frame,
member.slices, parent.line FROM entry {_HAVE} WHERE (member.path IS NOT NULL OR parent.path IS NOT NULL)
"""  # noqa: S608 - fixed
_SLICED = _HAD + "AND member.slices <> ''"
_KEPT = _HAD + "ORDER BY entry.path"


class Arrived(NamedTuple):
    """A member that was stored whole: what the server had listed of it, what came, and where it begins."""

    listed: Listed
    kind: str
    size: int
    mtime_ns: int
    link: bytes
    sha256: str
    volume: int
    frame: int
    slices: str = ""

    def row(self) -> tuple[object, ...]:
        """Its row in the ledger."""
        return (*self.listed[:8], *self[1:])


class Frame(NamedTuple):
    """A frame of a volume: where it begins, how long it is, and how much it holds once decompressed, in bytes; `open`
    where its last member goes on in the next one; `sha256` is of the volume up to its end."""

    volume: int
    start: int
    length: int
    content: int
    members: int
    open: bool
    sha256: bytes


class Kept(NamedTuple):
    """An entry of the finished list: as listed, and either where it was stored (`kind` …) or its line in the parent's
    list."""

    path: bytes
    mode: int
    uid: int
    gid: int
    owner: str
    group: str
    ctime_ns: int
    kind: str | None
    size: int
    mtime_ns: int
    link: bytes
    sha256: str
    volume: int
    frame: int
    slices: str
    line: bytes | None


class Ledger:
    """One backup's ledger. Raise Failed where it cannot be written."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()  # the volumes are written by another thread than asks what comes next
        try:
            self._base = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            self._base.create_function("folder_of", 1, _folder_of, deterministic=True)
            self._base.executescript(_SCHEMA)
        except sqlite3.Error as error:
            raise self._explain(error) from None

    def close(self) -> None:
        """Let go of the file."""
        self._base.close()

    def add_listed(self, entries: Iterable[Listed]) -> None:
        """Note what the server lists."""
        self._write(_ADD.format("entry", _marks(12)), entries)

    def add_owners(self, owners: Iterable[Owner]) -> None:
        """Note who the owners and groups of what is listed are, where that has their numbers only."""
        self._write(_ADD.format("owner", _marks(3)), owners)

    def add_parent(self, rows: Iterable[Sequence[object]]) -> None:
        """Note what the parent set has: path, type, size, mtime_ns, ctime_ns, mode, uid, gid, its line in the list."""
        self._write(_ADD.format("parent", _marks(9)), rows)

    def add_frame(self, frame: Frame, members: Iterable[Arrived]) -> None:
        """Note a frame that was written, and the members that end in it."""
        self._write(_ADD.format("member", _marks(16)), map(Arrived.row, members), frame)

    def frames(self) -> list[Frame]:
        """The frames that were written, in order."""
        return [Frame._make(row) for row in self._base.execute("SELECT * FROM frame ORDER BY volume, start")]

    def forget_from(self, volume: int, start: int) -> None:
        """Forget the frames from there on, and what begins in them."""
        for table, column in (("frame", "start"), ("member", "frame")):
            self._base.execute(
                f"DELETE FROM {table} WHERE volume > ? OR volume = ? AND {column} >= ?",  # noqa: S608 - fixed
                (volume, volume, start),
            )

    def listed(self) -> tuple[int, int]:
        """How many entries the server has, and the bytes of all their files."""
        return self._one("SELECT count(*), coalesce(sum(size), 0) FROM entry")

    def want_missing(self) -> tuple[int, int]:
        """Find out what has to come from the server: how many entries, and the bytes of their files."""
        self._base.executescript(_WANT)
        return self._one("SELECT count(*), coalesce(sum(size), 0) FROM want")

    def want_again(self, paths: Iterable[bytes]) -> None:
        """Have these come once more, whatever is there of them."""
        self._base.execute("DELETE FROM want")
        self._write(_WANT_NAMES, ((path, path) for path in paths))
        self._base.execute(f"INSERT INTO want SELECT NULL, * FROM entry WHERE {_TOUCHED} ORDER BY path")  # noqa: S608 - fixed

    def wanted(self, number: int, most: int) -> list[tuple[int, Listed]]:
        """What has to come behind that number, at most so many; the names of one file stand together."""
        with self._lock:
            rows = self._base.execute("SELECT * FROM want WHERE number > ? ORDER BY number LIMIT ?", (number, most))
            return [(row[0], Listed._make(row[1:])) for row in rows]

    def differing(self, entries: Iterable[Listed]) -> list[bytes]:
        """Given a later listing, return what of that which came is not as it was listed before, and is still there."""
        self._base.execute("CREATE TEMP TABLE later AS SELECT * FROM entry WHERE 0")
        self._write(_ADD.format("later", _marks(12)), entries)
        found = self._paths(
            "SELECT later.path FROM later JOIN want ON want.path = later.path AND want.type = 'file' WHERE "
            "later.size IS NOT want.size OR later.mtime_ns IS NOT want.mtime_ns OR later.ctime_ns IS NOT want.ctime_ns"
        )
        self._base.execute("DROP TABLE later")
        return found

    def kept(self) -> Iterator[Kept]:
        """What the set has of what the server listed, by path."""
        return map(Kept._make, self._base.execute(_KEPT))

    def sliced(self) -> Iterator[Kept]:
        """What of it is larger than a volume."""
        return map(Kept._make, self._base.execute(_SLICED))

    def lost(self) -> list[bytes]:
        """What the server listed and the set does not have."""
        return self._paths(f"SELECT entry.path {_LACKING}")

    def deleted(self) -> list[bytes]:
        """What the parent has and the server has no more, the deepest first."""
        return self._paths("SELECT path FROM parent WHERE path NOT IN (SELECT path FROM entry) ORDER BY path DESC")

    def replaced(self) -> list[bytes]:
        """What is of another type than in the parent, or gone: what stands in the way of the new."""
        return self._paths(
            "SELECT parent.path FROM parent LEFT JOIN entry ON entry.path = parent.path "
            "WHERE entry.path IS NULL OR entry.type IS NOT parent.type ORDER BY parent.path DESC"
        )

    def left_over(self) -> list[bytes]:
        """What the volumes hold though the server has it no more: it went between two tries."""
        return self._paths("SELECT path FROM member WHERE path NOT IN (SELECT path FROM entry) ORDER BY path DESC")

    def _one(self, query: str, *values: object) -> tuple[Any, ...]:
        return tuple(self._base.execute(query, values).fetchone())

    def _paths(self, query: str) -> list[bytes]:
        return [row[0] for row in self._base.execute(query)]

    def _write(self, statement: str, rows: Iterable[Sequence[object]], frame: Frame | None = None) -> None:
        try:
            with self._lock:
                self._base.execute("BEGIN")
                self._base.executemany(statement, rows)
                if frame:
                    self._base.execute(_ADD.format("frame", _marks(7)), frame)
                self._base.execute("COMMIT")
        except sqlite3.Error as error:
            raise self._explain(error) from None

    def _explain(self, error: sqlite3.Error) -> Failed:
        return Failed(f"{self._path}: cannot be written: {error}. make room on the disk, or take another")


def _folder_of(path: bytes) -> bytes:
    return path.rpartition(b"/")[0] or b"."


def _marks(count: int) -> str:
    return ",".join("?" * count)
