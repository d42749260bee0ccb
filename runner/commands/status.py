"""`sop status`: what goes on, and what waits for whom."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from runner.commands.options import format_option, records_option
from runner.contract import Status
from runner.record.document import OpenRequest, Record
from runner.record.journal import Journal, open_journal
from runner.record.unfinished import beginning_of, unfinished
from runner.screen import print_json, show_paged, width
from runner.screen.summary import advise, command_line
from runner.screen.tables import coloured, one_line, printable, render_table, wrap

RUNNING = "running"
NOTE = "  --note '…' adds a remark, the reason, or what was done"
HEADERS = ("run", "playbook", "status", "step", "waits for", "since")


@click.command("status")
@records_option()
@format_option()
def command(records: Path, form: str) -> int:
    """Show runs that go on, wait or were cut off, for whom they wait, and what to type."""
    journal = open_journal(records)
    found = list(_unfinished(journal)) if journal else []
    if form == "json":
        print_json({"waiting": [row for status, record in found for row in _rows(status, record)]})
    elif not journal or not found:
        show_paged("nothing goes on and nothing waits")
    else:
        told = (_advice(status, record, beginning_of(journal, record).run, records) for status, record in found)
        show_paged("\n\n".join([_table(found), *filter(None, told)]).rstrip())
    return 0


def _unfinished(journal: Journal) -> Iterator[tuple[str, Record]]:
    """The runs that go on or can be resumed; one that failed elsewhere may wait for a person all the same."""
    for record in unfinished(journal):
        yield journal.status_of(record.run), record


def _rows(status: str, record: Record) -> Iterator[dict[str, str]]:
    waiting: tuple[OpenRequest | None, ...] = () if status == RUNNING else record.requests
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
    return render_table(HEADERS, told, width(), whole=1)


def _advice(status: str, record: Record, whole: str, records: Path) -> str:
    """What to type about a run; `whole` is the run that it is part of, which is the one to go on with."""
    if status == RUNNING:
        return f"{record.run} goes on: {command_line(['show', record.run], records)}"
    lines = []
    for asked in record.requests:
        lines += wrap(f"{asked.key.step}: {one_line(asked.request.question)}", width())
        lines += [*advise(record, asked, records), NOTE]
    if not lines and record.status is Status.WAITING:
        return ""  # what it includes waits, and is told of itself
    then = "then" if lines else f"{record.run} can go on"
    return "\n".join([*lines, f"{then}: {command_line(['resume', whole], records)}"])
