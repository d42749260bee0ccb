"""`sop status`: what goes on, and what waits for whom."""

from __future__ import annotations

from pathlib import Path

import click
from tabulate import tabulate

from runner.commands.execute import open_journal
from runner.commands.options import format_option, records_option
from runner.contract import Status
from runner.document import OpenRequest
from runner.record import build_record
from runner.screen import print_json, printable

LATEST = 50


@click.command("status")
@records_option()
@format_option()
def command(records: Path, form: str) -> int:
    """Show runs that go on, wait or were cut off, and for whom they wait."""
    journal = open_journal(records)
    runs = [] if journal is None else [run for run in journal.runs(LATEST) if run.status in _UNFINISHED]
    rows = []
    for run in runs:
        record = build_record(journal.events(run.run)) if journal else None
        waiting = list(record.requests) if record and run.status == Status.WAITING else []
        rows += [_row(run.run, run.status, request) for request in waiting] or [_row(run.run, run.status, None)]
    if form == "json":
        print_json({"waiting": rows})
    elif not rows:
        click.echo("nothing goes on and nothing waits")
    else:
        click.echo(tabulate(rows, headers="keys", maxcolwidths=[None, None, None, None, 40, None]))
    return 0


_UNFINISHED = ("running", str(Status.WAITING), str(Status.INTERRUPTED))


def _row(run: str, status: str, request: OpenRequest | None) -> dict[str, str]:
    asked = request.request if request else None
    return {
        "run": run,
        "status": status,
        "step": request.key.step if request else "",
        "waits for": asked.role if asked else "",
        "question": printable(asked.question) if asked else "",
        "since": f"{request.since.astimezone():%Y-%m-%d %H:%M}" if request else "",
    }
