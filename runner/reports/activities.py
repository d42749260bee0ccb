"""A run's record as the rows of a report: what each activity of the SOP was, and what became of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from runner.contract import FINISHED_WELL, Outcome, Reason, Status
from runner.messages import render_deviation, render_size
from runner.record.document import Answer, Record, StepRecord, TargetRecord
from runner.reports.pen import Pen
from runner.reports.values import render_duration, shorten

MOST_TARGETS = 12
MOST_EVIDENCE = 500
MOST_RESULTS = 60
MOST_MARKS = 6
FINE = FINISHED_WELL | {Status.WAITING}

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
    """One activity of the SOP beside its realisation; `reading` says how an illegible wording is understood."""

    number: str
    activity: str
    reading: str
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
    """A step of the SOP (`form`: its texts) with its attempts in this run, oldest first."""

    number: str
    form: Json
    attempts: Sequence[StepRecord] = ()

    @property
    def outputs(self) -> Sequence[str]:
        """The texts of its outputs, as the SOP writes them."""
        texts = (o.get("text") if isinstance(o, Mapping) else o for o in self.form.get("outputs") or ())
        return [str(text) for text in texts if text]

    @property
    def actors(self) -> Sequence[str]:
        """The roles that carry it out."""
        return [str(role) for role in self.form.get("actors") or ()]

    def targets(self) -> Iterator[tuple[int, TargetRecord]]:
        """Give each target with the number of its attempt, oldest attempt first."""
        for attempt in self.attempts:
            for target in attempt.targets:
                yield attempt.attempt, target


def pair_activities(record: Record) -> list[Activity]:
    """Given a run's record, return every activity of the SOP with its attempts."""
    forms: Sequence[Json] = record.started.get("steps") or [
        {"id": step.id, "activity": step.activity, "time_limit": step.time_limit} for step in record.steps
    ]
    attempts = [step for step in (*record.attempts, *record.steps) if step.attempt]
    return [
        Activity(str(index), form, [step for step in attempts if step.id == form.get("id")])
        for index, form in enumerate(forms, 1)
    ]


def build_rows(
    activities: Sequence[Activity],
    record: Record,
    roles: Json,
    names: Mapping[str, str],
    evidence: Sequence[EvidenceRow],
    pen: Pen,
) -> list[Row]:
    """Given the activities of a run, its record and how roles and people are called, return the table's rows."""
    readings = record.started.get("readings") or {}
    return [
        Row(
            number=activity.number,
            activity=str(activity.form.get("activity") or ""),
            reading=str(readings.get(f"steps.{activity.form.get('id')}.activity") or ""),
            performer=", ".join(str(roles.get(role, role)) for role in activity.actors),
            norm=str(activity.form.get("time_limit") or ""),
            realised=_realised(activity, record, names, pen),
            outputs=activity.outputs,
            marks=_marks(activity, evidence),
            remarks=_remarks(activity, record, pen),
        )
        for activity in activities
    ]


def build_results(activities: Sequence[Activity], pen: Pen) -> list[Result]:
    """Given the activities, return what each brought about, from its latest attempt."""
    results = []
    for activity in activities:
        values = [pair for attempt in activity.attempts[-1:] for pair in _values(attempt, pen)]
        if values:
            left_out = max(0, len(values) - MOST_RESULTS)
            results.append(Result(activity.number, "; ".join(activity.outputs), values[:MOST_RESULTS], left_out))
    return results


def build_evidence(activities: Sequence[Activity], pen: Pen) -> list[EvidenceRow]:
    """Given the activities, return all evidence in order; the same file from the same place stands once."""
    found: dict[tuple[str, ...], EvidenceRow] = {}
    for activity in activities:
        for _, target in activity.targets():
            origin = " / ".join(filter(None, (activity.number, target.target)))
            for item in (item for task in target.tasks for item in task.outcome.evidence):
                size = render_size(item.size, pen.language)
                row = EvidenceRow(f"B-{len(found) + 1}", item.name, origin, size, item.sha256, activity.number)
                found.setdefault((origin, item.name, item.sha256), row)
    return list(found.values())


def build_deviations(activities: Sequence[Activity], pen: Pen) -> list[str]:
    """Given the activities, return every deviation with its place."""
    return [
        f"{activity.number} {target.target or ''}".strip() + f": {render_deviation(deviation, pen.language, pen.zone)}"
        for activity in activities
        for _, target in activity.targets()
        for deviation in target.deviations
    ]


def moments(target: TargetRecord) -> list[datetime]:
    """Given a target's record, return all times at which it or one of its tasks began or ended, in order."""
    tries = [each for task in target.tasks for each in task.tries]
    times = [target.started, target.ended, *(each.started for each in tries), *(each.ended for each in tries)]
    return sorted(time for time in times if time)


def _realised(activity: Activity, record: Record, names: Mapping[str, str], pen: Pen) -> list[Line]:
    pairs = list(activity.targets())
    if not pairs:
        ahead = record.ended is None and activity.form.get("selected")
        return [Line("", pen.words["not_yet" if ahead else "not_run"])]
    total = len(pairs)
    if total > MOST_TARGETS:
        bad = [pair for pair in pairs if pair[1].status not in FINISHED_WELL]
        pairs = (bad or pairs)[:MOST_TARGETS]
    many = len(activity.attempts) > 1
    lines = [_line(number, target, pen, many=many, going_on=record.ended is None) for number, target in pairs]
    lines += [_answer(answer, names, pen) for answer in record.answers if answer.key.step == activity.form.get("id")]
    return [*lines, Line("", pen.words["more"].format(count=total - len(pairs)))] if total > len(pairs) else lines


def _line(number: int, target: TargetRecord, pen: Pen, *, many: bool, going_on: bool) -> Line:
    times = moments(target)
    details = [pen.span(times[0], times[-1])] if times else []
    if round(target.used_seconds or 0):
        details.append(f"({pen.words['working_time']} {render_duration(target.used_seconds or 0, pen.language)})")
    label = target.target or ""
    if many:
        label = f"{label} {pen.words['attempt']}{number}".strip()
    begun = going_on and target.status is Status.INTERRUPTED
    return Line(label, pen.words["going_on"] if begun else pen.status(target.status), " ".join(details))


def _answer(answer: Answer, names: Mapping[str, str], pen: Pen) -> Line:
    """Who signed or decided, when, and with which words."""
    did = pen.words.get(f"did_{answer.label or 'signed'}")
    person = names.get(answer.person, answer.person)
    said = f"{did} {person}" if did else f"{pen.words['answered']} {person}: {answer.label}"
    return Line("", shorten(said), " – ".join(filter(None, (pen.span(answer.at, answer.at), shorten(answer.note)))))


def _marks(activity: Activity, evidence: Sequence[EvidenceRow]) -> list[str]:
    marks = [row.mark for row in evidence if row.step == activity.number]
    return [f"{marks[0]} – {marks[-1]}"] if len(marks) > MOST_MARKS else marks


def _remarks(activity: Activity, record: Record, pen: Pen) -> list[str]:
    remarks = []
    for _, target in activity.targets():
        if record.ended is None and target.status is Status.INTERRUPTED:
            continue  # it goes on while the report is made
        messages = [task.outcome.message for task in target.tasks if _is_worth_telling(task.outcome)]
        deviations = [render_deviation(deviation, pen.language, pen.zone) for deviation in target.deviations]
        prefix = f"{target.target}: " if target.target else ""
        remarks += [prefix + shorten(text) for text in (*deviations, target.message, *messages) if text]
    unique = list(dict.fromkeys(remarks))
    return unique if len(unique) <= MOST_TARGETS else [*unique[:MOST_TARGETS], "…"]


def _is_worth_telling(outcome: Outcome) -> bool:
    return outcome.status not in FINE and outcome.reason is not Reason.CONDITION


def _values(attempt: StepRecord, pen: Pen) -> Iterator[tuple[str, str]]:
    for target in attempt.targets:
        shown = [pen.value(value) for value in target.outputs.values() if value is not None]
        if shown:
            yield target.target or "–", "; ".join(shown)
