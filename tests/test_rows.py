"""Reading tasks are sent ahead of their turn; what a playbook says happens all the same."""

from __future__ import annotations

import json
import os
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from runner.cli import run
from tests.sshd import SshServer


@pytest.fixture
def folder(tmp_path: Path, server: SshServer, monkeypatch: pytest.MonkeyPatch) -> Path:
    work = tmp_path / "work"
    work.mkdir()
    home = Path(os.environ["HOME"])
    (home / ".ssh").mkdir(mode=0o700)
    (home / ".ssh" / "known_hosts").write_text(server.known_hosts.read_text())
    (work / "inventory.yml").write_text(
        json.dumps({"servers": {"web1": dict(server.settings)}, "vars": {"disk": "/", "work": str(work)}})
    )
    monkeypatch.chdir(work)
    return work


def reads(name: str, line: str, **more: Any) -> dict[str, Any]:
    return {"id": name, "action": "command.run", "effect": "read", "with": {"command": line}, **more}


def carry_out(folder: Path, capsys: pytest.CaptureFixture[str], tasks: list[dict[str, Any]]) -> dict[str, Any]:
    """Run the tasks and return each one's last outcome by its id."""
    step = {"id": "one", "activity": "one", "targets": "web1", "tasks": tasks}
    (folder / "playbook.yml").write_text(json.dumps({"procedure": {"title": "T"}, "steps": [step]}))
    run(["run", "playbook.yml", "--format", "json"])
    document = json.loads(capsys.readouterr().out)
    return {task["id"]: task for task in document["steps"][0]["targets"][0]["tasks"]}


def kinds(folder: Path) -> list[str]:
    """What the record tells of tasks, in order."""
    with sqlite3.connect(folder / "records" / "journal.sqlite") as journal:
        query = "SELECT kind, task, \"try\", status FROM events WHERE kind LIKE 'task%' ORDER BY seq"
        rows = journal.execute(query).fetchall()
    return [
        f"{kind.removeprefix('task_')} {task} {number} {status or ''}".strip() for kind, task, number, status in rows
    ]


def test_claims_are_on_the_disk_before_what_is_sent_ahead(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = ["a", "b", "c"]
    found = carry_out(folder, capsys, [reads(name, f"echo {name} {{{{ vars.disk }}}}") for name in names])
    assert [found[name]["outputs"]["stdout"] for name in names] == ["a /\n", "b /\n", "c /\n"]
    told = kinds(folder)
    assert told[:3] == ["started a 1", "started b 1", "started c 1"]
    assert told[3:] == ["finished a 1 ok", "finished b 1 ok", "finished c 1 ok"]


def test_a_failure_stops_those_behind_it(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tasks = [reads("a", "true"), reads("b", "exit 3"), reads("c", "touch {{ vars.work }}/ran")]
    found = carry_out(folder, capsys, [*tasks, reads("d", "echo clean", always=True)])
    assert [found[name]["status"] for name in "abcd"] == ["ok", "failed", "skipped", "ok"]
    assert found["c"]["reason"] == "blocked"
    assert not (folder / "ran").exists()


def test_what_continues_after_a_failure_is_done_once(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tasks = [
        reads("a", "exit 3", on_failure="continue"),
        reads("b", "echo x >> {{ vars.work }}/ran"),
        reads("c", "true"),
    ]
    found = carry_out(folder, capsys, tasks)
    assert [found[name]["status"] for name in "abc"] == ["failed", "ok", "ok"]
    assert (folder / "ran").read_text() == "x\n"
    assert sorted(kinds(folder)) == sorted(
        ["started a 1", "finished a 1 failed", "started b 1", "finished b 1 ok", "started c 1", "finished c 1 ok"]
    )


def test_a_retry_goes_on_with_those_behind_it(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    once = "test -e {{ vars.work }}/there || { touch {{ vars.work }}/there; exit 1; }"
    tasks = [
        reads("a", "true"),
        reads("b", once, retry={"count": 1, "pause": "1s"}),
        reads("c", "echo {{ vars.disk }}"),
    ]
    found = carry_out(folder, capsys, tasks)
    assert [found[name]["status"] for name in "abc"] == ["ok", "ok", "ok"]
    assert kinds(folder).count("started b 2") == kinds(folder).count("started c 1") == 1


def test_what_waits_for_a_value_is_not_sent_ahead(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    later = reads("c", "echo {{ tasks.a.stdout | trim }} again")
    found = carry_out(folder, capsys, [reads("a", "echo word"), reads("b", "true"), later])
    assert found["c"]["outputs"]["stdout"] == "word again\n"
    assert kinds(folder).index("finished a 1 ok") < kinds(folder).index("started c 1")


def test_a_change_waits_for_the_outcome_before_it(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    changes = {"id": "c", "action": "command.run", "with": {"command": "echo changed"}}
    found = carry_out(folder, capsys, [reads("a", "true"), reads("b", "true"), changes, reads("d", "true")])
    assert found["c"]["status"] == "changed"
    told = kinds(folder)
    assert told.index("finished b 1 ok") < told.index("started c 1") < told.index("finished c 1 changed")
    assert told.index("finished c 1 changed") < told.index("started d 1")


def test_a_limit_in_a_row_is_its_tasks_own(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tasks = [reads("a", "true"), reads("b", "sleep 60", time_limit="1s", on_failure="continue"), reads("c", "echo on")]
    found = carry_out(folder, capsys, tasks)
    assert [found[name]["status"] for name in "abc"] == ["ok", "timed_out", "ok"]
