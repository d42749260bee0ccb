"""How wide text is and where its lines break, without a font at hand.

The form is set in Arial or a font with the same widths (Liberation Sans, Helvetica); widths are those of Helvetica's
public font metrics, in thousandths of the size. Whatever they do not list is taken as wide rather than narrow.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from functools import lru_cache

MILLIMETRES_PER_POINT = 25.4 / 72
LINE_HEIGHT = 1.22
SLACK = 1.03  # fonts of the same widths still differ by rounding and kerning
_PART = 3  # letters that a part of a word before or after a slash has at least

_REGULAR = """
278 278 355 556 556 889 667 191 333 333 389 584 278 333 278 278 556 556 556 556 556 556 556 556 556 556 278 278 584 584
584 556 1015 667 667 722 722 667 611 778 722 278 500 667 556 833 722 778 667 778 722 667 611 722 667 944 667 667 611
278 278 278 469 556 333 556 556 500 556 556 278 556 556 222 222 500 222 833 556 556 556 556 333 500 278 556 500 722 500
500 500 334 260 334 584
"""
_BOLD = """
278 333 474 556 556 889 722 238 333 333 389 584 278 333 278 278 556 556 556 556 556 556 556 556 556 556 333 333 584 584
584 611 975 722 722 722 722 667 611 778 722 278 556 722 611 833 722 778 667 778 722 667 611 722 667 944 667 667 611 333
278 333 584 556 333 556 611 556 611 556 333 611 611 278 278 556 278 889 611 611 611 611 389 556 333 611 556 778 556 556
500 389 280 389 584
"""
_WIDTHS = tuple({chr(32 + at): int(width) for at, width in enumerate(t.split())} for t in (_REGULAR, _BOLD))
_OTHER = 780
_WIDE = 1000


def measure(text: str, size: float, *, bold: bool = False) -> float:
    """Given text of one line and its size in points, return its width in millimetres."""
    return sum(_width(char, bold) for char in text) * size * MILLIMETRES_PER_POINT * SLACK / 1000


def line_height(size: float) -> float:
    """Given a size in points, return the height of a line in millimetres."""
    return size * MILLIMETRES_PER_POINT * LINE_HEIGHT


def wrap(text: str, width: float, size: float, *, bold: bool = False) -> list[str]:
    """Given text and a width in millimetres, return its lines; joined they are the text again.

    A line keeps the space or line break that ends it. A word wider than the line is broken.
    """
    lines: list[str] = []
    for paragraph in text.splitlines(keepends=True):
        lines += _wrap_paragraph(paragraph, width, size, bold)
    return lines


def longest_word(text: str, size: float, *, bold: bool = False) -> float:
    """Given text, return the width of its widest word in millimetres."""
    return max((measure(word, size, bold=bold) for word in text.split()), default=0.0)


def _wrap_paragraph(text: str, width: float, size: float, bold: bool) -> Iterator[str]:
    line, used = "", 0.0
    for word in _words(text):
        needed = measure(word.rstrip(), size, bold=bold)
        if line and used + needed > width:
            yield line
            line, used = "", 0.0
        if needed > width:
            *pieces, word = _break(word, width, size, bold)
            yield from pieces
        line, used = line + word, used + measure(word, size, bold=bold)
    yield line


def _words(text: str) -> Iterator[str]:
    """Words, each with the white space after it, and the parts of "Rujukan/Darurat"; white space at the beginning is a
    word of its own."""
    start = 0
    for at in range(1, len(text)):
        if (text[at - 1].isspace() and not text[at].isspace()) or _parts_at(text, at):
            yield text[start:at]
            start = at
    yield text[start:]


def _parts_at(text: str, at: int) -> bool:
    return (
        text[at - 1] == "/"
        and at > _PART
        and text[at - 1 - _PART : at - 1].isalpha()
        and text[at : at + _PART].isalpha()
    )


def _break(word: str, width: float, size: float, bold: bool) -> Iterator[str]:
    piece, used = "", 0.0
    for char in word:
        needed = 0.0 if char.isspace() else measure(char, size, bold=bold)
        if piece and used + needed > width:
            yield piece
            piece, used = "", 0.0
        piece, used = piece + char, used + needed
    yield piece


@lru_cache(maxsize=4096)
def _width(char: str, bold: bool) -> int:
    known = _WIDTHS[bold].get(char)
    if known is not None:
        return known
    if unicodedata.combining(char) or unicodedata.category(char) in ("Cc", "Cf"):
        return 0
    if unicodedata.east_asian_width(char) in "WF" or char in "—…→←":
        return _WIDE
    base = unicodedata.normalize("NFD", char)[0]
    return _WIDTHS[bold].get(base, _OTHER)
