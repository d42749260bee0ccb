"""`sop problems`: what is open."""

from __future__ import annotations

from pathlib import Path

import click
from tabulate import tabulate

from runner.commands.execute import open_journal
from runner.commands.options import format_option, records_option
from runner.problems import open_problems
from runner.screen import print_json, printable


@click.command("problems")
@records_option()
@format_option()
def command(records: Path, form: str) -> int:
    """Show the problems that are open, the worst first."""
    journal = open_journal(records)
    rows = [
        {
            "severity": str(problem.severity),
            "key": problem.key,
            "target": problem.target,
            "since": f"{problem.first_seen.astimezone():%Y-%m-%d %H:%M}",
            "message": printable(problem.message),
        }
        for problem in (open_problems(journal) if journal else ())
    ]
    if form == "json":
        print_json({"problems": rows})
    elif not rows:
        click.echo("no problem is open")
    else:
        click.echo(tabulate(rows, headers="keys", maxcolwidths=[None, None, None, None, 40]))
    return 0
