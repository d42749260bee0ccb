"""Processes of this machine as they are used: forks of a `sop` of its own, killed, stopped and interrupted."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from runner.events import Kind
from runner.record.journal import Journal
from tests.workers.websites import website

PLAYBOOK = """
procedure: {title: T}
steps:
  - id: look
    activity: a
    targets: websites
    tasks: [{id: up, action: website.available}]
"""
PROCESSES = 2
LONGEST = 60.0


class Visits:
    """Visits that wait until they may go on; `came` tells how many have begun."""

    def __init__(self) -> None:
        self.came = threading.Semaphore(0)
        self.may = threading.Event()

    def hold(self, path: str) -> None:
        """Have a visit wait."""
        self.came.release()
        self.may.wait(LONGEST)

    def await_all(self) -> None:
        """Wait until each worker is in the middle of a visit."""
        for _ in range(PROCESSES):
            assert self.came.acquire(timeout=LONGEST)


@pytest.fixture
def visits(tmp_path: Path) -> Iterator[Visits]:
    """Visits to a site that the test holds up, and a folder that watches it."""
    held = Visits()
    with website(held.hold) as address:
        websites = {f"w{n}": {"url": f"{address}/"} for n in range(PROCESSES)}
        (tmp_path / "inventory.yml").write_text(json.dumps({"websites": websites}))
        (tmp_path / "p.yml").write_text(PLAYBOOK)
        yield held
        held.may.set()


@pytest.fixture
def sop(tmp_path: Path, visits: Visits) -> Iterator[subprocess.Popen[str]]:
    """A run, in a session of its own, each of whose processes is in the middle of a visit."""
    with _start(tmp_path, "run", "p.yml", "--executor", f"processes:{PROCESSES}", "-f", str(PROCESSES)) as process:
        try:
            visits.await_all()
            yield process
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def _start(folder: Path, *words: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    argv = [sys.executable, "-m", "runner", *words]
    pipe = subprocess.PIPE
    return subprocess.Popen(
        argv, cwd=folder, env=environment, stdout=pipe, stderr=pipe, text=True, start_new_session=True
    )


def _workers(process: subprocess.Popen[str]) -> list[int]:
    return [int(child) for child in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()]


def _tries(folder: Path) -> list[tuple[int, str]]:
    """The number and status of each try of the last run, on all targets."""
    journal = Journal.open(folder / "records", create=False)
    events = journal.events(journal.find_run("last"))
    return sorted((each.tries, each.data["status"]) for each in events if each.kind is Kind.TASK_FINISHED)


def test_what_a_killed_process_did_is_interrupted_and_done_again_by_another(
    sop: subprocess.Popen[str], visits: Visits, tmp_path: Path
) -> None:
    one, _ = _workers(sop)
    os.kill(one, signal.SIGKILL)
    visits.may.set()
    _, said = sop.communicate(timeout=LONGEST)
    assert (sop.returncode, said) == (0, "")
    assert _tries(tmp_path) == [(1, "interrupted"), (1, "ok"), (2, "ok")]


def test_an_interruption_from_the_terminal_lets_what_is_in_flight_end(
    sop: subprocess.Popen[str], visits: Visits, tmp_path: Path
) -> None:
    workers = _workers(sop)
    os.killpg(sop.pid, signal.SIGINT)
    visits.may.set()
    _, said = sop.communicate(timeout=LONGEST)
    assert sop.returncode == 130
    assert "Traceback" not in said
    assert _tries(tmp_path) == [(1, "ok"), (1, "ok")]
    assert [worker for worker in workers if Path(f"/proc/{worker}").exists()] == []


def test_a_run_that_was_killed_goes_on_at_once_though_its_processes_are_still_there(
    sop: subprocess.Popen[str], visits: Visits, tmp_path: Path
) -> None:
    workers = _workers(sop)
    for worker in workers:
        os.kill(worker, signal.SIGSTOP)  # so that it cannot go home
    sop.kill()
    sop.wait()
    visits.may.set()
    with _start(tmp_path, "resume", "last") as again:
        _, said = again.communicate(timeout=LONGEST)
    assert (again.returncode, said) == (0, "")
    assert _tries(tmp_path) == [(1, "interrupted"), (1, "interrupted"), (2, "ok"), (2, "ok")]


def test_processes_whose_run_was_killed_go_home(sop: subprocess.Popen[str], visits: Visits) -> None:
    workers = _workers(sop)
    sop.kill()
    sop.wait()
    end = time.monotonic() + LONGEST
    while any(map(_is_alive, workers)):
        assert time.monotonic() < end
        time.sleep(0.05)


def _is_alive(process: int) -> bool:
    """Whether it does anything any more: who is orphaned may wait for ever to be counted."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
