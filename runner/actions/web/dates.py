"""Dates as machines and Indonesian pages write them, read strictly: what is not surely a date is none.

A weekday that stands before a date is its check digit. A Hijri date, a month alone and an American month/day are
not read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, tzinfo
from email.utils import parsedate_to_datetime

FIRST_YEAR = 1995

_MONTHS = (
    r"jan(?:uari)?|[fp]eb(?:ruari)?|mar(?:et)?|mrt|apr(?:il)?|mei|juni?|juli?|ag(?:ust(?:us)?|t|s|u)|sept(?:ember)?|sep"
    r"|okt(?:ober)?|no[vp](?:ember)?|des(?:ember)?"
)
_MONTH_NUMBERS = {
    "jan": 1, "feb": 2, "peb": 2, "mar": 3, "mrt": 3, "apr": 4, "mei": 5, "jun": 6, "jul": 7, "agu": 8, "agt": 8,
    "ags": 8, "sep": 9, "okt": 10, "nov": 11, "nop": 11, "des": 12,
}  # fmt: skip
_DAYS = {"senin": 0, "sen": 0, "selasa": 1, "sel": 1, "rabu": 2, "rab": 2, "kamis": 3, "kam": 3, "jumat": 4, "jum": 4}
_DAYS |= {"sabtu": 5, "sab": 5, "minggu": 6, "min": 6, "ahad": 6}
_DATE = re.compile(
    r"(?<![\w/.-])(?:(?P<weekday>senin|selasa|rabu|kamis|jum['`’‘´]?at|sabtu|minggu|ahad|sen|sel|rab|kam|jum|sab|min)"
    r"\s{0,3}[,.]?\s{1,3})?"
    r"(?:(?P<day>\d{1,2})\s{0,3}[-\s]\s{0,3}(?P<month>" + _MONTHS + r")\.?\s{0,3}[-\s,]\s{0,3}(?P<year>\d{4})"
    r"|(?P<day2>\d{1,2})(?P<sign>[/-])(?P<month2>\d{1,2})(?P=sign)(?P<year2>\d{4}))(?![\w/-])",
    re.IGNORECASE,
)
_ISO_DAY = re.compile(r"(\d{4})-(\d{2})(?:-(\d{2}))?\Z")


def find_dates(text: str) -> Iterator[date]:
    """Given Indonesian text, yield the dates written in it; one whose weekday does not agree is left out."""
    for match in _DATE.finditer(text):
        if match["month"]:
            month = _MONTH_NUMBERS[match["month"][:3].lower()]
            found = _date(int(match["year"]), month, int(match["day"]))
        else:
            found = _date(int(match["year2"]), int(match["month2"]), int(match["day2"]))
        if found and _weekday_agrees(match["weekday"], found):
            yield found


def parse_moment(text: str, zone: tzinfo) -> datetime | date | None:
    """Given one date as feeds, sitemaps and markup write it, return it; None when it is not surely one.

    ISO 8601, RFC 822 and Indonesian dates are read. A moment without a zone is taken as the office's `zone`; where
    only a day is given, the day is returned.
    """
    text = text.strip()[:100]
    day = _ISO_DAY.match(text)
    if day:
        return _date(int(day[1]), int(day[2]), int(day[3] or 1))
    moment = _iso(text) or _rfc(text)
    if moment is None:
        return next(find_dates(text), None)
    try:
        return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
    except (OverflowError, ValueError):
        return None


def day_of(moment: datetime | date, zone: tzinfo) -> date:
    """Given a moment or a day, return the day it is in `zone`."""
    return moment.astimezone(zone).date() if isinstance(moment, datetime) else moment


def _iso(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _rfc(text: str) -> datetime | None:
    try:
        return parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day) if year >= FIRST_YEAR else None
    except ValueError:
        return None


def _weekday_agrees(word: str | None, found: date) -> bool:
    if word is None:
        return True
    letters = "".join(filter(str.isalpha, word.lower()))
    return _DAYS[letters] == found.weekday()
