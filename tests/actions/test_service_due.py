from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from runner.actions.service_due import ACTION
from runner.contract import Outcome, Severity, Status
from tests.calls import NOW, assert_fits, make_call
from tests.web_servers import closed_port, make_authority, page_server, raw_server, silent

TODAY = date(2026, 11, 22)


def check(
    folder: Path, limit: float = 20, now: datetime = NOW, earlier: Mapping[str, Any] | None = None, **settings: Any
) -> Outcome:
    target = {"name": "domain", "kind": "service", "service": "domain", "title": "pn-contoh.example", **settings}
    inputs = {"budget_year_end": "", **{key: settings.pop(key) for key in ("roles", "seen_outside") if key in settings}}
    inputs["observed"] = inputs.pop("seen_outside", "")
    call = make_call(ACTION, inputs, directory=folder, target=target, limit=limit, now=now, earlier=earlier)
    outcome = ACTION.run(call)
    assert outcome.status is Status.OK
    assert_fits(ACTION, outcome.outputs)
    return outcome


@pytest.mark.parametrize(
    ("days", "rung", "key", "severity"),
    [
        (400, None, None, None),
        (91, None, None, None),
        (90, 90, "service.due", Severity.MINOR),
        (61, 90, "service.due", Severity.MINOR),
        (60, 60, "service.due", Severity.MINOR),
        (30, 30, "service.due", Severity.MAJOR),
        (14, 14, "service.due", Severity.MAJOR),
        (7, 7, "service.due", Severity.CRITICAL),
        (1, 1, "service.due", Severity.CRITICAL),
        (0, 1, "service.due", Severity.CRITICAL),
        (-1, None, "service.expired", Severity.CRITICAL),
        (-900, None, "service.expired", Severity.CRITICAL),
    ],
)
def test_climbs_the_ladder(
    tmp_path: Path, days: int, rung: int | None, key: str | None, severity: Severity | None
) -> None:
    outcome = check(tmp_path, expires=(TODAY + timedelta(days=days)).isoformat())
    assert (outcome.outputs["days_left"], outcome.outputs["rung"]) == (days, rung)
    assert [(p.key, p.severity) for p in outcome.problems] == ([(key, severity)] if key else [])


def test_says_what_lapses_and_when(tmp_path: Path) -> None:
    (problem,) = check(tmp_path, expires="2026-12-22").problems
    assert problem.message == (
        "Masa berlaku nama domain pn-contoh.example berakhir pada Selasa, 22 Desember 2026, 30 hari lagi;"
        " perpanjangan perlu diurus."
    )


def test_counts_days_where_the_office_is(tmp_path: Path) -> None:
    late = datetime(2026, 11, 22, 18, 0, tzinfo=UTC)  # 01.00 WIB of the 23rd
    assert check(tmp_path, now=late, expires="2026-11-23").outputs["days_left"] == 0


@pytest.mark.parametrize("written", ["31 Desember 2026", "Kamis, 31 Desember 2026", "31/12/2026", " 2026-12-31 "])
def test_reads_a_day_as_people_write_it(tmp_path: Path, written: str) -> None:
    assert check(tmp_path, expires=written).outputs["expires"] == "2026-12-31"


@pytest.mark.parametrize(
    "written",
    [None, "", "soon", "2026-02-30", "Senin, 31 Desember 2026", "12/31/2026", 20261231, "1 Mei 2026 / 2 Mei 2026"],
)
def test_a_day_that_cannot_be_read_is_unknown(tmp_path: Path, written: object) -> None:
    outcome = check(tmp_path, expires=written)
    assert (outcome.outputs["stage"], outcome.outputs["expires"], outcome.outputs["days_left"]) == (
        "unknown",
        None,
        None,
    )
    assert [(p.key, p.severity) for p in outcome.problems] == [("service.unknown", Severity.MAJOR)]


def test_29_february_is_a_day(tmp_path: Path) -> None:
    now = datetime(2028, 2, 28, 3, 0, tzinfo=UTC)
    assert check(tmp_path, now=now, expires="2028-02-29").outputs["days_left"] == 1


@pytest.mark.parametrize("trusted", [True, False])
def test_sees_a_certificate_where_it_is_shown(tmp_path: Path, trusted: bool) -> None:
    context = make_authority(tmp_path).context(days=20, issued=trusted)
    with page_server({}, context) as url:
        outcome = check(
            tmp_path,
            now=datetime.now(UTC),
            service="certificate",
            address=url.removeprefix("https://"),
            expires="2031-01-01",
        )
    assert (outcome.outputs["source"], outcome.outputs["rung"]) == ("observed", 30)
    assert [p.key for p in outcome.problems] == ["service.due"]


def test_a_certificate_out_of_reach_is_unknown_and_the_register_still_counts(tmp_path: Path) -> None:
    outcome = check(
        tmp_path, service="certificate", address=f"127.0.0.1:{closed_port()}", expires="2026-11-25", title="TLS"
    )
    assert (outcome.outputs["source"], outcome.outputs["rung"]) == ("register", 7)
    assert [p.key for p in outcome.problems] == ["service.unknown", "service.due"]


def test_a_silent_place_ends_in_time(tmp_path: Path) -> None:
    with raw_server(silent) as url:
        outcome = check(tmp_path, limit=0.5, service="certificate", address=url.removeprefix("http://"))
    assert [p.key for p in outcome.problems] == ["service.unknown"]


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        (90, ["budi", "sari"]),
        (30, ["budi", "sari", "kasubbag"]),
        (7, ["budi", "sari", "kasubbag", "sekretaris"]),
        (-1, ["budi", "sari", "kasubbag", "sekretaris"]),
        (100, []),
    ],
)
def test_tells_the_people_in_charge_then_the_roles_above(tmp_path: Path, days: int, expected: list[str]) -> None:
    end = (TODAY + timedelta(days=days)).isoformat()
    outputs = check(tmp_path, expires=end, responsible=["budi", "sari"]).outputs
    assert (outputs["recipients"], outputs["remind"]) == (expected, bool(expected))


def test_one_role_gets_every_rung(tmp_path: Path) -> None:
    assert check(tmp_path, expires="2026-11-23", roles=["admin"]).outputs["recipients"] == ["admin"]


def test_an_unknown_date_is_told_once_and_keeps_what_was_told(tmp_path: Path) -> None:
    first = check(tmp_path, expires="2026-12-22").outputs
    lost = check(tmp_path, earlier=first, expires="soon")
    assert (lost.outputs["event"], lost.outputs["recipients"], lost.outputs["reminded"]) == ("unknown", ["admin"], [30])
    assert check(tmp_path, earlier=lost.outputs, expires="soon").outputs["event"] == ""
    again = check(tmp_path, earlier=lost.outputs, expires="2026-12-22").outputs
    assert (again["event"], again["announced"]) == ("", [])


def test_what_was_seen_outside_counts_for_thirty_days(tmp_path: Path) -> None:
    seen = check(tmp_path, expires="2026-12-01", seen_outside="2027-12-01")
    assert (seen.outputs["source"], seen.outputs["stage"]) == ("observed", "later")
    near = check(tmp_path, now=NOW + timedelta(days=30), earlier=seen.outputs, expires="2026-12-01").outputs
    assert (near["source"], near["expires"]) == ("remembered", "2027-12-01")
    late = check(tmp_path, now=NOW + timedelta(days=31), earlier=seen.outputs, expires="2026-12-01").outputs
    assert (late["source"], late["stage"]) == ("register", "expired")


def test_an_observation_that_cannot_be_read_is_a_problem(tmp_path: Path) -> None:
    outcome = check(tmp_path, expires="2027-12-01", seen_outside="n/a")
    assert [p.key for p in outcome.problems] == ["service.unknown"]
    assert outcome.outputs["source"] == "register"


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"seen_outside": "2028-12-01"}, "tercatat berlaku sampai 1 Desember 2027, terlihat 1 Desember 2028"),
        (
            {"seen_outside": "2028-12-01", "renewal": {"expires": "2028-12-01"}},
            "'renewal' sudah berlaku; pindahkan ke layanan itu sendiri",
        ),
        (
            {"renewal": {"expires": "2028-12-01", "payment": {"date": "2026-11-23", "amount": 1}}},
            "pembayaran bertanggal 23 November 2026, yang belum tiba",
        ),
        (
            {"expires": "2025-06-01", "renewal": {"expires": "2026-06-01"}},
            "'renewal' berakhir pada 1 Juni 2026, yang sudah lewat",
        ),
    ],
)
def test_a_register_that_cannot_be_right_is_a_problem(tmp_path: Path, settings: dict[str, Any], expected: str) -> None:
    problems = {p.key: p.message for p in check(tmp_path, **{"expires": "2027-12-01", **settings}).problems}
    assert expected in problems["service.register"]


def test_says_that_the_budget_year_ends_first(tmp_path: Path) -> None:
    target = {"name": "d", "kind": "service", "service": "domain", "title": "a.example", "expires": "2027-02-10"}
    outcome = ACTION.run(make_call(ACTION, directory=tmp_path, target=target))
    assert (outcome.outputs["deadline"], outcome.outputs["rung"]) == ("2026-12-31", 60)
    assert "Tahun anggaran berakhir lebih dahulu, pada Kamis, 31 Desember 2026." in outcome.problems[0].message
