"""A server's answer to `asking`, cut into the pieces of files that it holds. Nothing in it is believed: sizes have
ends, and who writes into a log cannot write an end mark."""

from __future__ import annotations

import mmap
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from runner.actions.logs.unpacking import unpack
from runner.errors import Failed

BROKEN_OFF = "the server's answer ends too early: the connection or a program broke off. try again"
NOTHING = "the server's answer is empty: no script can run there. see the account's shell"

_SENT = (b"rest", b"whole", b"packed")
_HEADER = re.compile(
    rb"(same|rest|whole|packed|old|short|later|closed|missing)"
    rb" (\d{1,18}) (-?\d{1,18}) (\S{1,80}) (\S{1,80}) (\S{1,80}) (\d{1,18}) (\d{1,18}) (\d{1,18}) (\d{1,6})\n"
)
_LONGEST_HEADER = 500


class Piece(NamedTuple):
    """What the server says of a file, and the bytes that it sent of it, from `start` on.

    `state`: "same" nothing new, "rest" from where it was read, "whole" all of it, "packed" all of it as it lies there,
    "old" from before the first time, "short" less than was read of it, "later" beyond the cap, "closed" not readable,
    "missing". `size` and `time` (epoch seconds) are of the file; `length` what it set out to send of the `meant`
    bytes.
    """

    state: str
    path: str
    size: int
    time: int
    identity: str
    raw: str
    head: str
    start: int
    length: int
    meant: int
    content: bytes

    @property
    def cut(self) -> bool:
        """Whether the cap ended it before the file did."""
        return self.length < self.meant


def read_answer(wire: Path, nonce: str, limit: int) -> list[Piece]:
    """Given the file of an answer, return its pieces; `limit` bounds it, unpacked, in bytes.

    Raise Failed when it is cut off, larger, or not of this form.
    """
    plain = wire.with_suffix(".plain")
    with plain.open("w+b") as target:
        unpacked = unpack(wire, target, limit)
        target.flush()
        if unpacked.size >= limit:
            raise Failed(f"the server's answer is larger than {limit} bytes unpacked. see what writes into the log")
        if not unpacked.size:
            raise Failed(BROKEN_OFF if wire.stat().st_size else NOTHING)
        with mmap.mmap(target.fileno(), 0, access=mmap.ACCESS_READ) as text:
            pieces = list(_cut(text, nonce.encode()))
    plain.unlink()
    return pieces


def _cut(text: mmap.mmap, nonce: bytes) -> Iterator[Piece]:
    """Yield the pieces; of a login script's words before the first nonce nothing is read."""
    at = text.find(nonce)
    while at >= 0:
        at += len(nonce) + 1
        if text[at : at + 5] == b"done\n":
            return
        header = _HEADER.match(text[at : at + _LONGEST_HEADER])
        if header is None:
            break
        named = at + header.end()
        begin = named + int(header[10]) + 1
        stop = text.find(b"\n" + nonce, begin) if header[1] in _SENT else -1
        following = text.find(nonce, begin)
        if 0 <= stop < following and text[stop + len(nonce) + 2 : stop + len(nonce) + 6] == b"end\n":
            yield _piece(header, text[named : begin - 1], text[begin:stop])
            following = text.find(nonce, stop + len(nonce) + 2)
        else:
            yield _piece(header, text[named : begin - 1], b"")
        at = following
    raise Failed(BROKEN_OFF)


def _piece(header: re.Match[bytes], path: bytes, content: bytes) -> Piece:
    words = [word.decode("ascii", "replace") for word in header.groups()]
    return Piece(
        state=words[0],
        path=path.decode("utf-8", "surrogateescape"),
        size=int(words[1]),
        time=int(words[2]),
        identity=words[3],
        raw=words[4],
        head=words[5],
        start=int(words[6]),
        length=int(words[7]),
        meant=int(words[8]),
        content=content,
    )
