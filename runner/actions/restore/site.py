"""The folder on a server that a restore is to replace, or to put files into, by whatever way its account allows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from enum import StrEnum
from typing import Protocol

from runner.actions.backup.set_files import Entry, shown
from runner.actions.backup.set_reading import Sink
from runner.errors import Failed

MOST_NAMED = 200


class State(StrEnum):
    """How far a restore came: nothing is whole yet, all is unpacked, or it has been brought into place."""

    BEGIN = "begin"
    READY = "ready"
    DONE = "done"


class Receiver(Sink, Protocol):
    """Takes the members of a set and makes files of them."""

    def finish(self) -> None:
        """All has come. Raise Failed where something could not be made."""


class Site(Protocol):
    """`root` is its real path; `free` counts bytes, None where the server does not tell; `filled` tells whether
    anything is in it now, `note` what the way to it cannot do."""

    @property
    def root(self) -> str: ...

    @property
    def state(self) -> State: ...

    @property
    def free(self) -> int | None: ...

    @property
    def filled(self) -> bool: ...

    @property
    def note(self) -> str: ...

    @property
    def old(self) -> str:
        """Where what was there before is kept."""

    def cannot(self, entry: Entry) -> bool:
        """Whether the way there cannot make such an entry at all."""

    def unpacking(self, meter: Callable[[int], None]) -> AbstractContextManager[Receiver]:
        """Make the folder to unpack into anew, and give what unpacks; `meter` is told the size of what came."""

    def clear_stage(self) -> None:
        """Remove what was unpacked so far, where that can be done: the live site needs the room."""

    def make_whole(self) -> None:
        """Say that all was unpacked."""

    def swap(self) -> None:
        """Bring the whole folder into place; the one that was there is kept. Raise Failed; then it is there again."""

    def swap_back(self) -> None:
        """Bring the folder that was there before into place again. Raise Failed, always where it was swapped inside."""

    def put(self, entries: Iterable[Entry]) -> None:
        """Bring these entries, folders before what is in them, into the live folder; what each replaces is kept."""


def not_restored(root: str, fault: str) -> Failed:
    """Given why something could not be brought into place, return the error to raise."""
    return Failed(f"{root}: not restored: {fault}. what was there is still there; look at the folder's rights")


def makeable(site: Site, entries: Iterable[Entry], left_out: list[str]) -> Iterator[Entry]:
    """Given entries, give those that the way to the site can make, and note the names of the others."""
    for entry in entries:
        if not site.cannot(entry):
            yield entry
        else:
            left_out.append(shown(entry.path))


def told(site: Site, left_out: Sequence[str]) -> list[str]:
    """What a person has to know of a restore onto that site, beside what is restored."""
    notes = [site.note] if site.note else []
    notes += [f"the way there cannot make it: {name}" for name in left_out[:MOST_NAMED]]
    rest = len(left_out[MOST_NAMED:])
    return [*notes, f"and {rest} more that it cannot make"] if rest else notes
