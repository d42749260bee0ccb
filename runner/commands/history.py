"""`sop history`: runs, newest first."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from runner.commands.options import format_option, records_option
from runner.durations import render_duration
from runner.languages import label, labels, language, translate
from runner.record.journal import open_journal
from runner.record.reader import RunSummary
from runner.screen import print_json, show_paged, width
from runner.screen.tables import coloured, printable, render_table


@click.command("history")
@click.argument("playbook", default="")
@click.option("-n", "--number", type=click.IntRange(1, 100_000), default=20, help="How many runs (20).")
@records_option()
@format_option()
def command(playbook: str, number: int, records: Path, form: str) -> int:
    """Show runs, newest first; of one PLAYBOOK (its name or file) if given."""
    journal = open_journal(records)
    runs = journal.runs(number, Path(playbook).stem if playbook else None) if journal else ()
    if form == "json":
        print_json({"runs": [_document(run) for run in runs]})
    elif not runs:
        show_paged(translate(f"no run yet in {printable(str(records))}"))
    else:
        zone = runs[0].started.astimezone().tzname()
        headers = [*labels("run", "playbook", "status", "exit"), f"{label('started')} ({zone})", label("took")]
        show_paged(render_table(headers, map(_row, runs), width(), whole=1))
    return 0


def _document(run: RunSummary) -> dict[str, str | None]:
    return {
        "run": run.run,
        "playbook": run.playbook,
        "status": run.status,
        "started": _iso(run.started),
        "ended": _iso(run.ended) if run.ended else None,
    }


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")


def _row(run: RunSummary) -> list[str]:
    return [
        run.run,
        printable(run.playbook),
        coloured(run.status),
        "" if run.exit_code is None else str(run.exit_code),
        f"{run.started.astimezone():%Y-%m-%d %H:%M}",
        render_duration((run.ended - run.started).total_seconds(), language()) if run.ended else "",
    ]
