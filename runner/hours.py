"""When an office is open, as its inventory writes it. Without `hours`, those of the courts in Bengkulu hold
(SK KPT Bengkulu W8-U/391/KP.11.01/2/2019). Days that `hours` leaves out are closed; in a period they stay as they are.

    timezone: WIB
    hours:
      monday-thursday: {open: 08:00-16:30, break: 12:00-13:00}
      friday: {open: 07:30-16:30, break: 12:00-13:30}
      saturday: closed
      periods:
        - {name: Ramadan, from: 2026-02-19, until: 2026-03-20, friday: {open: 08:00-15:30, break: 11:30-12:30}}
        - {name: SK baru, from: 2026-07-01, monday-thursday: {open: 07:30-16:00, break: 12:00-13:00}}
    holidays: {2026-07-06: Hari jadi daerah}
    working_days: {2026-03-28: {open: 08:00-12:00, reason: Ujian dinas}, 2026-12-24: Pelayanan tetap buka}
    day_norm: close

A period without `until` holds from then on. Where two hold, the one that begins later counts. `holidays` adds days off
to the national ones, `working_days` takes some away; both say why.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from runner.errors import did_you_mean
from runner.messages import WEEKDAYS

Where = tuple[str | int, ...]
Hours = tuple[tuple[int, int], ...]  # from and until, in seconds of the day, in order
Week = Mapping[int, Hours]  # by weekday, Monday being 0

ZONES = {"WIB": "Asia/Jakarta", "WITA": "Asia/Makassar", "WIT": "Asia/Jayapura"}
DEFAULT_HOURS = {
    "monday-thursday": {"open": "08:00-16:30", "break": "12:00-13:00"},
    "friday": {"open": "07:30-16:30", "break": "12:00-13:30"},
}
MOST_DAYS = 10_000

_DAYS = {name.casefold(): number for number, words in enumerate(WEEKDAYS) for name in words}
_TIMES = r"([01]?[0-9]|2[0-4])[:.]([0-5][0-9]) ?[-–—] ?([01]?[0-9]|2[0-4])[:.]([0-5][0-9])"
_OPEN = "write for example {open: 08:00-16:30, break: 12:00-13:00}, or closed"
_REASON = "write the reason, or {open: 08:00-12:00, reason: …}"


class OfficeMistake(NamedTuple):
    """Something wrong in an office's hours: the path of keys below `office`, what it is, and what to write."""

    path: Where
    message: str
    cure: str

    def __str__(self) -> str:
        return f"{'.'.join(map(str, ('office', *self.path)))}: {self.message}. {self.cure}"


class OfficeError(ValueError):
    """All that is wrong in an office's hours."""

    def __init__(self, *mistakes: OfficeMistake) -> None:
        self.mistakes = mistakes
        super().__init__("\n".join(map(str, mistakes)))


class DayNorm(StrEnum):
    """When a norm of n working days is due: at the close of the n-th one after the start, or when the working time
    used is n times the hours of the day on which it ends. No rule of law says which; the court does."""

    CLOSE = "close"
    HOURS = "hours"


class WorkedDay(NamedTuple):
    """A day that is worked although it would be free, or has other hours: when it is open, and why."""

    hours: Hours
    reason: str


class Period(NamedTuple):
    """Days, both included, on which some weekdays have other hours."""

    name: str
    first: date
    last: date
    week: Week


class OfficeHours(NamedTuple):
    """When an office is open: its zone, its week, the periods in which that differs (the last one to begin first), its
    own holidays, days that are worked although they would be free, and how it counts norms of days."""

    zone: ZoneInfo
    week: Week
    periods: tuple[Period, ...]
    holidays: Mapping[date, str]
    working_days: Mapping[date, WorkedDay]
    day_norm: DayNorm = DayNorm.CLOSE

    def scheduled(self, day: date) -> Hours:
        """Given a day, return the hours of its weekday, whether it is a holiday or not."""
        for period in self.periods:
            if period.first <= day <= period.last and day.weekday() in period.week:
                return period.week[day.weekday()]
        return self.week.get(day.weekday(), ())


def office_zone(office: Mapping[str, Any]) -> ZoneInfo:
    """Given an inventory's office, return its time zone: WIB, WITA, WIT or an IANA name; without one, WIB.

    Raise ZoneInfoNotFoundError, ValueError or OSError for a name that is not known: the inventory is refused for it.
    """
    written = office.get("timezone")
    name = "WIB" if written is None else str(written)
    return ZoneInfo(ZONES.get(name.upper(), name))


def parse_office_hours(office: Mapping[str, Any]) -> OfficeHours:
    """Given an inventory's office, return when it is open; other keys are not looked at. Raise OfficeError."""
    reader = _Reader()
    zone = reader.zone(office)
    hours = reader.mapping(("hours",), DEFAULT_HOURS if office.get("hours") is None else office["hours"])
    week = reader.week(("hours",), {key: value for key, value in hours.items() if key != "periods"})
    if not any(week.values()) and not reader.mistakes:
        reader.note(("hours",), "the office is never open", "write for example monday-friday: {open: 08:00-16:30}")
    periods = reader.periods(("hours", "periods"), hours.get("periods", []))
    read = OfficeHours(zone, week, periods, reader.holidays(("holidays",), office.get("holidays")), {})
    working_days = reader.working_days(("working_days",), office.get("working_days"), read)
    day_norm = reader.day_norm(("day_norm",), office.get("day_norm"))
    if reader.mistakes:
        raise OfficeError(*reader.mistakes)
    return read._replace(working_days=working_days, day_norm=day_norm)


class _Reader:
    """Reads an office's keys and notes what is wrong, so that all mistakes are told at once."""

    def __init__(self) -> None:
        self.mistakes: list[OfficeMistake] = []

    def note(self, path: Where, message: str, cure: str) -> None:
        self.mistakes.append(OfficeMistake(path, message, cure))

    def mapping(self, path: Where, value: object) -> Mapping[str, Any]:
        if value is None:
            return {}
        if not isinstance(value, Mapping):
            self.note(path, "not a mapping", "write keys with values")
            return {}
        if len(value) > MOST_DAYS:
            self.note(path, f"more than {MOST_DAYS} keys", "leave out what is long past")
            return {}
        return {str(key): item for key, item in value.items()}

    def zone(self, office: Mapping[str, Any]) -> ZoneInfo:
        try:
            return office_zone(office)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            name = str(office["timezone"])
            self.note(("timezone",), f"{name!r} is not known", "write WIB, WITA, WIT or a name such as Asia/Jakarta")
            return ZoneInfo("UTC")

    def week(self, path: Where, value: Mapping[str, Any]) -> Week:
        week: dict[int, Hours] = {}
        for key, item in value.items():
            hours = self.hours((*path, key), item)
            for day in self.weekdays((*path, key), key):
                if day in week:
                    self.note((*path, key), f"{WEEKDAYS[day].en} stands twice", "name each day once")
                week[day] = hours
        return week

    def weekdays(self, path: Where, key: str) -> list[int]:
        days: list[int] = []
        for term in key.casefold().split(","):
            ends = [name.strip() for name in term.split("-")]
            unknown = next((name for name in ends if name not in _DAYS), None)
            if unknown is not None or len(ends) > 2:
                cure = did_you_mean(unknown or term, [*_DAYS, "periods"]) or "write for example monday-thursday"
                self.note(path, f"{unknown or term!r} is not a weekday", cure)
                return []
            first, last = _DAYS[ends[0]], _DAYS[ends[-1]]
            days += [day % 7 for day in range(first, (last if last >= first else last + 7) + 1)]
        return days

    def hours(self, path: Where, value: object) -> Hours:
        if value == "closed":
            return ()
        if not isinstance(value, Mapping) or "open" not in value or set(value) - {"open", "break"}:
            self.note(path, "not the hours of a day", _OPEN)
            return ()
        opened = self.times((*path, "open"), value["open"])
        for begin, end in self.times((*path, "break"), value["break"]) if "break" in value else ():
            if opened and not any(first <= begin and end <= last for first, last in opened):
                self.note((*path, "break"), "the break lies outside the open hours", _OPEN)
            opened = tuple(piece for span in opened for piece in _without(span, begin, end))
        return opened

    def times(self, path: Where, value: object) -> Hours:
        read: list[tuple[int, int]] = []
        for term in str(value).split(","):
            match = re.fullmatch(_TIMES, term.strip())
            hour, minute, to_hour, to_minute = map(int, match.groups()) if match else (0, 0, 0, 0)
            begin, end = hour * 3600 + minute * 60, to_hour * 3600 + to_minute * 60
            if not (read[-1][1] if read else 0) <= begin < end <= 86400:
                self.note(path, f"{term.strip()!r} is not a time from-until in order", "write for example 08:00-16:30")
                return ()
            read.append((begin, end))
        return tuple(read)

    def day(self, path: Where, value: object) -> date:
        text = "" if value is None else str(value)
        try:
            day = date.fromisoformat(text)
            if day.isoformat() == text:
                return day
        except ValueError:
            pass
        self.note(path, f"{text!r} is not a date", "write year-month-day, such as 2026-03-24")
        return date.min

    def dates(self, path: Where, value: object) -> dict[date, Any]:
        return {self.day((*path, key), key): item for key, item in self.mapping(path, value).items()}

    def holidays(self, path: Where, value: object) -> Mapping[date, str]:
        days = self.dates(path, value)
        for day, name in days.items():
            if day > date.min and (not isinstance(name, str) or not name.strip()):
                self.note((*path, day.isoformat()), "the holiday has no name", "write its name")
        return days

    def periods(self, path: Where, value: object) -> tuple[Period, ...]:
        if not isinstance(value, list) or len(value) > MOST_DAYS:
            self.note(path, "not a list of periods", "write for example - {from: 2026-02-19, until: 2026-03-20, …}")
            return ()
        periods: list[Period] = []
        for number, item in enumerate(value):
            mistakes = len(self.mistakes)
            period = self.period((*path, number), self.mapping((*path, number), item))
            if len(self.mistakes) > mistakes:
                continue
            if any(_crosses(period, other) for other in periods):
                self.note((*path, number), "overlaps a period before it", "end one before the other begins")
            periods.append(period)
        return tuple(sorted(periods, key=lambda each: each.first, reverse=True))

    def period(self, path: Where, value: Mapping[str, Any]) -> Period:
        first = self.day((*path, "from"), value.get("from"))
        last = self.day((*path, "until"), value["until"]) if value.get("until") is not None else date.max
        if date.min < last < first:
            self.note((*path, "until"), "the period ends before it begins", "write from before until")
        days = {key: item for key, item in value.items() if key not in ("name", "from", "until")}
        return Period(str(value.get("name", "")), first, last, self.week(path, days))

    def working_days(self, path: Where, value: object, office: OfficeHours) -> Mapping[date, WorkedDay]:
        days: dict[date, WorkedDay] = {}
        for day, item in self.dates(path, value).items():
            place = (*path, day.isoformat())
            reason, hours = item, office.scheduled(day)
            if isinstance(item, Mapping):
                reason = item.get("reason")
                hours = self.hours(place, {key: each for key, each in item.items() if key != "reason"})
            if not isinstance(reason, str) or not reason.strip():
                self.note(place, "it is not said why this day is worked", _REASON)
            elif day in office.holidays:
                self.note(place, "this day also stands under holidays", "keep one of them")
            elif isinstance(item, str) and not hours:
                self.note(place, f"{WEEKDAYS[day.weekday()].en} has no hours", _REASON)
            days[day] = WorkedDay(hours, str(reason))
        return days

    def day_norm(self, path: Where, value: object) -> DayNorm:
        if value is None or value in list(DayNorm):
            return DayNorm(str(value or DayNorm.CLOSE))
        self.note(path, f"{value!r} is not known", "write close or hours")
        return DayNorm.CLOSE


def _crosses(one: Period, other: Period) -> bool:
    """Whether two periods overlap and neither begins and ends within the other."""
    first, second = sorted((one, other), key=lambda each: (each.first, -each.last.toordinal()))
    apart, inside = first.last < second.first, first.first < second.first and second.last <= first.last
    return not apart and not inside


def _without(span: tuple[int, int], begin: int, end: int) -> list[tuple[int, int]]:
    pieces = [(span[0], min(span[1], begin)), (max(span[0], end), span[1])]
    return [piece for piece in pieces if piece[0] < piece[1]]
