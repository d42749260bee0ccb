"""Services and their periods: what each costs, who pays and answers for it, and its papers."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, NamedTuple

KINDS = {
    "domain": "nama domain",
    "hosting": "hosting",
    "connection": "koneksi internet",
    "certificate": "sertifikat",
    "licence": "lisensi",
}
DEFAULT_CURRENCY = "IDR"
PAPERS = ("invoice", "payment", "handover")
EARLIEST, FURTHEST = date(1990, 1, 1), date(2200, 1, 1)


class Paper(NamedTuple):
    """An invoice, a proof of payment or a handover note; what is not written is empty."""

    kind: str
    number: str = ""
    day: date | None = None
    due: date | None = None
    amount: float | None = None
    currency: str = DEFAULT_CURRENCY
    file: str = ""
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class Period:
    """A period of a service: its days (both included), its price without tax, tax in percent, and papers by kind."""

    started: date | None = None
    expires: date | None = None
    price: float | None = None
    tax: float = 0.0
    currency: str = DEFAULT_CURRENCY
    contract: str = ""
    papers: Mapping[str, Paper] = field(default_factory=dict)
    requested: date | None = None
    work: tuple[tuple[str, str], ...] = ()

    @property
    def cost(self) -> float | None:
        """The price with tax, of rupiah in whole ones; None where the price is not known."""
        if self.price is None:
            return None
        cost = self.price * (100 + self.tax) / 100
        return float(round(cost)) if self.currency == DEFAULT_CURRENCY else round(cost, 2)


class Service(NamedTuple):
    """A service of the register."""

    name: str
    kind: str
    title: str
    running: Period
    renewal: Period | None = None
    history: tuple[Period, ...] = ()
    provider: str = ""
    customer: str = ""
    url: str = ""
    period: str = ""
    notice: str = ""
    automatic: bool = False
    observed: date | None = None
    dipa: str = ""
    mak: str = ""
    officer: str = ""
    responsible: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """How people call it: "nama domain pn-tais.go.id", "hosting (Paket A)"."""
        kind = KINDS.get(self.kind, "layanan")
        if not self.title:
            return kind
        return f"{kind} {self.title}" if self.kind in ("domain", "certificate") else f"{kind} ({self.title})"

    @property
    def next_cost(self) -> tuple[float | None, str]:
        """What the next renewal costs, with tax, and in which currency: by its invoice, else by its price."""
        period = self.renewal or self.running
        invoice = period.papers.get("invoice") if self.renewal else None
        if invoice and invoice.amount is not None:
            return invoice.amount, invoice.currency
        if period.cost is not None:
            return period.cost, period.currency
        return self.running.cost, self.running.currency


def parse_service(view: Mapping[str, Any]) -> Service:
    """Given a service as `target` shows it in a playbook, return it; a day that is none is taken as not written."""
    data = {key: value for key, value in view.items() if value is not None}
    budget, people = data.get("budget") or {}, data.get("responsible") or ()
    renewal = data.get("renewal")
    plain = {key: str(data.get(key, "")) for key in ("name", "provider", "customer", "url", "period", "notice")}
    return Service(
        kind=str(data.get("service", "")),
        title=str(data.get("title") or data.get("name") or ""),
        running=_parse_period(data, {}),
        renewal=_parse_period(renewal, data) if isinstance(renewal, Mapping) else None,
        history=tuple(_parse_period(each, data) for each in data.get("history") or ()),
        automatic=data.get("automatic") is True,
        observed=read_day(data.get("observed")),
        dipa=str(budget.get("dipa", "")),
        mak=str(budget.get("mak", "")),
        officer=str(budget.get("officer", "")),
        responsible=(people,) if isinstance(people, str) else tuple(people),
        **plain,
    )


def _parse_period(data: Mapping[str, Any], whole: Mapping[str, Any]) -> Period:
    """A period; the price, tax and currency that it does not name are those of the service."""
    terms = {key: data.get(key, whole.get(key)) for key in ("price", "tax", "currency")}
    currency = str(terms["currency"] or DEFAULT_CURRENCY)
    return Period(
        read_day(data.get("started")),
        read_day(data.get("expires")),
        None if terms["price"] is None else float(terms["price"]),
        float(terms["tax"] or 0),
        currency,
        str(data.get("contract", "")),
        {kind: _parse_paper(kind, data[kind], currency) for kind in PAPERS if isinstance(data.get(kind), Mapping)},
        read_day(data.get("requested")),
        tuple((str(each["from"]), str(each["until"])) for each in data.get("work") or ()),
    )


def _parse_paper(kind: str, data: Mapping[str, Any], currency: str) -> Paper:
    written = data.get("amount")
    return Paper(
        kind,
        str(data.get("number", "")),
        read_day(data.get("received") or data.get("date")),
        read_day(data.get("due")),
        None if written is None else float(written),
        str(data.get("currency") or currency),
        str(data.get("file", "")),
        str(data.get("sha256", "")),
    )


def has_form_of_day(value: str) -> bool:
    """Whether a text is written as YYYY-MM-DD is, be it a day of the calendar or not."""
    return len(value) == 10 and value[4] == value[7] == "-"


def read_day(value: object) -> date | None:
    """Given a day written YYYY-MM-DD, return it; None for anything else, and for a year that cannot be meant."""
    if not isinstance(value, str) or len(value) != 10:
        return None
    try:
        day = date.fromisoformat(value)
    except ValueError:
        return None
    return day if EARLIEST <= day <= FURTHEST else None


def move(day: date, span: str, times: int = 1) -> date:
    """Given a day and a span as written ("1 tahun"), return the day that much later, or earlier for negative `times`.

    29 February of a year without one is the 28th. Raise ValueError for a span that is none.
    """
    number, _, unit = span.partition(" ")
    count = int(number) * times
    if unit in ("hari", "minggu"):
        return day + timedelta(days=count * (7 if unit == "minggu" else 1))
    if unit not in ("bulan", "tahun"):
        raise ValueError(f"'{span}' is no span. write a number and hari, minggu, bulan or tahun")
    year, month = divmod(day.year * 12 + day.month - 1 + count * (12 if unit == "tahun" else 1), 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def renewal_days(end: date, span: str, until: date) -> Iterator[date]:
    """Given the last paid day and how long a renewal lasts, yield the days up to `until` on which a period ends.

    `end` comes first; without a span it is the only one.
    """
    times, first = 0, end
    while end <= min(until, FURTHEST):
        yield end
        times += 1
        if not span:
            return
        end = move(first, span, times)
