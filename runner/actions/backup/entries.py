"""Reads an archive's headers as it passes, to count its entries and to see that it is whole.

`tarfile` takes a spoilt header in the middle for the end, and needs five times as long.
"""

from __future__ import annotations

from dataclasses import dataclass

from runner.actions.backup.content import PIECE, Readable

BLOCK = 512
LARGEST_RECORDS = 4 * 1024 * 1024  # of one entry: long names, access lists
_WITHOUT_DATA = frozenset(b"123456")
_PAX = ord("x")
_BELONGS_TO_NEXT = frozenset(b"xgLK")
_ZEROS = bytes(BLOCK)


@dataclass(frozen=True, slots=True)
class TarContent:
    """An archive: its bytes, how many entries, and whether it ends as an archive does (`fault` says why not)."""

    size: int
    entries: int
    complete: bool
    fault: str = ""


def inspect_tar(stream: Readable) -> TarContent:
    """Given an archive, read to its end, return its content."""
    blocks = _Blocks(stream)
    entries, fault = 0, ""
    try:
        while _pass_entry(blocks):
            entries += 1
        if not blocks.rest_is_zero():
            fault = "something follows the end of the archive"
    except _Spoilt as error:
        fault = str(error)
        blocks.rest_is_zero()
    return TarContent(blocks.size, entries, not fault, fault)


class _Spoilt(Exception):
    """This is no archive, or not all of one."""


def _pass_entry(blocks: _Blocks) -> bool:
    """Pass one entry with all headers that belong to it; return False at the end mark. Raise _Spoilt."""
    size: int | None = None
    while (header := blocks.take(BLOCK)) != _ZEROS:
        _check(header)
        kind, length = header[156], _number(header[124:136])
        if kind not in _BELONGS_TO_NEXT:
            blocks.skip(0 if kind in _WITHOUT_DATA else _padded(length if size is None else size))
            return True
        if length > LARGEST_RECORDS:
            raise _Spoilt("a header of the archive is larger than any can be")
        records = blocks.take(_padded(length))[:length]
        size = _size_record(records, size) if kind == _PAX else size
    if blocks.take(BLOCK) != _ZEROS:
        raise _Spoilt("the end of the archive is spoilt")
    return False


def _padded(size: int) -> int:
    return size + -size % BLOCK


def _check(header: bytes) -> None:
    if sum(header) - sum(header[148:156]) + 8 * ord(" ") != _number(header[148:156]):
        raise _Spoilt("a header of the archive is spoilt")


def _number(field: bytes) -> int:
    if field[0] & 0x80:
        return int.from_bytes(field[1:], "big")
    try:
        return int(field.partition(b"\0")[0].strip() or b"0", 8)
    except ValueError:
        raise _Spoilt("a header of the archive is spoilt") from None


def _size_record(records: bytes, size: int | None) -> int | None:
    """What the records of a pax header say of the entry's size: it does not fit the header from 8 GiB on."""
    at = 0
    while at < len(records):
        length, space, _ = records[at : at + 20].partition(b" ")
        if not space or not length.isdigit() or int(length) <= len(length) + 1:
            raise _Spoilt("a header of the archive is spoilt")
        name, _, value = records[at + len(length) + 1 : at + int(length)].partition(b"=")
        if name == b"size" and value.strip().isdigit():
            size = int(value)
        at += int(length)
    return size


class _Blocks:
    """A stream of blocks; `size` is how many bytes of it were read."""

    def __init__(self, stream: Readable) -> None:
        self._stream = stream
        self._piece = b""
        self._at = 0
        self.size = 0

    def take(self, count: int) -> bytes:
        """Return the next bytes. Raise _Spoilt when the stream ends first."""
        while len(self._piece) - self._at < count:
            self._piece = self._piece[self._at :] + self._read()
            self._at = 0
        start = self._at
        self._at += count
        return self._piece[start : self._at]

    def skip(self, count: int) -> None:
        """Pass bytes without keeping them. Raise _Spoilt when the stream ends first."""
        beyond = len(self._piece) - self._at - count
        while beyond < 0:
            self._piece = self._read()
            beyond += len(self._piece)
        self._at = len(self._piece) - beyond

    def rest_is_zero(self) -> bool:
        """Read the stream to its end; return whether nothing but padding was left."""
        clean = not self._piece[self._at :].strip(b"\0")
        while piece := self._stream.read(PIECE):
            self.size += len(piece)
            clean = clean and not piece.strip(b"\0")
        return clean

    def _read(self) -> bytes:
        piece = self._stream.read(PIECE)
        if not piece:
            raise _Spoilt("the archive ends too early")
        self.size += len(piece)
        return piece
