"""Brings an SQLite database back: a file that is written beside the live one, and renamed into its place."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from runner.actions.restore import leftovers
from runner.actions.restore.leftovers import ID_GLOB, SWEEP
from runner.actions.restore.unpacking import APPEND, LARGE, Place
from runner.contract import Connection
from runner.durations import Deadline
from runner.errors import Failed

_LOOK = """cd -- "$1" || exit 1
[ ! -s "./$2" ] || echo filled"""
_TIDY_OTHERS = (
    SWEEP
    + f"""minutes=$3
cd -- "$1" || exit 0
for left in "./$2".pulih-{ID_GLOB}; do [ ! -f "$left" ] || sweep "$left"; done
"""
)
_REMOVE = """cd -- "$1" && rm -f -- "./$2"
"""
# The journals belong to the file that is put aside; with the new one they would spoil it.
_SWAP = """cd -- "$1" || exit 1
[ -e "./$2" ] || exit 0
if [ -e "./$3" ] && [ ! -e "./$4" ]; then ln -P -- "./$3" "./$4" || exit 1; fi
for journal in -wal -shm -journal; do
    [ ! -e "./$3$journal" ] || mv -fT -- "./$3$journal" "./$4$journal" || exit 1
done
mv -fT -- "./$2" "./$3"
"""


@dataclass(frozen=True, slots=True)
class IntoSQLite:
    """A server's file system that takes an SQLite database; `part_tables` are those that its part names."""

    connection: Connection
    path: str
    deadline: Deadline
    run_as: str
    part_tables: Sequence[str]

    @property
    def remarks(self) -> list[str]:
        """There is nothing to tell."""
        return []

    def tables(self, name: str) -> list[str]:
        """The tables of the part where the file is there, for what it holds is that part; none where it is not."""
        said = self._place().do(_LOOK, (posixpath.basename(name),), name)
        return sorted(self.part_tables) if said.strip() == b"filled" else []

    def load(self, new: str, dump: Iterable[bytes]) -> None:
        """Write the database under that name. Raise Failed."""
        place, name, at = self._place(), posixpath.basename(new), 0
        place.do(_TIDY_OTHERS, (posixpath.basename(self.path), str(leftovers.CLAIMED_MINUTES)), new)
        for piece in dump:
            for start in range(0, len(piece), LARGE):
                some = piece[start : start + LARGE]
                place.do(APPEND, (name, str(at)), new, some)
                at += len(some)

    def drop(self, new: str) -> None:
        """Remove a file that `load` wrote."""
        self._place().do(_REMOVE, (posixpath.basename(new),), new)

    def swap(self, new: str, old: str, only: Sequence[str]) -> None:
        """Bring the file into place; the one that was there is kept as `old`. Raise Failed."""
        names = [posixpath.basename(each) for each in (new, self.path, old)]
        self._place().do(_SWAP, names, self.path)

    def check_closed(self, name: str, only: Sequence[str]) -> None:
        """Raise Failed: a file is restored as a whole."""
        if only:
            raise Failed(f"{self.path}: single tables of an SQLite database are not restored. leave `tables` out")

    def _place(self) -> Place:
        return Place(self.connection, posixpath.dirname(self.path) or ".", self.deadline, self.run_as)
