"""Copies of sets on a disk that is mounted."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from runner.actions.backup.memory import open_from_disk, read_pieces
from runner.actions.backup.storage import FULL, PARTIAL, sync_folder
from runner.durations import Deadline
from runner.errors import Failed


class DiskStore:
    """A folder of sets on a disk. When the disk goes away, nothing is written into the folder that stays behind."""

    def __init__(self, mount: Path, folder: Path) -> None:
        self._device = mount.stat().st_dev
        self._folder = folder
        with self._words(folder):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def room(self) -> int:
        """Free bytes."""
        return shutil.disk_usage(self._folder).free

    def write(self, name: str, source: Path, deadline: Deadline) -> None:
        """Write a file into the set of that name."""
        staged = self._folder / (name + PARTIAL)
        copy = staged / source.name
        with self._words(staged), source.open("rb") as plain:
            staged.mkdir(mode=0o700, exist_ok=True)
            with copy.open("wb") as file:
                if os.fstat(file.fileno()).st_dev != self._device:
                    raise Failed(f"{self._folder}: the disk is no longer there. connect it, then run the task again")
                for piece in read_pieces(plain, deadline):
                    file.write(piece)
                file.flush()
                os.fsync(file.fileno())

    def finish(self, name: str, deadline: Deadline) -> None:
        """Give the set its name."""
        staged = self._folder / (name + PARTIAL)
        with self._words(staged):
            sync_folder(staged)
            staged.rename(self._folder / name)
            sync_folder(self._folder)

    def read(self, name: str, file: str, deadline: Deadline, *, finished: bool) -> Iterator[bytes | memoryview] | None:
        """Give a file of a set, from the disk itself."""
        path = self._folder / (name if finished else name + PARTIAL) / file
        return self._pieces(path, deadline) if path.is_file() else None

    def _pieces(self, path: Path, deadline: Deadline) -> Iterator[memoryview]:
        with self._words(path), open_from_disk(path) as file:
            yield from read_pieces(file, deadline)

    @contextmanager
    def _words(self, path: Path) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if error.errno in FULL and path.name.endswith(PARTIAL):
                shutil.rmtree(path, ignore_errors=True)
            reason = "the disk is full" if error.errno in FULL else error.strerror
            raise Failed(f"{path}: {reason}. check the disk, then run the task again") from None
