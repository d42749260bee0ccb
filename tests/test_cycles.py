"""The register refuses what cannot be true of a service's periods and papers, with its place and cure."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.errors import Refused
from runner.inventory import Inventory, parse_inventory
from runner.inventory.documents import Document
from runner.inventory.register import move, parse_service, renewal_days

SERVICE = "people: {budi: {name: Budi}}\nservices:\n  d:\n    kind: domain\n    expires: 2026-12-31\n"


def parse(text: str) -> Inventory:
    return parse_inventory([Document("a.yml", SERVICE + text)])


def mistakes(text: str) -> list[str]:
    with pytest.raises(Refused) as caught:
        parse(text)
    return [str(mistake) for mistake in caught.value.mistakes]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "    history: [{started: 2026-01-01, expires: 2027-01-05}]",
            "a.yml:6:15: the running period (until 2026-12-31) overlaps with the period from 2026-01-01, which",
        ),
        (
            "    started: 2026-01-01\n    history: [{started: 2025-01-01, expires: 2026-01-01}]",
            "a.yml:7:15: the running period (until 2026-12-31) overlaps with the period from 2025-01-01",
        ),
        (
            "    history: [{started: 2020-01-01, expires: 2024-12-31}, {started: 2021-01-01, expires: 2021-12-31},"
            " {started: 2022-01-01, expires: 2022-12-31}]",
            "a.yml:6:103: the period from 2022-01-01 (until 2022-12-31) overlaps with the period from 2020-01-01",
        ),
        (
            "    renewal: {started: 2026-12-01, expires: 2027-11-30}",
            "a.yml:6:14: the running period (until 2026-12-31) overlaps with the renewal, which runs until 2027-11-30",
        ),
        (
            "    history: [{started: 2025-01-01, expires: 2025-12-31}, {started: 2025-01-01, expires: 2025-12-31}]",
            "a.yml:6:59: the period 2025-01-01 to 2025-12-31 is recorded twice. keep one of them",
        ),
        (
            "    invoice: {number: I-1, date: 2025-12-01, amount: 5}\n"
            "    renewal: {expires: 2027-12-31, invoice: {number: I-1, date: 2026-12-01, amount: 5}}",
            "a.yml:7:54: the invoice 'I-1' is recorded twice, first at line 6.",
        ),
        ("    history: [{expires: 2025-12-31}]", "a.yml:6:15: the key 'started' is missing."),
        ("    renewal: {requested: 2026-10-01}", "a.yml:6:14: the key 'expires' is missing."),
        (
            "    renewal: {expires: 2026-06-30}",
            "a.yml:6:24: it renews until 2026-06-30, but the service is recorded as",
        ),
        ("    invoice: {number: I-1, amount: 5}", "a.yml:6:14: the key 'date' is missing."),
        ("    observed: 2027-02-29", "a.yml:6:15: '2027-02-29' is not a day of the calendar. write it as YYYY-MM-DD"),
        (
            "    payment: {date: 2027-02-29, amount: 1}",
            "a.yml:6:21: '2027-02-29' is not a day of the calendar. write it",
        ),
        ("    observed: 9999-12-31", "a.yml:6:15: the year of '9999-12-31' cannot be meant. check it"),
        ("    observed: 0001-01-01", "a.yml:6:15: the year of '0001-01-01' cannot be meant. check it"),
        ("    tax: 1100", "a.yml:6:10: 1100 is out of range, at most 100 is needed"),
        ("    price: 2000000000000000", "a.yml:6:12: 2000000000000000 is out of range"),
        ("    price: 1.500", "a.yml:6:12: 1.5 is no amount of rupiah. write it without a point, such as 1500000"),
        ("    price: 15.000", "a.yml:6:12: 15.0 is no amount of rupiah."),
        ("    price: 1.500.000", "a.yml:6:12: '1.500.000' is a text, a number is needed."),
        ("    price: Rp1500", "a.yml:6:12: 'Rp1500' is a text, a number is needed."),
        ("    currency: Rp", "a.yml:6:15: 'Rp' does not have the right form. write \"IDR\""),
        (
            "    renewal: {expires: 2027-12-31, invoice: {number: I, date: 2026-12-02, amount: 5},"
            " payment: {date: 2026-12-01, amount: 5}}",
            "a.yml:6:103: it was paid on 2026-12-01, before its invoice of 2026-12-02. check both days",
        ),
        (
            "    renewal: {expires: 2027-12-31, work: [{from: 2026-12-01 10:00, until: 2026-12-01 09:00}]}",
            "a.yml:6:75: it ends before it begins. check both times",
        ),
        (
            "    renewal: {expires: 2027-12-31, work: [{from: 2026-02-30 10:00, until: 2026-12-01 09:00}]}",
            "a.yml:6:50: '2026-02-30 10:00' is no time of the calendar. write it as 2026-11-30 09:00",
        ),
        ("    budget: {officer: budii}", "a.yml:6:23: there is no person 'budii'. did you mean 'budi'?"),
        ("    period: setahun", "a.yml:6:13: 'setahun' does not have the right form."),
        ("    responsible: dewi", "a.yml:6:18: there is no person 'dewi'."),
        ("    expires_on: 2026-12-31", "a.yml:6:5: unknown key 'expires_on'. did you mean 'expires'?"),
    ],
)
def test_says_what_cannot_be_true(text: str, expected: str) -> None:
    found = mistakes(text)
    assert any(each.startswith(expected) for each in found), found


def test_a_renewal_without_a_running_end_is_a_mistake() -> None:
    with pytest.raises(Refused, match="the service has no 'expires': what is renewed"):
        parse_inventory([Document("a.yml", "services: {d: {kind: domain, renewal: {expires: 2027-12-31}}}")])


def test_cents_are_an_amount_in_other_currencies() -> None:
    service = parse_service(parse("    price: 12.50\n    tax: 10\n    currency: USD").targets["d"].view())
    assert (service.next_cost, service.running.currency) == ((13.75, "USD"), "USD")


def test_a_cost_in_rupiah_has_no_cents() -> None:
    service = parse_service(parse("    price: 1234567\n    tax: 11").targets["d"].view())
    assert service.next_cost == (1370369, "IDR")


def test_periods_that_follow_each_other_fit_in_any_order() -> None:
    text = """\
    started: 2026-01-01
    history: [{started: 2025-01-01, expires: 2025-12-31}, {started: 2023-06-01, expires: 2024-05-31}]
    renewal: {expires: 2027-12-31, invoice: {number: I-9, date: 2026-11-01, amount: 1500000}}
"""
    service = parse_service(parse(text).targets["d"].view())
    assert [period.expires for period in service.history] == [date(2025, 12, 31), date(2024, 5, 31)]
    assert service.next_cost == (1500000, "IDR")


def test_a_leap_day_moves_to_a_day_that_is_there() -> None:
    assert move(date(2028, 2, 29), "1 tahun") == date(2029, 2, 28)
    assert move(date(2028, 2, 29), "4 tahun") == date(2032, 2, 29)
    assert move(date(2028, 3, 31), "1 bulan", -1) == date(2028, 2, 29)
    days = renewal_days(date(2028, 1, 31), "1 bulan", date(2028, 4, 30))
    assert [day.day for day in days] == [31, 29, 31, 30]


@given(
    st.dates(date(2000, 1, 1), date(2100, 1, 1)),
    st.sampled_from(["10 hari", "2 minggu", "1 bulan", "6 bulan", "1 tahun"]),
    st.integers(0, 800),
)
def test_renewal_days_are_in_order_and_bounded(end: date, span: str, days: int) -> None:
    until = end + timedelta(days=days)
    found = list(renewal_days(end, span, until))
    assert found == sorted(set(found))
    assert found[0] == end
    assert found[-1] <= until < move(end, span, len(found))
