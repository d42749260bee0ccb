"""What a dump or a database file holds, read once from beginning to end; nothing is kept but counts and names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

PIECE = 1024 * 1024
END_OF_DUMP = b"-- Dump completed"
SQLITE_HEADER = b"SQLite format 3\0"
_LONGEST_MARK = 1024  # a name has at most 64 characters of up to 4 bytes
_TABLE = b"\n-- Table structure for table `"  # CREATE TABLE may also stand in a routine
_ROWS = b"\nINSERT INTO `"
_VIEW = b"\n/*!50001 VIEW `"


class Readable(Protocol):
    """Anything that gives bytes."""

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes, none at the end."""


@dataclass(frozen=True, slots=True)
class SqlContent:
    """A dump: its bytes, its tables, those with rows, its views, and whether its end mark is there."""

    size: int
    tables: frozenset[str]
    filled: frozenset[str]
    views: frozenset[str]
    complete: bool


@dataclass(frozen=True, slots=True)
class SqliteContent:
    """A database file: its bytes, and whether they are as many as its own header says."""

    size: int
    complete: bool


def inspect_sql(stream: Readable) -> SqlContent:
    """Given a dump of mariadb-dump or mysqldump, return its content."""
    found: dict[bytes, set[bytes]] = {_TABLE: set(), _ROWS: set(), _VIEW: set()}
    size, text = 0, b"\n"
    while piece := stream.read(PIECE):
        size += len(piece)
        text = text[-_LONGEST_MARK:] + piece
        for mark, names in found.items():
            _find_names(text, mark, names)
    complete = text.rstrip().rpartition(b"\n")[2].startswith(END_OF_DUMP)
    tables, filled, views = (frozenset(map(_name, names)) for names in found.values())
    return SqlContent(size, tables, filled, views, complete)


def inspect_sqlite(stream: Readable) -> SqliteContent:
    """Given an SQLite database file, return its content."""
    head, size = b"", 0
    while piece := stream.read(PIECE):
        head = (head + piece)[:100] if len(head) < 100 else head
        size += len(piece)
    page = int.from_bytes(head[16:18], "big")
    expected = (65536 if page == 1 else page) * int.from_bytes(head[28:32], "big")
    return SqliteContent(size, head.startswith(SQLITE_HEADER) and size == expected)


def _find_names(text: bytes, mark: bytes, names: set[bytes]) -> None:
    at = text.find(mark)
    while at >= 0:
        start = at + len(mark)
        name = _quoted(text, start)
        if name is not None:
            names.add(name)
        at = text.find(mark, start)


def _quoted(text: bytes, start: int) -> bytes | None:
    """The name up to its closing backtick; None where the text ends first, then the next piece has it whole."""
    end = text.find(b"`", start)
    while end >= 0 and text[end + 1 : end + 2] == b"`":
        end = text.find(b"`", end + 2)
    return None if end < 0 or end + 1 >= len(text) else text[start:end]


def _name(quoted: bytes) -> str:
    return quoted.replace(b"``", b"`").decode("utf-8", "replace")
