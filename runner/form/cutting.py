"""Rows cut into pieces that fit on a page: a text of twenty pages runs on over twenty pages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from runner.form.chart import Node
from runner.form.levels import Level
from runner.form.measure import line_height, wrap
from runner.form.paper import PAD, ROOM, TEXT
from runner.form.shapes import size_symbol
from runner.form.table import ACTORS, Column, Row
from runner.form.widths import Widths

TURN = 2.0  # millimetres for the mark below a text that goes on on the next page


class Piece(NamedTuple):
    """What of a row stands together: lines of text by column, levels of symbols. `part` counts from 0; `last` tells
    that the row ends here, `more` names the columns whose text goes on on the next page. A `heading` is a line of its
    own above a row, whose symbols it has none of."""

    row: int
    part: int
    lines: Mapping[str, tuple[str, ...]]
    levels: tuple[Level, ...] = ()
    last: bool = True
    heading: bool = False
    more: frozenset[str] = frozenset()

    @property
    def text_height(self) -> float:
        """The height that its texts need."""
        lines = max((len(lines) for lines in self.lines.values()), default=0)
        return lines * line_height(TEXT) + 2 * PAD + (TURN if self.more else 0.0)


def cut_rows(
    rows: Sequence[Row],
    columns: Sequence[Column],
    levels: Mapping[int, tuple[Level, ...]],
    widths: Widths,
    room: float,
) -> list[Piece]:
    """Given the table and the height of a page's rows, return the pieces in order."""
    pieces: list[Piece] = []
    keys = [column.key for column in columns if column.key != ACTORS]
    for row in rows:
        if row.heading:
            pieces += _cut_heading(row, heading_width(columns, widths), room)
        texts = {key: wrap(row.texts.get(key, "").rstrip("\n"), widths.columns[key] - 2 * PAD, TEXT) for key in keys}
        pieces += _cut(row, texts, levels.get(row.place, ()), widths, room)
    return pieces


def heading_columns(columns: Sequence[Column]) -> list[Column]:
    """The columns that a heading between rows runs over: those before the lanes, or all where these come first."""
    keys = [column.key for column in columns]
    if ACTORS not in keys:
        return list(columns)
    at = keys.index(ACTORS)
    return list(columns[:at] or columns[at + 1 :])


def heading_width(columns: Sequence[Column], widths: Widths) -> float:
    """The width of these columns together."""
    return sum(widths.of(column) for column in heading_columns(columns))


def level_height(level: Level, widths: Widths) -> float:
    """The height of a level's tallest symbol."""
    return max((size_symbol(node, lane_room(node, widths)).height for node in level), default=0.0)


def lane_room(node: Node, widths: Widths) -> float:
    """The width that a symbol may take: its lanes', without room for tracks."""
    first = widths.lanes[node.lanes[0]]
    return max(first - 2 * ROOM, 12.0)


def _cut(
    row: Row, texts: Mapping[str, list[str]], levels: Sequence[Level], widths: Widths, room: float
) -> Iterator[Piece]:
    most = max(int((room - 2 * PAD - TURN) / line_height(TEXT)), 1)
    chunks = {key: [tuple(lines[at : at + most]) for at in range(0, len(lines), most)] for key, lines in texts.items()}
    stacks = list(_cut_levels(levels, widths, room))
    count = max(1, len(stacks), *(len(parts) for parts in chunks.values())) if chunks else max(1, len(stacks))
    for part in range(count):
        lines = {key: parts[part] for key, parts in chunks.items() if part < len(parts)}
        stack = stacks[part] if part < len(stacks) else ()
        more = frozenset(key for key, parts in chunks.items() if part + 1 < len(parts))
        yield Piece(row.place, part, lines, stack, part == count - 1, more=more)


def _cut_levels(levels: Sequence[Level], widths: Widths, room: float) -> Iterator[tuple[Level, ...]]:
    stack: list[Level] = []
    height = 0.0
    for level in levels:
        needed = level_height(level, widths) + 4 * ROOM
        if stack and height + needed > room * 0.7:
            yield tuple(stack)
            stack, height = [], 0.0
        stack.append(level)
        height += needed
    if stack:
        yield tuple(stack)


def _cut_heading(row: Row, width: float, room: float) -> Iterator[Piece]:
    lines = wrap(row.heading, width - 2 * PAD, TEXT, bold=True)
    most = max(int((room - 2 * PAD) / line_height(TEXT)), 1)
    for part, at in enumerate(range(0, len(lines), most)):
        yield Piece(
            row.place, part, {"heading": tuple(lines[at : at + most])}, last=at + most >= len(lines), heading=True
        )
