"""Folders that keep a record: private, synced to the disk, entered by one process at a time."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from runner.durations import Deadline
from runner.errors import RecordError

LONGEST_WAIT = 30.0  # seconds
_PAUSE = 0.005

FREE = "free some space, then try again; a run goes on with 'sop resume'"
_ALLOW = "make it writable for this user, or name another folder with --records"
_RENAME = "name another folder with --records"
_CURES = {
    errno.ENOSPC: FREE,
    errno.EDQUOT: FREE,
    errno.EFBIG: FREE,
    errno.EROFS: _ALLOW,
    errno.EACCES: _ALLOW,
    errno.EPERM: _ALLOW,
    errno.ENOTDIR: _RENAME,
    errno.EEXIST: _RENAME,
}


@contextmanager
def disk_errors(place: Path) -> Iterator[None]:
    """Turn what the operating system refuses inside the block into a RecordError with its place and cure."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        cure = _CURES.get(error.errno or 0, "check the disk")
        raise RecordError(f"{error.filename or place}: {reason}. {cure}") from error


def make_folder(path: Path) -> None:
    """Make a folder for this user only, durably, unless it is there; in a shared one, shared too.

    Raise RecordError if that fails.
    """
    if path.is_dir():
        return
    with disk_errors(path):
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        if bits := shared_bits(path.parent):
            path.chmod(stat.S_ISGID | 0o700 | bits)
        sync(path.parent)


def share_disk(folder: Path, other: Path) -> bool:
    """Given two folders, the other of which may yet have to be made, return whether both are on one disk."""
    there = next(each for each in (other, *other.parents) if each.exists())
    return there.stat().st_dev == folder.stat().st_dev


def shared_bits(folder: Path) -> int:
    """Given a folder, return what its group may do (a mode's middle digit), if its files are meant for the group: it
    then has the setgid bit, as by `chmod 2770`. Raise OSError."""
    mode = folder.stat().st_mode
    return mode & 0o070 if mode & stat.S_ISGID else 0


def sync(path: Path) -> None:
    """Put a file's content, or the names in a folder, on the disk, so that a power cut leaves it. Raise OSError."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def gate(folder: Path, *, seconds: float = LONGEST_WAIT) -> Iterator[None]:
    """Let one thread of one process at a time into the block; a process that dies leaves by itself.

    Raise RecordError when the others do not leave within `seconds`.
    """
    with disk_errors(folder):
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        if not locked_within(handle, fcntl.LOCK_EX, seconds=seconds):
            raise RecordError(
                f"{folder}: locked by another process for more than {seconds:g} s. "
                "wait for the other 'sop' to end, or end it, then try again"
            )
        yield
    finally:
        os.close(handle)


@contextmanager
def alone(folder: Path) -> Iterator[bool]:
    """Tell whether no other process is in such a block about this folder; without waiting."""
    with disk_errors(folder):
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield locked_within(handle, fcntl.LOCK_EX, seconds=0)
    finally:
        os.close(handle)


def locked_within(handle: int, operation: int, *, seconds: float) -> bool:
    """Given an open file, return whether flock(`operation`) was granted within `seconds`."""
    deadline = Deadline.after(seconds)
    while True:
        try:
            fcntl.flock(handle, operation | fcntl.LOCK_NB)
        except BlockingIOError:
            if deadline.passed:
                return False
            time.sleep(_PAUSE)
        else:
            return True
