"""Where an arrow's label stands: beside its line, near its beginning, on no symbol and no other label."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from runner.form.shapes import Box

Path = Sequence[tuple[float, float]]

_NEAR = 0.5  # between the line and its label
_STEP = 1.5
_OVER_LINE, _OVER_SYMBOL = 15.0, 1000.0


def place_label(
    path: Path, size: tuple[float, float], solids: Sequence[Box], lines: Sequence[Path], room: Box
) -> tuple[Box, bool]:
    """Given an arrow's path, its label's size, what may not be covered, and the other arrows, return the label's place
    and whether it is free of what may not be covered."""
    best: tuple[float, Box] | None = None
    for away, box in _candidates(path, size):
        inside = box.x >= room.x and box.right <= room.right and box.y >= room.y and box.bottom <= room.bottom
        cost = away + (0.0 if inside else _OVER_SYMBOL)
        cost += sum(_OVER_SYMBOL for solid in solids if box.overlaps(solid))
        if best is not None and cost >= best[0]:
            continue
        cost += sum(_OVER_LINE for line in lines if _crosses(box, line))
        if best is None or cost < best[0]:
            best = (cost, box)
    assert best is not None
    return best[1], best[0] < _OVER_SYMBOL


def _candidates(path: Path, size: tuple[float, float]) -> Iterator[tuple[float, Box]]:
    """Places beside the path and how far along it they are; the nearest to its beginning first."""
    width, height = size
    gone = 0.0
    for number, ((x1, y1), (x2, y2)) in enumerate(pairwise(path)):
        length = abs(x2 - x1) + abs(y2 - y1)
        for at in _steps(length):
            x = x1 + (x2 - x1) * at / (length or 1.0)
            y = y1 + (y2 - y1) * at / (length or 1.0)
            away = gone + at + 3.0 * number
            if y1 == y2:
                for left in (x - width / 2, x, x - width):
                    yield away, Box(left, y - height - _NEAR, width, height)
                    yield away + 1.0, Box(left, y + _NEAR, width, height)
                    yield away + 6.0, Box(left, y - height - 4.0, width, height)
                    yield away + 6.0, Box(left, y + 4.0, width, height)
            else:
                for top in (y - height / 2, y, y - height):
                    yield away, Box(x + _NEAR + 0.2, top, width, height)
                    yield away + 0.5, Box(x - width - _NEAR - 0.2, top, width, height)
        gone += length


def _steps(length: float) -> Iterator[float]:
    at = min(1.0, length / 2)
    while at < length:
        yield at
        at += _STEP


def _crosses(box: Box, line: Path) -> bool:
    return any(
        min(x1, x2) < box.right and max(x1, x2) > box.x and min(y1, y2) < box.bottom and max(y1, y2) > box.y
        for (x1, y1), (x2, y2) in pairwise(line)
    )
