"""What scans of access logs told over a period: visits, sources, hours, findings, and how far they can be relied on.

Scans may read the same lines again, as when each reads the last day of a log every hour. Of a site, figures that bear
no day are taken from scans whose spans do not overlap, chosen so that most lines count; each day's requests are the
most that either those or a single scan saw of it. Of what logs.fetch brought, each increment counts once. So nothing is
counted twice, and no more is shown than there was.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from runner.contract import FINISHED_WELL
from runner.events import Event
from runner.inventory.register import read_day
from runner.reports.values import parse_instant

SEAM = timedelta(minutes=10)  # logs are written at a request's end, and name its begin
LISTS = {"top_pages": "path", "missing_pages": "path", "top_referers": "host", "top_bots": "name"}
SUMS = ("requests", "visits", "bot_visits", "bot_requests", "transferred")


class Scan(NamedTuple):
    """One scan: when it was recorded, the earliest and latest request that it saw (None of none), and its outputs."""

    at: datetime
    first: datetime | None
    last: datetime | None
    outputs: Mapping[str, Any]

    @property
    def lines(self) -> int:
        """Lines examined."""
        return as_number(self.outputs.get("lines")) or 0


@dataclass(slots=True)
class Found:
    """What one rule found on a site."""

    title: str
    severity: str
    attempts: int = 0
    successes: int = 0
    first: datetime | None = None
    last: datetime | None = None
    examples: dict[str, None] = field(default_factory=dict)
    sources: Counter[tuple[str, str]] = field(default_factory=Counter)


@dataclass(slots=True)
class SiteVisits:
    """A website's visits. `sums` holds None for what no scan told; `days` are requests by day, of all days known."""

    days: dict[date, int] = field(default_factory=dict)
    scans: int = 0
    counted: int = 0
    lines: int = 0
    not_understood: int = 0
    incomplete: int = 0
    unknown: int = 0
    gaps: int = 0
    addresses: int | None = None
    sums: dict[str, int | None] = field(default_factory=lambda: dict.fromkeys(SUMS))
    statuses: Counter[str] = field(default_factory=Counter)
    hours: Counter[int] = field(default_factory=Counter)
    lists: dict[str, Counter[str]] = field(default_factory=lambda: {name: Counter() for name in LISTS})
    findings: dict[str, Found] = field(default_factory=dict)
    restricted: dict[str, tuple[str, str]] = field(default_factory=dict)


@dataclass(slots=True)
class Visits:
    """The websites by name, and when the last of it was recorded (in the office's zone; None of nothing)."""

    sites: dict[str, SiteVisits] = field(default_factory=dict)
    as_of: datetime | None = None


def gather_visits(outcomes: Iterable[Event], period: tuple[datetime, datetime]) -> Visits:
    """Given finished tasks, from before a period to after it, and its bounds, return what scans recorded in it
    told. Of those outside it only requests by day count."""
    scans: dict[str, list[Scan]] = {}
    found = Visits()
    for event in outcomes:
        if event.data.get("action") != "logs.scan" or event.data.get("status") not in FINISHED_WELL:
            continue
        outputs = event.outputs
        first, last = (parse_instant(outputs.get(name)) for name in ("first", "last"))
        scans.setdefault(event.target or "", []).append(Scan(event.at, first, last, outputs))
    for name, each in sorted(scans.items()):
        inside = [scan for scan in each if period[0] <= scan.at < period[1]]
        site = _read_site(inside)
        site.days = _requests_by_day(each)
        if inside:
            found.sites[name] = site
            latest = max(scan.at for scan in inside).astimezone(period[0].tzinfo)
            found.as_of = max(found.as_of or latest, latest)
    return found


def choose_counted(scans: Sequence[Scan]) -> list[Scan]:
    """Given scans, return those to count: of what logs.fetch brought, each increment once; else those apart. Where both
    were used, whichever tells of more lines."""
    fetched = {str(name): scan for scan in scans if (name := _increment(scan).get("id"))}
    apart = choose_apart([scan for scan in scans if not _increment(scan).get("id")])
    return max(list(fetched.values()), apart, key=lambda some: sum(scan.lines for scan in some))


def _increment(scan: Scan) -> Mapping[str, Any]:
    found = scan.outputs.get("increment")
    return found if isinstance(found, Mapping) else {}


def choose_apart(scans: Sequence[Scan]) -> list[Scan]:
    """Given scans, return some of them: none overlaps another by more than a seam, and most lines are counted."""
    spans = sorted((s for s in scans if s.first and s.last), key=lambda s: (s.last, s.first, s.at))
    ends = [scan.last for scan in spans if scan.last]
    best: list[tuple[int, int | None, int]] = [(0, None, 0)]  # lines so far, the scan taken last, the best before it
    for place, scan in enumerate(spans):
        assert scan.first is not None
        assert scan.last is not None
        seam = min(SEAM, (scan.last - scan.first) / 10)
        before = bisect_right(ends, scan.first + seam, hi=place)
        taken = best[before][0] + max(1, scan.lines)
        best.append((taken, place, before) if taken > best[-1][0] else (best[-1][0], None, place))
    chosen, at = [], len(spans)
    while at:
        _, taken_last, before = best[at]
        if taken_last is not None:
            chosen.append(spans[taken_last])
        at = before
    return chosen[::-1]


def _requests_by_day(scans: Sequence[Scan]) -> dict[date, int]:
    chosen = choose_counted(scans)
    together: Counter[date] = Counter()
    for scan in chosen:
        together.update(dict(_days(scan)))
    for scan in scans:
        for day, number in _days(scan):
            together[day] = max(together[day], number)
    return dict(together)


def _days(scan: Scan) -> Iterator[tuple[date, int]]:
    days = scan.outputs.get("days")
    for text, number in days.items() if isinstance(days, Mapping) else ():
        day, count = read_day(text), as_number(number)
        if day and count is not None:
            yield day, count


def _read_site(scans: Sequence[Scan]) -> SiteVisits:
    site, chosen = SiteVisits(), choose_counted(scans)
    site.scans, site.counted = len(scans), len(chosen)
    for scan in scans:
        outputs = scan.outputs
        site.unknown += outputs.get("verdict") == "unknown"
        site.incomplete += outputs.get("complete") is False
        site.gaps += bool(_increment(scan).get("gap"))
        _note_restricted(site, outputs)
    for scan in chosen or [scan for scan in scans if scan.lines][-1:]:
        _add_scan(site, scan)
    return site


def _add_scan(site: SiteVisits, scan: Scan) -> None:
    outputs = scan.outputs
    site.lines += scan.lines
    site.not_understood += as_number(outputs.get("not_understood")) or 0
    if (addresses := as_number(outputs.get("addresses"))) is not None:
        site.addresses = max(site.addresses or 0, addresses)
    for name in SUMS:
        if (number := as_number(outputs.get(name))) is not None:
            site.sums[name] = (site.sums[name] or 0) + number
    _add_counts(site.statuses, outputs.get("statuses"), str)
    _add_counts(site.hours, outputs.get("hours"), int)
    for name, key in LISTS.items():
        site.lists[name].update({str(r[key]): as_number(r.get("requests")) or 0 for r in as_rows(outputs, name, key)})
    for row in as_rows(outputs, "suspicious", "rule"):
        _add_finding(site, row)


def _add_counts(counter: Counter[Any], found: Any, kind: type) -> None:
    for key, number in found.items() if isinstance(found, Mapping) else ():
        try:
            counter[kind(key)] += as_number(number) or 0
        except ValueError:
            continue


def _add_finding(site: SiteVisits, row: Mapping[str, Any]) -> None:
    name = str(row["rule"])
    found = site.findings.setdefault(name, Found(str(row.get("title") or name), str(row.get("severity") or "")))
    found.attempts += as_number(row.get("attempts")) or 0
    found.successes += as_number(row.get("likely_successes")) or 0
    first, last = parse_instant(row.get("first")), parse_instant(row.get("last"))
    found.first = min(filter(None, (found.first, first)), default=None)
    found.last = max(filter(None, (found.last, last)), default=None)
    found.examples.update(dict.fromkeys(map(str, row.get("examples") or ())))
    for source in as_rows(row, "top_sources", "network") or as_rows(row, "top_networks", "network"):
        key = str(source["network"]), str(source.get("token") or "")
        found.sources[key] += as_number(source.get("requests")) or 0


def _note_restricted(site: SiteVisits, outputs: Mapping[str, Any]) -> None:
    for row in as_rows(outputs, "restricted", "sha256"):
        site.restricted[str(row["sha256"])] = str(row.get("until") or ""), str(row.get("keeper") or "")


def as_number(value: Any) -> int | None:
    """Given a JSON value, return the whole number that it is; of anything else None."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def as_rows(outputs: Mapping[str, Any], name: str, key: str) -> list[Mapping[str, Any]]:
    """Given outputs, return the rows of that name which have the key."""
    rows = outputs.get(name)
    return [row for row in rows if isinstance(row, Mapping) and key in row] if isinstance(rows, list) else []
