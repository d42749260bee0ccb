"""Large pieces of memory, used again and again instead of being asked for anew; files read into them and written from
them."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from io import BufferedReader, FileIO
from mmap import PAGESIZE, mmap
from pathlib import Path

from runner.actions.backup.content import PIECE
from runner.durations import Deadline
from runner.errors import TimeUp

_ROOM = 4 * 1024 * 1024
_LARGEST_KEPT = 31 * 1024 * 1024  # glibc keeps no more than 32 MiB (mallopt(3), M_MMAP_THRESHOLD)


def keep_freed_memory() -> None:
    """Have the C library keep what is freed, up to 62 MiB, for the next pieces.

    At first it gives each large piece back at once; what comes over a connection is then copied into pages that the
    system has to clear each time, which took half of a backup's time. glibc learns from the largest piece that was
    freed so far (M_MMAP_THRESHOLD in mallopt(3)); this one is never touched, so it takes no memory itself.
    """
    bytes(_LARGEST_KEPT)


def read_pieces(file: BufferedReader | FileIO, deadline: Deadline) -> Iterator[memoryview]:
    """Give what a file holds, piece by piece; the next is read meanwhile. Each is gone when the next is asked for.
    Raise OSError or TimeUp."""
    left = os.fstat(file.fileno()).st_size
    coming_into, given = mmap(-1, PIECE), mmap(-1, PIECE)
    with ThreadPoolExecutor(1, "reading") as reader:
        coming = reader.submit(_read_into, file, coming_into)
        while left > 0 and (size := coming.result()):
            if deadline.passed:
                raise TimeUp("reading the stored files took longer than the task's limit")
            left -= size
            coming_into, given = given, coming_into
            if left > 0:
                coming = reader.submit(_read_into, file, coming_into)
            yield memoryview(given)[:size]


def open_from_disk(path: Path) -> FileIO:
    """Open a file so that what is read of it comes from its disk, where the system can be told so. Raise OSError."""
    if hasattr(os, "O_DIRECT"):
        with suppress(OSError):  # a file system that knows no such reading says so at the first one, if not before
            file = FileIO(os.open(path, os.O_RDONLY | os.O_DIRECT | os.O_CLOEXEC))
            try:
                os.preadv(file.fileno(), [mmap(-1, PAGESIZE)], 0)
            except OSError:
                file.close()
                raise
            return file
    forget_cached(path)
    return path.open("rb", buffering=0)


class Appender:
    """Appends to a file past the system's memory, where the system can: putting a copy there takes longer than packing.

    Whole pages are written as they come, by a thread of its own, `written` bytes of the file so far; the rest when it
    is finished. Raise OSError, also for what was to be written before.
    """

    def __init__(self, path: Path) -> None:
        self._file = _open_to_append(path)
        size = os.fstat(self._file.fileno()).st_size
        self.written = size - size % PAGESIZE
        self._filled, self._spare = mmap(-1, _ROOM), mmap(-1, _ROOM)
        self._file.seek(self.written)
        with memoryview(self._filled) as buffer, buffer[:PAGESIZE] as page:
            self._held = self._file.readinto(page) or 0
        self._writer = ThreadPoolExecutor(1, "writing")
        self._writing: Future[int] | None = None

    def append(self, data: bytes) -> None:
        """Have these bytes written behind those that are there."""
        with memoryview(data) as left:
            while left:
                part = left[: _ROOM - self._held]
                self._filled[self._held : self._held + len(part)] = part
                self._held += len(part)
                left = left[len(part) :]
                self._begin_writing()

    def finish(self) -> None:
        """Write what is still held, and let go of the file."""
        self._wait()
        if self._held:
            _go_through_memory(self._file)
            self.written += self._write(self._filled, self._held, self.written)
            self._held = 0
        self.close()

    def close(self) -> None:
        """Let go of the file, without what is still held."""
        self._writer.shutdown()
        self._file.close()

    def _begin_writing(self) -> None:
        """Have the whole pages written; what is left stands in the other buffer then."""
        self._wait()
        size = self._held - self._held % PAGESIZE
        self._held -= size
        self._spare[: self._held] = self._filled[size : size + self._held]
        self._filled, self._spare = self._spare, self._filled
        self._writing = self._writer.submit(self._write, self._spare, size, self.written)

    def _wait(self) -> None:
        if self._writing:
            writing, self._writing = self._writing, None
            try:
                self.written += writing.result()
            except OSError:
                self._held = 0  # what would have stood behind it
                raise

    def _write(self, buffer: mmap, size: int, at: int) -> int:
        """Write so many bytes of a buffer there; return how many that were."""
        done = 0
        with memoryview(buffer) as content:
            while done < size:
                done += self._put(content[done:size], at + done)
        return size

    def _put(self, piece: memoryview, at: int) -> int:
        try:
            return os.pwrite(self._file.fileno(), piece, at)
        except OSError as error:
            if error.errno != errno.EINVAL:
                raise
        _go_through_memory(self._file)  # a file system that knows no such writing may say so only now
        return os.pwrite(self._file.fileno(), piece, at)


def forget_cached(path: Path) -> None:
    """Have the next reading of a file come from its disk, where the system can be told so. Raise OSError."""
    with path.open("rb") as file:
        if hasattr(os, "posix_fadvise"):
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _read_into(file: BufferedReader | FileIO, buffer: mmap) -> int:
    return file.readinto(buffer) or 0


def _open_to_append(path: Path) -> FileIO:
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
    if hasattr(os, "O_DIRECT"):
        with suppress(OSError):  # a file system that knows no such writing; what else is wrong is said below
            return FileIO(os.open(path, flags | os.O_DIRECT, 0o666), "r+")
    return FileIO(os.open(path, flags, 0o666), "r+")


def _go_through_memory(file: FileIO) -> None:
    """From now on write to the system's memory first, which takes pieces of any size."""
    if hasattr(os, "O_DIRECT"):
        flags = fcntl.fcntl(file.fileno(), fcntl.F_GETFL)
        fcntl.fcntl(file.fileno(), fcntl.F_SETFL, flags & ~os.O_DIRECT)
