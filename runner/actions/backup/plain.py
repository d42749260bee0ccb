"""The plain content of a stored part, be it whole or a difference from one in an earlier set."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from runner.actions.backup.content import Readable
from runner.actions.backup.delta import SpoiltDelta, read_delta
from runner.actions.backup.stream import unpacked
from runner.actions.backup.verdict import incomplete
from runner.durations import Deadline


@contextmanager
def plain_content(
    path: Path, part: Mapping[str, Any], sets: Path, deadline: Deadline, keys: Sequence[Any] = ()
) -> Iterator[Readable]:
    """Given where a part lies, the folder of its target's sets, and keys where it is encrypted, give its plain content.

    Raise NotAccepted where it, or the part that it is a delta of, cannot be read or is another one; OSError, TimeUp.
    """
    origin = part.get("delta_of")
    with unpacked(path, part["compression"], deadline, keys) as stored:
        if not origin:
            yield stored
            return
        with unpacked(sets / origin["set"] / origin["file"], "zstd", deadline) as plain:
            base = Hashed(plain)
            pieces = _Pieces(read_delta(base, stored))
            try:
                yield pieces
            except SpoiltDelta as error:
                raise _spoilt(path, "selisihnya tidak dapat dibaca", str(error)) from None
            if pieces.ended and base.sha256 != origin["content_sha256"]:
                needed = f"{origin['set']}/{origin['file']}"
                raise _spoilt(path, f"{needed} sudah lain isinya", f"{needed}, which it needs, is another one now")


def _spoilt(path: Path, indonesian: str, english: str) -> Exception:
    return incomplete(
        f"Berkas backup {path.name} tidak dapat dipakai: {indonesian}.", f"{path}: {english}. restore from another set"
    )


class Hashed:
    """Passes a stream on and hashes it."""

    def __init__(self, stream: Readable) -> None:
        self._stream = stream
        self._hash = hashlib.sha256()

    def read(self, size: int) -> bytes:
        """Return up to `size` bytes."""
        data = self._stream.read(size)
        self._hash.update(data)
        return data

    @property
    def sha256(self) -> str:
        """SHA-256 (hex) of what was read."""
        return self._hash.hexdigest()


class _Pieces:
    """Pieces, read as one stream."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = memoryview(b"")
        self.ended = False

    def read(self, size: int) -> bytes:
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                self.ended = True
                return b""
            self._rest = memoryview(piece)
        data, self._rest = self._rest[:size], self._rest[size:]
        return bytes(data)
