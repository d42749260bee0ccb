"""A run's document as the rows of a report: what each activity of the SOP was, and what became of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from runner.messages import render_size
from runner.reports.pen import Pen
from runner.reports.values import parse_instant, render_duration

MOST_TARGETS = 12
MOST_EVIDENCE = 500
MOST_RESULTS = 60
_FINE = frozenset({"ok", "changed"})

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Line:
    """How it went on one target (`label` is "" in a step that ran once)."""

    label: str
    status: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class EvidenceRow:
    """A kept file with its mark ("B-3"), and where it comes from."""

    mark: str
    name: str
    origin: str
    size: str
    sha256: str
    step: str


@dataclass(frozen=True, slots=True)
class Row:
    """One activity of the SOP beside its realisation."""

    number: str
    activity: str
    performer: str
    norm: str
    realised: Sequence[Line]
    outputs: Sequence[str]
    marks: Sequence[str]
    remarks: Sequence[str]


@dataclass(frozen=True, slots=True)
class Result:
    """The values of one activity's output, target by target."""

    number: str
    text: str
    values: Sequence[tuple[str, str]]
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class Activity:
    """A step of the SOP (`form`: its texts) with its attempts in this run."""

    number: str
    form: Json
    attempts: Sequence[Json] = field(default=())

    def targets(self) -> Iterator[tuple[Json, Json]]:
        """Give each (attempt, target) pair, oldest attempt first."""
        for attempt in self.attempts:
            for target in attempt.get("targets", ()):
                yield attempt, target


def pair_activities(forms: Sequence[Json], steps: Sequence[Json]) -> list[Activity]:
    """Given the SOP's steps and the document's, return every activity of the SOP with its attempts."""
    return [
        Activity(
            number=str(form.get("number") or index),
            form=form,
            attempts=[step for step in steps if step.get("id") == form.get("id")],
        )
        for index, form in enumerate(forms, 1)
    ]


def build_rows(activities: Sequence[Activity], roles: Json, evidence: Sequence[EvidenceRow], pen: Pen) -> list[Row]:
    """Given the activities, return the table's rows in the SOP's order."""
    return [
        Row(
            number=activity.number,
            activity=str(activity.form.get("activity") or ""),
            performer=render_roles(activity.form.get("actor"), roles),
            norm=str(activity.form.get("time_limit") or ""),
            realised=_realised(activity, pen),
            outputs=[text for text in map(_output_text, activity.form.get("outputs") or ()) if text],
            marks=_marks(activity, evidence),
            remarks=_remarks(activity),
        )
        for activity in activities
    ]


def build_results(activities: Sequence[Activity], pen: Pen) -> list[Result]:
    """Given the activities, return what each brought about, from its latest attempt."""
    results = []
    for activity in activities:
        values = [pair for attempt in activity.attempts[-1:] for pair in _values(attempt, pen)]
        if values:
            texts = [text for text in map(_output_text, activity.form.get("outputs") or ()) if text]
            left_out = max(0, len(values) - MOST_RESULTS)
            results.append(Result(activity.number, "; ".join(texts), values[:MOST_RESULTS], left_out))
    return results


def build_evidence(activities: Sequence[Activity], pen: Pen) -> list[EvidenceRow]:
    """Given the activities, return all evidence in order; the same file from the same place stands once."""
    found: dict[tuple[str, ...], EvidenceRow] = {}
    for activity in activities:
        for _, target in activity.targets():
            for task in target.get("tasks", ()):
                for item in task.get("evidence", ()):
                    origin = " / ".join(filter(None, (activity.number, target.get("target"))))
                    key = origin, str(item["name"]), str(item["sha256"])
                    size = render_size(int(item.get("size", 0)), pen.language)
                    row = EvidenceRow(f"B-{len(found) + 1}", key[1], origin, size, key[2], activity.number)
                    found.setdefault(key, row)
    return list(found.values())


def build_deviations(activities: Sequence[Activity]) -> list[str]:
    """Given the activities, return every deviation with its place."""
    return [
        f"{activity.number} {target.get('target') or ''}".strip() + f": {deviation}"
        for activity in activities
        for _, target in activity.targets()
        for deviation in target.get("deviations", ())
    ]


def render_roles(actor: Any, roles: Json) -> str:
    """Given a step's actor (a role, several, or none), return the roles' names as the SOP writes them."""
    names = [actor] if isinstance(actor, str) else list(actor or ())
    return ", ".join(str(roles.get(name, name)) for name in names)


def moments(target: Json) -> list[datetime]:
    """Given a target of a document, return all times at which one of its tasks began or ended, in order."""
    times = (parse_instant(task.get(name)) for task in target.get("tasks", ()) for name in ("started", "ended"))
    return sorted(time for time in times if time)


def _realised(activity: Activity, pen: Pen) -> list[Line]:
    if not activity.attempts:
        return [Line("", pen.words["not_run"])]
    pairs = list(activity.targets())
    if len(pairs) > MOST_TARGETS:
        bad = [pair for pair in pairs if pair[1].get("status") not in _FINE]
        pairs = (bad or pairs)[:MOST_TARGETS]
    lines = [_line(attempt, target, pen, many=len(activity.attempts) > 1) for attempt, target in pairs]
    left_out = sum(1 for _ in activity.targets()) - len(lines)
    return [*lines, Line("", pen.words["more"].format(count=left_out))] if left_out else lines


def _line(attempt: Json, target: Json, pen: Pen, *, many: bool) -> Line:
    times = moments(target)
    details = [pen.span(times[0], times[-1])] if times else []
    used = target.get("used_seconds")
    if used:
        details.append(f"({pen.words['working_time']} {render_duration(used, pen.language)})")
    details += _people(target, pen)
    label = str(target.get("target") or "")
    if many:
        label = f"{label} {pen.words['attempt']}{attempt.get('attempt', '')}".strip()
    return Line(label, pen.status(target.get("status")), " ".join(details))


def _people(target: Json, pen: Pen) -> list[str]:
    """Who signed or decided, as the record has it."""
    acts = []
    for task in target.get("tasks", ()):
        outputs = task.get("outputs") or {}
        if outputs.get("person"):
            decided = outputs.get("label")
            word = pen.words["method_decided" if decided else "method_signed"]
            acts.append(f"– {word} {pen.value(outputs['person'])}" + (f": {pen.value(decided)}" if decided else ""))
    return acts


def _output_text(output: Any) -> str:
    return str(output.get("text") or "") if isinstance(output, Mapping) else str(output)


def _marks(activity: Activity, evidence: Sequence[EvidenceRow]) -> list[str]:
    marks = [row.mark for row in evidence if row.step == activity.number]
    return [f"{marks[0]} – {marks[-1]}"] if len(marks) > 6 else marks


def _remarks(activity: Activity) -> list[str]:
    remarks = []
    for _, target in activity.targets():
        messages = [str(task["message"]) for task in target.get("tasks", ()) if _is_worth_telling(task)]
        prefix = f"{target['target']}: " if target.get("target") else ""
        remarks += [prefix + text for text in (*target.get("deviations", ()), *messages)]
    unique = list(dict.fromkeys(remarks))
    return unique[:MOST_TARGETS] if len(unique) <= MOST_TARGETS else [*unique[:MOST_TARGETS], "…"]


def _is_worth_telling(task: Json) -> bool:
    return bool(task.get("message")) and task.get("status") not in _FINE and task.get("status") != "waiting"


def _values(attempt: Json, pen: Pen) -> Iterator[tuple[str, str]]:
    for target in attempt.get("targets", ()):
        shown = [pen.value(value) for value in (target.get("outputs") or {}).values() if value is not None]
        if shown:
            yield str(target.get("target") or "–"), "; ".join(shown)
