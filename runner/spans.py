"""Amounts of time as people write them: the words for units, and a Span of one unit ("3 hari kerja", "1 x 24 jam")."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from runner.messages import Language, Words

INSTEAD = "write {{text: …, means: {}}}"  # a norm's wording is the SOP's: it stays, and its meaning is added


class Unit(StrEnum):
    """A unit of a bound: working time up to HOUR, a working DAY, 24 hours by the clock, a calendar WEEK or MONTH."""

    SECOND = "second"
    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"
    CLOCK_DAY = "clock_day"
    WEEK = "week"
    MONTH = "month"


SECONDS = {
    Unit.SECOND: 1,
    Unit.MINUTE: 60,
    Unit.HOUR: 3600,
    Unit.DAY: 86400,
    Unit.CLOCK_DAY: 86400,
    Unit.WEEK: 7 * 86400,
    Unit.MONTH: 31 * 86400,
}


@dataclass(frozen=True, slots=True)
class Span:
    """An amount of a unit, such as 3 working days. Working time stands in the largest unit without a remainder."""

    amount: int
    unit: Unit

    @property
    def nominal(self) -> int:
        """Its seconds by the clock, a day being 24 hours: to compare by and to bound, not to judge by."""
        return self.amount * SECONDS[self.unit]


class Part(NamedTuple):
    """An amount in hundredths, and the word for its unit as written in small letters."""

    hundredths: int
    word: str

    @property
    def unit(self) -> Span:
        """What one of the unit is: a `semester` is 6 months."""
        if self.word.startswith(("x", "kali")):
            return Span(1, Unit.CLOCK_DAY)
        return UNITS[self.word.removesuffix("kerja").removeprefix("working").strip()]

    @property
    def working(self) -> bool:
        """Whether it says that it is working time ("hari kerja")."""
        return "kerja" in self.word or "working" in self.word

    @property
    def nominal(self) -> float:
        """Its seconds by the clock."""
        return self.hundredths * self.unit.nominal / 100


UNITS: dict[str, Span] = {
    word: Span(amount, unit)
    for amount, unit, words in (
        (1, Unit.SECOND, "s sec second seconds detik"),
        (1, Unit.MINUTE, "m min minute minutes menit"),
        (1, Unit.HOUR, "h hour hours jam"),
        (1, Unit.DAY, "d day days hari"),
        (1, Unit.WEEK, "w week weeks minggu"),
        (1, Unit.MONTH, "month months bulan"),
        (3, Unit.MONTH, "quarter quarters triwulan"),
        (6, Unit.MONTH, "semester semesters"),
        (12, Unit.MONTH, "year years tahun"),
    )
    for word in words.split()
}
_NAMES = {
    Unit.SECOND: Words("detik", "second"),
    Unit.MINUTE: Words("menit", "minute"),
    Unit.HOUR: Words("jam", "hour"),
    Unit.DAY: Words("hari", "day"),
    Unit.CLOCK_DAY: Words("x 24 jam", "x 24 hours"),
    Unit.WEEK: Words("minggu", "week"),
    Unit.MONTH: Words("bulan", "month"),
}
_WORKING_TIME = (Unit.HOUR, Unit.MINUTE, Unit.SECOND)
_PLAIN = str.maketrans("‐‑‒–—―−×", "-------x")
_NUMBER = r"(1/2|½|setengah|[0-9]{1,6}(?:[.,][0-9]{1,2})?)(?: ?\([^\W\d][^()\d]*\))?"  # also "3 (tiga)"
_UNIT = (
    r"(?:hari|jam) ?kerja|working ?(?:days?|hours?)|(?:x|kali) ?24 ?(?:\([^()\d]*\) ?)?(?:jam|hours?|h)|"
    + "|".join(sorted(UNITS, key=len, reverse=True))
)
# Patterns are text, so that nothing is compiled before it is needed: start-up stays light.
_PART = rf"{_NUMBER} ?({_UNIT})(?![^\W\d])(?: ?,| dan(?= )| and(?= ))? ?"


def plain_words(text: str) -> str:
    """Given text, return it in small letters, with single spaces, plain dashes and no full stop at its end."""
    visible = "".join(letter for letter in text if unicodedata.category(letter) != "Cf")
    return " ".join(visible.translate(_PLAIN).casefold().split()).rstrip(".")


def parse_parts(plain: str, unit: str = "") -> tuple[Part, ...]:
    """Given plain words ("1 jam 30 menit"), return their parts; a bare number takes `unit`. Of anything else, none."""
    rest = f"{plain} {unit}" if unit and re.fullmatch(_NUMBER, plain) else plain
    parts = []
    while rest:
        match = re.match(_PART, rest)
        if match is None:
            return ()
        parts.append(Part(_hundredths(match[1]), match[2]))
        rest = rest[match.end() :]
    return tuple(parts)


def build_span(parts: tuple[Part, ...]) -> Span:
    """Given parts, return what they amount to. Raise ValueError, with a cure, if that is not a whole number of one unit
    and not working time either."""
    if all(part.unit.unit in _WORKING_TIME for part in parts):
        return _working_time(sum(part.hundredths * part.unit.nominal for part in parts))
    if len(parts) > 1:
        raise ValueError(f"mixes days or longer with other units. {INSTEAD.format('2 hari')}")
    amount, rest = divmod(parts[0].hundredths * parts[0].unit.amount, 100)
    if rest:
        raise ValueError(f"is not a whole number. {INSTEAD.format('4 jam')}")
    return Span(amount, parts[0].unit.unit)


def render_span(span: Span, language: Language, *, working: bool = False) -> str:
    """Given a span, return it in words; with `working` a day is called a working day."""
    name = str(getattr(_NAMES[span.unit], language))
    if language == "id":
        return f"{span.amount} {name}{' kerja' if working else ''}"
    plural = "s" if span.amount != 1 and span.unit is not Unit.CLOCK_DAY else ""
    return f"{span.amount} {'working ' if working else ''}{name}{plural}"


def _hundredths(number: str) -> int:
    if number in ("1/2", "½", "setengah"):
        return 50
    whole, _, decimals = number.replace(",", ".").partition(".")
    return int(whole + decimals.ljust(2, "0"))


def _working_time(hundredths: int) -> Span:
    for unit in _WORKING_TIME:
        if hundredths % (100 * SECONDS[unit]) == 0:
            return Span(hundredths // (100 * SECONDS[unit]), unit)
    raise ValueError(f"is not a whole number of seconds. {INSTEAD.format('1 detik')}")
