"""Three years of a court: each rung is told once, no service lapses unannounced, every reopening is explained.

The domain is seen outside (as by domain.status), the hosting only in the register. In the first year all goes well. In
the second nothing runs for seven weeks, and the provider renews after the lapse. In the third a payment has no effect.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from runner.actions.service_due import ACTION
from runner.calendar import Calendar
from tests.calls import OFFICE, assert_fits, make_call

WIB = ZoneInfo("Asia/Jakarta")
CALENDAR = Calendar.from_office(OFFICE)
FIRST, LAST = date(2026, 1, 1), date(2028, 12, 31)
PAUSES = [(date(2026, 12, 21), date(2027, 2, 10)), (date(2028, 3, 6), date(2028, 3, 8))]


@dataclass
class Court:
    """A service as the register has it, what can be seen of it outside, and what happens on which day."""

    settings: dict[str, Any]
    seen: str | None = None
    agenda: dict[date, Callable[[Court], None]] = field(default_factory=dict)

    def renewed(self) -> None:
        """Move the renewal up and the running period to the history, as the register's staff do."""
        renewal = self.settings.pop("renewal")
        past = {"started": "2025-01-01", "expires": self.settings["expires"]}
        self.settings |= {"expires": renewal["expires"], "history": [past]}


@dataclass(frozen=True)
class Said:
    """What one run told."""

    day: date
    outputs: Mapping[str, Any]
    problems: tuple[str, ...]

    @property
    def line(self) -> str:
        told = self.outputs["reminded"][-1] if self.outputs["event"] == "rung" else ""
        return f"{self.day} {self.outputs['event']}{told} {'+'.join(self.outputs['recipients'])}"


def arrange(expires: str, **papers: Any) -> Callable[[Court], None]:
    def act(court: Court) -> None:
        court.settings.setdefault("renewal", {"expires": expires}).update(papers)

    return act


def shows(day: str) -> Callable[[Court], None]:
    return lambda court: setattr(court, "seen", day)


def invoice(number: str, day: str, due: str) -> dict[str, Any]:
    return {"number": number, "date": day, "due": due, "amount": 55500}


def payment(number: str, day: str) -> dict[str, Any]:
    return {"number": number, "date": day, "amount": 55500}


def make_domain() -> Court:
    return Court(
        {"service": "domain", "title": "pn-contoh.example", "expires": "2026-04-03", "period": "1 tahun"},
        "2026-04-03",
        {
            date(2026, 2, 10): arrange("2027-04-03", invoice=invoice("I-1", "2026-02-10", "2026-02-24")),
            date(2026, 2, 20): arrange("2027-04-03", payment=payment("P-1", "2026-02-20")),
            date(2026, 2, 21): shows("2027-04-03"),
            date(2026, 2, 23): Court.renewed,
            date(2027, 3, 25): arrange("2028-04-03", payment=payment("P-2", "2027-03-25")),
            date(2027, 4, 9): shows("2028-04-03"),
            date(2027, 4, 12): Court.renewed,
            date(2028, 2, 29): arrange("2029-04-03", payment=payment("P-3", "2028-02-29")),
            date(2028, 3, 20): arrange("2029-04-03", payment=payment("P-4", "2028-03-20")),
            date(2028, 3, 22): shows("2029-04-03"),
            date(2028, 3, 24): Court.renewed,
        },
    )


def make_hosting() -> Court:
    return Court(
        {"service": "hosting", "title": "Paket hosting", "expires": "2028-01-31", "period": "1 tahun"},
        agenda={
            date(2027, 12, 20): arrange("2029-01-31", invoice=invoice("H-1", "2027-12-20", "2027-12-29")),
            date(2028, 1, 10): arrange("2029-01-31", payment=payment("H-2", "2028-01-10")),
            date(2028, 1, 12): Court.renewed,
        },
    )


def run_days() -> Iterator[date]:
    for number in range((LAST - FIRST).days + 1):
        day = FIRST + timedelta(days=number)
        if CALENDAR.is_working_day(day) and not any(start <= day <= end for start, end in PAUSES):
            yield day


def live(court: Court, folder: Path) -> list[Said]:
    """Let three years pass; each working day at nine the action runs, with the outputs of the last run as memory."""
    said: list[Said] = []
    acts = sorted(court.agenda.items())
    earlier: Mapping[str, Any] | None = None
    for day in run_days():
        while acts and acts[0][0] <= day:
            acts.pop(0)[1](court)
        target = {"name": "layanan", "kind": "service", **court.settings}
        now = datetime.combine(day, time(9), WIB)
        call = make_call(ACTION, {"observed": court.seen}, directory=folder, target=target, now=now, earlier=earlier)
        outcome = ACTION.run(call)
        assert_fits(ACTION, outcome.outputs)
        earlier = outcome.outputs
        said.append(Said(day, outcome.outputs, tuple(problem.key for problem in outcome.problems)))
    return said


@pytest.fixture(scope="module")
def domain(tmp_path_factory: pytest.TempPathFactory) -> list[Said]:
    return live(make_domain(), tmp_path_factory.mktemp("domain"))


@pytest.fixture(scope="module")
def hosting(tmp_path_factory: pytest.TempPathFactory) -> list[Said]:
    return live(make_hosting(), tmp_path_factory.mktemp("hosting"))


def test_what_is_told_about_the_domain(domain: list[Said]) -> None:
    assert [each.line for each in domain if each.outputs["remind"]] == [
        "2026-01-02 rung90 admin",  # Saturday the 3rd is closed
        "2026-02-02 rung60 admin",
        "2027-02-11 rung60 admin",  # the first run after the pause; 90 passed in it
        "2027-03-04 rung30 admin+kasubbag",
        "2027-03-19 rung14 admin+kasubbag",
        "2027-03-24 rung7 admin+kasubbag+sekretaris",  # the 25th and 26th are closed
        "2027-03-29 reopened admin+kasubbag+sekretaris",
        "2027-04-02 rung1 admin+kasubbag+sekretaris",
        "2027-04-05 expired admin+kasubbag+sekretaris",
        "2028-01-04 rung90 admin",
        "2028-02-03 rung60 admin",
        "2028-03-03 reopened admin+kasubbag+sekretaris",
    ]


def test_what_is_told_about_the_hosting(hosting: list[Said]) -> None:
    """It ends in January: what counts is the end of the budget year before."""
    assert [each.line for each in hosting if each.outputs["remind"]] == [
        "2027-10-01 rung90 admin",
        "2027-11-01 rung60 admin",
        "2027-12-01 rung30 admin+kasubbag",
        "2027-12-17 rung14 admin+kasubbag",
        "2027-12-27 reopened admin+kasubbag+sekretaris",
        "2027-12-30 rung1 admin+kasubbag+sekretaris",
        "2028-01-03 budget admin+kasubbag+sekretaris",
        "2028-10-02 rung90 admin",
        "2028-11-01 rung60 admin",
        "2028-12-01 rung30 admin+kasubbag",
        "2028-12-15 rung14 admin+kasubbag",
        "2028-12-22 rung7 admin+kasubbag+sekretaris",
        "2028-12-29 rung1 admin+kasubbag+sekretaris",
    ]


@pytest.mark.parametrize("name", ["domain", "hosting"])
def test_every_rung_is_told_or_passed_over_exactly_once_in_a_cycle(name: str, request: pytest.FixtureRequest) -> None:
    cycles: dict[str, list[Said]] = {}
    for each in request.getfixturevalue(name):
        cycles.setdefault(each.outputs["cycle"], []).append(each)
    for runs in cycles.values():
        told = [rung for each in runs if each.outputs["event"] == "rung" for rung in each.outputs["reminded"][-1:]]
        last = runs[-1].outputs
        assert len(told) == len(set(told))
        assert sorted({*last["reminded"], *last["skipped"]}) == sorted(last["reminded"] + last["skipped"])
        assert len(set(last["announced"])) == len(last["announced"])


def test_no_lapse_comes_unannounced(domain: list[Said]) -> None:
    for position, each in enumerate(domain):
        if each.outputs["stage"] == "expired":
            before = [s for s in domain[:position] if s.outputs["cycle"] == each.outputs["cycle"]]
            assert [s.outputs["event"] for s in before if s.outputs["remind"]]
            assert "service.expired" in each.problems


def test_every_reopening_is_explained(domain: list[Said], hosting: list[Said]) -> None:
    opened = [each for each in (*domain, *hosting) if each.outputs["event"] == "reopened"]
    assert [each.outputs["reason"] for each in opened] == [
        "Pembayaran nomor P-2 tanggal 25 Maret 2027 tercatat, tetapi masa berlaku yang diketahui masih 3 April 2027;"
        " tanyakan kepada penyedia.",
        "Pembayaran nomor P-3 tanggal 29 Februari 2028 tercatat, tetapi masa berlaku yang diketahui masih 3 April 2028;"
        " tanyakan kepada penyedia.",
        "Invoice nomor H-1 tanggal 20 Desember 2027 tercatat dan jatuh tempo pada 29 Desember 2027, tetapi"
        " pembayarannya belum tercatat.",
    ]
    assert all(each.outputs["reason"] in each.outputs["message"] for each in opened)
    assert all("service.due" in each.problems for each in opened)


def test_every_silence_is_explained(domain: list[Said], hosting: list[Said]) -> None:
    for each in (*domain, *hosting):
        if each.outputs["stage"] == "arranged":
            assert "pengingat ditahan sampai" in each.outputs["reason"]
            assert "service.due" not in each.problems
