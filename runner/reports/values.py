"""Plain values of the record as text for a printed page, and text from outside made harmless."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from runner.messages import render_day, render_moment, render_number

LONGEST_TEXT = 400
MOST_ITEMS = 8
MOST_KEYS = 16
DEEPEST = 3

_NO_XML = "\ufffe\uffff"
_DAY = re.compile(r"(?<![\w/.-])\d{4}-\d\d-\d\d(?![\w/-])")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)\Z")


def clean(text: str) -> str:
    """Given text from anywhere, return it with what cannot be seen or turns the writing direction shown as "�"."""
    if text.isprintable():  # nearly all text, told at once
        return text
    return "".join("�" if _is_hidden(c) else c for c in text)


def shorten(text: str, limit: int = LONGEST_TEXT) -> str:
    """Given text, return at most `limit` characters of it, a cut shown as "…"."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def parse_instant(value: Any) -> datetime | None:
    """Given an aware time or its ISO text, return the time; of anything else, None."""
    if isinstance(value, str) and _INSTANT.match(value):
        return datetime.fromisoformat(value)
    return value if isinstance(value, datetime) and value.tzinfo else None


def render_value(value: Any, zone: ZoneInfo, depth: int = 0) -> str:
    """Given an output's value (JSON), return it short, for people; long lists and deep nesting are cut visibly."""
    moment = parse_instant(value)
    if moment:
        return render_moment(moment.astimezone(zone), "id")
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "ya" if value else "tidak"
    if isinstance(value, (int, float)) and math.isfinite(value):
        return render_number(value, "id", decimals=0 if value == int(value) else 2)
    if depth >= DEEPEST:
        return "…"
    if isinstance(value, Mapping) and {"name", "sha256"} <= value.keys():
        return f"{value['name']} (SHA-256 {value['sha256']})"
    if isinstance(value, Mapping):
        parts = [f"{_label(k)}: {render_value(v, zone, depth + 1)}" for k, v in value.items()]
        return shorten("; ".join(_first(parts, MOST_KEYS)))
    if isinstance(value, Sequence) and not isinstance(value, (str, bytes)):
        items = [render_value(item, zone, depth + 1) for item in value[: MOST_ITEMS + 1]]
        return shorten("; ".join(_first(items, MOST_ITEMS, len(value))) or "–")
    return shorten(_DAY.sub(lambda found: _day(found[0]), str(value)))


def _day(text: str) -> str:
    try:
        return render_day(date.fromisoformat(text), "id")
    except ValueError:
        return text


def _first(parts: list[str], most: int, total: int | None = None) -> list[str]:
    total = len(parts) if total is None else total
    return parts if total <= most else [*parts[:most], f"… (+{total - most})"]


def _label(key: Any) -> str:
    return str(key).replace("_", " ")


def _is_hidden(character: str) -> bool:
    if character in "\n\t":
        return False
    return character in _NO_XML or unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")
