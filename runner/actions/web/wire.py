"""Bytes from a socket: read under a deadline, unpacked under a bound."""

from __future__ import annotations

import io
import socket
import zlib
from collections.abc import Callable
from typing import Any

from runner.actions.web.faults import Cause, fail
from runner.durations import Deadline

PIECE = 64 * 1024
SLACK = 0.05


def limit_waits(plug: socket.socket, deadline: Deadline) -> None:
    """Let each wait for a socket end with the deadline, or 0.05 s later at most.

    Telling a socket its limit costs a system call and, among many threads, a wait for the interpreter: what it was
    told shortly before still holds.
    """
    left, known = max(0.001, deadline.remaining()), plug.gettimeout()
    if known is None or not left <= known <= left + SLACK:
        plug.settimeout(left)


class Wire:
    """What http.client needs of a socket: a file to read, here under the deadline."""

    def __init__(self, plug: socket.socket, deadline: Deadline) -> None:
        self._plug = plug
        self._deadline = deadline

    def makefile(self, mode: str) -> io.BufferedReader:
        """The file to read the answer from."""
        return io.BufferedReader(_Reader(self._plug, self._deadline), PIECE)


class _Reader(io.RawIOBase):
    """Reads a socket; every read gets only what is left of the deadline."""

    def __init__(self, plug: socket.socket, deadline: Deadline) -> None:
        self._plug = plug
        self._deadline = deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        left = self._deadline.remaining()
        if left <= 0:
            raise TimeoutError
        limit_waits(self._plug, self._deadline)
        return self._plug.recv_into(buffer)


def inflater(encoding: str) -> Callable[[bytes, int], bytes]:
    """Given a content encoding (some servers compress unasked), return what unpacks a piece, at most n bytes of it."""
    name = encoding.strip().lower()
    if name in ("", "identity"):
        return lambda piece, most: piece[: max(1, most)]
    if name not in ("gzip", "x-gzip", "deflate"):
        raise fail(Cause.BROKEN, f"jawaban memakai pengodean {name[:40]!r} yang tidak diminta")
    machine = zlib.decompressobj(47 if "gzip" in name else zlib.MAX_WBITS)
    return lambda piece, most: machine.decompress(machine.unconsumed_tail + piece, max(1, most))
