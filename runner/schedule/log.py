"""The log of what ran by itself: lines with their times, in a few files of limited size."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from runner.record.folder import disk_errors, gate, make_folder

LARGEST = 1_000_000  # bytes; then a new file begins
KEPT = 5
LONGEST_LINE = 2_000


class Log:
    """A log file `log` in a folder; `log.1` is the one before. Several processes may write."""

    def __init__(self, folder: Path, now: Callable[[], datetime], *, largest: int = LARGEST) -> None:
        self.path = folder / "log"
        self._now = now
        self._largest = largest
        make_folder(folder)

    def write(self, label: str, text: str) -> None:
        """Add a line. Raise RecordError where that fails."""
        line = f"{self._now().isoformat(timespec='seconds')} {label}: {text.rstrip()[:LONGEST_LINE]}\n"
        with gate(self.path.parent), disk_errors(self.path):
            if self.path.exists() and self.path.stat().st_size + len(line.encode()) > self._largest:
                self._turn()
            with self.path.open("a", encoding="utf-8", errors="replace") as file:
                file.write(line)

    def _turn(self) -> None:
        for number in range(KEPT - 1, 0, -1):
            older = self.path.with_name(f"log.{number}")
            newer = self.path.with_name(f"log.{number - 1}") if number > 1 else self.path
            if newer.exists():
                newer.replace(older)
