"""How a run ended, in words: its steps, what went wrong where, what waits for whom, and what to do next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path
from shlex import join

from runner.contract import FINISHED_WELL, WORST_FIRST, Severity, Status
from runner.durations import render_duration
from runner.languages import label, labels, language, translate
from runner.messages import Language, render_short, say
from runner.posts import say_roles
from runner.record.document import OpenRequest, Record, StepRecord, TargetRecord
from runner.screen.tables import (
    coloured,
    deviating,
    name_some,
    named,
    one_line,
    printable,
    render_table,
    tell,
    width_of,
)

MEANINGS = {
    0: "done, nothing wrong",
    2: "a task failed or ran out of time",
    3: "it waits for a person",
    4: "a target was unreachable, nothing failed",
    10: "all ran, and problems were found",  # while it waits: WAITS_TOO
    130: "stopped by Ctrl-C or a signal",
}
WAITS_TOO = "problems were found, and it waits for a person"
RECORDS = Path("records")
SIGNED, RETURNED = "signed", "returned"
SAVED = "bukti"  # where files of the record are put for people, if they name no folder
MOST_TARGETS = 20
MOST_LIMITED = 5
LONGEST_MESSAGE = 600
BAD = frozenset(WORST_FIRST[:4])

_Fault = tuple[Status, str, str, str]  # status, where, message, target


def render_summary(record: Record, records: Path, width: int) -> str:
    """Given a record and the folder it lies in, return the whole summary, at most `width` columns wide."""
    parts = [render_steps(record, width)]
    parts += ["\n".join(part) for part in (_remarks(record, width), _bad(record, width)) if part]
    parts += ["\n".join(part) for part in (render_problems(record, width), _waits(record, records, width)) if part]
    return "\n\n".join([*parts, "\n".join(tell(render_closing(record, records), width))])


def render_closing(record: Record, records: Path) -> str:
    """Given a record, return its last lines: status, exit code and meaning, where the record lies, what to do next."""
    waits_too = record.exit_code == 10 and record.status is Status.WAITING
    meaning = WAITS_TOO if waits_too else MEANINGS.get(record.exit_code, "")
    meaning = "cancelled; it never goes on" if record.cancelled else meaning
    following = _next(record, records)
    ended = f"run {record.run}: {coloured(record.status)}, exit code {record.exit_code} ({meaning})"
    record_in = f"record in {printable(records)}"
    return f"{ended}\n{record_in}. next: {following}" if following else f"{ended}\n{record_in}"


def render_steps(record: Record, width: int) -> str:
    """Given a record, return its steps as a table: one row a step, with how many targets ended in which way."""
    headers = labels("step", "status", "targets", "limit", "used", "deviations")
    unselected = {each["id"] for each in record.started.get("steps") or () if not each.get("selected", True)}
    rows = [
        _unbegun(step, unselected=step.id in unselected) if not step.targets else _row(step) for step in record.steps
    ]
    return render_table(headers, rows, width)


def command_line(words: Iterable[str], records: Path) -> str:
    """Given the words after `sop`, return the command to type."""
    where = [] if records == RECORDS else ["--records", str(records)]
    return printable(join(["sop", *words, *where]))


def group_names(rows: Iterable[tuple[tuple[str, ...], str]]) -> dict[tuple[str, ...], list[str]]:
    """Given (what, name) pairs, return the names to which the same applies, in order."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for what, name in rows:
        groups.setdefault(what, []).append(name)
    return groups


def _row(step: StepRecord) -> list[str]:
    done = [target for target in step.targets if target.status is not Status.SKIPPED]
    used = [target.used_seconds for target in done if target.used_seconds is not None]
    deviations = sum(len(target.deviations) for target in step.targets)
    attempt = f" (attempt {step.attempt})" if step.attempt > 1 else ""
    return [
        step.id + attempt,
        coloured(step.status),
        _targets(step.targets),
        _limit(step),
        render_duration(max(used), language()) if used else "",
        str(deviations or ""),
    ]


def _unbegun(step: StepRecord, *, unselected: bool) -> list[str]:
    return [step.id, translate("not selected" if unselected else "not begun"), "", _limit(step), "", ""]


def _limit(step: StepRecord) -> str:
    return one_line(step.time_limit or "")


def _targets(targets: tuple[TargetRecord, ...]) -> str:
    if len(targets) == 1:
        return printable(targets[0].target or label("once"))
    counts = Counter(target.status for target in targets)
    told = sorted(counts, key=lambda status: (status not in FINISHED_WELL, WORST_FIRST.index(status)))
    return ", ".join(f"{counts[status]} {named(status)}" for status in told)


def _remarks(record: Record, width: int) -> list[str]:
    """Why steps were skipped, and the deviations."""
    skipped: list[tuple[tuple[str, ...], str]] = []
    late: list[tuple[tuple[str, ...], str]] = []
    for step in record.steps:
        why = {target.message or str(target.reason or "") for target in step.targets}
        if step.targets and step.status is Status.SKIPPED:
            skipped.append((("skipped: ", "; ".join(sorted(map(one_line, why)))), step.id))
        for target in step.targets:
            late += [
                ((f"deviation in {step.id}: ", deviating(one_line(each))), _name(target.target))
                for each in target.deviations
            ]
    lines = [f"{head}{name_some(names, MOST_TARGETS)}: {what}" for (head, what), names in group_names(skipped).items()]
    for (head, what), names in group_names(late).items():
        lines.append(head + (f"{name_some(names, MOST_TARGETS)}: " if names != [""] else "") + what)
    return [each for line in lines for each in tell(line, width, indent="  ")]


def _bad(record: Record, width: int) -> list[str]:
    """Each target that failed, was unreachable or ran out of time, with its message."""
    faults = sorted(_faults(record), key=lambda fault: WORST_FIRST.index(fault[0]))
    lines = []
    for status, of_status in groupby(faults, key=lambda fault: fault[0]):
        lines.append(f"{coloured(status)}:")
        for (where, message), names in group_names(((f[1], f[2]), f[3]) for f in of_status).items():
            who = "" if names == [""] else f"{name_some(names, MOST_TARGETS)}: "
            lines += tell(f"  {who}{where}: {message}".rstrip(": "), width, indent="    ")
    return lines


def _faults(record: Record) -> Iterator[_Fault]:
    """What went wrong; of a target that gave no connection only the first thing."""
    lost: set[str | None] = set()
    for step in record.steps:
        for target in step.targets:
            if target.status not in BAD:
                continue
            found = list(_task_faults(step, target)) or [(target.status, step.id, _short(target.message))]
            for status, where, message in found:
                if status is Status.UNREACHABLE and target.target in lost:
                    continue
                if status is Status.UNREACHABLE:
                    lost.add(target.target)
                name = _name(target.target)
                yield status, where, message.removeprefix(f"{name}: "), name


def _task_faults(step: StepRecord, target: TargetRecord) -> Iterator[tuple[Status, str, str]]:
    for task in target.tasks:
        if task.outcome.status in BAD:
            item = f" [{one_line(task.item)}]" if task.item is not None else ""
            yield task.outcome.status, f"{step.id}.{task.id}{item}", _short(task.outcome.message)


def render_problems(record: Record, width: int) -> list[str]:
    """Given a record, return the lines that tell its problems, the worst first."""
    if not record.problems:
        return []
    worst_first = tuple(reversed(Severity))
    counts = Counter(problem.severity for problem in record.problems)
    told = ", ".join(f"{counts[each]} {named(each)}" for each in worst_first if counts[each])
    lines = [f"{label('problems')}: {told}"]
    ordered = sorted(record.problems, key=lambda problem: worst_first.index(problem.severity))
    rows = (((str(p.severity), p.step, _short(p.message)), _name(p.target)) for p in ordered)
    for (severity, step, message), names in group_names(rows).items():
        where = name_some(names, MOST_TARGETS) if names != [""] else step
        first, *others = tell(f"{where}: {message}", width - 12, indent="  ")
        lines.append(f"  {coloured(severity)}{' ' * (10 - width_of(named(severity)))}{first}")
        lines += [" " * 12 + other for other in others]
    return lines


def _waits(record: Record, records: Path, width: int) -> list[str]:
    """What waits for whom, and the command that answers."""
    lines: list[str] = []
    for asked in record.requests:
        due = f", due {render_short(asked.due.astimezone(), language())}" if asked.due else ""
        role = one_line(say_roles(asked.request.role) or "a person")
        where = f" on {one_line(asked.key.target)}" if asked.key.target else ""
        lines += tell(f"{asked.key.step}{where} waits for {role}{due}: {_short(asked.request.question)}", width)
        lines += advise(record, asked, records, language())
    return lines


def advise(record: Record, asked: OpenRequest, records: Path, language: Language) -> list[str]:
    """Given an open request, return the commands that show what is put before the person, and that answer, each with
    what it does in that language where its words do not tell."""
    lines = [f"  {each}   # {say('turn_read', language)}" for each in _reading_command(record, asked, records)]
    for answer, command in answer_commands(record, asked, records):
        told = f"   # {say(f'turn_{answer}', language)}" if answer in (SIGNED, RETURNED) else ""
        lines.append(f"  {command}{told}")
    return lines


def _reading_command(record: Record, asked: OpenRequest, records: Path) -> list[str]:
    """The command that puts the document into a folder, where it is a kept file; else none."""
    subject = asked.request.subject
    for step in record.steps:
        if subject and any(evidence.sha256 == subject for evidence in step.evidence):
            return [command_line(["show", record.run, step.id, "--save", SAVED], records)]
    return []


def answer_commands(record: Record, asked: OpenRequest, records: Path) -> list[tuple[str, str]]:
    """Given an open request, return its answers, each with the command that gives it; "" where there are none."""
    words = ["sign", record.run, asked.key.step]
    same_step = [each.key for each in record.requests if each.key.step == asked.key.step]
    if len({key.task for key in same_step}) > 1:
        words += ["--task", asked.key.task]
    if len({key.target for key in same_step}) > 1 and asked.key.target:
        words += ["--target", asked.key.target]
    if len({each.request.role for each in record.requests if each.key.step == asked.key.step}) > 1:
        words += ["--role", asked.request.role]
    if not asked.request.answers:
        return [("", command_line(words, records))]
    return [(answer, command_line([*words, "--answer", answer], records)) for answer in asked.request.answers]


def _next(record: Record, records: Path) -> str:
    if record.cancelled:
        return ""
    if record.exit_code == 2:
        steps = [step.id for step in record.steps if step.status in BAD]
        return command_line(["show", record.run, *steps[:1]], records)
    if record.exit_code == 3:
        return f"{command_line(['status'], records)}; once answered: {_resume(record, records)}"
    if record.exit_code == 4:
        lost = list(dict.fromkeys(fault[3] for fault in _faults(record) if fault[0] is Status.UNREACHABLE))
        limit = ["--limit", ":".join(lost)] if 0 < len(lost) <= MOST_LIMITED else []
        words = ["run", str(record.started.get("file", "")), *_selected(record), *limit]
        return f"when they can be reached: {command_line(words, records)}"
    if record.exit_code == 10:
        waiting = f"{command_line(['status'], records)}; " if record.status is Status.WAITING else ""
        return waiting + command_line(["problems"], records)
    return _resume(record, records) if record.exit_code == 130 else ""


def _resume(record: Record, records: Path) -> str:
    """The command that goes on with a run; one that was included goes on with the run that includes it."""
    return command_line(["resume", record.started.get("parent") or record.run], records)


def _selected(record: Record) -> list[str]:
    """The words that chose the steps of a run."""
    said = record.started.get("options") or {}
    only = ["--only", ",".join(said["only"])] if said.get("only") else []
    return only + (["--from", said["from"]] if said.get("from") else [])


def _name(target: str | None) -> str:
    return one_line(target or "")


def _short(text: str) -> str:
    shown = one_line(text)
    return shown if len(shown) <= LONGEST_MESSAGE else shown[:LONGEST_MESSAGE] + "…"
