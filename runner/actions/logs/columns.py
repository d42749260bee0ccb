"""Cuts a block of lines into columns at once. A line at a time, Python would need ten times as long."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import compress, groupby
from typing import NamedTuple

from runner.actions.logs.layouts import COMBINED, LONGEST_SIZE, Entry, Layout, read_line

MOMENT = slice(-28, -2)  # of "\n203.0.113.7 - - [22/Nov/2026:09:00:00 +0700] "
FRONT = slice(0, -29)
MINUTE = slice(-28, -11)
ZONE = slice(-8, -2)


class Columns(NamedTuple):
    """Of many lines, the texts that stand at the same place. A head is all before the request, with the end of the line
    before it: "\\n203.0.113.7 - - [22/Nov/2026:09:00:00 +0700] ". The address is its word number `at`. `zone` is b""
    where it is not known that all lines have the same."""

    heads: list[bytes]
    requests: list[bytes]
    statuses: list[bytes]
    sizes: list[bytes]
    referers: list[bytes]
    agents: list[bytes]
    at: int = 0
    zone: bytes = b""

    def entry(self, number: int) -> Entry:
        """One line."""
        head = self.heads[number]
        others = (column[number] for column in self[1:6])
        return Entry(address_of(head[FRONT], self.at), head[MOMENT], *others)

    def entries(self) -> Iterator[Entry]:
        """All lines."""
        addresses = [address_of(head[FRONT], self.at) for head in self.heads]
        return map(Entry, addresses, [head[MOMENT] for head in self.heads], *self[1:6])

    def part(self, lines: slice) -> Columns:
        """Some lines that follow one another."""
        return Columns._make([*(column[lines] for column in self[:6]), self.at, self.zone])

    def zones(self) -> Iterator[Columns]:
        """The lines by their offset from UTC: " +0700", but for two nights a year the same in all of them."""
        if self.zone:
            yield self
            return
        each = [head[ZONE] for head in self.heads]
        for zone in dict.fromkeys(each):
            wanted = [zone == other for other in each]
            yield Columns._make([*(list(compress(column, wanted)) for column in self[:6]), self.at, zone])

    def minutes(self) -> Iterator[tuple[bytes, slice]]:
        """Which lines follow one another in the same minute ("22/Nov/2026:09:00"), with that."""
        end = 0
        for minute, same in groupby([head[MINUTE] for head in self.heads]):
            begin, end = end, end + len(list(same))
            yield minute, slice(begin, end)


def address_of(front: bytes, at: int) -> bytes:
    """Given what stands before a moment ("\\n203.0.113.7 - - "), return its word number `at`."""
    return front[1:].split(b" ", at + 1)[at]


def cut_columns(block: bytes, layout: Layout = COMBINED) -> tuple[Columns, list[bytes]]:
    """Given whole lines, return the columns of those that have the layout, and the lines that have not, as they are.

    Whether a moment is one is looked at where lines are counted.
    """
    if not layout.quotes:
        return _read(block.split(b"\n"), layout)
    text, others = _without_escapes(block)
    columns = _cut(text, layout)
    if columns is None:
        lines = text.split(b"\n")
        regular = [line for line in lines if line.count(b'"') == layout.quotes]
        others += [line for line in lines if line and line.count(b'"') != layout.quotes]
        columns = _cut(b"".join([line + b"\n" for line in regular]), layout)
        if columns is None:
            return _read([*regular, *others], layout)
    return _add(columns, others, layout)


def read_lines(lines: Sequence[bytes], layout: Layout = COMBINED) -> Iterable[Entry | None]:
    """Given whole lines, return each one's texts; None for one that has not the layout."""
    text = b"".join(lines)
    if b'\\"' not in text and (columns := _cut(text, layout)):
        return columns.entries()
    return [read_line(line.rstrip(b"\r\n"), layout) for line in lines]


def _add(columns: Columns, others: list[bytes], layout: Layout) -> tuple[Columns, list[bytes]]:
    """Join to columns the lines that had to be read one at a time."""
    if not others:
        return columns, []
    more, unknown = _read(others, layout)
    joined = (a + b for a, b in zip(columns[:6], more[:6], strict=True))
    return Columns._make([*joined, columns.at, b""]), unknown


def _read(lines: Sequence[bytes], layout: Layout) -> tuple[Columns, list[bytes]]:
    entries: list[Entry] = []
    unknown: list[bytes] = []
    for line in lines:
        entry = read_line(line.rstrip(b"\r"), layout)
        if entry:
            entries.append(entry)
        elif line:
            unknown.append(line)
    front = b"\n" + b"- " * layout.at
    heads = [b"%s%s - - [%s] " % (front, entry.address, entry.moment) for entry in entries]
    rest = map(list, zip(*(entry[2:] for entry in entries), strict=True)) if entries else ([], [], [], [], [])
    return Columns._make([heads, *rest, layout.at, b""]), unknown


def _cut(text: bytes, layout: Layout) -> Columns | None:
    """Given lines, return their columns; None where one of them has another form than the rest."""
    step = layout.quotes
    pieces = text.split(b'"')
    lines = text.count(b"\n")
    if not lines or len(pieces) != step * lines + 1:
        return None
    heads = pieces[0:-1:step]
    heads[0] = b"\n" + heads[0]
    zone = heads[-1][ZONE]
    if not (
        pieces[-1] == b"\n" and heads[-1].endswith(b"] ") and b'"'.join(heads).count(zone + b'] "\n') == lines - 1
    ):  # several offsets from UTC, or something stands behind the last quote
        if any(b"\n" not in head for head in [*heads, pieces[-1]]):
            return None
        heads, zone = [b"\n" + head.partition(b"\n")[2] for head in heads], b""
    # A line's end stands in each head, so that there is none elsewhere.
    words = (
        b"\n".join(pieces[2::step]).replace(b" - ", b" 0 ").split(b" ")
    )  # "", status, size, "\n", status, size, …, ""
    if len(words) != 3 * lines + 1 or words[0] or words[-1] or set(words[3:-1:3]) - {b"\n"}:
        return None
    statuses, sizes = words[1::3], words[2::3]
    if not (all(map(_is_status, set(statuses))) and all(sizes) and b"".join(sizes).isdigit()):
        return None
    if max(map(len, sizes)) > LONGEST_SIZE:
        return None
    if layout.at and any(head.count(b" ", 0, -28) <= layout.at for head in heads):
        return None
    return Columns(heads, pieces[1::step], statuses, sizes, pieces[3::step], pieces[5::step], layout.at, zone)


@lru_cache(maxsize=1024)
def _is_status(text: bytes) -> bool:
    return len(text) == 3 and text.isdigit()


def _without_escapes(block: bytes) -> tuple[bytes, list[bytes]]:
    """Take out the lines with an escaped quote: they are few, and would shift all columns behind them."""
    kept: list[bytes] = []
    others: list[bytes] = []
    last = 0
    position = block.find(b"\\")
    while position >= 0:
        if block[position + 1 : position + 2] != b'"':
            position = block.find(b"\\", position + 2)
            continue
        start, end = block.rfind(b"\n", 0, position) + 1, block.find(b"\n", position) + 1 or len(block)
        kept.append(block[last:start])
        others.append(block[start:end].rstrip(b"\n"))
        last = end
        position = block.find(b"\\", end)
    return (b"".join([*kept, block[last:]]) if kept else block), others
