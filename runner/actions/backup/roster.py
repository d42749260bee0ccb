"""What is to be read of a set, noted in a file: looked up by path, and gone through frame by frame, so that a million
entries take no more memory than a thousand."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from secrets import token_hex
from typing import NamedTuple

from runner.actions.backup.listing import FOLDER
from runner.actions.backup.set_files import Entry
from runner.errors import Failed

_SCHEMA = """
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
CREATE TABLE entry (
    path BLOB PRIMARY KEY, type TEXT, size INTEGER, mtime_ns INTEGER, mode INTEGER, owner TEXT, grp TEXT, link BLOB,
    sha256 TEXT, home TEXT, part TEXT, frame INTEGER, slices TEXT, seen INTEGER DEFAULT 0) WITHOUT ROWID;
"""
_FIELDS = ", ".join(Entry._fields).replace("group", "grp")
_ADD = f"INSERT INTO entry ({_FIELDS}) VALUES ({', '.join('?' * len(Entry._fields))})"  # noqa: S608 - fixed
_ONE = f"SELECT {_FIELDS} FROM entry WHERE path = ?"  # noqa: S608 - fixed
_LEFT = f"SELECT {_FIELDS} FROM entry WHERE seen = 0 ORDER BY path LIMIT ?"  # noqa: S608 - fixed
_THROUGH = """
SELECT below FROM (SELECT (
    SELECT inside.path FROM entry AS inside WHERE inside.path > CAST(entry.path || '/' AS BLOB)
    AND inside.path < CAST(entry.path || '0' AS BLOB) LIMIT 1
) AS below FROM entry WHERE type <> 'folder') WHERE below IS NOT NULL LIMIT 1
"""


class Frame(NamedTuple):
    """A frame that holds something wanted: the set, its file, the offset in that, and how many entries begin in it."""

    home: str
    part: str
    start: int
    entries: int


class Roster:
    """Entries of a set by their path. Close it after use."""

    def __init__(self, folder: Path, entries: Iterable[Entry]) -> None:
        """Given a private folder and entries, note them. Raise Failed for one that is named twice."""
        self._path = folder / f"roster-{token_hex(8)}.sqlite"
        self._base = sqlite3.connect(self._path, isolation_level=None)
        try:
            self._base.executescript(_SCHEMA)
            self._base.execute("BEGIN")
            self._base.executemany(_ADD, entries)
            self._base.execute("CREATE INDEX by_frame ON entry (home, part, frame)")
        except sqlite3.IntegrityError:
            self.close()
            raise Failed("the set's list names one path twice. take another set") from None
        except sqlite3.Error as error:
            raise self._explain(error) from None

    def frames(self, last: str) -> Iterator[Frame]:
        """The frames in the order in which they lie, those of the set `last` behind the others: a hard link may lead to
        a file of its parent. Files in slices are not among them."""
        query = """SELECT home, part, frame, count(*) FROM entry WHERE slices = '' GROUP BY home, part, frame
        ORDER BY home = ?, home, part, frame"""
        return (Frame(*row) for row in self._do(query, (last,)).fetchall())

    def sliced(self) -> list[Entry]:
        """The files whose content lies in slices."""
        query = f"SELECT {_FIELDS} FROM entry WHERE slices <> '' ORDER BY path"  # noqa: S608 - fixed
        return [Entry(*row) for row in self._do(query)]

    def get(self, path: bytes) -> Entry | None:
        """The entry of that path."""
        row = self._do(_ONE, (path,)).fetchone()
        return Entry(*row) if row else None

    def entries_in(self, frame: Frame) -> list[Entry]:
        """The entries that begin in a frame."""
        query = f"SELECT {_FIELDS} FROM entry WHERE home = ? AND part = ? AND frame = ? AND slices = ''"  # noqa: S608
        return [Entry(*row) for row in self._do(query, frame[:3])]

    def mark_seen(self, paths: Iterable[bytes]) -> None:
        """Note that these entries were read."""
        try:
            self._base.executemany("UPDATE entry SET seen = 1 WHERE path = ?", ((path,) for path in paths))
        except sqlite3.Error as error:
            raise self._explain(error) from None

    def forget_seen(self) -> None:
        """As if nothing had been read."""
        self._do("UPDATE entry SET seen = 0")

    def unseen(self, most: int = -1) -> Iterator[Entry]:
        """The entries that were not read, so many at most; all of them by default."""
        return (Entry(*row) for row in self._do(_LEFT, (most,)))

    def totals(self) -> tuple[int, int, int]:
        """How many entries there are, how many of them are no folders, and the bytes of all files."""
        query = "SELECT count(*), count(CASE WHEN type <> ? THEN 1 END), coalesce(sum(size), 0) FROM entry"
        entries, contents, size = self._do(query, (FOLDER,)).fetchone()
        return int(entries), int(contents), int(size)

    def find_through(self) -> bytes | None:
        """A path that could be reached only through a link or a file; None where there is none."""
        row = self._do(_THROUGH).fetchone()
        return bytes(row[0]) if row else None

    def __iter__(self) -> Iterator[Entry]:
        return (Entry(*row) for row in self._do(f"SELECT {_FIELDS} FROM entry ORDER BY path"))  # noqa: S608

    def close(self) -> None:
        """Let go of the file and remove it."""
        self._base.close()
        self._path.unlink(missing_ok=True)

    def _do(self, query: str, values: Sequence[object] = ()) -> sqlite3.Cursor:
        try:
            return self._base.execute(query, values)
        except sqlite3.Error as error:
            raise self._explain(error) from None

    def _explain(self, error: sqlite3.Error) -> Failed:
        self.close()
        return Failed(f"{self._path}: cannot be written: {error}. make room on the disk")
