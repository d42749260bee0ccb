"""What people did in a period: whom it was decided or signed by, waits for third parties, escalations, deviations."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from runner.calendar import Calendar
from runner.events import Event
from runner.reports.activities import DID, LONGEST_WORDS
from runner.reports.lists import build_list
from runner.reports.office import Office
from runner.reports.paper.model import Block, Cell, Column, Heading, Line, Look, cell
from runner.reports.pen import Pen
from runner.reports.periodic.gathering import Gathered, Wait
from runner.reports.values import shorten

NO_DEEDS = "Tidak ada keputusan atau tanda tangan pejabat yang tercatat dalam periode ini."
DEEDS = (
    Column("Waktu", 28),
    Column("Kegiatan", 18),
    Column("Oleh", 40),
    Column("Keputusan", 30),
    Column("Catatan", 52),
)
WAITS = (
    Column("Pihak ketiga", 40),
    Column("Diserahkan", 36),
    Column("Kembali", 36),
    Column("Lama menunggu", 28),
    Column("Catatan", 40),
)
RUNGS = (
    Column("Waktu", 30),
    Column("Kegiatan", 20),
    Column("Batas waktu", 36),
    Column("Kepada", 50),
    Column("Tersampaikan", 24),
)
CANCELLED = (Column("Waktu", 30), Column("Pelaksanaan", 40), Column("Oleh", 40), Column("Alasan", 58))
DEVIATIONS = (
    Column("Waktu", 30),
    Column("Pelaksanaan", 38),
    Column("Kegiatan", 18),
    Column("Sasaran", 30),
    Column("Penyimpangan", 52),
)


class Names(NamedTuple):
    """How a run's steps and roles are called on the form: by (playbook, step) and (playbook, role)."""

    numbers: dict[tuple[str, str], str]
    roles: dict[tuple[str, str], str]

    def of(self, found: Gathered, run: str, step: str) -> str:
        """Given a run and its step, return the activity's number, else the step's id."""
        return self.numbers.get((found.runs[run].playbook, step), step)

    def role(self, found: Gathered, run: str, role: str) -> str:
        """Given a run and a role, return how its procedure calls it."""
        return self.roles.get((found.runs[run].playbook, role), role)


def build_deeds(found: Gathered, names: Names, office: Office, calendar: Calendar, pen: Pen) -> Iterator[Block]:
    """Given what a period holds, give what people decided and signed, third parties' waits and escalations."""
    yield from build_list(DEEDS, [_deed(event, found, names, office, pen) for event in found.answers], none=NO_DEEDS)
    if found.cancellations:
        yield Heading("Pelaksanaan yang dibatalkan", 2)
        yield from build_list(CANCELLED, [_cancelled(event, office, pen) for event in found.cancellations])
    if found.waits:
        yield Heading("Waktu tunggu pihak ketiga (dihitung terpisah)", 2)
        yield from build_list(WAITS, [_wait(wait, calendar, pen) for wait in found.waits])
    if found.escalations:
        yield Heading("Eskalasi karena melewati batas waktu", 2)
        yield from build_list(RUNGS, [_rung(event, found, names, office, pen) for event in found.escalations])


def build_deviations(found: Gathered, names: Names, office: Office, pen: Pen) -> Iterator[Block]:
    """Given what a period holds, give every deviation with its place."""
    rows = sorted(_deviations(found, names, office, pen), key=lambda row: row[0])
    yield from build_list(DEVIATIONS, [row for _, row in rows], none="Tidak ada penyimpangan yang tercatat.")


def count_deviations(found: Gathered) -> int:
    """Given what a period holds, return how many deviations it has."""
    steps = sum(len(execution.deviations) for execution in found.executions.values())
    return steps + sum(len(event.data.get("deviations") or ()) for event in found.answers)


def _deed(event: Event, found: Gathered, names: Names, office: Office, pen: Pen) -> Sequence[Cell]:
    data = event.data
    label = str(data.get("label") or "")
    acting = f"{data['acting']}. " if data.get("acting") else ""
    did = DID.get(label, "").removesuffix(" oleh") or label
    role = names.role(found, event.run, str(data.get("role") or ""))
    person = office.name_of(str(data.get("person") or ""))
    return (
        cell(pen.clock(event.at)),
        cell(names.of(found, event.run, event.step)),
        cell(person, Line(acting + role, Look.NOTE)),
        cell(
            did, *([Line(f"ke kegiatan {names.of(found, event.run, data['to'])}", Look.NOTE)] if data.get("to") else [])
        ),
        cell(shorten(str(data.get("note") or ""), LONGEST_WORDS)),
    )


def _cancelled(event: Event, office: Office, pen: Pen) -> Sequence[Cell]:
    person, reason = (str(event.data.get(name) or "") for name in ("person", "reason"))
    words = shorten(reason, LONGEST_WORDS)
    return cell(pen.clock(event.at)), cell(event.run), cell(office.name_of(person)), cell(words)


def _wait(wait: Wait, calendar: Calendar, pen: Pen) -> Sequence[Cell]:
    until = wait.until
    lasted = f"{pen.duration(calendar.working_seconds(wait.since, until))} (waktu kerja)" if until else ""
    return (
        cell(wait.party),
        cell(pen.clock(wait.since)),
        cell(pen.clock(until) if until else "belum"),
        cell(lasted),
        cell(shorten(wait.note, LONGEST_WORDS)),
    )


def _rung(event: Event, found: Gathered, names: Names, office: Office, pen: Pen) -> Sequence[Cell]:
    data = event.data
    people = ", ".join(office.name_of(str(person)) for person in data.get("persons") or ())
    role = names.role(found, event.run, str(data.get("role") or ""))
    reached = any(told.get("status") == "sent" for told in data.get("told") or ())
    return (
        cell(pen.clock(event.at)),
        cell(names.of(found, event.run, event.step)),
        cell(pen.clock(datetime.fromisoformat(data["due"])) if data.get("due") else ""),
        cell(people or role, Line(f"tingkat {data.get('rung')}", Look.NOTE)),
        cell("ya" if reached else "tidak"),
    )


def _deviations(found: Gathered, names: Names, office: Office, pen: Pen) -> Iterator[tuple[datetime, Sequence[Cell]]]:
    for execution in found.executions.values():
        for deviation in execution.deviations:
            at, place = execution.ended or execution.moment, (execution.run, execution.step)
            yield at, _deviation(at, *place, office.title_of(execution.target), deviation, found, names, pen)
    for event in found.answers:
        for deviation in event.data.get("deviations") or ():
            yield (
                event.at,
                _deviation(
                    event.at, event.run, event.step, office.title_of(event.target), deviation, found, names, pen
                ),
            )


def _deviation(
    at: datetime, run: str, step: str, target: str, deviation: str, found: Gathered, names: Names, pen: Pen
) -> Sequence[Cell]:
    number = names.of(found, run, step)
    return cell(pen.clock(at)), cell(run), cell(number), cell(target), cell(pen.deviation(deviation))
