"""Sheets of paper and their margins, in millimetres."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Size = Literal["A4", "F4"]

SIZES: Mapping[Size, tuple[float, float]] = {"A4": (210, 297), "F4": (215, 330)}
MARGINS: Mapping[str, float] = {"top": 20, "right": 20, "bottom": 25, "left": 30}


@dataclass(frozen=True, slots=True)
class Layout:
    """Width, height and margins of the sheet, as it is read."""

    width: float
    height: float
    top: float
    right: float
    bottom: float
    left: float

    @property
    def inner(self) -> float:
        """The width between the margins."""
        return self.width - self.left - self.right


def choose_layout(office: Mapping[str, Any], size: Size | None, *, landscape: bool) -> Layout:
    """Given the office (its `paper` says what is usual there) and a size asked for, return the sheet to print on."""
    usual = office.get("paper") or {}
    width, height = SIZES[size or usual.get("size") or "A4"]
    if landscape:
        width, height = height, width
    return Layout(width, height, **{**MARGINS, **(usual.get("margins") or {})})
