"""Lines that are suspicious only in numbers or in order: counted as they pass, each once, in memory that has an end.

Sigma's correlations say what is counted, by what it is grouped, and how many within what time are too many. Events and
values are counted in a window that slides with each event. What every line counts for (a flood) is counted in whole
windows, since there is one for each line of the log.
"""

from __future__ import annotations

from collections import Counter, OrderedDict, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import NamedTuple

from runner.actions.logs.layouts import Entry
from runner.actions.logs.privacy import mask_address
from runner.actions.logs.sigma import Correlation

MOST_SERIES = 50_000
MOST_WAITING = 20_000
LONGEST_KEPT = 512
OPEN_WINDOWS = 3


class Event(NamedTuple):
    """A line that counts: when it came, and whether it meets what marks a success."""

    entry: Entry
    at: datetime
    worked: bool = False


class Flood(NamedTuple):
    """Too many requests of one group within a window that begins `at`."""

    group: str
    at: datetime
    requests: int


@dataclass(slots=True)
class _Series:
    """The events of one group that wait until there are enough; then `since` is the moment of the last one."""

    waiting: deque[tuple[Event, bytes]] = field(default_factory=deque)
    values: set[bytes] = field(default_factory=set)
    open_since: datetime | None = None


class Counting:
    """One correlation. `take` is given the events of its rules as they come."""

    def __init__(self, correlation: Correlation, least: int | None = None) -> None:
        self.correlation = correlation
        self._least = least or correlation.least
        self._span = timedelta(seconds=correlation.seconds)
        self._series: OrderedDict[bytes, _Series] = OrderedDict()
        self._waiting = 0

    def take(self, event: Event, rule: str, value: bytes) -> list[Event]:
        """Given an event of that rule and its value of the counted field, return the events that are suspicious now."""
        group = b"\n".join([group_value(event.entry, name) for name in self.correlation.group])
        series = self._series.get(group)
        if series is None:
            series = self._series[group] = _Series()
        else:
            self._series.move_to_end(group)
        self._drop_old(series, event.at)
        if self.correlation.kind.startswith("temporal"):
            found = self._in_order(series, event, rule)
        else:
            found = self._in_numbers(series, event, value)
        self._forget()
        return found

    def _drop_old(self, series: _Series, now: datetime) -> None:
        while series.waiting and now - series.waiting[0][0].at > self._span:
            series.values.discard(series.waiting.popleft()[1])
            self._waiting -= 1
        if series.open_since and abs(now - series.open_since) > self._span:
            series.open_since = None

    def _in_numbers(self, series: _Series, event: Event, value: bytes) -> list[Event]:
        if series.open_since:
            series.open_since = max(series.open_since, event.at)
            return [event]
        value = value[:LONGEST_KEPT]
        if self.correlation.kind == "value_count" and value in series.values:
            return []
        series.values.add(value)
        event = event._replace(worked=False)  # only what comes after the many can have come of them
        series.waiting.append((_shortened(event), value))
        self._waiting += 1
        if len(series.waiting) < self._least:
            return []
        return self._open(series, event)

    def _in_order(self, series: _Series, event: Event, rule: str) -> list[Event]:
        """Each of the rules in turn; in any order where the type is `temporal`."""
        rules = self.correlation.rules
        if series.open_since:
            return [event._replace(worked=True)] if rule == rules[-1] else []
        known = {value.decode() for _, value in series.waiting}
        ordered = self.correlation.kind == "temporal_ordered"
        if rule in known or (ordered and rules.index(rule) != len(known)):
            return []
        last = len(known) + 1 == len(rules)
        series.waiting.append((_shortened(event._replace(worked=last)), rule.encode()))
        self._waiting += 1
        return self._open(series, event) if last else []

    def _open(self, series: _Series, event: Event) -> list[Event]:
        found = [each for each, _ in series.waiting]
        self._waiting -= len(series.waiting)
        series.waiting.clear()
        series.values.clear()
        series.open_since = event.at
        return found

    def _forget(self) -> None:
        """Let the series go that were quiet longest, when there are too many."""
        while self._series and (len(self._series) > MOST_SERIES or self._waiting > MOST_WAITING):
            _, series = self._series.popitem(last=False)
            self._waiting -= len(series.waiting)


def group_value(entry: Entry, name: str) -> bytes:
    """Given a line, return its value of a field that correlations group by or count."""
    if name == "address":
        return entry.address
    if name == "subnet":
        return mask_address(entry.address.decode("utf-8", "replace")).encode()
    if name in ("target", "path"):
        target = entry.request.split(b" ", 2)[1:2]
        return target[0].partition(b"?")[0] if target and name == "path" else target[0] if target else entry.request
    if name == "method":
        return entry.request.partition(b" ")[0]
    value: bytes = getattr(entry, name, b"")
    return value


def _shortened(event: Event) -> Event:
    """What waits is kept short: attackers write it."""
    if sum(map(len, event.entry)) <= LONGEST_KEPT:
        return event
    return event._replace(entry=Entry(*(text[:LONGEST_KEPT] for text in event.entry)))


class Floods:
    """Correlations that count every line: of one address, one subnet and in all, in whole windows of minutes."""

    def __init__(self, correlations: Sequence[Correlation]) -> None:
        self._windows = {each.seconds // 60 * 60 or 60 for each in correlations}
        self._correlations = correlations
        self._open: dict[tuple[int, int], _Window] = {}

    def take(
        self, addresses: Sequence[bytes], minutes: Sequence[tuple[datetime, slice]]
    ) -> Iterator[tuple[Correlation, Flood]]:
        """Given the addresses of a block's lines, and which of them came in the minutes that begin then, return the
        floods that ended."""
        for (start, lines), window in product(minutes, self._windows):
            begin = int(start.timestamp()) // window * window
            self._open.setdefault((window, begin), _Window()).take(addresses[lines])
        for window in self._windows:
            opened = sorted(start for span, start in self._open if span == window)
            for begin in opened[:-OPEN_WINDOWS]:
                yield from self._close(window, begin)

    def finish(self) -> Iterator[tuple[Correlation, Flood]]:
        """Return the floods that go on at the end."""
        for window, start in sorted(self._open):
            yield from self._close(window, start)

    def _close(self, window: int, start: int) -> Iterator[tuple[Correlation, Flood]]:
        closed = self._open.pop((window, start))
        at = datetime.fromtimestamp(start, tz=UTC)
        for each in self._correlations:
            if (each.seconds // 60 * 60 or 60) == window and closed.requests >= each.least:
                groups = _groups(closed.count(), each.group)
                yield from ((each, Flood(group, at, n)) for group, n in groups.items() if n >= each.least)


class _Window:
    """The addresses of requests. Few are not worth counting."""

    def __init__(self) -> None:
        self.requests = 0
        self._waiting: list[bytes] = []
        self._counted: Counter[bytes] = Counter()

    def take(self, addresses: Sequence[bytes]) -> None:
        self.requests += len(addresses)
        self._waiting += addresses
        if len(self._waiting) > MOST_WAITING:
            self.count()

    def count(self) -> Counter[bytes]:
        """Requests by address."""
        self._counted.update(self._waiting)
        self._waiting.clear()
        return self._counted


def _groups(counter: Counter[bytes], group: tuple[str, ...]) -> Counter[str]:
    if not group:
        return Counter({"": counter.total()})
    found: Counter[str] = Counter()
    for address, number in counter.items():
        text = address.decode("utf-8", "replace")
        found[mask_address(text) if group == ("subnet",) else text] += number
    return found
