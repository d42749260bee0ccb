"""`--executor` on the command line: what is refused, and processes of this machine."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.cli import run as sop
from runner.record.journal import Journal
from tests.workers.websites import website

PLAYBOOK = """
procedure: {title: T}
steps:
  - id: look
    activity: a
    targets: websites
    tasks: [{id: up, action: website.available, with: {url: "{{ target.url }}"}}]
  - id: here
    activity: b
    targets: servers
    tasks: [{id: mark, action: command.run, with: {command: 'echo "$PPID" >> marks', cwd: "{{ vars.folder }}"}}]
"""
SECRET = """
procedure: {title: T}
steps:
  - id: one
    activity: a
    targets: servers
    tasks: [{id: a, action: command.run, with: {command: cat, stdin: "{{ secret('key') }}"}}]
"""
AT_ONCE = 4


@pytest.fixture
def address() -> Iterator[str]:
    """The address of a website that answers nobody before four pages are asked for at the same time."""
    together = threading.Barrier(AT_ONCE)
    with website(lambda path: path == "/robots.txt" or together.wait(60)) as found:
        yield found


@pytest.fixture(autouse=True)
def _office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SOP_TEST_KEY", "Rahasia-4711")


def write(playbook: str, websites: dict[str, dict[str, str]]) -> None:
    """Put a playbook and its inventory in place."""
    inventory = {
        "websites": websites,
        "servers": {"this": {"connection": "local"}},
        "secrets": {"key": {"env": "SOP_TEST_KEY"}},
        "vars": {"folder": str(Path.cwd())},
    }
    Path("p.yml").write_text(playbook)
    Path("inventory.yml").write_text(json.dumps(inventory))


def test_processes_do_what_travels_at_the_same_time_and_this_machine_its_own(address: str) -> None:
    write(PLAYBOOK, {f"w{n}": {"url": f"{address}/{n}"} for n in range(AT_ONCE)})
    assert sop(["run", "p.yml", "--executor", "processes:2", "-f", str(AT_ONCE)]) == 0
    assert len(Path("marks").read_text().split()) == 1
    journal = Journal.open(Path("records"), create=False)
    began = next(journal.events(journal.find_run("last")))
    assert began.data["options"]["executor"] == "processes:2"
    assert sop(["verify"]) == 0


@pytest.mark.parametrize(
    ("executor", "why"),
    [
        ("ray://somewhere", "write threads, processes:4, dask://HOST:PORT"),
        ("processes:0", "write a number from 1 to 64"),
        ("processes:many", "write a number from 1 to 64"),
        ("dask://127.0.0.1:9", "no scheduler answers at tcp://127.0.0.1:9"),
        ("dask:///nowhere.json", "'/nowhere.json' is no scheduler's file"),
        ("dask://192.0.2.1:8786", "this run uses secrets, and that connection is not encrypted"),
        ("dask://127.0.0.1:9?here=x", "write ?here=HOST:PORT"),
    ],
)
def test_an_executor_that_cannot_be_had_is_refused(executor: str, why: str, capsys: pytest.CaptureFixture[str]) -> None:
    write(SECRET, {})
    assert sop(["run", "p.yml", "--executor", executor]) == 5
    assert why in capsys.readouterr().err
    assert sop(["history", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"runs": []}
