"""Finds the lines that meet a rule.

A log repeats itself: the same requests, referers and agents come again and again. So each text is looked at once, by
one pass over its bytes that finds the anchors of all rules; texts that hide something are decoded first, many at a
time. Only lines with a text that holds an anchor are held against the rules, and of the rules only those whose anchor
stands there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from runner.actions.logs.anchors import TEXTS, Anchor, anchors
from runner.actions.logs.columns import Columns
from runner.actions.logs.condition import Condition, Fields, Forms, Match, fields_of, holds
from runner.actions.logs.forms import ROUNDS, decode_once, flatten, forms, known_forms
from runner.actions.logs.layouts import Entry
from runner.actions.logs.matcher import build_matcher, load_matcher
from runner.actions.logs.sigma import LINE, Rule

MOST_SEEN = 60_000
SUCCESS = range(200, 300)

_HIDING = (rb"\\x", rb"/\*", rb"=[A-Za-z0-9+/_-]{20}")  # beside %, which is met so often that it is looked for apart
_PROTOCOL = re.compile(rb" http/[\d.]{1,3}\Z")


class Met(NamedTuple):
    """A rule that a line meets, and whether its answer says that it likely worked."""

    rule: Rule
    worked: bool


class Sieve:
    """Tells for the texts of one field which could meet a rule, each looked at once."""

    def __init__(self, patterns: Sequence[bytes], dumped: bytes = b"") -> None:
        patterns = [*patterns, *_HIDING]
        self.matcher = load_matcher(patterns, dumped) if dumped else build_matcher(patterns)
        self._seen: set[bytes] = set()
        self._suspects: set[bytes] = set()

    def suspects(self, texts: Iterable[bytes]) -> set[bytes]:
        """Given texts without line ends, return those that hold an anchor, as they are or decoded; and earlier ones."""
        new = set(texts) - self._seen
        if not new:
            return self._suspects
        if len(self._seen) > MOST_SEEN:
            self._seen, self._suspects = set(), set()
            new = set(texts)
        self._seen |= new
        self._suspects.update(self._sift(list(new)))
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
        self.every = frozenset(rule.name for rule in rules if is_every(rule.condition))
        self.anchors = known or [anchors(rule.condition) or frozenset() for rule in rules]
        self._always = [n for n, found in enumerate(self.anchors) if not found and rules[n].name not in self.every]
        dumped = dumped or {}
        self._patterns = {field: self._patterns_of(field) for field in TEXTS}
        self._sieves = {field: Sieve(self._patterns[field], dumped.get(field, b"")) for field in TEXTS}
        self._of_pattern = {field: self._owners(field) for field in TEXTS}
        self._statuses = {status for a in self._all("status") for status in a.pattern.split(b"|")}
        self._of_status = [n for n, found in enumerate(self.anchors) if any(a.field == "status" for a in found)]
        used = [fields_of(rules[number].condition) for number in self._of_status]
        self._by_headers = any({"referer", "agent", LINE} & fields for fields in used)
        self._owners_of = lru_cache(maxsize=8192)(self._owners_in)
        self._judge = lru_cache(maxsize=8192)(self._judged)

    def _all(self, *fields: str) -> set[Anchor]:
        return {anchor for found in self.anchors for anchor in found if anchor.field in fields}

    def _patterns_of(self, field: str) -> list[bytes]:
        return sorted({anchor.pattern for anchor in self._all(field, LINE)})

    def _owners(self, field: str) -> list[list[int]]:
        """For each pattern of a field the numbers of its rules."""
        known = [{a.pattern for a in found if a.field in (field, LINE)} for found in self.anchors]
        return [[n for n, patterns in enumerate(known) if one in patterns] for one in self._patterns[field]]

    def _owners_in(self, field: str, found: Forms) -> frozenset[int]:
        """The rules of which an anchor stands in a field with these forms."""
        owners = self._of_pattern[field]
        numbers = self._sieves[field].matcher.found(b"\n".join(found))
        return frozenset(owner for number in numbers if number < len(owners) for owner in owners[number])

    def dump(self) -> dict[str, bytes]:
        """What makes another detector of the same rules at once."""
        return {field: sieve.matcher.dump() for field, sieve in self._sieves.items()}

    def find(self, columns: Columns) -> Iterator[tuple[Entry, tuple[Met, ...]]]:
        """Given the columns of a block, return the lines that meet rules, each with these."""
        texts, statuses = self.suspects(columns)
        for number in sorted(texts | statuses):
            entry = columns.entry(number)
            if number in texts:
                met = self.judge(entry)
            else:
                headers = (entry.referer, entry.agent) if self._by_headers else (b"", b"")
                met = self._judge(entry.request, entry.status, *headers, False)
            if met:
                yield entry, met

    def suspects(self, columns: Columns) -> tuple[set[int], set[int]]:
        """Given the columns of a block, return the numbers of the lines that could meet a rule: those with a text that
        could, and those with such a status."""
        if self._always:
            return set(range(len(columns.requests))), set()
        picked: set[int] = set()
        for field, texts in (("request", columns.requests), ("referer", columns.referers), ("agent", columns.agents)):
            bad = self._sieves[field].suspects(texts)
            if not bad.isdisjoint(texts):
                picked.update([number for number, text in enumerate(texts) if text in bad])
        if self._statuses.isdisjoint(columns.statuses):
            return picked, set()
        return picked, {number for number, status in enumerate(columns.statuses) if status in self._statuses}

    def judge(self, entry: Entry) -> tuple[Met, ...]:
        """Given a line, return the rules that it meets, without those that every line meets."""
        return self._judge(entry.request, entry.status, entry.referer, entry.agent, True)

    def _judged(self, request: bytes, status: bytes, referer: bytes, agent: bytes, textual: bool) -> tuple[Met, ...]:
        entry = Entry(b"", b"", request, status, b"", referer, agent)
        fields = read_fields(entry)
        wanted = {*self._always, *(self._of_status if status in self._statuses else ())}
        for field in TEXTS if textual else ():
            wanted |= self._owners_of(field, fields(field))
        return tuple(
            Met(rule, has_worked(rule, entry, fields))
            for number in sorted(wanted)
            if holds((rule := self._rules[number]).condition, fields)
        )


def is_every(condition: Condition) -> bool:
    """Whether every line meets it."""
    return isinstance(condition, Match) and not condition.literals and not condition.pattern


def has_worked(rule: Rule, entry: Entry, fields: Fields) -> bool:
    """Whether a line that meets the rule was answered so that the attempt likely worked."""
    if not rule.proof or int(entry.status) not in SUCCESS:
        return False
    return rule.proof == "target" or holds(rule.condition, lambda name: fields("path" if name == "target" else name))


def read_fields(entry: Entry) -> Fields:
    """Given a line, return what gives its fields, each as the forms of its text."""
    known: dict[str, Forms] = {}

    def get(name: str) -> Forms:
        if name not in known:
            known[name] = _forms_of(entry, name, get)
        return known[name]

    return get


def _forms_of(entry: Entry, name: str, get: Fields) -> Forms:
    if name == LINE:
        return tuple(dict.fromkeys(form for field in TEXTS for form in get(field)))
    if name == "target":
        return tuple(dict.fromkeys(map(_target, get("request"))))
    if name == "path":
        return tuple(dict.fromkeys(form.partition(b"?")[0] for form in get("target")))
    if name == "method":
        return (entry.request.partition(b" ")[0].lower(),)
    text: bytes = getattr(entry, name, b"")
    return () if not text else forms(text) if name == "request" else known_forms(text)


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
