"""Masks the values of secrets in everything that is kept or shown."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, overload

from runner.disguises import SHORTEST_HIDDEN, build_patterns

DEEPEST_NESTING = 200

_MASK = re.compile(r"\[masked(?::[^\]]*)?\]|\[\*{5}\]")


class Redactor:
    """Masks secrets by value, in any of the forms that `runner.disguises` knows, as `[masked:NAME]`.

    A secret of less than 4 characters is masked as it is, where it stands as a whole word. Where the mask itself
    would hold a secret, as a secret named by its value, it is `[masked]` or `[*****]`.
    """

    def __init__(self, values: Mapping[str, str]) -> None:
        """Given the values of secrets by name. Raise ValueError for one that is blank."""
        longest_first = sorted(values, key=lambda name: -len(values[name]))
        by_first: dict[str, list[tuple[str, str]]] = {}
        for name in longest_first:
            for first, rest in build_patterns(values[name]):
                by_first.setdefault(first, []).append((name, rest))
        # The empty group at its end tells which pattern was found. That all begin with a letter, and each letter
        # stands once, lets the search skip ahead.
        branches = (
            f"{re.escape(first)}(?:{'()|'.join(rest for _, rest in found)}())" for first, found in by_first.items()
        )
        self._search = re.compile("|".join(branches)).search if values else None
        self._masks = [self._mask_of(name) for found in by_first.values() for name, _ in found]

    def __bool__(self) -> bool:
        """Whether there is any secret to mask."""
        return self._search is not None

    @overload
    def mask(self, value: str) -> str: ...
    @overload
    def mask(self, value: bytes) -> bytes: ...
    @overload
    def mask(self, value: Any) -> Any: ...
    def mask(self, value: Any) -> Any:
        """Given text, bytes or nested JSON values, return them with all secrets masked, in keys and numbers too.

        Where there are no secrets, and for text that holds none, that is the same object. What is nested deeper than
        200 levels becomes `[masked]`.
        """
        return value if self._search is None else self._masked(value, DEEPEST_NESTING)

    def _masked(self, value: Any, levels: int) -> Any:
        if isinstance(value, str):
            return self._masked_text(value)
        if isinstance(value, bytes):
            text = value.decode(errors="surrogateescape")
            masked = self._masked_text(text)
            return value if masked is text else masked.encode(errors="surrogateescape")
        if isinstance(value, int | float) and not isinstance(value, bool):
            text = str(value)
            return value if len(text) < SHORTEST_HIDDEN or self._masked_text(text) is text else self._masked_text(text)
        if isinstance(value, Mapping | list | tuple):
            return self._masked_container(value, levels - 1) if levels else "[masked]"
        return value

    def _masked_container(self, value: Mapping[Any, Any] | list[Any] | tuple[Any, ...], levels: int) -> Any:
        if not isinstance(value, Mapping):
            items = (self._masked(item, levels) for item in value)
            return list(items) if isinstance(value, list) else tuple(items)
        masked: dict[Any, Any] = {}
        for key, item in value.items():
            name = self._masked(key, levels)
            while name in masked:  # two keys that were the same secret in two forms
                name = f"{name}'"
            masked[name] = self._masked(item, levels)
        return masked

    def _masked_text(self, text: str) -> str:
        assert self._search is not None
        match = self._search(text)
        if match is None:
            return text
        pieces: list[str] = []
        done = 0
        while match is not None:
            begin, end, mask = match.start(), match.end(), self._masks[(match.lastindex or 0) - 1]
            match = self._search(text, begin + 1)
            while match is not None and match.start() <= end:  # overlapping or touching: one mask hides them all
                end = max(end, match.end())
                match = self._search(text, match.start() + 1)
            pieces += [text[done:begin], mask]
            done = end
        return "".join([*pieces, text[done:]])

    def _mask_of(self, name: str) -> str:
        masks = (f"[masked:{name}]", "[masked]", "[*****]")
        return next((mask for mask in masks if self._search is None or self._search(mask) is None), "")


def was_masked(value: Any) -> bool:
    """Given text, bytes or nested JSON values, return whether a secret was masked anywhere in them."""
    if isinstance(value, bytes):
        value = value.decode(errors="surrogateescape")
    if isinstance(value, str):
        return _MASK.search(value) is not None
    if isinstance(value, Mapping):
        return any(was_masked(key) or was_masked(item) for key, item in value.items())
    return isinstance(value, list | tuple) and any(map(was_masked, value))
