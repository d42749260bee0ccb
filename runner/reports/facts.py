"""What is known about each service: the register, and what the journal's actions saw and told last."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from runner.actions.services.observing import REMEMBERED_DAYS
from runner.calendar import Calendar
from runner.events import Event
from runner.inventory import Inventory
from runner.inventory.ladder import Memory, Rule, Standing, judge
from runner.inventory.people import Person
from runner.inventory.register import Service, parse_service, read_day
from runner.record.reader import JournalReader

SOON = timedelta(days=90)  # to ask for money takes so long
URGENT_FIRST = ("expired", "due", "unknown", "arranged", "later")
_LATEST = """
    SELECT target, json_extract(body, '$.data.action') AS action, body, MAX(seq) FROM events
    WHERE kind = 'task_finished' AND status IN ('ok', 'changed') AND action IN ('service.due', 'service.renewed')
    GROUP BY target, action
"""


@dataclass(frozen=True, slots=True)
class Fact:
    """A service today: its last day (None: not known) and whether that was seen outside, where it stands, its papers.

    `missing` is what a renewal lacked when it was last looked at; None if that was never done.
    """

    service: Service
    expires: date | None
    seen: bool
    standing: Standing | None
    missing: tuple[str, ...] | None = None
    people: tuple[Person, ...] = ()

    @property
    def stage(self) -> str:
        """One of URGENT_FIRST."""
        return self.standing.stage if self.standing else "unknown"


@dataclass(frozen=True, slots=True)
class Facts:
    """All services, the most urgent first, and the office they belong to."""

    now: datetime
    office: Mapping[str, Any]
    calendar: Calendar
    rule: Rule
    services: Sequence[Fact]
    holders: Mapping[str, Person] = field(default_factory=dict)
    head: str = ""

    @property
    def today(self) -> date:
        """The office's day."""
        return self.now.astimezone(self.calendar.office.zone).date()


def gather_facts(inventory: Inventory, journal: JournalReader | None, now: datetime) -> Facts:
    """Given the inventory, the journal (None: there is none yet) and the time, return what is known of the services."""
    calendar = Calendar.from_office(inventory.office)
    rule = Rule(calendar.is_working_day)
    today = now.astimezone(calendar.office.zone).date()
    told = _latest(journal) if journal else {}
    found = []
    for target in inventory.targets.values():
        if target.kind == "service":
            service = parse_service(target.view())
            people = tuple(inventory.people[name] for name in service.responsible if name in inventory.people)
            events = {action: told.get((target.name, action)) for action in ("service.due", "service.renewed")}
            found.append(_fact(service, people, events["service.due"], events["service.renewed"], today, rule))
    holders = {role: held[0] for role in ("kasubbag", "sekretaris") if (held := inventory.holders(role, today))}
    services = sorted(found, key=lambda fact: (URGENT_FIRST.index(fact.stage), fact.expires or today))
    return Facts(now, inventory.office, calendar, rule, services, holders, journal.printed_head() if journal else "")


def _fact(
    service: Service, people: tuple[Person, ...], due: Event | None, renewed: Event | None, today: date, rule: Rule
) -> Fact:
    """What was seen outside counts before what is written, as it does in service.due."""
    outputs = due.outputs if due else {}
    seen = _seen(outputs, today)
    expires = seen or service.running.expires or read_day(outputs.get("expires"))
    standing = judge(service, expires, today, Memory(), rule) if expires else None
    last = renewed.outputs if renewed else {}
    followed = bool(last) and last.get("stage") not in ("none", "renewed")
    missing = tuple(last.get("missing") or ()) if followed or (service.renewal and last) else None
    return Fact(service, expires, bool(seen), standing, missing, people)


def _seen(outputs: Mapping[str, Any], today: date) -> date | None:
    """The last day as seen outside, if that was not long ago."""
    on = read_day(outputs.get("seen_on"))
    return read_day(outputs.get("seen")) if on and today - on <= timedelta(days=REMEMBERED_DAYS) else None


def _latest(journal: JournalReader) -> dict[tuple[str, str], Event]:
    with journal.reading() as connection:
        rows: Iterable[tuple[str | None, str, str, int]] = connection.execute(_LATEST).fetchall()
    return {(target, action): Event.from_json(json.loads(body)) for target, action, body, _ in rows if target}


def needs_money(fact: Fact, today: date) -> bool:
    """Whether a service's next renewal is to be paid soon, and is not paid yet."""
    renewal = fact.service.renewal
    paid = bool(renewal and "payment" in renewal.papers)
    soon = fact.standing is not None and fact.standing.deadline - SOON <= today
    return soon and not paid and fact.stage != "later"
