"""What waits for whom, and how much working time is left."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from runner.calendar import Calendar
from runner.record.document import OpenRequest, Record
from runner.record.reader import JournalReader
from runner.record.unfinished import unfinished
from runner.reports.dashboard.basis import Basis, Procedure


class Waiting(NamedTuple):
    """An act that a person owes. `left` is what remains until `due`, in seconds: working time, or clock time where the
    norm runs through nights and holidays (`pauses` False); negative once it is over; None without a norm."""

    run: str
    procedure: str
    step: str
    activity: str
    question: str
    role: str
    people: tuple[str, ...]
    since: datetime
    due: datetime | None
    left: float | None
    pauses: bool
    party: str
    escalated: str


def gather_waiting(journal: JournalReader, basis: Basis, now: datetime) -> tuple[Waiting, ...]:
    """Given a journal and the time, return what waits for people: the most overdue first, then what is due next."""
    found = [_build(record, request, basis, now) for record in unfinished(journal) for request in record.requests]
    return tuple(sorted(found, key=lambda each: (each.left is None, each.left or 0.0, each.since, each.run)))


def _build(record: Record, request: OpenRequest, basis: Basis, now: datetime) -> Waiting:
    procedure = basis.procedure(record.playbook) or Procedure(record.playbook, record.started, record.began)
    pauses = not _counted(record, request).startswith("clock")
    hand = next((each for each in record.hands if each.key == request.key and each.until is None), None)
    rungs = [each for each in record.escalations if each.key == request.key]
    return Waiting(
        run=record.run,
        procedure=procedure.title,
        step=request.key.step,
        activity=procedure.activity(request.key.step),
        question=request.request.question,
        role=procedure.role(request.request.role),
        people=basis.holders(request.request.role, now),
        since=request.since,
        due=request.due,
        left=time_left(basis.calendar, now, request.due, pauses=pauses) if request.due else None,
        pauses=pauses,
        party=hand.party if hand else "",
        escalated=procedure.role(rungs[-1].role) if rungs else "",
    )


def time_left(calendar: Calendar, now: datetime, due: datetime, *, pauses: bool) -> float:
    """Given the time and when something is due, return the seconds left: working time if the norm pauses."""
    return calendar.working_seconds(now, due) if pauses else (due - now).total_seconds()


def _counted(record: Record, request: OpenRequest) -> str:
    """The rule by which the step's due time is counted."""
    targets = (t for step in record.steps if step.id == request.key.step for t in step.targets)
    return next((t.counted[0] for t in targets if t.target == request.key.target and t.counted), "")
