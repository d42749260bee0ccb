"""Talk over SFTP (protocol 3) with many requests under way, so that a file costs no round trip of its own."""

from __future__ import annotations

import struct
from collections.abc import Generator, Iterator, Sequence
from typing import NamedTuple, Protocol, runtime_checkable

from runner.durations import Deadline
from runner.errors import Failed

PIECE = 32 * 1024
INIT, OPEN, CLOSE, READ, LSTAT, FSTAT, OPENDIR, READDIR, READLINK = 1, 3, 4, 5, 7, 8, 11, 12, 19
WRITE, SETSTAT, FSETSTAT, REMOVE, MKDIR, RMDIR, REALPATH, RENAME, SYMLINK, EXTENDED = (
    6,
    9,
    10,
    13,
    14,
    15,
    16,
    18,
    20,
    200,
)
STATUS, HANDLE, DATA, NAME, ATTRIBUTES, EXTENDED_REPLY = 101, 102, 103, 104, 105, 201
END, NO_SUCH_FILE = 1, 2
LARGEST_ANSWER = 4 * 1024 * 1024
_VERSION = 3
_READING = struct.pack(">II", 1, 0)


class Conversation(Protocol):
    """Two-way talk with a subsystem of a server, in bytes."""

    def send(self, data: bytes, deadline: Deadline) -> None:
        """Send all of the data. Raise Unreachable or TimeUp."""

    def receive(self, deadline: Deadline) -> bytes:
        """Return what comes next, at least one byte. Raise Unreachable when the other side has ended it, or TimeUp."""


@runtime_checkable
class Conversing(Protocol):
    """A connection that can also talk with a server's subsystems, as SSH can."""

    def converse(self, subsystem: str, deadline: Deadline) -> Conversation:
        """Begin to talk with a subsystem ("sftp"). Raise Failed when the server has none, Unreachable."""


class Attributes(NamedTuple):
    """What SFTP tells of an entry; time in whole seconds."""

    size: int = 0
    uid: int = 0
    gid: int = 0
    mode: int = 0
    mtime: int = 0


class Request(NamedTuple):
    """What is asked of the server: a kind, and what stands behind the number of the request."""

    kind: int
    body: bytes


class Answer(NamedTuple):
    """What the server answers: a kind, and what stands behind the number of the request."""

    kind: int
    body: bytes

    @property
    def code(self) -> int:
        """The code of a status; 0 means well."""
        return int.from_bytes(self.body[:4], "big") if self.kind == STATUS else 0

    @property
    def text(self) -> bytes:
        """The text that it holds: a handle, or data."""
        return self.body[4 : 4 + int.from_bytes(self.body[:4], "big")]

    @property
    def complaint(self) -> str:
        """What a status says."""
        size = int.from_bytes(self.body[4:8], "big")
        return self.body[8 : 8 + size].decode("utf-8", "replace") or f"status {self.code}"


Job = Generator[Sequence[Request], Sequence[Answer], None]


class Sftp:
    """A server's SFTP. Raise Failed, Unreachable or TimeUp."""

    def __init__(self, conversation: Conversation, deadline: Deadline) -> None:
        self._conversation = conversation
        self._deadline = deadline
        self._rest = b""
        self._number = 0
        self._waiting: dict[int, tuple[_Running, int]] = {}
        self._conversation.send(struct.pack(">IBI", 5, INIT, _VERSION), deadline)
        self._next_packet()

    def perform(self, jobs: Iterator[Job], most: int) -> None:
        """Carry jobs out, at most so many at a time. A job yields requests and is sent their answers."""
        running = 0
        while True:
            requests = bytearray()
            while running < most and (job := next(jobs, None)) is not None:
                running += self._go_on(_Running(job), None, requests)
            if requests:
                self._conversation.send(bytes(requests), self._deadline)
            if not running:
                return
            running -= self._take_answers()

    def _take_answers(self) -> int:
        """Take what has come, and let jobs go on; return how many ended."""
        ended, requests = 0, bytearray()
        for packet in self._packets():
            number = int.from_bytes(packet[1:5], "big")
            if number not in self._waiting:
                raise Failed("the server's SFTP answers what was not asked. try again")
            running, place = self._waiting.pop(number)
            running.answers[place] = Answer(packet[0], packet[5:])
            running.left -= 1
            if not running.left:
                ended += 1 - self._go_on(running, running.answers, requests)
        if requests:
            self._conversation.send(bytes(requests), self._deadline)
        return ended

    def _go_on(self, running: _Running, answers: Sequence[Answer] | None, out: bytearray) -> int:
        """Let a job go on to its next requests; return 1 while it runs, 0 once it has ended."""
        try:
            requests = running.job.send(answers) if answers is not None else next(running.job)
        except StopIteration:
            return 0
        running.answers, running.left = [Answer(0, b"")] * len(requests), len(requests)
        for place, request in enumerate(requests):
            self._number = (self._number + 1) & 0xFFFFFFFF
            self._waiting[self._number] = (running, place)
            out += struct.pack(">IBI", 5 + len(request.body), request.kind, self._number) + request.body
        return 1

    def _packets(self) -> Iterator[bytes]:
        """What has come, at least one packet."""
        yield self._next_packet()
        while (packet := self._cut()) is not None:
            yield packet

    def _next_packet(self) -> bytes:
        while (packet := self._cut()) is None:
            self._rest += self._conversation.receive(self._deadline)
        return packet

    def _cut(self) -> bytes | None:
        if len(self._rest) < 4:
            return None
        size = int.from_bytes(self._rest[:4], "big")
        if not 5 <= size <= LARGEST_ANSWER:
            raise Failed("what the server sends is no SFTP. does its login print something?")
        if len(self._rest) < 4 + size:
            return None
        packet, self._rest = self._rest[4 : 4 + size], self._rest[4 + size :]
        return packet


class _Running:
    """A job under way, and the answers that it waits for."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.answers: list[Answer] = []
        self.left = 0


def text(value: bytes) -> bytes:
    """Given bytes, return them as SFTP writes a text."""
    return struct.pack(">I", len(value)) + value


def open_file(path: bytes) -> Request:
    """Return the request that opens a file to read it."""
    return Request(OPEN, text(path) + _READING)


def read_piece(handle: bytes, offset: int, size: int) -> Request:
    """Return the request for a piece of an open file."""
    return Request(READ, text(handle) + struct.pack(">QI", offset, size))


def parse_attributes(body: bytes) -> tuple[Attributes, bytes]:
    """Given attributes and what follows, return both."""
    flags, at = int.from_bytes(body[:4], "big"), 4
    size = uid = gid = mode = mtime = 0
    if flags & 1:
        (size,), at = struct.unpack_from(">Q", body, at), at + 8
    if flags & 2:
        (uid, gid), at = struct.unpack_from(">II", body, at), at + 8
    if flags & 4:
        (mode,), at = struct.unpack_from(">I", body, at), at + 4
    if flags & 8:
        (_, mtime), at = struct.unpack_from(">II", body, at), at + 8
    if flags & 0x80000000:
        (count,), at = struct.unpack_from(">I", body, at), at + 4
        for _ in range(2 * count):
            at += 4 + int.from_bytes(body[at : at + 4], "big")
    return Attributes(size, uid, gid, mode, mtime), body[at:]


def parse_names(body: bytes) -> Iterator[tuple[bytes, Attributes]]:
    """Given an answer of names, give each with its attributes."""
    count, rest = int.from_bytes(body[:4], "big"), body[4:]
    for _ in range(count):
        name, rest = _cut_text(rest)
        _, rest = _cut_text(rest)
        attributes, rest = parse_attributes(rest)
        yield name, attributes


def _cut_text(body: bytes) -> tuple[bytes, bytes]:
    size = int.from_bytes(body[:4], "big")
    return body[4 : 4 + size], body[4 + size :]
