"""The grid that arrows are laid on: lines over lanes and levels, symbols, and the places where arrows meet them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from runner.form.chart import CONNECTOR, DECISION

MIDDLE = 3
UP, RIGHT, DOWN, LEFT = range(4)

# Lengths that the search counts with: roughly millimetres.
LANE, LEVEL = 24.0, 18.0
_LINE, _OFF_CENTRE, _OFF_TIP = 3.2, 9.0, 13.0


class Spot(NamedTuple):
    """A symbol on the grid: its level, and the lanes that it covers, in runs of neighbours (first, last)."""

    id: str
    level: int
    runs: tuple[tuple[int, int], ...]
    symbol: str


class Point(NamedTuple):
    """A crossing of a vertical with a horizontal line, by their numbers."""

    x: int
    y: int


class Grid(NamedTuple):
    """How many lanes, levels, and tracks on each side of the middle lines."""

    lanes: int
    levels: int
    tracks: int

    @property
    def pitch(self) -> int:
        """Lines per lane and per level."""
        return 2 * self.tracks + MIDDLE

    @property
    def width(self) -> int:
        return self.lanes * self.pitch

    @property
    def height(self) -> int:
        return self.levels * self.pitch

    def place(self, line: int) -> tuple[int, int]:
        """Given a line's number, return its lane (or level) and its place there: below `tracks` before the middle."""
        return divmod(line, self.pitch)


class Port(NamedTuple):
    """A place on a symbol's edge, the direction in which an arrow leaves it, and how much it is disliked."""

    point: Point
    away: int
    cost: float


def positions(grid: Grid, count: int, pitch: float) -> list[float]:
    """Given how many lanes or levels there are and how wide each is, return where lines would lie on a plain grid: what
    the search measures by."""
    edge = pitch / 2 - _LINE - 2.0
    spaced = [edge * (track + 1) / (grid.tracks + 1) for track in range(grid.tracks)]
    middle = [pitch / 2 - _LINE, pitch / 2, pitch / 2 + _LINE]
    one = [*spaced, *middle, *(pitch - place for place in reversed(spaced))]
    return [number * pitch + place for number in range(count) for place in one]


def cover(grid: Grid, spot: Spot) -> Iterator[Point]:
    """Yield the points that a symbol covers."""
    top = spot.level * grid.pitch + grid.tracks
    for first, last in spot.runs:
        left, right = first * grid.pitch + grid.tracks, last * grid.pitch + grid.tracks + MIDDLE
        yield from (Point(x, y) for x in range(left, right) for y in range(top, top + MIDDLE))


def bar(grid: Grid, spot: Spot) -> Iterator[Point]:
    """Yield the points on the line that joins the parts of a symbol whose lanes are no neighbours."""
    y = spot.level * grid.pitch + grid.tracks + 1
    for (_, left), (right, _) in zip(spot.runs, spot.runs[1:], strict=False):
        start, end = left * grid.pitch + grid.tracks + MIDDLE, right * grid.pitch + grid.tracks
        yield from (Point(x, y) for x in range(start, end))


def ports(grid: Grid, spot: Spot, *, out: bool, back: bool) -> Iterator[Port]:
    """Yield the places where arrows may leave or enter a symbol."""
    likes = _likes(spot, out=out, back=back)
    off = _OFF_TIP if spot.symbol == DECISION else _OFF_CENTRE
    top = spot.level * grid.pitch + grid.tracks
    for number, (first, last) in enumerate(spot.runs):
        for lane in range(first, last + 1):
            for line in range(MIDDLE):
                if line != 1 and spot.symbol == CONNECTOR:
                    continue
                x = lane * grid.pitch + grid.tracks + line
                cost = (0.0 if line == 1 else off) + number
                yield from _port(Point(x, top), UP, likes, cost)
                yield from _port(Point(x, top + MIDDLE - 1), DOWN, likes, cost)
        for line in range(MIDDLE):
            if line != 1 and spot.symbol == CONNECTOR:
                continue
            cost = (0.0 if line == 1 else off) + number
            yield from _port(Point(first * grid.pitch + grid.tracks, top + line), LEFT, likes, cost)
            yield from _port(Point(last * grid.pitch + grid.tracks + MIDDLE - 1, top + line), RIGHT, likes, cost)


def _port(point: Point, away: int, likes: Mapping[int, float], cost: float) -> Iterator[Port]:
    if away in likes:
        yield Port(point, away, cost + likes[away])


def _likes(spot: Spot, *, out: bool, back: bool) -> Mapping[int, float]:
    """The sides of a symbol over which an arrow may go, and how much each is disliked."""
    if spot.symbol == CONNECTOR:
        return {DOWN: 0.0} if out else {UP: 0.0, LEFT: 2.0, RIGHT: 2.0}
    if out:
        decides = spot.symbol == DECISION
        forward = {DOWN: 0.0, LEFT: 0.5 if decides else 1.0, RIGHT: 0.5 if decides else 1.0, UP: 12.0}
        return {LEFT: 0.0, RIGHT: 0.0, DOWN: 3.0, UP: 8.0} if back else forward
    side = 9.0 if spot.symbol == DECISION else 1.5  # a decision's sides are for its answers
    return {LEFT: 0.0, RIGHT: 0.0, UP: 3.0, DOWN: 6.0} if back else {UP: 0.0, LEFT: side, RIGHT: side, DOWN: 14.0}
