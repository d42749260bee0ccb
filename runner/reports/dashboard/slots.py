"""When a scheduled step was to run: a schedule's moments, by the wall clock of the office."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, tzinfo

from runner.crons import find_moments

GRACE = timedelta(hours=1)  # how long after its moment a step may end before it counts as not done
SHORTEST_GRACE = timedelta(minutes=10)  # where it is asked for every few minutes
USUAL = timedelta(hours=26)  # how old what has no schedule may be: daily, and a little more


def find_slots(crons: Sequence[str], since: datetime, until: datetime, zone: tzinfo) -> list[datetime]:
    """Given schedules as in crontab(5) and two aware times, return their moments from `since` to `until`, in order.

    A schedule that no calendar has ("0 0 30 2 *") gives none.
    """
    moments = {moment for cron in crons for moment in find_moments(cron, since.astimezone(zone), until)}
    return sorted(moments)


def last_slot(crons: Sequence[str], now: datetime, zone: tzinfo) -> datetime | None:
    """Given schedules, return the last moment at which they asked for something that should be done by now."""
    for days in (2, 40, 800):
        slots = find_slots(crons, now - timedelta(days=days), now, zone)
        for before, slot in zip([None, *slots][-2::-1], slots[::-1], strict=False):
            grace = min(GRACE, max(SHORTEST_GRACE, slot - before)) if before else GRACE
            if slot + grace <= now:
                return slot
    return None
