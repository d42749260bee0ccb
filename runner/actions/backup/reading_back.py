"""Reads volumes back from their disk while more of them is written, so that at the end little is left to read."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from mmap import PAGESIZE, mmap
from pathlib import Path

from runner.actions.backup.memory import open_from_disk
from runner.actions.backup.storage import write_whole
from runner.durations import Deadline
from runner.errors import TimeUp

NOTE = "read-back.json"
STEP = 32 * 1024 * 1024  # written before it is put on the disk and read: each time, the disk has to finish
PIECE = 4 * 1024 * 1024
_CLOCK_STEP = 20_000_000  # nanoseconds: a file changed twice within a tick of its clock shows one time


class ReadBack:
    """Puts volumes on the disk and reads them from there, in order, by a thread of its own. Raise OSError."""

    def __init__(self) -> None:
        self._reader = ThreadPoolExecutor(1, "reading back")
        self._steps: deque[Future[None]] = deque()
        self._buffer = mmap(-1, PIECE)
        self._asked = self._at = 0  # of the volume that is written, and of the one that is read
        self._hash = hashlib.sha256()
        self._found: dict[str, str] = {}

    def follow(self, path: Path, size: int, *, whole: bool = False) -> None:
        """So many bytes of a volume are written now; `whole` where these are all of it."""
        if whole or size - self._asked >= STEP:
            self._asked = 0 if whole else size
            self._steps.append(self._reader.submit(self._read, path, size, whole=whole))
        while self._steps and self._steps[0].done():
            self._steps.popleft().result()

    def finish(self, deadline: Deadline) -> dict[str, str]:
        """Wait until all volumes were read; return the SHA-256 (hex) of each, by its file's name. Raise TimeUp."""
        try:
            for step in self._steps:
                step.result(deadline.remaining())
        except TimeoutError:
            raise TimeUp("reading the stored files took longer than the task's limit") from None
        return self._found

    def close(self) -> None:
        """Read no more."""
        self._reader.shutdown(cancel_futures=True)

    def _read(self, path: Path, size: int, *, whole: bool) -> None:
        _put_on_disk(path)
        until = size if whole else size - size % PAGESIZE
        with open_from_disk(path) as file, memoryview(self._buffer) as buffer:
            file.seek(self._at)
            while self._at < until:
                left = until - self._at
                length = file.readinto(buffer[: min(PIECE, left + -left % PAGESIZE)])
                if not length:
                    break
                self._hash.update(buffer[:length])
                self._at += length
        if whole:
            self._found[path.name] = self._hash.hexdigest()
            self._at, self._hash = 0, hashlib.sha256()


def note_read_back(folder: Path, sums: dict[str, str]) -> None:
    """Given the folder of volumes and the SHA-256 (hex) of each as it was read back, note beside them what state they
    were read in. Raise Failed."""
    settled = time.time_ns() - _CLOCK_STEP
    states = {name: _state(folder / name) for name in sums}
    noted = {name: [sums[name], *state] for name, state in states.items() if max(state[2:]) < settled}
    if noted:
        write_whole(folder / NOTE, json.dumps(noted).encode())


def was_read_back(path: Path, sha256: str) -> bool:
    """Whether a file was read back with that hash, and nothing has touched it since."""
    try:
        noted = json.loads((path.parent / NOTE).read_bytes())
        return bool(noted.get(path.name) == [sha256, *_state(path)])
    except (OSError, ValueError):
        return False


def _put_on_disk(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _state(path: Path) -> list[int]:
    """What changes when a file is written to, or when another takes its place."""
    found = path.stat()
    return [found.st_size, found.st_ino, found.st_mtime_ns, found.st_ctime_ns]
