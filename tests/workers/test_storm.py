"""A thousand targets on four workers, three of which are killed, one is cut off, while the scheduler is restarted."""

from __future__ import annotations

import hashlib
import json
import os
import random
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from runner.events import Event
from runner.record.evidence import EvidenceStore
from runner.record.journal import Journal
from tests.sshd import SshServer, start_ssh_server
from tests.workers.clusters import Cluster, dask_cluster

pytestmark = pytest.mark.heavy

TARGETS = 1000
SERVERS = 50
WORKERS = 4
TASKS = ("first", "long", "last")
LONG = 66_000  # characters: more than an output holds, so that the whole becomes evidence
SLOWEST = 900.0  # seconds
CUT = f"sop{os.getpid() % 100_000}"
NET = f"10.203.{os.getpid() % 250}"
HERE, THERE = f"{NET}.1", f"{NET}.2"


@pytest.fixture
def network() -> Iterator[None]:
    """A network of its own for one worker, whose only way out can be cut."""
    if os.geteuid() != 0:
        pytest.skip("only root may make a network to cut: run this test as root")
    _ip("netns", "add", CUT)
    try:
        _ip("link", "add", CUT, "type", "veth", "peer", "name", "out", "netns", CUT)
        _ip("addr", "add", f"{HERE}/30", "dev", CUT)
        _ip("link", "set", CUT, "up")
        for words in (
            ("addr", "add", f"{THERE}/30", "dev", "out"),
            ("link", "set", "out", "up"),
            ("link", "set", "lo", "up"),
        ):
            _ip("-n", CUT, *words)
        yield
    finally:
        _ip("netns", "del", CUT)


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, timeout=30)


@pytest.fixture
def server(tmp_path: Path, network: None) -> Iterator[SshServer]:
    running = start_ssh_server(tmp_path / "sshd", options={"MaxStartups": "100"}, address=HERE)
    yield running
    running.stop()


@pytest.fixture
def folder(tmp_path: Path, server: SshServer, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder: many websites on some servers, which are one; each task marks that it was done."""
    settings = {**server.settings, "host_key": server.host_key()}
    websites = {f"pn{n}": {"url": f"http://pn{n}.example", "server": f"web{n % SERVERS}"} for n in range(TARGETS)}
    inventory = {"servers": {f"web{n}": settings for n in range(SERVERS)}, "websites": websites}
    marks = tmp_path / "marks"
    marks.mkdir()
    mark = "echo x >> {{ vars.marks }}/{{ target.name }}"
    tasks = [
        _command("first", f"{mark}.first; sleep 0.1"),
        {
            **_command("long", f"head -c {LONG} /dev/zero | tr '\\0' x; printf %s {{{{ target.name }}}}"),
            "effect": "read",
        },
        _command("last", f"{mark}.last; sleep 0.1"),
    ]
    steps = [{"id": "one", "activity": "a", "targets": "websites", "tasks": tasks}]
    (tmp_path / "inventory.yml").write_text(json.dumps({**inventory, "vars": {"marks": str(marks)}}))
    (tmp_path / "p.yml").write_text(json.dumps({"procedure": {"title": "T"}, "steps": steps}))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _command(task: str, line: str, **more: str) -> dict[str, object]:
    return {"id": task, "action": "command.run", "with": {"command": line}, **more}


@contextmanager
def going_on(folder: Path, cluster: Cluster) -> Iterator[subprocess.Popen[bytes]]:
    """A run on the cluster."""
    with (folder / "said").open("wb") as said:
        words = [sys.executable, "-m", "runner", "run", "p.yml", "-f", "40", "--executor", cluster.address]
        process = subprocess.Popen(words, stdout=said, stderr=said)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def finished(folder: Path) -> int:
    """How many outcomes are recorded."""
    if not (folder / "records" / "journal.sqlite").exists():
        return 0
    with Journal.open(folder / "records", create=False).reading() as connection:
        (number,) = connection.execute("SELECT count(*) FROM events WHERE kind = 'task_finished'").fetchone()
    return int(number)


def raise_storm(folder: Path, cluster: Cluster, process: subprocess.Popen[bytes]) -> None:
    """Strike whenever a further share of the work is done, and wait for the run's end."""
    strikes: list[Callable[[], None]] = [
        lambda: cluster.kill_worker("worker1"),
        lambda: cluster.kill_worker("worker2"),
        lambda: _ip("link", "set", CUT, "down"),
        cluster.restart_scheduler,
        lambda: cluster.kill_worker("worker1"),
    ]
    shares = sorted(random.uniform(0.05, 0.75) for _ in strikes)
    end = time.monotonic() + SLOWEST
    while process.poll() is None:
        assert time.monotonic() < end, (folder / "said").read_text()
        if strikes and finished(folder) > shares[0] * TARGETS * len(TASKS):
            strikes.pop(0)()
            shares.pop(0)
        time.sleep(0.1)
    assert not strikes, f"the run ended before it was struck: {(folder / 'said').read_text()}"


def test_no_task_runs_twice_and_nothing_is_lost_in_a_storm(folder: Path) -> None:
    with dask_cluster(folder / "cluster", WORKERS - 1, threads=10, host=HERE) as cluster:
        cluster.start_worker("afar", threads=10, before=("ip", "netns", "exec", CUT))
        with going_on(folder, cluster) as process:
            raise_storm(folder, cluster, process)
    journal = Journal.open(folder / "records", create=False)
    events = [*journal.events(journal.find_run("last"))]
    outcomes: dict[tuple[str, str], list[Event]] = defaultdict(list)
    for event in events:
        if event.kind == "task_finished":
            outcomes[str(event.target), event.task].append(event)
    interrupted = 0
    for n in range(TARGETS):
        interrupted += check_target(folder, f"pn{n}", outcomes)
    assert interrupted, "no worker was lost in the midst of a task"
    assert events[-1].kind == "run_ended"
    assert subprocess.run([sys.executable, "-m", "runner", "verify"], check=False, timeout=300).returncode == 0


def check_target(folder: Path, name: str, outcomes: dict[tuple[str, str], list[Event]]) -> int:
    """Hold what is recorded of a target against what was done there; return how many of its tasks were interrupted."""
    statuses = {task: [event.data["status"] for event in outcomes[name, task]] for task in TASKS}
    for task in ("first", "last"):
        mark = folder / "marks" / f"{name}.{task}"
        done = len(mark.read_text().split()) if mark.exists() else 0
        assert done <= 1, f"{name}: {task} was done {done} times: {statuses}"
        assert statuses[task] in (["changed"], ["interrupted"], []), f"{name}: {statuses}"
        assert done or statuses[task] != ["changed"], f"{name}: {task} was not done"
    assert statuses["first"], f"{name} was left out"
    if statuses["first"] == ["changed"]:  # what was interrupted waits for a person, and so does all after it
        *before, last = statuses["long"]
        assert set(before) <= {"interrupted"}, statuses
        assert last == "ok", statuses
        (kept,) = outcomes[name, "long"][-1].data["evidence"]
        whole = b"x" * LONG + name.encode()
        assert kept["sha256"] == hashlib.sha256(whole).hexdigest()
        assert EvidenceStore(folder / "records").read(kept["sha256"], 2 * LONG) == whole
        assert statuses["last"], f"{name}: {statuses}"
    return sum(each.count("interrupted") for each in statuses.values())
