"""A server's files over SFTP (protocol 3), many requests under way at a time."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from posixpath import dirname

from runner.actions.backup import sftp
from runner.actions.backup.content import PIECE
from runner.actions.backup.listing import FOLDER, Listed
from runner.actions.backup.set_files import Entry, shown
from runner.actions.backup.sftp import Answer, Conversing, Job, Request, Sftp, text
from runner.actions.backup.sftp_way import AT_A_TIME, join_name, listed_as
from runner.actions.restore.far import PRIVATE, Pair, Small, join
from runner.contract import Connection
from runner.durations import Deadline
from runner.errors import Failed

_SIZE, _MODE, _TIMES = 1, 4, 8
_NEW = struct.pack(">III", 0x02 | 0x08 | 0x20, _MODE, 0o600)  # write, create, only where nothing has the name
_FOLDER = struct.pack(">II", _MODE, PRIVATE)
_LATEST = 0xFFFFFFFF
_UNKNOWN = 8


class SftpFar:
    """SFTP over a connection; see far.Far."""

    note = (
        "over SFTP: times are in whole seconds, hard links become files of their own; owners, and times of links, are "
        "not set"
    )

    def __init__(self, connection: Connection, deadline: Deadline) -> None:
        assert isinstance(connection, Conversing)
        self._connection = connection
        self._deadline = deadline
        self._talk: Sftp | None = None

    def cannot(self, entry: Entry) -> bool:
        """Everything can be made."""
        return False

    def find_root(self, path: bytes) -> bytes:
        """The real path of a folder."""
        real = self._real(path + b"/.")
        if real is not None:
            return real
        above = self._real(dirname(path.rstrip(b"/")) or b".")
        if above is None:
            raise Failed(f"{shown(path)}: the folder above it is not there. make it, or name another root")
        return join(above, path.rstrip(b"/").rpartition(b"/")[2])

    def look(self, paths: Sequence[bytes]) -> list[Listed | None]:
        """What stands under these names."""
        answers = self._ask([Request(sftp.LSTAT, text(path)) for path in paths])
        return [_found(path, answer) for path, answer in zip(paths, answers, strict=True)]

    def list_folders(self, paths: Sequence[bytes]) -> list[Listed]:
        """What is in these folders."""
        found: list[Listed] = []
        self._perform([_list(path, found) for path in paths])
        return found

    def make_folders(self, paths: Sequence[bytes]) -> None:
        """Make private folders."""
        self._do(paths, [Request(sftp.MKDIR, text(path) + _FOLDER) for path in paths])

    def write_files(self, files: Sequence[Small]) -> None:
        """Write new files."""
        self._perform([_write(file) for file in files])

    @contextmanager
    def writing(self, path: bytes) -> Iterator[_SftpWriter]:
        """Write a new file piece by piece."""
        yield _SftpWriter(self, path)

    def make_links(self, links: Sequence[Pair]) -> None:
        """Make links; OpenSSH takes where they lead first, unlike the draft of the protocol."""
        self._do([path for path, _ in links], [Request(sftp.SYMLINK, text(to) + text(path)) for path, to in links])

    def set_facts(self, facts: Sequence[tuple[bytes, int, int]]) -> None:
        """Set mode and time."""
        requests = [Request(sftp.SETSTAT, text(path) + _attributes(mode, mtime)) for path, mode, mtime in facts]
        self._do([path for path, _, _ in facts], requests)

    def read_files(self, paths: Sequence[bytes], sizes: Sequence[int]) -> list[bytes]:
        """The content of small files."""
        contents: dict[bytes, bytes] = {}
        self._perform([_read(path, size, contents) for path, size in zip(paths, sizes, strict=True)])
        return [contents[path] for path in paths]

    def read_pieces(self, path: bytes) -> Iterator[bytes]:
        """The content of a file."""
        (opened,) = self._ask([sftp.open_file(path)])
        handle, at = handle_of(path, opened), 0
        while True:
            reads = [sftp.read_piece(handle, at + start, sftp.PIECE) for start in range(0, PIECE, sftp.PIECE)]
            pieces = [piece_of(path, answer) for answer in self._ask(reads)]
            full = next((n for n, piece in enumerate(pieces) if len(piece) < sftp.PIECE), len(pieces))
            data = b"".join(pieces[: full + 1])  # behind a short one, the next does not follow on it
            if not data:
                break
            yield data
            at += len(data)
        self._ask([Request(sftp.CLOSE, text(handle))])

    def rename(self, pairs: Sequence[Pair]) -> None:
        """Rename to free names."""
        self._do([old for old, _ in pairs], [Request(sftp.RENAME, text(old) + text(new)) for old, new in pairs])

    def keep(self, pairs: Sequence[Pair]) -> None:
        """A second name, where the server knows hard links; else another name."""
        self._extended(b"hardlink@openssh.com", pairs)

    def replace(self, pairs: Sequence[Pair]) -> None:
        """Rename over what is there."""
        self._extended(b"posix-rename@openssh.com", pairs)

    def remove(self, paths: Sequence[bytes]) -> None:
        """Remove files and links."""
        self._do(paths, [Request(sftp.REMOVE, text(path)) for path in paths])

    def remove_folders(self, paths: Sequence[bytes]) -> None:
        """Remove empty folders."""
        self._do(paths, [Request(sftp.RMDIR, text(path)) for path in paths])

    def free(self, folder: bytes) -> int | None:
        """What the server tells of its disk (statvfs@openssh.com)."""
        (answer,) = self._ask([Request(sftp.EXTENDED, text(b"statvfs@openssh.com") + text(folder))])
        if answer.kind != sftp.EXTENDED_REPLY or len(answer.body) < 40:
            return None
        _, block, _, _, available = struct.unpack_from(">5Q", answer.body)
        return int(block * available)

    def close(self) -> None:
        """The connection is closed by who opened it."""

    def do(self, path: bytes, requests: Sequence[Request]) -> None:
        """Have one file's requests done. Raise Failed."""
        self._do([path] * len(requests), requests)

    def open_new(self, path: bytes) -> bytes:
        """Open a new file to write it; return its handle."""
        (answer,) = self._ask([Request(sftp.OPEN, text(path) + _NEW)])
        return handle_of(path, answer)

    def _real(self, path: bytes) -> bytes | None:
        (answer,) = self._ask([Request(sftp.REALPATH, text(path))])
        if answer.kind != sftp.NAME:
            return None
        real = next(sftp.parse_names(answer.body))[0]
        (found,) = self.look([real])
        return real if found and found.type == FOLDER else None

    def _extended(self, name: bytes, pairs: Sequence[Pair]) -> None:
        answers = self._ask([Request(sftp.EXTENDED, text(name) + text(old) + text(new)) for old, new in pairs])
        unknown = [pair for pair, answer in zip(pairs, answers, strict=True) if answer.code == _UNKNOWN]
        for (old, _), answer in zip(pairs, answers, strict=True):
            if answer.code != _UNKNOWN:
                check(old, answer)
        self.rename(unknown)

    def _do(self, paths: Sequence[bytes], requests: Sequence[Request]) -> None:
        for path, answer in zip(paths, self._ask(requests), strict=True):
            check(path, answer)

    def _ask(self, requests: Sequence[Request]) -> list[Answer]:
        answers: list[list[Answer]] = []

        def job(some: Sequence[Request]) -> Job:
            answers.append(list((yield some)))

        for start in range(0, len(requests), AT_A_TIME):
            self._perform([job(requests[start : start + AT_A_TIME])])
        return list(chain.from_iterable(answers))

    def _perform(self, jobs: Sequence[Job]) -> None:
        """Carry jobs out; after a failure answers may still be on their way, so the talk is begun anew."""
        talk = self._talk or Sftp(self._connection.converse("sftp", self._deadline), self._deadline)
        self._talk = None
        talk.perform(iter(jobs), AT_A_TIME)
        self._talk = talk


class _SftpWriter:
    """A file that is written piece by piece; its holes stay holes."""

    def __init__(self, far: SftpFar, path: bytes) -> None:
        self._far, self._path, self._handle = far, path, far.open_new(path)

    def write(self, at: int, data: bytes) -> None:
        """Write data there."""
        self._far.do(self._path, _writes(self._handle, at, data))

    def finish(self, size: int) -> None:
        """Give it its size."""
        attributes = struct.pack(">IQ", _SIZE, size)
        close = Request(sftp.CLOSE, text(self._handle))
        self._far.do(self._path, [Request(sftp.FSETSTAT, text(self._handle) + attributes), close])


def handle_of(path: bytes, answer: Answer) -> bytes:
    """Given the answer to opening a file, return its handle. Raise Failed."""
    if answer.kind != sftp.HANDLE:
        raise _refused(path, answer)
    return answer.text


def piece_of(path: bytes, answer: Answer) -> bytes:
    """Given the answer to reading, return the data, none behind the end. Raise Failed."""
    if answer.kind != sftp.DATA and answer.code != sftp.END:
        raise _refused(path, answer)
    return answer.text if answer.kind == sftp.DATA else b""


def check(path: bytes, answer: Answer) -> None:
    """Raise Failed where the server did not do it."""
    if answer.kind != sftp.STATUS or answer.code:
        raise _refused(path, answer)


def _list(path: bytes, found: list[Listed]) -> Job:
    (answer,) = yield [Request(sftp.OPENDIR, text(path))]
    handle = text(handle_of(path, answer))
    while True:
        (answer,) = yield [Request(sftp.READDIR, handle)]
        if answer.kind != sftp.NAME:
            break
        names = sftp.parse_names(answer.body)
        found += [listed_as(join_name(path, name), facts) for name, facts in names if name not in (b".", b"..")]
    if answer.code != sftp.END:
        raise _refused(path, answer)
    yield [Request(sftp.CLOSE, handle)]


def _write(file: Small) -> Job:
    (answer,) = yield [Request(sftp.OPEN, text(file.path) + _NEW)]
    handle = handle_of(file.path, answer)
    facts = Request(sftp.FSETSTAT, text(handle) + _attributes(file.mode, file.mtime_ns))
    for each in (yield [*_writes(handle, 0, file.content), facts, Request(sftp.CLOSE, text(handle))]):
        check(file.path, each)


def _read(path: bytes, size: int, contents: dict[bytes, bytes]) -> Job:
    (answer,) = yield [sftp.open_file(path)]
    handle = handle_of(path, answer)
    reads = [sftp.read_piece(handle, at, sftp.PIECE) for at in range(0, size + 1, sftp.PIECE)]
    *answers, _ = yield [*reads, Request(sftp.CLOSE, text(handle))]
    contents[path] = b"".join(piece_of(path, each) for each in answers)


def _writes(handle: bytes, at: int, data: bytes) -> list[Request]:
    starts = range(0, len(data), sftp.PIECE)
    pieces = [struct.pack(">Q", at + start) + text(data[start : start + sftp.PIECE]) for start in starts]
    return [Request(sftp.WRITE, text(handle) + piece) for piece in pieces]


def _attributes(mode: int, mtime_ns: int) -> bytes:
    seconds = min(max(mtime_ns // 10**9, 0), _LATEST)
    return struct.pack(">IIII", _MODE | _TIMES, mode & 0o7777, seconds, seconds)


def _found(path: bytes, answer: Answer) -> Listed | None:
    if answer.kind == sftp.ATTRIBUTES:
        return listed_as(path, sftp.parse_attributes(answer.body)[0])
    if answer.code == sftp.NO_SUCH_FILE:
        return None
    raise _refused(path, answer)


def _refused(path: bytes, answer: Answer) -> Failed:
    why = answer.complaint if answer.kind == sftp.STATUS else "an answer that makes no sense"
    return Failed(f"'{shown(path)}': the server says: {why}. look at its disk, its quota and the account's rights")
