"""Runs as processes of their own: Ctrl-C, SIGTERM, and two runs at once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

INVENTORY = "office: {name: PN Contoh, timezone: Asia/Jakarta}\nservers: {web1: {connection: local}}\n"
PLAYBOOK = """
procedure: {title: T}
steps:
  - id: one
    activity: a
    targets: web1
    tasks:
      - {id: a, action: command.run, effect: read, with: {command: "echo begun > begun; read go < go; echo done > done",
         cwd: "{{ vars.here }}"}}
      - {id: b, action: command.run, effect: read, with: {command: "true"}}
"""


class Sop:
    """A folder where `sop` runs as a process; its task says on a pipe that it began, and waits on another."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.processes: list[subprocess.Popen[str]] = []
        (folder / "inventory.yml").write_text(INVENTORY)
        (folder / "p.yml").write_text(PLAYBOOK)
        os.mkfifo(folder / "begun")
        os.mkfifo(folder / "go")

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Start `sop` and return its process."""
        process = subprocess.Popen(
            [sys.executable, "-m", "runner", *words],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.processes.append(process)
        return process

    def run(self) -> subprocess.Popen[str]:
        """Start the run and return once its task has begun."""
        process = self.start("run", "p.yml", "-e", f"here={self.folder}")
        assert (self.folder / "begun").read_text() == "begun\n"
        return process

    def let_go(self) -> None:
        """Let the task end."""
        (self.folder / "go").write_text("go\n")

    def ask(self, *words: str) -> tuple[int, str, str]:
        """Run `sop` to its end; return exit code and what it printed."""
        process = self.start(*words)
        out, err = process.communicate(timeout=60)
        return process.returncode, out, err


@pytest.fixture
def sop(tmp_path: Path) -> Iterator[Sop]:
    """A folder to run in; what is left running is ended."""
    made = Sop(tmp_path)
    yield made
    for process in made.processes:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.promise("Signals", "Ctrl-C once", "what is in flight ends and is recorded; exit 130")
def test_one_interruption_lets_the_task_end_and_begins_no_other(sop: Sop, number: signal.Signals) -> None:
    process = sop.run()
    process.send_signal(number)
    sop.let_go()
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "stopping: what is being done may end, nothing else begins" in err
    assert (sop.folder / "done").exists()
    code, out, _ = sop.ask("show", "last", "--format", "json")
    [target] = json.loads(out)["steps"][0]["targets"]
    assert [(task["id"], task["status"]) for task in target["tasks"]] == [("a", "ok")]
    code, out, _ = sop.ask("resume", "last", "--format", "json")
    assert (code, json.loads(out)["status"]) == (0, "ok")


@pytest.mark.promise("Signals", "Ctrl-C twice", "ends now; exit 130")
def test_a_second_interruption_waits_for_nothing(sop: Sop) -> None:
    process = sop.run()
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGTERM)  # two of one kind, at once, may be one
    process.communicate(timeout=60)
    assert process.returncode == 130
    assert not (sop.folder / "done").exists()
    code, out, _ = sop.ask("verify", "--format", "json")
    assert (code, json.loads(out)["whole"]) == (0, True)
    _, out, _ = sop.ask("status", "--format", "json")
    assert [row["status"] for row in json.loads(out)["waiting"]] == ["can_go_on"]


def test_a_run_goes_on_when_its_terminal_is_closed(sop: Sop) -> None:
    process = sop.run()
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    process.stderr.close()
    process.send_signal(signal.SIGHUP)
    sop.let_go()
    assert process.wait(60) == 0
    code, out, _ = sop.ask("history", "--format", "json")
    assert (code, [run["status"] for run in json.loads(out)["runs"]]) == (0, ["ok"])


@pytest.mark.promise("Signals", "a second run meanwhile", "exit 6, the holder is named")
def test_a_second_run_at_the_same_time_exits_6_and_names_the_holder(sop: Sop) -> None:
    process = sop.run()
    _, out, _ = sop.ask("history", "--format", "json")
    [first] = json.loads(out)["runs"]
    assert first["status"] == "running"
    code, _, err = sop.ask("run", "p.yml", "-e", f"here={sop.folder}")
    assert code == 6
    assert first["run"] in err
    code, _, err = sop.ask("resume", first["run"])
    assert code == 6
    sop.let_go()
    process.communicate(timeout=60)
    assert process.returncode == 0
    _, out, _ = sop.ask("history", "--format", "json")
    assert [run["status"] for run in json.loads(out)["runs"]] == ["ok"]


@pytest.mark.promise("Signals", "the reader of a pipe goes away", "a quiet end")
def test_a_reader_that_goes_away_is_no_error(sop: Sop) -> None:
    process = sop.start("actions", "--format", "json")
    assert process.stdout is not None
    process.stdout.close()
    assert process.wait(60) in (0, 141)
    assert process.stderr is not None
    assert "Traceback" not in process.stderr.read()


def test_what_was_left_behind_holds_up_no_end() -> None:
    code = """
import threading
from runner import cli
def told(arguments):
    threading.Thread(target=threading.Event().wait).start()  # not a daemon: Python would wait for it
    print("all that was said")
    return 7
cli.run = told
cli.main()
"""
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (7, "all that was said\n", "")
