"""The frames that an agent and this side exchange: size and content, in both directions."""

from __future__ import annotations

import struct
from collections.abc import Callable

Take = Callable[[str, bytes], None]
_HEAD = struct.Struct(">cI")


def pack(*fields: bytes) -> bytes:
    """Given the fields of a request, return its frame."""
    body = b"".join(len(field).to_bytes(4, "big") + field for field in fields)
    return len(body).to_bytes(4, "big") + body


class Unpacker:
    """Given an agent's stream piece by piece, hand its frames, kind and content, to `take`.

    They begin behind a line of `token` and the agent's process id. What comes before is a login shell's greeting.
    """

    def __init__(self, token: bytes, take: Take) -> None:
        self._token = token
        self._take = take
        self._rest = b""
        self.process = ""

    def feed(self, piece: bytes) -> None:
        """Take the next piece. Whatever `take` raises is passed on; the stream stays in order."""
        self._rest += piece
        if not self.process and not self._find_start():
            return
        position = 0
        try:
            while (found := self._frame_at(position)) is not None:
                kind, start, position = found
                self._take(kind, self._rest[start:position])
        finally:
            self._rest = self._rest[position:]

    def _find_start(self) -> bool:
        found = self._rest.find(self._token)
        end = self._rest.find(b"\n", found)
        if found < 0 or end < 0:
            self._rest = self._rest[found:] if found >= 0 else self._rest[-len(self._token) :]
            return False
        self.process = self._rest[found + len(self._token) : end].decode("ascii")
        self._rest = self._rest[end + 1 :]
        return True

    def _frame_at(self, position: int) -> tuple[str, int, int] | None:
        """Return kind, start and end of the frame that begins there; None while it is not whole."""
        start = position + _HEAD.size
        if len(self._rest) < start:
            return None
        kind, size = _HEAD.unpack_from(self._rest, position)
        return (kind.decode("latin-1"), start, start + size) if len(self._rest) >= start + size else None
