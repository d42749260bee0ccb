"""What is overdue goes up the ladder: which rungs are reached, and the event that says who was told."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from runner.calendar import Calendar
from runner.durations import render_duration
from runner.events import Event, Kind
from runner.messages import render_moment
from runner.notices import Delivery, Notice
from runner.people.turns import Office, officials_of
from runner.playbook.escalation import Rung, parse_ladder
from runner.posts import split_roles
from runner.record.document import OpenRequest, Record

AGAIN = timedelta(hours=1)  # before what no channel took is tried again: each try stays in the record for good
REMINDER, ESCALATION = "pengingat", "eskalasi"  # templates of letters


class Reached(NamedTuple):
    """A rung that was reached by a request, when, and the roles that are told."""

    request: OpenRequest
    rung: Rung
    at: datetime
    roles: tuple[str, ...]


def find_reached(record: Record, office: Office, now: datetime) -> Iterator[Reached]:
    """Given a run, give the rungs that are reached and are to be told now; a reminder only until the due time."""
    ladder = parse_ladder(record.started.get("escalation") or ())
    for request in record.requests:
        for rung in ladder:
            if request.due is None or _is_settled(record, request, rung, office, now):
                continue
            at = moment_of(rung, request.due, office.calendar)
            if at <= now and not (rung.before and request.due <= now):
                yield Reached(request, rung, at, rung.roles or split_roles(request.request.role))


def moment_of(rung: Rung, due: datetime, calendar: Calendar) -> datetime:
    """Given a rung and when the act was due, return when the rung is reached."""
    if not rung.before:
        return calendar.due(due, rung.norm) or due
    assert rung.norm.late is not None
    return calendar.subtract_working(due, rung.norm.late.nominal)


def _is_settled(record: Record, request: OpenRequest, rung: Rung, office: Office, now: datetime) -> bool:
    """Whether a rung reached somebody, or was tried a moment ago; without any channel, saying it in the record is all
    that can be done."""
    said = [each for each in record.escalations if each.key == request.key and each.rung == rung.number]
    if not said or any(each.reached for each in said):
        return bool(said)
    return not office.inventory.channels or now < said[-1].at + AGAIN


def build_notice(record: Record, reached: Reached, office: Office, now: datetime) -> Notice:
    """Given a rung that was reached, return what is told, to whom, over which channels."""
    request, zone = reached.request, office.calendar.office.zone
    assert request.due is not None
    left = office.calendar.working_seconds(now, request.due)
    step = next(step for step in record.steps if step.id == request.key.step)
    role = request.request.role
    values = {
        "procedure": record.title,
        "run": record.run,
        "step": request.key.step,
        "activity": step.activity,
        "question": request.request.question,
        "position": str(record.started.get("procedure", {}).get("roles", {}).get(role, role)),
        "persons": ", ".join(map(str, officials_of(office, role, now))) or "belum ada pemangku",
        "since": render_moment(request.since.astimezone(zone), "id"),
        "due": render_moment(request.due.astimezone(zone), "id"),
        "time": render_duration(abs(left), "id", days=False),
    }
    return Notice(reached.roles, REMINDER if reached.rung.before else ESCALATION, values, reached.rung.channels)


def build_escalated(
    run: str, reached: Reached, office: Office, deliveries: Sequence[Delivery], now: datetime, fault: str = ""
) -> Event:
    """Given a rung and what became of its letters (or why there are none), return the event."""
    key, rung = reached.request.key, reached.rung
    told: list[dict[str, Any]] = [
        {name: asdict(each)[name] for name in ("channel", "recipient", "status", "answer")} for each in deliveries
    ]
    if fault:
        told.append({"channel": "", "recipient": "", "status": "failed", "answer": fault})
    data = {
        "rung": rung.number,
        "when": {"before" if rung.before else "overdue": rung.norm.text},
        "role": ", ".join(reached.roles),
        "persons": [str(each) for role in reached.roles for each in officials_of(office, role, now)],
        "due": reached.at.isoformat(),
        "told": told,
    }
    return Event(Kind.ESCALATED, run, now, key.step, key.attempt, key.task, key.target, key.item, key.tries, data)
