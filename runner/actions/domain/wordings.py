"""Whether an answer says "too many questions", "not now" or "no such domain", whoever the registry is."""

from __future__ import annotations

import re

from runner.actions.domain.phrases import ABSENT, ABSENT_WHOLE, CLOSED, CONDITION, LIKELY, SURE, TERMS

LONGEST_LINE, LONGEST_RAW = 200, 500
MOST_LINES = 5000
LONGEST_TEXT = 8000
SHORT = 700
LONGEST_STATEMENT = 70

_MARK = re.compile(r"^[\s%#;*>\[\]-]+|[\s%#;*\[\]]+$")
_DOTTED = re.compile(
    r"\d+(?:\.\d+)+|[0-9a-f]*:[0-9a-f:]*:[0-9a-f]+", re.IGNORECASE
)  # an address is no end of a sentence
_NAME = re.compile(r"[\w-]+(?:\.[\w-]+)+")  # a domain may be called after any word
_WAIT = re.compile(
    r"\b(?:in|after|for|of|wait|within|is|least)\W{1,3}(?:(?P<h>\d{1,3})h)?(?:(?P<m>\d{1,3})m)?"
    r"(?:(?P<n>\d{1,6}(?:\.\d+)?)[\s-]?(?P<unit>s|sec|min|hour|h|d)\w*)?",
    re.IGNORECASE,
)
_UNITS = {"s": 1, "sec": 1, "min": 60, "h": 3600, "hour": 3600, "d": 86400}


def decode(raw: bytes | str) -> str:
    """Given an answer, return its text: UTF-8 where it is that, else Latin-1, which always is."""
    if isinstance(raw, str):
        return raw
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def plain_lines(text: str) -> list[str]:
    """Given an answer, return its lines without the marks of comments, empty ones left out."""
    cut = (" ".join(raw[:LONGEST_RAW].replace("_", " ").split()) for raw in text.splitlines()[:MOST_LINES])
    return [line for line in (_MARK.sub("", raw) for raw in cut) if line]


def is_throttled(lines: list[str]) -> bool:
    """Given an answer's lines, return whether it says that too much was asked."""
    whole = _DOTTED.sub("0", " ".join(lines)[:LONGEST_TEXT])
    return any(not CONDITION.search(_sentence(whole, match)) for match in SURE.finditer(whole))


def is_throttled_alone(text: str) -> bool:
    """Given an answer, return whether a short line of its own says so, in no paragraph of terms of use."""
    before = ""
    for raw in text.splitlines()[:MOST_LINES]:
        line = _MARK.sub("", raw[:LONGEST_RAW])
        if len(line) <= LONGEST_STATEMENT and (not before or before.endswith((".", ":"))) and is_throttled([line]):
            return True
        before = line
    return False


def seems_throttled(lines: list[str]) -> bool:
    """Given the lines of an answer without data, return whether it probably says that too much was asked."""
    if sum(map(len, lines)) >= SHORT:
        return False
    return bool(LIKELY.search(_DOTTED.sub("0", " ".join(lines))))


def _sentence(whole: str, match: re.Match[str]) -> str:
    """From the beginning of the sentence to the match's end."""
    return whole[max(whole.rfind(". ", 0, match.start()) + 1, 0) : match.end()]


def is_closed(lines: list[str]) -> bool:
    """Given the lines of an answer without data, return whether it says that it will not, or cannot, tell."""
    return bool(CLOSED.search(" ".join(lines)[:LONGEST_TEXT]))


def is_absent(lines: list[str]) -> bool:
    """Given an answer's lines, return whether one of them says that the domain is not registered."""
    if ABSENT_WHOLE.search(" ".join(lines)[:LONGEST_TEXT]):
        return True
    return any(
        len(line) <= LONGEST_LINE and ABSENT.search(line) and not TERMS.search(_NAME.sub("a.b", line)) for line in lines
    )


def parse_wait(lines: list[str]) -> float | None:
    """Given a throttled answer's lines, return how many seconds it asks to wait; None when it does not say."""
    for match in _WAIT.finditer(" ".join(lines)[:LONGEST_TEXT]):
        seconds = 3600.0 * int(match["h"] or 0) + 60 * int(match["m"] or 0)
        seconds += float(match["n"] or 0) * _UNITS.get((match["unit"] or "").lower(), 0)
        if seconds:
            return seconds
    return None
