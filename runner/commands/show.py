"""`sop show`: what a run did, with what output."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import click

from runner.commands.options import format_option, records_option
from runner.document import Record, StepRecord, TaskRecord
from runner.journal import Journal
from runner.record import build_record
from runner.screen import print_json, printable, render_steps

LONGEST_VALUE = 400


@click.command("show")
@click.argument("run")
@click.argument("step", default="")
@records_option()
@format_option()
def command(run: str, step: str, records: Path, form: str) -> int:
    """Show what RUN did; of one STEP if given. RUN is an id, its beginning, or "last"."""
    journal = Journal.open(records, create=False)
    record = build_record(journal.events(journal.find_run(run)))
    if form == "json":
        print_json(record.document())
    else:
        click.echo("\n".join(_lines(record, step)))
    return 0


def _lines(record: Record, step: str) -> Iterator[str]:
    yield f"run {record.run} of {record.playbook}: {record.status}, exit code {record.exit_code}"
    yield f"begun {record.began.astimezone():%Y-%m-%d %H:%M:%S} by {printable(str(record.started.get('by', '')))}"
    yield ""
    if not step:
        yield render_steps(record)
        yield ""
    for one in (*record.attempts, *record.steps):
        if step in ("", one.id) and one.targets:
            yield from _step(one)
    for answer in record.answers:
        note = f" ({printable(answer.note)})" if answer.note else ""
        who, label = printable(answer.person), printable(answer.label)
        yield f"answer: {answer.key.step}: {who}: {label}{note} by {answer.method}"


def _step(step: StepRecord) -> Iterator[str]:
    for target in step.targets:
        attempt = f", attempt {step.attempt}" if step.attempt > 1 else ""
        yield f"{step.id}{' on ' + target.target if target.target else ''}: {target.status}{attempt}"
        for task in target.tasks:
            yield from _task(task)
        for deviation in target.deviations:
            yield f"  deviation: {printable(deviation)}"


def _task(task: TaskRecord) -> Iterator[str]:
    outcome, tries = task.outcome, f", try {task.latest.number}" if task.latest.number > 1 else ""
    item = f" [{printable(str(task.item))}]" if task.item is not None else ""
    reason = f" ({outcome.reason})" if outcome.reason else ""
    yield f"  {task.id}{item} ({task.action}): {outcome.status}{reason}{tries} {printable(outcome.message)}".rstrip()
    for name, value in outcome.outputs.items():
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        shown = printable(text.rstrip("\n"))
        yield f"    {name}: {shown if len(shown) <= LONGEST_VALUE else shown[:LONGEST_VALUE] + '…'}"
    for evidence in outcome.evidence:
        yield f"    evidence: {printable(evidence.name)} {evidence.size} bytes sha256 {evidence.sha256}"
