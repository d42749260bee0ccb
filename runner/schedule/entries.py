"""The entries of the playbooks' schedules, with the office's clock, and each office's own delay."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import NamedTuple

from runner.calendar import Calendar
from runner.crons import find_moments
from runner.errors import Mistake, Refused
from runner.inventory import load_inventory
from runner.playbook import Playbook
from runner.playbook.reading import load_playbook
from runner.playbook.timing import Scheduled, parse_schedule

_REACHES = (timedelta(days=2), timedelta(days=40), timedelta(days=1500))


class Entry(NamedTuple):
    """Steps of a playbook that run by themselves, by the office's clock, `delay` after each moment."""

    playbook: Path
    scheduled: Scheduled
    zone: tzinfo
    delay: timedelta

    @property
    def key(self) -> str:
        """A name for its file: the same steps of the same playbook share it, and never run twice at a time."""
        steps = ",".join(sorted(self.scheduled.steps))
        return f"{self.playbook.stem}-{hashlib.sha256(steps.encode()).hexdigest()[:8]}"

    @property
    def label(self) -> str:
        """How it is called: its steps."""
        return ",".join(self.scheduled.steps)

    def last(self, now: datetime) -> datetime | None:
        """The last moment that has come, its delay not counted."""
        until = now - self.delay
        for reach in _REACHES:
            if moments := self._moments(until - reach, until):
                return moments[-1]
        return None

    def coming(self, now: datetime, until: datetime) -> Iterator[datetime]:
        """When it begins after `now`, up to `until`, its delay counted."""
        since = (now - self.delay + timedelta(seconds=1)).astimezone(self.zone)
        for moment in find_moments(self.scheduled.cron, since, until - self.delay):
            yield moment + self.delay

    def next(self, now: datetime) -> datetime | None:
        """When it begins next; None where it never does."""
        found = (next(self.coming(now, now + reach), None) for reach in _REACHES)
        return next((moment for moment in found if moment), None)

    def _moments(self, since: datetime, until: datetime) -> list[datetime]:
        return list(find_moments(self.scheduled.cron, since.astimezone(self.zone), until))


def load_entries(playbooks: Sequence[Path], inventories: tuple[Path, ...], folder: Path) -> list[Entry]:
    """Given playbooks, the inventory and the working folder, return all entries. Raise Refused with all mistakes."""
    mistakes: list[Mistake] = []
    loaded = [playbook for path in playbooks if (playbook := load_playbook(path, mistakes))]
    if mistakes:
        raise Refused(*mistakes)
    if not any(playbook.supplement.get("schedule") for playbook in loaded):
        return []
    office = load_inventory(inventories).office
    zone = Calendar.from_office(office).office.zone
    seed = f"{office.get('name', '')}\n{folder}"
    return [entry for playbook in loaded for entry in _entries(playbook, zone, seed)]


def _entries(playbook: Playbook, zone: tzinfo, seed: str) -> Iterator[Entry]:
    for scheduled in parse_schedule(playbook.supplement):
        delay = delay_of(f"{seed}\n{playbook.name}\n{','.join(scheduled.steps)}", scheduled.jitter)
        yield Entry(Path(playbook.source.file), scheduled, zone, delay)


def delay_of(seed: str, most: float) -> timedelta:
    """Given what names an entry in the whole country and its jitter in seconds, return its delay: always the same."""
    share = int.from_bytes(hashlib.sha256(seed.encode()).digest()[:8]) / 2**64
    return timedelta(seconds=int(share * most))
