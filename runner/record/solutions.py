"""What solved a problem the last times: what people wrote and machines changed in the runs that had it in hand."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from runner.contract import Status
from runner.record import build_record
from runner.record.document import Record
from runner.record.problems import KnownProblem
from runner.record.reader import JournalReader

MOST_SOLUTIONS = 3


class Remark(NamedTuple):
    """What a person answered in a run that had the problem in hand: at which step, as what, the label and the note."""

    step: str
    role: str
    person: str
    label: str
    note: str


class Solution(NamedTuple):
    """A past occurrence that a run had in hand before it was gone: what people wrote there (those with a note), and
    which tasks changed something."""

    run: str
    first_seen: datetime
    solved_at: datetime
    remarks: tuple[Remark, ...]
    changes: tuple[str, ...]


def find_solutions(journal: JournalReader, problem: KnownProblem) -> tuple[Solution, ...]:
    """Given a problem, return what solved it before (and now, where it is solved), the latest first."""
    spans = [(past.solved_by, past.first_seen, past.solved_at) for past in problem.earlier]
    if problem.solved_at:
        spans.insert(0, (problem.solved_by, problem.first_seen, problem.solved_at))
    solved = [span for span in spans if span[0]][:MOST_SOLUTIONS]
    return tuple(_solution(build_record(journal.events(run)), since, until) for run, since, until in solved)


def _solution(record: Record, since: datetime, until: datetime) -> Solution:
    remarks = [
        Remark(answer.key.step, answer.role, answer.person, answer.label, answer.note)
        for answer in record.answers
        if answer.note and answer.at <= until
    ]
    handling = {answer.key.step for answer in record.answers}
    first = next((place for place, step in enumerate(record.steps) if step.id in handling), len(record.steps))
    changes = [
        f"{step.id}/{task.id}"
        for step in record.steps[first:]
        for _, task in step.tasks
        if task.outcome.status is Status.CHANGED
    ]
    return Solution(record.run, since, until, tuple(remarks), tuple(dict.fromkeys(changes)))
