"""Patterns that rules bring, by RE2: its time grows with the text and no faster, whatever a pattern says."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, lru_cache
from typing import Any

from runner.parsing import refuse_pattern

LONGEST = 10_000
MEMORY = 64 * 1024 * 1024


@cache
def re2_options() -> Any:
    """Bytes as they are, whatever their case; a dot is any byte, and no message goes to stderr."""
    import re2

    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.max_mem = MEMORY
    options.case_sensitive, options.dot_nl, options.log_errors = False, True, False
    return options


@lru_cache(maxsize=8192)
def compiled(pattern: bytes) -> Any:
    """Given a pattern, return it compiled. Raise ValueError with what is wrong."""
    import re2

    try:
        return re2.compile(pattern, re2_options())
    except re2.error as error:
        raise refuse_pattern("a rule's pattern", error) from None


@lru_cache(maxsize=8192)
def build_search(pattern: bytes) -> Callable[[bytes], object]:
    """Given a pattern, return what says (as true or false) whether a text holds it."""
    found: Callable[[bytes], object] = build_set([pattern]).Match  # a third less than a search, which makes an object
    return found


def check_pattern(pattern: bytes) -> None:
    """Raise ValueError with what is wrong with a rule's pattern; return where nothing is."""
    if len(pattern) > LONGEST:
        raise ValueError(f"a pattern is longer than {LONGEST} characters. write several rules")
    compiled(pattern)


def build_set(patterns: Sequence[bytes]) -> Any:
    """Given patterns, return what tells which of them stand in a text."""
    import re2

    found = re2.Set.SearchSet(re2_options())
    for pattern in patterns:
        found.Add(pattern)
    found.Compile()
    return found
