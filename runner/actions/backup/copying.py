"""Copies sealed sets to a folder elsewhere: whole or not at all, and read back from there."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

from runner.actions.backup.content import PIECE
from runner.actions.backup.manifest import SUMS
from runner.actions.backup.sets import BackupSet, load_set
from runner.actions.backup.storage import PARTIAL, locked, sync_folder
from runner.actions.backup.stream import Timed
from runner.actions.backup.verdict import NotAccepted, incomplete
from runner.actions.backup.verify import forget_cached, hash_file
from runner.durations import Deadline
from runner.errors import Failed
from runner.messages import render_size

SPARE = 16 * 1024 * 1024  # bytes that stay free


def size_of(sets: Iterable[BackupSet]) -> int:
    """Given sets, return the bytes of all their files."""
    return sum(path.stat().st_size for each in sets for path in files_of(each))


def files_of(found: BackupSet) -> list[Path]:
    """Given a set, return all its files: those of SHA256SUMS and that itself."""
    return [found.file(name) for name in (*sorted(found.sums), SUMS)]


def missing_from(folder: Path, sets: Iterable[BackupSet]) -> list[BackupSet]:
    """Given a folder of sets elsewhere, return which of these sets it does not have. Raise NotAccepted where it has
    another one of the same name."""
    return [each for each in sets if not _has(folder, each)]


def check_room(folder: Path, need: int) -> None:
    """Raise Failed where a disk has no room for that many bytes."""
    free = shutil.disk_usage(folder).free
    if free < need + SPARE:
        sizes = render_size(need, "en"), render_size(free, "en")
        raise Failed(f"{folder}: {sizes[0]} are needed, {sizes[1]} are free. take another disk, or make room on it")


def copy_sets(sets: Sequence[BackupSet], folder: Path, deadline: Deadline) -> None:
    """Given sets and a folder, copy each, read it back from the disk and give it its name. Raise NotAccepted, Failed or
    TimeUp."""
    device = folder.stat().st_dev
    with locked(folder, "backup.media"):
        for each in sets:
            staged = folder / (each.name + PARTIAL)
            try:
                _copy_set(each, staged, device, deadline)
                staged.rename(folder / each.name)
                sync_folder(folder)
            except OSError as error:
                if error.errno in (errno.ENOSPC, errno.EDQUOT):
                    shutil.rmtree(staged, ignore_errors=True)
                raise Failed(f"{staged}: cannot be written: {error.strerror}. check the disk, then run again") from None


def check_copies(sets: Iterable[BackupSet], folder: Path, deadline: Deadline) -> int:
    """Given sets and a folder that has copies of them, read those back; return how many files were read. Raise
    NotAccepted at the first that is not what was sealed."""
    count = 0
    for each in sets:
        copy = load_set(folder / each.name)
        for path in files_of(copy):
            _read_back(path, each.sums.get(path.name, ""), deadline)
            count += 1
    return count


def _has(folder: Path, found: BackupSet) -> bool:
    place = folder / found.name
    if not place.exists():
        return False
    if load_set(place).manifest_sha256 != found.manifest_sha256:
        raise incomplete(
            f"{place} berisi perangkat backup lain dengan nama yang sama.",
            f"{place}: there already is another set of this name. look at it, and take another disk",
        )
    return True


def _copy_set(found: BackupSet, staged: Path, device: int, deadline: Deadline) -> None:
    staged.mkdir(mode=0o700, exist_ok=True)
    for source in files_of(found):
        _copy_file(source, staged / source.name, found.sums.get(source.name, ""), device, deadline)
    sync_folder(staged)
    for source in files_of(found):
        _read_back(staged / source.name, found.sums.get(source.name, ""), deadline)


def _copy_file(source: Path, copy: Path, expected: str, device: int, deadline: Deadline) -> None:
    """Copy one file. A disk that goes away leaves a folder where it was: nothing is written into that."""
    digest = hashlib.sha256()
    with source.open("rb") as plain, copy.open("wb") as file:
        if os.fstat(file.fileno()).st_dev != device:
            raise Failed(f"{copy.parent}: the disk is no longer there. connect it, then run the task again")
        timed = Timed(plain, deadline)
        while piece := timed.read(PIECE):
            digest.update(piece)
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())
    if expected and digest.hexdigest() != expected:
        raise _spoilt(source)


def _read_back(path: Path, expected: str, deadline: Deadline) -> None:
    try:
        forget_cached(path)
        same = not expected or hash_file(path, deadline) == expected
    except OSError as error:
        raise incomplete(f"{path} tidak terbaca.", f"{path}: cannot be read: {error.strerror}. copy it again") from None
    if not same:
        raise _spoilt(path)


def _spoilt(path: Path) -> NotAccepted:
    return incomplete(
        f"{path.name} bukan lagi yang dahulu disegel.", f"{path}: its bytes are not those that were sealed"
    )
