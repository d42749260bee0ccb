"""A clock that somebody sets while a run goes on."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from runner.cli import run as sop
from runner.durations import SystemClock
from tests.faults.offices import Office, check_whole


class SetClock(SystemClock):
    """This machine's clock, that is set by `jump` once some acts are done."""

    def __init__(self, office: Office, jump: timedelta) -> None:
        self._office, self._jump = office, jump

    def now(self) -> datetime:
        return super().now() + (self._jump if sum(self._office.done().values()) > 5 else timedelta())


@pytest.mark.promise(
    "Clock",
    "the clock is set {case} in the middle of a run",
    "the run does all; the record is whole; the next run works",
)
@pytest.mark.parametrize(
    "jump",
    [
        pytest.param(timedelta(days=-1), id="back by a day"),
        pytest.param(timedelta(hours=-1), id="back by an hour"),
        pytest.param(timedelta(days=400), id="forward by 400 days"),
    ],
)
def test_a_clock_that_is_set_in_the_middle_of_a_run(
    tmp_path: Path, jump: timedelta, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    office = Office(tmp_path / "office", targets=6)
    monkeypatch.chdir(office.folder)
    words = ["run", "p.yml", "-e", f"folder={office.folder}/files"]
    assert sop(words, clock=SetClock(office, jump)) == 0
    check_whole(office)
    first, *_, last = office.events()
    assert abs(last.at - first.at - jump) < timedelta(minutes=10), "the clock was not set in the middle"
    assert sop(words) == 0
    assert [sop([command]) for command in ("verify", "status", "history")] == [0, 0, 0]
    assert "sop: a bug" not in capsys.readouterr().err
