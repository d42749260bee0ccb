"""HTML as a stream of tags and text, in time linear in its length.

html.parser is not used: on hostile markup it is worse than quadratic (100 KB of `<a ` kept it busy for 90 s on
Python 3.11.7), and it cannot be interrupted. As in the HTML standard, an unfinished tag swallows the rest.
"""

from __future__ import annotations

import html
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

MOST_ATTRIBUTES = 100
RAW = frozenset({"script", "style", "title", "textarea", "xmp", "iframe", "noembed", "noframes"})

_NAME = re.compile(r"[a-zA-Z][^\s/>]*")
_GAP = re.compile(r"[\s/]*")
_ATTRIBUTE = re.compile(r"([^\s/>][^\s/>=]*)\s*(=\s*)?")
_UNQUOTED = re.compile(r"[^\s>]*")
_HUGE_REFERENCE = re.compile(r"&#[xX]?[0-9a-fA-F]{9,}")


@dataclass(frozen=True, slots=True)
class Token:
    """A tag, a text or a comment.

    `kind` is "start", "end", "text" or "comment"; `text` a tag's name in lower case, or the text; `at` where it begins
    in the markup.
    """

    kind: str
    text: str
    attributes: Mapping[str, str] = field(default_factory=dict)
    at: int = 0


def unescape(text: str) -> str:
    """Given text with character references, return it without; absurdly long numbers become the replacement sign."""
    return html.unescape(_HUGE_REFERENCE.sub("\ufffd", text)) if "&" in text else text


def tokens(markup: str, *, comments: bool = False) -> Iterator[Token]:
    """Given HTML, yield its tokens, with its `comments` too. Declarations and what is unfinished are left out."""
    at = 0
    while at < len(markup):
        opening = markup.find("<", at)
        if opening != at:
            end = len(markup) if opening < 0 else opening
            yield Token("text", unescape(markup[at:end]), at=at)
            at = end
            continue
        token, at = _markup(markup, at)
        if token is None or (token.kind == "comment" and not comments):
            continue
        yield token
        if token.kind == "start" and token.text in RAW:
            begin = at
            raw, at = _raw(markup, at, token.text)
            yield Token("text", raw, at=begin)


def _markup(markup: str, at: int) -> tuple[Token | None, int]:
    if markup.startswith("<!--", at):
        end = _after(markup, "-->", at + 4)
        return Token("comment", markup[at + 4 : end].removesuffix("-->"), at=at), end
    if markup.startswith(("<!", "<?"), at):
        return None, _after(markup, ">", at + 2)
    closing = markup.startswith("</", at)
    name = _NAME.match(markup, at + 1 + closing)
    if name is None:
        return Token("text", markup[at], at=at), at + 1
    attributes, end = _attributes(markup, name.end())
    if end < 0:
        return None, len(markup)
    return Token("end" if closing else "start", name[0].lower(), attributes, at), end


def _after(markup: str, what: str, at: int) -> int:
    found = markup.find(what, at)
    return len(markup) if found < 0 else found + len(what)


def _attributes(markup: str, at: int) -> tuple[dict[str, str], int]:
    """Return the attributes of a tag and where it ends; -1 when it never does."""
    found: dict[str, str] = {}
    while at >= 0:
        gap = _GAP.match(markup, at)
        at = gap.end() if gap else at
        if markup[at : at + 1] == ">":
            return found, at + 1
        match = _ATTRIBUTE.match(markup, at)
        if match is None:
            break
        value, at = _value(markup, match.end()) if match[2] else ("", match.end())
        if len(found) < MOST_ATTRIBUTES:
            found.setdefault(match[1].lower(), unescape(value))
    return found, -1


def _value(markup: str, at: int) -> tuple[str, int]:
    quote = markup[at : at + 1]
    if quote in ("'", '"'):
        end = markup.find(quote, at + 1)
        return (markup[at + 1 : end], end + 1) if end >= 0 else ("", -1)
    match = _UNQUOTED.match(markup, at)
    return (match[0], match.end()) if match else ("", at)


def _raw(markup: str, at: int, name: str) -> tuple[str, int]:
    """Return the text inside a script, style or title, and where its closing tag begins."""
    match = re.compile(rf"</{name}(?=[\s/>])", re.IGNORECASE).search(markup, at)
    end = match.start() if match else len(markup)
    text = markup[at:end]
    return (unescape(text) if name in ("title", "textarea") else text), end


class Reader(ABC):
    """Reads a page's tokens one by one; who derives from it takes in what begins, ends and stands between."""

    def read(self, markup: str) -> None:
        """Read HTML, however broken."""
        for token in tokens(markup):
            if token.kind == "text":
                self._text(token.text)
            elif token.kind == "start":
                self._start(token.text, token.attributes)
            else:
                self._end(token.text)

    @abstractmethod
    def _text(self, text: str) -> None: ...

    @abstractmethod
    def _start(self, name: str, attributes: Mapping[str, str]) -> None: ...

    @abstractmethod
    def _end(self, name: str) -> None: ...
