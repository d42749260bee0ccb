"""A chart as lines, boxes and words at their places, in units of a picture 1000 wide."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from runner.messages import render_number
from runner.reports.paper.model import Align, Chart

WIDTH, HEIGHT = 1000, 300
LEFT, RIGHT, ABOVE, BELOW = 70, 10, 40, 40
COLOURS = ("#1f4e79", "#c55a11", "#7f7f7f")
UNKNOWN = "#d9d9d9"
NO_DATA = "tidak ada data"
TICKS = 4
MOST_LABELS = 31
LETTER = 9.5  # the width of an average letter at the size of the words in a picture


@dataclass(frozen=True, slots=True)
class Box:
    """A filled box."""

    x: float
    y: float
    width: float
    height: float
    colour: str


@dataclass(frozen=True, slots=True)
class Word:
    """Text at a place; `align` says which of its ends stands there."""

    x: float
    y: float
    text: str
    align: Align


@dataclass(frozen=True, slots=True)
class Drawing:
    """All that is drawn; `rules` are the heights of the scale's lines."""

    boxes: list[Box]
    words: list[Word]
    rules: list[float]


def draw(chart: Chart) -> Drawing:
    """Given a chart, return what is drawn. A value that nobody knows is a pale column as high as the scale."""
    boxes = [*_bars(chart), *(box for box, _ in _keys(chart))]
    words = [*_scale_words(chart), *_labels(chart), *(word for _, word in _keys(chart))]
    return Drawing(boxes, words, [_height(chart, tick) for tick in _ticks(chart)])


def choose_top(highest: float) -> float:
    """Given the highest value of a chart, return the end of a scale whose marks are round, whole numbers."""
    size = 4.0
    while True:
        for factor in (1, 2, 3, 5):
            if size * factor >= highest:
                return size * factor
        size *= 10


def _ticks(chart: Chart) -> list[float]:
    return [chart.top * step / TICKS for step in range(TICKS + 1)]


def _height(chart: Chart, value: float) -> float:
    room = HEIGHT - ABOVE - BELOW
    return round(HEIGHT - BELOW - room * min(value, chart.top) / (chart.top or 1), 1)


def _bars(chart: Chart) -> Iterator[Box]:
    slot = (WIDTH - LEFT - RIGHT) / max(1, len(chart.labels))
    thick = slot * 0.8 / max(1, len(chart.series))
    for row, series in enumerate(chart.series):
        for place, value in enumerate(series.values):
            y = _height(chart, chart.top if value is None else value)
            x = LEFT + place * slot + slot * 0.1 + row * thick
            colour = UNKNOWN if value is None else COLOURS[row % len(COLOURS)]
            yield Box(round(x, 1), y, round(thick, 1), round(HEIGHT - BELOW - y, 1), colour)


def _scale_words(chart: Chart) -> Iterator[Word]:
    for tick in _ticks(chart):
        yield Word(LEFT - 8, _height(chart, tick) + 6, render_number(tick, "id") + chart.unit, "right")


def _labels(chart: Chart) -> Iterator[Word]:
    slot = (WIDTH - LEFT - RIGHT) / max(1, len(chart.labels))
    every = -(-len(chart.labels) // MOST_LABELS)
    for place in range(0, len(chart.labels), every):
        yield Word(round(LEFT + (place + 0.5) * slot, 1), HEIGHT - BELOW + 22, chart.labels[place], "center")


def _keys(chart: Chart) -> Iterator[tuple[Box, Word]]:
    """What the colours mean, above the bars."""
    names = [(series.name, COLOURS[row % len(COLOURS)]) for row, series in enumerate(chart.series)]
    if any(value is None for series in chart.series for value in series.values):
        names.append((NO_DATA, UNKNOWN))
    x = float(LEFT)
    for name, colour in names:
        yield Box(x, 8, 16, 16, colour), Word(x + 22, 21, name, "left")
        x += 50 + LETTER * len(name)
