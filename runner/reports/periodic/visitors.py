"""Visitors over a period, in aggregate only: no address and no page that a person visited stands on a report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from runner.inventory.register import read_day
from runner.reports.office import Office
from runner.reports.paper.drawing import choose_top
from runner.reports.paper.model import Block, Chart, Column, Line, Look, Series, Table, cell
from runner.reports.pen import Pen
from runner.reports.periodic.gathering import Gathered
from runner.reports.periodic.terms import Term

VERDICTS = {
    "clean": "bersih",
    "attempts": "ada percobaan",
    "likely_intrusion": "diduga berhasil dimasuki",
    "unknown": "tidak diketahui",
}
AGGREGATE = (
    "Hanya angka gabungan. Percobaan dijumlahkan dari semua pemindaian; baris log yang dipindai dua kali terhitung dua "
    "kali."
)
COLUMNS = (
    Column("Website", 36),
    Column("Pemindaian log", 25, "right"),
    Column("Permintaan", 24, "right"),
    Column("Alamat terbanyak dalam satu pemindaian", 30, "right"),
    Column("Percobaan mencurigakan", 28, "right"),
    Column("Hasil pemindaian", 37),
)


@dataclass(slots=True)
class Log:
    """The access log of a website: requests by day, as the fullest look at that day counted them."""

    days: dict[date, int] = field(default_factory=dict)
    addresses: int = 0
    attempts: int = 0
    verdicts: Counter[str] = field(default_factory=Counter)


def find_logs(found: Gathered, term: Term) -> dict[str, Log]:
    """Given what a period holds, return the logs of the websites by name, of the days of the period."""
    logs: dict[str, Log] = {}
    for event in found.outcomes("logs.scan"):
        outputs = event.outputs
        log = logs.setdefault(event.target or "", Log())
        log.verdicts[str(outputs.get("verdict") or "unknown")] += 1
        log.addresses = max(log.addresses, outputs.get("addresses") or 0)
        log.attempts += outputs.get("attempts") or 0
        for text, requests in (outputs.get("days") or {}).items():
            day = read_day(text)
            if day and term.first <= day < term.end:
                log.days[day] = max(requests, log.days.get(day, 0))
    return dict(sorted(logs.items()))


def build_visitors(logs: Mapping[str, Log], term: Term, until: date, office: Office, pen: Pen) -> Iterator[Block]:
    """Given the logs and the last day on record, give the picture and the table of visits."""
    if not logs:
        yield Line("Tidak ada pemindaian log yang tercatat dalam periode ini.")
        return
    yield _chart(logs, term, until)
    yield Table(COLUMNS, [_row(office.title_of(name), log, pen) for name, log in logs.items()])
    yield Line(AGGREGATE, Look.NOTE)


def _row(name: str, log: Log, pen: Pen) -> list[Any]:
    scans = sum(log.verdicts.values())
    figures = (scans, sum(log.days.values()), log.addresses, log.attempts)
    verdicts = [f"{words}: {pen.number(log.verdicts[key])}" for key, words in VERDICTS.items() if log.verdicts[key]]
    return [cell(name), *(cell(pen.number(figure)) for figure in figures), cell(*verdicts)]


def _chart(logs: Mapping[str, Log], term: Term, until: date) -> Chart:
    slices = list(term.slices(until))
    days: Counter[date] = Counter()
    for log in logs.values():
        days.update(log.days)
    values: list[float | None] = []
    for _, first, end in slices:
        known = [count for day, count in days.items() if first <= day < end]
        values.append(sum(known) if known else None)
    top = max((value for value in values if value is not None), default=1)
    said = f"Permintaan halaman, {term.name}: terbanyak {top:.0f}."
    return Chart(
        "Permintaan halaman",
        [label for label, _, _ in slices],
        [Series("permintaan", values)],
        "",
        choose_top(top),
        said,
    )
