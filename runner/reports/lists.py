"""Tables that end somewhere: what is left out is said."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from runner.messages import render_number
from runner.reports.paper.model import Block, Cell, Column, Line, Look, Table

MOST_ROWS = 500


def build_list(
    columns: Sequence[Column], rows: Sequence[Sequence[Cell]], *, none: str = "", most: int = MOST_ROWS
) -> Iterator[Block]:
    """Given rows, give the table of them; without rows the line `none`. Of more than `most` the first ones stand."""
    if not rows:
        yield Line(none)
        return
    yield Table(columns, rows[:most])
    if len(rows) > most:
        yield say_left_out(len(rows) - most)


def say_left_out(count: int, what: str = "baris") -> Line:
    """Given how many rows do not stand on the paper, and what they are, return the line that says so."""
    return Line(f"… dan {render_number(count, 'id')} {what} lain; selengkapnya dalam catatan pelaksanaan.", Look.NOTE)
