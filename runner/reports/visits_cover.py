"""How far the log of visitors' activity can be relied on, and what it does not show of persons."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from runner.reports.paper.model import Block, Cell, Column, Line, Look, Table, cell
from runner.reports.pen import Pen
from runner.reports.periodic.terms import Term
from runner.reports.visits import SiteVisits

MOST_DAYS = 12
MOST_SITES = 1000
COVER = (
    Column("Website", 36),
    Column("Pemindaian", 23, "right"),
    Column("Baris diperiksa", 22, "right"),
    Column("Tidak dikenali", 20, "right"),
    Column("Terpotong", 20, "right"),
    Column("Tidak dapat dipastikan", 22, "right"),
    Column("Hari tanpa catatan", 22, "right"),
)

Names = Callable[[str], str]


def busiest(sites: Mapping[str, SiteVisits]) -> list[tuple[str, SiteVisits]]:
    """The websites, those with the most requests first."""
    return sorted(sites.items(), key=lambda pair: (-(pair[1].sums["requests"] or 0), pair[0]))[:MOST_SITES]


def build_cover(sites: Mapping[str, SiteVisits], term: Term, until: date, names: Names, pen: Pen) -> Iterator[Block]:
    """Give what was examined, what was not understood, and days and parts of logs that nobody knows of."""
    missing = {name: _days_without(site, term, until) for name, site in sites.items()}
    yield Table(COVER, [_cover_row(names(name), site, len(missing[name]), pen) for name, site in busiest(sites)])
    for name, days in missing.items():
        if days:
            form = "{0.day}" if term.first.month == term.last.month else "{0.day}/{0.month}"
            shown = ", ".join(form.format(day) for day in days[:MOST_DAYS])
            more = f", dan {len(days) - MOST_DAYS} hari lainnya" if len(days) > MOST_DAYS else ""
            yield Line(f"{names(name)}: tidak ada permintaan yang tercatat pada tanggal {shown}{more}.")
    gaps = sum(site.gaps for site in sites.values())
    if gaps:
        yield Line(f"{pen.number(gaps)} kali sebagian log hilang sebelum sempat diambil; isinya tidak diketahui.")
    note = "Pemindaian yang dihitung tidak bertumpang tindih, sehingga tidak ada baris yang terhitung dua kali."
    yield Line(note, Look.NOTE)


def _days_without(site: SiteVisits, term: Term, until: date) -> list[date]:
    days = (term.first + timedelta(days=number) for number in range((until - term.first).days + 1))
    return [day for day in days if not site.days.get(day)]


def _cover_row(name: str, site: SiteVisits, missing: int, pen: Pen) -> Sequence[Cell]:
    scans = f"{pen.number(site.scans)} ({pen.number(site.counted)} dihitung)"
    figures: tuple[Any, ...] = (site.lines, site.not_understood, site.incomplete, site.unknown, missing)
    return [cell(name), cell(scans), *(cell(pen.number(figure)) for figure in figures)]


def build_privacy(sites: Mapping[str, SiteVisits], pen: Pen) -> Iterator[Block]:
    """Give what the paper leaves out, and how long the raw lines are kept apart."""
    kept = [each for site in sites.values() for each in site.restricted.values()]
    yield Line(
        "Laporan ini tidak memuat alamat pengunjung, isi pencarian, nama, nomor identitas, atau kata sandi. Alamat "
        "ditampilkan sebagai jaringan (/24 atau /48) dengan penanda yang hanya dapat dihitung dengan kunci situs.",
        Look.BODY,
    )
    if kept:
        keepers = ", ".join(sorted({keeper for _, keeper in kept if keeper})) or "–"
        ends = sorted(day for text, _ in kept if (day := _day(text)))
        until = f", paling lama sampai {pen.day(ends[-1])}" if ends else ""
        words = f"{pen.number(len(kept))} berkas baris asli disimpan terpisah untuk keamanan sistem{until}"
        yield Line(f"{words} (penyimpan: {keepers}); penghapusannya dicatat.", Look.BODY)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
