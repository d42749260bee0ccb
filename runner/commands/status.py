"""`sop status`: what goes on, and what waits for whom."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from runner.commands.execute import open_journal
from runner.commands.options import format_option, records_option
from runner.contract import Status
from runner.document import OpenRequest, Record
from runner.record import build_record
from runner.screen import print_json, show_paged, width
from runner.summary import answer_commands, command_line
from runner.tables import coloured, one_line, printable, render_table, wrap

LATEST = 50
HEADERS = ("run", "playbook", "status", "step", "waits for", "since")


@click.command("status")
@records_option()
@format_option()
def command(records: Path, form: str) -> int:
    """Show runs that go on, wait or were cut off, for whom they wait, and what to type."""
    journal = open_journal(records)
    runs = [] if journal is None else [run for run in journal.runs(LATEST) if run.status in _UNFINISHED]
    found = [(run.status, build_record(journal.events(run.run))) for run in runs if journal]
    if form == "json":
        print_json({"waiting": [row for status, record in found for row in _rows(status, record)]})
    elif not found:
        show_paged("nothing goes on and nothing waits")
    else:
        show_paged(
            "\n\n".join([_table(found), *(_advice(status, record, records) for status, record in found)]).rstrip()
        )
    return 0


_UNFINISHED = ("running", str(Status.WAITING), str(Status.INTERRUPTED))


def _rows(status: str, record: Record) -> Iterator[dict[str, str]]:
    waiting: tuple[OpenRequest | None, ...] = record.requests if status == Status.WAITING else ()
    for request in waiting or (None,):
        asked = request.request if request else None
        yield {
            "run": record.run,
            "playbook": printable(record.playbook),
            "status": status,
            "step": request.key.step if request else "",
            "waits for": printable(asked.role) if asked else "",
            "question": printable(asked.question) if asked else "",
            "since": f"{(request.since if request else record.began).astimezone():%Y-%m-%d %H:%M}",
        }


def _table(found: list[tuple[str, Record]]) -> str:
    rows = [row for status, record in found for row in _rows(status, record)]
    told = [[coloured(row[name]) if name == "status" else row[name] for name in HEADERS] for row in rows]
    return render_table(HEADERS, told, width())


def _advice(status: str, record: Record, records: Path) -> str:
    """What to type about a run."""
    if status == "running":
        return f"{record.run} goes on: {command_line(['show', record.run], records)}"
    lines = []
    for asked in record.requests if status == Status.WAITING else ():
        lines += wrap(f"{asked.key.step}: {one_line(asked.request.question)}", width())
        lines += [f"  {each}" for each in answer_commands(record, asked, records)]
    then = "then" if lines else f"{record.run} can go on"
    return "\n".join([*lines, f"{then}: {command_line(['resume', record.run], records)}"])
