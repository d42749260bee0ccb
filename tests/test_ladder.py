"""The ladder: each rung once a cycle, on a working day, caught up after a pause, silent for papers, never for long."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.calendar import Calendar
from runner.inventory.ladder import LADDER, Memory, Rule, Standing, judge
from runner.inventory.register import parse_service

CALENDAR = Calendar.from_office({"timezone": "Asia/Jakarta"})
RULE = Rule(CALENDAR.is_working_day)
PLAIN = Rule(lambda day: True, year_end=None)
END = date(2026, 11, 27)


def stand(
    today: date, memory: Memory | None = None, *, end: date = END, rule: Rule = PLAIN, **settings: Any
) -> Standing:
    service = parse_service({"service": "domain", "title": "pn-contoh.example", "period": "1 tahun", **settings})
    return judge(service, end, today, memory or Memory(), rule)


def before(days: int) -> date:
    return END - timedelta(days=days)


def renewal(**papers: Mapping[str, Any]) -> dict[str, Any]:
    return {"renewal": {"expires": "2027-11-27", **papers}}


def paper(day: date, **more: Any) -> dict[str, Any]:
    return {"number": "N-1", "date": day.isoformat(), "amount": 1, **more}


def test_a_rung_is_told_once() -> None:
    first = stand(before(90))
    assert (first.event, first.rung, first.memory.told) == ("rung", 90, (90,))
    assert stand(before(90), first.memory).event == ""
    assert stand(before(61), first.memory).event == ""
    assert stand(before(60), first.memory).event == "rung"


def test_after_days_without_a_run_the_nearest_rung_counts() -> None:
    late = stand(before(10), Memory(END, told=(90,)))
    assert (late.event, late.rung) == ("rung", 14)
    assert (late.memory.told, late.memory.skipped) == ((90, 14), (60, 30))
    assert stand(before(8), late.memory).event == ""


@pytest.mark.parametrize(
    ("rung", "day"),
    [
        (7, date(2026, 12, 18)),  # Thursday 24 December, collective leave; before it Friday 18 … Wednesday 23
        (1, date(2026, 12, 30)),
    ],
)
def test_a_rung_on_a_closed_day_moves_to_the_working_day_before(rung: int, day: date) -> None:
    found = RULE.day_of(rung, date(2026, 12, 31))
    assert CALENDAR.is_working_day(found)
    assert found <= date(2026, 12, 31) - timedelta(days=rung)
    assert found >= day


def test_an_office_that_never_opens_is_reminded_all_the_same() -> None:
    assert Rule(lambda day: False).day_of(7, END) == before(7)


@pytest.mark.parametrize(
    ("end", "deadline"),
    [
        (date(2027, 1, 31), date(2026, 12, 31)),
        (date(2027, 3, 31), date(2026, 12, 31)),
        (date(2027, 4, 1), date(2027, 4, 1)),  # its first rung falls into its own budget year
        (date(2026, 12, 31), date(2026, 12, 31)),
        (date(2026, 11, 30), date(2026, 11, 30)),
    ],
)
def test_the_end_of_the_budget_year_comes_first(end: date, deadline: date) -> None:
    assert RULE.deadline(end) == deadline


def test_an_office_names_its_own_end_of_the_budget_year() -> None:
    assert Rule(CALENDAR.is_working_day, year_end=(12, 15)).deadline(date(2026, 12, 31)) == date(2026, 12, 15)
    assert Rule(CALENDAR.is_working_day, year_end=(2, 29)).deadline(date(2027, 3, 15)) == date(2027, 2, 28)


def test_when_the_budget_year_has_ended_that_is_told_once() -> None:
    told = Memory(date(2027, 2, 15), told=LADDER)
    found = stand(date(2027, 1, 4), told, end=date(2027, 2, 15), rule=RULE)
    assert (found.event, found.stage) == ("budget", "due")
    assert stand(date(2027, 1, 5), found.memory, end=date(2027, 2, 15), rule=RULE).event == ""


def test_an_invoice_silences_until_its_due_day_and_is_then_opened_again_once() -> None:
    papers = renewal(invoice=paper(before(58), due=before(40).isoformat()))
    quiet = stand(before(50), Memory(END, told=(90,)), **papers)
    assert (quiet.stage, quiet.event, quiet.memory.skipped) == ("arranged", "", (60,))
    assert stand(before(40), quiet.memory, **papers).stage == "arranged"
    opened = stand(before(39), quiet.memory, **papers)
    assert (opened.stage, opened.event) == ("due", f"reopened: invoice {before(58)} N-1")
    assert stand(before(38), opened.memory, **papers).event == ""
    assert stand(before(30), opened.memory, **papers).event == "rung"


def test_an_invoice_never_silences_the_last_week() -> None:
    papers = renewal(invoice=paper(before(20), due=before(0).isoformat()))
    assert stand(before(8), **papers).stage == "arranged"
    assert stand(before(7), **papers).event == f"reopened: invoice {before(20)} N-1"


def test_a_payment_silences_three_days_and_is_opened_again_when_nothing_moved() -> None:
    papers = renewal(invoice=paper(before(40)), payment=paper(before(20)))
    told = Memory(END, told=(90, 60, 30))
    assert stand(before(18), told, **papers).stage == "arranged"
    opened = stand(before(17), told, **papers)
    assert (opened.stage, opened.event) == ("due", f"reopened: payment {before(20)} N-1")
    again = renewal(payment=paper(before(10), number="N-2"))
    assert stand(before(9), opened.memory, **again).stage == "arranged"
    assert stand(before(7), opened.memory, **again).event == f"reopened: payment {before(10)} N-2"


def test_a_payment_on_the_last_day_does_not_hide_the_lapse() -> None:
    papers = renewal(payment=paper(before(1)))
    assert stand(END, Memory(END, told=LADDER), **papers).event.startswith("reopened: payment")
    assert stand(END + timedelta(days=1), Memory(END, told=LADDER), **papers).event == "expired"


def test_a_payment_of_tomorrow_is_none() -> None:
    assert stand(before(30), **renewal(payment=paper(before(29)))).event == "rung"


def test_the_papers_of_a_renewal_that_took_effect_silence_nothing() -> None:
    papers = renewal(payment=paper(before(20)))
    found = stand(date(2027, 11, 20), Memory(END, told=LADDER), end=date(2027, 11, 27), **papers)
    assert (found.event, found.memory.cycle, found.memory.told) == ("rung", date(2027, 11, 27), (7,))


def test_a_corrected_day_is_the_same_cycle() -> None:
    told = Memory(END + timedelta(days=5), told=(90, 60, 30))
    assert stand(before(20), told).event == ""
    monthly = stand(before(14), Memory(END - timedelta(days=30), told=LADDER), period="1 bulan")
    assert (monthly.event, monthly.memory.told) == ("rung", (14,))


def test_of_a_monthly_service_only_rungs_within_half_a_month_count() -> None:
    assert RULE.of(parse_service({"period": "1 bulan"})).rungs == (14, 7, 1)
    assert RULE.of(parse_service({"period": "1 hari"})).rungs == (1,)
    monthly = stand(date(2026, 12, 20), end=date(2027, 1, 15), rule=RULE, period="1 bulan")
    assert (monthly.stage, monthly.deadline) == ("later", date(2027, 1, 15))


DAYS = st.integers(-20, 130)


@given(
    runs=st.sets(st.integers(-20, 130), max_size=60),
    invoice=st.none() | DAYS,
    due=st.none() | st.integers(0, 60),
    payment=st.none() | DAYS,
    end=st.dates(date(2026, 1, 1), date(2027, 12, 31)),
    rungs=st.lists(st.integers(0, 120), min_size=1, max_size=7, unique=True),
)
def test_whatever_happens_each_thing_is_told_once_and_no_lapse_comes_unannounced(
    runs: set[int], invoice: int | None, due: int | None, payment: int | None, end: date, rungs: list[int]
) -> None:
    def on(days: int) -> date:
        return end - timedelta(days=days)

    papers: dict[str, Any] = {}
    if invoice is not None:
        papers["invoice"] = paper(on(invoice), **({"due": on(invoice - due).isoformat()} if due is not None else {}))
    if payment is not None:
        papers["payment"] = paper(on(payment))
    settings = {"renewal": {"expires": (end + timedelta(days=365)).isoformat(), **papers}}
    rule, memory = Rule(CALENDAR.is_working_day, tuple(rungs)), Memory()
    events: list[str] = []
    told: list[int] = []
    for days in sorted(runs, reverse=True):
        found = stand(on(days), memory, end=end, rule=rule, **settings)
        events += [found.event] if found.event not in ("", "rung") else []
        new = found.memory.told[len(memory.told) :]
        assert len(new) <= 1
        assert not new or found.event
        told += new
        memory = found.memory
        recorded = memory.told + memory.skipped
        assert len(recorded) == len(set(recorded))
        assert set(recorded) == {rung for rung in rungs if rule.day_of(rung, rule.deadline(end)) <= on(days)}
        if days < 0:
            assert "expired" in events
        if found.stage == "due":
            assert told or events  # who sees it as due has been told
    assert len(events) == len(set(events))
