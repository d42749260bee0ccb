"""What was found out about a text is remembered, since most texts of a log come again and again."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

MOST = 65_536
LONGEST = 256  # bytes; longer texts, which attackers send, are looked at each time

Found = TypeVar("Found")


class Remembered(dict[bytes, Found]):
    """What a function says of texts. For a known text no line of Python runs."""

    def __init__(self, function: Callable[[bytes], Found]) -> None:
        super().__init__()
        self._function = function

    def of(self, texts: Iterable[bytes]) -> list[Found]:
        """What it says of each of the texts."""
        return list(map(self.__getitem__, texts))

    def __missing__(self, text: bytes) -> Found:
        found = self._function(text)
        if len(text) <= LONGEST:
            if len(self) >= MOST:
                self.clear()
            self[text] = found
        return found
