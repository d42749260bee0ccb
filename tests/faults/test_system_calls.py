"""Each write of a run fails once, or is its last: what the journal and the evidence hold then (strace injects it)."""

from __future__ import annotations

import os
import re
import shutil
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import pytest

from runner.events import Event, Kind
from runner.record.journal import Journal
from tests.faults.offices import Office, check_whole, file_of, go_on, resume

T = TypeVar("T")
pytestmark = [pytest.mark.heavy, pytest.mark.timeout(900)]

GOES_ON = "the journal opens and verifies; sop resume does the rest, nothing acknowledged is gone or done again"
TOLD = "no traceback but words and an exit code; the record stays whole, and the next sop resume goes on to the end"
MOMENTS = {
    "pwrite64": (1, 2, 5, 13, 34, 80),
    "fdatasync": (1, 2, 3, 5, 8, 13, 20),
    "fsync": (1, 3, 8),
    "rename": (1, 2, 3),
    "unlink": (1, 3, 8),
    "ftruncate": (1, 2),
}
ERRORS = {"pwrite64": (2, 34), "fdatasync": (2, 8), "fsync": (1, 3), "rename": (1, 2)}


def injecting(call: str, what: str, when: int) -> Sequence[str]:
    """The words before a command so that the n-th such call of one of its threads is its last, or fails once."""
    strace = shutil.which("strace")
    assert strace, "strace is missing: apt-get install strace (tests/install-servers heavy does it)"
    return (strace, "-f", "--seccomp-bpf", "-qqq", "-o", "/dev/null", "-e", f"inject={call}:{what}:when={when}")


@pytest.mark.promise("Power cut", "kill -9 at the first, second, … {call} of a run", GOES_ON)
@pytest.mark.parametrize("call", MOMENTS)
def test_killed_at_any_write_a_run_goes_on(tmp_path: Path, call: str) -> None:
    killed = 0
    for when in MOMENTS[call]:
        office = Office(tmp_path / str(when), targets=2)
        killed += office.run(injecting(call, "signal=SIGKILL", when)).wait(60) in (-signal.SIGKILL, 137)
        go_on(office)
    assert killed, "no run was hit"


@pytest.mark.promise("Disk", "one {call} fails with {error}", TOLD)
@pytest.mark.parametrize("error", ["ENOSPC", "EIO", "EDQUOT", "EROFS"])
@pytest.mark.parametrize("call", ERRORS)
def test_a_write_that_fails_is_told_and_loses_nothing(tmp_path: Path, call: str, error: str) -> None:
    for when in ERRORS[call]:
        office = Office(tmp_path / str(when), targets=2)
        code = office.run(injecting(call, f"error={error}", when)).wait(60)
        told = office.said()
        assert (code, "Traceback" in told) in {(0, False), (2, False), (7, False)}, told
        assert code != 7 or re.search(r"^sop: |records", told), told
        assert office.verify() == []
        resume(office)
        assert office.run().wait(60) == 0, office.said()
        assert office.verify() == []


@pytest.mark.promise(
    "Power cut",
    "the last page of the journal is torn: its log ends at any byte",
    "a beginning of the record is left, whole",
)
def test_a_torn_log_leaves_a_beginning_of_the_record(tmp_path: Path) -> None:
    office = Office(tmp_path / "office", targets=8)
    path = office.folder / "records" / "journal.sqlite-wal"
    process = office.run()
    wait_for(lambda: path.exists() and path.stat().st_size > 150_000)
    process.kill()
    process.wait()
    log = path.read_bytes()
    shutil.copytree(path.parent, tmp_path / "whole")
    known = list(Journal.open(tmp_path / "whole", create=False).events(office.events()[0].run))
    for number in range(40):
        copy = tmp_path / str(number)
        shutil.copytree(office.folder / "records", copy)
        cut = log[: len(log) * number // 40]
        (copy / "journal.sqlite-wal").write_bytes(cut + bytes(len(log) - len(cut)) if number % 2 else cut)
        journal = Journal.open(copy, create=False)
        assert journal.verify() == []
        runs = journal.runs(limit=1)
        events = list(journal.events(runs[0].run)) if runs else []
        assert events == known[: len(events)]


@pytest.mark.promise(
    "Power cut", "SIGSTOP at a write, for as long as it takes", "others can read meanwhile; it goes on whole"
)
def test_a_run_that_was_stopped_goes_on(tmp_path: Path) -> None:
    office = Office(tmp_path / "office", targets=2)
    process = office.run(injecting("fdatasync", "signal=SIGSTOP", 12))
    runner = wait_until_stopped(process.pid)
    assert office.begin("status").wait(30) in (0, 3)
    assert process.poll() is None
    deadline = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < deadline:  # each thread is stopped at its own twelfth
        with suppress(ProcessLookupError):
            os.kill(runner, signal.SIGCONT)
        time.sleep(0.1)
    assert process.wait(1) == 0
    check_whole(office)


def wait_until_stopped(parent: int) -> int:
    """The child of a process that a signal stopped, once it is."""

    def stopped() -> int:
        for child in Path(f"/proc/{parent}/task/{parent}/children").read_text().split():
            if states_of(int(child)) <= {"t", "T"}:
                return int(child)
        return 0

    return wait_for(stopped)


def wait_for(seen: Callable[[], T]) -> T:
    """Look until something is there, and return it."""
    deadline = time.monotonic() + 60
    while not (found := seen()):
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.02)
    return found


@pytest.mark.promise(
    "Power cut",
    "the power goes at any moment of a run, also in the middle of a page",
    "a beginning of the record is left, whole; each act that was seen is claimed in it",
)
def test_what_the_disk_holds_at_any_moment_is_whole(tmp_path: Path) -> None:
    office = Office(tmp_path / "office", targets=12)
    process = office.run()
    wait_for(lambda: (office.folder / "records" / "journal.sqlite").exists() and office.done())
    copies = []
    while not copies or (process.poll() is None and len(copies) < 15):
        process.send_signal(signal.SIGSTOP)
        wait_for(lambda: process.poll() is not None or states_of(process.pid) <= {"t", "T"})
        seen = office.done()
        copies.append((seen, Path(shutil.copytree(office.folder / "records", tmp_path / str(len(copies))))))
        process.send_signal(signal.SIGCONT)
        time.sleep(0.04)  # until another moment
    assert process.wait(60) == 0
    events = office.events()
    for number, (seen, copy) in enumerate(copies):
        torn = shutil.copytree(copy, tmp_path / f"torn{number}")
        assert seen <= claims_in(copy, events), "what was done was claimed before"
        log = torn / "journal.sqlite-wal"
        if log.exists() and not went_into_the_file(torn):
            log.write_bytes(log.read_bytes()[: -(1 + 397 * number % 4096)])
        claims_in(torn, events)


def went_into_the_file(records: Path) -> bool:
    """Whether SQLite had begun to move its log into the file: by then the log was on the disk, to its end."""
    index = (records / "journal.sqlite-shm").read_bytes()  # its form: sqlite.org/walformat.html, nBackfillAttempted
    return int.from_bytes(index[128:132], sys.byteorder) > 0


def states_of(process: int) -> set[str]:
    """In which state the threads of a process are."""
    found = set()
    for path in Path(f"/proc/{process}/task").glob("*/stat"):
        with suppress(OSError):
            found.add(path.read_text().rsplit(")", 1)[1].split()[0])
    return found


def claims_in(records: Path, events: Sequence[Event]) -> Counter[str]:
    """What was claimed, by the files that the acts write, in a record that must be a beginning of the whole one."""
    journal = Journal.open(records, create=False)
    assert journal.verify() == []
    runs = journal.runs(limit=1)
    found = list(journal.events(runs[0].run)) if runs else []
    assert found == list(events[: len(found)])
    return Counter(file_of(event.key) for event in found if event.kind is Kind.TASK_STARTED)
