"""Lists a million files as a backup does, then goes through as many of a set as a restore does; prints the MiB taken.

python -m tests.actions.large_restore FOLDER NUMBER
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from runner.actions.backup.ledger import Ledger
from runner.actions.backup.listing import Lister
from runner.actions.backup.roster import Roster
from runner.actions.backup.set_files import Entry
from tests.processes import peak_memory

IN_A_FRAME = 4000  # tiny files, each with its header: 4 MiB


def entries(number: int) -> Iterator[Entry]:
    for place in range(number):
        path = f"wp-content/cache/{place // 1000:05d}/{place:09d}.html".encode()
        frame = place // IN_A_FRAME * 1_000_000
        yield Entry(path, "file", 7, place, 0o644, "www", "www", b"", "ab" * 32, "SET", "p0000.tar.zst", frame)


def take_listing(folder: Path, number: int) -> None:
    """Take what find says of so many files, and go through what has to come."""
    ledger = Ledger(folder / "ledger.sqlite")
    lister = Lister(ledger.add_listed)
    for begin in range(0, number, 1000):
        lines = (
            b"f 644 33 33 1 2049 %d 7 1790000000.0000000000 1790000000.0000000000\0cache/%05d/%09d.html\0\0"
            % (place, begin, place)
            for place in range(begin, begin + 1000)
        )
        lister.feed(b"".join(lines))
    lister.finish()
    assert ledger.listed() == (number, 7 * number)
    assert ledger.want_missing() == (number, 7 * number)
    last = came = 0
    while wanted := ledger.wanted(last, IN_A_FRAME):
        came += len(wanted)
        last = wanted[-1][0]
    assert came == number
    ledger.close()


def go_through_set(folder: Path, number: int) -> None:
    """Note so many entries, and mark them frame by frame."""
    roster = Roster(folder, entries(number))
    read = 0
    assert roster.find_through() is None
    for frame in roster.frames("SET"):
        found = roster.entries_in(frame)
        roster.mark_seen(entry.path for entry in found)
        read += len(found)
    assert roster.totals() == (number, number, 7 * number)
    assert read == number
    assert list(roster.unseen(1)) == []
    roster.close()


def main(folder: Path, number: int) -> int:
    """Do both; return the largest size of this process in MiB."""
    take_listing(folder, number)
    go_through_set(folder, number)
    return peak_memory()


if __name__ == "__main__":
    print(main(Path(sys.argv[1]), int(sys.argv[2])))
