"""An office whose run is broken in many ways: acts that leave a line each, and what must hold afterwards."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from runner.cli import run as sop
from runner.contract import Status
from runner.errors import Refused
from runner.events import Event, Key, Kind
from runner.record import build_record
from runner.record.journal import Journal

OFFICE = "office: {name: PN Contoh, timezone: Asia/Jakarta}\n"
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


class Office:
    """A folder with playbook, inventory and records; runs `sop` there as a process of its own."""

    def __init__(self, folder: Path, targets: int = 20) -> None:
        self.folder = folder
        self.targets = [f"n{number:02}" for number in range(targets)]
        (folder / "files").mkdir(parents=True)
        servers = "".join(f"  {name}: {{connection: local}}\n" for name in self.targets)
        (folder / "inventory.yml").write_text(
            f"office: {{name: PN Contoh, timezone: Asia/Jakarta}}\nservers:\n{servers}"
        )
        (folder / "p.yml").write_text(PLAYBOOK)

    def begin(self, *arguments: str, under: Sequence[str] = ()) -> subprocess.Popen[bytes]:
        """Start `sop`, under another program where one is given, and return its process."""
        with (self.folder / "said").open("ab") as said:
            return subprocess.Popen(
                [*under, sys.executable, "-m", "runner", *arguments, "--records", "records"],
                cwd=self.folder,
                env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
                stdout=subprocess.DEVNULL,
                stderr=said,
            )

    def run(self, under: Sequence[str] = ()) -> subprocess.Popen[bytes]:
        """Start the run."""
        return self.begin("run", "p.yml", "-f", "4", "-e", f"folder={self.folder}/files", under=under)

    def said(self) -> str:
        """All that was written to standard error."""
        return (self.folder / "said").read_text(encoding="utf-8", errors="replace")

    def verify(self) -> list[str]:
        """What is wrong with the journal, where there is one."""
        with suppress(Refused):
            return [str(fault) for fault in Journal.open(self.folder / "records", create=False).verify()]
        return []

    def events(self) -> list[Event]:
        """What the journal holds of the run."""
        with suppress(Refused):
            journal = Journal.open(self.folder / "records", create=False)
            return list(journal.events(journal.find_run("last")))
        return []

    def done(self) -> Counter[str]:
        """How often each act was done: the lines of its file."""
        return Counter({path.name: path.read_text().count("\n") for path in (self.folder / "files").iterdir()})


def go_on(office: Office) -> None:
    """After a run was cut off: take it to its end, and see that all was done once."""
    journal = office.folder / "records" / "journal.sqlite"
    events = office.events() if journal.exists() else []
    if not events:  # killed before it was a run: nothing may have been done
        assert office.done() == Counter()
        assert office.run().wait(60) == 0
    cut, done = finished(events), office.done()
    print(f"cut off with {len(cut)} of {3 * len(office.targets) + 1} tasks finished")
    resume(office)
    check_whole(office)
    for key in cut:  # what had finished was not done again
        name = file_of(key)
        assert office.done()[name] == done[name] == 1, name


def resume(office: Office) -> None:
    """Go on until the run has ended, if one began, letting what is never repeated unseen be repeated."""
    while office.events() and (record := build_record(office.events())).status in (Status.INTERRUPTED, Status.WAITING):
        for request in record.requests:
            key = request.key
            words = [record.run, key.step, "--task", key.task, "--target", str(key.target), "--answer", "repeat"]
            assert sop(["sign", *words, "--records", str(office.folder / "records")]) == 0
        assert office.begin("resume", "last").wait(60) in (0, 3)


def check_whole(office: Office) -> None:
    """Every task has exactly one outcome that is not `interrupted`; tries explain every line; the chain verifies."""
    events = office.events()
    wanted = {(step, task, name) for step, task in TASKS for name in office.targets} | {("two", "once", None)}
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
