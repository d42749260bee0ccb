"""Feeds and sitemaps, read by expat as a stream: no entity of their own is expanded, no tree is built.

What is broken is read up to the break.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Any
from xml.parsers import expat

LONGEST_VALUE = 2000
MOST_ENTRIES = 50_000
DEEPEST = 100

_ENTRIES = frozenset({"item", "entry", "url", "sitemap"})
_DATES = frozenset({"pubdate", "date", "published", "updated", "modified", "issued", "lastmod"})


@dataclass(frozen=True, slots=True)
class Entry:
    """An item of a feed, or an address of a sitemap ("url", or "sitemap" in an index), with its raw dates."""

    kind: str
    link: str
    dates: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Feed:
    """A feed or sitemap; `root` is its outermost element's name ("rss", "feed", "urlset", "sitemapindex" …)."""

    root: str
    entries: tuple[Entry, ...]
    complete: bool


class _StopReading(Exception):
    """The document wants more than it may."""


def unpack_sitemap(body: bytes, limit: int) -> bytes:
    """Given a sitemap, also a gzipped one, return its XML, at most `limit` bytes of it; b"" where it is broken."""
    if not body.startswith(b"\x1f\x8b"):
        return body
    try:
        return zlib.decompressobj(47).decompress(body, limit)
    except zlib.error:
        return b""


def parse_feed(body: bytes) -> Feed:
    """Given the bytes of a feed or sitemap, return its entries; of what is not XML, a feed without a root.

    Only dates inside entries count: a channel's own (`lastBuildDate`) is written anew at every request by some.
    """
    reader = _FeedReader()
    parser = expat.ParserCreate()  # without namespaces: feeds with undeclared prefixes are common
    parser.buffer_text = True
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    parser.EntityDeclHandler = reader.refuse_entity
    try:
        parser.Parse(body.lstrip(), True)
        complete = True
    except (expat.ExpatError, _StopReading, LookupError, ValueError):
        complete = False
    return Feed(reader.root, tuple(reader.entries), complete)


class _FeedReader:
    """Collects entries; `_path` holds the local names of the open elements."""

    def __init__(self) -> None:
        self.root = ""
        self.entries: list[Entry] = []
        self._path: list[str] = []
        self._value: list[str] = []
        self._length = 0
        self._link = ""
        self._dates: list[str] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        local = name.rpartition(":")[2].lower()
        self.root = self.root or local
        self._path.append(local)
        if len(self._path) > DEEPEST:
            raise _StopReading
        self._value, self._length = [], 0
        if local in _ENTRIES:
            self._link, self._dates = "", []
        elif local == "link" and attributes.get("href"):
            self._link = self._link or attributes["href"][:LONGEST_VALUE]

    def text(self, text: str) -> None:
        if self._length < LONGEST_VALUE:
            self._value.append(text[: LONGEST_VALUE - self._length])
            self._length += len(text)

    def end(self, name: str) -> None:
        local = self._path.pop()
        value = "".join(self._value).strip()
        if local in _ENTRIES:
            self._add(local)
        elif self._path and self._path[-1] in _ENTRIES and value:
            if local in _DATES:
                self._dates.append(value)
            elif local in ("link", "loc"):
                self._link = self._link or value
        self._value, self._length = [], 0

    def _add(self, kind: str) -> None:
        if len(self.entries) >= MOST_ENTRIES:
            raise _StopReading
        self.entries.append(Entry(kind, self._link, tuple(self._dates)))

    def refuse_entity(self, *declaration: Any) -> None:
        raise _StopReading
