"""Large pieces of memory, used again and again instead of being asked for anew; files read into them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from io import BufferedReader, FileIO
from mmap import PAGESIZE, mmap
from pathlib import Path

from runner.actions.backup.content import PIECE
from runner.durations import Deadline
from runner.errors import TimeUp

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


def forget_cached(path: Path) -> None:
    """Have the next reading of a file come from its disk, where the system can be told so. Raise OSError."""
    with path.open("rb") as file:
        if hasattr(os, "posix_fadvise"):
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _read_into(file: BufferedReader | FileIO, buffer: mmap) -> int:
    return file.readinto(buffer) or 0
