"""The whole flow laid out on sheets: columns, pages, and everything that is drawn, in millimetres."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from runner.form.chart import DECISION, Edge
from runner.form.cutting import Piece, cut_rows, heading_columns, heading_width, level_height
from runner.form.heads import Cell, Flow, lay_head, words_of_lanes
from runner.form.labels import place_label
from runner.form.levels import Level, stack_rows
from runner.form.measure import line_height, measure, wrap
from runner.form.page import ARRIVING, LABEL_WIDTH, LEAVING, WHOLE, Half, Page, Symbol, lay_page
from runner.form.paper import NOTE, ROOM, Paper
from runner.form.router import MOST_WAYS
from runner.form.shapes import Box
from runner.form.table import ACTORS, NUMBER, TIME, Column
from runner.form.widths import Widths, plan_widths

MOST_TRIES = 4

Line = tuple[tuple[float, float], tuple[float, float]]


class Arrow(NamedTuple):
    """An arrow, or one half of one that goes on at the connector with this number on another sheet."""

    edge: Edge
    part: str
    points: tuple[tuple[float, float], ...]
    connector: int = 0


class Label(NamedTuple):
    """An arrow's label; not `free` where it covers a symbol or another label, for want of room."""

    edge: Edge
    box: Box
    lines: tuple[str, ...]
    free: bool


class Sheet(NamedTuple):
    """A page. Everything on it is `scale` times as large as it is to be drawn. `turns` are the points of marks below
    texts that go on on the next page."""

    width: float
    height: float
    scale: float
    cells: tuple[Cell, ...]
    rules: tuple[Line, ...]
    turns: tuple[tuple[float, float], ...]
    symbols: tuple[Symbol, ...]
    numbers: Mapping[str, int]
    arrows: tuple[Arrow, ...]
    labels: tuple[Label, ...]


def lay_sheets(flow: Flow, paper: Paper) -> tuple[Sheet, ...]:
    """Given the flow and the paper, return its sheets. Lanes grow until all their arrows have room."""
    needs = [0.0] * len(flow.lanes)
    for attempt in range(MOST_TRIES):
        widths = plan_widths(flow.columns, flow.rows, words_of_lanes(flow), needs, paper.inner_width)
        room = paper.inner_height * widths.scale
        heads = list(lay_head(flow, widths))
        bottom = max((cell.box.bottom for cell in heads), default=0.0)
        pages = _paginate(flow, widths, room - bottom)
        grown = [max(need, *(page.needs[lane] for page in pages)) for lane, need in enumerate(needs)]
        fits = all(need <= width + 0.01 for need, width in zip(grown, widths.lanes, strict=False))
        if fits or attempt == MOST_TRIES - 1:
            break
        needs = grown
    numbers = _number_connectors(flow.chart.edges, pages)
    return tuple(_sheet(flow, widths, heads, page, numbers, room) for page in pages)


def _paginate(flow: Flow, widths: Widths, room: float) -> list[Page]:
    levels = stack_rows(flow.chart.nodes, flow.chart.edges)
    pieces = cut_rows(flow.rows, flow.columns, levels, widths, room)
    pages = []
    start = 0
    while start < len(pieces):
        end = _estimate(pieces, start, widths, room)
        while True:
            page = lay_page(pieces[start:end], flow.chart.edges, widths)
            if page.height <= room or end == start + 1:
                break
            fit = sum(1 for row in page.rows if row.y + row.height <= room)
            end = _before_heading(pieces, start, min(start + max(fit, 1), end - 1))
        pages.append(page)
        start = end
    return pages


def _estimate(pieces: Sequence[Piece], start: int, widths: Widths, room: float) -> int:
    """Where a page that begins there ends at the latest."""
    end, used = start, 0.0
    while end < len(pieces):
        piece = pieces[end]
        stack = sum(level_height(level, widths) + 2 * ROOM + _labels_room(level) for level in piece.levels)
        used += max(piece.text_height, stack)
        if used > room and end > start:
            break
        end += 1
    return end if end == len(pieces) else _before_heading(pieces, start, end)


def _labels_room(level: Level) -> float:
    """What the labels of decisions usually take."""
    return line_height(NOTE) if any(node.symbol == DECISION for node in level) else 0.0


def _before_heading(pieces: Sequence[Piece], start: int, end: int) -> int:
    """The end of a page, so that no heading stands alone at its foot."""
    while end - 1 > start and pieces[end - 1].heading:
        end -= 1
    return end


def _number_connectors(edges: Sequence[Edge], pages: Sequence[Page]) -> Mapping[Edge, int]:
    """Arrows over pages, numbered by the page and order in which they leave."""
    used = {symbol.node.text for page in pages for symbol in page.symbols if symbol.half is None}
    leaving = [half.edge for page in pages for half in page.arrows if half.part == LEAVING]
    free = (number for number in range(1, len(edges) + len(used) + 1) if str(number) not in used)
    return dict(zip(leaving, free, strict=False))


def _sheet(
    flow: Flow, widths: Widths, heads: Sequence[Cell], page: Page, numbers: Mapping[Edge, int], room: float
) -> Sheet:
    bottom = max((cell.box.bottom for cell in heads), default=0.0)
    left = _lanes_left(flow.columns, widths)
    cells = [*heads, *_cells(flow, widths, page, bottom)]
    symbols = tuple(_moved(symbol, left, bottom) for symbol in page.symbols)
    arrows = tuple(
        Arrow(half.edge, half.part, tuple((x + left, y + bottom) for x, y in points), _number(half, numbers))
        for half, points in page.arrows.items()
    )
    height = bottom + page.height
    grow = max(1.0, height / room)
    area = Box(left, bottom, sum(widths.lanes), page.height)
    return Sheet(
        width=widths.total,
        height=height,
        scale=widths.scale * grow,
        cells=tuple(cells),
        rules=tuple(_rules(flow, widths, heads, page, bottom)),
        turns=tuple(_turns(flow, widths, page, bottom)),
        symbols=symbols,
        numbers={symbol.node.id: numbers[symbol.half.edge] for symbol in symbols if symbol.half},
        arrows=arrows,
        labels=tuple(_labels(arrows, symbols, area)),
    )


def _number(half: Half, numbers: Mapping[Edge, int]) -> int:
    return 0 if half.part == WHOLE else numbers[half.edge]


def _lanes_left(columns: Sequence[Column], widths: Widths) -> float:
    x = 0.0
    for column in columns:
        if column.key == ACTORS:
            return x
        x += widths.of(column)
    return x


def _moved(symbol: Symbol, left: float, top: float) -> Symbol:
    boxes = tuple(box._replace(x=box.x + left, y=box.y + top) for box in symbol.boxes)
    return symbol._replace(boxes=boxes)


def _cells(flow: Flow, widths: Widths, page: Page, top: float) -> Iterator[Cell]:
    for row in page.rows:
        piece = row.piece
        if piece.heading:
            start = _start(flow.columns, heading_columns(flow.columns), widths)
            box = Box(start, row.y + top, heading_width(flow.columns, widths), row.height)
            yield Cell(box, piece.lines["heading"], "heading", piece.row, "heading")
            continue
        x = 0.0
        for column in flow.columns:
            lines = piece.lines.get(column.key, ())
            if lines:
                kind = "centre" if column.key in (NUMBER, TIME) else "text"
                yield Cell(Box(x, row.y + top, widths.of(column), row.height), lines, kind, piece.row, column.key)
            x += widths.of(column)


def _start(columns: Sequence[Column], chosen: Sequence[Column], widths: Widths) -> float:
    return sum(widths.of(column) for column in columns[: list(columns).index(chosen[0])])


def _rules(flow: Flow, widths: Widths, heads: Sequence[Cell], page: Page, top: float) -> Iterator[Line]:
    """The table's lines: around each heading, below each row that ends, between columns and lanes."""
    for cell in heads:
        if cell.kind != "title":
            x, y, right, bottom = cell.box.x, cell.box.y, cell.box.right, cell.box.bottom
            yield from (((x, y), (right, y)), ((x, bottom), (right, bottom)))
            yield from (((x, y), (x, bottom)), ((right, y), (right, bottom)))
    for row in page.rows:
        start, end = top + row.y, top + row.y + row.height
        yield (0.0, end), (widths.total, end)
        yield from (((x, start), (x, end)) for x in _borders(flow, widths, row.piece))


def _turns(flow: Flow, widths: Widths, page: Page, top: float) -> Iterator[tuple[float, float]]:
    """The points of the marks that tell that a cell's text goes on on the next page."""
    for row in page.rows:
        x = 0.0
        for column in flow.columns:
            if column.key in row.piece.more:
                yield x + widths.of(column) / 2, top + row.y + row.height - 0.4
            x += widths.of(column)


def _borders(flow: Flow, widths: Widths, piece: Piece) -> Iterator[float]:
    """Where columns and lanes end; not within a heading."""
    spanned = heading_columns(flow.columns)[:-1] if piece.heading else []
    x = 0.0
    yield x
    for column in flow.columns:
        for width in widths.lanes if column.key == ACTORS else (widths.of(column),):
            x += width
            if column not in spanned:
                yield x


def _labels(arrows: Sequence[Arrow], symbols: Sequence[Symbol], area: Box) -> Iterator[Label]:
    """Each label once: with the whole arrow, or with the half that leaves."""
    solids = [box for symbol in symbols for box in (*symbol.boxes, *_bars(symbol.boxes))]
    lines = [arrow.points for arrow in arrows]
    labelled = [arrow for arrow in arrows if arrow.edge.label and arrow.part != ARRIVING]
    leaving = Counter(arrow.edge.source for arrow in labelled)
    for arrow in sorted(labelled, key=lambda arrow: _length(arrow.points)):
        shared = leaving[arrow.edge.source] > MOST_WAYS  # what many share is no place for one's label
        label = _place(arrow._replace(points=arrow.points[::-1]) if shared else arrow, solids, lines, area)
        solids.append(label.box)
        yield label


def _bars(boxes: Sequence[Box]) -> Iterator[Box]:
    """The double lines that join the boxes of one symbol."""
    for one, two in pairwise(boxes):
        yield Box(one.right, one.y + one.height / 2 - 0.4, two.x - one.right, 0.8)


def _length(points: Sequence[tuple[float, float]]) -> float:
    return sum(abs(x2 - x1) + abs(y2 - y1) for (x1, y1), (x2, y2) in pairwise(points))


def _place(arrow: Arrow, solids: Sequence[Box], lines: Sequence[Sequence[tuple[float, float]]], area: Box) -> Label:
    """The label in its place; where none is free, its lines become shorter."""
    for width in (LABEL_WIDTH + 4.0, LABEL_WIDTH, 9.0):
        text = tuple(wrap(arrow.edge.shown, width, NOTE))
        size = (max(measure(line.rstrip(), NOTE) for line in text), len(text) * line_height(NOTE))
        box, free = place_label(arrow.points, size, solids, lines, area)
        if free:
            break
    return Label(arrow.edge, box, text, free)
