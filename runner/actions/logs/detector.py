"""Finds the lines that meet a rule.

Of a block, `sift` keeps the lines that could meet one. They repeat themselves: so each text is looked at once, by
one pass over its bytes that finds the anchors of all rules; texts that hide something are decoded first, many at a
time. Only lines with a text that holds an anchor are held against the rules, and of the rules only those whose anchor
stands there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import compress
from typing import NamedTuple

from runner.actions.logs.anchors import TEXTS, Anchor, anchors
from runner.actions.logs.columns import Columns
from runner.actions.logs.condition import Condition, Fields, Forms, Match, build_check, fields_of
from runner.actions.logs.forms import LONGEST_REMEMBERED, ROUNDS, decode_once, flatten, forms, known_forms
from runner.actions.logs.layouts import Entry
from runner.actions.logs.matcher import build_matcher, load_matcher
from runner.actions.logs.sifting import LineSieve, lines_with
from runner.actions.logs.sigma import LINE, Rule

MOST_SEEN = 60_000
SUCCESS = range(200, 300)
_LINES = ("line", "request_in_line")  # the names of the dumps of what is looked for in whole lines

_HIDING = (rb"\\x", rb"/\*", rb"=[A-Za-z0-9+/_-]{20}")  # beside %, which is met so often that it is looked for apart
_PROTOCOL = re.compile(rb" http/[\d.]{1,3}\Z")


class Met(NamedTuple):
    """A rule that a line meets, and whether its answer says that it likely worked."""

    rule: Rule
    worked: bool


class Sieve:
    """Tells for the texts of one field which could meet a rule, each looked at once."""

    def __init__(self, patterns: Sequence[bytes], dumped: bytes = b"") -> None:
        self._anchors = len(patterns)
        patterns = [*patterns, *_HIDING]
        self.matcher = load_matcher(patterns, dumped) if dumped else build_matcher(patterns)
        self._seen: set[bytes] = set()
        self._suspects: set[bytes] = set()
        self.held = lru_cache(maxsize=8192)(self.anchors_in)

    def anchors_in(self, text: bytes) -> frozenset[int]:
        """The numbers of the anchors that stand in a text, as it is or decoded."""
        found = self.matcher.found(b"\n".join(forms(text)))
        return frozenset(number for number in found if number < self._anchors)

    def numbers(self, texts: Sequence[bytes]) -> set[int]:
        """Given texts without line ends, most of them met for the first time, return the numbers of those that hold an
        anchor, as they are or decoded."""
        block = b"\n".join(texts)
        found = set(_numbers(block, self.matcher.lines(block)))
        hiding = set(_numbers(block, lines_with(b"%", block))) - found
        bad = self.suspects(map(texts.__getitem__, hiding))
        return found.union(number for number in hiding if texts[number] in bad)

    def suspects(self, texts: Iterable[bytes]) -> set[bytes]:
        """Given texts without line ends, return those that hold an anchor, as they are or decoded; and earlier ones."""
        these = set(texts)
        new = these - self._seen
        if not new:
            return self._suspects
        if len(self._seen) > MOST_SEEN:
            self._seen, self._suspects, new = set(), set(), these
        self._seen.update(text for text in new if len(text) <= LONGEST_REMEMBERED)
        self._suspects.update(filter(self.held, self._sift(list(new))))  # what could hide one may hide none
        return self._suspects

    def _sift(self, texts: list[bytes]) -> Iterator[bytes]:
        found = set(_numbers(block := b"\n".join(texts), self.matcher.lines(block)))
        yield from (texts[number] for number in found)
        left = [(text, text) for number, text in enumerate(texts) if b"%" in text and number not in found]
        for _ in range(ROUNDS):
            if not left:
                return
            decoded = decode_once(b"\n".join(now for _, now in left))
            flattened = flatten(decoded)
            hits = set(_numbers(flattened, self.matcher.lines(flattened)))
            yield from (left[number][0] for number in hits)
            each = enumerate(zip(left, decoded.split(b"\n"), strict=True))
            left = [(text, new) for number, ((text, old), new) in each if number not in hits and new != old]


class Detector:
    """Rules, ready to be looked for. `known` and `dumped` are what an earlier detector of the same rules had in
    `anchors` and gave by `dump`."""

    def __init__(
        self,
        rules: Sequence[Rule],
        known: Sequence[frozenset[Anchor]] | None = None,
        dumped: Mapping[str, bytes] | None = None,
    ) -> None:
        self._rules = rules
        self._checks = [build_check(rule.condition) for rule in rules]
        self.every = frozenset(rule.name for rule in rules if is_every(rule.condition))
        self.anchors = known or [anchors(rule.condition) or frozenset() for rule in rules]
        known_by = list(enumerate(self.anchors))
        self._always = frozenset(n for n, found in known_by if not found and rules[n].name not in self.every)
        dumped = dumped or {}
        self._patterns = {field: self._patterns_of(field) for field in TEXTS}
        self._sieves = {field: Sieve(self._patterns[field], dumped.get(field, b"")) for field in TEXTS}
        self._lines = LineSieve(self._all(*TEXTS, LINE, "status"), [dumped[name] for name in _LINES if name in dumped])
        self._of_pattern = {field: self._owners(field) for field in TEXTS}
        self._statuses = {status for anchor in self._all("status") for status in anchor.texts}
        self._of_status = {status: self._asking_for(status) for status in self._statuses}
        uses = [fields_of(rule.condition) for rule in rules]
        self._by_headers = frozenset(n for n, fields in enumerate(uses) if fields & {"referer", "agent", LINE})
        self._owners_of = lru_cache(maxsize=8192)(self._owners_in)
        self._judge = lru_cache(maxsize=8192)(self._judged)

    def _all(self, *fields: str) -> set[Anchor]:
        return {anchor for found in self.anchors for anchor in found if anchor.field in fields}

    def _asking_for(self, status: bytes) -> frozenset[int]:
        """The rules of which an anchor is this status."""
        known = enumerate(self.anchors)
        return frozenset(n for n, found in known if any(a.field == "status" and status in a.texts for a in found))

    def _patterns_of(self, field: str) -> list[bytes]:
        return sorted({anchor.pattern for anchor in self._all(field, LINE)})

    def _owners(self, field: str) -> list[list[int]]:
        """For each pattern of a field the numbers of its rules."""
        known = [{a.pattern for a in found if a.field in (field, LINE)} for found in self.anchors]
        return [[n for n, patterns in enumerate(known) if one in patterns] for one in self._patterns[field]]

    def _owners_in(self, field: str, text: bytes) -> frozenset[int]:
        """The rules of which an anchor stands in a field with this text."""
        sieve, owners = self._sieves[field], self._of_pattern[field]
        held = sieve.held if len(text) <= LONGEST_REMEMBERED else sieve.anchors_in
        return frozenset(owner for number in held(text) for owner in owners[number])

    def dump(self) -> dict[str, bytes]:
        """What makes another detector of the same rules at once."""
        fields = {field: sieve.matcher.dump() for field, sieve in self._sieves.items()}
        return {**fields, **dict(zip(_LINES, self._lines.dump(), strict=False))}

    def sift(self, block: bytes) -> bytes:
        """Given whole lines of a form with quotes, return those that could meet a rule."""
        return block if self._always else self._lines.sift(block)

    def find(self, columns: Columns) -> Iterator[tuple[Entry, tuple[Met, ...]]]:
        """Given the columns of a block, return the lines that meet rules, each with these."""
        texts, statuses = self.suspects(columns)
        for number in sorted(texts | statuses):
            entry = columns.entry(number)
            if met := self.judge(entry, textual=number in texts):
                yield entry, met

    def suspects(self, columns: Columns) -> tuple[set[int], set[int]]:
        """Given the columns of a block, return the numbers of the lines that could meet a rule: those with a text that
        could, and those with such a status."""
        if self._always:
            return set(range(len(columns.requests))), set()
        picked = self._sieves["request"].numbers(columns.requests)
        for field, texts in (("referer", columns.referers), ("agent", columns.agents)):
            bad = self._sieves[field].suspects(texts)
            if not bad.isdisjoint(texts):
                picked.update([number for number, text in enumerate(texts) if text in bad])
        statuses = map(self._statuses.__contains__, columns.statuses)
        return picked, set(compress(range(len(columns.statuses)), statuses))

    def judge(self, entry: Entry, *, textual: bool = True) -> tuple[Met, ...]:
        """Given a line, return the rules that it meets, without those that every line meets. `textual` is false where
        its texts are known to hold no anchor."""
        wanted = self._always
        if entry.status in self._statuses:
            wanted |= self._of_status[entry.status]
        for field, text in zip(TEXTS, (entry.request, entry.referer, entry.agent), strict=True) if textual else ():
            wanted |= self._owners_of(field, text) if len(text) <= LONGEST_REMEMBERED else self._owners_in(field, text)
        if not wanted:
            return ()
        headers = (b"", b"") if self._by_headers.isdisjoint(wanted) else (entry.referer, entry.agent)
        short = len(entry.request) + len(headers[0]) + len(headers[1]) <= LONGEST_REMEMBERED
        return (self._judge if short else self._judged)(entry.request, entry.status, *headers, wanted)

    def _judged(
        self, request: bytes, status: bytes, referer: bytes, agent: bytes, wanted: frozenset[int]
    ) -> tuple[Met, ...]:
        """Of the wanted rules those that a line meets."""
        entry = Entry(b"", b"", request, status, b"", referer, agent)
        fields = read_fields(entry)
        met = [number for number in sorted(wanted) if self._checks[number](fields)]
        return tuple(Met(self._rules[number], self._has_worked(number, entry, fields)) for number in met)

    def _has_worked(self, number: int, entry: Entry, fields: Fields) -> bool:
        """Whether a line that meets a rule was answered so that the attempt likely worked."""
        proof = self._rules[number].proof
        if not proof or int(entry.status) not in SUCCESS:
            return False
        return proof == "target" or self._checks[number](lambda name: fields("path" if name == "target" else name))


def is_every(condition: Condition) -> bool:
    """Whether every line meets it."""
    return isinstance(condition, Match) and not condition.literals and not condition.pattern


def read_fields(entry: Entry) -> Fields:
    """Given a line, return what gives its fields, each as the forms of its text."""
    known: dict[str, Forms] = {}

    def get(name: str) -> Forms:
        found = known.get(name)
        if found is None:
            found = known[name] = _forms_of(entry, name, get)
        return found

    return get


def _forms_of(entry: Entry, name: str, get: Fields) -> Forms:
    if name == LINE:
        return tuple(dict.fromkeys(form for field in TEXTS for form in get(field)))
    if name == "target":
        return _unlike(list(map(_target, get("request"))))
    if name == "path":
        return _unlike([form.partition(b"?")[0] for form in get("target")])
    if name == "method":
        return (entry.request.partition(b" ")[0].lower(),)
    if name == "status":
        return (entry.status,)
    text: bytes = getattr(entry, name, b"")
    return known_forms(text) if text else ()


def _unlike(texts: list[bytes]) -> Forms:
    """The texts without repetition."""
    return tuple(dict.fromkeys(texts)) if len(texts) > 1 else (texts[0],) if texts else ()


def _target(request: bytes) -> bytes:
    """What was asked for: a request without its method and protocol. One that is no HTTP is all target."""
    method, _, rest = request.partition(b" ")
    return _PROTOCOL.sub(b"", rest) if rest and method.isalpha() else request


def _numbers(block: bytes, starts: Iterable[int]) -> Iterator[int]:
    """The numbers of the lines that begin there, in order, counted from 0."""
    number = last = 0
    for start in starts:
        number += block.count(b"\n", last, start)
        last = start
        yield number
