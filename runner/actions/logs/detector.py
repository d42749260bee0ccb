"""Finds the lines that meet a rule.

Of a block, `sifting` tells the lines that could meet one, and which. Only these are read, and held against these rules
only; what many lines have in common is judged once.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from runner.actions.logs.anchors import TEXTS, Anchor, anchors
from runner.actions.logs.columns import Columns, read_lines
from runner.actions.logs.condition import Condition, Fields, Forms, Match, build_check, fields_of
from runner.actions.logs.forms import LONGEST_REMEMBERED, known_forms
from runner.actions.logs.layouts import Entry, Layout
from runner.actions.logs.sifting import LineSieve, Marks
from runner.actions.logs.sigma import LINE, Rule

SUCCESS = range(200, 300)
_PROTOCOL = re.compile(rb" http/[\d.]{1,3}\Z")


class Met(NamedTuple):
    """A rule that a line meets, and whether its answer says that it likely worked."""

    rule: Rule
    worked: bool


class Detector:
    """Rules, ready to be looked for. `known` and `dumped` are what an earlier detector of the same rules had in
    `anchors` and gave by `dump`."""

    def __init__(
        self,
        rules: Sequence[Rule],
        known: Sequence[frozenset[Anchor]] | None = None,
        dumped: Sequence[bytes] = (),
    ) -> None:
        self._rules = rules
        self._checks = [build_check(rule.condition) for rule in rules]
        self.every = frozenset(rule.name for rule in rules if is_every(rule.condition))
        self.anchors = known or [anchors(rule.condition) or frozenset() for rule in rules]
        self._sieve = LineSieve(self.anchors, dumped)
        self.dump = self._sieve.dump
        uses = self._uses = [fields_of(rule.condition) for rule in rules]
        self._always = _marks(not found and not is_every(rules[n].condition) for n, found in enumerate(self.anchors))
        self._by_request = _marks(bool(fields - {"status", "referer", "agent"}) for fields in uses)
        self._by_headers = _marks(bool(fields & {"referer", "agent", LINE}) for fields in uses)
        self._judge = lru_cache(maxsize=8192)(self._judged)

    def find(self, block: bytes, layout: Layout) -> Iterator[tuple[Entry, tuple[Met, ...]]]:
        """Given whole lines of a layout with quotes, return those that meet rules, each with these."""
        found = list(self._sieve.sift(block, layout.quotes, self._always))
        for entry, (_, wanted) in zip(read_lines([line for line, _ in found], layout), found, strict=True):
            met = () if entry is None else self.judge(entry) if wanted is None else self._met(entry, wanted)
            if entry and met:
                yield entry, met

    def find_in(self, columns: Columns) -> Iterator[tuple[Entry, tuple[Met, ...]]]:
        """Given lines that were read, return those that meet rules, each with these."""
        entries = list(columns.entries())
        found = self._sieve.look_at(entries)
        for number in range(len(entries)) if self._always else sorted(found):
            if met := self._met(entries[number], found.get(number, 0)):
                yield entries[number], met

    def judge(self, entry: Entry) -> tuple[Met, ...]:
        """Given a line, return the rules that it meets, without those that every line meets."""
        return self._met(entry, self._sieve.look_at([entry]).get(0, 0))

    def _met(self, entry: Entry, wanted: Marks) -> tuple[Met, ...]:
        """Of the wanted rules those that a line meets."""
        wanted |= self._always
        request = entry.request if wanted & self._by_request else b""
        headers = (entry.referer, entry.agent) if wanted & self._by_headers else (b"", b"")
        short = len(request) + len(headers[0]) + len(headers[1]) <= LONGEST_REMEMBERED
        return (self._judge if short else self._judged)(request, entry.status, *headers, wanted)

    def _judged(self, request: bytes, status: bytes, referer: bytes, agent: bytes, wanted: Marks) -> tuple[Met, ...]:
        entry = Entry(b"", b"", request, status, b"", referer, agent)
        fields = read_fields(entry)
        met = [number for number in _numbers(wanted) if self._checks[number](fields)]
        return tuple(Met(self._rules[number], self._has_worked(number, entry, fields)) for number in met)

    def _has_worked(self, number: int, entry: Entry, fields: Fields) -> bool:
        """Whether a line that meets a rule was answered so that the attempt likely worked."""
        proof = self._rules[number].proof
        if not proof or int(entry.status) not in SUCCESS:
            return False
        if proof == "target" or "target" not in self._uses[number]:
            return True
        return self._checks[number](lambda name: fields("path" if name == "target" else name))


def is_every(condition: Condition) -> bool:
    """Whether every line meets it."""
    return isinstance(condition, Match) and not condition.literals and not condition.pattern


class _Fields(dict[str, Forms]):
    """The fields of a line that were asked for."""

    def __init__(self, entry: Entry) -> None:
        super().__init__()
        self._entry = entry

    def __missing__(self, name: str) -> Forms:
        found = self[name] = self._forms_of(name)
        return found

    def _forms_of(self, name: str) -> Forms:
        if name == LINE:
            return tuple(dict.fromkeys(form for field in TEXTS for form in self[field]))
        if name == "target":
            return _unlike([_target(form) for form in self["request"]])
        if name == "path":
            return _unlike([form.partition(b"?")[0] for form in self["target"]])
        if name == "method":
            return (self._entry.request.partition(b" ")[0].lower(),)
        if name == "status":
            return (self._entry.status,)
        text: bytes = getattr(self._entry, name, b"")
        return known_forms(text) if text else ()


def read_fields(entry: Entry) -> Fields:
    """Given a line, return what gives its fields, each as the forms of its text."""
    return _Fields(entry).__getitem__


def _unlike(texts: list[bytes]) -> Forms:
    """The texts without repetition."""
    return tuple(dict.fromkeys(texts)) if len(texts) > 1 else (texts[0],) if texts else ()


def _target(request: bytes) -> bytes:
    """What was asked for: a request without its method and protocol. One that is no HTTP is all target."""
    method, _, rest = request.partition(b" ")
    return _PROTOCOL.sub(b"", rest) if rest and method.isalpha() else request


def _marks(wanted: Iterable[bool]) -> Marks:
    """Of each rule whether it is wanted, as marks."""
    return sum(1 << number for number, each in enumerate(wanted) if each)


@lru_cache(maxsize=8192)
def _numbers(marks: Marks) -> tuple[int, ...]:
    """The numbers of rules."""
    return tuple(number for number in range(marks.bit_length()) if marks >> number & 1)
