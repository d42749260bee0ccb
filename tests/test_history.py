"""The history of the websites: what is counted, and the pictures of it."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from statistics import quantiles
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.contract import Outcome, Severity, Status
from runner.events import Event, Kind, outcome_to_json
from runner.record.problems import KnownProblem, Past, State
from runner.reports.history import Spread, gather_history
from runner.reports.history_page import build_history
from runner.reports.office import build_letterhead
from runner.reports.paper.layout import choose_layout
from runner.reports.paper.model import Chart, Line, Paper, Table
from runner.reports.paper.page import render_html
from runner.reports.pen import take_pen
from runner.reports.periodic.terms import parse_term

WIB = ZoneInfo("Asia/Jakarta")
FIRST = datetime(2026, 10, 31, 17, 0, tzinfo=UTC)  # midnight of the 1st of November in WIB
DAYS = list(parse_term("2026-11").slices(date(2026, 11, 30)))
PEN = take_pen({"timezone": "WIB"})
NAMES = {"pn_contoh": "Website Pengadilan Negeri Contoh"}


def outcome(action: str, target: str, minute: float, status: Status = Status.OK, **outputs: Any) -> Event:
    data = {"action": action, "item": None, **outcome_to_json(Outcome(status, outputs=outputs))}
    at = FIRST + timedelta(minutes=minute)
    return Event(Kind.TASK_FINISHED, "run", at, step="s", attempt=1, task="t", target=target, tries=1, data=data)


def check(target: str, minute: float, available: bool | None = True, seconds: float = 0.4, window: str = "") -> Event:
    timings = {"lookup": 0.01, "connect": 0.02, "tls": None, "first_byte": seconds, "body": 0.03}
    said = {"available": available, "response_seconds": seconds, "timings": timings, "maintenance": window}
    return outcome("website.available", target, minute, **said)


def a_month() -> Iterator[Event]:
    """Checks every hour, a bad fifth of November, a maintenance on the 14th, a day without any record."""
    drawn = random.Random(4)
    for hour in range(30 * 24):
        day = hour // 24 + 1
        if day == 20:
            continue
        down, window = day == 5 and hour % 24 in range(8, 14), "Sabtu 22.00-02.00" if day == 14 else ""
        available = False if down or (window and hour % 24 > 21) else None if day == 12 and hour % 24 < 3 else True
        yield check("pn_contoh", hour * 60, available, drawn.lognormvariate(-1, 0.5), window)
    for day, ends in ((1, "2026-12-12"), (28, "2027-02-10")):
        yield outcome("tls.certificate", "pn_contoh", day * 1440, expires=ends, lifetime_days=90.0)
    yield outcome("domain.status", "domain_contoh", 1440, expires="2027-03-01")
    yield outcome("domain.status", "pn_lain", 1440, expires="2026-11-20")  # over since


def trouble(key: str, *spans: tuple[float, float | None]) -> KnownProblem:
    moments = [(FIRST + timedelta(hours=a), FIRST + timedelta(hours=b) if b else None) for a, b in spans]
    past = tuple(Past(a, b or a, 3, b or a, "", "run") for a, b in moments[:-1])
    start, end = moments[-1]
    return KnownProblem(
        key=key,
        target="pn_contoh",
        severity=Severity.CRITICAL,
        message="mati",
        first_seen=start,
        last_seen=start,
        run="run",
        playbook="p",
        step="s",
        task="t",
        state=State.SOLVED if end else State.OPEN,
        solved_at=end,
        earlier=past,
    )


def build() -> list[Any]:
    troubles = [trouble("website.unavailable", (104, 110), (700, None)), trouble("website.not_updated", (1, 2))]
    return list(build_history(gather_history(a_month(), WIB), troubles, lambda name: NAMES.get(name, name), DAYS, PEN))


@given(st.lists(st.floats(1e-4, 1e4), min_size=5, max_size=300), st.sampled_from([50, 95, 99]))
def test_percentiles_are_right_within_five_per_cent(durations: list[float], percent: int) -> None:
    spread = Spread()
    for each in durations:
        spread.add(each)
    exact = sorted(durations)[-(-len(durations) * percent // 100) - 1]
    assert spread.percentile(percent) == pytest.approx(exact, rel=0.03)


def test_no_durations_have_no_percentile() -> None:
    assert Spread().percentile(95) is None
    assert len(quantiles([1.0, 2.0])) == 3


def test_checks_are_counted_by_the_day_of_the_office() -> None:
    site = gather_history(a_month(), WIB).sites["pn_contoh"]
    fifth, twelfth, window = (site.days[date(2026, 11, day)] for day in (5, 12, 14))
    assert (fifth.up, fifth.down, fifth.share) == (18, 6, 75.0)
    assert (twelfth.up, twelfth.unknown, twelfth.share) == (21, 3, 100.0)
    assert (window.up, window.down, window.maintenance, window.share) == (22, 0, 2, 100.0)
    assert date(2026, 11, 20) not in site.days
    assert site.phases.keys() == {"lookup", "connect", "first_byte", "body"}


def test_what_failed_or_knows_no_end_tells_nothing() -> None:
    events = [
        outcome("tls.certificate", "a", 0, Status.TIMED_OUT, expires="2027-01-01"),
        outcome("tls.certificate", "b", 0, expires=None),
        outcome("website.available", "c", 0, Status.FAILED),
        outcome("logs.scan", "d", 0, expires="2027-01-01"),
    ]
    found = gather_history(events, WIB)
    assert (found.sites, found.ends) == ({}, {})


def test_the_latest_look_at_an_end_counts() -> None:
    found = gather_history(a_month(), WIB)
    certificate = found.ends["pn_contoh", "certificate"]
    assert (certificate.ends, certificate.days_left(date(2026, 11, 30))) == (date(2027, 2, 10), 72)


def test_pictures_tell_the_same_as_the_tables() -> None:
    blocks = build()
    availability, times, phases, ends = [block for block in blocks if isinstance(block, Chart)]
    assert availability.series[0].values[4] == 75.0
    assert availability.series[0].values[19] is None
    assert [each.name for each in times.series] == ["p50", "p95", "p99"]
    assert phases.labels == ["Pencarian nama", "Penyambungan", "TLS", "Menunggu jawaban", "Pengiriman halaman"]
    assert phases.series[0].values[2] is None
    assert times.top >= max(value for each in times.series for value in each.values if value)
    assert [each.values for each in ends.series] == [[0, 72, 91], [0, 0, 0]]
    rows = [
        [line.text for cell in row for line in cell]
        for block in blocks
        if isinstance(block, Table)
        for row in block.rows
    ]
    assert ["Website Pengadilan Negeri Contoh", "696", "6", "3", "2", "99,13%"] in rows
    assert [
        "Website Pengadilan Negeri Contoh",
        "tidak dapat diakses",
        "5 November 2026, 08.00–14.00 WIB",
        "6 jam",
    ] in rows
    assert rows[-3][0] == "1"


def test_many_sites_are_shown_together() -> None:
    events = [check(f"site{number:03d}", minute, available=number > 0) for number in range(900) for minute in (0, 5)]
    blocks = list(build_history(gather_history(events, WIB), [], str, DAYS, PEN))
    chart = next(block for block in blocks if isinstance(block, Chart))
    assert [(each.name, each.values[0]) for each in chart.series] == [
        ("900 website bersama-sama", pytest.approx(100 * 899 / 900))
    ]
    table = next(block for block in blocks if isinstance(block, Table))
    assert (table.rows[0][0][0].text, len(table.rows)) == ("site000", 900)


def test_nothing_on_record_is_said() -> None:
    (line,) = build_history(gather_history([], WIB), [], str, DAYS, PEN)
    assert isinstance(line, Line)


def test_the_page_holds_its_pictures_and_asks_for_nothing() -> None:
    office = {"name": "Pengadilan Negeri Contoh"}
    paper = Paper(
        "pemantauan-2026-11",
        "LAPORAN PEMANTAUAN WEBSITE",
        "Bulan November 2026",
        build_letterhead(office),
        build(),
        FIRST,
        "ab" * 32,
    )
    page = render_html(paper, choose_layout(office, None, landscape=False))
    assert page.count("<svg") == 4
    assert not re.search(r"(?:src|href)=", page)
    assert page == render_html(paper, choose_layout(office, None, landscape=False))
