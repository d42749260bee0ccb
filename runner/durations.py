"""Time norms as written ("1 hari", "1jam - 3hari", "1 x 24 jam", "Sesuai jadwal"), limits, Deadline, the clock.

A norm keeps its wording; what it means is one value. Seconds, minutes and hours of a norm are working time, also
"40 jam"; only "n x 24 jam" is clock time. A "hari" is a working day. The late bound of a range is the limit.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import get_close_matches
from enum import StrEnum
from functools import lru_cache
from typing import Protocol, runtime_checkable

from runner.messages import Language, Words, render_number
from runner.spans import INSTEAD, UNITS, Part, Span, Unit, build_span, parse_parts, plain_words, render_span
from runner.wordings import expand_words

LONGEST_TEXT = 200
LONGEST_NORM = 10 * 366 * 86400
LONGEST_LIMIT = 366 * 86400


class Kind(StrEnum):
    """What sort of norm it is. The last three have no bounds and are never judged."""

    FIXED = "fixed"
    RANGE = "range"
    CLOCK = "clock"
    WORKING_DAYS = "working_days"
    ELSEWHERE = "elsewhere"
    CONTINUOUS = "continuous"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Norm:
    """A time norm: its wording, verbatim, and what it means. Without a `late` bound nothing can be late."""

    text: str
    kind: Kind
    early: Span | None = None
    late: Span | None = None


@runtime_checkable
class Clock(Protocol):
    """Where the time comes from."""

    def now(self) -> datetime:
        """The time of day as an aware UTC datetime."""

    def monotonic(self) -> float:
        """Seconds that only ever grow."""


class SystemClock:
    """The clock of this machine."""

    def now(self) -> datetime:
        """The time, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds that never go back."""
        return time.monotonic()


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment on the monotonic clock, handed down so that every wait ends in time."""

    at: float

    @classmethod
    def after(cls, seconds: float) -> Deadline:
        """The moment that many seconds from now."""
        return cls(time.monotonic() + seconds)

    def remaining(self) -> float:
        """Seconds left, never negative."""
        return max(0.0, self.at - time.monotonic())

    @property
    def passed(self) -> bool:
        """Whether the moment has come."""
        return time.monotonic() >= self.at

    def tightened(self, seconds: float) -> Deadline:
        """The earlier of this deadline and `seconds` from now."""
        return Deadline(min(self.at, time.monotonic() + seconds))


_STEPS: dict[Language, tuple[tuple[int, str], ...]] = {
    "id": ((86400, "hari"), (3600, "jam"), (60, "menit"), (1, "detik")),
    "en": ((86400, "d"), (3600, "h"), (60, "min"), (1, "s")),
}
_SAYINGS: dict[Kind, Words] = {
    Kind.ELSEWHERE: Words("sesuai jadwal", "as scheduled"),
    Kind.CONTINUOUS: Words("sepanjang tahun", "continuously"),
    Kind.NONE: Words("-", "no norm"),
}
_TO = r" ?(?:-|(?<![^\W\d])(?:s/d|s\.d\.?|sampai(?: dengan)?|hingga|to)(?![^\W\d])) ?"
_HOUR, _ZONE = r"(?:[01]?\d|2[0-4])[.:][0-5]\d", "(?:wib|wita|wit)"
_PERIOD = "hari|minggu|bulan|triwulan|semester|tahun"
_SAID: dict[Kind, str] = {
    Kind.ELSEWHERE: (
        r"(?:sesuai|mengikuti|menurut|tergantung) (?!kebutuhan)\D+|menyesuaikan(?: \D+)?|ditentukan \D+|as scheduled"
        r"|fleksibel|kondisional|situasional|h ?[-+] ?\d+(?: \D+)?|(?:setiap )?(?:tanggal|tgl\.?) \d{1,2}(?: .*)?"
        r"|[^/]*\d ?[^\W\d]+(?: kerja)? ?(?:/|per|tiap|setiap) ?[^\W\d]+(?: \D*)?"  # so long for each: how many?
        rf"|(?:pukul|jam|pkl\.?) ?{_HOUR}(?:{_TO}{_HOUR})?(?: {_ZONE})?|{_HOUR}(?:{_TO}{_HOUR}(?: {_ZONE})?| {_ZONE})"
    ),
    Kind.CONTINUOUS: (
        r"(?:selama |pada |setiap )?jam kerja"
        rf"|(?:sepanjang|setiap|tiap|per) (?:awal |akhir )?(?:waktu|saat|hari kerja|{_PERIOD})"
        rf"|(?:sekali|\d{{1,2}} ?(?:x|kali)) (?:se ?|dalam se|per |setiap |tiap )(?:{_PERIOD})"
        rf"|\d{{1,2}} (?:{_PERIOD}) sekali"
        r"|(?:secara )?(?:kontiny?u|terus[ -]?menerus|berkala|rutin)|harian|mingguan|bulanan|tahunan|continuously"
    ),
    Kind.NONE: (
        r"|-+|- ?(?:\(.*\)|[^\W\d].*)|sesuai kebutuhan(?: \D+)?|segera(?: \D+)?|secepatnya|tentatif|insidentil?"
        r"|langsung|seketika|saat itu juga|on the spot|real[ -]?time|n/a|n\.a|…+|tidak ada|otomatis"
        r"|as needed|immediately|no norm"
    ),
}
_AT_MOST = (
    r"(?:maksimal|maks\.?|max\.?|paling lama|paling lambat|selambat-lambatnya|kurang dari|tidak lebih dari"
    r"|at most|less than|±|≤|<) ?"
)
_AMOUNT = r"(?<!\d)\d{1,6}(?:[.,]\d+)? ?(?:x 24 jam|menit|jam|hari kerja|hari|minggu|bulan|tahun)(?![^\W\d])(?!.*\d)"
_EXAMPLES = "write for example 5 menit, 3 jam, 1 hari, 1 jam - 3 hari, 1 x 24 jam, sesuai jadwal or -"

_Meaning = tuple[Kind, Span | None, Span | None]


def parse_norm(text: object, means: object = None) -> Norm:
    """Given a norm as written (None: blank) and the court's reading of it, if any, return the Norm.

    Raise ValueError, with a cure, if the reading (or, without one, the text) is not understood.
    """
    wording = "" if text is None else _text(text)
    reading = wording if means is None else _text(means)
    try:
        meaning = _meaning(expand_words(plain_words(reading)))
    except ValueError as error:
        raise ValueError(f"{_shown(reading)} {error}") from None
    if meaning is None:
        raise ValueError(f"{_shown(reading)} is not a time norm. {_cure(expand_words(plain_words(reading)))}")
    return Norm(wording, *meaning)


def parse_limit(text: object) -> float:
    """Given clock time as written ("90s", "5 menit", "1 hari"), return seconds, more than 0 and at most 366 days.

    Raise ValueError, with a cure, for anything else.
    """
    return _seconds_of(_text(text))


@lru_cache(maxsize=256)
def _seconds_of(reading: str) -> float:
    parts = parse_parts(plain_words(reading))
    if not parts or any(part.unit.unit is Unit.MONTH for part in parts):
        raise ValueError(f"{_shown(reading)} is not a time limit. write for example 90s, 5m, 2h, 3d, 5 menit or 2 hari")
    if any(part.working for part in parts):
        raise ValueError(f"{_shown(reading)} is working time, but this limit is clock time. write for example 8h or 2d")
    seconds = sum(part.nominal for part in parts)
    if not 0 < seconds <= LONGEST_LIMIT:
        raise ValueError(f"{_shown(reading)} is out of bounds. write more than 0 and at most 366 hari")
    return seconds


def render_norm(norm: Norm, language: Language) -> str:
    """Given a norm, return its meaning in canonical words ("1 jam - 3 hari"), which `parse_norm` reads back."""
    if norm.late is None:
        return str(getattr(_SAYINGS[norm.kind], language))
    late = render_span(norm.late, language, working=norm.kind is Kind.WORKING_DAYS)
    return late if norm.early is None else f"{render_span(norm.early, language)} - {late}"


def render_duration(seconds: float, language: Language, *, days: bool = True) -> str:
    """Given seconds (negative: as 0), return their two largest units, rounded: "2 jam 5 menit", "2 h 5 min".

    With `days=False` the hour is the largest unit, as working time needs it.
    """
    steps = _STEPS[language] if days else _STEPS[language][1:]
    if seconds < 9.95:
        short = render_number(max(0.0, seconds), language, decimals=1)
        return f"{short[:-2] if short.endswith('0') else short} {steps[-1][1]}"
    first = next(index for index, (step, _) in enumerate(steps) if seconds >= step)
    finest = steps[min(first + 1, len(steps) - 1)][0]
    left = int(seconds / finest + 0.5) * finest
    words = []
    for step, name in steps[max(first - 1, 0) : first + 2]:
        amount, left = divmod(left, step)
        if amount:
            words.append(f"{amount} {name}")
    return " ".join(words)


def _text(value: object) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        raise ValueError(f"{value} has no unit. write for example {value} menit")
    if not isinstance(value, str):
        raise ValueError(f"a time is text, and this is not. {_EXAMPLES}")
    if len(value) > LONGEST_TEXT:
        raise ValueError(f"a time of {len(value)} characters is too long. {_EXAMPLES}")
    return value


def _shown(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:59] + "…")


def _meaning(plain: str) -> _Meaning | None:
    for kind, said in _SAID.items():
        if re.fullmatch(said, plain):
            return kind, None, None
    limit = re.match(_AT_MOST, plain)
    bounds = re.split(_TO, plain[limit.end() :] if limit else plain)
    last = parse_parts(bounds[-1])
    if not last or len(bounds) > 2:
        return None
    late = _bounded(build_span(last))
    if len(bounds) == 1:
        return _kind(late, last), None, late
    first = parse_parts(bounds[0], last[-1].word)
    if not first:
        return None
    early = build_span(first)
    if early.nominal > late.nominal:
        raise ValueError(f"ends before it begins. {INSTEAD.format('1 jam - 3 hari')}")
    return Kind.RANGE, early, late


def _kind(span: Span, parts: tuple[Part, ...]) -> Kind:
    if span.unit is Unit.CLOCK_DAY:
        return Kind.CLOCK
    return Kind.WORKING_DAYS if span.unit is Unit.DAY and parts[0].working else Kind.FIXED


def _bounded(span: Span) -> Span:
    if not 0 < span.nominal <= LONGEST_NORM:
        raise ValueError(f"is out of bounds, which are more than 0 and at most 10 years. {INSTEAD.format('1 hari')}")
    return span


def _cure(plain: str) -> str:
    nearest = re.sub(r"[^\W\d]{3,}", lambda word: _nearest(word[0]), plain)
    if nearest != plain and parse_parts(re.split(_TO, nearest)[-1]):
        return f"{INSTEAD.format(nearest)} if that is meant"
    plain = plain.replace(" hari kalender", " x 24 jam")
    amount = re.search(_AMOUNT, plain)
    if amount:
        return f"{INSTEAD.format(amount[0])} if that is meant"
    return f"{_EXAMPLES}; to keep this wording, {INSTEAD.format('5 menit')}"


def _nearest(word: str) -> str:
    known = [unit for unit in UNITS if len(unit) > 2]
    return next(iter(get_close_matches(word, known, n=1, cutoff=0.7)), word)
