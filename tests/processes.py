"""Looks for processes of this machine, as tests of process groups need it."""

from __future__ import annotations

import os
import time
from pathlib import Path


def find_marked(text: str) -> list[int]:
    """Return the processes whose command line holds `text`, zombies and this one left out."""
    return [int(name) for name in os.listdir("/proc") if name.isdigit() and _holds(int(name), text)]


def await_end(text: str, seconds: float = 5) -> None:
    """Wait until no process has `text` in its command line. Raise AssertionError when some stay."""
    end = time.monotonic() + seconds
    while found := find_marked(text):
        assert time.monotonic() < end, f"still running: {found}"
        time.sleep(0.02)


def await_start(text: str, seconds: float = 5) -> int:
    """Wait for a process with `text` in its command line and return its id."""
    end = time.monotonic() + seconds
    while not (found := find_marked(text)):
        assert time.monotonic() < end, f"never started: {text}"
        time.sleep(0.02)
    return found[0]


def _holds(pid: int, text: str) -> bool:
    if pid == os.getpid():
        return False
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ")
    except OSError:
        return False
    return text.encode() in words
