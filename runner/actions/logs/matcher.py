"""Looks for many patterns at once in bytes, whatever their case: with Hyperscan, or RE2 where there is none."""

from __future__ import annotations

import platform
from collections.abc import Callable, Sequence
from functools import reduce
from operator import or_
from typing import Any, Protocol

from runner.actions.logs.patterns import build_set, compiled


class Matcher(Protocol):
    """Finds the patterns that it was built with."""

    def lines(self, block: bytes, marks: Sequence[int]) -> dict[int, int]:
        """Given whole lines and a mark for each pattern, return where those begin that hold patterns, in order, each
        with the marks of these, joined by or."""

    def dump(self) -> bytes:
        """What `load_matcher` takes to have it again at once."""


def build_matcher(patterns: Sequence[bytes]) -> Matcher:
    """Given patterns, return what finds them."""
    hyperscan = _hyperscan()
    if hyperscan is None or not patterns:
        return Re2Matcher(patterns)
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    flags = hyperscan.HS_FLAG_CASELESS | hyperscan.HS_FLAG_DOTALL
    ids = list(range(len(patterns)))
    database.compile(expressions=list(patterns), ids=ids, elements=len(patterns), flags=flags)
    return HyperscanMatcher(database)


def load_matcher(patterns: Sequence[bytes], dumped: bytes) -> Matcher:
    """Given patterns and what `dump` gave for them on this machine, return what finds them."""
    hyperscan = _hyperscan()
    if hyperscan is None or not dumped:
        return build_matcher(patterns)
    database = hyperscan.loadb(dumped, hyperscan.HS_MODE_BLOCK)
    database.scratch = hyperscan.Scratch(database)
    return HyperscanMatcher(database)


def describe_engine() -> str:
    """Which engine looks for patterns here, and on what machine: a dump is good only for the same."""
    hyperscan = _hyperscan()
    return f"hyperscan {hyperscan.__version__} {platform.machine()} {platform.node()}" if hyperscan else "re2"


def _hyperscan() -> Any:
    try:
        import hyperscan
    except ImportError:
        return None
    return hyperscan


class HyperscanMatcher:
    """One database over all patterns."""

    def __init__(self, database: Any) -> None:
        self._database = database

    def lines(self, block: bytes, marks: Sequence[int]) -> dict[int, int]:
        """Where the lines begin that hold patterns, with their marks."""
        hits: list[tuple[int, int]] = []
        self._database.scan(block, match_event_handler=lambda number, _, at, *__: hits.append((at, number)))
        found: dict[int, int] = {}
        start = end = -1
        for at, number in sorted(hits):
            if at > end:
                start = block.rfind(b"\n", 0, at - 1) + 1
                end = block.find(b"\n", at - 1)
            found[start] = found.get(start, 0) | marks[number]
        return found

    def dump(self) -> bytes:
        """The compiled database."""
        import hyperscan

        return bytes(hyperscan.dumpb(self._database))


class Re2Matcher:
    """One alternation for lines, one set for numbers."""

    def __init__(self, patterns: Sequence[bytes]) -> None:
        self._any = compiled(b"|".join(b"(?:%s)" % pattern for pattern in patterns)) if patterns else None
        self._set = build_set(patterns) if patterns else None

    def lines(self, block: bytes, marks: Sequence[int]) -> dict[int, int]:
        """Where the lines begin that hold patterns, with their marks."""
        found: dict[int, int] = {}
        if self._any is None or self._set is None:
            return found
        search: Callable[..., Any] = self._any.search
        end = 0
        while end >= 0 and (match := search(block, end)):
            start = block.rfind(b"\n", 0, match.end() - 1) + 1
            end = block.find(b"\n", match.end() - 1)
            line = block[max(start - 1, 0) : end if end >= 0 else None]
            found[start] = reduce(or_, [marks[number] for number in self._set.Match(line) or ()], 0)
        return found

    def dump(self) -> bytes:
        """Nothing: RE2 compiles at once."""
        return b""
