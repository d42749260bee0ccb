"""Runs over a real Dask cluster: a scheduler, two workers, and servers reached over real SSH."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from runner.record.evidence import EvidenceStore
from runner.record.journal import Journal
from tests.certificates import Wish, authority_file, issue, server_context
from tests.processes import await_content, await_end, await_start
from tests.sshd import SshServer
from tests.workers.clusters import Cluster, dask_cluster

TARGETS = 20
SECRET = "Rahasia-4711-kata"
LONG = 70_000  # characters: more than an output holds, so that the whole becomes evidence


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with dask_cluster(tmp_path_factory.mktemp("cluster"), 2) as running:
        yield running


@pytest.fixture
def folder(tmp_path: Path, server: SshServer, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with an inventory of many servers, which are one."""
    settings = {**server.settings, "host_key": server.host_key()}
    inventory = {
        "office": {"name": "Pengadilan Negeri Contoh"},
        "servers": {f"web{n}": settings for n in range(TARGETS)},
        "secrets": {"key": {"env": "SOP_TEST_KEY"}},
        "vars": {"folder": str(tmp_path)},
    }
    (tmp_path / "inventory.yml").write_text(json.dumps(inventory))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SOP_TEST_KEY", SECRET)
    return tmp_path


def write(*tasks: dict[str, Any]) -> None:
    """Put a playbook of one step in place."""
    steps = [{"id": "one", "activity": "a", "targets": "servers", "tasks": tasks}]
    Path("p.yml").write_text(json.dumps({"procedure": {"title": "T"}, "steps": steps}))


def command(task: str, line: str, **more: Any) -> dict[str, Any]:
    """A task that runs a command."""
    return {"id": task, "action": "command.run", "with": {"command": line, **more.pop("inputs", {})}, **more}


@contextmanager
def started(*words: str, environment: dict[str, str] | None = None) -> Iterator[subprocess.Popen[str]]:
    """A `sop` of its own, killed where it does not end with the block."""
    process = subprocess.Popen(
        [sys.executable, "-m", "runner", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, **(environment or {})},
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def sop(*words: str, environment: dict[str, str] | None = None) -> tuple[int, str]:
    """Run `sop` and return its exit code and what it said."""
    with started(*words, environment=environment) as process:
        said, _ = process.communicate(timeout=100)
        return process.returncode, said


def outcomes() -> list[dict[str, Any]]:
    """What the record holds of each try of each task."""
    journal = Journal.open(Path("records"), create=False)
    events = [event for event in journal.events(journal.find_run("last")) if event.kind == "task_finished"]
    return [{"target": event.target, "task": event.task, "try": event.tries, **event.data} for event in events]


def test_tasks_run_once_on_workers_and_their_evidence_comes_home(cluster: Cluster, folder: Path) -> None:
    write(
        command("mark", 'echo "$PPID" >> {{ vars.folder }}/{{ target.name }}; echo $SSH_CONNECTION'),
        command("again", 'echo "$PPID" >> {{ vars.folder }}/{{ target.name }}; echo $SSH_CONNECTION'),
        command("long", f"head -c {LONG} /dev/zero | tr '\\0' x; printf {{{{ target.name }}}}", effect="read"),
        command("secret", "cat", inputs={"stdin": "{{ secret('key') }}"}, effect="read"),
    )
    code, said = sop("run", "p.yml", "--executor", cluster.address)
    assert code == 0, said
    found = {(each["target"], each["task"]): each for each in outcomes()}
    assert len(found) == 4 * TARGETS
    for n in range(TARGETS):
        name = f"web{n}"
        assert len((folder / name).read_text().split()) == 2  # each command once
        # the port of this side: both commands went over one connection, which lasted
        assert found[name, "mark"]["outputs"]["stdout"] == found[name, "again"]["outputs"]["stdout"]
        (kept,) = found[name, "long"]["evidence"]
        assert EvidenceStore(Path("records")).read(kept["sha256"], 1 << 20) == b"x" * LONG + name.encode()
        assert found[name, "secret"]["outputs"]["stdout"] == "[masked:key]"
    assert sop("verify")[0] == 0
    assert SECRET not in cluster.logs()


def test_a_worker_that_dies_leaves_its_task_interrupted(cluster: Cluster, folder: Path) -> None:
    write(
        command("slow", "echo x >> {{ vars.folder }}/{{ target.name }}; exec sleep 98.{{ vars.mark }}"),
        command("safe", "echo y >> {{ vars.folder }}/{{ target.name }}"),
    )
    cluster.start_worker("frail")
    mark = str(os.getpid())
    words = ("run", "p.yml", "-l", "web0,web1,web2", "-e", f"mark={mark}", "--executor", cluster.address)
    with started(*words) as process:
        await_content([folder / f"web{n}" for n in range(3)], 60)
        for worker in cluster.workers.values():
            worker.kill()
        cluster.workers.clear()
        await_end(f"sleep 98.{mark}", 30)  # what it had begun on the servers ends with it
        cluster.start_worker("worker0")
        cluster.start_worker("worker1")
        said, _ = process.communicate(timeout=100)
    assert process.returncode == 2 or "interrupted" in said, said
    found = outcomes()
    assert {each["task"] for each in found} == {"slow"}
    assert [each["status"] for each in found] == ["interrupted"] * 3
    assert all("was lost while this was being done" in each["message"] for each in found)
    assert all((folder / f"web{n}").read_text() == "x\n" for n in range(3))


def test_ctrl_c_ends_what_workers_do(cluster: Cluster, folder: Path) -> None:
    mark = f"97.{os.getpid()}"
    write(command("slow", f"exec sleep {mark}"))
    found = f"dask://{cluster.folder}/scheduler.json"
    with started("run", "p.yml", "-l", "web0,web1", "--executor", found) as process:
        await_start(f"sleep {mark}", 60)
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=60)
    assert process.returncode == 130, said
    await_end(f"sleep {mark}", 30)


@pytest.mark.heavy
def test_a_cluster_with_tls_carries_everything_encrypted(tmp_path: Path, folder: Path) -> None:
    authority = issue(Wish(common="authority", authority=True))
    server_context(tmp_path, issue(Wish(), authority))
    files = {
        "ca-file": authority_file(tmp_path, authority),
        "cert": str(tmp_path / "server.crt"),
        "key": str(tmp_path / "server.key"),
    }
    options = [word for name, file in files.items() for word in (f"--tls-{name}", file)]
    names = {"ca-file": "CA_FILE", "cert": "CLIENT__CERT", "key": "CLIENT__KEY"}
    environment = {f"DASK_DISTRIBUTED__COMM__TLS__{names[name]}": file for name, file in files.items()}
    write(command("secret", "cat", inputs={"stdin": "{{ secret('key') }}"}, effect="read"))
    with dask_cluster(tmp_path / "cluster", 1, options=options, protocol="tls") as cluster:
        code, said = sop("run", "p.yml", "-l", "web0", "--executor", cluster.address, environment=environment)
        assert code == 0, said
