"""Looks for many patterns at once in bytes, whatever their case: with Hyperscan, or RE2 where there is none."""

from __future__ import annotations

import platform
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from runner.actions.logs.patterns import build_set, compiled


class Matcher(Protocol):
    """Finds the patterns that it was built with."""

    def lines(self, block: bytes) -> list[int]:
        """Given whole lines, return where those begin that hold a pattern, in order."""

    def found(self, text: bytes) -> set[int]:
        """Given text, return the numbers of the patterns in it."""

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

    def lines(self, block: bytes) -> list[int]:
        """Where the lines begin that hold a pattern."""
        starts: list[int] = []
        end = -1

        def take(number: int, start: int, position: int, flags: int, context: object) -> None:
            nonlocal end
            if position > end:
                starts.append(block.rfind(b"\n", 0, position - 1) + 1)
                end = block.find(b"\n", position - 1)
                if end < 0:
                    end = len(block)

        self._database.scan(block, match_event_handler=take)
        return starts

    def found(self, text: bytes) -> set[int]:
        """The numbers of the patterns in the text."""
        numbers: set[int] = set()
        self._database.scan(text, match_event_handler=lambda number, *_: numbers.add(number))
        return numbers

    def dump(self) -> bytes:
        """The compiled database."""
        import hyperscan

        return bytes(hyperscan.dumpb(self._database))


class Re2Matcher:
    """One alternation for lines, one set for numbers."""

    def __init__(self, patterns: Sequence[bytes]) -> None:
        self._any = compiled(b"|".join(b"(?:%s)" % pattern for pattern in patterns)) if patterns else None
        self._set = build_set(patterns) if patterns else None

    def lines(self, block: bytes) -> list[int]:
        """Where the lines begin that hold a pattern."""
        starts: list[int] = []
        if self._any is None:
            return starts
        search: Callable[..., Any] = self._any.search
        position = 0
        while match := search(block, position):
            starts.append(block.rfind(b"\n", 0, match.start() + 1) + 1)
            position = block.find(b"\n", match.start())
            if position < 0:
                break
        return starts

    def found(self, text: bytes) -> set[int]:
        """The numbers of the patterns in the text."""
        return set(self._set.Match(text) or ()) if self._set is not None else set()

    def dump(self) -> bytes:
        """Nothing: RE2 compiles at once."""
        return b""
