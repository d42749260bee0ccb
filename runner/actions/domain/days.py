"""Dates as registries write them. What is not surely a date is none; the day is taken as written, in its own zone."""

from __future__ import annotations

import re
from datetime import date

FIRST_YEAR, LAST_YEAR = 1980, 2199
LONGEST = 120

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = r"(?P<month>jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}"
_YEAR = r"(?P<year>\d{4})"
_FORMS = tuple(
    re.compile(form, re.IGNORECASE)
    for form in (
        rf"(?<!\d){_YEAR}\s?[-/.]\s?(?P<number>\d{{1,2}})\s?[-/.]\s?(?P<day>\d{{1,2}})(?!\d)",
        rf"(?<!\d){_YEAR}[-/. ]{_MONTH}[-/. ](?P<day>\d{{1,2}})(?!\d)",
        rf"(?<!\d)(?P<day>\d{{1,2}})(?:st|nd|rd|th)?[-/. ]\s?{_MONTH}\.?,?[-/. ]\s?{_YEAR}(?!\d)",
        rf"\b{_MONTH}\.?[- ]{{1,3}}(?P<day>\d{{1,2}})(?:st|nd|rd|th)?,?[- ]{{1,3}}(?:\d{{1,2}}:\d\d(?::\d\d)?\s?"
        rf"(?:[ap]m\s?)?(?:[a-z]{{2,5}}|[+-]\d{{2}}:?\d{{2}})?\s{{1,3}})?{_YEAR}(?!\d)",
        r"(?<!\d)(?P<year>(?:19|20|21)\d{2})(?P<number>0[1-9]|1[0-2])(?P<day>[0-3]\d)(?:\d{6})?(?!\d)",
    )
)
_DAY_FIRST = re.compile(rf"(?<!\d)(\d{{1,2}})\s?([-/.])\s?(\d{{1,2}})\s?\2\s?{_YEAR}(?!\d)")


def parse_day(text: str, *, month_first: bool = False) -> date | None:
    """Given a date or a moment in a form that registries use, return the day it names; None when there is none.

    Of 03/04/2027 the first number is the day, as nearly all registries that write so mean it, unless only the
    second one can be, or the answer's other dates show that it is (`month_first`).
    """
    text = text[:LONGEST]
    for form in _FORMS:
        match = form.search(text)
        if match:
            parts = match.groupdict()
            month = int(parts["number"]) if parts.get("number") else _MONTHS.index(parts["month"][:3].lower()) + 1
            return _build_day(int(parts["year"]), month, int(parts["day"]))
    match = _DAY_FIRST.search(text)
    if not match:
        return None
    first, second = int(match[1]), int(match[3])
    turned = second > 12 or (month_first and first <= 12)
    return _build_day(int(match["year"]), *((first, second) if turned else (second, first)))


def _build_day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day) if FIRST_YEAR <= year <= LAST_YEAR else None
    except ValueError:
        return None
