"""Whether a service's periods and papers can be true: no overlap, nothing twice, amounts that are amounts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any, NamedTuple

from runner.inventory.draft import Draft, TargetDraft
from runner.inventory.register import DEFAULT_CURRENCY, PAPERS, has_form_of_day, read_day
from runner.source import Where

_DAYS = ("started", "expires", "observed", "requested")
_PAPER_DAYS = ("date", "received", "due")
_CURE_DAY = "write it as YYYY-MM-DD, such as 2026-11-30"


class Span(NamedTuple):
    """A period as written: its first and last day, where it stands, and what to call it."""

    start: date
    end: date
    at: Where
    title: str


def check_cycles(draft: Draft, target: TargetDraft) -> None:
    """Given a service, add a mistake for everything in its periods and papers that cannot be true."""
    _Checker(draft, target).check()


class _Checker:
    """Looks through one service."""

    def __init__(self, draft: Draft, target: TargetDraft) -> None:
        self.draft = draft
        self.place = target.place
        self.settings = target.settings

    def check(self) -> None:
        """Add all mistakes."""
        for at, period in self._periods():
            self._check_days(at, period)
            self._check_papers(at, period)
            self._check_amounts(at, period)
        self._check_people()
        self._check_work()
        self._check_overlaps()
        self._check_repeated()
        self._check_renewal()

    def _wrong(self, at: Where, message: str, cure: str) -> None:
        self.draft.mistakes.append(self.place.mistake(message, cure, at=at))

    def _periods(self) -> Iterator[tuple[Where, Mapping[str, Any]]]:
        """The running period, the renewal, the history: where each stands, and what is written there."""
        yield (), self.settings
        if isinstance(self.settings.get("renewal"), dict):
            yield ("renewal",), self.settings["renewal"]
        history = self.settings.get("history")
        for index, each in enumerate(history if isinstance(history, list) else ()):
            if isinstance(each, dict):
                yield ("history", index), each

    def _papers(self) -> Iterator[tuple[Where, str, Mapping[str, Any]]]:
        for at, period in self._periods():
            for kind in PAPERS:
                if isinstance(period.get(kind), dict):
                    yield (*at, kind), kind, period[kind]

    def _check_days(self, at: Where, period: Mapping[str, Any]) -> None:
        for key in _DAYS:
            self._check_day((*at, key), period.get(key))
        started, expires = read_day(period.get("started")), read_day(period.get("expires"))
        if started and expires and expires < started:
            self._wrong((*at, "expires"), f"it expires on {expires}, before it started on {started}", "check both days")

    def _check_day(self, at: Where, value: object) -> None:
        if isinstance(value, str) and has_form_of_day(value) and read_day(value) is None:
            try:
                date.fromisoformat(value)
            except ValueError:
                self._wrong(at, f"'{value}' is not a day of the calendar", _CURE_DAY)
            else:
                self._wrong(at, f"the year of '{value}' cannot be meant", "check it")

    def _check_papers(self, at: Where, period: Mapping[str, Any]) -> None:
        for kind in PAPERS:
            paper = period.get(kind)
            if isinstance(paper, dict):
                for key in _PAPER_DAYS:
                    self._check_day((*at, kind, key), paper.get(key))
        invoice, payment = (period.get(kind) for kind in ("invoice", "payment"))
        if isinstance(invoice, dict) and isinstance(payment, dict):
            asked, paid = read_day(invoice.get("date")), read_day(payment.get("date"))
            if asked and paid and paid < asked:
                message = f"it was paid on {paid}, before its invoice of {asked}"
                self._wrong((*at, "payment", "date"), message, "check both days")

    def _check_amounts(self, at: Where, period: Mapping[str, Any]) -> None:
        """A rupiah has no cents: 1.500 and 15.000 are what YAML makes of a point for thousands."""
        own = period.get("currency", self.settings.get("currency", DEFAULT_CURRENCY))
        written = [((*at, "price"), period.get("price"), own)]
        for kind in ("invoice", "payment"):
            paper = period.get(kind)
            if isinstance(paper, dict):
                written.append(((*at, kind, "amount"), paper.get("amount"), paper.get("currency", own)))
        for place, value, currency in written:
            if isinstance(value, float) and currency == DEFAULT_CURRENCY:
                self._wrong(place, f"{value} is no amount of rupiah", "write it without a point, such as 1500000")

    def _check_people(self) -> None:
        budget = self.settings.get("budget")
        officer = budget.get("officer") if isinstance(budget, dict) else None
        if isinstance(officer, str) and officer not in self.draft.people:
            cure = self.draft.suggest(officer, self.draft.people) or "define it under 'people'"
            self._wrong(("budget", "officer"), f"there is no person '{officer}'", cure)

    def _check_work(self) -> None:
        renewal = self.settings.get("renewal")
        work = renewal.get("work") if isinstance(renewal, dict) else None
        for index, each in enumerate(work if isinstance(work, list) else ()):
            at = ("renewal", "work", index)
            moments = [self._moment((*at, key), each.get(key)) for key in ("from", "until") if isinstance(each, dict)]
            if len(moments) == 2 and moments[0] and moments[1] and moments[1] < moments[0]:
                self._wrong((*at, "until"), "it ends before it begins", "check both times")

    def _moment(self, at: Where, value: object) -> datetime | None:
        if not isinstance(value, str) or len(value) != 16:
            return None
        try:
            return datetime.fromisoformat(value)
        except ValueError:
            self._wrong(at, f"'{value}' is no time of the calendar", "write it as 2026-11-30 09:00")
            return None

    def _spans(self) -> list[Span]:
        """The periods in their order; one of which only the end is written stands there as its last day."""
        titles: dict[Where, str] = {(): "the running period", ("renewal",): "the renewal"}
        spans = []
        for at, period in self._periods():
            end = read_day(period.get("expires"))
            start = read_day(period.get("started")) or end
            if start and end and start <= end:
                spans.append(Span(start, end, at, titles.get(at, f"the period from {start}")))
        return sorted(spans, key=lambda span: span[:2])

    def _check_overlaps(self) -> None:
        spans = self._spans()
        longest = spans[:1]
        for span in spans[1:]:
            (before,) = longest
            if span[:2] == before[:2]:
                message = f"the period {span.start} to {span.end} is recorded twice"
                self._wrong(_later(before, span).at, message, "keep one of them")
            elif span.start <= before.end:
                message = f"{span.title} (until {span.end}) overlaps with {before.title}, which runs until {before.end}"
                self._wrong(_later(before, span).at, message, "periods follow each other; check their days")
            longest = [max(before, span, key=lambda each: each.end)]

    def _check_repeated(self) -> None:
        """The same number or file of two papers of one kind: a renewal that was recorded twice."""
        seen: dict[tuple[str, str, str], Where] = {}
        for at, kind, paper in self._papers():
            for key in ("number", "sha256"):
                value = paper.get(key)
                if isinstance(value, str) and seen.setdefault((kind, key, value), at) != at:
                    first = self.place.mistake("", at=seen[kind, key, value])
                    message = f"the {kind} '{value[:40]}' is recorded twice, first at line {first.line}"
                    self._wrong((*at, key), message, "each renewal has papers of its own; keep it once")

    def _check_renewal(self) -> None:
        renewal = self.settings.get("renewal")
        if not isinstance(renewal, dict):
            return
        ends, next_end = read_day(self.settings.get("expires")), read_day(renewal.get("expires"))
        if "expires" not in self.settings:
            self._wrong(("renewal",), "the service has no 'expires': what is renewed?", "write the last day paid for")
        elif ends and next_end and next_end <= ends:
            message = f"it renews until {next_end}, but the service is recorded as paid until {ends} already"
            self._wrong(("renewal", "expires"), message, "a renewal that is done belongs under the service and history")


def _later(one: Span, other: Span) -> Span:
    """Of two periods, the one to point at: that of the history, else the renewal; of one kind the later in the file."""
    return max(one, other, key=lambda span: (len(span.at), span.at))
