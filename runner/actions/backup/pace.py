"""How fast files may come, how fast they do, and how long the rest will take."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from runner.durations import Deadline, render_duration
from runner.errors import Failed, TimeUp
from runner.messages import render_size

PROGRESS = "progress.txt"
LONGEST_SLEEP = 0.5
SECONDS_BETWEEN = 1.0
_HOURS = re.compile(r"([01]\d|2[0-3])[:.]([0-5]\d)\s*-\s*([01]\d|2[0-3])[:.]([0-5]\d)")


class Pace:
    """Holds what comes to a rate, in bytes a second (0: none), at all hours or in those named ("08:00-16:30").

    `now` is the office's time at the beginning. Raise TimeUp when the deadline passes meanwhile.
    """

    def __init__(self, rate: float, hours: str, now: datetime, deadline: Deadline) -> None:
        self._rate = rate
        self._hours = parse_hours(hours) if hours else None
        self._began, self._now = time.monotonic(), now
        self._deadline = deadline
        self._free_at = self._began

    def hold(self, size: int) -> None:
        """So many bytes have come: wait until more may."""
        if not self._rate or not self._is_held():
            self._free_at = time.monotonic()
            return
        self._free_at = max(self._free_at, time.monotonic() - LONGEST_SLEEP) + size / self._rate
        while (left := self._free_at - time.monotonic()) > 0:
            if self._deadline.passed:
                raise TimeUp("time was up before everything had come; the next run goes on there. allow more of it")
            time.sleep(min(left, LONGEST_SLEEP, max(0.01, self._deadline.remaining())))

    def _is_held(self) -> bool:
        if self._hours is None:
            return True
        clock = self._now + timedelta(seconds=time.monotonic() - self._began)
        minute, (begin, end) = clock.hour * 60 + clock.minute, self._hours
        return begin <= minute < end if begin < end else minute >= begin or minute < end


class Progress:
    """Tells how far something is, at most once a second, to who watches it, and into a file where one is given."""

    def __init__(self, tell: Callable[[str], None], whole: int, path: Path | None = None) -> None:
        self._tell = tell
        self._path = path
        self._whole = whole
        self._came = 0
        self._began = self._told = time.monotonic()

    def add(self, size: int) -> None:
        """So many bytes more are done."""
        self._came += size
        now = time.monotonic()
        if now - self._told >= SECONDS_BETWEEN:
            self._told = now
            text = render_progress(self._came, self._whole, now - self._began)
            self._tell(text)
            if self._path:
                with suppress(OSError):  # a full disk is told by what has to be written there
                    self._path.write_text(text + "\n")


def render_progress(came: int, whole: int, seconds: float) -> str:
    """Given bytes that came, of how many, in how many seconds, return it in words."""
    rate = came / seconds if seconds > 0 else 0.0
    text = f"{render_size(came, 'en')} of {render_size(whole, 'en')}, {render_size(int(rate), 'en')} a second"
    return f"{text}, {render_duration((whole - came) / rate, 'en')} left" if rate and came < whole else text


def parse_hours(text: str) -> tuple[int, int]:
    """Given hours as written, return the minutes of the day when they begin and end. Raise Failed."""
    match = _HOURS.fullmatch(text.strip())
    if not match:
        raise Failed(f"quiet_hours: '{text}' are no hours. write them as 08:00-16:30")
    hour, minute, end_hour, end_minute = map(int, match.groups())
    return hour * 60 + minute, end_hour * 60 + end_minute


def build_meter(pace: Pace, progress: Progress) -> Callable[[int], None]:
    """Return what is told of every piece that comes."""

    def meter(size: int) -> None:
        progress.add(size)
        pace.hold(size)

    return meter
