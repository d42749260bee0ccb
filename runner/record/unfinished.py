"""Runs that are not at their end: they go on, wait for a person, or were cut off."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from runner.contract import Status
from runner.record import build_record
from runner.record.document import Record
from runner.record.locks import Locks
from runner.record.reader import JournalReader

_UNFINISHED = """
    SELECT run FROM events INDEXED BY run_starts WHERE kind = 'run_started'
    EXCEPT
    SELECT run FROM events INDEXED BY final_ends WHERE kind = 'run_ended' AND status NOT IN ('waiting', 'interrupted')
"""
_ASKING = """
    SELECT DISTINCT run FROM (
        SELECT run FROM events INDEXED BY asked WHERE kind IN ('requested', 'answered')
        GROUP BY run, step, attempt, task, target, item, "try" HAVING min(kind) = 'requested'
    )
"""
_ANSWERED = """
    SELECT DISTINCT run FROM events a INDEXED BY asked WHERE kind IN ('requested', 'answered') AND kind = 'answered'
    AND NOT EXISTS (SELECT 1 FROM events e INDEXED BY run_turns
        WHERE e.kind IN ('run_resumed', 'run_ended') AND e.run = a.run AND e.seq > a.seq)
"""
_RESUMED = """
    SELECT run FROM events r INDEXED BY run_turns WHERE kind IN ('run_resumed', 'run_ended') AND kind = 'run_resumed'
    AND NOT EXISTS (SELECT 1 FROM events e INDEXED BY run_turns
        WHERE e.kind IN ('run_resumed', 'run_ended') AND e.kind = 'run_ended' AND e.run = r.run AND e.seq > r.seq)
"""


class Holder(NamedTuple):
    """Who has a problem in hand: the run that took it up, since when, the step that it is in, and the roles that it
    waits for there (none: a machine is at work)."""

    run: str
    since: datetime
    step: str
    roles: tuple[str, ...]


def unfinished(journal: JournalReader) -> Iterator[Record]:
    """The runs that go on, wait for a person, or were cut off and can be resumed, newest first."""
    with journal.reading() as connection:
        runs = {
            str(run) for query in (_UNFINISHED, _ASKING, _ANSWERED, _RESUMED) for (run,) in connection.execute(query)
        }
    for run in sorted(runs, reverse=True):
        record = build_record(journal.events(run))
        if may_go_on(record):
            yield record


def may_go_on(record: Record) -> bool:
    """Whether a run stopped before its end: cut off, or waiting for a person, whatever else in it failed. One that
    was cancelled never goes on."""
    if record.cancelled:
        return False
    begun = (target for step in record.steps for target in step.targets if target.started)
    return record.status in (Status.WAITING, Status.INTERRUPTED) or any(target.ended is None for target in begun)


def beginning_of(journal: JournalReader, record: Record) -> Record:
    """Given a run's record, return that of the run which includes it, or its own."""
    while parent := record.started.get("parent"):
        record = build_record(journal.events(parent))
    return record


def find_holder(journal: JournalReader, run: str) -> Holder | None:
    """Given a run that took something up, return who has it in hand since it began; None once it is at its end.

    A run that was cut off, and that nobody went on with, has nothing in hand.
    """
    record = build_record(journal.events(run))
    if not may_go_on(record):
        return None
    if record.requests:
        roles = tuple(dict.fromkeys(request.request.role for request in record.requests))
        return Holder(run, record.began, record.requests[0].key.step, roles)
    if not Locks(journal.records).is_running(beginning_of(journal, record).run):
        return None
    begun = [step.id for step in record.steps if any(target.started for target in step.targets)]
    return Holder(run, record.began, begun[-1] if begun else "", ())
