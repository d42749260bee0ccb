"""The hash of a sparse file's whole content, from the pieces that an archive holds of it (GNU's form 1.0 of pax)."""

from __future__ import annotations

import hashlib
from typing import Protocol

from runner.actions.backup.members import BLOCK, Member, NoArchive

_ZEROS = memoryview(bytes(1024 * 1024))


class ContentHash(Protocol):
    """Takes a member's data, and hashes its file's content."""

    def update(self, data: memoryview, /) -> None:
        """Take the next bytes."""

    def hexdigest(self) -> str:
        """The hash of the file as it is restored."""


class SparseHash:
    """Takes the member's data: a map (decimal lines: how many pieces, offset and size of each), then the pieces."""

    def __init__(self, size: int) -> None:
        self._hash = hashlib.sha256()
        self._size = size
        self._map = b""
        self._pieces: list[tuple[int, int]] | None = None
        self._at = 0

    def update(self, data: memoryview) -> None:
        """Take the next bytes."""
        if self._pieces is None:
            self._map += data
            found = read_map(self._map)
            if found is None:
                return
            self._pieces, self._map = found
            data = memoryview(self._map)
        while data and self._pieces:
            start, length = self._pieces[0]
            self._fill(start)
            part = data[: start + length - self._at]
            self._hash.update(part)
            self._at += len(part)
            data = data[len(part) :]
            if self._at == start + length:
                self._pieces.pop(0)

    def hexdigest(self) -> str:
        """The hash of the file as it is restored."""
        self._fill(self._size)
        return self._hash.hexdigest()

    def _fill(self, until: int) -> None:
        """What no piece holds is zeros."""
        while self._at < until:
            part = _ZEROS[: until - self._at]
            self._hash.update(part)
            self._at += len(part)


def hash_of(member: Member) -> ContentHash:
    """Given a member, return what hashes its file's content."""
    return SparseHash(member.size) if member.sparse else hashlib.sha256()


def read_map(data: bytes) -> tuple[list[tuple[int, int]], bytes] | None:
    """Given the beginning of a sparse member's data, return offset and size of each piece, and the data behind the map;
    None where the map has not come whole. Raise Failed where it is spoilt."""
    lines = data.split(b"\n")
    try:
        count = int(lines[0]) if len(lines) > 1 else -1
        if count < 0 or len(lines) < 2 * count + 2:
            return None
        numbers = [int(line) for line in lines[1 : 2 * count + 1]]
    except ValueError:
        raise NoArchive("the archive's map of a sparse file is spoilt. try again") from None
    length = sum(len(line) + 1 for line in lines[: 2 * count + 1])
    if len(data) < length + -length % BLOCK:
        return None
    pieces = [pair for pair in zip(numbers[::2], numbers[1::2], strict=True) if pair[1]]
    return pieces, data[length + -length % BLOCK :]
