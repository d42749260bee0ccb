"""Services at the end of a period: until when each is paid for, and what is left to do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from runner.events import Event
from runner.inventory.register import read_day
from runner.reports.office import Office
from runner.reports.paper.model import Block, Column, Line, Table, cell
from runner.reports.pen import Pen
from runner.reports.periodic.gathering import Gathered
from runner.reports.services import STAGES

COLUMNS = (
    Column("Layanan", 38),
    Column("Berlaku sampai", 28),
    Column("Sisa hari", 18, "right"),
    Column("Tahap", 28),
    Column("Diperiksa", 28),
    Column("Perpanjangan", 36),
)


def find_services(found: Gathered, action: str = "service.due") -> dict[str, Event]:
    """Given what a period holds, return the last outcome of that action by service."""
    return {event.target or "": event for event in found.outcomes(action)}


def build_services(found: Gathered, office: Office, pen: Pen) -> Iterator[Block]:
    """Given what a period holds, give the table of the services."""
    services, renewed = find_services(found), find_services(found, "service.renewed")
    if not services:
        yield Line("Tidak ada pemeriksaan layanan yang tercatat dalam periode ini.")
        return
    rows = [
        _row(office.title_of(name), event, renewed.get(name), pen)
        for name, event in sorted(services.items(), key=lambda each: _urgency(each[1]))
    ]
    yield Table(COLUMNS, rows)


def _urgency(event: Event) -> tuple[bool, Any, str]:
    left = event.outputs.get("days_left")
    return left is not None, left or 0, event.target or ""


def _row(name: str, event: Event, renewed: Event | None, pen: Pen) -> list[Any]:
    outputs = event.outputs
    expires, left = read_day(outputs.get("expires")), outputs.get("days_left")
    return [
        cell(name),
        cell(pen.day(expires) if expires else "tidak diketahui"),
        cell(pen.number(left) if left is not None else "–"),
        cell(STAGES.get(str(outputs.get("stage")), "Tidak diketahui")),
        cell(pen.day(event.at)),
        cell(*_renewal(renewed.outputs if renewed else {})),
    ]


def _renewal(outputs: Mapping[str, Any]) -> Iterator[str]:
    if outputs.get("renewed"):
        yield "selesai"
    for missing in outputs.get("missing") or ():
        yield f"belum ada: {missing}"
