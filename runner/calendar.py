"""Working days and working time of an office, holidays and collective leave, and the time by which a norm is due.

By the wall clock of the office's zone. Seconds, minutes and hours of a norm consume working time. "n hari" is due at
the close of the n-th working day after the day it starts on. "n x 24 jam" runs through nights and holidays. Weeks and
months end at the close of the last working day on or before their end.
"""

from __future__ import annotations

from bisect import bisect_left
from calendar import isleap, monthrange
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Any

from runner.durations import Norm
from runner.hours import Hours, OfficeHours, parse_office_hours
from runner.spans import Unit

FURTHEST_YEARS = 100
SECOND = 1_000_000  # working time is counted in whole microseconds, so that sums are exact


@dataclass(frozen=True, slots=True)
class Calendar:
    """The working calendar of an office. Takes aware times only, and returns them in the office's zone."""

    office: OfficeHours
    _years: dict[int, tuple[int, ...]] = field(default_factory=dict, init=False, repr=False, compare=False)

    @classmethod
    def from_office(cls, office: Mapping[str, Any]) -> Calendar:
        """Given an inventory's `office`, return its calendar. Raise OfficeError (a ValueError) that names each key."""
        return cls(parse_office_hours(office))

    @property
    def known_until(self) -> date:
        """The last day whose collective leave is known; what is due after it may move."""
        return date(_last_known_year(), 12, 31)

    def holiday(self, day: date) -> str:
        """Given a day, return the name of the holiday or leave that closes the office on it; "" if none does."""
        if day in self.office.working_days:
            return ""
        return self.office.holidays.get(day) or _national_holidays(day.year).get(day, "")

    def hours(self, day: date) -> Hours:
        """Given a day, return when the office is open on it, in seconds of the day."""
        worked = self.office.working_days.get(day)
        if worked is not None:
            return worked
        return () if self.holiday(day) else self.office.scheduled(day)

    def is_working_day(self, day: date) -> bool:
        """Given a day, return whether the office is open on it."""
        return bool(self.hours(day))

    def working_seconds(self, start: datetime, end: datetime) -> float:
        """Given two aware times, return the working time between them; negative if the end comes first."""
        first, last = self._local(start), self._local(end)
        if last < first:
            return -self.working_seconds(end, start)
        years = sum(self._year(year)[-1] for year in range(first.year, last.year))
        return (years + self._worked(last) - self._worked(first)) / SECOND

    def add_working(self, start: datetime, seconds: float) -> datetime:
        """Given an aware time and working time in seconds, return the earliest time at which it is used up.

        Raise ValueError if that is more than a hundred years away.
        """
        local = self._local(start)
        left = round(seconds * SECOND)
        if left <= 0:
            return local
        left += self._worked(local)
        for year in range(local.year, local.year + FURTHEST_YEARS):
            if left <= self._year(year)[-1]:
                return self._moment(year, left)
            left -= self._year(year)[-1]
        raise ValueError(f"the working time ends more than {FURTHEST_YEARS} years from now. write a shorter one")

    def due(self, start: datetime, norm: Norm) -> datetime | None:
        """Given an aware time and a norm that starts then, return when it is due; None if it has no bound."""
        local, late = self._local(start), norm.late
        if late is None:
            return None
        if late.unit is Unit.CLOCK_DAY:
            return (local.astimezone(UTC) + timedelta(days=late.amount)).astimezone(self.office.zone)
        if late.unit is Unit.DAY:
            return self._close(self._working_day_after(local.date(), late.amount))
        if late.unit is Unit.WEEK:
            return self._close(self._on_or_before(local.date() + timedelta(weeks=late.amount), local.date()))
        if late.unit is Unit.MONTH:
            return self._close(self._on_or_before(_add_months(local.date(), late.amount), local.date()))
        return self.add_working(local, late.nominal)

    def _local(self, moment: datetime) -> datetime:
        if moment.utcoffset() is None:
            raise ValueError(f"{moment.isoformat()} has no time zone. give it one")
        return moment.astimezone(self.office.zone)

    def _year(self, year: int) -> tuple[int, ...]:
        """Microseconds worked in a year before each of its days, and at last in all of it."""
        if year not in self._years:
            first, total = date(year, 1, 1), 0
            table = [0]
            for number in range(366 if isleap(year) else 365):
                total += SECOND * sum(end - begin for begin, end in self.hours(first + timedelta(days=number)))
                table.append(total)
            self._years[year] = tuple(table)
        return self._years[year]

    def _worked(self, moment: datetime) -> int:
        """Microseconds worked from the beginning of the year until a local time."""
        day = moment.date()
        now = SECOND * (moment.hour * 3600 + moment.minute * 60 + moment.second) + moment.microsecond
        today = sum(max(0, min(now, end * SECOND) - begin * SECOND) for begin, end in self.hours(day))
        return self._year(day.year)[day.timetuple().tm_yday - 1] + today

    def _moment(self, year: int, worked: int) -> datetime:
        """The earliest local time at which that much of a year's working time is used up."""
        table = self._year(year)
        number = bisect_left(table, worked) - 1
        day, left = date(year, 1, 1) + timedelta(days=number), worked - table[number]
        for begin, end in self.hours(day):
            if left <= (end - begin) * SECOND:
                return self._at(day, begin * SECOND + left)
            left -= (end - begin) * SECOND
        raise AssertionError("BUG: a day holds less working time than its year's table says")

    def _at(self, day: date, microseconds: int) -> datetime:
        midnight = datetime.combine(day, time(), tzinfo=self.office.zone)
        return midnight + timedelta(microseconds=microseconds)

    def _close(self, day: date) -> datetime:
        return self._at(day, self.hours(day)[-1][1] * SECOND)

    def _working_day_after(self, day: date, count: int) -> date:
        last = day + timedelta(days=366 * FURTHEST_YEARS)
        while count and day < last:
            day += timedelta(days=1)
            count -= self.is_working_day(day)
        if count:
            raise ValueError(f"the office is closed for {FURTHEST_YEARS} years. look at its hours and holidays")
        return day

    def _on_or_before(self, day: date, start: date) -> date:
        """The last working day until `day`; where none is left after the start, the first one from `day` on."""
        found = day
        while found > start and not self.is_working_day(found):
            found -= timedelta(days=1)
        return found if found > start else self._working_day_after(day - timedelta(days=1), 1)


@cache
def _national_holidays(year: int) -> Mapping[date, str]:
    """National holidays and collective leave of a year, named in Indonesian."""
    import holidays  # slow to load, and not needed before the first due time

    return dict(holidays.country_holidays("ID", years=year, categories=("public", "government"), language="id"))


@cache
def _last_known_year() -> int:
    """The last year of which the collective leave has been decreed and is in our data."""
    import holidays  # see above

    decreed = holidays.country_holidays("ID", years=range(2002, 2101), categories=("government",))
    return max(day.year for day in decreed)


def _add_months(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
