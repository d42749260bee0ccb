"""What the services will cost in the next twelve months, by budget line: as entries, a table, CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from runner.inventory.register import move, renewal_days
from runner.reports.facts import Fact, Facts
from runner.reports.values import clean

MONTHS = 12
NO_LINE = "belum ditetapkan"
HEADER = ("bulan", "mata_anggaran", "dipa", "layanan", "penyedia", "berlaku_sampai", "mata_uang", "jumlah", "dasar")


@dataclass(frozen=True, slots=True)
class Entry:
    """One payment to come: in which month (its first day), from which budget line, for what.

    `basis` is "invoice" where the amount is on paper, else "perkiraan": the price of the register.
    """

    month: date
    line: str
    dipa: str
    fact: Fact
    ends: date
    currency: str
    amount: float
    basis: str


@dataclass(frozen=True, slots=True)
class Table:
    """Months as rows and budget lines as columns, in one currency; `totals` are those of the columns, then of all."""

    currency: str
    lines: Sequence[str]
    rows: Sequence[tuple[date, Sequence[float], float]]
    totals: Sequence[float]


def find_entries(facts: Facts) -> list[Entry]:
    """Given the services, return the payments of twelve months from this one, in order."""
    found = [entry for fact in facts.services for entry in _entries(fact, facts)]
    return sorted(found, key=lambda entry: (entry.month, entry.line, entry.fact.service.name))


def list_months(today: date) -> list[date]:
    """Given a day, return the first days of its month and of the eleven that follow."""
    return [move(today.replace(day=1), "1 bulan", number) for number in range(MONTHS)]


def _entries(fact: Fact, facts: Facts) -> Iterator[Entry]:
    service, months = fact.service, list_months(facts.today)
    if fact.expires is None or (service.running.price is None and service.next_cost[0] is None):
        return
    renewal = service.renewal
    invoice = renewal.papers.get("invoice") if renewal else None
    paid = bool(renewal and "payment" in renewal.papers)
    last, rule = move(months[-1], "2 tahun"), facts.rule.of(service)
    for number, ends in enumerate(renewal_days(fact.expires, service.period, last)):
        amount, currency = service.next_cost if number == 0 else (service.running.cost, service.running.currency)
        due = invoice.due if number == 0 and invoice and invoice.due else rule.deadline(ends)
        month = max(due.replace(day=1), months[0])
        if amount is not None and not (number == 0 and paid) and month <= months[-1]:
            basis = "invoice" if number == 0 and invoice else "perkiraan"
            yield Entry(month, service.mak or NO_LINE, service.dipa, fact, ends, currency, amount, basis)


def build_tables(entries: Sequence[Entry], today: date) -> list[Table]:
    """Given payments, return a table for each currency."""
    tables = []
    for currency in sorted({entry.currency for entry in entries}, key=lambda code: (code != "IDR", code)):
        mine = [entry for entry in entries if entry.currency == currency]
        lines = sorted({entry.line for entry in mine})
        rows = []
        for month in list_months(today):
            sums = [sum(e.amount for e in mine if e.month == month and e.line == line) for line in lines]
            rows.append((month, sums, sum(sums)))
        totals = [sum(row[1][number] for row in rows) for number in range(len(lines))]
        tables.append(Table(currency, lines, rows, [*totals, sum(totals)]))
    return tables


def render_csv(entries: Sequence[Entry]) -> str:
    """Given payments, return them as CSV for a spreadsheet; text that one would take for a formula is made plain."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    writer.writerow(HEADER)
    for entry in entries:
        service = entry.fact.service
        texts = [entry.line, entry.dipa, service.label, service.provider]
        amount = f"{entry.amount:.2f}".replace(".", ",")
        dates = [f"{entry.month:%Y-%m}", *map(_plain, texts), entry.ends.isoformat()]
        writer.writerow([*dates, entry.currency, amount, entry.basis])
    return "\ufeff" + out.getvalue()


def _plain(text: str) -> str:
    text = clean(text).replace("\n", " ")
    return f"'{text}" if text.lstrip()[:1] in tuple("=+-@\t|%") and text.strip() else text
