"""The form's five symbols: how large they are, and where an arrow meets their edge."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from runner.form.chart import CONNECTOR, DECISION, END, PROCESS, START, Node
from runner.form.measure import line_height, longest_word, wrap
from runner.form.paper import NOTE

_ROUNDEST = 7.0
_WIDEST_CONNECTOR = 20.0  # the other SOP's name; its lane grows with it
_SIZES = {PROCESS: (13.0, 6.6), DECISION: (14.0, 9.0), START: (13.0, 6.0), END: (13.0, 6.0), CONNECTOR: (6.4, 6.8)}
TIP = 2.4  # the height of a connector's point
_ACROSS = 0.62  # of a diamond's width, the part that its text may take


class Size(NamedTuple):
    """A symbol's width and height in millimetres, and the lines of its text."""

    width: float
    height: float
    lines: tuple[str, ...] = ()


class Box(NamedTuple):
    """A rectangle on the sheet."""

    x: float
    y: float
    width: float
    height: float

    @property
    def right(self) -> float:
        return self.x + self.width

    @property
    def bottom(self) -> float:
        return self.y + self.height

    def overlaps(self, other: Box, gap: float = 0.0) -> bool:
        """Whether two rectangles share more than an edge, or come nearer than the gap."""
        return (
            self.x < other.right + gap
            and other.x < self.right + gap
            and self.y < other.bottom + gap
            and other.y < self.bottom + gap
        )


def size_symbol(node: Node, lane: float) -> Size:
    """Given a symbol and the width that its lane leaves it, return its size; text makes it taller, within its lane."""
    width, height = _SIZES[node.symbol]
    if not node.text:
        return Size(min(width, lane), height)
    word = longest_word(node.text, NOTE)
    if node.symbol == DECISION:
        width = min(max(word, 9.0) / _ACROSS, lane)
        lines = wrap(node.text, width * _ACROSS, NOTE)
        return Size(width, max(height, len(lines) * line_height(NOTE) / (1 - _ACROSS)), tuple(lines))
    beside = 3.0 if node.symbol in (START, END) else 1.4
    most = max(lane, _WIDEST_CONNECTOR) if node.symbol == CONNECTOR else max(lane, width)
    width = min(max(width, word + beside + 0.6), most)
    inner = width - beside
    lines = wrap(node.text, inner, NOTE)
    tip = TIP + 1.6 if node.symbol == CONNECTOR else 1.6
    return Size(width, max(height, len(lines) * line_height(NOTE) + tip), tuple(lines))


def edge_y(symbol: str, box: Box, x: float, *, top: bool) -> float:
    """Given a symbol's rectangle, return where a vertical arrow at x meets its upper or lower edge."""
    reach = _reach(symbol, abs(x - box.x - box.width / 2), box.width / 2, box.height / 2, _radius(box))
    middle = box.y + box.height / 2
    return middle - reach if top else middle + reach


def edge_x(symbol: str, box: Box, y: float, *, left: bool) -> float:
    """Given a symbol's rectangle, return where a horizontal arrow at y meets its left or right edge."""
    reach = _reach(symbol, abs(y - box.y - box.height / 2), box.height / 2, box.width / 2, _radius(box))
    middle = box.x + box.width / 2
    return middle - reach if left else middle + reach


def _reach(symbol: str, away: float, half_across: float, half_along: float, radius: float) -> float:
    """How far from its middle a symbol's edge is, for an arrow that runs `away` from it; the halves are those of the
    symbol's sides across and along the arrow."""
    away = min(away, half_across)
    if symbol == DECISION:
        return half_along * (1 - away / half_across)
    if symbol in (START, END):
        inside = max(away - (half_across - radius), 0.0)
        return half_along - radius + float((radius**2 - inside**2) ** 0.5)
    return half_along


def outline(symbol: str, box: Box) -> str:
    """Given a symbol's rectangle, return its outline as the data of an SVG path."""
    x, y, right, bottom = box.x, box.y, box.right, box.bottom
    across, down = x + box.width / 2, y + box.height / 2
    if symbol == DECISION:
        return _polygon([(across, y), (right, down), (across, bottom), (x, down)])
    if symbol == CONNECTOR:
        shoulder = bottom - min(TIP, box.height * 0.36)
        return _polygon([(x, y), (right, y), (right, shoulder), (across, bottom), (x, shoulder)])
    if symbol in (START, END):
        r = _radius(box)
        arc = f"A{r:.2f} {r:.2f} 0 0 1"
        return (
            f"M{x + r:.2f} {y:.2f}H{right - r:.2f}{arc} {right:.2f} {y + r:.2f}V{bottom - r:.2f}"
            f"{arc} {right - r:.2f} {bottom:.2f}H{x + r:.2f}{arc} {x:.2f} {bottom - r:.2f}V{y + r:.2f}"
            f"{arc} {x + r:.2f} {y:.2f}Z"
        )
    return _polygon([(x, y), (right, y), (right, bottom), (x, bottom)])


def _radius(box: Box) -> float:
    """How round a start or end is: wholly, unless lines of text make it tall."""
    return min(box.height, box.width, _ROUNDEST) / 2


def _polygon(points: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{x:.2f} {y:.2f}" for x, y in points) + "Z"
