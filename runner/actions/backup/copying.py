"""Copies sealed sets to another place, whatever that is: whole or not at all, and read back from there."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from runner.actions.backup.manifest import MANIFEST, SUMS
from runner.actions.backup.pace import Progress
from runner.actions.backup.sets import BackupSet
from runner.actions.backup.verdict import NotAccepted, incomplete
from runner.durations import Deadline
from runner.errors import Failed, TimeUp
from runner.messages import render_size

SPARE = 16 * 1024 * 1024  # bytes that stay free


class Store(Protocol):
    """A place for copies of sets. Its methods raise Failed, Unreachable or TimeUp."""

    def room(self) -> int | None:
        """Free bytes; None where that cannot be told."""

    def write(self, name: str, source: Path, deadline: Deadline) -> None:
        """Write a file into the set of that name, which is not finished."""

    def finish(self, name: str, deadline: Deadline) -> None:
        """Give the set its name: all of it was written and read back."""

    def read(self, name: str, file: str, deadline: Deadline, *, finished: bool) -> Iterator[bytes | memoryview] | None:
        """Give a file of a set, read from the place itself; None where there is none."""


class Copied(NamedTuple):
    """What was done: the sets written now, how many files were read back, and the bytes written."""

    written: tuple[str, ...]
    files: int
    bytes: int


def copy_sets(sets: Sequence[BackupSet], store: Store, deadline: Deadline, tell: Callable[[str], None]) -> Copied:
    """Given a set and those it needs, write what the place lacks and read that back. Raise NotAccepted where a file is
    not what was sealed, or another set has its name; Failed, Unreachable or TimeUp."""
    lacking = [each for each in sets if not _has(store, each, deadline)]
    size = sum(path.stat().st_size for each in lacking for path in files_of(each))
    room = store.room()
    if room is not None and room < size + SPARE:
        sizes = render_size(size, "en"), render_size(room, "en")
        raise Failed(f"the medium has no room: {sizes[0]} are needed, {sizes[1]} are free. take another one")
    files, meter = 0, Progress(tell, 2 * size).add
    for each in lacking:
        for path in files_of(each):
            store.write(each.name, path, deadline)
            meter(path.stat().st_size)
        files += _read_back(store, each, deadline, meter, finished=False)
        store.finish(each.name, deadline)
    return Copied(tuple(each.name for each in lacking), files, size)


def check_sets(sets: Sequence[BackupSet], store: Store, deadline: Deadline, tell: Callable[[str], None]) -> Copied:
    """Given sets, read their copies. Raise NotAccepted where one is missing or is not what was sealed."""
    for each in sets:
        if not _has(store, each, deadline):
            raise incomplete(f"{each.name} tidak ada di media.", f"{each.name}: it is not on the medium. copy it first")
    meter = Progress(tell, sum(path.stat().st_size for each in sets for path in files_of(each))).add
    return Copied((), sum(_read_back(store, each, deadline, meter, finished=True) for each in sets), 0)


def files_of(found: BackupSet) -> list[Path]:
    """Given a set, return all its files; the manifest is the last, so that what lacks it was never finished."""
    return [found.file(name) for name in (*sorted(set(found.sums) - {MANIFEST}), SUMS, MANIFEST)]


def _has(store: Store, found: BackupSet, deadline: Deadline) -> bool:
    pieces = store.read(found.name, MANIFEST, deadline, finished=True)
    if pieces is None:
        return False
    if _hash(pieces, deadline) != found.manifest_sha256:
        raise incomplete(
            f"Media itu memuat perangkat backup lain dengan nama {found.name}.",
            f"{found.name}: the medium has another set of this name. look at it, and take another medium",
        )
    return True


def _read_back(
    store: Store, found: BackupSet, deadline: Deadline, meter: Callable[[int], None], *, finished: bool
) -> int:
    own = hashlib.sha256(found.file(SUMS).read_bytes()).hexdigest()
    for path in files_of(found):
        pieces = store.read(found.name, path.name, deadline, finished=finished)
        if pieces is None or _hash(pieces, deadline, meter) != found.sums.get(path.name, own):
            raise _spoilt(f"{found.name}/{path.name}")
    return len(found.sums) + 1


def _hash(
    pieces: Iterator[bytes | memoryview], deadline: Deadline, meter: Callable[[int], None] = lambda size: None
) -> str:
    digest = hashlib.sha256()
    for piece in pieces:
        if deadline.passed:
            raise TimeUp("copying to the medium took longer than the task's limit")
        digest.update(piece)
        meter(len(piece))
    return digest.hexdigest()


def _spoilt(name: str) -> NotAccepted:
    return incomplete(
        f"Salinan {name} di media bukan seperti yang disegel.",
        f"{name}: read back from the medium, it is not what was sealed. try another medium",
    )
