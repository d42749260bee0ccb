"""A clock for tests that moves only when told to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


class FixedClock:
    """Stands at a moment until `advance` is called."""

    def __init__(self, moment: datetime) -> None:
        self._start = self._moment = moment.astimezone(UTC)

    def now(self) -> datetime:
        return self._moment

    def monotonic(self) -> float:
        return (self._moment - self._start).total_seconds()

    def advance(self, seconds: float) -> None:
        self._moment += timedelta(seconds=seconds)
