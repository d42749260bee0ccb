"""Working days and working time of an office, holidays and collective leave, and the time by which a norm is due.

By the wall clock of the office's zone. Seconds, minutes and hours of a norm consume working time. "n hari" is due at
the close of the n-th working day after the day it starts on, or, where the office says so, when the working time used
is n times the hours of the day on which it ends. "n x 24 jam" runs through nights and holidays. Weeks and months end at
the close of the last working day on or before their end. Of a range the late bound counts.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from calendar import isleap, monthrange
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Any

from runner.durations import Norm
from runner.hours import DayNorm, Hours, OfficeHours, parse_office_hours
from runner.spans import Span, Unit

ESTIMATED = "(perkiraan)"  # how `holidays` marks a day whose date is calculated and not decreed yet
FURTHEST_YEARS = 100
ONE_DAY = timedelta(days=1)
_PERIODS = (Unit.WEEK, Unit.MONTH)
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
            return worked.hours
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

    def subtract_working(self, end: datetime, seconds: float) -> datetime:
        """Given an aware time and working time in seconds, return the latest time from which that much is left.

        Raise ValueError if that is more than a hundred years ago.
        """
        local = self._local(end)
        left = self._worked(local) - round(seconds * SECOND)
        for year in range(local.year, local.year - FURTHEST_YEARS, -1):
            if left >= 0:
                return min(local, self._latest(year, left))
            left += self._year(year - 1)[-1]
        raise ValueError(f"the working time began more than {FURTHEST_YEARS} years ago. write a shorter one")

    def due(self, start: datetime, norm: Norm) -> datetime | None:
        """Given an aware time and a norm that starts then, return when it is due; None if it has no bound."""
        local, late = self._local(start), norm.late
        if late is None:
            return None
        if late.unit is Unit.CLOCK_DAY:
            return (local.astimezone(UTC) + timedelta(days=late.amount)).astimezone(self.office.zone)
        if late.unit is Unit.DAY and self.office.day_norm is DayNorm.HOURS:
            return self._used_up(local, late.amount)
        if late.unit is Unit.DAY:
            return self._close(self._working_day_after(local.date(), late.amount))
        if late.unit in _PERIODS:
            return self._close(self._on_or_before(_end_of_period(local.date(), late), local.date()))
        return self.add_working(local, late.nominal)

    def counted(self, start: datetime, norm: Norm) -> tuple[str, ...]:
        """Given an aware time and a norm that starts then, return how its due time is counted and what is unsure about
        it: each as "kind: detail", of a kind `messages` knows; the first is the rule."""
        due, late = self.due(start, norm), norm.late
        if due is None or late is None:
            return (str(norm.kind),)
        range_ = ("late_bound",) if norm.early else ()
        if late.unit is Unit.CLOCK_DAY:
            return (f"clock: {late.amount}", *range_)
        rule, first, last = "working_time", self._local(start).date(), due.date()
        if late.unit is Unit.DAY:
            rule = f"days_by_{self.office.day_norm}: {late.amount}"
        elif late.unit in _PERIODS:
            rule, last = "period", max(last, _end_of_period(first, late))
        return (rule, *range_, *self._unsure(first, last))

    def _unsure(self, first: date, last: date) -> Iterator[str]:
        """What may still move a due time: days whose date is an estimate, and leave that is not decreed yet."""
        for year in range(first.year, last.year + 1):
            for day, name in _estimated_holidays(year).items():
                settled = day in self.office.holidays or day in self.office.working_days
                if not settled and first - ONE_DAY <= day <= last + ONE_DAY:
                    yield f"estimated: {name}, {day.isoformat()}"
        if last > self.known_until:
            yield f"leave_unknown: {self.known_until.isoformat()}"

    def _used_up(self, start: datetime, count: int) -> datetime:
        """The first moment at which the working time used is `count` times the hours of that moment's day."""
        used = 0.0
        for number in range(366 * FURTHEST_YEARS):
            day = start.date() + timedelta(days=number)
            if not self.is_working_day(day):
                continue
            begin = max(start, self._at(day, self.hours(day)[0][0] * SECOND))
            needed = count * sum(end - begin for begin, end in self.hours(day)) - used
            today = max(0.0, self.working_seconds(begin, self._close(day)))
            if needed <= today:
                return self.add_working(begin, needed)
            used += today
        raise ValueError(f"the office is closed for {FURTHEST_YEARS} years. look at its hours and holidays")

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

    def _latest(self, year: int, worked: int) -> datetime:
        """The latest local time at which no more than that much of a year's working time is used up."""
        table = self._year(year)
        number = bisect_right(table, worked) - 1
        if number == len(table) - 1:
            return self._at(date(year + 1, 1, 1), 0)
        day, left = date(year, 1, 1) + timedelta(days=number), worked - table[number]
        for begin, end in self.hours(day):
            if left < (end - begin) * SECOND:
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
def _estimated_holidays(year: int) -> Mapping[date, str]:
    """The holidays of a year whose date is an estimate, with what is said of them left out of the name."""
    named = _national_holidays(year).items()
    return {day: name.replace(ESTIMATED, "").strip() for day, name in named if ESTIMATED in name}


@cache
def _last_known_year() -> int:
    """The last year of which the collective leave has been decreed and is in our data."""
    import holidays  # see above

    decreed = holidays.country_holidays("ID", years=range(2002, 2101), categories=("government",))
    return max(day.year for day in decreed)


def _end_of_period(day: date, late: Span) -> date:
    """The day on which so many weeks or months after a day are over."""
    if late.unit is Unit.WEEK:
        return day + timedelta(weeks=late.amount)
    return _add_months(day, late.amount)


def _add_months(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
