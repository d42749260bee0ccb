"""What visitors read on a page, in a third of the time that reading all of it takes.

A text that a page must show is looked for in what it shows, entities and tags resolved, whenever it does not stand in
the markup as it is: where another page has taken the site's place. On a bad day that is every site.
"""

from __future__ import annotations

import re

from runner.actions.web.pages import INLINE, parse_page
from runner.actions.web.text import LONGEST_PARSED
from runner.actions.web.tokens import RAW, unescape

# A tag as it should be written: it ends at the first ">" outside quotes. Nothing here can be matched in two ways, so
# that a tag that is written otherwise is found out in time linear in its length.
_ATTRIBUTES = r"""(?:[\s/]+[^\s/>="'<]+(?:\s*=\s*(?:"[^"]*"|'[^']*'|[^\s"'<>][^\s<>]*(?=[\s>])))?)*[\s/]*"""
_PIECE = re.compile(
    rf"""
    (?P<text> [^<]* (?:<(?!/?[a-zA-Z]|[!?]) [^<]*)* )
    (?: <!-- .*? (?:-->|\Z)
      | <[!?] [^>]* (?:>|\Z)
      | <(?P<raw> (?i:{"|".join(sorted(RAW))}) )(?=[\s/>]) {_ATTRIBUTES}> .*? (?=(?i:</(?P=raw))[\s/>]|\Z)
      | </?(?P<name> [a-zA-Z][^\s/>"'<=]* ) {_ATTRIBUTES}>
      | \Z
    )
    """,
    re.VERBOSE | re.DOTALL,
)
_OTHER_CASES = re.compile("[\u0130\u0131\u017f\u212a]")  # letters that match i, s and k where case does not count


def visible_text(markup: str) -> str:
    """Given HTML, however broken, return all its visible text on one line."""
    markup = markup[:LONGEST_PARSED]
    text = None if _OTHER_CASES.search(markup) else _read(markup)
    return " ".join((parse_page(markup).whole if text is None else text).split())


def _read(markup: str) -> str | None:
    """The text of a page all of whose tags are as they should be; None for another."""
    texts: list[str] = []
    at, end = 0, len(markup)
    while at < end:
        piece = _PIECE.match(markup, at)
        if piece is None:
            return None
        text, raw, name = piece.groups()
        texts.append(unescape(text))
        if raw or (name and name.lower() not in INLINE):
            texts.append("\n")
        at = piece.end()
    return "".join(texts)
