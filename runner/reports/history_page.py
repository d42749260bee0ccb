"""The history of the websites as people look at it: pictures and tables of a period, from the journal alone."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import date, datetime

from runner.record.problems import KnownProblem
from runner.reports.history import (
    PHASES,
    Countdown,
    History,
    SiteHistory,
    Spread,
    Tally,
    sum_spreads,
    sum_tallies,
)
from runner.reports.paper.model import Block, Cell, Chart, Column, Heading, Line, Look, Series, Table, cell
from runner.reports.pen import Pen

MOST_SERIES = 3
MOST_ENDS = 31
MOST_ROWS = 1000
PERCENTILES = (50, 95, 99)
SOON = 30  # days
TROUBLE_NAMES = {
    "website.unavailable": "tidak dapat diakses",
    "website.unknown": "tidak dapat dipastikan",
    "website.unstable": "naik-turun",
    "office.network": "jaringan sendiri terganggu",
}
PHASE_NAMES = {
    "lookup": "Pencarian nama",
    "connect": "Penyambungan",
    "tls": "TLS",
    "first_byte": "Menunggu jawaban",
    "body": "Pengiriman halaman",
}
KINDS = {"certificate": "Sertifikat", "domain": "Nama domain"}
AVAILABILITY = (
    Column("Website", 44),
    Column("Pemeriksaan", 24, "right"),
    Column("Tidak dapat diakses", 24, "right"),
    Column("Tidak diketahui", 24, "right"),
    Column("Pemeliharaan", 24, "right"),
    Column("Ketersediaan", 26, "right"),
)
TIMES = (Column("Tahap", 44), *(Column(f"p{percent}", 30, "right") for percent in PERCENTILES))
ENDS = (Column("No", 10, "center"), Column("Yang berakhir", 60), Column("Berakhir", 40), Column("Sisa", 26, "right"))
OUTAGES = (Column("Website", 40), Column("Keadaan", 36), Column("Waktu", 64), Column("Lama", 26, "right"))

Names = Callable[[str], str]
Slice = tuple[str, date, date]  # its label, its first day, and the day after its last


def build_history(
    found: History, troubles: Sequence[KnownProblem], names: Names, slices: Sequence[Slice], pen: Pen
) -> Iterator[Block]:
    """Given what a period's records tell of the websites, their problems, what gives a target's title, and the days or
    months of the period, give the pictures and tables of it."""
    if found.as_of is None or not (found.sites or found.ends):
        yield Line("Tidak ada pemantauan website yang tercatat dalam periode ini.")
        return
    yield Heading("Ketersediaan")
    yield from _availability(found.sites, names, slices, pen)
    yield Heading("Gangguan")
    yield from _outages(troubles, names, pen)
    yield Heading("Waktu jawab")
    yield from _times(found.sites, slices, pen)
    yield Heading("Masa berlaku sertifikat dan nama domain")
    yield from _ends(list(found.ends.values()), found.as_of.date(), names, pen)


def _availability(sites: Mapping[str, SiteHistory], names: Names, slices: Sequence[Slice], pen: Pen) -> Iterator[Block]:
    rows = {names(name): site.days for name, site in sorted(sites.items())}
    shown = rows if len(rows) <= MOST_SERIES else {f"{len(rows)} website bersama-sama": _together(rows.values())}
    series = [
        Series(name, [_sliced(each, first, end).share for _, first, end in slices]) for name, each in shown.items()
    ]
    known = [value for each in series for value in each.values if value is not None]
    said = f"Ketersediaan, terendah {pen.number(min(known), 1)} persen." if known else "Tidak ada data."
    yield Chart("Ketersediaan (persen)", _labels(slices), series, "%", 100, said)
    worst = sorted(rows.items(), key=lambda row: (sum_tallies(row[1].values()).share or 0.0, row[0]))
    yield Table(AVAILABILITY, [_tally_row(name, sum_tallies(each.values()), pen) for name, each in worst[:MOST_ROWS]])
    note = "Dihitung dari pemeriksaan yang hasilnya diketahui; kegagalan dalam jendela pemeliharaan tidak dihitung."
    yield Line(note, Look.NOTE)


def _together(sites: Collection[Mapping[date, Tally]]) -> dict[date, Tally]:
    days = sorted({day for site in sites for day in site})
    return {day: sum_tallies(site[day] for site in sites if day in site) for day in days}


def _sliced(days: Mapping[date, Tally], first: date, end: date) -> Tally:
    return sum_tallies(tally for day, tally in days.items() if first <= day < end)


def _labels(slices: Sequence[Slice]) -> list[str]:
    return [label for label, _, _ in slices]


def _tally_row(name: str, tally: Tally, pen: Pen) -> Sequence[Cell]:
    checks = tally.up + tally.down + tally.unknown + tally.maintenance
    share = "tidak diketahui" if tally.share is None else f"{pen.number(tally.share, 2)}%"
    figures = (checks, tally.down, tally.unknown, tally.maintenance)
    return [cell(name), *(cell(pen.number(figure)) for figure in figures), cell(share)]


def _outages(troubles: Sequence[KnownProblem], names: Names, pen: Pen) -> Iterator[Block]:
    spans: list[tuple[datetime, datetime | None, KnownProblem]] = []
    for problem in troubles:
        if problem.key in TROUBLE_NAMES:
            spans += [(past.first_seen, past.solved_at, problem) for past in problem.earlier]
            spans.append((problem.first_seen, problem.solved_at, problem))
    rows = [_outage_row(*span, names, pen) for span in sorted(spans, key=lambda span: span[0])]
    if rows:
        yield Table(OUTAGES, rows[:MOST_ROWS])
    else:
        yield Line("Tidak ada gangguan yang tercatat.")


def _outage_row(start: datetime, end: datetime | None, problem: KnownProblem, names: Names, pen: Pen) -> Sequence[Cell]:
    lasted = pen.duration((end - start).total_seconds()) if end else "masih berlangsung"
    when = pen.span(start, end) if end else f"sejak {pen.clock(start)}"
    place = names(problem.target) if problem.target else "Semua, dari kantor sendiri"
    return cell(place), cell(TROUBLE_NAMES[problem.key]), cell(when), cell(lasted)


def _times(sites: Mapping[str, SiteHistory], slices: Sequence[Slice], pen: Pen) -> Iterator[Block]:
    answers = [answer for site in sites.values() for answer in site.answers.items()]
    by_slice = [sum_spreads(each for day, each in answers if first <= day < end) for _, first, end in slices]
    whole = sum_spreads(by_slice)
    if not whole.classes:
        yield Line("Tidak ada jawaban yang tercatat.")
        return
    yield _times_chart("Waktu jawab seluruhnya (milidetik)", _labels(slices), by_slice)
    phases = [sum_spreads(s.phases[p] for s in sites.values() if p in s.phases) for p in PHASES]
    yield _times_chart("Waktu jawab menurut tahap (milidetik)", [PHASE_NAMES[p] for p in PHASES], phases)
    rows = [*zip(PHASE_NAMES.values(), phases, strict=True), ("Seluruhnya", whole)]
    yield Table(TIMES, [[cell(name), *(cell(_seconds(each, p, pen)) for p in PERCENTILES)] for name, each in rows])
    note = "p95: 95 persen jawaban tidak lebih lama daripada itu. Nilai dibulatkan dalam kelas lima persen."
    yield Line(note, Look.NOTE)


def _times_chart(title: str, labels: Sequence[str], spreads: Sequence[Spread]) -> Chart:
    series = [Series(f"p{percent}", [_milliseconds(each, percent) for each in spreads]) for percent in PERCENTILES]
    highest = max((value for each in series for value in each.values if value is not None), default=1.0)
    return Chart(title, labels, series, "", _round_up(highest), f"{title}: tertinggi {highest:.0f} milidetik.")


def _milliseconds(spread: Spread, percent: float) -> float | None:
    seconds = spread.percentile(percent)
    return None if seconds is None else round(1000 * seconds, 1)


def _round_up(value: float) -> float:
    """The next of 1, 2, 4, 8 times a power of ten, so that a scale of four steps has round numbers."""
    power = 10.0 ** math.floor(math.log10(max(value, 1)))
    return max(4.0, next(factor * power for factor in (1, 2, 4, 8, 10) if factor * power >= value))


def _seconds(spread: Spread, percent: float, pen: Pen) -> str:
    seconds = spread.percentile(percent)
    if seconds is None:
        return "–"
    return f"{pen.number(1000 * seconds)} ms" if seconds < 1 else f"{pen.number(seconds, 1)} detik"


def _ends(ends: list[Countdown], today: date, names: Names, pen: Pen) -> Iterator[Block]:
    if not ends:
        yield Line("Tidak ada masa berlaku yang tercatat.")
        return
    soonest = sorted(ends, key=lambda each: (each.ends, each.target, each.kind))
    shown = soonest[:MOST_ENDS]
    labels = [str(number) for number in range(1, len(shown) + 1)]
    values = [max(0, each.days_left(today)) for each in shown]
    series = [
        Series(f"berakhir dalam {SOON} hari", [value if value <= SOON else 0 for value in values]),
        Series("lebih lama", [value if value > SOON else 0 for value in values]),
    ]
    first = shown[0]
    said = f"Yang paling dekat berakhir: {names(first.target)}, {first.days_left(today)} hari lagi."
    title = f"Sisa masa berlaku pada {pen.day(today)} (hari), menurut nomor dalam tabel"
    yield Chart(title, labels, series[::-1], "", _round_up(max(values)), said)
    yield Table(ENDS, [_end_row(n, each, today, names, pen) for n, each in enumerate(soonest[:MOST_ROWS], 1)])


def _end_row(number: int, each: Countdown, today: date, names: Names, pen: Pen) -> Sequence[Cell]:
    days = each.days_left(today)
    left = f"{pen.number(days)} hari" if days >= 0 else "telah berakhir"
    title = f"{KINDS[each.kind]} {names(each.target)}"
    seen = Line(f"terakhir diperiksa {pen.day(each.seen)}", Look.NOTE)
    return cell(str(number)), cell(title, seen), cell(pen.day(each.ends)), cell(left)
