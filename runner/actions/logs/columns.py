"""Cuts a block of lines into columns at once. A line at a time, Python would need ten times as long."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import compress
from typing import NamedTuple

from runner.actions.logs.layouts import COMBINED, Entry, Layout, parse_moment, read_line

MOMENT = len(b"22/Nov/2026:09:00:00 +0700")
MINUTE = len(b"22/Nov/2026:09:00")


class Columns(NamedTuple):
    """Of many lines, the texts that stand at the same place, as `Entry` has them for one."""

    addresses: list[bytes]
    moments: list[bytes]
    requests: list[bytes]
    statuses: list[bytes]
    sizes: list[bytes]
    referers: list[bytes]
    agents: list[bytes]

    @property
    def minutes(self) -> list[bytes]:
        """The moments without their seconds: "22/Nov/2026:09:00 +0700"."""
        return [moment[:MINUTE] + moment[MINUTE + 3 :] for moment in self.moments]

    def entry(self, number: int) -> Entry:
        """One line."""
        return Entry(*[column[number] for column in self])

    def only(self, wanted: Sequence[bool]) -> Columns:
        """The lines that are wanted."""
        return Columns(*(list(compress(column, wanted)) for column in self))


def cut_columns(block: bytes, layout: Layout = COMBINED) -> tuple[Columns, list[bytes]]:
    """Given whole lines, return the columns of those that have the layout, and the lines that have not, as they are."""
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


def _add(columns: Columns, others: list[bytes], layout: Layout) -> tuple[Columns, list[bytes]]:
    """Join to columns the lines that had to be read one at a time."""
    if not others:
        return columns, []
    more, unknown = _read(others, layout)
    return (Columns(*(a + b for a, b in zip(columns, more, strict=True))) if more.requests else columns), unknown


def _read(lines: Sequence[bytes], layout: Layout) -> tuple[Columns, list[bytes]]:
    entries: list[Entry] = []
    unknown: list[bytes] = []
    for line in lines:
        entry = read_line(line.rstrip(b"\r"), layout)
        if entry:
            entries.append(entry)
        elif line:
            unknown.append(line)
    return (Columns(*map(list, zip(*entries, strict=True))) if entries else _none()), unknown


def _none() -> Columns:
    return Columns([], [], [], [], [], [], [])


def _cut(text: bytes, layout: Layout) -> Columns | None:
    """Given lines, return their columns; None where one of them has another form than the rest."""
    step, at = layout.quotes, layout.at
    pieces = text.split(b'"')
    lines = text.count(b"\n")
    if not lines or len(pieces) != step * lines + 1:
        return None
    heads = b"".join(pieces[0:-1:step]).split(b"\n")
    if len(heads) != lines:
        return None
    if not {piece[:1] for piece in pieces[step:-1:step]} <= {b"\n"}:  # something stands behind the last quote
        if any(b"\n" not in piece for piece in pieces[step:-1:step]):
            return None
        heads = [pieces[0], *(piece.partition(b"\n")[2] for piece in pieces[step:-1:step])]
    if b"\n" not in pieces[-1]:
        return None
    moments = [head[-28:-2] for head in heads]
    tails = pieces[2::step]
    statuses = [tail[1:4] for tail in tails]
    sizes = [tail[5:-1] for tail in tails]
    zones = {moment[MINUTE + 3 :] for moment in moments}
    if not (_all_moments({moment[:MINUTE] for moment in moments}, zones) and all(map(_is_status, set(statuses)))):
        return None
    if not b"".join(sizes).replace(b"-", b"").isdigit():
        return None
    addresses = [head.split(b" ", at + 1)[at] for head in heads]  # a moment has a blank: there are words enough
    return Columns(addresses, moments, pieces[1::step], statuses, sizes, pieces[3::step], pieces[5::step])


def _all_moments(minutes: set[bytes], zones: set[bytes]) -> bool:
    """Whether all of them are, however they stand together; seconds are looked at where they are needed."""
    return all(_is_minute(minute, zone) for minute in minutes for zone in zones)


@lru_cache(maxsize=8192)
def _is_minute(minute: bytes, zone: bytes) -> bool:
    return parse_moment(minute + b":00" + zone) is not None


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
