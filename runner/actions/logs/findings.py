"""What the rules found, counted by rule, and the suspicious lines themselves for the restricted evidence."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from runner.actions.logs.detector import SUCCESS
from runner.actions.logs.layouts import Entry, is_address
from runner.actions.logs.privacy import mask_address, public_path, public_target
from runner.actions.logs.sigma import Correlation, Rule
from runner.contract import Severity

MOST_HITS = 10_000
MOST_HIT_BYTES = 16 * 1024 * 1024
MOST_SOURCES = 50_000
MOST_EXAMPLES = 5
MOST_LOOKED_AT = 200  # for examples that differ
MOST_HABITS = 200
LONGEST_HIT = 4096
_LOWER = {Severity.CRITICAL: Severity.MAJOR, Severity.MAJOR: Severity.MINOR, Severity.MINOR: Severity.MINOR}


@dataclass(slots=True)
class Finding:
    """What one rule found. `answered` were answered 2xx, `successes` of them likely worked, `usual` are known from
    before: what the site answered to several visitors when nobody held it for an attack that worked."""

    rule: Rule | Correlation
    attempts: int = 0
    answered: int = 0
    successes: int = 0
    usual: int = 0
    sources: Counter[bytes] = field(default_factory=Counter)
    first: datetime | None = None
    last: datetime | None = None
    examples: dict[str, None] = field(default_factory=dict)
    habits: dict[str, str] = field(default_factory=dict)

    @property
    def severity(self) -> Severity:
        """The rule's; one lower where all that was found is usual here."""
        severity = self.rule.severity
        return _LOWER[severity] if self.attempts and self.usual == self.attempts else severity

    def add(self, entry: Entry, at: datetime, *, worked: bool, usual: frozenset[str] = frozenset()) -> None:
        """Count a line that meets the rule."""
        answered = int(entry.status) in SUCCESS
        self.attempts += 1
        self.answered += answered
        self.successes += worked
        self.count(entry.address, at)
        if len(self.examples) < MOST_EXAMPLES and self.attempts <= MOST_LOOKED_AT:
            self.examples[public_target(target_of(entry))] = None
        if not worked and (usual or (answered and len(self.habits) < MOST_HABITS)):
            network = mask_address(entry.address.decode("utf-8", "replace")) if answered else ""
            self._learn(public_path(target_of(entry)), usual, network)

    def _learn(self, path: str, usual: frozenset[str], network: str) -> None:
        """Look whether a path is usual here, and whether the site answered it ("" for not) to several networks."""
        self.usual += path in usual
        if network and len(self.habits) < MOST_HABITS and self.habits.setdefault(path, network) != network:
            self.habits[path] = ""

    def count(self, address: bytes, at: datetime, number: int = 1) -> None:
        """Count requests of an address."""
        if address in self.sources or len(self.sources) < MOST_SOURCES:
            self.sources[address] += number
        self.first = min(self.first or at, at)
        self.last = max(self.last or at, at)

    def usual_paths(self) -> list[str]:
        """What was answered to more than one network."""
        return sorted(path for path, network in self.habits.items() if not network)


def target_of(entry: Entry) -> str:
    """Given a line, return what it asked for, as it was sent; of a line that is no HTTP, all of it."""
    method, _, rest = entry.request.partition(b" ")
    target = rest.rsplit(b" HTTP/", 1)[0] if rest and method.isalpha() else entry.request
    return target.decode("utf-8", "backslashreplace")


def build_hit(rule: Rule | Correlation, entry: Entry, at: datetime, *, worked: bool) -> dict[str, Any]:
    """Given a rule and a line that meets it, return what the restricted evidence says of it, the whole address too."""
    address, referer, agent = (text.decode("utf-8", "backslashreplace") for text in (entry.address, *entry[-2:]))
    method = entry.request.partition(b" ")[0]
    return {
        "rule": rule.name,
        "title": rule.words,
        "likely_success": worked,
        "time": at.isoformat(),
        "address": address if is_address(address) else address[:100],
        "method": method.decode() if method.isalpha() and len(method) <= 30 else "",
        "target": target_of(entry)[:LONGEST_HIT],
        "status": int(entry.status),
        "size": int(entry.size),
        "referer": referer[:LONGEST_HIT],
        "agent": agent[:LONGEST_HIT],
    }
