"""The page of the services: dates, money and responsibility at a glance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from runner.actions.services.telling import PAPER_NAMES, render_reason
from runner.inventory.register import Paper, Period
from runner.messages import MONTHS, render_day, render_moment, render_money, render_number
from runner.reports.cash import NO_LINE, Entry, build_tables, find_entries
from runner.reports.facts import Fact, Facts, needs_money
from runner.reports.office import build_letterhead
from runner.reports.pages import render_page

STAGES = {
    "expired": "LEWAT MASA BERLAKU",
    "due": "Perlu diurus",
    "unknown": "Tidak diketahui",
    "arranged": "Sedang diproses",
    "later": "Masih berlaku",
}
LINES_PER_TABLE = 4
MOST_HISTORY = 100


@dataclass(frozen=True, slots=True)
class Row:
    """A service on the page, as text."""

    stage: str
    title: str
    provider: Sequence[str]
    expires: str
    source: str
    left: str
    state: str
    reason: str
    deadline: str
    cost: str
    line: str
    people: Sequence[str]


@dataclass(frozen=True, slots=True)
class Cash:
    """A table of money: the budget lines of its columns, a row for each month, the totals."""

    title: str
    lines: Sequence[str]
    rows: Sequence[tuple[str, Sequence[str]]]
    totals: Sequence[str]


@dataclass(frozen=True, slots=True)
class Renewal:
    """A renewal that is being arranged: its papers and what is missing."""

    title: str
    until: str
    papers: Sequence[str]
    missing: Sequence[str]


def render_services(facts: Facts) -> str:
    """Given what is known of the services, return the page: self-contained HTML, ready to print in landscape."""
    entries = find_entries(facts)
    return render_page(
        "services.html",
        styles="services.css",
        letterhead=build_letterhead(facts.office),
        office=str(facts.office.get("name") or ""),
        moment=render_moment(facts.now.astimezone(facts.calendar.office.zone), "id"),
        counts=_counts(facts),
        needs=add_up([entry for entry in entries if needs_money(entry.fact, facts.today) and is_next(entry)]),
        rows=[_row(fact) for fact in facts.services],
        cash=_cash(entries, facts.today),
        unpriced=[f.service.label for f in facts.services if f.service.next_cost[0] is None],
        renewals=[_renewal(fact) for fact in facts.services if fact.service.renewal or fact.missing],
        history=_history(facts)[:MOST_HISTORY],
        head=facts.head,
    )


def _counts(facts: Facts) -> list[tuple[str, str, int]]:
    stages = [fact.stage for fact in facts.services]
    return [(stage, words, stages.count(stage)) for stage, words in STAGES.items()]


def _row(fact: Fact) -> Row:
    service, standing = fact.service, fact.standing
    amount, currency = service.next_cost
    customer = f"Nomor pelanggan {service.customer}" if service.customer else ""
    automatic = "Diperpanjang penyedia dengan sendirinya" if service.automatic else ""
    return Row(
        stage=fact.stage,
        title=full_title(fact),
        provider=[line for line in (service.provider, customer, automatic) if line],
        expires=render_day(fact.expires, "id") if fact.expires else "tidak diketahui",
        source=_source(fact),
        left=_left(fact),
        state=STAGES[fact.stage],
        reason=_reason(fact),
        deadline=render_day(standing.deadline, "id") if standing else "–",
        cost=render_money(amount, currency) if amount is not None else "belum dicatat",
        line=service.mak or f"Mata anggaran {NO_LINE}",
        people=[person.name for person in fact.people] or ["belum ditetapkan"],
    )


def _reason(fact: Fact) -> str:
    if fact.standing is None or fact.expires is None:
        return ""
    early = fact.stage == "due" and fact.standing.deadline != fact.expires
    budget = "Tahun anggaran berakhir lebih dahulu." if early else ""
    return f"{budget} {render_reason(fact.standing, fact.expires)}".strip()


def full_title(fact: Fact) -> str:
    """Given a service, return how people call it, as the beginning of a line."""
    label = fact.service.label
    return label[:1].upper() + label[1:]


def _source(fact: Fact) -> str:
    if fact.expires is None:
        return ""
    return "terlihat dari luar" if fact.seen else "menurut daftar"


def _left(fact: Fact) -> str:
    if fact.standing is None:
        return "–"
    days = fact.standing.days_left
    if days < 0:
        return f"lewat {render_number(-days, 'id')} hari"
    return f"{render_number(days, 'id')} hari" if days else "hari ini"


def _cash(entries: Sequence[Entry], today: date) -> list[Cash]:
    """The tables of money, each cut into a few columns, so that it fits on paper; the last one has the sums."""
    tables = []
    for table in build_tables(entries, today):
        for start in range(0, len(table.lines), LINES_PER_TABLE):
            end = min(start + LINES_PER_TABLE, len(table.lines))
            last = end == len(table.lines)
            lines = [*table.lines[start:end], *(["Jumlah"] if last else [])]
            rows = [
                (_month(month), [_money(each) for each in (*sums[start:end], *([total] if last else []))])
                for month, sums, total in table.rows
            ]
            totals = [*table.totals[start:end], *(table.totals[-1:] if last else ())]
            title = "Rupiah" if table.currency == "IDR" else table.currency
            tables.append(Cash(title, lines, rows, [_money(each) for each in totals]))
    return tables


def _money(amount: float) -> str:
    return render_number(amount, "id", decimals=0 if amount == int(amount) else 2) if amount else "–"


def add_up(entries: Sequence[Entry]) -> list[str]:
    """Given payments, return their sum in each currency."""
    sums: dict[str, float] = {}
    for entry in entries:
        sums[entry.currency] = sums.get(entry.currency, 0) + entry.amount
    return [render_money(amount, currency) for currency, amount in sorted(sums.items())]


def is_next(entry: Entry) -> bool:
    """Whether a payment is for the next renewal, not for a later one."""
    return entry.ends == entry.fact.expires


def _renewal(fact: Fact) -> Renewal:
    period = fact.service.renewal or fact.service.running
    papers = [_paper(paper) for paper in period.papers.values()]
    missing = ("belum diperiksa",) if fact.missing is None else fact.missing
    return Renewal(full_title(fact), render_day(period.expires, "id") if period.expires else "–", papers, missing)


def _paper(paper: Paper) -> str:
    parts = [PAPER_NAMES[paper.kind], paper.number, render_day(paper.day, "id") if paper.day else ""]
    if paper.amount is not None:
        parts.append(render_money(paper.amount, paper.currency))
    if paper.due:
        parts.append(f"jatuh tempo {render_day(paper.due, 'id')}")
    return ", ".join(part for part in parts if part)


def _history(facts: Facts) -> list[tuple[str, str, str, str]]:
    rows = []
    for fact in facts.services:
        for period in (fact.service.running, *sorted(fact.service.history, key=_end, reverse=True)):
            if period.started or period.papers:
                cost = render_money(period.cost, period.currency) if period.cost is not None else "–"
                papers = "; ".join(_paper(paper) for paper in period.papers.values()) or "–"
                rows.append((full_title(fact), _span(period), cost, papers))
    return rows


def _end(period: Period) -> date:
    return period.expires or date.min


def _span(period: Period) -> str:
    start = render_day(period.started, "id") if period.started else "…"
    return f"{start} – {render_day(period.expires, 'id') if period.expires else '…'}"


def _month(day: date) -> str:
    return f"{MONTHS[day.month - 1].id} {day.year}"
