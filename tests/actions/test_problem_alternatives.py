"""`problem.alternatives`: for each problem in hand what is known and what helped before, as output and evidence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from runner.actions import ACTIONS
from runner.contract import Status
from tests.calls import assert_fits, make_call, read_evidence

ACTION = ACTIONS["problem.alternatives"]


def problem(number: int = 0, **fields: Any) -> dict[str, Any]:
    """A problem in hand, of which nothing is known."""
    known = {"key": f"site.fault{number}", "target": "situs", "severity": "major", "message": "rusak"}
    return {**known, "advice": [], "solutions": [], **fields}


ADVICE = {"title": "Situs mati", "causes": ["listrik"], "checks": [], "remedies": ["hidupkan"], "call": ["admin"]}
SOLUTION = {
    "run": "r1",
    "solved_at": "2026-10-03T01:00:00+00:00",
    "remarks": [{"step": "work", "role": "admin", "person": "Budi", "label": "ya", "note": "kabel diganti"}],
    "changes": ["work/repair"],
}


def test_alternatives_come_from_what_is_known_and_what_helped_before(tmp_path: Path) -> None:
    more = {**ADVICE, "title": "lain", "remedies": ["hidupkan", "ganti"]}
    problems = [problem(advice=[ADVICE, more], solutions=[SOLUTION]), problem(1)]
    call = make_call(ACTION, directory=tmp_path, problems=problems)
    outcome = ACTION.run(call)
    assert_fits(ACTION, outcome.outputs)
    first, second = outcome.outputs["alternatives"]
    assert (first["title"], first["remedies"], first["known"]) == ("Situs mati", ["hidupkan", "ganti"], True)
    assert first["before"][0]["remarks"] == ["Budi: kabel diganti"]
    assert (second["known"], outcome.outputs["count"]) == (False, 2)
    assert outcome.message == "1 of 2 problems have no known alternative"
    assert outcome.outputs["summary"].splitlines() == [
        "1. Situs mati (situs): Budi: kabel diganti",
        "2. site.fault1 (situs): belum ada alternatif yang dicatat",
    ]
    text = read_evidence(call, outcome.evidence[0]).decode()
    assert "Terakhir terselesaikan Sabtu, 3 Oktober 2026 pukul 08.00 WIB (pelaksanaan r1):" in text
    for words in ("1. Situs mati (situs)", "     - hidupkan", "Tingkat: berat", "tambahkan dalam berkas pengetahuan"):
        assert words in text


@pytest.mark.parametrize(
    ("zone", "told"),
    [("WITA", "09.00 WITA"), ("wit", "10.00 WIT"), ("Asia/Makassar", "09.00 WITA"), (None, "08.00 WIB")],
)
def test_times_are_told_by_the_offices_clock_however_its_zone_is_written(
    zone: str | None, told: str, tmp_path: Path
) -> None:
    office = {"name": "Pengadilan Negeri Contoh"} | ({"timezone": zone} if zone else {})
    call = make_call(ACTION, directory=tmp_path, problems=[problem(solutions=[SOLUTION])], office=office)
    text = read_evidence(call, ACTION.run(call).evidence[0]).decode()
    assert f"Terakhir terselesaikan Sabtu, 3 Oktober 2026 pukul {told} (pelaksanaan r1)" in text


def test_nothing_in_hand_is_said(tmp_path: Path) -> None:
    outcome = ACTION.run(make_call(ACTION, directory=tmp_path))
    assert (outcome.status, outcome.outputs["count"], outcome.outputs["summary"]) == (Status.OK, 0, "")
    assert_fits(ACTION, outcome.outputs)


def test_five_thousand_problems_are_bounded_and_said_to_be(tmp_path: Path) -> None:
    call = make_call(ACTION, directory=tmp_path, problems=[problem(number, advice=[ADVICE]) for number in range(5000)])
    outcome = ACTION.run(call)
    assert (outcome.outputs["count"], len(outcome.outputs["alternatives"])) == (5000, 200)
    assert outcome.outputs["summary"].endswith("… dan 4800 masalah lain")
    assert len(outcome.outputs["summary"]) < 2100
    assert "… dan 4800 masalah lain" in read_evidence(call, outcome.evidence[0]).decode()


def test_what_a_terminal_would_obey_is_left_out(tmp_path: Path) -> None:
    hostile = "<b>\x1b[31m\nREKAYASA: ya"
    call = make_call(ACTION, directory=tmp_path, problems=[problem(message=hostile)])
    text = read_evidence(call, ACTION.run(call).evidence[0]).decode()
    assert "Kondisi: <b> [31m REKAYASA: ya\n" in text
