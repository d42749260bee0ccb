"""Messages between this machine and a worker over one connection.

A message is a head (JSON) that may have content: bytes, or a file of any size. The content goes ahead of its head in
pieces, so that other messages pass between them, and is held against its SHA-256 when it is whole. Heads without
anything in them are beats: they only tell that the other side is there.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import struct
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from io import BytesIO
from itertools import count
from pathlib import Path
from typing import Any, BinaryIO, Generic, NamedTuple, TypeVar, cast

from runner.record.evidence import LARGEST_EVIDENCE

BEAT = 3.0  # seconds
GATHERING = 0.005  # seconds that what other threads post is gathered, to go out at once
PIECE = 1024 * 1024
LARGEST_HEAD = 64 * 1024 * 1024
LARGEST_BYTES = 64 * 1024 * 1024
_KEPT_IN_MEMORY = 8 * 1024 * 1024
_HEAD, _BYTES, _FILE = 0, 1, 2
_LARGEST = {_BYTES: LARGEST_BYTES, _FILE: LARGEST_EVIDENCE}
_FRAME = struct.Struct(">BII")  # kind, number of the content, length

Content = bytes | Path
Item = TypeVar("Item")


class Broken(Exception):
    """The other side is gone, silent, or does not speak as agreed."""


class Message(NamedTuple):
    """What arrived: its head, and its content, at the beginning, where there is some."""

    head: Mapping[str, Any]
    content: BinaryIO | None = None


@dataclass(slots=True)
class _Tray:
    """Content that is arriving. What came as bytes may hold secrets, and never touches the disk."""

    kind: int
    file: BinaryIO
    digest: Any = field(default_factory=hashlib.sha256)
    size: int = 0

    @classmethod
    def of(cls, kind: int) -> _Tray:
        if kind == _BYTES:
            return cls(kind, BytesIO())
        return cls(kind, cast(BinaryIO, tempfile.SpooledTemporaryFile(_KEPT_IN_MEMORY)))  # closed by whoever takes it

    def add(self, piece: bytes) -> None:
        self.size += len(piece)
        if self.size > _LARGEST[self.kind]:
            raise Broken(f"it sent more than {_LARGEST[self.kind]} bytes at once")
        self.digest.update(piece)
        self.file.write(piece)


def pack(head: Mapping[str, Any]) -> bytes:
    """Given a head without content, return it as it is sent; in any thread. Raise ValueError or TypeError where it
    cannot be."""
    data = _pack_head(head)
    return _FRAME.pack(_HEAD, 0, len(data)) + data


def _pack_head(head: Mapping[str, Any]) -> bytes:
    data = json.dumps(head, allow_nan=False).encode()
    if len(data) > LARGEST_HEAD:
        raise ValueError(f"a message of {len(data)} bytes is too large")
    return data


class Gatherer(Generic[Item]):
    """Takes things from other threads to that of an event loop, many at a time: waking it costs more than most of them.

    `take` gets in the loop's thread what was posted within five milliseconds.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, take: Callable[[Sequence[Item]], None]) -> None:
        self._loop = loop
        self._take = take
        self._lock = threading.Lock()
        self._posted: list[Item] = []

    def post(self, item: Item) -> None:
        """Hand one over, in any thread. Raise RuntimeError where the loop has ended."""
        with self._lock:
            self._posted.append(item)
            first = len(self._posted) == 1
        if first:
            self._loop.call_soon_threadsafe(self._loop.call_later, GATHERING, self._deliver)

    def _deliver(self) -> None:
        with self._lock:
            posted, self._posted = self._posted, []
        self._take(posted)


class Channel:
    """One end of a connection. To be used in the thread of its event loop."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._numbers = count(1)
        self._trays: dict[int, _Tray] = {}
        self._arrived = bytearray()

    async def send(self, head: Mapping[str, Any], content: Content | None = None) -> None:
        """Send a message. Raise Broken where that cannot be, OSError where a file cannot be read."""
        if content is not None:
            head = {**head, **await self._send_content(content)}
        await self._send_frame(_HEAD, 0, _pack_head(head))

    def put(self, messages: Sequence[bytes]) -> None:
        """Send messages that `pack` made, and do not wait until they are gone: who is lost is told to who receives."""
        with suppress(OSError, RuntimeError):
            self._writer.write(b"".join(messages))

    async def receive(self, silence: float, *, largest: int = LARGEST_HEAD) -> Message:
        """Return the next message. Raise Broken when nothing at all came for `silence` seconds, or nonsense did."""
        try:
            while True:
                while (frame := self._next_frame(largest)) is None:
                    async with asyncio.timeout(silence):
                        data = await self._reader.read(PIECE)
                    if not data:
                        raise EOFError("it closed the connection")
                    self._arrived += data
                kind, number, content = frame
                if kind == _HEAD:
                    return self._open(json.loads(content))
                if number not in self._trays:
                    self._trays[number] = _Tray.of(kind)
                self._trays[number].add(content)
        except TimeoutError:
            raise Broken(f"nothing was heard of it for {silence:g} s") from None
        except (OSError, EOFError, ValueError) as error:
            raise Broken(str(error) or type(error).__name__) from error

    def _next_frame(self, largest: int) -> tuple[int, int, bytes] | None:
        """The next of what has arrived: kind, number of the content, data. None where it is not there as a whole."""
        if len(self._arrived) < _FRAME.size:
            return None
        kind, number, size = _FRAME.unpack_from(self._arrived)
        if size > (largest if kind == _HEAD else PIECE) or kind not in (_HEAD, _BYTES, _FILE):
            raise Broken("it does not speak as agreed")
        end = _FRAME.size + size
        if len(self._arrived) < end:
            return None
        data = bytes(self._arrived[_FRAME.size : end])
        del self._arrived[:end]
        return kind, number, data

    async def beat(self, seconds: float) -> None:
        """Tell the other side so often that this one is there, until cancelled, or until it is gone itself."""
        with suppress(Broken):
            while True:
                await self.send({})
                await asyncio.sleep(seconds)

    def close(self) -> None:
        """Let go of the connection and of what had arrived in part."""
        self._writer.close()
        for tray in self._trays.values():
            tray.file.close()
        self._trays.clear()

    async def _send_content(self, content: Content) -> dict[str, Any]:
        number, digest, size = next(self._numbers), hashlib.sha256(), 0
        kind = _BYTES if isinstance(content, bytes) else _FILE
        with BytesIO(content) if isinstance(content, bytes) else content.open("rb") as source:
            while piece := source.read(PIECE):
                digest.update(piece)
                size += len(piece)
                await self._send_frame(kind, number, piece)
        if not size:
            await self._send_frame(kind, number, b"")
        return {"content": number, "sha256": digest.hexdigest(), "size": size}

    async def _send_frame(self, kind: int, number: int, data: bytes) -> None:
        try:
            self._writer.write(_FRAME.pack(kind, number, len(data)) + data)
            await self._writer.drain()
        except (OSError, RuntimeError) as error:
            raise Broken(str(error)) from error

    def _open(self, head: Any) -> Message:
        if not isinstance(head, dict):
            raise Broken("it does not speak as agreed")
        if "content" not in head:
            return Message(head)
        tray = self._trays.pop(head["content"], None)
        if tray is None or (tray.digest.hexdigest(), tray.size) != (head["sha256"], head["size"]):
            raise Broken("what arrived is not what was sent")
        tray.file.seek(0)
        return Message(head, tray.file)
