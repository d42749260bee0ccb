"""Lists a million files as a backup does, beside a full set's list too, then goes through as many of a set as a restore
does; prints the MiB taken.

python -m tests.actions.large_restore FOLDER NUMBER
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from runner.actions.backup.filelist import end_of_unchanged, render_kept, write_lines
from runner.actions.backup.known import Known
from runner.actions.backup.ledger import Kept, Ledger
from runner.actions.backup.listing import Listed, Lister
from runner.actions.backup.roster import Roster
from runner.actions.backup.set_files import Entry
from tests.processes import peak_memory

MOST_KNOWN = 100_000  # with the lengths of these lines
IN_A_FRAME = 4000  # tiny files, each with its header: 4 MiB


def entries(number: int) -> Iterator[Entry]:
    for place in range(number):
        path = f"wp-content/cache/{place // 1000:05d}/{place:09d}.html".encode()
        frame = place // IN_A_FRAME * 1_000_000
        yield Entry(path, "file", 7, place, 0o644, "www", "www", b"", "ab" * 32, "SET", "p0000.tar.zst", frame)


def feed(lister: Lister, number: int) -> None:
    """Say what find says of so many files."""
    for begin in range(0, number, 1000):
        lines = (
            b"f 644 33 33 1\0007<1790000000.0000000000>1790000000.0000000000\0cache/%05d/%09d.html\0002049:%d\0\0"
            % (begin, place, place)
            for place in range(begin, begin + 1000)
        )
        lister.feed(b"".join(lines))
    lister.finish()


def take_listing(folder: Path, number: int) -> None:
    """Take what find says of so many files, and go through what has to come."""
    ledger = Ledger(folder / "ledger.sqlite")
    feed(Lister(ledger.add_listed), number)
    assert ledger.listed() == (number, 7 * number)
    assert ledger.want_missing() == (number, 7 * number)
    last = came = 0
    while wanted := ledger.wanted(last, IN_A_FRAME):
        came += len(wanted)
        last = wanted[-1][0]
    assert came == number
    ledger.close()


def take_listing_again(folder: Path, number: int) -> int:
    """Take what find says of so many files that are in a full set's list, unchanged; return how many were known."""
    where = ("file", 7, 179 * 10**16, b"", "ab" * 32, 0, 4096, "", None)
    kept = (
        Kept(
            f"cache/{place // 1000 * 1000:05d}/{place:09d}.html".encode(),
            0o644,
            33,
            33,
            "www",
            "www",
            179 * 10**16,
            *where,
        )
        for place in range(number)
    )
    path = write_lines(folder / "files.jsonl.zst", (render_kept(each, "") for each in kept)).path
    known, others = Known(path), list[Listed]()
    feed(Lister(lambda entries: others.extend(entries) if len(others) < IN_A_FRAME else None, lambda: known), number)
    written = write_lines(folder / "next.jsonl.zst", known.unchanged(end_of_unchanged("SET")))
    assert (written.bytes > 1000) is (known.entries > 0)
    assert sum(1 for _ in known.others()) == number - known.entries
    return known.entries


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
    """Do all; return the largest size of this process in MiB."""
    take_listing(folder, number)
    assert take_listing_again(folder, MOST_KNOWN) == MOST_KNOWN
    assert take_listing_again(folder, number) == 0
    go_through_set(folder, number)
    return peak_memory()


if __name__ == "__main__":
    print(main(Path(sys.argv[1]), int(sys.argv[2])))
