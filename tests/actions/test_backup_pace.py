"""How fast files may come, and how far a backup is."""

from __future__ import annotations

import os
import time
from datetime import datetime
from pathlib import Path

import pytest

from runner.actions.backup.pace import Pace, Progress, parse_hours, render_progress
from runner.actions.backup_files import ACTION
from runner.durations import Deadline
from runner.errors import Failed, TimeUp
from tests.actions.backups import backup_call, run_well

MIB = 1024 * 1024


def pace_at(clock: str, hours: str, rate: float = MIB) -> Pace:
    return Pace(rate, hours, datetime.fromisoformat(f"2026-11-23T{clock}+07:00"), Deadline.after(60))


@pytest.mark.parametrize(
    ("clock", "hours", "held"),
    [
        ("09:00", "", True),
        ("09:00", "08:00-16:30", True),
        ("16:30", "08:00-16:30", False),
        ("23:00", "22.00 - 06.00", True),
        ("07:00", "22:00-06:00", False),
    ],
)
def test_holds_to_a_rate_in_quiet_hours(clock: str, hours: str, held: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    sleep = time.sleep
    monkeypatch.setattr(time, "sleep", lambda seconds: (slept.append(seconds), sleep(seconds)))
    pace_at(clock, hours).hold(MIB // 2)
    assert bool(slept) is held


def test_without_a_rate_nothing_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "sleep", lambda seconds: pytest.fail(f"waited {seconds} s"))
    pace = pace_at("09:00", "", rate=0)
    pace.hold(10**12)


def test_a_rate_does_not_outlast_the_time_limit() -> None:
    pace = Pace(1000, "", datetime.fromisoformat("2026-11-23T09:00+07:00"), Deadline.after(0.2))
    with pytest.raises(TimeUp, match="the next run goes on there"):
        pace.hold(10**9)


def test_refuses_hours_that_are_none() -> None:
    with pytest.raises(Failed, match="write them as 08:00-16:30"):
        parse_hours("25:00-26:00")


def test_tells_rate_and_time_left() -> None:
    assert render_progress(50_000_000, 200_000_000, 10.0) == "50.0 MB of 200 MB, 5.0 MB a second, 30 s left"
    assert render_progress(200, 200, 1.0) == "200 B of 200 B, 200 B a second"


def test_writes_how_far_it_is(tmp_path: Path) -> None:
    told: list[str] = []
    progress = Progress(told.append, 4 * MIB, tmp_path / "progress.txt")
    progress._told -= 10
    progress.add(MIB)
    assert (tmp_path / "progress.txt").read_text().startswith("1.0 MB of 4.2 MB, ")
    progress.add(MIB)
    assert [text.partition(",")[0] for text in told] == ["1.0 MB of 4.2 MB"]


def test_a_backup_keeps_to_the_rate(tmp_path: Path) -> None:
    site = tmp_path / "site"
    site.mkdir()
    (site / "photo.jpg").write_bytes(os.urandom(2 * MIB))
    began = time.monotonic()
    run_well(ACTION, backup_call(ACTION, {"root": str(site), "rate": 2}, tmp_path))
    assert time.monotonic() - began >= 0.5
