"""What the journal tells of the websites over a period: availability by day, how long answers take, what ends when.

Of every check only counts are kept, so that a month of checks every five minutes on hundreds of sites needs no more
memory than a day.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, tzinfo
from typing import Any, NamedTuple

from runner.contract import FINISHED_WELL
from runner.events import Event
from runner.inventory.register import read_day

PHASES = ("lookup", "connect", "tls", "first_byte", "body")
STEP = 1.05  # neighbouring classes of a spread are five per cent apart
SHORTEST = 1e-5  # seconds


@dataclass(slots=True)
class Spread:
    """Durations in classes of five per cent: percentiles of any number of them, in little memory."""

    classes: Counter[int] = field(default_factory=Counter)

    def add(self, seconds: float) -> None:
        """Count one more duration."""
        self.classes[round(math.log(max(seconds, SHORTEST), STEP))] += 1

    def merge(self, other: Spread) -> None:
        """Count another's durations too."""
        self.classes.update(other.classes)

    def percentile(self, percent: float) -> float | None:
        """The duration in seconds that so many per cent do not exceed, within five per cent; None of none."""
        total, seen = self.classes.total(), 0
        for each in sorted(self.classes):
            seen += self.classes[each]
            if seen * 100 >= total * percent:
                return float(STEP**each)
        return None


@dataclass(slots=True)
class Tally:
    """Checks that found a site up, down, could not tell, or fell into a maintenance window."""

    up: int = 0
    down: int = 0
    unknown: int = 0
    maintenance: int = 0

    def add(self, available: bool | None, *, maintenance: bool) -> None:
        """Count one more check; a window's checks count only where the site was up."""
        self.maintenance += maintenance and available is not True
        if not maintenance or available:
            self.up += available is True
            self.down += available is False
            self.unknown += available is None

    def merge(self, other: Tally) -> None:
        """Count another's checks too."""
        self.up, self.down = self.up + other.up, self.down + other.down
        self.unknown, self.maintenance = self.unknown + other.unknown, self.maintenance + other.maintenance

    @property
    def share(self) -> float | None:
        """The percentage of up among the checks that could tell; None where none could."""
        told = self.up + self.down
        return 100 * self.up / told if told else None


@dataclass(slots=True)
class SiteHistory:
    """A website: its checks by day, its answers' durations by day and by phase."""

    days: dict[date, Tally] = field(default_factory=dict)
    answers: dict[date, Spread] = field(default_factory=dict)
    phases: dict[str, Spread] = field(default_factory=dict)

    @property
    def all(self) -> Tally:
        """All checks."""
        return sum_tallies(self.days.values())


class Countdown(NamedTuple):
    """What ends: the target, "certificate" or "domain", its last day, the day it was last seen, and its whole lifetime
    in days (None: not known)."""

    target: str
    kind: str
    ends: date
    seen: date
    lifetime: float | None = None

    def days_left(self, today: date) -> int:
        """Days from a day to its last one."""
        return (self.ends - today).days


@dataclass(slots=True)
class History:
    """The websites by name, what ends, by target and kind, and when the last of it was recorded (in the office's
    zone; None of nothing)."""

    sites: dict[str, SiteHistory] = field(default_factory=dict)
    ends: dict[tuple[str, str], Countdown] = field(default_factory=dict)
    as_of: datetime | None = None


def sum_tallies(tallies: Iterable[Tally]) -> Tally:
    """Given tallies, return their sum."""
    total = Tally()
    for tally in tallies:
        total.merge(tally)
    return total


def sum_spreads(spreads: Iterable[Spread]) -> Spread:
    """Given spreads, return all their durations as one."""
    total = Spread()
    for spread in spreads:
        total.merge(spread)
    return total


def gather_history(outcomes: Iterable[Event], zone: tzinfo) -> History:
    """Given finished tasks in order, and the office's zone, return what they tell of the websites."""
    found = History()
    for event in outcomes:
        outputs = event.outputs
        if event.data.get("status") not in FINISHED_WELL or not outputs or event.target is None:
            continue
        at = event.at.astimezone(zone)
        found.as_of, day = max(found.as_of or at, at), at.date()
        if event.data.get("action") == "website.available":
            _note_check(found.sites.setdefault(event.target, SiteHistory()), outputs, day)
        elif event.data.get("action") in ("tls.certificate", "domain.status"):
            _note_end(found, event, outputs, day)
    return found


def _note_check(site: SiteHistory, outputs: Mapping[str, Any], day: date) -> None:
    maintenance = bool(outputs.get("maintenance"))
    site.days.setdefault(day, Tally()).add(outputs.get("available"), maintenance=maintenance)
    if not outputs.get("available"):
        return
    if isinstance(outputs.get("response_seconds"), int | float):
        site.answers.setdefault(day, Spread()).add(outputs["response_seconds"])
    for phase, seconds in (outputs.get("timings") or {}).items():
        if phase in PHASES and isinstance(seconds, int | float):
            site.phases.setdefault(phase, Spread()).add(seconds)


def _note_end(found: History, event: Event, outputs: Mapping[str, Any], day: date) -> None:
    ends = read_day(outputs.get("expires"))
    if ends and event.target:
        kind = "certificate" if event.data["action"] == "tls.certificate" else "domain"
        found.ends[event.target, kind] = Countdown(event.target, kind, ends, day, outputs.get("lifetime_days"))
