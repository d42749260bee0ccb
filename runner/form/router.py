"""Arrows on a grid of lanes and levels: orthogonal paths that pass through no symbol and lie on no other arrow.

A lane has a few tracks, three lines through its middle, and a few tracks; a level of symbols likewise from top to
bottom. A symbol covers the three lines of its lanes and its level; an arrow leaves and enters it over the ends of these
lines. What comes out are paths by number of line; where the lines lie on paper is decided afterwards, when it is known
which of them are used. So no track is ever too narrow.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import lru_cache
from heapq import heappop, heappush
from itertools import pairwise
from typing import NamedTuple

from runner.form.chart import DECISION
from runner.form.grid import DOWN, LANE, LEFT, LEVEL, RIGHT, UP, Grid, Point, Port, Spot, bar, cover, ports, positions

_STEPS = {UP: (0, -1), RIGHT: (1, 0), DOWN: (0, 1), LEFT: (-1, 0)}
_BEND, _CROSSING, _FORBIDDEN = 7.0, 6.0, 400.0  # in the grid's lengths


MOST_WAYS = 8  # out of one symbol, each on a line of its own

Window = tuple[int, int, int, int]  # the first and the last line from left to right, and from top to bottom
Ends = Mapping[tuple[Point, int], float]


class Link(NamedTuple):
    """An arrow from one spot to another. Links with `label` share no line with others of the same source."""

    source: str
    target: str
    label: str = ""


class Routes(NamedTuple):
    """Each link's path (its ends lie under the symbols), and the grid that the numbers belong to."""

    grid: Grid
    paths: Mapping[Link, tuple[Point, ...]]


@lru_cache(maxsize=256)  # the same page is measured again whenever a lane grows
def route(spots: tuple[Spot, ...], links: tuple[Link, ...], lanes: int) -> Routes:
    """Given symbols and arrows, return the arrows' paths. Short arrows are laid first; arrows that leave one symbol in
    very great number share lines."""
    levels = 1 + max((spot.level for spot in spots), default=0)
    by_id = {spot.id: spot for spot in spots}
    order = sorted(links, key=lambda link: _distance(by_id[link.source], by_id[link.target]))
    leaving = Counter(link.source for link in links)
    crowded = {source for source, count in leaving.items() if count > MOST_WAYS}
    for tracks in (2, 4, 8):
        search = _Search(Grid(lanes, levels, tracks), spots, crowded)
        paths = {link: path for link in order if (path := search.lay(link, by_id, lenient=tracks == 8))}
        if len(paths) == len(links):
            break
    return Routes(search.grid, {link: paths[link] for link in links})


def _distance(source: Spot, target: Spot) -> tuple[int, int]:
    rise = target.level - source.level
    apart = min(abs(a - b) for run in source.runs for a in run for other in target.runs for b in other)
    return (abs(rise) * 2 + apart + (6 if rise < 0 else 0), apart)


class _Search:
    """Lays one link after another; remembers what lies where."""

    def __init__(self, grid: Grid, spots: Sequence[Spot], crowded: Collection[str]) -> None:
        self.grid = grid
        self._xs = positions(grid, grid.lanes, LANE)
        self._ys = positions(grid, grid.levels, LEVEL)
        self._covered = {point for spot in spots for point in cover(grid, spot)}
        self._across: dict[Point, list[Link]] = {}
        self._along: dict[Point, list[Link]] = {}
        self._leaving: dict[tuple[Point, int], list[Link]] = {}
        self._entering: dict[tuple[Point, int], list[Link]] = {}
        self._crowded = crowded
        self._decisions = {spot.id for spot in spots if spot.symbol == DECISION}
        self._bars = {point for spot in spots for point in bar(grid, spot)}
        self._used = set(self._bars)

    def lay(self, link: Link, spots: Mapping[str, Spot], *, lenient: bool) -> tuple[Point, ...]:
        """Find the link's path and keep its lines; () where there is none. Lenient: rather over another arrow."""
        source, target = spots[link.source], spots[link.target]
        starts = [
            port._replace(cost=port.cost + cost)
            for port in ports(self.grid, source, out=True, back=target.level < source.level)
            if (cost := self._port_cost(port, link, out=True, lenient=lenient)) is not None
        ]
        ends = {
            (port.point, port.away): port.cost + cost
            for port in ports(self.grid, target, out=False, back=target.level < source.level)
            if (cost := self._port_cost(port, link, out=False, lenient=lenient)) is not None
        }
        points: list[Point] = []
        for spread in (1, 3, max(self.grid.lanes, self.grid.levels)):
            window = self._window(source, target, spread)
            points = points or self._find(link, starts, ends, window, lenient)
        if points:
            self._keep(link, points)
        return _corners(points)

    def _window(self, one: Spot, two: Spot, spread: int) -> Window:
        """The part of the grid to search: the lanes and levels of both symbols, and some around them."""
        lanes = [lane for spot in (one, two) for run in spot.runs for lane in run]
        pitch = self.grid.pitch
        return (
            max(min(lanes) - spread, 0) * pitch,
            min(max(lanes) + spread + 1, self.grid.lanes) * pitch,
            max(min(one.level, two.level) - spread, 0) * pitch,
            min(max(one.level, two.level) + spread + 1, self.grid.levels) * pitch,
        )

    def _port_cost(self, port: Port, link: Link, *, out: bool, lenient: bool) -> float | None:
        """What it costs to take this place; None where it is taken by others."""
        own, other = (self._leaving, self._entering) if out else (self._entering, self._leaving)
        here = (port.point, port.away)
        taken = [known for known in own.get(here, ()) if not self._may_share(known, link)]
        if not taken and here not in other:
            return 0.0
        return _FORBIDDEN if lenient else None

    def _may_share(self, one: Link, two: Link) -> bool:
        if one.target == two.target:
            return True
        plain = one.source not in self._decisions and not one.label and not two.label
        return one.source == two.source and (plain or one.source in self._crowded)

    def _find(self, link: Link, starts: Sequence[Port], ends: Ends, window: Window, lenient: bool) -> list[Point]:
        """Dijkstra's search over (point, direction), towards the box around the ends."""
        box = self._box(ends)
        queue: list[tuple[float, float, Point, int]] = []
        best: dict[tuple[Point, int], float] = {}
        came: dict[tuple[Point, int], tuple[Point, int] | None] = {}
        for port in starts:
            state = (port.point, port.away)
            if port.cost < best.get(state, 1e9):
                best[state], came[state] = port.cost, None
                heappush(queue, (port.cost + self._ahead(port.point, box), port.cost, *state))
        arrived: tuple[Point, int] | None = None
        while queue:
            total, cost, point, way = heappop(queue)
            if arrived is not None and total >= best[arrived]:
                break
            state = (point, way)
            if cost > best[state]:
                continue
            for near, turn, more in self._moves(link, point, way, came[state] is None, ends, window, lenient):
                following = (near, turn)
                if cost + more < best.get(following, 1e9):
                    best[following], came[following] = cost + more, state
                    end = (near, (turn + 2) % 4) in ends and near in self._covered
                    if end and (arrived is None or best[following] < best[arrived]):
                        arrived = following
                    elif not end:
                        heappush(queue, (cost + more + self._ahead(near, box), cost + more, near, turn))
        return _walk(arrived, came)

    def _moves(
        self, link: Link, point: Point, way: int, first: bool, ends: Ends, window: Window, lenient: bool
    ) -> Iterator[tuple[Point, int, float]]:
        """Where one can go from here: the next point, the direction taken, the cost."""
        left, right, top, bottom = window
        bend = None if first else self._cost_at(link, point, (True, True), lenient)
        for turn in (way,) if bend is None else (way, (way + 1) % 4, (way + 3) % 4):
            dx, dy = _STEPS[turn]
            near = Point(point.x + dx, point.y + dy)
            if not (left <= near.x < right and top <= near.y < bottom):
                continue
            cost = abs(self._xs[near.x] - self._xs[point.x]) + abs(self._ys[near.y] - self._ys[point.y])
            if turn != way:
                cost += _BEND + (bend or 0.0)
            if near in self._covered:
                end = ends.get((near, (turn + 2) % 4))
                if end is not None:
                    yield near, turn, cost + end
                continue
            lying = self._cost_at(link, near, (turn in (LEFT, RIGHT), turn in (UP, DOWN)), lenient)
            if lying is not None:
                yield near, turn, cost + lying

    def _cost_at(self, link: Link, point: Point, lies: tuple[bool, bool], lenient: bool) -> float | None:
        """The cost of lying across, along or both at a point; None where another arrow lies so."""
        if point not in self._used:
            return 0.0
        cost = 0.0
        for mine, lines in zip(lies, (self._across, self._along), strict=True):
            others = [known for known in lines.get(point, ()) if not self._may_share(known, link)]
            barred = lines is self._across and point in self._bars
            if not others and not barred:
                continue
            if not mine:
                cost += _CROSSING
            elif lenient:
                cost += _FORBIDDEN
            else:
                return None
        return cost

    def _keep(self, link: Link, points: Sequence[Point]) -> None:
        self._leaving.setdefault((points[0], _way(points[0], points[1])), []).append(link)
        self._entering.setdefault((points[-1], _way(points[-1], points[-2])), []).append(link)
        for one, two in pairwise(points):
            lines = self._across if one.y == two.y else self._along
            for point in (one, two):
                if link not in lines.setdefault(point, []):
                    lines[point].append(link)
        self._used.update(points)

    def _box(self, ends: Ends) -> tuple[float, float, float, float]:
        xs = [self._xs[point.x] for point, _ in ends] or [0.0]
        ys = [self._ys[point.y] for point, _ in ends] or [0.0]
        return min(xs), max(xs), min(ys), max(ys)

    def _ahead(self, point: Point, box: tuple[float, float, float, float]) -> float:
        x, y = self._xs[point.x], self._ys[point.y]
        return max(box[0] - x, x - box[1], 0.0) + max(box[2] - y, y - box[3], 0.0)


def _way(start: Point, end: Point) -> int:
    return next(way for way, step in _STEPS.items() if step == (end.x - start.x, end.y - start.y))


def _walk(state: tuple[Point, int] | None, came: Mapping[tuple[Point, int], tuple[Point, int] | None]) -> list[Point]:
    points = []
    while state is not None:
        points.append(state[0])
        state = came[state]
    return points[::-1]


def _corners(points: Sequence[Point]) -> tuple[Point, ...]:
    """The path without the points at which it goes straight on."""
    kept = [
        point
        for number, point in enumerate(points)
        if number in (0, len(points) - 1)
        or (points[number - 1].x != points[number + 1].x and points[number - 1].y != points[number + 1].y)
    ]
    return tuple(kept)
