"""Copies of sets on another host, over SFTP."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from runner.actions.backup.content import PIECE
from runner.actions.backup.sftp import (
    CLOSE,
    DATA,
    END,
    HANDLE,
    MKDIR,
    NO_SUCH_FILE,
    OPEN,
    RENAME,
    STATUS,
    WRITE,
    Answer,
    Conversing,
    Job,
    Request,
    Sftp,
    open_file,
    read_piece,
    text,
)
from runner.actions.backup.sftp import PIECE as BLOCK
from runner.actions.backup.storage import PARTIAL
from runner.actions.backup.stream import Timed
from runner.contract import Connection
from runner.durations import Deadline
from runner.errors import Failed

_WRITING = struct.pack(">III", 0x02 | 0x08 | 0x10, 0x04, 0o600)  # write, create, truncate; with these permissions
_FOLDER = struct.pack(">II", 0x04, 0o700)
_AT_ONCE = PIECE // BLOCK


class SftpStore:
    """A folder of sets on a host; it is made where its own folder is there. Raise Failed, Unreachable or TimeUp."""

    def __init__(self, connection: Connection, folder: str, deadline: Deadline) -> None:
        if not isinstance(connection, Conversing):
            raise Failed("host: a copy on another host needs an SSH connection. give its address")
        self._sftp = Sftp(connection.converse("sftp", deadline), deadline)
        self._folder = folder.rstrip("/")
        place = ""
        for word in self._folder.split("/"):
            place += f"{word}/"
            if word:
                self._ask(Request(MKDIR, text(place.rstrip("/").encode()) + _FOLDER))  # it may be there

    def room(self) -> None:
        """SFTP does not tell."""

    def write(self, name: str, source: Path, deadline: Deadline) -> None:
        """Write a file into the set of that name."""
        folder = self._path(name + PARTIAL)
        self._ask(Request(MKDIR, text(folder) + _FOLDER))
        with source.open("rb") as file:
            self._sftp.perform(iter([_put(file, folder + b"/" + source.name.encode(), deadline)]), 1)

    def finish(self, name: str, deadline: Deadline) -> None:
        """Give the set its name."""
        names = self._path(name + PARTIAL), self._path(name)
        _check(names[1], [self._ask(Request(RENAME, text(names[0]) + text(names[1])))])

    def read(self, name: str, file: str, deadline: Deadline, *, finished: bool) -> Iterator[bytes] | None:
        """Give a file of a set, as the host sends it back."""
        path = self._path(name if finished else name + PARTIAL) + b"/" + file.encode()
        answer = self._ask(open_file(path))
        if answer.kind == STATUS and answer.code == NO_SUCH_FILE:
            return None
        return self._pieces(path, _handle(path, answer))

    def _pieces(self, path: bytes, handle: bytes) -> Iterator[bytes]:
        offset, ended = 0, False
        while not ended:
            for answer in self._asked([read_piece(handle, offset + n * BLOCK, BLOCK) for n in range(_AT_ONCE)]):
                ended = answer.kind == STATUS and answer.code == END
                if ended:
                    break
                if answer.kind != DATA:
                    raise _refused(path, answer)
                yield answer.text
                offset += len(answer.text)
                if len(answer.text) < BLOCK:  # what was asked for behind it does not follow on it
                    break
        self._ask(Request(CLOSE, text(handle)))

    def _path(self, name: str) -> bytes:
        return f"{self._folder}/{name}".encode()

    def _ask(self, request: Request) -> Answer:
        return self._asked([request])[0]

    def _asked(self, requests: Sequence[Request]) -> Sequence[Answer]:
        answers: list[Answer] = []

        def job() -> Job:
            answers.extend((yield requests))

        self._sftp.perform(iter([job()]), 1)
        return answers


def _put(file: BinaryIO, path: bytes, deadline: Deadline) -> Job:
    """Write a file's content, many pieces under way at a time."""
    (opened,) = yield [Request(OPEN, text(path) + _WRITING)]
    handle = _handle(path, opened)
    timed, offset = Timed(file, deadline), 0
    while piece := timed.read(PIECE):
        blocks = range(0, len(piece), BLOCK)
        at = [struct.pack(">Q", offset + start) + text(piece[start : start + BLOCK]) for start in blocks]
        answers = yield [Request(WRITE, text(handle) + each) for each in at]
        _check(path, answers)
        offset += len(piece)
    _check(path, (yield [Request(CLOSE, text(handle))]))


def _handle(path: bytes, answer: Answer) -> bytes:
    if answer.kind != HANDLE:
        raise _refused(path, answer)
    return answer.text


def _check(path: bytes, answers: Sequence[Answer]) -> None:
    for answer in answers:
        if answer.kind != STATUS or answer.code:
            raise _refused(path, answer)


def _refused(path: bytes, answer: Answer) -> Failed:
    why = answer.complaint if answer.kind == STATUS else "an answer that makes no sense"
    return Failed(f"{path.decode()}: the host says: {why}. check the folder, its disk and the account's rights")
