"""Norm against realisation over a period: each activity of a procedure in one row, and each execution in another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from runner.calendar import Calendar
from runner.reports.activities import Activity, name_activity, name_roles
from runner.reports.office import Office
from runner.reports.paper.model import Column, Line, Look, Table, cell
from runner.reports.pen import Pen
from runner.reports.periodic.gathering import Execution, Gathered, Kept, Procedure
from runner.reports.situation import read_roles

MOST_LISTED = 6
COLUMNS = (
    Column("No", 9, "center"),
    Column("Aktivitas", 38),
    Column("Pelaksana", 22),
    Column("Mutu baku waktu", 16),
    Column("Realisasi", 38),
    Column("Output / bukti", 24),
    Column("Keterangan", 22),
)


@dataclass(frozen=True, slots=True)
class Done:
    """An activity of a procedure with all that was done of it in the period, in order, and its evidence with marks."""

    activity: Activity
    executions: Sequence[Execution]
    evidence: Sequence[tuple[str, Kept]]


def pair_done(procedure: Procedure, found: Gathered, marks: Mapping[int, str]) -> list[Done]:
    """Given a procedure, what a period holds and the marks of its evidence by place, return every activity."""
    by_step: dict[str, list[Execution]] = {}
    for execution in found.executions.values():
        if execution.playbook == procedure.playbook:
            by_step.setdefault(execution.step, []).append(execution)
    kept: dict[str, list[tuple[str, Kept]]] = {}
    for place, each in enumerate(found.evidence):
        if each.playbook == procedure.playbook:
            kept.setdefault(each.step, []).append((marks[place], each))
    return [
        Done(
            Activity(str(number), form),
            sorted(by_step.get(form["id"], ()), key=lambda each: each.moment),
            kept.get(form["id"], ()),
        )
        for number, form in enumerate(procedure.started.get("steps") or (), 1)
    ]


def build_realisation(
    procedure: Procedure, done: Sequence[Done], office: Office, calendar: Calendar, pen: Pen
) -> Table:
    """Given a procedure and what was done of it, return the table of its activities."""
    roles, readings = read_roles(procedure.started), procedure.started.get("readings") or {}
    rows = [
        (
            cell(each.activity.number),
            name_activity(each.activity.form, readings),
            cell(name_roles(each.activity.actors, roles)),
            cell(str(each.activity.form.get("time_limit") or "")),
            cell(*_realised(each.executions, office, calendar, pen)),
            cell(*each.activity.outputs, *_marks(each)),
            cell(*_verdict(each.executions)),
        )
        for each in done
    ]
    return Table(COLUMNS, rows)


def count_late(executions: Sequence[Execution]) -> tuple[int, int]:
    """Given executions, return how many were judged by their norm, and how many of those were late."""
    judged = [each for each in executions if each.ended and (each.due or each.late)]
    return len(judged), sum(each.late for each in judged)


def _realised(executions: Sequence[Execution], office: Office, calendar: Calendar, pen: Pen) -> Iterator[str | Line]:
    if not executions:
        yield "Tidak ada pelaksanaan yang tercatat dalam periode ini"
        return
    if len(executions) <= MOST_LISTED:
        for execution in executions:
            yield from describe(execution, office, calendar, pen)
        return
    targets = {each.target for each in executions if each.target}
    on = f" pada {pen.number(len(targets))} sasaran" if targets else ""
    yield Line(f"{pen.number(len(executions))} kali{on}", Look.STRONG)
    yield f"Pertama: {_span(executions[0], pen)}"
    yield f"Terakhir: {_span(executions[-1], pen)}"
    again = sum(each.attempt > 1 for each in executions)
    if again:
        yield f"Putaran ulang: {pen.number(again)} kali"
    used = [calendar.working_seconds(each.started, each.ended) for each in executions if each.started and each.ended]
    if used:
        shown = (min(used), median(used), max(used))
        yield "Waktu kerja terpakai: {} – {} (median {})".format(*(pen.duration(shown[place]) for place in (0, 2, 1)))


def describe(execution: Execution, office: Office, calendar: Calendar, pen: Pen) -> Iterator[str | Line]:
    """Given an execution, give its target and status, when it was, and the working time that it used."""
    again = f" putaran ke-{execution.attempt}" if execution.attempt > 1 else ""
    label = f"{office.title_of(execution.target) if execution.target else ''}{again}".strip()
    status = pen.status(execution.status or None)
    yield Line(f"{label}: {status}" if label else status, Look.STRONG)
    yield _span(execution, pen)
    if execution.started and execution.ended:
        worked = calendar.working_seconds(execution.started, execution.ended)
        outside = execution.started < execution.ended and not worked
        yield "(di luar jam kerja)" if outside else f"(waktu kerja {pen.duration(worked)})"


def _span(execution: Execution, pen: Pen) -> str:
    if execution.started and execution.ended:
        return pen.span(execution.started, execution.ended)
    return f"sejak {pen.clock(execution.moment)}" if execution.started else f"s.d. {pen.clock(execution.moment)}"


def _verdict(executions: Sequence[Execution]) -> Iterator[str]:
    """How many were in time and how many not, and what else is to be said of them."""
    if not executions:
        return
    judged, late = count_late(executions)
    if judged - late:
        yield f"{judged - late} tepat waktu"
    if late:
        yield f"{late} terlambat"
    unjudged = sum(1 for each in executions if each.ended) - judged
    if unjudged:
        yield f"{unjudged} tanpa batas waktu yang dinilai"
    counts = Counter(each.status for each in executions)
    for status, words in (
        ("failed", "gagal"),
        ("timed_out", "melewati batas tugas"),
        ("unreachable", "tidak terjangkau"),
    ):
        if counts[status]:
            yield f"{counts[status]} {words}"
    unfinished = sum(1 for each in executions if not each.ended or each.status in ("waiting", "interrupted"))
    if unfinished:
        yield f"{unfinished} belum selesai"


def _marks(each: Done) -> list[str]:
    marks = [mark for mark, _ in each.evidence]
    if not marks:
        return []
    return [f"Bukti: {len(marks)} berkas [{marks[0]} – {marks[-1]}]" if len(marks) > 1 else f"Bukti: [{marks[0]}]"]
