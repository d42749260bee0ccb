"""Processes of this machine as they are used: forks of a `sop` of its own, killed, stopped and interrupted."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from runner.events import Kind
from runner.record.evidence import EvidenceStore
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
SECRET = "sandi-Rahasia+7/x"
SMALL_DISK = """
mkdir records && mount -t tmpfs -o size=2m,mode=700 none records || exit
"$@" run p.yml --executor processes:2; echo $? > code
mount -o remount,size=64m records && "$@" resume last --executor processes:2; echo $? >> code; "$@" verify >> code
"""
LOADED = """
import sys
from importlib import import_module
from runner.actions import ACTIONS
from runner.cli import run
for name in ACTIONS["website.available"].modules:
    import_module(name)
known = set(sys.modules)
code = run(["run", "p.yml"])
print(code, [name for name in sys.modules if name.startswith("runner.actions.") and name not in known])
"""
Send = Callable[[int, int], None]


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
    with _run(tmp_path, f"processes:{PROCESSES}") as process:
        visits.await_all()
        yield process


@contextmanager
def _run(folder: Path, executor: str) -> Iterator[subprocess.Popen[str]]:
    """A run, which is ended with all that it began when the block ends."""
    with _start(folder, "run", "p.yml", "--executor", executor, "-f", str(PROCESSES)) as process:
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def _start(folder: Path, *words: str, **environment: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), **environment}
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


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("send", [os.kill, os.killpg])
def test_an_interruption_lets_what_is_in_flight_end(
    sop: subprocess.Popen[str], visits: Visits, tmp_path: Path, send: Send, number: signal.Signals
) -> None:
    """Ctrl-C reaches all of a terminal's group, and systemd sends SIGTERM to all of a service."""
    workers = _workers(sop)
    send(sop.pid, number)
    visits.may.set()
    _, said = sop.communicate(timeout=LONGEST)
    assert sop.returncode == 130
    assert "Traceback" not in said
    assert _tries(tmp_path) == [(1, "ok"), (1, "ok")]
    assert not any(map(_is_alive, workers))


@pytest.mark.parametrize("executor", ["threads", f"processes:{PROCESSES}"])
def test_a_second_sigterm_cuts_off_and_leaves_what_was_in_flight_interrupted(
    visits: Visits, tmp_path: Path, executor: str
) -> None:
    with _run(tmp_path, executor) as sop:
        visits.await_all()
        workers = _workers(sop)
        sop.terminate()
        assert sop.stderr
        assert "stopping" in sop.stderr.readline()  # the first was heard
        sop.terminate()
        sop.communicate(timeout=LONGEST)
    assert (sop.returncode, len(workers)) == (130, 0 if executor == "threads" else PROCESSES)
    assert not any(map(_is_alive, workers))
    assert _tries(tmp_path) == []
    visits.may.set()
    with _start(tmp_path, "resume", "last", "--executor", executor) as again:
        _, said = again.communicate(timeout=LONGEST)
    assert (again.returncode, said) == (0, "")
    assert _tries(tmp_path) == [(1, "interrupted"), (1, "interrupted"), (2, "ok"), (2, "ok")]


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


@pytest.mark.parametrize("more", [0, 1])
def test_as_many_processes_as_cores_keep_to_one_each(visits: Visits, tmp_path: Path, more: int) -> None:
    mine = os.sched_getaffinity(0)
    cores = sorted(mine)[:PROCESSES]
    os.sched_setaffinity(0, cores)  # of this thread, and of what it begins
    try:
        with _run(tmp_path, f"processes:{len(cores) + more}") as sop:
            visits.await_all()
            kept = [os.sched_getaffinity(worker) for worker in _workers(sop)]
            assert os.sched_getaffinity(sop.pid) == set(cores)
    finally:
        os.sched_setaffinity(0, mine)
    assert kept == ([set(cores)] * (len(cores) + 1) if more else [{core} for core in cores])


def test_what_an_action_says_that_it_imports_is_all_of_it(visits: Visits, tmp_path: Path) -> None:
    visits.may.set()
    argv = [sys.executable, "-c", LOADED]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(argv, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=LONGEST)
    assert (done.stdout.splitlines()[-1], done.stderr) == ("0 []", "")


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


@pytest.mark.parametrize("executor", ["threads", f"processes:{PROCESSES}"])
def test_what_a_page_shows_of_a_secret_is_masked_in_outcomes_and_evidence(tmp_path: Path, executor: str) -> None:
    page = f"<title>PN {SECRET}</title><body>Galat: sandi basis data {SECRET} ditolak</body>".encode()
    with website(lambda path: None, lambda path: page) as address:
        database = {"engine": "mariadb", "name": "joomla", "user": "u", "password": {"secret": "db"}}
        site = {"url": f"{address}/", "server": "here", "database": database}
        inventory = {"websites": {"w": site}, "servers": {"here": {"connection": "local"}}}
        inventory["secrets"] = {"db": {"env": "DB_SECRET"}}
        (tmp_path / "inventory.yml").write_text(json.dumps(inventory))
        (tmp_path / "p.yml").write_text(PLAYBOOK.replace("available}", "available, with: {keep: always}}"))
        with _start(tmp_path, "run", "p.yml", "--executor", executor, DB_SECRET=SECRET) as sop:
            sop.communicate(timeout=LONGEST)
    journal = Journal.open(tmp_path / "records", create=False)
    [done] = [each.data for each in journal.events(journal.find_run("last")) if each.kind is Kind.TASK_FINISHED]
    assert done["outputs"]["title"] == "PN [masked:db]"
    kept = EvidenceStore(tmp_path / "records").read(done["evidence"][0]["sha256"], 10_000).decode()
    assert "sandi basis data [masked:db] ditolak" in kept
    files = [path for path in (tmp_path / "records").rglob("*") if path.is_file()]
    assert [path.name for path in files if SECRET.encode() in path.read_bytes()] == []


@pytest.mark.parametrize("executor", ["threads", f"processes:{PROCESSES}"])
def test_while_a_site_rests_between_two_visits_another_one_is_visited(tmp_path: Path, executor: str) -> None:
    came: list[str] = []
    with website(came.append, lambda path: b"sehat" if path == "/b" or "/b" in came else b"galat") as address:
        sites = {"a": {"url": f"{address}/a"}, "b": {"url": f"{address}/b"}}
        (tmp_path / "inventory.yml").write_text(json.dumps({"websites": sites}))
        demand = "{must_contain: [sehat], tries: 5, pause: 2s, variants: false, keep: always}"
        (tmp_path / "p.yml").write_text(PLAYBOOK.replace("available}", f"available, with: {demand}}}"))
        with _start(tmp_path, "run", "p.yml", "-f", "1", "--executor", executor, "--format", "json") as sop:
            said, _ = sop.communicate(timeout=LONGEST)
    tasks = {each["target"]: each["tasks"][0] for each in json.loads(said)["steps"][0]["targets"]}
    assert {name: task["outputs"]["available"] for name, task in tasks.items()} == {"a": True, "b": True}
    assert came[:2] == ["/a", "/b"]
    kept = EvidenceStore(tmp_path / "records").read(tasks["a"]["evidence"][0]["sha256"], 10_000).decode()
    assert kept.count("# halaman tidak memuat teks 'sehat'") == len(tasks["a"]["outputs"]["tries"]) > 0
    assert kept.endswith("\r\n\r\nsehat")


@pytest.mark.heavy
def test_a_disk_that_fills_up_while_processes_work_ends_the_run_and_it_can_go_on(tmp_path: Path) -> None:
    with website(
        lambda path: None, lambda path: f"<title>PN</title><p>{path} ".encode() + os.urandom(200_000)
    ) as address:
        websites = {f"w{n}": {"url": f"{address}/{n}"} for n in range(30)}
        (tmp_path / "inventory.yml").write_text(json.dumps({"websites": websites}))
        (tmp_path / "p.yml").write_text(
            PLAYBOOK.replace("available}", "available, with: {keep: always, variants: false}}")
        )
        words = ["unshare", "--mount", "--map-root-user", "sh", "-c", SMALL_DISK, "sh", sys.executable, "-m", "runner"]
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
        done = subprocess.run(
            words, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=2 * LONGEST, check=False
        )
    codes = (tmp_path / "code").read_text().split("\n")
    assert (codes[:2], "free some space" in done.stderr) == (["7", "0"], True), done.stderr
    assert "the record is whole" in codes[2]
