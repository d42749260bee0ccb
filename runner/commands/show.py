"""`sop show`: what a run did, with what output."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import click

from runner.commands.options import format_option, records_option
from runner.commands.saving import save_evidence
from runner.durations import render_duration
from runner.errors import did_you_mean, refuse
from runner.languages import label, language, translate
from runner.messages import render_counted, render_minute, render_moment, render_size
from runner.record import build_record
from runner.record.deletions import load_deletions
from runner.record.document import Answer, Escalation, Hand, Record, StepRecord, TargetRecord, TaskRecord
from runner.record.journal import Journal
from runner.screen import print_json, show, show_paged, width
from runner.screen.summary import render_steps, render_summary
from runner.screen.tables import coloured, deviating, named, one_line, printable, tell, wrap

LONGEST_VALUE = 100_000
LONGEST_OF_ALL = 400


@click.command("show")
@click.argument("run")
@click.argument("step", default="")
@click.option(
    "--save",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Copy the kept files (reports, evidence) into this folder, under their names.",
)
@records_option()
@format_option()
def command(run: str, step: str, folder: Path | None, records: Path, form: str) -> int:
    """Show what RUN did; of one STEP if given. RUN is an id, its beginning, or "last"."""
    journal = Journal.open(records, create=False)
    record = build_record(journal.events(journal.find_run(run)))
    known = [each.id for each in record.steps]
    if step and step not in known:
        raise refuse("STEP", f"run {record.run} has no step '{step}'", did_you_mean(step, known))
    if folder is not None:
        with journal.reading() as connection:
            written = save_evidence(record, step, records, folder, load_deletions(connection))
        show("\n".join(map(str, written)) if written else "no files were kept there")
    elif form == "json":
        print_json(record.document())
    else:
        show_paged("\n".join(_lines(record, step, records)))
    return 0


def _lines(record: Record, step: str, records: Path) -> Iterator[str]:
    yield from tell(f"run {record.run}: {printable(record.title or record.playbook)}", width())
    yield translate(_course(record))
    if gone := record.cancelled:
        told = f"cancelled by {gone.person} (login {gone.login}), {render_minute(gone.at)}: {gone.reason}"
        yield from tell(one_line(told), width())
    yield ""
    for one in sorted((*record.attempts, *record.steps), key=_begun):
        if step in ("", one.id) and one.targets:
            yield from _step(one, f"sop show {record.run} {one.id}" if not step else "")
    for answer in record.answers:
        if step in ("", answer.key.step):
            yield from tell(_answer(answer), width(), indent="  ")
    for hand in record.hands:
        if step in ("", hand.key.step):
            yield from tell(_hand(hand), width(), indent="  ")
    for each in record.escalations:
        if step in ("", each.key.step):
            yield from tell(_escalation(each), width(), indent="  ")
    yield ""
    yield render_steps(record, width()) if step else render_summary(record, records, width())


def _course(record: Record) -> str:
    began = f"begun {record.began.astimezone():%Y-%m-%d %H:%M:%S %Z} by {one_line(record.started.get('by', '?'))}"
    if record.ended is None:
        return f"{began}, not ended"
    return f"{began}, took {render_duration((record.ended - record.began).total_seconds(), language())}"


def _begun(step: StepRecord) -> float:
    return min((target.started.timestamp() for target in step.targets if target.started), default=float("inf"))


def _step(step: StepRecord, more: str) -> Iterator[str]:
    """The lines of a step; `more` is the command that shows all of it, "" where this is it."""
    for target in step.targets:
        attempt = f", attempt {step.attempt}" if step.attempt > 1 else ""
        where = f" on {printable(target.target)}" if target.target else ""
        why = f" ({one_line(target.message)})" if target.message else ""
        yield translate(f"{step.id}{where}: {coloured(target.status)}{attempt}{why}")
        for sentence in _time_limit(step, target):
            yield from tell(f"  {sentence}", width(), indent="    ")
        for task in target.tasks:
            yield from _task(task, more)
        for deviation in target.deviations:
            yield from tell(f"  deviation: {deviating(one_line(deviation))}", width(), indent="    ")


def _time_limit(step: StepRecord, target: TargetRecord) -> Iterator[str]:
    """Until when it was to be done, and how that was counted; nothing where the SOP says nothing."""
    if step.time_limit and target.counted:
        due = f", due {render_moment(target.due, language())}" if target.due else ""
        told = " ".join(render_counted(each, language()) for each in target.counted)
        yield f"limit {one_line(step.time_limit)}{due}. {told}"


def _task(task: TaskRecord, more: str) -> Iterator[str]:
    outcome, tries = task.outcome, f", try {task.latest.number}" if task.latest.number > 1 else ""
    item = f" [{one_line(task.item)}]" if task.item is not None else ""
    reason = f" ({named(outcome.reason)})" if outcome.reason else ""
    line = f"  {task.id}{item} ({task.action}): {coloured(outcome.status)}{reason}{translate(tries)}"
    yield from wrap(line, width(), indent="    ")
    if outcome.message:
        yield from tell(f"    {printable(outcome.message)}", width(), indent="    ")
    for name, value in outcome.outputs.items():
        if not more or value not in (None, "", [], {}):
            yield from _output(printable(name), value, more)
    for evidence in outcome.evidence:
        yield translate(f"    evidence: {printable(evidence.name)} ({render_size(evidence.size, language())})")
        yield f"      sha256 {evidence.sha256}"


def _output(name: str, value: object, more: str) -> Iterator[str]:
    """An output: on its name's line, or under it where it has several; not wrapped, so that it can be copied."""
    text = printable(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)).rstrip("\n")
    longest = LONGEST_OF_ALL if more else LONGEST_VALUE
    whole = f"all of it: {more or '--format json'}"
    left_out = translate(f"(the first of {len(text)} characters. {whole})")
    shown = text if len(text) <= longest else f"{text[:longest]}…\n{left_out}"
    if "\n" not in shown:
        yield f"    {name}: {shown}"
        return
    yield f"    {name}:"
    yield from (f"      {line}" for line in shown.split("\n"))


def _answer(answer: Answer) -> str:
    note = f" ({one_line(answer.note)})" if answer.note else ""
    acting = f"{answer.acting}. " if answer.acting else ""
    to = f" to {answer.to}" if answer.to else ""
    who, label = one_line(answer.person), one_line(answer.label)
    how = f"{acting}{who}, {render_minute(answer.at)}, by {one_line(answer.method)}"
    return f"answer to {answer.key.step}: {label}{to}{note}, {how}"


def _hand(hand: Hand) -> str:
    until = render_minute(hand.until) if hand.until else label("now")
    remark = f"; {one_line(hand.remark)}" if hand.remark else ""
    told = f"{one_line(hand.note)}, handed over by {one_line(hand.person)}{remark}"
    return f"{hand.key.step} with {one_line(hand.party)} from {render_minute(hand.since)} until {until}: {told}"


def _escalation(each: Escalation) -> str:
    who = ", ".join(map(one_line, each.persons)) or label("nobody")
    told = "told" if each.reached else "could not be told"
    return f"{each.key.step} escalated to {one_line(each.role)}: {who} {told}, {render_minute(each.at)}"
