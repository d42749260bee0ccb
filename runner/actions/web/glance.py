"""A first look at a page: its title and the beginning of its text, as cheaply as can be.

A site is visited every few minutes, and reading a page in full costs more than fetching it. Whether it is a short
notice or a real page shows at its beginning.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from runner.actions.web.text import clean_text
from runner.actions.web.tokens import unescape

LONGEST_TITLE = 200

PIECE = 2048

_RAW = re.compile(
    r"<(?=[!stxin])(?:!--|(script|style|title|textarea|xmp|iframe|noembed|noframes)(?=[\s/>]))", re.IGNORECASE
)
_ENDS = {
    name: re.compile(rf"</{name}(?=[\s/>])", re.IGNORECASE)
    for name in ("script", "style", "title", "textarea", "xmp", "iframe", "noembed", "noframes")
}
_TAG = re.compile(r"<[^<>]*>?")


class Glance(NamedTuple):
    """A page's title, the beginning of its visible text on one line, and whether that is all of it."""

    title: str
    text: str
    whole: bool


def glance(markup: str, longest: int) -> Glance:
    """Given HTML, return its title and at least `longest` characters of its text, where it has as many."""
    title, pieces, length, at = "", list[str](), 0, 0
    while at < len(markup) and length < longest:
        stop = markup.find("<", at + PIECE)  # before a tag: none is cut in two
        stop = len(markup) if stop < 0 else stop
        raw = _RAW.search(markup, at, stop)
        end = raw.start() if raw else stop
        piece = " ".join(_TAG.sub(" ", markup[at:end]).split())
        pieces.append(piece)
        length, at = length + len(piece) + 1, end
        if raw:
            at, content = _skip(markup, raw)
            title = title or content
    text = unescape(" ".join(filter(None, pieces)))
    return Glance(clean_text(unescape(title), LONGEST_TITLE), text, at >= len(markup))


def _skip(markup: str, opening: re.Match[str]) -> tuple[int, str]:
    """Given what opens a comment or raw element, return where the text goes on, and the content of a title."""
    if not opening[1]:
        end = markup.find("-->", opening.end())
        return (len(markup) if end < 0 else end + 3), ""
    name, close = opening[1].lower(), markup.find(">", opening.end())
    found = _ENDS[name].search(markup, close + 1) if close >= 0 else None
    end = found.start() if found else len(markup)
    return end, markup[close + 1 : end] if name == "title" and close >= 0 else ""
