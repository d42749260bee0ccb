"""Counting an access log: visitors and suspicious requests in one pass, in bounded memory."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from typing import Any

from runner.actions.logs.lines import Line, is_address, parse_line
from runner.actions.logs.privacy import mask_address, public_path, public_target, token_of
from runner.actions.logs.rules import COUNTED, Rule, is_login, is_static, match_line

MOST_KEYS = 200_000
MOST_HITS = 10_000
MOST_EXAMPLES = 5
LONGEST_HIT = 4096
FUTURE = timedelta(days=1)
LOGIN_RULE, NOT_FOUND_RULE = COUNTED


@dataclass(frozen=True, slots=True)
class Thresholds:
    """From how many sent logins and from how many distinct missing pages on an address is suspicious."""

    logins: int
    not_found: int


@dataclass(slots=True)
class Finding:
    """What one rule found. `answered` were answered 2xx, `successes` of them likely worked."""

    rule: Rule
    attempts: int = 0
    answered: int = 0
    successes: int = 0
    sources: Counter[str] = field(default_factory=Counter)
    first: datetime | None = None
    last: datetime | None = None
    examples: dict[str, None] = field(default_factory=dict)

    def add(self, line: Line, *, worked: bool, key: bytes) -> None:
        """Count a line that meets the rule."""
        self.attempts += 1
        self.answered += 200 <= line.status < 300
        self.successes += worked
        _count(self.sources, f"{mask_address(line.address)} {token_of(key, line.address)}")
        self.first = min(self.first or line.time, line.time)
        self.last = max(self.last or line.time, line.time)
        if len(self.examples) < MOST_EXAMPLES:
            self.examples[public_target(line.target)] = None


class _Gathered:
    """Lines of one address that are suspicious only in numbers: they wait until there are enough of them."""

    __slots__ = ("_enough", "_seen", "_waiting")

    def __init__(self, enough: int) -> None:
        self._enough = enough
        self._waiting: list[Line] = []
        self._seen: set[str] = set()

    def take(self, line: Line, *, distinct: bool) -> list[Line]:
        """Given the next line, return those that are suspicious now; `distinct`: a path counts once."""
        if distinct:
            path = line.path[:LONGEST_HIT]
            if path in self._seen or len(self._seen) >= MOST_HITS:
                return []
            self._seen.add(path)
        if self._enough == 0:
            return [line]
        self._waiting.append(line)
        if len(self._waiting) < self._enough:
            return []
        self._enough, found, self._waiting = 0, self._waiting, []
        return found


class Counts:
    """The counts of a log; `take` is given one raw line after the other, `finish` is called at the end."""

    def __init__(
        self, thresholds: Thresholds, *, since: datetime | None, now: datetime, zone: tzinfo, key: bytes
    ) -> None:
        self._thresholds = thresholds
        self._since = since
        self._latest = now + FUTURE
        self._zone = zone
        self._key = key
        self._gathered: dict[tuple[str, str], _Gathered] = {}
        self._addresses: set[str] = set()
        self.lines = self.not_understood = self.older = self.requests = self.not_http = self.bytes = 0
        self.first: datetime | None = None
        self.last: datetime | None = None
        self.statuses: Counter[str] = Counter()
        self.days: Counter[str] = Counter()
        self.pages: Counter[str] = Counter()
        self.networks: Counter[str] = Counter()
        self.findings: dict[str, Finding] = {}
        self.hits: list[dict[str, Any]] = []
        self.hits_left_out = 0

    @property
    def addresses(self) -> int:
        """How many addresses came."""
        return len(self._addresses)

    def take(self, raw: bytes) -> None:
        """Count one line."""
        self.lines += 1
        line = parse_line(raw)
        if line is None or line.time > self._latest:
            self.not_understood += 1
        elif self._since and line.time < self._since:
            self.older += 1
        else:
            self._count_visit(line)
            self._judge(line)

    def _count_visit(self, line: Line) -> None:
        self.requests += 1
        self.bytes += line.size
        self.not_http += not line.method
        self.first = min(self.first or line.time, line.time)
        self.last = max(self.last or line.time, line.time)
        self.statuses[str(line.status)] += 1
        _count(self.days, line.time.astimezone(self._zone).date().isoformat())
        if len(self._addresses) < MOST_KEYS:
            self._addresses.add(line.address)
        _count(self.networks, mask_address(line.address))
        if line.method in ("GET", "HEAD") and line.status in (200, 304) and not is_static(line.path):
            _count(self.pages, public_path(line.path))

    def _judge(self, line: Line) -> None:
        for rule, telling in match_line(line):
            self._hit(rule, line, worked=telling and 200 <= line.status < 300)
        if is_login(line):
            # WordPress answers a wrong password with the form (200) and a right one by leading away from it.
            away = line.status in (302, 303) and line.path.endswith("/wp-login.php")
            for found in self._gather(LOGIN_RULE, line, self._thresholds.logins):
                self._hit(LOGIN_RULE, found, worked=away and found is line)
        elif line.status == 404 and not is_static(line.path):
            for found in self._gather(NOT_FOUND_RULE, line, self._thresholds.not_found):
                self._hit(NOT_FOUND_RULE, found, worked=False)

    def _gather(self, rule: Rule, line: Line, enough: int) -> list[Line]:
        key = rule.name, line.address
        known = self._gathered.get(key)
        if known is None:
            if len(self._gathered) >= MOST_KEYS:
                return []
            known = self._gathered[key] = _Gathered(enough)
        return known.take(line, distinct=rule is NOT_FOUND_RULE)

    def _hit(self, rule: Rule, line: Line, *, worked: bool) -> None:
        self.findings.setdefault(rule.name, Finding(rule)).add(line, worked=worked, key=self._key)
        if len(self.hits) >= MOST_HITS:
            self.hits_left_out += 1
            return
        self.hits.append(build_hit(rule, line, worked=worked))


def build_hit(rule: Rule, line: Line, *, worked: bool) -> dict[str, Any]:
    """Given a rule and a line that meets it, return what the restricted evidence says of it, the whole address too."""
    return {
        "rule": rule.name,
        "title": rule.title,
        "likely_success": worked,
        "time": line.time.isoformat(),
        "address": line.address if is_address(line.address) else line.address[:100],
        "method": line.method,
        "target": line.target[:LONGEST_HIT],
        "status": line.status,
        "size": line.size,
        "referer": line.referer[:LONGEST_HIT],
        "agent": line.agent[:LONGEST_HIT],
    }


def _count(counter: Counter[str], key: str) -> None:
    """Count a key; when there are too many, new ones together."""
    counter[key if key in counter or len(counter) < MOST_KEYS else "…"] += 1
