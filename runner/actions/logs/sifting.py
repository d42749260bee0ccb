"""Tells which lines of a block could meet which rules, before anything of them is cut: of an ordinary log a few in a
hundred.

One pass over the bytes looks for the anchors of all rules and for what could hide one. A text that stands in nearly
every line (`;` in agents, `https://` in referers) but is asked for in requests is looked for in requests only. Lines
that could hide an anchor are decoded together and looked at again, form by form.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import reduce
from itertools import product
from operator import or_
from typing import NamedTuple

from runner.actions.logs.anchors import Anchor, rarest_words
from runner.actions.logs.forms import plain, rounds, unpack
from runner.actions.logs.layouts import Entry
from runner.actions.logs.matcher import load_matcher

Marks = int  # of rules by their numbers: the bit 1 << number

# What could hide an anchor beside %, which is met so often that it is looked for apart: escapes of the log, comments,
# base64 of what can be printed, blanks of other kinds. A quote within a text, and a line that is JSON, must be read
# before.
_HIDING = (rb"\\x", rb"/\*", rb"(?-i:=(?:[CI-Za-f][A-Za-z0-9+/_-]{3}){5})", rb"[\t\x0b\x0c\x00]|\r[^\n]")
_IRREGULAR = (rb'\\"', rb"\n\{")

# Of ordinary lines what stands behind their requests: a text in it must be looked for in requests only.
_ORDINARY = b"""\
" 200 512 "-" "mozilla/5.0 (windows nt 10.0; win64; x64) applewebkit/537.36 (khtml, like gecko) chrome/126.0.0.0"
" 200 512 "https://pn-contoh.go.id/index.php/berita?id=1&x=2" "mozilla/5.0 (linux; android 14; sm-a155f build/up1a; wv)"
" 200 512 "https://www.google.com/url?sa=t&url=http://pn-contoh.go.id/" "mozilla/5.0 (compatible; googlebot/2.1; +http://www.google.com/bot.html)"
"""


class _Writing(NamedTuple):
    """How lines are written, as patterns: what stands before a request, what within a text, what before a status."""

    opening: bytes
    inner: bytes
    closing: bytes


_LOG = _Writing(rb'\] "', rb'[^"\n]*', b'" ')
_TEXTS = _Writing(rb"\] ", rb"[^\n]*", rb"\n ")  # each text on a line of its own, since decoding brings quotes
_BLANK = (b" ", rb"\+")
_LINE = b"\n] %s\n %s \n%s\n \n%s\n\n"


class LineSieve:
    """Tells of lines which rules they could meet, given the anchors of each rule; one without any is met by none.
    `dumped` is what `dump` gave before."""

    def __init__(self, anchors: Sequence[frozenset[Anchor]], dumped: Sequence[bytes] = ()) -> None:
        self._irregular, self._hiding = 1 << len(anchors), 2 << len(anchors)
        self.rules = self._irregular - 1
        more = dict.fromkeys(_HIDING, self._hiding) | dict.fromkeys(_IRREGULAR, self._irregular)
        parts = (_patterns(anchors, _LOG) | more, _patterns(anchors, _TEXTS))
        self._marks = [list(part.values()) for part in parts]
        self._matchers = [
            load_matcher(list(part), dump) for part, dump in zip(parts, dumped or [b""] * len(parts), strict=True)
        ]

    def dump(self) -> list[bytes]:
        """What makes another one of the same anchors at once."""
        return [matcher.dump() for matcher in self._matchers]

    def sift(self, block: bytes, quotes: int, always: Marks = 0) -> Iterator[tuple[bytes, Marks | None]]:
        """Given whole lines with so many quotes each, return those that could meet rules, in order, with these; None
        for one that must be read first. `always`: rules that any line could meet."""
        found = dict.fromkeys(_starts(block), always) if always else {}
        found |= dict.fromkeys(lines_with(b"%", block), always | self._hiding)
        for start, mark in self._matchers[0].lines(block, self._marks[0]).items():
            found[start] = found.get(start, 0) | mark
        if block.startswith(b"{"):
            found[0] = self._irregular
        lines = [(block[start : block.find(b"\n", start) + 1 or None], found[start]) for start in sorted(found)]
        revealed = self._reveal_all(lines, quotes)
        for number, (line, mark) in enumerate(lines):
            mark |= revealed.get(number, 0)
            if mark & self._irregular:
                yield line, None
            elif mark & self.rules:
                yield line, mark & self.rules

    def _reveal_all(self, lines: Sequence[tuple[bytes, Marks]], quotes: int) -> Mapping[int, Marks]:
        """Of the lines that could hide something what they could meet, by their numbers."""
        hiding = [
            number for number, (_, mark) in enumerate(lines) if mark & self._hiding and not mark & self._irregular
        ]
        odd = {number: self._irregular for number in hiding if lines[number][0].count(b'"') != quotes}
        regular = [number for number in hiding if number not in odd]
        text = b"".join([lines[number][0] for number in regular]).replace(b'"', b"\n").replace(b"] \n", b"\n] ")
        found = self._reveal(text, quotes + 1, rounds(text, plain)[1:])  # as it stands it was looked at
        return odd | {regular[number]: mark for number, mark in found.items()}

    def look_at(self, entries: Iterable[Entry]) -> Mapping[int, Marks]:
        """Given lines that were read, return by their numbers what they could meet."""
        text = b"".join([_LINE % (e.request, e.status, e.referer, e.agent) for e in entries])
        return self._reveal(text, _LINE.count(b"\n"), rounds(text, plain))

    def _reveal(self, text: bytes, ends: int, forms: Iterable[bytes]) -> dict[int, Marks]:
        """Given texts of lines, each line with so many ends, and their forms, return by their numbers what these could
        meet."""
        matcher, marks = self._matchers[1], self._marks[1]
        found: dict[int, Marks] = {}
        for form in forms:
            held = matcher.lines(form, marks)
            for end, mark in zip(_numbers(form, held), held.values(), strict=True):
                found[end // ends] = found.get(end // ends, 0) | mark
        hidden = unpack(text)
        for end, (_, packed) in zip(_numbers(text, [at for at, _ in hidden]), hidden, strict=True):
            for mark in matcher.lines(b"] " + packed, marks).values():
                found[end // ends] = found.get(end // ends, 0) | mark
        return found


def _patterns(anchors: Sequence[frozenset[Anchor]], writing: _Writing) -> dict[bytes, Marks]:
    """Given the anchors of rules, return patterns of which one is found in every line that holds an anchor in plain,
    each with its rules."""
    found: dict[bytes, Marks] = {}
    common: dict[bytes, Marks] = {}
    for number, some in enumerate(anchors):
        for anchor in some:
            for pattern, often in _patterns_of(anchor, writing):
                part = common if often else found
                part[pattern] = part.get(pattern, 0) | 1 << number
    if common:  # together: one with repetitions costs as much as a hundred texts
        pattern = b"%s%s(?:%s)" % (writing.opening, writing.inner, b"|".join(sorted(common)))
        found[pattern] = reduce(or_, common.values())
    return dict(sorted(found.items()))


def _patterns_of(anchor: Anchor, writing: _Writing) -> Iterator[tuple[bytes, bool]]:
    """The patterns that find an anchor, and whether each stands in nearly every line."""
    if anchor.field == "status":
        yield from ((writing.closing + text + b" ", False) for text in anchor.texts)
        return
    if anchor.then:  # both within a text
        front = writing.opening if anchor.begins else b""
        first, then = (b"|".join(_literals(anchor.field, texts)) for texts in (anchor.texts, anchor.then))
        yield b"%s(?:%s)%s(?:%s)" % (front, first, writing.inner, then), anchor.field == "request" and not anchor.begins
        return
    for text in anchor.texts:
        if writing is _TEXTS or b'"' not in text:  # a log writes \" for a quote
            often = anchor.field == "request" and rarest_words("request", text) in _ORDINARY
            yield from ((pattern, often) for pattern in _literals(anchor.field, [text]))


def _literals(field: str, texts: Iterable[bytes]) -> Iterator[bytes]:
    """Of each text what is met least, with each kind of blank in it. Where there are several blanks, two are enough."""
    for text in texts:
        words = rarest_words(field, text)
        front, back = (_BLANK if blank else (b"",) for blank in (words.startswith(b" "), words.endswith(b" ")))
        first, *second = map(re.escape, words.split())
        bodies = [first]
        if second:
            bodies = [
                *(first + blank + second[0] for blank in _BLANK),
                *(first + a + b for a, b in product(_BLANK, _BLANK)),
            ]
        yield from (a + body + b for a, body, b in product(front, bodies, back))


def _starts(block: bytes) -> Iterator[int]:
    """Where lines begin."""
    start = 0
    while start < len(block):
        yield start
        start = block.find(b"\n", start) + 1 or len(block)


def lines_with(text: bytes, block: bytes) -> Iterator[int]:
    """Where the lines begin that hold the text, in order."""
    at = block.find(text)
    while at >= 0:
        yield block.rfind(b"\n", 0, at) + 1
        end = block.find(b"\n", at)
        at = block.find(text, end) if end >= 0 else -1


def _numbers(block: bytes, starts: Iterable[int]) -> Iterator[int]:
    """The numbers of the lines that begin there, in order, counted from 0."""
    number = last = 0
    for start in starts:
        number += block.count(b"\n", last, start)
        last = start
        yield number
