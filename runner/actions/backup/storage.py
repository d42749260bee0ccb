"""Files that exist under their own name only when they are whole."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from runner.errors import Failed

PARTIAL = ".partial"
LOCK = ".lock"
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@dataclass(frozen=True, slots=True)
class Stored:
    """A file that was written to its end: absolute path, SHA-256 (hex) and size in bytes."""

    path: Path
    sha256: str
    bytes: int


class PartFile:
    """A file being written as `*.partial`, hashed on the way; `keep` gives it its name, anything else removes it.

    It is locked while it is written, so that what a killed run left behind can be told from one at work.
    """

    def __init__(self, path: Path) -> None:
        _remove_stale(path)
        self._path = free_name(path)
        self._partial = self._path.with_name(self._path.name + PARTIAL)
        self._hash = hashlib.sha256()
        self._size = 0
        self._file = self._open()

    def write(self, data: bytes) -> None:
        """Append bytes. Raise Failed when the disk takes no more."""
        try:
            self._file.write(data)
        except OSError as error:
            raise self._explain(error) from None
        self._hash.update(data)
        self._size += len(data)

    def keep(self) -> Stored:
        """Put the file on disk for good under its own name. Raise Failed when the disk takes no more."""
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._partial.rename(self._path)
            sync_folder(self._path.parent)
        except OSError as error:
            raise self._explain(error) from None
        return Stored(self._path, self._hash.hexdigest(), self._size)

    def __enter__(self) -> PartFile:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with suppress(OSError):  # what is still in the buffer of a full disk
            self._file.close()
        self._partial.unlink(missing_ok=True)

    def _open(self) -> BinaryIO:
        while True:
            try:
                descriptor = os.open(self._partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            except OSError as error:
                raise self._explain(error) from None
            with suppress(OSError):  # a disk without locks: its stale files stay
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            if os.fstat(descriptor).st_nlink:  # else another run took it for stale before the lock
                return os.fdopen(descriptor, "wb")
            os.close(descriptor)

    def _explain(self, error: OSError) -> Failed:
        if error.errno in FULL:
            return Failed(f"{self._path.parent}: the disk is full after {self._size} bytes. make room, or take another")
        return Failed(f"{self._path}: cannot be written: {error.strerror}. check the destination")


@contextmanager
def locked(folder: Path, what: str) -> Iterator[None]:
    """Hold a folder's lock while the block runs. Raise Failed where another process holds it, naming it.

    The lock goes with its process, however that ends; on a disk without locks there is none.
    """
    path = folder / LOCK
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise Failed(f"{folder}: cannot be written: {error.strerror}. check the destination's disk") from None
    try:
        _take_lock(descriptor, folder)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{what}, process {os.getpid()} on {socket.gethostname()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)


def _take_lock(descriptor: int, folder: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.pread(descriptor, 300, 0).decode("utf-8", "replace").strip() or "another process"
        raise Failed(f"{folder}: is being written by another run ({holder}). wait for it, then run again") from None
    except OSError:  # a disk without locks
        return


def write_whole(path: Path, data: bytes) -> None:
    """Write a small file whole or not at all. Raise Failed."""
    path.unlink(missing_ok=True)
    with PartFile(path) as file:
        file.write(data)
        file.keep()


def sync_folder(folder: Path) -> None:
    """Make names in a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def free_name(path: Path) -> Path:
    """Given a path, return it, or the next one with a number that nothing has."""
    first, dot, rest = path.name.partition(".")
    number, candidate = 1, path
    while candidate.exists() or candidate.with_name(candidate.name + PARTIAL).exists():
        number += 1
        candidate = path.with_name(f"{first}-{number}{dot}{rest}")
    return candidate


def _remove_stale(path: Path) -> None:
    """Remove what killed runs left in this folder: a `.partial` that nobody holds a lock on."""
    for stale in path.parent.glob(f"*{PARTIAL}"):
        with suppress(OSError), stale.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            stale.unlink()
