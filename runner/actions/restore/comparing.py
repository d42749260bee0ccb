"""Holds what a restore would bring against what is live: files by type, size and time, tables by name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from runner.actions.backup.listing import FILE, FOLDER, LINK, Listed
from runner.actions.backup.roster import Roster
from runner.actions.backup.set_files import Entry, shown

MOST_NAMED = 200


@dataclass(slots=True)
class Names:
    """How many there are, and the first of them by name, as people read them."""

    count: int = 0
    first: list[str] = field(default_factory=list)

    def add(self, path: bytes) -> None:
        """One more."""
        self.count += 1
        if len(self.first) < MOST_NAMED:
            self.first.append(shown(path))


@dataclass(slots=True)
class Difference:
    """Files and links of a set against those of the live folder: the same by size and time; other ones, which would be
    overwritten; those that are missing and would come back; those of the live folder only."""

    same: int = 0
    other: Names = field(default_factory=Names)
    missing: Names = field(default_factory=Names)
    only_live: Names = field(default_factory=Names)


def hold_against(roster: Roster, difference: Difference, live: Iterator[Listed]) -> None:
    """Given what is wanted of a set and some of what is live, note how they differ."""
    for listed in live:
        entry = roster.get(listed.path)
        if entry is None:
            if listed.type != FOLDER:
                difference.only_live.add(listed.path)
            continue
        roster.mark_seen([listed.path])
        if entry.type == FOLDER and listed.type == FOLDER:
            continue
        if _is_same(entry, listed):
            difference.same += 1
        else:
            difference.other.add(listed.path)


def note_missing(roster: Roster, difference: Difference) -> None:
    """Note what is wanted and was not met in the live folder."""
    for entry in roster.unseen():
        if entry.type != FOLDER:
            difference.missing.add(entry.path)


def compare_tables(wanted: Sequence[str], live: Sequence[str]) -> dict[str, list[str]]:
    """Given the tables that would be restored and those that are live, return which are replaced, would come back, and
    are live only."""
    return {
        "replaced": sorted(set(wanted) & set(live)),
        "missing": sorted(set(wanted) - set(live)),
        "only_live": sorted(set(live) - set(wanted)),
    }


def _is_same(entry: Entry, listed: Listed) -> bool:
    """A hard link is listed as the file that it is; its content is that of another entry, which is compared itself."""
    if entry.type == LINK or listed.type == LINK:
        return entry.type == listed.type and entry.link == listed.link
    return listed.type == FILE and (entry.size, entry.mtime_ns) == (listed.size, listed.mtime_ns)
