"""What a page says: its text, title, dates in its markup, feeds it names. Everything here is text from outside."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from runner.actions.web.text import LONGEST_PARSED, clean_text
from runner.actions.web.tokens import RAW, Reader

LONGEST_TITLE = 200
LONGEST_JSON = 200_000
MOST_DATES = 1000
MOST_FEEDS = 10

_FEED_TYPES = ("application/rss+xml", "application/atom+xml")
_ASIDE = frozenset({"header", "nav", "footer", "noscript", "template", "select"})
_CONTENT = frozenset({"article", "main", "time"})
INLINE = frozenset({"a", "b", "i", "em", "font", "strong", "small", "span", "time", "u"})
_META_DATES = frozenset({"article:modified_time", "article:published_time", "datemodified", "datepublished"})
_JSON_DATES = ("dateModified", "datePublished")


@dataclass(frozen=True, slots=True)
class Page:
    """A page as read.

    `content` is the text of its articles, `other` the text elsewhere but not in header, menu or footer, `whole` all
    visible text. `dates` are the raw dates of its markup, `feeds` the addresses of the feeds it names.
    """

    title: str
    content: str
    other: str
    whole: str
    dates: tuple[str, ...]
    feeds: tuple[str, ...]


def parse_page(markup: str) -> Page:
    """Given HTML, however broken, return what it says."""
    reader = _PageReader()
    reader.read(markup[:LONGEST_PARSED])
    return reader.page()


class _PageReader(Reader):
    """Collects from tokens; `_aside` and `_deep` count open elements beside and in the content."""

    def __init__(self) -> None:
        self._title = ""
        self._content: list[str] = []
        self._other: list[str] = []
        self._whole: list[str] = []
        self._dates: list[str] = []
        self._feeds: list[str] = []
        self._raw = ""
        self._json = False
        self._aside = 0
        self._deep = 0

    def _start(self, name: str, attributes: Mapping[str, str]) -> None:
        self._aside += name in _ASIDE
        self._deep += name in _CONTENT
        if name in RAW:
            self._raw = name
            self._json = attributes.get("type", "").strip().lower() == "application/ld+json"
        elif name == "time":
            self._dates.append(attributes.get("datetime", ""))
        elif name == "meta":
            key = attributes.get("property") or attributes.get("name") or attributes.get("itemprop") or ""
            self._dates.append(attributes.get("content", "") if key.lower() in _META_DATES else "")
        elif name == "link" and attributes.get("type", "").lower() in _FEED_TYPES:
            self._feeds.append(attributes.get("href", "").strip())
        self._break(name)

    def _end(self, name: str) -> None:
        self._raw = "" if name == self._raw else self._raw
        self._aside = max(0, self._aside - (name in _ASIDE))
        self._deep = max(0, self._deep - (name in _CONTENT))
        self._break(name)

    def _break(self, name: str) -> None:
        for texts in (self._content, self._other, self._whole) if name not in INLINE else ():
            texts.append("\n")

    def _text(self, text: str) -> None:
        if self._raw == "title":
            self._title = self._title or text
        elif self._json:
            self._dates.extend(json_dates(text))
            self._json = False
        elif not self._raw:
            self._whole.append(text)
            if not self._aside:
                (self._content if self._deep else self._other).append(text)

    def page(self) -> Page:
        return Page(
            title=clean_text(self._title, LONGEST_TITLE),
            content="".join(self._content),
            other="".join(self._other),
            whole="".join(self._whole),
            dates=tuple(filter(None, self._dates))[:MOST_DATES],
            feeds=tuple(filter(None, self._feeds))[:MOST_FEEDS],
        )


def json_dates(text: str) -> list[str]:
    """Given JSON-LD, return its raw dates of change and publication; of what is not JSON, none."""
    try:
        waiting: list[Any] = [json.loads(text[:LONGEST_JSON])]
    except (ValueError, RecursionError):
        return []
    found: list[str] = []
    while waiting:
        value = waiting.pop()
        if isinstance(value, list):
            waiting.extend(value)
        elif isinstance(value, dict):
            found.extend(v for k, v in value.items() if k in _JSON_DATES and isinstance(v, str))
            waiting.extend(value.values())
    return found
