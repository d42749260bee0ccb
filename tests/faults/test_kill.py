"""`kill -9` at random moments: after `sop resume` everything is done once, and the record is whole (law 4)."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

import pytest

from runner.cli import run as sop
from runner.contract import Status
from runner.errors import Refused
from runner.events import Event, Key, Kind
from runner.record import build_record
from runner.record.journal import Journal

TARGETS = 20
INVENTORY = "office: {name: PN Contoh, timezone: Asia/Jakarta}\nservers:\n" + "".join(
    f"  n{number:02}: {{connection: local}}\n" for number in range(TARGETS)
)
# Each act leaves a line in a file of its own, so that doing it twice is seen.
ACT = "sleep 0.05; echo done >> {{ vars.folder }}/{{ target.name }}.%s; echo {{ target.name }}"
PLAYBOOK = f"""
procedure: {{title: T}}
steps:
  - id: one
    activity: a
    targets: servers
    outputs: [{{id: name, text: N, value: "{{{{ tasks.reads.stdout }}}}"}}]
    tasks:
      - {{id: reads, action: command.run, effect: read, with: {{command: "{ACT % "reads"}"}}}}
      - {{id: changes, action: command.run, with: {{command: "{ACT % "changes"}"}}}}
  - id: two
    activity: b
    tasks:
      - {{id: once, action: command.run, effect: read, with: {{command: "echo done >> {{{{ vars.folder }}}}/once"}}}}
  - id: three
    activity: c
    targets: servers
    tasks:
      - id: last
        action: command.run
        effect: read
        with: {{command: "{ACT % "last"}; echo {{{{ steps.one.name }}}}"}}
"""
TASKS = {("one", "reads"), ("one", "changes"), ("three", "last")}

GOES_ON = "after sop resume each task has one finished outcome, none ran twice, the chain verifies"


class Office:
    """A folder with playbook, inventory and records; runs `sop` there as a process of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "files").mkdir(parents=True)
        (folder / "inventory.yml").write_text(INVENTORY)
        (folder / "p.yml").write_text(PLAYBOOK)

    def begin(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start `sop` and return its process."""
        return subprocess.Popen(
            [sys.executable, "-m", "runner", *arguments, "--records", "records"],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def run(self) -> subprocess.Popen[bytes]:
        """Start the run."""
        return self.begin("run", "p.yml", "-f", "4", "-e", f"folder={self.folder}/files")

    def events(self) -> list[Event]:
        """What the journal holds of the run."""
        with suppress(Refused):
            journal = Journal.open(self.folder / "records", create=False)
            return list(journal.events(journal.find_run("last")))
        return []

    def done(self) -> Counter[str]:
        """How often each act was done: the lines of its file."""
        return Counter({path.name: path.read_text().count("\n") for path in (self.folder / "files").iterdir()})


def kill_once(office: Office, after: float) -> None:
    """Start the run, kill it after so many seconds, resume it to its end, and see that all was done once."""
    process = office.run()
    time.sleep(after)  # the random moment itself
    process.kill()
    process.wait()
    journal = office.folder / "records" / "journal.sqlite"
    events = office.events() if journal.exists() else []
    if not events:  # killed before it was a run: nothing may have been done
        assert office.done() == Counter()
        assert office.run().wait(60) == 0
    cut, done = finished(events), office.done()
    print(f"killed after {after:.2f} s with {len(cut)} of {3 * TARGETS + 1} tasks finished")
    resume(office)
    check_whole(office)
    for key in cut:  # what had finished was not done again
        name = file_of(key)
        assert office.done()[name] == done[name] == 1, name


def resume(office: Office) -> None:
    """Go on until the run has ended, letting what is never repeated unseen be repeated."""
    while (record := build_record(office.events())).status in (Status.INTERRUPTED, Status.WAITING):
        for request in record.requests:
            key = request.key
            words = [record.run, key.step, "--task", key.task, "--target", str(key.target), "--answer", "repeat"]
            assert sop(["sign", *words, "--records", str(office.folder / "records")]) == 0
        assert office.begin("resume", "last").wait(60) in (0, 3)


def check_whole(office: Office) -> None:
    """Every task has exactly one outcome that is not `interrupted`; tries explain every line; the chain verifies."""
    events = office.events()
    names = [f"n{number:02}" for number in range(TARGETS)]
    wanted = {(step, task, name) for step, task in TASKS for name in names} | {("two", "once", None)}
    outcomes = Counter(
        (event.step, event.task, event.target)
        for event in events
        if event.kind is Kind.TASK_FINISHED and event.data["status"] != "interrupted"
    )
    assert outcomes == Counter(dict.fromkeys(wanted, 1))
    claims = Counter(file_of(event.key) for event in events if event.kind is Kind.TASK_STARTED)
    assert all(1 <= number <= claims[name] for name, number in office.done().items())
    assert set(office.done()) == set(claims)
    assert build_record(events).exit_code == 0
    assert Journal.open(office.folder / "records", create=False).verify() == []


def finished(events: list[Event]) -> set[Key]:
    """What had an outcome of its own."""
    return {e.key for e in events if e.kind is Kind.TASK_FINISHED and e.data["status"] != "interrupted"}


def file_of(key: Key) -> str:
    """The file in which an act leaves its line."""
    return f"{key.target}.{key.task}" if key.target else key.task


def kill_often(folder: Path, number: int) -> None:
    """Measure an undisturbed run, then kill that many at random moments of it."""
    seed = int(os.environ.get("SOP_KILL_SEED", random.SystemRandom().randrange(10**9)))
    print(f"SOP_KILL_SEED={seed}")
    chance = random.Random(seed)
    undisturbed = Office(folder / "undisturbed")
    begun = time.monotonic()
    assert undisturbed.run().wait(60) == 0
    took = time.monotonic() - begun
    check_whole(undisturbed)
    for count in range(number):
        kill_once(Office(folder / str(count)), chance.uniform(0.2, 1.0) * took)


@pytest.mark.promise("Power cut", "kill -9 at five random moments of a run", GOES_ON)
def test_a_run_killed_at_five_random_moments_goes_on_and_repeats_nothing(tmp_path: Path) -> None:
    kill_often(tmp_path, 5)


@pytest.mark.heavy
@pytest.mark.timeout(600)
@pytest.mark.promise("Power cut", "kill -9 at twenty random moments of a run over 20 targets", GOES_ON)
def test_a_run_killed_at_twenty_random_moments_goes_on_and_repeats_nothing(tmp_path: Path) -> None:
    kill_often(tmp_path, 20)


@pytest.mark.promise("Power cut", "kill -9 again and again, also of the run that goes on", GOES_ON)
def test_a_run_killed_again_and_again_still_ends(tmp_path: Path) -> None:
    office = Office(tmp_path / "office")
    process = office.run()
    for pause in (0.6, 0.8, 1.0):
        time.sleep(pause)  # the moment of the kill
        process.kill()
        process.wait()
        if not (office.folder / "records" / "journal.sqlite").exists() or not office.events():
            process = office.run()
        else:
            process = office.begin("resume", "last")
    process.wait(60)
    resume(office)
    check_whole(office)
