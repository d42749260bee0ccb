"""How wide the columns are: lanes as their symbols and tracks need, the rest as the texts ask for."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from runner.form.measure import longest_word, measure
from runner.form.paper import HEAD, LANE, PAD, TEXT
from runner.form.table import ACTIVITY, ACTORS, INPUTS, NUMBER, OUTPUTS, REMARK, TIME, Column, Row

_LEAST: Mapping[str, float] = {ACTIVITY: 36.0, INPUTS: 22.0, TIME: 15.0, OUTPUTS: 21.0, REMARK: 18.0}
_OTHER = 18.0
_LANE_LEAST, _LANE_MOST, _LANES_SHARE = 18.5, 27.0, 0.45
_LANE_WORD = 24.0
_WIDEST_WORD = 30.0
_NUMBER_LEAST, _NUMBER_MOST = 8.0, 18.0


class Widths(NamedTuple):
    """Widths of the text columns by key, and of the lanes. All is laid out `scale` times as large as the paper, and
    drawn smaller, where lanes are many."""

    columns: Mapping[str, float]
    lanes: tuple[float, ...]
    scale: float

    def of(self, column: Column) -> float:
        """A column's width; of the performers' column, all lanes together."""
        return sum(self.lanes) if column.key == ACTORS else self.columns[column.key]

    @property
    def total(self) -> float:
        """The table's width."""
        return sum(self.lanes) + sum(self.columns.values())


def plan_widths(
    columns: Sequence[Column], rows: Sequence[Row], labels: Sequence[str], needs: Sequence[float], room: float
) -> Widths:
    """Given the columns, rows, the lanes' headings, the width that each lane needs, and the paper's, share it out."""
    texts = {column.key: [row.texts.get(column.key, "") for row in rows] for column in columns}
    least = {
        column.key: max(_least(column, texts[column.key]), min(longest_word(column.heading, HEAD, bold=True) + 2.4, 26))
        for column in columns
        if column.key != ACTORS
    }
    lanes = _lanes(labels, needs, room) if any(column.key == ACTORS for column in columns) else ()
    over = sum(lanes) + sum(least.values()) - room
    if over > 0:
        least_lanes = [max(need, _word(label, _LANE_WORD)) for need, label in zip(needs, labels, strict=True)]
        lanes = tuple(max(floor, width - over / len(lanes)) for floor, width in zip(least_lanes, lanes, strict=True))
    needed = sum(lanes) + sum(least.values())
    scale = max(1.0, needed / room)
    weights = {key: _weight(key, texts[key]) for key in least}
    spare = room * scale - needed
    shared = sum(weights.values()) or 1.0
    return Widths({key: width + spare * weights[key] / shared for key, width in least.items()}, lanes, scale)


def _lanes(labels: Sequence[str], needs: Sequence[float], room: float) -> tuple[float, ...]:
    usual = min(max(room * _LANES_SHARE / max(len(labels), 1), _LANE_LEAST), _LANE_MOST)
    return tuple(max(need, usual, _word(label, _LANE_MOST)) for label, need in zip(labels, needs, strict=True))


def _word(label: str, most: float) -> float:
    """The width that a lane's heading needs so that no word of it is broken, within bounds."""
    return min(longest_word(label, LANE, bold=True) + 2 * PAD + 0.2, most)


def _least(column: Column, texts: Sequence[str]) -> float:
    if column.key == NUMBER:
        widest = max((measure(line, TEXT) for text in texts for line in text.splitlines()), default=0.0)
        return min(max(widest + 2 * PAD + 0.4, _NUMBER_LEAST), _NUMBER_MOST)
    word = max((longest_word(text, TEXT) for text in texts), default=0.0)
    return max(_LEAST.get(column.key, _OTHER), min(word + 2 * PAD + 0.2, _WIDEST_WORD))


def _weight(key: str, texts: Sequence[str]) -> float:
    if key == NUMBER:
        return 0.0
    longest = max(map(len, texts), default=0)
    return math.sqrt(min(sum(map(len, texts)) + 4 * longest, 40_000)) + (4.0 if key == ACTIVITY else 1.0)
