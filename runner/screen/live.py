"""The live part of a terminal: lines that are drawn over while others scroll by above them.

A thread of its own writes, so that a terminal that is slow or stopped (Ctrl-S) never holds up the run. The cursor is
never hidden and drawn lines never wrap, so that whatever ends the program leaves the terminal as it was. Nothing else
may write to the terminal between `start` and `close`.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable
from typing import TextIO

import click

from runner.screen.tables import may_colour, width_of, wrap

SECONDS_BETWEEN = 0.125
SECONDS_STILL = 1.0
LONGEST_CLOSE = 2.0
MOST_PENDING = 10_000
INDENT = " " * 10  # under what follows the time
UP = "\x1b[{}A"
ERASE_LINE = "\x1b[K"
ERASE_BELOW = "\x1b[J"

Render = Callable[[int, int], list[str]]  # width, height


class Live:
    """Draws what `render(width, height)` gives at most eight times a second, and once a second without news."""

    def __init__(self, stream: TextIO, render: Render) -> None:
        self._stream = stream
        self._render = render
        self._pending: deque[str] = deque(maxlen=MOST_PENDING)
        self._drawn: list[str] = []
        self._news = threading.Event()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def moving(self) -> bool:
        """Whether it draws: from `start` to `close`."""
        return self._thread is not None

    def start(self) -> None:
        """Begin to draw."""
        self._ended.clear()
        self._thread = threading.Thread(target=self._serve, name="screen", daemon=True)
        self._thread.start()

    def scroll(self, line: str) -> None:
        """Show a line for good, above what is drawn over."""
        self._pending.append(line)

    def refresh(self) -> None:
        """Draw anew, as there is news."""
        self._news.set()

    def close(self) -> None:
        """Show the lines that are left, remove what is drawn over, and end the thread."""
        self._ended.set()
        self._news.set()
        if self._thread:
            self._thread.join(LONGEST_CLOSE)
        self._thread = None

    def _serve(self) -> None:
        try:
            while not self._ended.is_set():
                self._news.wait(SECONDS_STILL - SECONDS_BETWEEN)
                self._news.clear()
                if in_foreground(self._stream):
                    self._draw(self._render)
                self._ended.wait(SECONDS_BETWEEN)
            self._draw(lambda width, height: [])
        except (OSError, ValueError):
            return  # the terminal is gone: the run goes on without it

    def _draw(self, render: Render) -> None:
        width, height = os.get_terminal_size(self._stream.fileno())
        width, height = width or 80, height or 24  # a serial console may not know
        back = self._back(width)
        pending = [self._pending.popleft() for _ in range(len(self._pending))]
        scrolled = [line for text in pending for line in wrap(text, width - 1, indent=INDENT)]
        self._drawn = render(width - 1, height - max(2, height // 4))
        shown = (line if may_colour() else click.unstyle(line) for line in (*scrolled, *self._drawn))
        self._stream.write(back + "".join(f"{line}{ERASE_LINE}\n" for line in shown) + ERASE_BELOW)
        self._stream.flush()

    def _back(self, width: int) -> str:
        """Go to where drawing began; a terminal that was made narrower has wrapped what was drawn."""
        rows = sum(max(1, -(-width_of(line) // width)) for line in self._drawn)
        return "\r" + (UP.format(rows) if rows else "")


def in_foreground(stream: TextIO) -> bool:
    """Whether the terminal listens to this program: one in the background must not draw over the shell."""
    try:
        return os.tcgetpgrp(stream.fileno()) == os.getpgrp()
    except OSError:
        return True  # not the terminal that controls us, so there is no background either
