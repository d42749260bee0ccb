"""What a dry run found, in words: executed, previewed, not checked, blocked, skipped; and how much was checked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import click

from runner.contract import FINISHED_WELL, Outcome, Reason, Status
from runner.languages import label, labels, translate
from runner.record.document import Record, StepRecord, TargetRecord, TaskRecord
from runner.screen.summary import MEANINGS, group_names, render_problems
from runner.screen.tables import coloured, cut, name_some, named, one_line, printable, render_table, tell

FOUND = {
    Reason.PREVIEWED: "previewed",
    Reason.NOT_CHECKED: "not checked",
    Reason.BLOCKED: "blocked",
    Reason.CONDITION: "skipped (condition)",
    Reason.NOT_SELECTED: "skipped (not selected)",
}
CHECKED = (Reason.CONDITION, Reason.PREVIEWED)
UNKNOWN = (Status.UNREACHABLE, Status.TIMED_OUT, Status.INTERRUPTED)
MOST_TARGETS = 3
LONGEST_MESSAGE = 240


def render_rehearsal(record: Record, width: int, *, diff: bool) -> str:
    """Given a dry run's record, return what was found, at most `width` columns wide; equal rows are one row."""
    rows = [(each[:-1], each[-1]) for each in _rows(record)]
    order = list(dict.fromkeys(what[:2] for what, _ in rows))
    groups = sorted(group_names(rows).items(), key=lambda group: order.index(group[0][:2]))
    table = [[step, task, found, name_some(names, MOST_TARGETS)] for (step, task, found, _), names in groups]
    notes = [message for (_, _, _, message), _ in groups]
    parts = [render_table(labels("step", "task", "found", "targets"), table, width, notes)]
    parts += _diffs(record) if diff else []
    parts += ["\n".join(render_problems(record, width))] if record.problems else []
    return "\n\n".join([*parts, "\n".join(tell(_closing(record), width))])


def _closing(record: Record) -> str:
    code = record.exit_code
    return render_coverage(record) + (f"\nexit code {code} ({MEANINGS.get(code, '')})" if code else "")


def render_coverage(record: Record) -> str:
    """Given a dry run's record, return in words how much of it could be checked."""
    checked, total = coverage(record)
    counts = Counter(outcome.reason for outcome in _outcomes(record))
    left = [f"{counts[r]} {label(FOUND[r])}" for r in (Reason.NOT_CHECKED, Reason.BLOCKED) if counts[r]]
    lost = sum(outcome.status in UNKNOWN for outcome in _outcomes(record))
    left += [translate(f"{lost} unreachable or out of time")] if lost else []
    share = f" ({checked * 100 // total} %)" if total else ""
    rest = f"; {', '.join(left)}" if left else ""
    return f"checked {checked} of {total} tasks{share}{rest}. nothing was changed"


def coverage(record: Record) -> tuple[int, int]:
    """Given a dry run's record, return how many tasks were checked, and how many there are."""
    outcomes = list(_outcomes(record))
    return sum(map(_is_checked, outcomes)), len(outcomes)


def _is_checked(outcome: Outcome) -> bool:
    """A target that could not be asked was not checked: unknown is not OK."""
    return outcome.reason in CHECKED if outcome.status is Status.SKIPPED else outcome.status not in UNKNOWN


def _outcomes(record: Record) -> Iterator[Outcome]:
    return (task.outcome for step in record.steps for _, task in step.tasks)


def _rows(record: Record) -> Iterator[tuple[str, ...]]:
    """Step, task, what was found, the message and the target."""
    for step in record.steps:
        for target in sorted(step.targets, key=lambda each: each.target or ""):
            name = printable(target.target or "")
            for task in target.tasks:
                message = cut(translate(one_line(task.outcome.message.split("\n")[0])), LONGEST_MESSAGE)
                yield step.id, _task(task), _found(task.outcome), message, name
            if not target.tasks:
                yield step.id, "", _step_found(target), cut(one_line(target.message), LONGEST_MESSAGE), name


def _task(task: TaskRecord) -> str:
    return task.id if task.item is None else f"{task.id} [{cut(one_line(task.item), 20)}]"


def _found(outcome: Outcome) -> str:
    if outcome.reason:
        return label(FOUND[outcome.reason])
    return label("executed") if outcome.status in FINISHED_WELL else f"{label('executed')}: {coloured(outcome.status)}"


def _step_found(target: TargetRecord) -> str:
    return label(FOUND[target.reason]) if target.reason else named(target.status)


def _diffs(record: Record) -> Iterator[str]:
    """The previews' differences, each under what it belongs to."""
    found = [
        ((f"{step.id}.{_task(task)}", _diff(task)), printable(target.target or ""))
        for step, target, task in _tasks(record)
        if _diff(task)
    ]
    for (where, diff), names in group_names(found).items():
        who = name_some([name for name in names if name], MOST_TARGETS)
        yield f"{where}{' on ' + who if who else ''}:\n{_colour_diff(diff)}"


def _tasks(record: Record) -> Iterator[tuple[StepRecord, TargetRecord, TaskRecord]]:
    for step in record.steps:
        for target in sorted(step.targets, key=lambda each: each.target or ""):
            yield from ((step, target, task) for task in target.tasks)


def _diff(task: TaskRecord) -> str:
    if task.outcome.reason is not Reason.PREVIEWED:
        return ""
    return printable(task.outcome.message.partition("\n")[2]).rstrip()


def _colour_diff(diff: str) -> str:
    colours = {"+": "green", "-": "red", "@": "cyan"}
    return "\n".join(
        click.style(line, fg=colours[line[0]]) if line[:1] in colours else line for line in diff.split("\n")
    )
