"""The increment: the whole lines that are new, each once, and the place from then on."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from runner.actions.logs.moments import first_moment, last_moment
from runner.actions.logs.parts import Part
from runner.actions.logs.place import HEAD, TAIL, Known, digest

LONGEST_WAITING = 1 << 20  # a line that is longer is handed on in pieces
LARGEST_PACKED = 45 * 1024**2  # what an action may read of evidence at once is 50 MiB
LEVEL = 4

_PACKED = re.compile(r"\.(?:gz|xz|zst|bz2|old)$")
_DATE = re.compile(r"\d+|(?<![A-Za-z])(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)(?![a-z])")


@dataclass(slots=True)
class Increment:
    """What is new: size in bytes and lines, of how many files, from which moment to which; `left` bytes are for the
    next time.

    `known` is what was read of each file, to go on from.
    """

    known: list[Known] = field(default_factory=list)
    size: int = 0
    lines: int = 0
    files: int = 0
    left: int = 0
    first: datetime | None = None
    last: datetime | None = None

    def add(self, text: bytes) -> None:
        """Count lines that were taken."""
        self.size += len(text)
        self.lines += text.count(b"\n")
        self.files += 1
        moments = [at for at in (self.first, self.last, first_moment(text), last_moment(text)) if at]
        self.first, self.last = min(moments, default=None), max(moments, default=None)


def write_increment(path: Path, parts: Iterable[Part], cap: int, *, written: set[str], now: datetime) -> Increment:
    """Given parts, write their new whole lines, at most `cap` bytes, to a gzip file, and return what it holds.

    `written` has the paths of the files that are still written to.
    """
    increment = Increment()
    with path.open("wb") as file, gzip.GzipFile("", "wb", LEVEL, file, mtime=0) as packed:
        for part in parts:
            room = cap - increment.size if file.tell() < LARGEST_PACKED else 0
            stop, text = cut_lines(part, room, still_written=part.piece.path in written)
            if text:
                packed.write(text)
                increment.add(text)
            if stop < len(part.content) and room < len(part.content) - part.begin:
                increment.left += len(part.content) - stop
            if entry := remember(part, stop, text, now):
                increment.known.append(entry)
    return increment


def cut_lines(part: Part, room: int, *, still_written: bool) -> tuple[int, bytes]:
    """Given a part and how many bytes may be taken, return up to where its lines are whole, and those that are new.

    An unfinished line waits for its end, unless it never will have one: in a packed file, in one that is no longer
    written to and stood still since the last time, and beyond a megabyte.
    """
    skipped = part.skip[1] - part.skip[0]
    limit = min(len(part.content), part.begin + room + skipped)
    stop = part.content.rfind(b"\n", part.begin, limit) + 1 or part.begin
    stop = max(stop, part.skip[1])
    waiting = limit - stop
    ended = limit == len(part.content) and part.whole and _has_ended(part, waiting, still_written=still_written)
    if waiting and (ended or waiting > LONGEST_WAITING):
        stop = limit
    text = part.content[part.begin : stop]
    if skipped:
        text = part.content[part.begin : part.skip[0]] + part.content[part.skip[1] : stop]
    return stop, text + b"\n" if text and not text.endswith(b"\n") else text


def _has_ended(part: Part, waiting: int, *, still_written: bool) -> bool:
    stood_still = part.entry is not None and part.entry.waiting == waiting
    return bool(part.raw) or (stood_still and not still_written)


def remember(part: Part, stop: int, text: bytes, now: datetime) -> Known | None:
    """Given a part and up to where it was taken, return how far its file was read; None where nothing was."""
    offset = part.base + stop
    if not offset:
        return None
    content, before = part.content, part.entry
    moment = last_moment(text)
    head = digest(content[: min(HEAD, offset)]) if part.base == 0 else before.head if before else ""
    read_whole = part.whole and stop == len(content)
    return Known(
        path=part.piece.path,
        head=head,
        offset=offset,
        tail=digest(content[max(0, stop - TAIL) : stop]),
        raw=part.raw if read_whole else "",
        last=moment.isoformat(timespec="seconds") if moment else before.last if before else "",
        waiting=len(content) - stop if part.whole else 0,
        seen=now.isoformat(timespec="seconds"),
    )


def log_of(path: str) -> str:
    """Given a file's path, return the log that it belongs to: its name without number, date and packer."""
    folder, _, name = path.rpartition("/")
    bare = _DATE.sub("", _PACKED.sub("", name))
    return f"{folder}/{re.sub(r'[-._]+(?=[-._]|$)', '', bare)}"


def mark_latest(known: Sequence[Known], times: dict[str, int]) -> list[Known]:
    """Given what was read and the files' times by path, mark of each log the file that changed last: it must be found
    again the next time."""
    newest = find_newest({each.path: times.get(each.path, 0) for each in known})
    return [replace(each, latest=each.path in newest) for each in known]


def find_newest(times: dict[str, int]) -> set[str]:
    """Given files' times by path, return of each log the one that changed last, of several the shortest name."""
    newest: dict[str, str] = {}
    for path in sorted(times, key=lambda each: (times[each], -len(each))):
        newest[log_of(path)] = path
    return set(newest.values())
