"""One pass over a log: bytes become blocks, blocks columns; columns are counted, and held against the rules."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from functools import partial
from itertools import compress
from typing import Any

from runner.actions.logs.blocks import BlockCutter
from runner.actions.logs.columns import FRONT, Columns, address_of, cut_columns
from runner.actions.logs.correlations import Counting, Event, Flood, Floods, group_value
from runner.actions.logs.detector import Detector, Met, is_every
from runner.actions.logs.engines import Engines, Network, claimed_engine
from runner.actions.logs.findings import MOST_HIT_BYTES, MOST_HITS, Finding, build_hit
from runner.actions.logs.layouts import COMBINED, SAMPLE, Entry, Layout, guess_layout, parse_moment
from runner.actions.logs.pack import Pack
from runner.actions.logs.remembered import Remembered
from runner.actions.logs.sigma import Correlation, Rule
from runner.actions.logs.statistics import Statistics
from runner.actions.web.own_probe import is_own

FUTURE = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Terms:
    """How a log is judged: from when to when lines count, the office's time zone, thresholds other than a rule's own
    by the rule's name, what is usual here (public paths by rule), ranges of engines and of the office, the log's form
    (None to guess), whether it is read anew each time, the key that makes tokens of addresses, and the one by which
    requests of the site's own watch are known.
    """

    now: datetime
    zone: tzinfo
    since: datetime | None = None
    least: Mapping[str, int] = field(default_factory=dict)
    usual: Mapping[str, frozenset[str]] = field(default_factory=dict)
    ranges: Mapping[str, Sequence[Network]] = field(default_factory=dict)
    own: Sequence[Network] = ()
    layout: Layout | None = None
    fresh: bool = True
    key: bytes = b""
    probes: bytes = b""


class Scan:
    """The scan of a log. `feed` takes its bytes as they come, `end` follows each of its files, `finish` the last."""

    def __init__(self, pack: Pack, detector: Detector, terms: Terms) -> None:
        self._terms = terms
        self._detector = detector
        self._pack = pack
        self._layout = terms.layout
        self._cutter = BlockCutter(self._take)
        self._countings = _countings(pack, terms)
        self._floods = Floods([each for each in pack.correlations.values() if _counts_every(each, pack)])
        self.statistics = Statistics(terms.zone)
        looked_up = [rule for rule in pack.rules.values() if rule.lookup == "engines"]
        self._false_engine = tuple(Met(rule, False) for rule in looked_up)
        self.engines = Engines(terms.ranges, terms.own)
        self.lines = self.not_understood = self.older = self.own_checks = 0
        self._addresses = {at: Remembered(partial(address_of, at=at)) for at in (0, 1)}
        self._claims = Remembered(claimed_engine)
        self.layouts: dict[str, int] = {}
        self.findings: dict[str, Finding] = {}
        self.hits: list[dict[str, Any]] = []
        self.hits_left_out = self._hit_bytes = 0

    @property
    def requests(self) -> int:
        """Lines that count."""
        return self.statistics.requests

    def feed(self, piece: bytes) -> None:
        """Take the next bytes of a file."""
        self._cutter.feed(piece)

    def end(self) -> None:
        """The file ends here; the next may have another form."""
        self._cutter.end()
        self._layout = self._terms.layout

    def finish(self) -> None:
        """Count what goes on at the end of the log."""
        for correlation, flood in self._floods.finish():
            self._count_flood(correlation, flood)

    def _take(self, block: bytes) -> None:
        layout = self._layout or self._guess(block)
        columns, unknown = cut_columns(block, layout)
        self.lines += len(columns.requests) + len(unknown)
        self.not_understood += len(unknown)
        if columns.requests:
            self.layouts[layout.name] = self.layouts.get(layout.name, 0) + len(columns.requests)
            for part in columns.zones():
                self._count(part)
            self._detect(self._detector.find(block, layout) if layout.quotes else self._detector.find_in(columns))

    def _guess(self, block: bytes) -> Layout:
        """The form of the file's first lines that have one."""
        self._layout = guess_layout(block.split(b"\n", SAMPLE)[:SAMPLE])
        return self._layout or COMBINED

    def _count(self, columns: Columns) -> None:
        found = [(_start(minute, columns.zone), lines) for minute, lines in columns.minutes()]
        timely = [(start, lines) for start, lines in found if start and self._is_timely(start)]
        if len(timely) == len(found):
            self._count_timely(columns, timely)
            return
        for start, lines in found:
            if start and self._is_timely(start):
                self._count_timely(columns.part(lines), [(start, slice(None))])
            elif start and start <= self._terms.now:
                self.older += lines.stop - lines.start
            else:
                self.not_understood += lines.stop - lines.start

    def _count_timely(self, columns: Columns, minutes: Sequence[tuple[datetime, slice]]) -> None:
        addresses = self._addresses[columns.at].of([head[FRONT] for head in columns.heads])
        self.statistics.take(columns, addresses, minutes)
        for correlation, flood in self._floods.take(addresses, minutes):
            self._count_flood(correlation, flood)
        self._look_for_engines(columns, addresses)

    def _detect(self, found: Iterable[tuple[Entry, Sequence[Met]]]) -> None:
        for entry, met in found:
            start = _start(entry.moment[:17], entry.moment[20:])
            if start and self._is_timely(start):
                if is_own(self._terms.probes, entry.request, start.astimezone(UTC)):
                    self.own_checks += 1
                else:
                    self._judge(entry, met)

    def _is_timely(self, start: datetime) -> bool:
        """Whether the lines of the minute that begins then count."""
        since = self._terms.since
        return start <= self._terms.now + FUTURE and not (since and start < since.replace(second=0, microsecond=0))

    def _look_for_engines(self, columns: Columns, addresses: Sequence[bytes]) -> None:
        engines = self._claims.of(columns.agents)
        claims = Counter(compress(zip(engines, addresses, strict=True), engines))
        false = {claim for claim, number in claims.items() if self.engines.judge(*claim, number) == "false"}
        if false:
            for number, claim in enumerate(zip(engines, addresses, strict=True)):
                if claim in false:
                    self._judge(columns.entry(number), self._false_engine)

    def _judge(self, entry: Entry, met: Sequence[Met]) -> None:
        at = parse_moment(entry.moment) or self._terms.now
        names = {each.rule.name for each in met}
        told: set[str] = set()
        for each in met:
            if not each.rule.counts:
                self._hit(each.rule, entry, at, worked=each.worked)
            for counting in self._countings.get(each.rule.name, ()):
                rule = counting.correlation
                if rule.unless in told:
                    continue
                event = Event(entry, at, rule.success in names)
                value = group_value(entry, rule.field) if rule.field else b""
                for found in counting.take(event, each.rule.name, value):
                    told.add(rule.name)
                    self._hit(rule, found.entry, found.at, worked=found.worked)

    def _hit(self, rule: Rule | Correlation, entry: Entry, at: datetime, *, worked: bool) -> None:
        usual = self._terms.usual.get(rule.name, frozenset())
        self._finding(rule).add(entry, at, worked=worked, usual=usual)
        if len(self.hits) < MOST_HITS and self._hit_bytes < MOST_HIT_BYTES:
            hit = build_hit(rule, entry, at, worked=worked)
            self._hit_bytes += sum(len(hit[name]) for name in ("target", "referer", "agent"))
            self.hits.append(hit)
        else:
            self.hits_left_out += 1

    def _count_flood(self, correlation: Correlation, flood: Flood) -> None:
        finding = self._finding(correlation)
        finding.attempts += flood.requests
        if flood.group:
            finding.count(flood.group.partition("/")[0].encode(), flood.at, flood.requests)
        row = {
            "rule": correlation.name,
            "title": correlation.words,
            "time": flood.at.isoformat(),
            "address": flood.group,
            "requests": flood.requests,
        }
        self.hits.append(row)  # as few as there are windows

    def _finding(self, rule: Rule | Correlation) -> Finding:
        if rule.name not in self.findings:
            self.findings[rule.name] = Finding(rule)
        return self.findings[rule.name]


def _countings(pack: Pack, terms: Terms) -> dict[str, list[Counting]]:
    """What counts the events of a rule, by the rule's name; what leaves out what others told comes behind them."""
    found: dict[str, list[Counting]] = {}
    for correlation in sorted(pack.correlations.values(), key=lambda each: bool(each.unless)):
        if not _counts_every(correlation, pack):
            counting = Counting(correlation, terms.least.get(correlation.name))
            for name in correlation.rules:
                found.setdefault(name, []).append(counting)
    return found


def _counts_every(correlation: Correlation, pack: Pack) -> bool:
    """Whether it counts every line."""
    rules = [pack.rules.get(name) for name in correlation.rules]
    return any(rule and is_every(rule.condition) for rule in rules)


def _start(minute: bytes, zone: bytes) -> datetime | None:
    """When a minute ("22/Nov/2026:09:00") begins."""
    return parse_moment(minute + b":00" + zone)
