"""What is laid out, and the table's heading: groups, columns, lanes, and a row of numbers where the form has one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from runner.form.chart import Chart
from runner.form.measure import line_height, wrap
from runner.form.paper import HEAD, LANE, PAD, TEXT
from runner.form.shapes import Box
from runner.form.table import ACTORS, Column, Row
from runner.form.widths import Widths


class Flow(NamedTuple):
    """What is laid out: the title above the flow, its columns, the lanes' headings, rows and chart; `over` is what
    stands above each lane's heading, "" where nothing does: neighbours share it."""

    title: str
    columns: tuple[Column, ...]
    lanes: tuple[str, ...]
    rows: tuple[Row, ...]
    chart: Chart
    over: tuple[str, ...] = ()


class Cell(NamedTuple):
    """Text in a box. `kind` is "head", "lane", "number", "text", "centre", "heading" or "title"; lines joined are the
    text. `row` counts from 0; it and `column` are set for texts of rows."""

    box: Box
    lines: tuple[str, ...]
    kind: str
    row: int = -1
    column: str = ""

    @property
    def size(self) -> float:
        """The size of type in points."""
        return {"head": HEAD, "lane": LANE, "title": HEAD + 1}.get(self.kind, TEXT)


def lay_head(flow: Flow, widths: Widths) -> Iterator[Cell]:
    """Yield the title above the table and its heading: two rows, and a third where columns are numbered."""
    top = 0.0
    if flow.title:
        yield Cell(Box(0.0, 0.0, widths.total, line_height(HEAD + 1) + 2.0), (flow.title,), "title")
        top = line_height(HEAD + 1) + 2.0
    upper = max((_tall((c.group,), (_group_width(flow.columns, at, widths),)) for at, c in _groups(flow)), default=0.0)
    above = _tall_over(flow, widths)
    lower = max(
        [_tall((c.heading,), (widths.of(c),)) for c in flow.columns if c.group and c.key != ACTORS]
        + [
            _tall((label,), (width,), LANE) + (above if over else 0.0)
            for label, width, over in zip(flow.lanes, widths.lanes, _over(flow), strict=False)
        ],
        default=0.0,
    )
    alone = max((_tall((c.heading,), (widths.of(c),)) for c in flow.columns if not c.group), default=0.0)
    actors = next((c for c in flow.columns if c.key == ACTORS), None)
    if actors is not None:
        upper = max(upper, _tall((actors.heading,), (widths.of(actors),)))
    lower = max(lower, alone - upper)
    yield from _head_cells(flow, widths, top, upper, lower)
    if any(column.numbers for column in flow.columns):
        yield from _number_cells(flow, widths, top + upper + lower)


def _groups(flow: Flow) -> Iterator[tuple[int, Column]]:
    """Columns that begin a group, by their place."""
    for at, column in enumerate(flow.columns):
        if column.group and (at == 0 or flow.columns[at - 1].group != column.group):
            yield at, column


def _group_width(columns: Sequence[Column], at: int, widths: Widths) -> float:
    end = at
    while end < len(columns) and columns[end].group == columns[at].group:
        end += 1
    return sum(widths.of(column) for column in columns[at:end])


def _tall(texts: Sequence[str], widths: Sequence[float], size: float = HEAD) -> float:
    lines = max(len(wrap(t, w - 2 * PAD, size, bold=True)) for t, w in zip(texts, widths, strict=True))
    return max(lines, 1) * line_height(size) + 2 * PAD


def _head_cells(flow: Flow, widths: Widths, top: float, upper: float, lower: float) -> Iterator[Cell]:
    x = 0.0
    begins = dict(_groups(flow))
    for at, column in enumerate(flow.columns):
        width = widths.of(column)
        if at in begins:
            yield _head_cell(Box(x, top, _group_width(flow.columns, at, widths), upper), column.group)
        if column.key == ACTORS:
            yield _head_cell(Box(x, top, width, upper), column.heading)
            yield from _lane_cells(flow, widths, Box(x, top + upper, width, lower))
        elif column.group:
            yield _head_cell(Box(x, top + upper, width, lower), column.heading)
        else:
            yield _head_cell(Box(x, top, width, upper + lower), column.heading)
        x += width


def words_of_lanes(flow: Flow) -> tuple[str, ...]:
    """The words that each lane must be wide enough for: its heading's, and those above it that it does not share."""
    over = _over(flow)
    return tuple(
        f"{label} {over[lane]}" if over[lane] and over.count(over[lane]) == 1 else label
        for lane, label in enumerate(flow.lanes)
    )


def _lane_cells(flow: Flow, widths: Widths, box: Box) -> Iterator[Cell]:
    """The lanes' headings, and above neighbours that have it in common, what stands over them."""
    left, above = box.x, _tall_over(flow, widths)
    shared = _over(flow)
    for lane, (label, width) in enumerate(zip(flow.lanes, widths.lanes, strict=True)):
        down = above if shared[lane] else 0.0
        if shared[lane] and (lane == 0 or shared[lane - 1] != shared[lane]):
            yield _head_cell(Box(left, box.y, _shared_width(flow, widths, lane), above), shared[lane], "lane")
        yield _head_cell(Box(left, box.y + down, width, box.height - down), label, "lane")
        left += width


def _tall_over(flow: Flow, widths: Widths) -> float:
    """How tall the row is in which headings stand over those of lanes; 0 where none do."""
    over = _over(flow)
    begins = [lane for lane, text in enumerate(over) if text and (lane == 0 or over[lane - 1] != text)]
    return max((_tall((over[lane],), (_shared_width(flow, widths, lane),), LANE) for lane in begins), default=0.0)


def _over(flow: Flow) -> tuple[str, ...]:
    return flow.over or ("",) * len(flow.lanes)


def _shared_width(flow: Flow, widths: Widths, lane: int) -> float:
    end = lane
    while end < len(flow.lanes) and flow.over[end] == flow.over[lane]:
        end += 1
    return sum(widths.lanes[lane:end])


def _head_cell(box: Box, text: str, kind: str = "head") -> Cell:
    size = LANE if kind == "lane" else HEAD
    return Cell(box, tuple(wrap(text, box.width - 2 * PAD, size, bold=True)), kind)


def _number_cells(flow: Flow, widths: Widths, top: float) -> Iterator[Cell]:
    x = 0.0
    for column in flow.columns:
        parts = widths.lanes if column.key == ACTORS else (widths.of(column),)
        numbers = [*column.numbers, *[""] * len(parts)]
        for width, number in zip(parts, numbers, strict=False):
            lines = tuple(wrap(number, width - 2 * PAD, TEXT))
            yield Cell(Box(x, top, width, line_height(TEXT) + 2 * PAD), lines, "number")
            x += width
