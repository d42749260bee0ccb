"""Holds sets against their checksums, their lists, and the server that they were made of."""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from runner.actions.backup.listing import FILE, FOLDER
from runner.actions.backup.members import Member
from runner.actions.backup.roster import Roster
from runner.actions.backup.set_files import Entry, entries_of, shown
from runner.actions.backup.set_reading import Lost, read_through
from runner.actions.backup.sets import BackupSet, Fault
from runner.actions.backup.verdict import NotAccepted, complaint
from runner.actions.backup.verify import hash_file, verify_part
from runner.contract import Command, Connection
from runner.durations import Deadline
from runner.errors import Failed

MOST_NAMED = 50
_AT_A_TIME = 50
# For each name: its SHA-256, size and time of change; "gone" where there is no such file.
_ASK = """cd -- "$1" || exit 1
shift
command -v sha256sum >/dev/null || exit 2
for name do
    if [ -f "./$name" ] && [ ! -L "./$name" ] && hash=$(sha256sum < "./$name"); then
        printf '%s %s\\n' "${hash%% *}" "$(stat -c '%s %Y' -- "./$name" 2>/dev/null || echo '- -')"
    else
        echo gone
    fi
done"""


class Nothing:
    """A sink that wants only that everything is read."""

    def begin(self, entry: Entry, member: Member) -> None:
        """Nothing."""

    def data(self, piece: memoryview) -> None:
        """Nothing."""

    def end(self, entry: Entry) -> None:
        """Nothing."""

    def whole(self, entry: Entry, member: Member, content: memoryview) -> None:
        """Nothing."""


class Compared(NamedTuple):
    """Files of a set held against the server's: how many were asked for, are the same, have changed since, are gone;
    and those whose content differs though neither size nor time did."""

    sampled: int
    same: int
    changed: int
    gone: int
    differ: tuple[str, ...]


def check_stored(sets: Iterable[BackupSet], deadline: Deadline) -> list[Fault]:
    """Given sets, hold every stored file against SHA256SUMS; return what is spoilt. Raise TimeUp."""
    found = []
    for each in sets:
        for file, digest in sorted(each.sums.items()):
            try:
                same = hash_file(each.file(file), deadline) == digest
            except OSError as error:
                found.append(Fault(f"{each.name}/{file}", "tidak dapat dibaca", f"it cannot be read: {error.strerror}"))
                continue
            if not same:
                words = "isinya bukan lagi yang dahulu ditulis", "its bytes are not those that were written"
                found.append(Fault(f"{each.name}/{file}", *words))
    return found


def check_contents(
    chain: Mapping[str, BackupSet], chosen: BackupSet, folder: Path, deadline: Deadline
) -> tuple[int, int, list[Fault]]:
    """Given a set with all it needs, read every file and every dump of it; return how many files were read, how many
    it has, and what is lost, each file by its name. `folder` is private. Raise NotAccepted, TimeUp."""
    roster = Roster(folder, entries_of(chosen))
    try:
        lost: list[Lost] = []
        read_through(chain, roster, Nothing(), deadline, lost.append)
        faults = [Fault(f"{each.frame.home}/{each.frame.part}", "sebagian rusak", each.why) for each in lost]
        missing = list(roster.unseen(MOST_NAMED))
        faults += [Fault(shown(entry.path), "berkas ini hilang dari backup", "this file is lost") for entry in missing]
        files = roster.totals()[1]
        read = files - sum(entry.type != FOLDER for entry in roster.unseen())
    finally:
        roster.close()
    return read, files, faults + list(_check_parts(chosen, deadline))


def compare(
    chosen: BackupSet, connection: Connection, root: str, most: int, deadline: Deadline, run_as: str
) -> Compared:
    """Given a set and the folder that it was made of, hold a sample of its files against the server's. Raise Failed."""
    entries = sample(chosen, most)
    answers: list[str] = []
    for start in range(0, len(entries), _AT_A_TIME):
        names = [entry.path.decode("utf-8", "surrogateescape") for entry in entries[start : start + _AT_A_TIME]]
        result = connection.run(Command(line=_ASK, parameters=(root, *names), run_as=run_as), deadline)
        if result.exit_code != 0:
            why = "it has no sha256sum" if result.exit_code == 2 else complaint(result.stderr)
            raise Failed(f"{root}: cannot be compared: {why}. check the root, and the server's tools")
        answers += result.stdout.decode("ascii", "replace").splitlines()
    return judge(entries, answers)


def sample(chosen: BackupSet, most: int) -> list[Entry]:
    """Given a set, return so many of its files: others in each set, the same ones each time."""

    def lot(entry: Entry) -> bytes:
        return hashlib.sha256(chosen.name.encode() + entry.path).digest()

    files = (entry for entry in entries_of(chosen) if entry.type == FILE)
    return heapq.nsmallest(most, files, key=lot)


def judge(entries: Sequence[Entry], answers: Sequence[str]) -> Compared:
    """Given files and what the server says of each, return how they compare."""
    same = changed = gone = 0
    differ = []
    for entry, answer in zip(entries, answers, strict=True):
        digest, _, facts = answer.partition(" ")
        if answer == "gone":
            gone += 1
        elif digest == entry.sha256:
            same += 1
        elif facts == f"{entry.size} {entry.mtime_ns // 10**9}":
            differ.append(shown(entry.path))
        else:
            changed += 1
    return Compared(len(entries), same, changed, gone, tuple(differ))


def _check_parts(chosen: BackupSet, deadline: Deadline) -> Iterator[Fault]:
    """What cannot be read of the dumps, and of archives that have no list (format 1)."""
    for part in chosen.parts:
        if part["kind"] == "files" and chosen.manifest.get("files"):
            continue
        try:
            verify_part(chosen.file(part["file"]), part, chosen.folder.parent, deadline, chosen.keys)
        except NotAccepted as error:
            yield Fault(f"{chosen.name}/{part['file']}", error.condition, str(error))
