"""Which sets of a target are kept, and why: by days, weeks, months and years, and whatever those rules say, what is
proved, needed, or was made around a repair."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta, tzinfo
from typing import NamedTuple

from runner.actions.backup.set_schema import AFTER_REPAIR, BEFORE_RESTORE
from runner.actions.backup.sets import BackupSet, Shelf

PROTECTED = timedelta(days=90)
_PERIODS: Mapping[str, Callable[[datetime], tuple[int, ...]]] = {
    "daily": lambda at: (at.year, at.month, at.day),
    "weekly": lambda at: at.isocalendar()[:2],
    "monthly": lambda at: (at.year, at.month),
    "yearly": lambda at: (at.year,),
}


class Keep(NamedTuple):
    """How many days, weeks, months and years a set is kept of, the newest of each; and how many sets at least."""

    daily: int
    weekly: int
    monthly: int
    yearly: int
    least: int


def why_kept(shelf: Shelf, keep: Keep, proved: BackupSet | None, now: datetime, zone: tzinfo) -> dict[str, list[str]]:
    """Given the sets of a target, return why each is kept, by its name; one without a reason may go."""
    newest_first = list(reversed(shelf.sets))
    reasons: dict[str, list[str]] = {each.name: [] for each in newest_first}
    for number, each in enumerate(newest_first):
        if number == 0:
            reasons[each.name].append("newest")
        elif number < keep.least:
            reasons[each.name].append(f"one of the newest {keep.least}")
        if proved and each.name == proved.name:
            reasons[each.name].append("last proved restorable")
        if each.reason in (AFTER_REPAIR, BEFORE_RESTORE) and now - each.sealed < PROTECTED:
            reasons[each.name].append(f"{each.reason} within {PROTECTED.days} days")
    for period, key in _PERIODS.items():
        for name in _newest_of_each(newest_first, key, getattr(keep, period), zone):
            reasons[name].append(period)
    _add_needed(newest_first, reasons)
    return reasons


def _newest_of_each(
    newest_first: Sequence[BackupSet], key: Callable[[datetime], tuple[int, ...]], most: int, zone: tzinfo
) -> list[str]:
    found: dict[tuple[int, ...], str] = {}
    for each in newest_first:
        period = key(each.sealed.astimezone(zone))
        if period not in found and len(found) < most:
            found[period] = each.name
    return list(found.values())


def _add_needed(newest_first: Sequence[BackupSet], reasons: dict[str, list[str]]) -> None:
    """A set that a kept one hangs on is kept; sets hang on older ones only, so one pass is enough."""
    for each in newest_first:
        if reasons[each.name]:
            for name in sorted(each.needs & set(reasons)):
                reasons[name].append(f"needed by {each.name}")
