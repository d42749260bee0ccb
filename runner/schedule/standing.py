"""How the schedule stands: what ran last, what is due, and what should have run and did not."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import datetime, timedelta
from functools import cache
from itertools import islice
from typing import NamedTuple

from runner.record.reader import JournalReader
from runner.schedule.entries import Entry
from runner.schedule.folder import Tried

SHORTLY = timedelta(minutes=10)  # after its moment an entry that is not made up for may still begin
SILENCE = timedelta(minutes=15)  # after its moment an entry that did not begin is late, and cron that did not call dead
PAUSE = timedelta(hours=1)  # before a moment that gave no run is tried again
MOST_RUNS = 2_000

_STARTS = (
    "SELECT run, at, body FROM events INDEXED BY run_starts WHERE kind = 'run_started' AND playbook = ? "
    "ORDER BY seq DESC"
)


class Begun(NamedTuple):
    """A run that began, when, and with which steps."""

    run: str
    at: datetime
    steps: frozenset[str]


class Standing(NamedTuple):
    """How an entry stands: the run that did it last, the last moment that asked for it since `since` (None: none yet),
    and when it begins next."""

    entry: Entry
    last: Begun | None
    slot: datetime | None
    next: datetime | None

    @property
    def done(self) -> bool:
        """Whether a run has begun since the last moment."""
        return self.slot is None or (self.last is not None and self.last.at >= self.slot)

    def late(self, now: datetime) -> bool:
        """Whether it should have begun by now, and did not."""
        return not self.done and self.slot is not None and now > self.slot + self.entry.delay + SILENCE

    def due(self, now: datetime, tried: Tried | None) -> bool:
        """Whether it is to be begun now."""
        if self.slot is None or self.done:
            return False
        if tried and tried.slot == self.slot and timedelta() <= now - tried.at < PAUSE:
            return False
        return self.entry.scheduled.made_up or now <= self.slot + self.entry.delay + SHORTLY


def find_standings(
    entries: Sequence[Entry], journal: JournalReader | None, since: datetime | None, now: datetime
) -> list[Standing]:
    """Given entries, the journal and since when they run by themselves (None: by what the journal tells), return how
    each stands."""

    @cache
    def begun(name: str) -> tuple[Begun, ...]:
        return tuple(islice(_begun(journal, name), MOST_RUNS)) if journal else ()

    return [_stand(entry, begun(entry.playbook.stem), since, now) for entry in entries]


def _stand(entry: Entry, begun: Sequence[Begun], since: datetime | None, now: datetime) -> Standing:
    steps = frozenset(entry.scheduled.steps)
    last = next((each for each in begun if steps <= each.steps), None)
    slot, from_when = entry.last(now), since or (last.at if last else None)
    asked = slot if slot and from_when and slot >= from_when else None
    return Standing(entry, last, asked, entry.next(now))


def _begun(journal: JournalReader, playbook: str) -> Iterator[Begun]:
    """The runs of a playbook on all targets, newest first; not those that belong to another run."""
    with journal.reading() as connection, closing(connection.execute(_STARTS, (playbook,))) as rows:
        for run, at, body in rows:
            header = json.loads(body)["data"]
            if header.get("parent") or (header.get("options") or {}).get("limit"):
                continue
            steps = frozenset(str(step["id"]) for step in header.get("steps") or () if step.get("selected"))
            yield Begun(run, datetime.fromisoformat(at), steps)
