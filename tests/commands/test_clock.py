"""The clock of commands: one for everything that a run records, and this machine's unless another is handed in."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from runner.cli import run
from runner.record.journal import Journal
from tests.clocks import FixedClock

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
    monkeypatch.setenv("LOGNAME", "siti")
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


def test_without_another_the_clock_is_this_machine_s(folder: Path) -> None:
    before = datetime.now(UTC)
    code = "import sys; from runner.cli import run; sys.exit(run(['run', 'a.yml']))"
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, timeout=60, check=False)
    assert done.returncode == 3
    journal = Journal.open(folder / "records", create=False)
    begun = next(journal.events(journal.find_run("last"))).at
    assert before <= begun <= datetime.now(UTC)
