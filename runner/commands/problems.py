"""`sop problems`: what is open."""

from __future__ import annotations

from pathlib import Path

import click

from runner.commands.options import format_option, records_option
from runner.record.journal import open_journal
from runner.record.problems import KnownProblem, open_problems
from runner.screen import print_json, show_paged, width
from runner.screen.tables import coloured, one_line, printable, render_table


@click.command("problems")
@records_option()
@format_option()
def command(records: Path, form: str) -> int:
    """Show the problems that are open, the worst first."""
    journal = open_journal(records)
    problems = open_problems(journal) if journal else ()
    if form == "json":
        print_json({"problems": [_document(problem) for problem in problems]})
    elif not problems:
        show_paged("no problem is open")
    else:
        headers = ["severity", "target", "since", "key"]
        notes = [one_line(problem.message) for problem in problems]
        show_paged(render_table(headers, map(_row, problems), width(), notes))
    return 0


def _document(problem: KnownProblem) -> dict[str, str | None]:
    return {
        "severity": str(problem.severity),
        "key": problem.key,
        "target": problem.target,
        "since": f"{problem.first_seen.astimezone():%Y-%m-%d %H:%M}",
        "message": printable(problem.message),
    }


def _row(problem: KnownProblem) -> list[str]:
    return [
        coloured(problem.severity),
        printable(problem.target or ""),
        f"{problem.first_seen.astimezone():%Y-%m-%d %H:%M}",
        printable(problem.key),
    ]
