"""What stands on an official paper, as a tree of values. Text is plain: each form escapes it in its own way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Literal

Align = Literal["left", "center", "right"]


class Look(StrEnum):
    """How a line of text looks."""

    PLAIN = "plain"
    STRONG = "strong"
    NOTE = "note"
    CODE = "code"
    BODY = "body"
    CENTER = "center"
    RIGHT = "right"


@dataclass(frozen=True, slots=True)
class Line:
    """A line or paragraph; a line break in the text is one on paper too."""

    kind: ClassVar[str] = "line"
    text: str
    look: Look = Look.PLAIN


Cell = tuple[Line, ...]


NAMELESS = "( …………………………… )"
NUMBERLESS = "………………………"
WHOLE = 900  # letters; a cell with more may be cut by the end of a page


def is_whole(cells: Sequence[Cell]) -> bool:
    """Given a row, return whether it is short enough to stand on one page."""
    return all(sum(len(line.text) for line in cell) < WHOLE for cell in cells)


def cell(*lines: str | Line) -> Cell:
    """Given lines, return them as a table's cell."""
    return tuple(Line(line) if isinstance(line, str) else line for line in lines)


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading of level 1 (a part of the paper) to 3."""

    kind: ClassVar[str] = "heading"
    text: str
    level: int = 1
    new_page: bool = False


@dataclass(frozen=True, slots=True)
class Bullets:
    """A list; numbered where the order of its items counts."""

    kind: ClassVar[str] = "bullets"
    items: Sequence[str]
    numbered: bool = False


@dataclass(frozen=True, slots=True)
class Pairs:
    """Names and values with a colon between, as at the head of a memo; `ruled` draws a line below."""

    kind: ClassVar[str] = "pairs"
    rows: Sequence[tuple[str, str]]
    ruled: bool = False


@dataclass(frozen=True, slots=True)
class Sheet:
    """A ruled form: a name at the left, what is known of it at the right; an empty place is left to be filled in."""

    kind: ClassVar[str] = "sheet"
    rows: Sequence[tuple[str, Cell]]


@dataclass(frozen=True, slots=True)
class Column:
    """A table's column; `share` is its part of the width. Neighbours of the same `group` stand below that heading."""

    title: str
    share: float
    align: Align = "left"
    group: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A table whose head is repeated on each page."""

    kind: ClassVar[str] = "table"
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]

    @property
    def widths(self) -> list[int]:
        """The columns' widths, in thousandths of the table's."""
        total = sum(column.share for column in self.columns)
        return [round(1000 * column.share / total) for column in self.columns]

    @property
    def grouped(self) -> bool:
        """Whether the head has two lines."""
        return any(column.group for column in self.columns)

    @property
    def heads(self) -> list[tuple[str, int, bool]]:
        """The first line of the head: title, how many columns it spans, whether it has a second line below it."""
        found: list[tuple[str, int, bool]] = []
        for column in self.columns:
            if column.group and found and found[-1][2] and found[-1][0] == column.group:
                found[-1] = (column.group, found[-1][1] + 1, True)
            else:
                found.append((column.group or column.title, 1, bool(column.group)))
        return found


@dataclass(frozen=True, slots=True)
class Series:
    """One row of bars; None where nothing is known."""

    name: str
    values: Sequence[float | None]


@dataclass(frozen=True, slots=True)
class Chart:
    """Bars beside each other; `top` is the highest value of the scale, `said` tells the picture in words."""

    kind: ClassVar[str] = "chart"
    title: str
    labels: Sequence[str]
    series: Sequence[Series]
    unit: str
    top: float
    said: str


@dataclass(frozen=True, slots=True)
class Signature:
    """A place to sign; `name` and `number` are empty where nobody is known to hold the post."""

    date: str
    heading: str
    office: str
    name: str
    number: str


@dataclass(frozen=True, slots=True)
class Signatures:
    """Places to sign beside each other; None leaves one empty."""

    kind: ClassVar[str] = "signatures"
    blocks: Sequence[Signature | None]

    @property
    def rows(self) -> list[tuple[str, list[str]]]:
        """Its lines, each with its kind ("line", "space", "named") and a text for each place; no empty line."""
        lines = [
            ("line", [place.date if place else "" for place in self.blocks]),
            ("line", [place.heading if place else "" for place in self.blocks]),
            ("line", [_post(place) for place in self.blocks]),
            ("space", ["" for _ in self.blocks]),
            ("named", [place.name or NAMELESS if place else "" for place in self.blocks]),
            ("line", [f"NIP {place.number or NUMBERLESS}" if place else "" for place in self.blocks]),
        ]
        return [(kind, texts) for kind, texts in lines if kind == "space" or any(texts)]


def _post(place: Signature | None) -> str:
    """A post as it stands above a signature: with a comma, unless it is left to be filled in."""
    return f"{place.office}," if place and place.office.strip("….") else place.office if place else ""


@dataclass(frozen=True, slots=True)
class Together:
    """Blocks that stand on one page where they fit on one."""

    kind: ClassVar[str] = "together"
    blocks: Sequence[Block]


Block = Line | Heading | Bullets | Pairs | Sheet | Table | Chart | Signatures | Together


@dataclass(frozen=True, slots=True)
class Letterhead:
    """Lines of the letterhead, the office's own name last, and how to reach it."""

    lines: Sequence[str]
    contacts: Sequence[str]


@dataclass(frozen=True, slots=True)
class Paper:
    """A whole paper. `name` is its file's, without ending; `as_of` the time of the last record it tells of (aware, in
    the office's zone), `head` the head of the record's chain: NUMBER:HASH."""

    name: str
    title: str
    subtitle: str
    letterhead: Letterhead
    blocks: Sequence[Block]
    as_of: datetime
    head: str
    numbered: bool = True
    landscape: bool = False


def flatten(blocks: Sequence[Block]) -> Iterator[Block]:
    """Given blocks, give all of them in order, those that stand together too."""
    for block in blocks:
        yield from flatten(block.blocks) if isinstance(block, Together) else (block,)


def foot_of(paper: Paper) -> str:
    """Given a paper, return what stands at the foot of each page: by which record it can be checked."""
    number, colon, digest = paper.head.rpartition(":")
    return f"Rantai catatan {number}{colon}{digest[:12]}" if paper.head else ""
