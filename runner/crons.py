"""Moments as crontab(5) writes them: "30 1 * * *"."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice, takewhile

MOST = 50_000

_WORDS = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
}
_FIELDS = (
    ("minute", "0-59"),
    ("hour", "0-23"),
    ("day of the month", "1-31"),
    ("month", "1-12"),
    ("day of the week", "0-7"),
)
_SOME_DAY = datetime(2024, 1, 1, tzinfo=UTC)


def find_moments(cron: str, since: datetime, until: datetime) -> Iterator[datetime]:
    """Given a schedule and two aware times, yield its moments from `since` to `until` by the clock of `since`.

    One that no calendar has ("0 0 30 2 *") gives none.
    """
    from cronsim import CronSim, CronSimError  # needed by those alone who have a schedule

    try:
        ticks = CronSim(_WORDS.get(cron, cron), since - timedelta(seconds=1))
        yield from islice(takewhile(lambda moment: moment <= until, ticks), MOST)
    except CronSimError:
        return


def check_cron(cron: str) -> tuple[str, str] | None:
    """Given a schedule as written, return what is wrong with it and the cure; None where nothing is."""
    if cron in _WORDS:
        return None
    parts = cron.split()
    if len(parts) != len(_FIELDS):
        return f"'{cron}' has {len(parts)} fields", "write five, as in 30 1 * * *, or @daily"
    for number, (part, (name, bounds)) in enumerate(zip(parts, _FIELDS, strict=True)):
        alone = ["*"] * len(_FIELDS)
        alone[number] = part
        if re.search(r"[lLwW#]", re.sub("[A-Za-z]{3}", "", part)) or not _comes(" ".join(alone)):
            return f"'{part}' in '{cron}' is no {name}", f"write {bounds}, *, a list 1,2 or a step */5"
    return None if _comes(cron) else (f"'{cron}' never comes: no month has that day", "write another day or month")


def _comes(cron: str) -> bool:
    """Whether there is any moment of a schedule within ten years."""
    from cronsim import CronSim, CronSimError

    try:
        return next(CronSim(cron, _SOME_DAY), None) is not None
    except CronSimError:
        return False
