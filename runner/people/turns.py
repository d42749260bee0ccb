"""Whose turn it is (bola di tangan siapa): what waits in a run, for whom, since when, and how long still."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

from runner.calendar import Calendar
from runner.contract import Status
from runner.inventory import Inventory
from runner.people.hands import held_by, seconds_outside
from runner.record.document import Escalation, Hand, OpenRequest, Record

RUNNING, CAN_GO_ON = "running", "can_go_on"


class Official(NamedTuple):
    """Who holds a role today; `acting` is "Plh" or "Plt" of a deputy."""

    person: str
    name: str
    position: str
    acting: str

    def __str__(self) -> str:
        return f"{self.acting}. {self.name}" if self.acting else self.name


class Office(NamedTuple):
    """Who there is, and by which hours they work; of a run whose inventory cannot be had, an empty one."""

    inventory: Inventory
    calendar: Calendar

    @classmethod
    def of(cls, inventory: Inventory) -> Office:
        """Given an inventory, return its office. Raise OfficeError where its hours are none."""
        return cls(inventory, Calendar.from_office(inventory.office))


class Turn(NamedTuple):
    """One thing that is in somebody's hands. `request` is None where the machine is at work, or may go on.

    `left` is in seconds, negative when overdue, None without a limit: working time, or time by the clock where `clock`
    says so. `hand` tells of a third party that has it now, `outside` the working time that it was with such in all.
    """

    record: Record
    whole: str
    status: str
    since: datetime
    request: OpenRequest | None = None
    activity: str = ""
    title: str = ""
    officials: tuple[Official, ...] = ()
    left: float | None = None
    clock: bool = False
    limit: str = ""
    hand: Hand | None = None
    outside: float = 0.0
    escalations: tuple[Escalation, ...] = ()


def find_turns(record: Record, whole: str, *, running: bool, office: Office, now: datetime) -> Iterator[Turn]:
    """Given a run that is not at its end, the run that it belongs to and its office, give whose turn it is.

    Of a run in which one that it includes waits, nothing: that one is told of itself.
    """
    if running or not (record.requests or _waits_inside(record)):
        yield Turn(record, whole, RUNNING if running else CAN_GO_ON, record.began)
    for request in () if running else record.requests:
        yield _turn(record, whole, request, office, now)


def _waits_inside(record: Record) -> bool:
    outcomes = [task.outcome for step in record.steps for _, task in step.tasks]
    return any(outcome.status is Status.WAITING and outcome.request is None for outcome in outcomes)


def _turn(record: Record, whole: str, request: OpenRequest, office: Office, now: datetime) -> Turn:
    role, key = request.request.role, request.key
    step = next(step for step in record.steps if step.id == key.step)
    clock = is_clock_time(record, request)
    return Turn(
        record=record,
        whole=whole,
        status="waiting",
        since=request.since,
        request=request,
        activity=step.activity,
        title=str(record.started.get("procedure", {}).get("roles", {}).get(role, role)),
        officials=officials_of(office, role, now),
        left=_left(request.due, office.calendar, now, clock=clock),
        clock=clock,
        limit=step.time_limit or "",
        hand=held_by(record.hands, key),
        outside=seconds_outside(record.hands, key, office.calendar, now),
        escalations=tuple(each for each in record.escalations if each.key == key),
    )


def officials_of(office: Office, role: str, now: datetime) -> tuple[Official, ...]:
    """Given an office and a role, return who holds it now."""
    day = now.astimezone(office.calendar.office.zone).date()
    held = ((person, person.holding(role, day)) for person in office.inventory.holders(role, day))
    return tuple(Official(p.id, p.name, p.position, held_as.deputy if held_as else "") for p, held_as in held)


def is_clock_time(record: Record, request: OpenRequest) -> bool:
    """Whether the limit of the request's step runs through nights and holidays."""
    step = next(step for step in record.steps if step.id == request.key.step)
    counted = next((t.counted for t in step.targets if t.target == request.key.target), ())
    return bool(counted) and counted[0].startswith("clock")


def _left(due: datetime | None, calendar: Calendar, now: datetime, *, clock: bool) -> float | None:
    if due is None:
        return None
    return (due - now).total_seconds() if clock else calendar.working_seconds(now, due)


def describe_turn(turn: Turn) -> dict[str, Any]:
    """Given a turn, return it as `sop status --format json` prints it."""
    asked = turn.request
    return {
        "run": turn.record.run,
        "whole": turn.whole,
        "playbook": turn.record.playbook,
        "status": turn.status,
        "step": asked.key.step if asked else "",
        "attempt": asked.key.attempt if asked else 0,
        "task": asked.key.task if asked else "",
        "target": asked.key.target if asked else None,
        "activity": turn.activity,
        "role": asked.request.role if asked else "",
        "title": turn.title,
        "officials": [each._asdict() for each in turn.officials],
        "question": asked.request.question if asked else "",
        "answers": list(asked.request.answers) if asked else [],
        "since": turn.since.isoformat(),
        "time_limit": turn.limit,
        "due": asked.due.isoformat() if asked and asked.due else None,
        "left_seconds": turn.left,
        "clock_time": turn.clock,
        "third_party": turn.hand.party if turn.hand else "",
        "third_party_since": turn.hand.since.isoformat() if turn.hand else None,
        "third_party_seconds": turn.outside,
        "escalated": [
            {"rung": e.rung, "role": e.role, "persons": list(e.persons), "at": e.at.isoformat(), "reached": e.reached}
            for e in turn.escalations
        ],
    }
