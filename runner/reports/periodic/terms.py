"""The period that a report is asked for: "2026-10-05", "2026-10", "2026-Q3", "2026-S1", "2026"."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from runner.errors import refuse
from runner.messages import MONTHS, render_date
from runner.record.period import Period

ROMAN = ("I", "II", "III", "IV")
DAYS_SHOWN = 31  # a longer period is shown by months

_FORM = re.compile(
    r"(?P<year>\d{4})(-(?P<month>\d\d)(-(?P<day>\d\d))?|-[Qq](?P<quarter>[1-4])|-[Ss](?P<half>[12]))?", re.ASCII
)


@dataclass(frozen=True, slots=True)
class Term:
    """The days from `first` until before `end`; `text` as asked for, `name` as it stands on a paper."""

    text: str
    name: str
    first: date
    end: date

    @property
    def last(self) -> date:
        """Its last day."""
        return self.end - timedelta(days=1)

    def period(self, zone: ZoneInfo) -> Period:
        """Given the office's zone, return the period to read."""
        return Period(datetime.combine(self.first, time(), zone), datetime.combine(self.end, time(), zone))

    def slices(self, until: date) -> Iterator[tuple[str, date, date]]:
        """Give its days, or the months of a longer one, up to that of `until`: label, first day, day after the last."""
        day, by_days = self.first, (self.end - self.first).days <= DAYS_SHOWN
        while day < self.end and day <= until:
            following = day + timedelta(days=1) if by_days else min(_next_month(day, 1), self.end)
            yield (str(day.day) if by_days else MONTHS[day.month - 1].id[:3]), day, following
            day = following


def parse_term(text: str) -> Term:
    """Given a period as written, return it. Raise Refused."""
    found = _FORM.fullmatch(text.strip())
    try:
        if found:
            return _build(text.strip(), {key: int(value) for key, value in found.groupdict().items() if value})
    except ValueError:
        pass
    raise refuse(
        "PERIOD",
        f"'{text}' is no period",
        "write a day 2026-10-05, a month 2026-10, a quarter 2026-Q3, a half-year 2026-S1, or a year 2026",
    )


def _build(text: str, parts: dict[str, int]) -> Term:
    year = parts["year"]
    if "day" in parts:
        day = date(year, parts["month"], parts["day"])
        return Term(text, render_date(day, "id"), day, day + timedelta(days=1))
    if "month" in parts:
        first = date(year, parts["month"], 1)
        return Term(text, f"Bulan {MONTHS[first.month - 1].id} {year}", first, _next_month(first, 1))
    if "quarter" in parts:
        first = date(year, parts["quarter"] * 3 - 2, 1)
        return Term(text, f"Triwulan {ROMAN[parts['quarter'] - 1]} Tahun {year}", first, _next_month(first, 3))
    if "half" in parts:
        first = date(year, parts["half"] * 6 - 5, 1)
        return Term(text, f"Semester {ROMAN[parts['half'] - 1]} Tahun {year}", first, _next_month(first, 6))
    return Term(text, f"Tahun {year}", date(year, 1, 1), date(year + 1, 1, 1))


def _next_month(day: date, count: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + count, 12)
    return date(year, month + 1, 1)
