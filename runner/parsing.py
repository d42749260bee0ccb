"""Values out of the text that a command printed: JSON, and patterns of RE2, whose time grows with the text only."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

MOST_FOUND = 10_000
LONGEST_PATTERN = 1_000
MEMORY = 16 * 1024 * 1024


@lru_cache(maxsize=256)
def compile_pattern(pattern: str) -> Any:
    """Given a pattern as written, return it compiled. Raise ValueError with what is wrong and a cure."""
    import re2

    if len(pattern) > LONGEST_PATTERN:
        raise ValueError(f"a pattern has at most {LONGEST_PATTERN} characters. make it shorter")
    options = re2.Options()
    options.max_mem, options.log_errors = MEMORY, False
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        raise refuse_pattern(f"'{pattern}'", error) from None


def refuse_pattern(named: str, error: Exception) -> ValueError:
    """Given how a pattern is named to people, and RE2's error, return the error to raise."""
    words = error.args[0]
    reason = words.decode("utf-8", "replace") if isinstance(words, bytes) else str(words)
    return ValueError(f"{named} is not a pattern: {reason}. leave out lookarounds, \\1 and repeats over 1000")


def search_text(text: Any, pattern: str) -> Any:
    """Given text and a pattern, return what its first match holds; None where nothing matches. Raise ValueError."""
    match = compile_pattern(pattern).search(_text(text))
    return None if match is None else _held(match)


def find_in_text(text: Any, pattern: str) -> list[Any]:
    """Given text and a pattern, return what each match holds. Raise ValueError where there are too many."""
    found = []
    for match in compile_pattern(pattern).finditer(_text(text)):
        found.append(_held(match))
        if len(found) > MOST_FOUND:
            raise ValueError(f"the pattern matches more than {MOST_FOUND} times. make it match less")
    return found


def parse_json(text: Any) -> Any:
    """Given JSON as text, return its value. Raise ValueError with the place where it ends to be JSON."""
    try:
        return json.loads(_text(text))
    except json.JSONDecodeError as error:
        raise ValueError(f"this is not JSON: {error.msg} (line {error.lineno}, column {error.colno})") from None
    except RecursionError:
        raise ValueError("this JSON is nested too deeply") from None


def _held(match: Any) -> Any:
    """A match's named groups; else its only group, or the list of several; else all that matched."""
    named: Mapping[str, Any] = match.groupdict()
    if named:
        return dict(named)
    groups = match.groups()
    if not groups:
        return match[0]
    return groups[0] if len(groups) == 1 else list(groups)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"there is no text to read in a {type(value).__name__}")
    return value
