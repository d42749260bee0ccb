"""What is said on the terminal: progress while a run goes on, and how it ended."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from tabulate import tabulate

from runner.contract import Reason, Status
from runner.document import Record
from runner.events import Event, Kind
from runner.plan import Plan

COLOURS = {
    "failed": "red",
    "timed_out": "red",
    "interrupted": "red",
    "unreachable": "red",
    "waiting": "yellow",
    "changed": "yellow",
    "ok": "green",
    "skipped": "cyan",
}
CHECKED = (Reason.CONDITION, Reason.PREVIEWED)


class Screen:
    """Listens to a run. Prints nothing but the result where JSON was asked for."""

    def __init__(self, plan: Plan, *, silent: bool, verbose: int) -> None:
        self._plan = plan
        self._silent = silent
        self._verbose = verbose

    @classmethod
    def for_run(cls, plan: Plan, *, form: str, verbose: int) -> Screen:
        """The screen that fits the request."""
        return cls(plan, silent=form == "json", verbose=verbose)

    def listen(self, events: Sequence[Event]) -> None:
        """Say what happened. A screen that cannot write never ends a run."""
        if self._silent:
            return
        try:
            for event in events:
                self._say(event)
        except OSError:
            self._silent = True

    def _say(self, event: Event) -> None:
        if event.kind is Kind.TASK_FINISHED and (
            self._verbose or event.data["status"] not in ("ok", "changed", "skipped")
        ):
            self._say_task(event)
        elif event.kind is Kind.STEP_FINISHED:
            self._say_step(event)
        elif event.kind is Kind.REQUESTED:
            click.echo(f"waits for {event.data['role']}: {printable(event.data['question'])}", err=True)
        elif event.kind is Kind.MOVED:
            click.echo(f"goes to '{event.data['to']}': {printable(event.data['why'])}", err=True)

    def _say_task(self, event: Event) -> None:
        where = f" {event.target}" if event.target else ""
        message = printable(event.data["message"])
        click.echo(
            f"  {event.step}.{event.task}{where}: {_coloured(event.data['status'])} {message}".rstrip(), err=True
        )
        if self._verbose > 1:
            for name, value in event.data["outputs"].items():
                click.echo(f"    {name}: {printable(json.dumps(value, ensure_ascii=False))}", err=True)

    def _say_step(self, event: Event) -> None:
        where = f" {event.target}" if event.target else ""
        message = f" ({printable(event.data['message'])})" if event.data["message"] else ""
        click.echo(f"{event.step}{where}: {_coloured(event.data['status'])}{message}", err=True)

    def show_record(self, record: Record, records: Path) -> None:
        """Show how a run ended: its steps, problems, and what waits."""
        click.echo(render_steps(record))
        for problem in record.problems:
            where = f" ({problem.target})" if problem.target else ""
            click.echo(f"problem: {problem.severity} {problem.key}{where}: {printable(problem.message)}")
        for request in record.requests:
            click.echo(f"waits for {request.request.role}: {printable(request.request.question)}")
            click.echo(f"  sop sign {record.run} {request.key.step} --answer {'|'.join(request.request.answers)}")
        click.echo(f"run {record.run}: {_coloured(record.status)}, exit code {record.exit_code}, record in {records}")

    def show_rehearsal(self, record: Record, *, diff: bool) -> None:
        """Show what a dry run found, with the share of tasks that could be checked."""
        rows = []
        for step in record.steps:
            for target in step.targets:
                for task in target.tasks:
                    found = str(task.outcome.reason or task.outcome.status)
                    message = printable(task.outcome.message if diff else task.outcome.message.split("\n")[0])
                    rows.append([step.id, target.target or "", task.id, found, message[:200]])
        click.echo(tabulate(rows, headers=["step", "target", "task", "found", "what"], maxcolwidths=[None] * 4 + [60]))
        checked, total = coverage(record)
        click.echo(f"checked {checked} of {total} tasks; nothing was changed")


def coverage(record: Record) -> tuple[int, int]:
    """Given a dry run's record, return how many tasks were checked, and how many there are."""
    outcomes = [task.outcome for step in record.steps for target in step.targets for task in target.tasks]
    checked = [o for o in outcomes if o.status is not Status.SKIPPED or o.reason in CHECKED]
    return len(checked), len(outcomes)


def render_steps(record: Record) -> str:
    """Given a record, return its steps as a table: one row a step, with how many targets ended in which way."""
    rows = []
    for step in record.steps:
        counts: dict[str, int] = {}
        for target in step.targets:
            counts[str(target.status)] = counts.get(str(target.status), 0) + 1
        several = len(step.targets) > 1
        found = ", ".join(f"{n} {status}" if several else status for status, n in counts.items())
        deviations = sum(len(target.deviations) for target in step.targets)
        rows.append([step.id, printable(step.activity), step.time_limit or "-", found or "skipped", deviations or ""])
    headers = ["step", "activity", "limit", "status", "deviations"]
    return tabulate(rows, headers=headers, maxcolwidths=[None, 36, 14, None, None])


def print_json(document: Any) -> None:
    """Print one JSON document."""
    json.dump(document, sys.stdout, ensure_ascii=False, indent=2)
    sys.stdout.write("\n")


def printable(text: str) -> str:
    """Given text from anywhere, return it without anything that a terminal would obey."""
    return "".join(c if c.isprintable() or c == "\n" else f"\\x{ord(c):02x}" for c in str(text))


def _coloured(status: str) -> str:
    return click.style(str(status), fg=COLOURS.get(str(status)))
