"""A run's record as the rows of a report: what each activity of the SOP was, and what became of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from runner.contract import FINISHED_WELL, Outcome, Reason, Status
from runner.languages import translate
from runner.messages import render_counted
from runner.record.document import Answer, Hand, Record, StepRecord, TargetRecord
from runner.record.unfinished import may_go_on
from runner.reports.office import Office
from runner.reports.paper.model import Cell, Column, Line, Look, Table, cell
from runner.reports.pen import Pen
from runner.reports.values import shorten

MOST_TARGETS = 12
MOST_RESULTS = 60
MOST_MARKS = 6
LONGEST_REMARK = 2000
LONGEST_WORDS = 100_000  # what people wrote: thirty pages
FINE = FINISHED_WELL | {Status.WAITING}
DID = {"": "ditandatangani oleh", "signed": "ditandatangani oleh", "returned": "dikembalikan oleh"}
DID |= {"done": "dikerjakan oleh"}

Json = Mapping[str, Any]


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
class Activity:
    """A step of the SOP (`form`: its texts) with its attempts in this run, oldest first; where it has none, `earlier`
    is how its targets last ended before."""

    number: str
    form: Json
    attempts: Sequence[StepRecord] = ()
    earlier: Sequence[TargetRecord] = ()

    @property
    def id(self) -> str:
        """The step's id."""
        return str(self.form.get("id") or "")

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


def pair_activities(record: Record, earlier: Mapping[str, Sequence[TargetRecord]] | None = None) -> list[Activity]:
    """Given a run's record, and how steps that it leaves out last ended, return every activity of the SOP."""
    forms: Sequence[Json] = record.started.get("steps") or [
        {"id": step.id, "activity": step.activity, "time_limit": step.time_limit} for step in record.steps
    ]
    attempts = [step for step in (*record.attempts, *record.steps) if step.attempt]
    return [
        Activity(
            str(index),
            form,
            [step for step in attempts if step.id == form.get("id")],
            (earlier or {}).get(str(form.get("id")), ()),
        )
        for index, form in enumerate(forms, 1)
    ]


def name_activity(form: Json, readings: Json) -> Cell:
    """Given a step's texts and how illegible places are read, return its wording, and the reading below it."""
    reading = readings.get(f"steps.{form.get('id')}.activity")
    written = str(form.get("activity") or "")
    return cell(written, Line(f"Dibaca: {reading}", Look.NOTE)) if reading else cell(written)


def name_roles(roles: Sequence[str], names: Mapping[str, str]) -> str:
    """Given roles and how they are called, return them in words."""
    return ", ".join(names.get(role, role) for role in roles)


def build_table(
    activities: Sequence[Activity],
    record: Record,
    roles: Mapping[str, str],
    office: Office,
    evidence: Sequence[EvidenceRow],
    pen: Pen,
) -> Table:
    """Given a run's activities, its record, how roles are called and the office, return norm against realisation."""
    columns = (
        Column("No", 9, "center"),
        Column("Aktivitas", 39),
        Column("Pelaksana", 23),
        Column("Mutu baku waktu", 15),
        Column("Realisasi", 37),
        Column("Output / bukti", 25),
        Column("Keterangan", 22),
    )
    readings = record.started.get("readings") or {}
    rows = [
        (
            cell(activity.number),
            name_activity(activity.form, readings),
            cell(name_roles(activity.actors, roles)),
            cell(str(activity.form.get("time_limit") or "")),
            tuple(_realised(activity, record, office, pen)),
            cell(*activity.outputs, *_marks(activity, evidence)),
            cell(*_remarks(activity, record, office, pen)),
        )
        for activity in activities
    ]
    return Table(columns, rows)


def build_rules(counted: Iterable[tuple[str, Sequence[str]]]) -> Iterator[Line]:
    """Given activities' numbers and how their due times were counted, give each rule once with whom it holds for."""
    rules: dict[str, dict[str, None]] = {}
    for number, rule in counted:
        for text in rule:
            rules.setdefault(render_counted(text, "id"), {})[number] = None
    for words, numbers in rules.items():
        yield Line(f"Batas waktu kegiatan {', '.join(numbers)}: {words}", Look.NOTE)


def build_results(activity: Activity, office: Office, pen: Pen) -> list[tuple[Cell, Cell]]:
    """Given an activity, return what its latest attempt brought about, target by target; where it has none, what came
    of it before, and when."""
    latest = activity.attempts[-1].targets if activity.attempts else activity.earlier
    return [
        (
            cell(office.title_of(target.target)),
            cell("; ".join(shown), *([] if activity.attempts else _when(target, pen))),
        )
        for target in latest
        if (shown := [pen.value(value) for value in target.outputs.values() if value is not None])
    ]


def build_evidence(activities: Sequence[Activity], office: Office, pen: Pen) -> list[EvidenceRow]:
    """Given the activities, return all evidence in order; the same file from the same place stands once."""
    found: dict[tuple[str, ...], EvidenceRow] = {}
    for activity in activities:
        for _, target in activity.targets():
            origin = " / ".join([activity.number, *([office.title_of(target.target)] if target.target else [])])
            for item in (item for task in target.tasks for item in task.outcome.evidence):
                mark = f"B-{len(found) + 1}"
                row = EvidenceRow(mark, item.name, origin, pen.size(item.size), item.sha256, activity.number)
                found.setdefault((origin, item.name, item.sha256), row)
    return list(found.values())


def build_deviations(activities: Sequence[Activity], office: Office, pen: Pen) -> list[str]:
    """Given the activities, return every deviation with its place."""
    return [
        f"{activity.number} {office.title_of(target.target) if target.target else ''}".strip()
        + f": {pen.deviation(deviation)}"
        for activity in activities
        for _, target in activity.targets()
        for deviation in target.deviations
    ]


def moments(target: TargetRecord) -> list[datetime]:
    """Given a target's record, return all times at which it or one of its tasks began or ended, in order."""
    tries = [each for task in target.tasks for each in task.tries]
    times = [target.started, target.ended, *(each.started for each in tries), *(each.ended for each in tries)]
    return sorted(time for time in times if time)


def _realised(activity: Activity, record: Record, office: Office, pen: Pen) -> list[Line]:
    pairs = list(activity.targets())
    lines: list[Line] = []
    if not pairs:
        ahead = activity.form.get("selected") and (record.ended is None or may_go_on(record))
        pairs = [(1, target) for target in activity.earlier]
        last = "; terakhir:" if pairs else ""
        lines = [Line("Belum dilaksanakan" if ahead else f"Tidak termasuk dalam pelaksanaan ini{last}")]
    total = len(pairs)
    if total > MOST_TARGETS:
        bad = [pair for pair in pairs if pair[1].status not in FINISHED_WELL]
        pairs = (bad or pairs)[:MOST_TARGETS]
    many = len(activity.attempts) > 1
    for number, target in pairs:
        lines += _target(number, target, office, pen, many=many, going_on=record.ended is None)
    for answer in (answer for answer in record.answers if answer.key.step == activity.id):
        lines += describe_answer(answer, office, pen)
    for hand in (hand for hand in record.hands if hand.key.step == activity.id):
        lines += describe_hand(hand, pen)
    return [*lines, Line(f"dan {total - len(pairs)} sasaran lain", Look.NOTE)] if total > len(pairs) else lines


def _target(
    number: int, target: TargetRecord, office: Office, pen: Pen, *, many: bool, going_on: bool
) -> Iterator[Line]:
    label = office.title_of(target.target) if target.target else ""
    if many:
        label = f"{label} putaran ke-{number}".strip()
    begun = going_on and target.status is Status.INTERRUPTED
    status = "sedang berjalan" if begun else pen.status(target.status)
    yield Line(f"{label}: {status}" if label else status, Look.STRONG)
    yield from _when(target, pen)


def _when(target: TargetRecord, pen: Pen) -> Iterator[Line]:
    times = moments(target)
    details = [pen.span(times[0], times[-1])] if times else []
    if round(target.used_seconds or 0):
        details.append(f"(selama {pen.duration(target.used_seconds or 0)})")
    if details:
        yield Line(" ".join(details))


def describe_answer(answer: Answer, office: Office, pen: Pen) -> Iterator[Line]:
    """Given a person's act, return who signed or decided (a deputy named as one), when, and with which words."""
    did, person = DID.get(answer.label), office.name_of(answer.person)
    person = f"{person} ({answer.acting})" if answer.acting else person
    said = f"{did} {person}" if did else f"dijawab oleh {person}: {answer.label}"
    yield Line(shorten(said, LONGEST_WORDS), Look.STRONG)
    note = shorten(answer.note, LONGEST_WORDS)
    yield Line(" – ".join(filter(None, (pen.span(answer.at, answer.at), note))))


def describe_hand(hand: Hand, pen: Pen) -> Iterator[Line]:
    """Given a wait for a third party, return who had it, why, and from when until when; apart from the step's time."""
    yield Line(shorten(f"Pada pihak ketiga {hand.party}: {hand.note}", LONGEST_WORDS), Look.STRONG)
    lasted = f" (selama {pen.duration((hand.until - hand.since).total_seconds())})" if hand.until else ""
    remark = shorten(hand.remark, LONGEST_WORDS)
    until = f"{pen.span(hand.since, hand.until)}{lasted}" if hand.until else f"sejak {pen.span(hand.since, hand.since)}"
    yield Line(" – ".join(filter(None, (until, remark))))


def _marks(activity: Activity, evidence: Sequence[EvidenceRow]) -> list[str]:
    marks = [row.mark for row in evidence if row.step == activity.number]
    if not marks:
        return []
    return [f"[{marks[0]} – {marks[-1]}]" if len(marks) > MOST_MARKS else " ".join(f"[{mark}]" for mark in marks)]


def _remarks(activity: Activity, record: Record, office: Office, pen: Pen) -> list[str]:
    remarks = []
    for _, target in activity.targets():
        if record.ended is None and target.status is Status.INTERRUPTED:
            continue  # it goes on while the report is made
        messages = [task.outcome.message for task in target.tasks if _is_worth_telling(task.outcome)]
        deviations = [pen.deviation(deviation) for deviation in target.deviations]
        prefix = f"{office.title_of(target.target)}: " if target.target else ""
        told = (*deviations, *(translate(text, "id") for text in (target.message, *messages)))
        remarks += [prefix + shorten(text, LONGEST_REMARK) for text in told if text]
    unique = list(dict.fromkeys(remarks))
    return unique if len(unique) <= MOST_TARGETS else [*unique[:MOST_TARGETS], "…"]


def _is_worth_telling(outcome: Outcome) -> bool:
    return outcome.status not in FINE and outcome.reason is not Reason.CONDITION
