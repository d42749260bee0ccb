"""Maintenance windows as an office announces them, by the clock of WIB, WITA or WIT.

setiap hari 01.00-02.00
Sabtu, Minggu 22.00-02.00 WIB           from Saturday night into Sunday; a day's window may end on the next day
Senin-Jumat 12:00-13:00 WITA
2026-12-01 20:00-23:00 WIT
1 Desember 2026 20.00 - 2 Desember 2026 04.00 WIB
"""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import date, datetime, time, timedelta, tzinfo
from typing import NamedTuple
from zoneinfo import ZoneInfo

from runner.actions.web.dates import find_dates
from runner.hours import ZONES
from runner.messages import WEEKDAYS

LONGEST = timedelta(days=31)
EXAMPLES = "write for example Sabtu 22.00-02.00 WIB, setiap hari 01.00-02.00, or 2026-12-01 20.00-23.00 WITA"

_CLOCK = r"([01]?\d|2[0-4])[.:]([0-5]\d)"
_TO = r"\s*(?:-|–|s/d|s\.d\.|sampai)\s*"
_SPAN = re.compile(
    rf"(?P<from>.*?)\s*{_CLOCK}{_TO}(?P<until>.*?)\s*{_CLOCK}\s*(?P<zone>WIB|WITA|WIT)?\s*", re.IGNORECASE
)
_NUMBERS = {word.casefold(): number for number, words in enumerate(WEEKDAYS) for word in words}
_NUMBERS |= {"jum'at": 4, "ahad": 6}
_EVERY_DAY = ("setiap hari", "tiap hari", "")


class Window(NamedTuple):
    """When it opens and closes: at two moments (once), or at two times of the day (`days`: Monday is 0)."""

    text: str
    zone: tzinfo
    days: frozenset[int]
    opens: time
    closes: time
    once: tuple[datetime, datetime] | None = None

    def holds(self, moment: datetime) -> bool:
        """Given an aware moment, return whether it lies in the window; its end does not."""
        local = moment.astimezone(self.zone)
        if self.once:
            return self.once[0] <= local < self.once[1]
        clock, today, yesterday = local.time(), local.weekday(), (local.weekday() - 1) % 7
        if self.opens < self.closes:
            return today in self.days and self.opens <= clock < self.closes
        return (today in self.days and clock >= self.opens) or (yesterday in self.days and clock < self.closes)


def parse_window(text: str, zone: tzinfo) -> Window:
    """Given a window as written, return it; `zone` holds where it names none. Raise ValueError with a cure."""
    found = _SPAN.fullmatch(text.strip())
    if not found:
        raise ValueError(f"{text!r} is no maintenance window. {EXAMPLES}")
    own = ZoneInfo(ZONES[found["zone"].upper()]) if found["zone"] else zone
    opens, closes = _clock(found[2], found[3]), _clock(found[5], found[6])
    first = _day(found["from"])
    if first is None:
        if found["until"]:
            raise ValueError(f"{text!r}: a day stands only before the first time. {EXAMPLES}")
        return Window(text, own, _days(found["from"], text), opens, closes)
    last = _day(found["until"]) if found["until"] else first + timedelta(days=closes <= opens)
    if last is None:
        raise ValueError(f"{text!r}: {found['until']!r} is no date. {EXAMPLES}")
    once = datetime.combine(first, opens, own), datetime.combine(last, closes, own)
    if not timedelta(0) < once[1] - once[0] <= LONGEST:
        raise ValueError(f"{text!r}: ends before it begins, or lasts longer than {LONGEST.days} days. {EXAMPLES}")
    return Window(text, own, frozenset(), opens, closes, once)


def find_window(windows: list[Window], moment: datetime) -> str:
    """Given windows, return the text of the first that holds a moment; "" where none does."""
    return next((window.text for window in windows if window.holds(moment)), "")


def _clock(hour: str, minute: str) -> time:
    return time(int(hour) % 24, int(minute))


def _day(text: str) -> date | None:
    with suppress(ValueError):
        return date.fromisoformat(text.strip())
    return next(find_dates(text), None)


def _days(text: str, whole: str) -> frozenset[int]:
    plain = " ".join(text.casefold().replace("’", "'").split())
    if plain in _EVERY_DAY:
        return frozenset(range(7))
    days: set[int] = set()
    for part in re.split(r"\s*(?:,|\bdan\b)\s*", plain):
        first, _, last = (word.strip() for word in part.partition("-"))
        if first not in _NUMBERS or (last and last not in _NUMBERS):
            raise ValueError(f"{whole!r}: {part!r} is no day. {EXAMPLES}")
        begin, end = _NUMBERS[first], _NUMBERS[last or first]
        days |= {(begin + step) % 7 for step in range((end - begin) % 7 + 1)}
    return frozenset(days)
