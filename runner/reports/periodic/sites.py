"""Availability and content of the websites over a period."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from runner.inventory.register import read_day
from runner.reports.history import Tally, sum_tallies
from runner.reports.office import Office
from runner.reports.paper.model import Block, Chart, Column, Line, Look, Series, Table, cell
from runner.reports.pen import Pen
from runner.reports.periodic.gathering import Gathered
from runner.reports.periodic.terms import Term

MOST_SERIES = 3
FRESH = {True: "masih baru", False: "terlalu lama", None: "tidak diketahui apakah masih baru"}
COLUMNS = (
    Column("Website", 33),
    Column("Pemeriksaan", 24, "right"),
    Column("Dapat diakses", 18, "right"),
    Column("Tidak dapat diakses", 18, "right"),
    Column("Tidak diketahui", 19, "right"),
    Column("Ketersediaan", 26, "right"),
    Column("Konten terbaru", 30),
)


@dataclass(slots=True)
class Site:
    """A website over the period; `content` is what was last found of its content, None if nothing was."""

    days: dict[date, Tally] = field(default_factory=dict)
    content: Mapping[str, Any] | None = None

    @property
    def all(self) -> Tally:
        """All visits."""
        return sum_tallies(self.days.values())


def find_sites(found: Gathered, pen: Pen) -> dict[str, Site]:
    """Given what a period holds, return its websites by name."""
    sites: dict[str, Site] = {}
    for event in found.outcomes("website.available"):
        if event.data["status"] == "skipped":
            continue
        day = pen.local(event.at).date()
        site = sites.setdefault(event.target or "", Site())
        outputs = event.outputs
        tally = site.days.setdefault(day, Tally())
        tally.add(outputs.get("available"), maintenance=bool(outputs.get("maintenance")))
    for event in found.outcomes("website.updated"):
        sites.setdefault(event.target or "", Site()).content = event.outputs
    return dict(sorted(sites.items()))


def build_sites(sites: Mapping[str, Site], term: Term, until: date, office: Office, pen: Pen) -> Iterator[Block]:
    """Given the websites and the last day on record, give the picture and the table of their availability."""
    if not sites:
        yield Line("Tidak ada pemeriksaan website yang tercatat dalam periode ini.")
        return
    yield _chart(sites, term, until, office)
    yield Table(COLUMNS, [_row(office.title_of(name), site, pen) for name, site in sites.items()])
    words = (
        "Ketersediaan dihitung dari pemeriksaan yang hasilnya diketahui; yang tidak diketahui tidak dianggap tersedia."
    )
    yield Line(words, Look.NOTE)
    planned = sum(site.all.maintenance for site in sites.values())
    if planned:
        yield Line(f"{pen.number(planned)} pemeriksaan dalam jadwal pemeliharaan tidak ikut dihitung.", Look.NOTE)


def say_share(count: Tally, pen: Pen) -> str:
    """Given visits, return the share of those that found the site available, in words."""
    return "tidak diketahui" if count.share is None else f"{pen.number(count.share, 2)}%"


def _row(name: str, site: Site, pen: Pen) -> list[Any]:
    every = site.all
    figures = (every.up + every.down + every.unknown, every.up, every.down, every.unknown)
    shown = [cell(pen.number(figure)) for figure in figures]
    return [cell(name), *shown, cell(say_share(every, pen)), cell(*_content(site, pen))]


def _content(site: Site, pen: Pen) -> Iterator[str]:
    content = site.content
    if content is None:
        yield "tidak diperiksa"
        return
    newest, age = read_day(content.get("newest")), content.get("age_days")
    yield pen.day(newest) if newest else "tidak diketahui"
    if age is not None:
        yield f"berumur {pen.number(age)} hari"
    yield FRESH[content.get("updated")]
    for section in content.get("sections") or ():
        day = read_day(section.get("newest"))
        yield f"{section.get('section')}: {pen.day(day) if day else '–'}, {FRESH[section.get('updated')]}"


def _chart(sites: Mapping[str, Site], term: Term, until: date, office: Office) -> Chart:
    slices = list(term.slices(until))
    rows = {office.title_of(name): site.days for name, site in sites.items()}
    if len(rows) > MOST_SERIES:
        rows = {f"{len(sites)} website bersama-sama": _merge(list(rows.values()))}
    series = [Series(name, [_share(days, first, end) for _, first, end in slices]) for name, days in rows.items()]
    lowest = [min(known) for each in series if (known := [value for value in each.values if value is not None])]
    said = f"Ketersediaan akses, {term.name}: terendah {min(lowest):.0f} persen." if lowest else "Tidak ada data."
    return Chart("Ketersediaan akses website (persen)", [label for label, _, _ in slices], series, "%", 100, said)


def _share(days: Mapping[date, Tally], first: date, end: date) -> float | None:
    return sum_tallies(tally for day, tally in days.items() if first <= day < end).share


def _merge(sites: Sequence[Mapping[date, Tally]]) -> dict[date, Tally]:
    days = sorted({day for site in sites for day in site})
    return {day: sum_tallies(site[day] for site in sites if day in site) for day in days}
