"""`sop resume`: go on with a run that waits for a person or was cut off."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from runner.binding import Bound, changed_calendar, rebind
from runner.commands.execute import Options, carry_out, earlier_values
from runner.commands.options import executor_option, format_option, inventory_option, records_option
from runner.commands.preparing import explicit_steps
from runner.commands.run import finish
from runner.errors import refuse
from runner.messages import render_minute
from runner.plan import Selection
from runner.record import build_record
from runner.record.document import Record
from runner.record.evidence import EvidenceStore
from runner.record.journal import Journal
from runner.record.unfinished import may_go_on
from runner.screen import show
from runner.screen.watching import Screen
from runner.secrets import was_masked


@click.command("resume")
@click.argument("run")
@inventory_option()
@click.option("-f", "--forks", type=click.IntRange(1, 500), default=20, help="Targets at a time (20).")
@click.option("--reason", default="", help="Why, for the record.")
@executor_option()
@records_option()
@format_option()
@click.option("-v", "--verbose", count=True, help="Say more.")
def command(run: str, inventories: tuple[Path, ...], records: Path, form: str, verbose: int, **asked: Any) -> int:
    """Go on with RUN where it stopped: nothing that finished is done again."""
    journal = Journal.open(records, create=False)
    name = journal.find_run(run)
    record = build_record(journal.events(name))
    check_may_go_on(record)
    bound = bound_as_begun(journal, record, inventories)
    if changed := changed_calendar(record.started, bound.plan.inventory):
        message = "the office's calendar has changed since the run began; it goes on by the one that it began with"
        show(f"{', '.join(changed)}: {message}", err=True)
    explicit = explicit_steps(record.started["options"], bound.plan)
    options = Options(
        records, asked["forks"], {}, explicit, resume=name, reason=asked["reason"], executor=asked["executor"]
    )
    with Screen.for_run(bound.plan, form=form, verbose=verbose, earlier=journal.events(name)) as screen:
        ended = carry_out(
            bound, options, screen.listen, stopping=screen.say_stopping, tell=screen.tell, whole=form == "json"
        )
    return finish(ended, screen, form=form, records=records)


def check_may_go_on(record: Record) -> None:
    """Raise Refused, with why, where a run is at its end."""
    anew = "begin a new one, with --from where it should start"
    if gone := record.cancelled:
        told = f"it was cancelled by {gone.person} on {render_minute(gone.at)}: {gone.reason}"
        raise refuse(record.run, told, anew)
    if not may_go_on(record):
        raise refuse(record.run, f"this run has ended: {record.status}", anew)


def bound_as_begun(
    journal: Journal, record: Record, inventories: tuple[Path, ...] = (), *, looking: bool = False
) -> Bound:
    """Given a run's record, return its plan, from the exact bytes and variables it began with; with `looking`, one to
    read, for which no code of the working folder is loaded."""
    if record.started.get("parent"):
        raise refuse(record.run, "it belongs to another run", f"resume that one: sop resume {record.started['parent']}")
    said = record.started["options"]
    if was_masked(said["variables"]):
        raise refuse(record.run, "a variable given with -e was a secret, which the record does not keep", "run anew")
    find = earlier_values(journal, record.playbook, record.run)
    return rebind(
        record.started,
        EvidenceStore(journal.records),
        Selection(said["limit"], tuple(said["only"]), said["from"], said["variables"]),
        now=record.began,  # who held a role then: who may answer today is asked when somebody does
        inventories=inventories,
        earlier=lambda step, target: find(step, target) is not None,
        looking=looking,
    )
