"""Log aktivitas pengunjung, as people read it: pictures and tables of a period, from the journal alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta

from runner.contract import Severity
from runner.reports.paper.drawing import choose_top
from runner.reports.paper.model import Block, Cell, Chart, Column, Heading, Line, Look, Series, Table, cell
from runner.reports.pen import Pen
from runner.reports.periodic.terms import Term
from runner.reports.visits import Found, SiteVisits, Visits
from runner.reports.visits_cover import build_cover, build_privacy, busiest

MOST_ROWS = 20
MOST_EXAMPLES = 3
MOST_FINDINGS = 40
MOST_SOURCES = 3
WEEKS = 8  # before the period
MOST_LABELS = 14
WEEK = timedelta(weeks=1)
_RANK = {str(severity): place for place, severity in enumerate(Severity)}
CLASSES = {
    "2": "2xx berhasil",
    "3": "3xx dialihkan",
    "4": "4xx tidak ada atau ditolak",
    "5": "5xx kesalahan server",
}
VISITS = (
    Column("Website", 36),
    Column("Permintaan", 22, "right"),
    Column("Kunjungan orang", 22, "right"),
    Column("Kunjungan program", 22, "right"),
    Column("Alamat terbanyak", 22, "right"),
    Column("Data terkirim", 22, "right"),
)
TREND = (
    Column("Website", 44),
    Column("Per hari, periode ini", 30, "right"),
    Column("Per hari, sebelumnya", 30, "right"),
    Column("Perubahan", 26, "right"),
)
FINDINGS = (
    Column("Temuan", 44),
    Column("Percobaan", 19, "right"),
    Column("Diduga berhasil", 19, "right"),
    Column("Waktu", 34),
    Column("Sumber terbanyak", 42),
)
TABLES = (
    ("Halaman yang paling banyak dikunjungi", "top_pages", "Halaman"),
    ("Halaman yang dicari dan tidak ada", "missing_pages", "Halaman"),
    ("Situs asal pengunjung", "top_referers", "Situs"),
    ("Program yang menyebut namanya", "top_bots", "Program"),
)

Names = Callable[[str], str]


def build_visits(found: Visits, term: Term, names: Names, pen: Pen) -> Iterator[Block]:
    """Given what scans told of a period, the period and what gives a target's title, give the paper's parts."""
    if found.as_of is None:
        yield Line("Tidak ada pemindaian log yang tercatat dalam periode ini; aktivitas pengunjung tidak diketahui.")
        return
    sites, until = found.sites, min(found.as_of.date(), term.last)
    yield Heading("Ringkasan")
    yield from _summary(sites, pen)
    yield Heading("Kunjungan")
    yield _by_day(sites, term, until)
    yield Table(VISITS, [_visits_row(names(name), site, pen) for name, site in busiest(sites)])
    yield Line(
        "Kunjungan berakhir setelah setengah jam tanpa permintaan. Alamat terbanyak: dalam satu pemindaian.", Look.NOTE
    )
    yield from _hours(sites)
    yield from _statuses(sites, pen)
    yield Heading("Perkembangan dari minggu ke minggu")
    yield from _trend(sites, term, until, names, pen)
    yield Heading("Asal dan tujuan")
    yield from _lists(sites, names, pen)
    yield Heading("Aktivitas yang mencurigakan")
    yield from _findings(sites, names, pen)
    yield Heading("Cakupan pemeriksaan")
    yield from build_cover(sites, term, until, names, pen)
    yield Heading("Pelindungan data pribadi")
    yield from build_privacy(sites, pen)


def _summary(sites: Mapping[str, SiteVisits], pen: Pen) -> Iterator[Block]:
    lines, strange = (sum(getattr(site, name) for site in sites.values()) for name in ("lines", "not_understood"))
    attempts, successes = (
        sum(getattr(each, name) for site in sites.values() for each in site.findings.values())
        for name in ("attempts", "successes")
    )
    doubts = sum(site.unknown + site.incomplete + site.gaps for site in sites.values())
    examined = f"{pen.number(lines)} baris log diperiksa, {pen.number(strange)} di antaranya tidak dikenali bentuknya."
    if successes:
        worked = f"{pen.number(successes)} diduga berhasil dan harus diperiksa"
        judged = f"{pen.number(attempts)} temuan mencurigakan; {worked}."
    elif attempts:
        judged = f"{pen.number(attempts)} temuan mencurigakan; tidak ada yang tampak berhasil."
    elif lines:
        judged = "Tidak ditemukan permintaan yang mencurigakan."
    else:
        judged = "Aktivitas pengunjung tidak diketahui."
    doubt = " Sebagian log tidak terbaca atau tidak dapat dipastikan, lihat cakupan pemeriksaan." if doubts else ""
    yield Line(f"{examined} {judged}{doubt}", Look.BODY)


def _by_day(sites: Mapping[str, SiteVisits], term: Term, until: date) -> Chart:
    slices = list(term.slices(until))
    values = [_total(sites.values(), first, end) for _, first, end in slices]
    return _chart("Permintaan", [label for label, _, _ in slices], values, f"Permintaan, {term.name}")


def _total(sites: Iterable[SiteVisits], first: date, end: date) -> float | None:
    known = [number for site in sites for day, number in site.days.items() if first <= day < end]
    return sum(known) if known else None


def _chart(title: str, labels: Sequence[str], values: Sequence[float | None], said: str) -> Chart:
    top = max((value for value in values if value is not None), default=1)
    words = f"{said}: terbanyak {top:.0f}."
    return Chart(title, labels, [Series("permintaan", values)], "", choose_top(top), words)


def _visits_row(name: str, site: SiteVisits, pen: Pen) -> Sequence[Cell]:
    figures = [site.sums["requests"], site.sums["visits"], site.sums["bot_visits"], site.addresses]
    sent = site.sums["transferred"]
    return [
        cell(name),
        *(cell(_number(figure, pen)) for figure in figures),
        cell("–" if sent is None else pen.size(sent)),
    ]


def _number(value: int | None, pen: Pen) -> str:
    return "–" if value is None else pen.number(value)


def _hours(sites: Mapping[str, SiteVisits]) -> Iterator[Block]:
    hours = sum((site.hours for site in sites.values()), Counter[int]())
    if hours:
        labels = [f"{hour:02d}" for hour in range(24)]
        yield _chart("Permintaan menurut jam", labels, [hours[hour] for hour in range(24)], "Permintaan menurut jam")


def _statuses(sites: Mapping[str, SiteVisits], pen: Pen) -> Iterator[Block]:
    statuses = sum((site.statuses for site in sites.values()), Counter[str]())
    classes = Counter[str]()
    for status, number in statuses.items():
        classes[status[:1]] += number
    if total := classes.total():
        shares = (
            f"{words} {pen.number(classes[key])} ({pen.number(100 * classes[key] / total, 1)}%)"
            for key, words in CLASSES.items()
            if classes[key]
        )
        yield Line(f"Jawaban server: {'; '.join(shares)}.")


def _trend(sites: Mapping[str, SiteVisits], term: Term, until: date, names: Names, pen: Pen) -> Iterator[Block]:
    monday = term.first - timedelta(days=term.first.weekday())
    begin = monday - WEEKS * WEEK
    weeks = [begin + number * WEEK for number in range(((until - begin).days // 7) + 1)][-31:]
    values = [_total(sites.values(), week, week + WEEK) for week in weeks]
    while values[0] is None and weeks[0] < monday:
        del weeks[0], values[0]
    apart = -(-len(weeks) // MOST_LABELS)
    labels = ["" if place % apart else f"{week.day}/{week.month}" for place, week in enumerate(weeks)]
    yield _chart("Permintaan per minggu, menurut hari Seninnya", labels, values, "Permintaan per minggu")
    rows = [
        _trend_row(names(name), _mean(site, term.first, term.end), _mean(site, begin, term.first), pen)
        for name, site in busiest(sites)
    ]
    yield Table(TREND, rows)
    yield Line(f"Rata-rata dari hari yang ada catatannya; sebelumnya: {WEEKS} minggu sebelum periode.", Look.NOTE)
    yield Line("Minggu yang belum selesai atau terputus tampak lebih rendah.", Look.NOTE)


def _mean(site: SiteVisits, first: date, end: date) -> float | None:
    known = [number for day, number in site.days.items() if first <= day < end]
    return sum(known) / len(known) if known else None


def _trend_row(name: str, now: float | None, before: float | None, pen: Pen) -> Sequence[Cell]:
    means = ("–" if mean is None else pen.number(mean) for mean in (now, before))
    change = "–"
    if now is not None and before:
        percent = 100 * (now - before) / before
        change = f"{'naik' if percent >= 0 else 'turun'} {pen.number(abs(percent), 1)}%"
    return [cell(name), *(cell(mean) for mean in means), cell(change)]


def _lists(sites: Mapping[str, SiteVisits], names: Names, pen: Pen) -> Iterator[Block]:
    several = len(sites) > 1
    for title, key, head in TABLES:
        rows = [
            (number, text, name) for name, site in sites.items() for text, number in site.lists[key].items() if text
        ]
        if not rows:
            continue
        columns = [Column(head, 100), *([Column("Website", 40)] if several else []), Column("Permintaan", 26, "right")]
        worst = sorted(rows, key=lambda row: (-row[0], row[1], row[2]))[:MOST_ROWS]
        yield Heading(title, 2)
        yield Table(
            columns,
            [[cell(text), *([cell(names(name))] if several else []), cell(pen.number(n))] for n, text, name in worst],
        )
    yield Line("Jumlah dari daftar teratas setiap pemindaian: sekurang-kurangnya sebanyak ini.", Look.NOTE)


def _findings(sites: Mapping[str, SiteVisits], names: Names, pen: Pen) -> Iterator[Block]:
    rows = [(found, name) for name, site in sites.items() for found in site.findings.values()]
    if not rows:
        examined = sum(site.lines for site in sites.values())
        words = f"Tidak ditemukan permintaan yang mencurigakan; {pen.number(examined)} baris diperiksa."
        yield Line(words if examined else "Tidak ada baris log yang dapat diperiksa.")
        return
    worst = sorted(rows, key=lambda row: (-row[0].successes, -_RANK.get(row[0].severity, 0), -row[0].attempts, row[1]))
    shown, left = worst[:MOST_FINDINGS], len(worst) - MOST_FINDINGS
    yield Table(FINDINGS, [_finding_row(found, names(name) if len(sites) > 1 else "", pen) for found, name in shown])
    if left > 0:
        yield Line(f"Masih ada {pen.number(left)} temuan lain yang lebih ringan atau lebih jarang, lihat sop show.")
    note = "Satu permintaan dapat memenuhi beberapa aturan. Sumber: jaringan yang disamarkan, dan penanda pengunjung."
    yield Line(note, Look.NOTE)


def _finding_row(found: Found, site: str, pen: Pen) -> Sequence[Cell]:
    title = found.title[:1].upper() + found.title[1:]
    notes = [site, pen.severity(found.severity), *list(found.examples)[:MOST_EXAMPLES]]
    when = pen.span(found.first, found.last) if found.first and found.last else "–"
    worst = sorted(found.sources.items(), key=lambda pair: (-pair[1], pair[0]))[:MOST_SOURCES]
    sources = [f"{network} {f'[{token}]' if token else ''}: {pen.number(n)}" for (network, token), n in worst]
    return [
        cell(Line(title, Look.STRONG), *(Line(note, Look.NOTE) for note in notes if note)),
        cell(pen.number(found.attempts)),
        cell(pen.number(found.successes)),
        cell(when),
        cell(*(Line(source, Look.NOTE) for source in sources)) or cell("–"),
    ]
