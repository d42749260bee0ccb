"""`sop history`: runs, newest first."""

from __future__ import annotations

from pathlib import Path

import click
from tabulate import tabulate

from runner.commands.execute import open_journal
from runner.commands.options import format_option, records_option
from runner.screen import print_json, printable


@click.command("history")
@click.argument("playbook", default="")
@click.option("-n", "--number", type=click.IntRange(1, 100_000), default=20, help="How many runs (20).")
@records_option()
@format_option()
def command(playbook: str, number: int, records: Path, form: str) -> int:
    """Show runs, newest first; of one PLAYBOOK (its name or file) if given."""
    journal = open_journal(records)
    runs = journal.runs(number, Path(playbook).stem if playbook else None) if journal else ()
    rows = [
        {
            "run": run.run,
            "playbook": run.playbook,
            "status": run.status,
            "started": run.started.isoformat(timespec="seconds"),
            "ended": run.ended.isoformat(timespec="seconds") if run.ended else None,
        }
        for run in runs
    ]
    if form == "json":
        print_json({"runs": rows})
    elif not rows:
        click.echo(f"no run yet in {printable(str(records))}")
    else:
        click.echo(tabulate(rows, headers="keys"))
    return 0
