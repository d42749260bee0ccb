"""The parts of a page taken apart: links, pieces of head and body, and the texts that are seen and unseen."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Link:
    """A link as written: its address, its text (or that of its picture), where it stands, and what hides it.

    `hidden` names the way of hiding ("" when it is seen), `block` the offset of the element that hides it.
    """

    href: str
    text: str
    at: int
    hidden: str = ""
    block: int = 0


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a page: `kind` says what ("title", "h1", "meta description", "script", "comment" …), `at` where."""

    kind: str
    text: str
    at: int
    hidden: str = ""


@dataclass(slots=True)
class Markup:
    """A page taken apart. `text` is what visitors see of it, `hidden_text` what they do not, as far as it was kept.

    `sheets` are the addresses of its stylesheets. `whole` is False when it was longer than what is read.
    """

    source: str
    whole: bool = True
    language: str = ""
    amp: bool = False
    base: str = ""
    links: list[Link] = field(default_factory=list)
    pieces: list[Piece] = field(default_factory=list)
    sheets: list[str] = field(default_factory=list)
    text: str = ""
    hidden_text: str = ""
    lines: list[int] | None = None

    def line(self, at: int) -> int:
        """Given an offset, return its line, from 1."""
        if self.lines is None:
            self.lines = [i for i, c in enumerate(self.source) if c == "\n"]
        return bisect_right(self.lines, at - 1) + 1

    def all(self, *kinds: str) -> list[Piece]:
        """The pieces of these kinds."""
        return [piece for piece in self.pieces if piece.kind in kinds]

    def first(self, kind: str) -> str:
        """The text of the first piece of that kind; "" without one."""
        return next((piece.text for piece in self.pieces if piece.kind == kind), "")
