"""Telling people what is overdue, over the channels of the inventory, and recording what became of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from runner.commands.offices import Offices
from runner.durations import Deadline
from runner.errors import Failed
from runner.inventory import Inventory
from runner.notices import Delivery
from runner.people.escalation import Reached, build_escalated, build_notice, find_reached
from runner.people.turns import Office
from runner.record.document import Record
from runner.record.folder import alone, make_folder
from runner.record.journal import Journal
from runner.record.unfinished import beginning_of, unfinished
from runner.redactor import Redactor

LONGEST_TELLING = 60.0  # seconds, for the letters of one rung


class Told(NamedTuple):
    """A rung that was reached in a run, whether one channel at least took it, and what hindered the others."""

    run: str
    reached: Reached
    arrived: bool
    failures: tuple[str, ...]


class Channels:
    """The secrets of an inventory's channels, found when they are needed; these and all that are at hand are masked."""

    def __init__(self, inventory: Inventory) -> None:
        self._inventory = inventory
        self._found = inventory.secrets_at_hand()

    def secret(self, name: str) -> str:
        """A secret's value. Raise Failed when it cannot be had."""
        if name not in self._found:
            self._found[name] = self._inventory.resolve(name)
        return self._found[name]

    def mask(self, value: Any) -> Any:
        """The value without any of these secrets."""
        return Redactor(self._found).mask(value)


def escalate(journal: Journal, offices: Offices, now: datetime) -> Iterator[Told]:
    """Tell, and record, every rung that is reached and was not told; nothing where another process is at it."""
    lock = journal.records / ".telling"
    make_folder(lock)
    with alone(lock) as mine:
        for record in unfinished(journal) if mine else ():
            office = offices.of(beginning_of(journal, record))
            for reached in find_reached(record, office, now):
                yield _tell(journal, record, reached, office, now)


def _tell(journal: Journal, record: Record, reached: Reached, office: Office, now: datetime) -> Told:
    deliveries, fault = _send(record, reached, office, now)
    journal.append([build_escalated(record.run, reached, office, deliveries, now, fault)])
    failures = [f"{each.channel}: {each.answer}" for each in deliveries if each.status != "sent"]
    arrived = any(each.status == "sent" for each in deliveries)
    return Told(record.run, reached, arrived, tuple(failures + ([fault] if fault else [])))


def _send(record: Record, reached: Reached, office: Office, now: datetime) -> tuple[tuple[Delivery, ...], str]:
    """Write and send the letters; return what became of them, or why there are none."""
    from runner.notify.courier import Courier

    channels, key = Channels(office.inventory), reached.request.key
    claim = json.dumps([record.run, *key, "escalation", reached.rung.number])
    local = now.astimezone(office.calendar.office.zone)
    courier = Courier(office.inventory, channels.secret, channels.mask, claim, local, Path("templates"))
    try:
        letters = courier.write(build_notice(record, reached, office, now))
    except Failed as error:
        return (), str(error)
    return courier.send(letters, Deadline.after(LONGEST_TELLING)), ""
