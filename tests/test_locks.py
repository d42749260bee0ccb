"""Locks: held by a run on a step and target, gone with its process, never taken from a living one."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from runner.errors import Locked
from runner.record.locks import Locks

ROOT = Path(__file__).parent.parent
HOLD = """
import sys
from pathlib import Path
from runner.record.locks import Locks
with Locks(Path(sys.argv[1])).acquire("other", "care", [("backup", "site"), ("sign", None)], "siti"):
    print("held", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def locks(tmp_path: Path) -> Locks:
    return Locks(tmp_path / "records")


@contextmanager
def another_run(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that holds backup on site, and sign, for the run `other`."""
    command = [sys.executable, "-c", HOLD, str(tmp_path / "records")]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.kill()


def test_a_second_run_is_told_who_holds_it(locks: Locks, tmp_path: Path) -> None:
    with another_run(tmp_path) as process:
        with pytest.raises(Locked) as error:
            locks.acquire("mine", "care", [("check", "site"), ("backup", "site")], "budi")
        said = str(error.value)
    assert said.startswith("step 'backup' on target 'site' is held by run other (siti, since 20")
    assert f"process {process.pid} on " in said
    assert said.endswith("wait until it ends, or end it there with Ctrl-C or SIGTERM")
    assert error.value.exit_code == 6


def test_a_step_that_runs_once_is_named_without_a_target(locks: Locks, tmp_path: Path) -> None:
    with another_run(tmp_path), pytest.raises(Locked, match=r"^step 'sign' is held by run other"):
        locks.acquire("mine", "care", [("sign", None)], "budi")


def test_nothing_is_held_where_one_pair_was_not_free(locks: Locks) -> None:
    with locks.acquire("one", "care", [("backup", "site")], "siti"):
        with pytest.raises(Locked):
            locks.acquire("two", "care", [("backup", "other"), ("backup", "site")], "budi")
        assert not locks.is_running("two")
        with locks.acquire("three", "care", [("backup", "other")], "budi"):
            pass


@pytest.mark.parametrize(
    ("playbook", "pair"), [("other", ("backup", "site")), ("care", ("check", "site")), ("care", ("backup", None))]
)
def test_runs_that_do_not_overlap_run_together(locks: Locks, playbook: str, pair: tuple[str, str | None]) -> None:
    with locks.acquire("one", "care", [("backup", "site")], "siti"):
        locks.acquire("two", playbook, [pair], "budi").close()


def test_what_was_released_is_free(locks: Locks) -> None:
    with locks.acquire("one", "care", [("backup", "site"), ("check", "site"), ("sign", None)], "siti") as held:
        held.release([("backup", "site"), ("sign", None)])
        locks.acquire("two", "care", [("backup", "site"), ("sign", None)], "budi").close()
        with pytest.raises(Locked):
            locks.acquire("two", "care", [("check", "site")], "budi")
    locks.acquire("two", "care", [("check", "site")], "budi").close()


def test_a_run_may_take_more(locks: Locks) -> None:
    one = locks.acquire("one", "care", [("backup", "site")], "siti")
    two = locks.acquire("two", "care", [("check", "site")], "budi")
    one.extend([("backup", "site"), ("sign", None)])
    with pytest.raises(Locked, match="held by run one"):
        two.extend([("backup", "other"), ("sign", None)])
    one.extend([("backup", "other")])
    two.close()
    one.close()


def test_a_run_goes_on_once_at_a_time(locks: Locks, tmp_path: Path) -> None:
    with another_run(tmp_path), pytest.raises(Locked, match=r"run other is going on already \(siti, since"):
        locks.acquire("other", "care", [("check", "site")], "budi")
    locks.acquire("other", "care", [("check", "site")], "budi").close()


@pytest.mark.promise("Cron's world", "a run that holds a lock is killed", "the lock goes with it")
def test_locks_vanish_with_a_killed_process(locks: Locks, tmp_path: Path) -> None:
    with another_run(tmp_path) as process:
        assert locks.is_running("other")
        process.kill()
        process.wait(10)
        assert not locks.is_running("other")
        with locks.acquire("mine", "care", [("backup", "site")], "budi"):
            pass
        locks.acquire("third", "care", [("sign", None)], "budi").close()
    assert list((tmp_path / "records" / "running").iterdir()) == []


def test_an_error_lets_go(locks: Locks) -> None:
    with pytest.raises(ZeroDivisionError), locks.acquire("one", "care", [("backup", "site")], "siti") as held:
        raise ZeroDivisionError
    held.close()
    assert not locks.is_running("one")
    locks.acquire("two", "care", [("backup", "site")], "budi").close()


def test_a_run_that_nobody_knows_is_not_running(locks: Locks) -> None:
    assert not locks.is_running("unknown")
    locks.forget("unknown")


def _move_elsewhere(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "records" / "locks.sqlite")) as connection, connection:
        connection.execute("UPDATE holders SET host = 'elsewhere', machine = 'another kernel'")


@pytest.mark.promise("Cron's world", "a lock of another machine on a shared folder", "never taken over")
def test_another_machines_lock_is_never_taken_over(locks: Locks, tmp_path: Path) -> None:
    with another_run(tmp_path):
        _move_elsewhere(tmp_path)
    assert locks.is_running("other")
    with pytest.raises(
        Locked, match=r"on elsewhere\), a machine that cannot be asked .* delete locks.sqlite in the records folder"
    ):
        locks.acquire("mine", "care", [("backup", "site")], "budi")
    with pytest.raises(Locked, match="run other is going on already"):
        locks.acquire("other", "care", [("backup", "site")], "budi")
    locks.forget("other")
    locks.acquire("mine", "care", [("backup", "site")], "budi").close()


def test_a_living_run_is_not_forgotten(locks: Locks, tmp_path: Path) -> None:
    with another_run(tmp_path):
        with pytest.raises(Locked, match="going on already"):
            locks.forget("other")
        assert locks.is_running("other")


def test_many_targets_cost_no_file_each(locks: Locks, tmp_path: Path) -> None:
    pairs = [(f"step{step}", f"target{target}") for step in range(9) for target in range(10_000)]
    began = time.monotonic()
    with locks.acquire("one", "care", pairs, "siti"):
        with pytest.raises(Locked, match="step 'step8' on target 'target9999'"):
            locks.acquire("two", "care", pairs[-1:], "budi")
        assert len(list((tmp_path / "records").rglob("*"))) <= 4
    assert time.monotonic() - began < 10


def test_one_run_at_a_time_takes_problems_up(locks: Locks) -> None:
    order = []

    def take() -> None:
        with locks.taking_up():
            order.append("second")

    with locks.taking_up():
        other = threading.Thread(target=take)
        other.start()
        other.join(0.1)
        order.append("first")
    other.join(10)
    assert order == ["first", "second"]
