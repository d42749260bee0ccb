"""`sop tick`: cron's one line. It escalates what is overdue, and goes on with what can go on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import click

from runner.commands.clock import take_clock
from runner.commands.execute import Options, carry_out
from runner.commands.offices import Offices
from runner.commands.options import format_option, inventory_option, records_option
from runner.commands.preparing import explicit_steps
from runner.commands.resume import bound_as_begun
from runner.commands.telling import Told, escalate
from runner.contract import Status
from runner.errors import Locked, RecordError, RunnerError
from runner.people.going_on import BY_TICK, MOST_CRASHES, family, read_course
from runner.people.turns import RUNNING
from runner.record.document import Record
from runner.record.journal import Journal, open_journal
from runner.record.unfinished import unfinished
from runner.screen import print_json, show
from runner.services import unheard

FORKS = 20
INTERRUPTED, FAILED, WAITING = 130, 2, 3
FIRST_COUNTS = (7, INTERRUPTED, FAILED, 5, 4, 10, WAITING)


class Resumed(NamedTuple):
    """A run that went on, and how it stands now."""

    run: str
    status: Status
    exit_code: int


class Left(NamedTuple):
    """A run that could not go on by itself, why, and the exit code that this deserves."""

    run: str
    why: str
    exit_code: int


@click.command("tick")
@inventory_option()
@records_option()
@format_option()
@click.option("-v", "--verbose", is_flag=True, help="Say also what went well.")
def command(inventories: tuple[Path, ...], records: Path, form: str, verbose: bool) -> int:
    """Escalate what is overdue, and go on with each run that was answered or crashed. For cron, every few minutes.

    Says nothing when nothing needs a look. -i names the inventory whose people are told, where they changed since the
    run began.
    """
    journal, now = open_journal(records), take_clock().now()
    told: list[Told] = []
    moved: list[Resumed | Left] = []
    if journal:
        told = list(escalate(journal, Offices(records, inventories), now))
        moved = list(_go_on(journal))
    waits = any(record.requests for record in unfinished(journal)) if journal else False
    code = _exit_code(told, moved, waits=waits)
    if form == "json":
        print_json(_document(now, code, told, moved))
    else:
        _tell(told, moved, verbose=verbose)
    return code


def _go_on(journal: Journal) -> Iterator[Resumed | Left]:
    """Go on with every run that can; an interruption ends it."""
    wholes = [record for record in unfinished(journal) if not record.started.get("parent")]
    for record in sorted(wholes, key=lambda each: each.began):
        if journal.status_of(record.run) == RUNNING:
            continue
        try:
            found = _go_on_with(journal, record)
        except Locked:
            continue  # somebody else goes on with it, or with the same step on the same target
        except RecordError:
            raise
        except RunnerError as error:
            found = Left(record.run, str(error), error.exit_code)
        if found:
            yield found
        if found and found.exit_code == INTERRUPTED:
            return


def _go_on_with(journal: Journal, record: Record) -> Resumed | Left | None:
    courses = {run: read_course(events) for run, events in family(record.run, journal.events).items()}
    own = courses[record.run]
    answered = any(course.answered for course in courses.values())
    if not answered and own.ended and not _lost_answer(record, len(courses)):
        return None
    if not own.ended:
        forbidden = [key for course in courses.values() for key in course.forbidden]
        if forbidden and not answered:
            names = ", ".join(f"'{key.step}.{key.task}'" for key in forbidden)
            why = f"it was cut off in {names}, which is not repeated unseen. look at it, then: sop resume {record.run}"
            return Left(record.run, why, WAITING)
        if own.crashes >= MOST_CRASHES:
            why = f"it was cut off {own.crashes} times in a row. find out why, then: sop resume {record.run}"
            return Left(record.run, why, FAILED)
    return _resume(journal, record)


def _lost_answer(record: Record, members: int) -> bool:
    """Whether a run waits for nobody: what it asked was answered in the moment in which it went on."""
    return record.status is Status.WAITING and not record.requests and members == 1


def _resume(journal: Journal, record: Record) -> Resumed:
    bound = bound_as_begun(journal, record)
    explicit = explicit_steps(record.started["options"], bound.plan)
    options = Options(journal.records, FORKS, {}, explicit, resume=record.run, reason=BY_TICK)
    ended = carry_out(bound, options, lambda events: None, stopping=lambda: None, tell=unheard)
    return Resumed(record.run, ended.status, ended.exit_code)


def _exit_code(told: Sequence[Told], moved: Sequence[Resumed | Left], *, waits: bool) -> int:
    codes = {each.exit_code for each in moved} | {WAITING for _ in (waits,) if waits}
    codes |= {FAILED for each in told if not each.arrived and each.failures}
    return next((code for code in FIRST_COUNTS if code in codes), 0)


def _tell(told: Sequence[Told], moved: Sequence[Resumed | Left], *, verbose: bool) -> None:
    for each in told:
        roles = ", ".join(each.reached.roles)
        where = f"{each.run} {each.reached.request.key.step}: rung {each.reached.rung.number}"
        if not each.arrived:
            show(f"{where} is reached, and {roles} could not be told: {'; '.join(each.failures)}", err=True)
        elif verbose:
            show(f"{where} is reached, {roles} was told")
    for run in moved:
        if isinstance(run, Left):
            show(f"{run.run} does not go on: {run.why}", err=True)
        elif verbose or run.exit_code not in (0, WAITING):
            show(f"{run.run} went on: {run.status}, exit code {run.exit_code}", err=run.exit_code not in (0, WAITING))


def _document(now: datetime, code: int, told: Sequence[Told], moved: Sequence[Resumed | Left]) -> dict[str, Any]:
    return {
        "at": now.isoformat(),
        "exit_code": code,
        "escalated": [
            {
                "run": each.run,
                "step": each.reached.request.key.step,
                "rung": each.reached.rung.number,
                "roles": list(each.reached.roles),
                "reached": each.arrived,
                "failures": list(each.failures),
            }
            for each in told
        ],
        "resumed": [
            {"run": each.run, "status": str(each.status), "exit_code": each.exit_code}
            for each in moved
            if isinstance(each, Resumed)
        ],
        "left": [{"run": each.run, "why": each.why} for each in moved if isinstance(each, Left)],
    }
