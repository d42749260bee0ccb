"""One page of the flow: symbols and arrows on the grid, then rows, symbols and arrows in millimetres."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from runner.form.chart import CONNECTOR, Edge, Node
from runner.form.cutting import Piece, lane_room
from runner.form.grid import MIDDLE, Point, Spot
from runner.form.levels import Level, find_runs
from runner.form.measure import line_height, wrap
from runner.form.paper import GAP, NOTE, PORT, PORT_DOWN, ROOM
from runner.form.router import Link, Routes, route
from runner.form.shapes import Box, Size, edge_x, edge_y, size_symbol
from runner.form.widths import Widths

LABEL_WIDTH = 13.0
WHOLE, LEAVING, ARRIVING = "whole", "leaving", "arriving"


class Half(NamedTuple):
    """An arrow on this page: whole, or one of the halves of one that leads to another page."""

    edge: Edge
    part: str


class PlacedRow(NamedTuple):
    """A piece of a row and where it lies."""

    piece: Piece
    y: float
    height: float


class Symbol(NamedTuple):
    """A symbol on the page: one box for each run of its lanes. `half` is set for connectors over pages."""

    node: Node
    size: Size
    boxes: tuple[Box, ...]
    half: Half | None = None


class Page(NamedTuple):
    """A page of the flow, its rows beginning at y = 0, its lanes at x = 0; `needs` is the width each lane needs."""

    rows: tuple[PlacedRow, ...]
    symbols: tuple[Symbol, ...]
    arrows: Mapping[Half, tuple[tuple[float, float], ...]]
    needs: tuple[float, ...]

    @property
    def height(self) -> float:
        return self.rows[-1].y + self.rows[-1].height if self.rows else 0.0


def lay_page(pieces: Sequence[Piece], edges: Sequence[Edge], widths: Widths) -> Page:
    """Given the pieces on a page and all arrows of the chart, return the page."""
    stacks: list[tuple[Level, ...]] = [piece.levels for piece in pieces]
    here = {node.id: node for stack in stacks for level in stack for node in level}
    halves = list(_halves(edges, here))
    arriving = {_name(half): half for half in halves if half.part == ARRIVING}
    leaving = {_name(half): half for half in halves if half.part == LEAVING}
    if pieces:
        stacks[0] = (*_band(arriving, here, len(widths.lanes)), *stacks[0])
        stacks[-1] = (*stacks[-1], *_band(leaving, here, len(widths.lanes)))
    levels = [level for stack in stacks for level in stack]
    spots = tuple(Spot(n.id, at, find_runs(n.lanes), n.symbol) for at, level in enumerate(levels) for n in level)
    links = {_link(half): half for half in halves}
    routes = route(spots, tuple(links), len(widths.lanes))
    return _Measuring(pieces, stacks, routes, widths, links, arriving | leaving).page()


def _halves(edges: Iterable[Edge], here: Mapping[str, Node]) -> Iterator[Half]:
    for edge in edges:
        ends = (edge.source in here, edge.target in here)
        if ends == (True, True):
            yield Half(edge, WHOLE)
        elif any(ends):
            yield Half(edge, LEAVING if ends[0] else ARRIVING)


def _name(half: Half) -> str:
    return f"{half.part}:{half.edge.source}:{half.edge.target}:{half.edge.label}"


def _link(half: Half) -> Link:
    edge = half.edge
    if half.part == LEAVING:
        return Link(edge.source, _name(half), edge.label)
    return Link(_name(half), edge.target) if half.part == ARRIVING else Link(edge.source, edge.target, edge.label)


def _band(halves: Mapping[str, Half], here: Mapping[str, Node], lanes: int) -> list[Level]:
    """Levels of connectors: each in its symbol's lane, or in the nearest one that is free."""
    band: list[list[Node]] = []
    for name, half in halves.items():
        node = here[half.edge.source if half.part == LEAVING else half.edge.target]
        wanted = node.lanes[0]
        if not band or len(band[-1]) == lanes:
            band.append([])
        taken = {lane for each in band[-1] for lane in each.lanes}
        lane = min((lane for lane in range(lanes) if lane not in taken), key=lambda lane: abs(lane - wanted))
        band[-1].append(Node(name, node.row, (lane,), CONNECTOR))
    return [tuple(level) for level in band]


class _Measuring:
    """Gives the lines of the grid that are used their places on paper."""

    def __init__(
        self,
        pieces: Sequence[Piece],
        stacks: Sequence[tuple[Level, ...]],
        routes: Routes,
        widths: Widths,
        links: Mapping[Link, Half],
        connectors: Mapping[str, Half],
    ) -> None:
        self._pieces, self._stacks, self._routes, self._links = pieces, stacks, routes, links
        self._widths, self._connectors = widths, connectors
        self._levels = [level for stack in stacks for level in stack]
        self._sizes = {node.id: self._size(node) for level in self._levels for node in level}
        self._level_of = {node.id: at for at, level in enumerate(self._levels) for node in level}
        self._used_x, self._used_y = _used(routes)

    def page(self) -> Page:
        xs, needs = self._across()
        ys, rows = self._down()
        symbols = {node.id: self._symbol(node, xs, ys) for level in self._levels for node in level}
        arrows = {
            half: self._trace(self._routes.paths[link], symbols[link.source], symbols[link.target], xs, ys)
            for link, half in self._links.items()
        }
        return Page(tuple(rows), tuple(symbols.values()), arrows, tuple(needs))

    def _size(self, node: Node) -> Size:
        return size_symbol(node, lane_room(node, self._widths))

    def _across(self) -> tuple[dict[int, float], list[float]]:
        """The places of vertical lines, and the width that each lane needs."""
        grid = self._routes.grid
        xs: dict[int, float] = {}
        needs = []
        left = 0.0
        for lane, width in enumerate(self._widths.lanes):
            half = self._half_width(lane)
            before, after = self._tracks(self._used_x, lane)
            for tracks, start in ((before, left), (after, left + width / 2 + half)):
                room = width / 2 - half
                xs |= {line: start + room * (at + 1) / (len(tracks) + 1) for at, line in enumerate(tracks)}
            middle = lane * grid.pitch + grid.tracks
            xs |= {middle + at: left + width / 2 + PORT * (at - 1) for at in range(MIDDLE)}
            margin = max(ROOM, GAP * (1 + max(len(before), len(after))))
            needs.append(2 * (half + margin))
            left += width
        return xs, needs

    def _half_width(self, lane: int) -> float:
        """Half the width of the widest symbol that begins or ends in a lane."""
        ends = [node for level in self._levels for node in level if any(lane in run for run in find_runs(node.lanes))]
        return max((self._sizes[node.id].width / 2 for node in ends), default=6.5)

    def _tracks(self, used: Iterable[int], number: int) -> tuple[list[int], list[int]]:
        """Used tracks before and after the middle of a lane or level, in order."""
        grid = self._routes.grid
        places = [(line, grid.place(line)[1]) for line in sorted(used) if grid.place(line)[0] == number]
        before = [line for line, place in places if place < grid.tracks]
        return before, [line for line, place in places if place >= grid.tracks + MIDDLE]

    def _down(self) -> tuple[dict[int, float], list[PlacedRow]]:
        """The places of horizontal lines, and the rows."""
        ys: dict[int, float] = {}
        rows = []
        y, level = 0.0, 0
        for piece, stack in zip(self._pieces, self._stacks, strict=True):
            heights = [self._level_parts(level + at) for at in range(len(stack))]
            height = max(piece.text_height, sum(sum(parts) for parts in heights))
            cursor = y + (height - sum(sum(parts) for parts in heights)) / 2
            for above, tall, below in heights:
                self._place_level(ys, level, cursor, (above, tall, below))
                cursor += above + tall + below
                level += 1
            rows.append(PlacedRow(piece, y, height))
            y += height
        return ys, rows

    def _place_level(self, ys: dict[int, float], level: int, top: float, parts: tuple[float, float, float]) -> None:
        grid = self._routes.grid
        above, tall, below = parts
        before, after = self._tracks(self._used_y, level)
        ys |= {line: top + above * (at + 1) / (len(before) + 1) for at, line in enumerate(before)}
        middle = level * grid.pitch + grid.tracks
        ys |= {middle + at: top + above + tall / 2 + PORT_DOWN * (at - 1) for at in range(MIDDLE)}
        start = top + above + tall
        ys |= {line: start + below * (at + 1) / (len(after) + 1) for at, line in enumerate(after)}

    def _level_parts(self, level: int) -> tuple[float, float, float]:
        """The heights above, of and below a level's symbols: room for tracks and for labels."""
        before, after = self._tracks(self._used_y, level)
        tall = max(self._sizes[node.id].height for node in self._levels[level])
        up, down = self._label_room(level)
        return max(ROOM, GAP * (len(before) + 1)) + up, tall, max(ROOM, GAP * (len(after) + 1)) + down

    def _label_room(self, level: int) -> tuple[float, float]:
        up = down = 0.0
        for link, half in self._links.items():
            if link.label and self._level_of[link.source] == level:
                height = len(wrap(half.edge.shown, LABEL_WIDTH, NOTE)) * line_height(NOTE) + 0.4
                down = max(down, height)
                up = max(up, height) if self._level_of[link.target] <= level else up
        return up, down

    def _symbol(self, node: Node, xs: Mapping[int, float], ys: Mapping[int, float]) -> Symbol:
        grid = self._routes.grid
        size = self._sizes[node.id]
        y = ys[self._level_of[node.id] * grid.pitch + grid.tracks + 1] - size.height / 2
        boxes = []
        for first, last in find_runs(node.lanes):
            left, right = (xs[lane * grid.pitch + grid.tracks + 1] for lane in (first, last))
            boxes.append(Box(left - size.width / 2, y, right - left + size.width, size.height))
        return Symbol(node, size, tuple(boxes), self._connectors.get(node.id))

    def _trace(
        self, path: Sequence[Point], source: Symbol, target: Symbol, xs: Mapping[int, float], ys: Mapping[int, float]
    ) -> tuple[tuple[float, float], ...]:
        """The path in millimetres, from the edge of one symbol to the edge of the other."""
        points = [(xs[point.x], ys[point.y]) for point in path]
        points[0] = self._meet(source, path[0], path[1], points[0])
        points[-1] = self._meet(target, path[-1], path[-2], points[-1])
        return tuple(points)

    def _meet(self, symbol: Symbol, end: Point, near: Point, at: tuple[float, float]) -> tuple[float, float]:
        lane = self._routes.grid.place(end.x)[0]
        runs = find_runs(symbol.node.lanes)
        box = symbol.boxes[next(number for number, (first, last) in enumerate(runs) if first <= lane <= last)]
        if end.x == near.x:
            return at[0], edge_y(symbol.node.symbol, box, at[0], top=near.y < end.y)
        return edge_x(symbol.node.symbol, box, at[1], left=near.x < end.x), at[1]


def _used(routes: Routes) -> tuple[set[int], set[int]]:
    """The vertical and the horizontal lines that an arrow lies on."""
    xs: set[int] = set()
    ys: set[int] = set()
    for path in routes.paths.values():
        for one, two in pairwise(path):
            (xs if one.x == two.x else ys).add(one.x if one.x == two.x else one.y)
    return xs, ys
