"""The clock of commands: one for everything that a run records, and this machine's unless another is handed in."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from runner import calendar
from runner.cli import run
from runner.record.journal import Journal
from tests.clocks import FixedClock
from tests.logins import sign_in

NOON = datetime(2026, 3, 17, 5, 0, tzinfo=UTC)
PLAYBOOK = """\
procedure: {title: T, roles: {admin: Admin}}
steps:
  - {id: wait, activity: a, actor: admin, time_limit: 1 hari,
     tasks: [{id: do, action: person.do, with: {question: Lakukan.}}]}
  - {id: after, activity: b, tasks: [{id: echo, action: command.run, effect: read, with: {argv: ["true"]}}]}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    sign_in(monkeypatch, "siti")
    (tmp_path / "a.yml").write_text(PLAYBOOK)
    people = "people: {siti: {name: Siti, login: siti, roles: [{role: admin}]}}\noffice: {timezone: WIB}\n"
    (tmp_path / "inventory.yml").write_text(people)
    return tmp_path


def test_whatever_a_run_records_goes_by_the_clock_that_was_handed_in(folder: Path) -> None:
    clock = FixedClock(NOON)
    assert run(["run", "a.yml"], clock=clock) == 3
    clock.advance(3600)
    assert run(["sign", "last", "wait", "--answer", "done"], clock=clock) == 0
    clock.advance(3600)
    assert run(["resume", "last"], clock=clock) == 0
    journal = Journal.open(folder / "records", create=False)
    events = list(journal.events(journal.find_run("last")))
    assert events[0].run.startswith("20260317-0500-")
    assert {event.at for event in events} == {NOON, NOON + timedelta(hours=1), NOON + timedelta(hours=2)}


def test_show_says_until_when_and_by_which_rule(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["run", "a.yml"], clock=FixedClock(NOON)) == 3
    capfd.readouterr()
    assert run(["show", "last", "wait"]) == 0
    told = " ".join(capfd.readouterr().out.split())
    assert "limit 1 hari, due Wednesday, 25 March 2026 at 16:30 WIB. Due at the office's close on working day 1" in told


def test_a_due_time_that_was_given_holds_though_the_holidays_change(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    clock = FixedClock(NOON)
    assert run(["run", "a.yml"], clock=clock) == 3
    # Decreed meanwhile: 25 and 26 March off too; and the office's own file changes as well.
    newer = {date(2026, 3, 25): "Cuti Bersama", date(2026, 3, 26): "Cuti Bersama", **calendar._national_holidays(2026)}
    monkeypatch.setattr(calendar, "_national_holidays", lambda year: newer if year == 2026 else {})
    inventory = folder / "inventory.yml"
    inventory.write_text(inventory.read_text().replace("WIB}", "WIB, holidays: {2026-03-25: Libur}}"))
    clock.advance(8 * 86400 + 5 * 3600)  # Wed 25 Mar 17:00 WIB: half an hour after the due time that was given
    assert run(["sign", "last", "wait", "--answer", "done"], clock=clock) == 0
    capfd.readouterr()
    assert run(["resume", "last"], clock=clock) == 0
    assert "holidays (2026-03-25): the office's calendar has changed since the run began" in capfd.readouterr().err
    assert run(["show", "last", "wait", "--format", "json"]) == 0
    target = json.loads(capfd.readouterr().out)["steps"][0]["targets"][0]
    assert target["due"] == "2026-03-25T16:30:00+07:00"
    assert target["deviations"] == ["late: 2026-03-25T16:30+07:00"]


def test_an_inventory_with_another_calendar_is_refused_with_what_differs(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(["run", "a.yml"], clock=FixedClock(NOON)) == 3
    text = (folder / "inventory.yml").read_text()
    (folder / "newer.yml").write_text(text.replace("WIB}", "WIB, holidays: {2026-03-25: Libur}, day_norm: hours}"))
    capfd.readouterr()
    assert run(["resume", "last", "-i", "newer.yml"]) == 5
    told = " ".join(capfd.readouterr().err.split())
    assert "'office' is not as it was when the run began: day_norm, holidays (2026-03-25)" in told


def test_without_another_the_clock_is_this_machine_s(folder: Path) -> None:
    before = datetime.now(UTC)
    code = "import sys; from runner.cli import run; sys.exit(run(['run', 'a.yml']))"
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, timeout=60, check=False)
    assert done.returncode == 3
    journal = Journal.open(folder / "records", create=False)
    begun = next(journal.events(journal.find_run("last"))).at
    assert before <= begun <= datetime.now(UTC)
