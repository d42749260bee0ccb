"""How old the newest content of a section may be, in calendar or in the office's working days, and whether it is."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from runner.actions.web.freshness import SOURCES, Moment
from runner.calendar import Calendar
from runner.durations import parse_limit

PERIODS = (7, 30, 90)
MOST_WORKING_DAYS = 400

_WORKING = re.compile(r"(\d{1,3})\s*(?:hari\s+kerja|working\s+days?)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Limit:
    """How old content may be: `amount` days as written in `text`, working days or those of the calendar."""

    text: str
    amount: float
    working: bool

    def first_day(self, today: date, calendar: Calendar) -> date:
        """Given today, return the oldest day that is still young enough."""
        if not self.working:
            return today - timedelta(days=int(self.amount))
        left, day = int(self.amount), today
        while left > 0 and (today - day).days < 10 * MOST_WORKING_DAYS:
            left -= calendar.is_working_day(day)
            day -= timedelta(days=1)
        while not calendar.is_working_day(day) and (today - day).days < 10 * MOST_WORKING_DAYS:
            day -= timedelta(days=1)
        return day


def parse_age(text: str) -> Limit:
    """Given an age ("7 hari", "5 hari kerja", "3 bulan" is none), return the limit. Raise ValueError with a cure."""
    working = _WORKING.fullmatch(text.strip())
    if working:
        if not 0 < int(working[1]) <= MOST_WORKING_DAYS:
            raise ValueError(f"{text!r} is out of bounds. write 1 to {MOST_WORKING_DAYS} hari kerja")
        return Limit(text, int(working[1]), working=True)
    return Limit(text, parse_limit(text) / 86400, working=False)


@dataclass(frozen=True, slots=True)
class Kept:
    """What is remembered of a section's fingerprint: itself, since when it is so, and whether a change was seen."""

    fingerprint: str
    since: date
    changed: bool

    def as_json(self) -> dict[str, Any]:
        """It as plain values."""
        return {"fingerprint": self.fingerprint, "since": self.since.isoformat(), "changed": self.changed}


def remember(kept: Mapping[str, Any] | None, fingerprint: str, today: date) -> Kept | None:
    """Given what was remembered of a section, if anything, and its fingerprint now, return what is from now on."""
    before = Kept(kept["fingerprint"], date.fromisoformat(kept["since"]), kept["changed"]) if kept else None
    if not fingerprint or (before and before.fingerprint == fingerprint):
        return before
    return Kept(fingerprint, today, changed=before is not None)


def judge_section(
    name: str, days: Mapping[str, Sequence[date]], kept: Kept | None, limit: Limit, moment: Moment, calendar: Calendar
) -> dict[str, Any]:
    """Given what each source tells of a section and what is remembered of it, return its verdict as plain values.

    The strongest source that says something decides. Where none does, the fingerprint may: a change that was seen has
    its day, and content that stayed the same for longer than the limit is old, whenever it was made.
    """
    today = moment.today
    oldest = limit.first_day(today, calendar)
    newest: dict[str, date | None] = {source: max(days[source], default=None) for source in SOURCES}
    if kept and kept.changed:
        newest["fingerprint"] = kept.since
    source = next((each for each in SOURCES if newest[each]), "")
    found = newest[source] if source else None
    fresh = {each: day >= oldest for each, day in newest.items() if day}
    updated = fresh[source] if source else (False if kept and kept.since < oldest else None)
    if not source and updated is False:
        source = "fingerprint"
    return {
        "section": name,
        "updated": updated,
        "newest": found.isoformat() if found else None,
        "age_days": (today - found).days if found else None,
        "limit": limit.text,
        "source": source,
        "sources": {each: day.isoformat() if day else None for each, day in newest.items()},
        "agreement": _agreement(fresh, source),
        "unchanged_since": kept.since.isoformat() if kept else None,
        "articles": _count(days.get(source, ()), today),
    }


def _agreement(fresh: Mapping[str, bool], source: str) -> str:
    """How the sources stand to each other: "none", "single", "agree" (two or more, one verdict) or "disagree"."""
    if len(fresh) < 2:
        return "single" if source else "none"
    return "agree" if len(set(fresh.values())) == 1 else "disagree"


def _count(days: Sequence[date], today: date) -> dict[str, int]:
    """How many dates lie in the last 7, 30 and 90 days."""
    return {str(period): sum((today - day).days <= period for day in days) for period in PERIODS}
