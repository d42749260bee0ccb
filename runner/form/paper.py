"""Paper, margins and the sizes of what is drawn, in millimetres and points."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Paper(NamedTuple):
    """A landscape sheet, in millimetres."""

    name: str
    width: float
    height: float
    top: float = 12.0
    right: float = 12.0
    bottom: float = 14.0
    left: float = 18.0

    @property
    def inner_width(self) -> float:
        """The width between the margins."""
        return self.width - self.left - self.right

    @property
    def inner_height(self) -> float:
        """The height between the margins, with a little left so that no page runs over."""
        return self.height - self.top - self.bottom - 1.0


PAPERS: Mapping[str, Paper] = {"a4": Paper("a4", 297.0, 210.0), "f4": Paper("f4", 330.0, 215.0)}

TEXT, HEAD, LANE, NOTE = 8.0, 8.0, 7.0, 6.5  # sizes of type: cells, headings, lanes' headings, labels and captions
PAD = 1.1  # between a cell's border and its text
GAP = 1.9  # between tracks, and between a track and a symbol or border
PORT = 3.2  # from a symbol's middle to the arrows beside the middle one, across
PORT_DOWN = 1.6  # the same, from top to bottom
ROOM = 2.6  # the least space above and below a symbol
