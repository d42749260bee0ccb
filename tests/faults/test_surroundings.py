"""What cron, small machines and other people's settings do to a run."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from tests.faults.offices import Office, check_whole, resume

pytestmark = [pytest.mark.heavy, pytest.mark.timeout(300)]

ROOT = Path(__file__).parents[2]
BARE = {"PATH": "/usr/bin:/bin"}


def run_as(office: Office, environment: Mapping[str, str], *before: str) -> subprocess.CompletedProcess[str]:
    """Run the office's playbook in an environment of its own, after these words."""
    words = ["-m", "runner", "run", "p.yml", "-e", f"folder={office.folder}/files", "--records", "records"]
    environment = {**environment, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [*before, sys.executable, *words],
        cwd=office.folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path / "office", targets=2)


@pytest.mark.promise("Cron's world", "{case}", "the run does all and exits 0; the record is whole and private")
@pytest.mark.parametrize(
    ("environment", "before"),
    [
        pytest.param(BARE, (), id="no HOME, no LANG, no terminal, PATH=/usr/bin:/bin"),
        pytest.param({**BARE, "LANG": "C", "LC_ALL": "C"}, (), id="LANG=C"),
        pytest.param({**BARE, "LC_ALL": "xx_YY.nonsense"}, (), id="a locale that this machine does not have"),
        pytest.param({**BARE, "TERM": "unheard-of", "COLUMNS": "-3"}, (), id="a terminal that nobody knows"),
        pytest.param({**BARE, "HOME": "/nonexistent"}, (), id="a HOME that is not there"),
        pytest.param({**BARE, "TMPDIR": "/nonexistent"}, (), id="a TMPDIR that is not there"),
        pytest.param(BARE, ("sh", "-c", 'umask 077; exec "$@"', "sh"), id="umask 077"),
        pytest.param(BARE, ("sh", "-c", 'umask 000; exec "$@"', "sh"), id="umask 000"),
        pytest.param(BARE, ("sh", "-c", 'exec 0<&- "$@"', "sh"), id="standard input closed"),
        pytest.param(BARE, ("sh", "-c", 'exec 2>&- "$@"', "sh"), id="standard error closed"),
        pytest.param(BARE, ("nice", "-n", "19"), id="at the lowest priority"),
    ],
)
def test_a_run_by_cron_does_all(office: Office, environment: Mapping[str, str], before: Sequence[str]) -> None:
    done = run_as(office, environment, *before)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    check_whole(office)
    for path in (office.folder / "records").rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path


@pytest.mark.promise("Clock", "the machine's time zone is {zone}", "due times are those of the office's zone")
@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Pacific/Kiritimati", "Nowhere/Atall", ":/etc/passwd"])
def test_due_times_do_not_follow_this_machine_s_zone(office: Office, zone: str) -> None:
    text = (office.folder / "p.yml").read_text().replace("activity: b\n", "activity: b\n    time_limit: 1 hari\n")
    (office.folder / "p.yml").write_text(text)
    assert run_as(office, {**BARE, "TZ": zone}).returncode == 0
    words = [sys.executable, "-m", "runner", "show", "last", "--format", "json", "--records", "records"]
    told = subprocess.check_output(words, cwd=office.folder, env={**BARE, "PYTHONPATH": str(ROOT), "TZ": zone})
    [due] = [target["due"] for step in json.loads(told)["steps"] for target in step["targets"] if target.get("due")]
    assert due.endswith("+07:00")


@pytest.mark.promise("Limits", "{case}", "words instead of a traceback; the record is whole, and the next run works")
@pytest.mark.parametrize(
    "limit",
    [
        pytest.param("-n 12", id="at most 12 open files"),
        pytest.param("-n 24", id="at most 24 open files"),
        pytest.param("-v 120000", id="at most 120 MB of memory"),
        pytest.param("-v 250000", id="at most 250 MB of memory"),
        pytest.param("-f 100", id="files of at most 100 kB"),
        pytest.param("-t 1", id="at most one second of the processor"),
    ],
)
def test_a_limit_of_the_system_is_told(office: Office, limit: str) -> None:
    limited = run_as(office, {**BARE, "HOME": str(office.folder)}, "sh", "-c", f'ulimit {limit}; exec "$@"', "sh")
    assert "Traceback" not in limited.stderr
    assert limited.returncode in (0, 2, 4, 7, -9, -24, -25), limited.stderr
    assert limited.returncode <= 0 or limited.stderr.strip()
    assert office.verify() == []
    resume(office)
    assert run_as(office, BARE).returncode == 0
    assert office.verify() == []


@pytest.mark.promise(
    "Disk", "the disk of the records is full ({size} are left)", "told with the cure; the next run works"
)
@pytest.mark.parametrize("size", ["16k", "80k", "160k", "240k"])
def test_a_full_disk_is_told(office: Office, size: str) -> None:
    script = f'mkdir records && mount -t tmpfs -o size={size},mode=700 none records && "$@"; code=$?; '
    script += "cp -a records kept; umount records; rmdir records; mv kept records; exit $code"
    full = run_as(office, BARE, "unshare", "--mount", "--map-root-user", "sh", "-c", script, "sh")
    assert full.returncode == 7, (full.returncode, full.stderr)
    assert "free some space" in full.stderr
    assert office.verify() == []
    resume(office)
    assert run_as(office, BARE).returncode == 0
    assert office.verify() == []


@pytest.mark.promise("Disk", "the folder of the records is mounted read-only", "told, exit code 7, nothing is done")
def test_a_read_only_disk_is_told(office: Office) -> None:
    assert run_as(office, BARE).returncode == 0
    before = office.done()
    script = 'mount --bind records records && mount -o remount,ro,bind records && exec "$@"'
    told = run_as(office, BARE, "unshare", "--mount", "--map-root-user", "sh", "-c", script, "sh")
    assert (told.returncode, "records" in told.stderr) == (7, True), told.stderr
    assert office.done() == before
    assert office.verify() == []


@pytest.mark.promise("Disk", "the records vanish while a run goes on", "told, exit code 7; no act without a claim")
def test_records_that_vanish_are_told(tmp_path: Path) -> None:
    office = Office(tmp_path / "office", targets=20)
    process = office.run()
    while sum(office.done().values()) < 3:
        assert process.poll() is None
    shutil.rmtree(office.folder / "records")
    assert process.wait(60) == 7
    assert "Traceback" not in office.said()
    assert "records" in office.said()


@pytest.mark.promise("Cron's world", "two starts in the same second", "one runs, the other exits 6 and names it")
def test_of_two_starts_in_the_same_second_one_runs(office: Office) -> None:
    processes = [office.run(), office.run()]
    assert sorted(process.wait(60) for process in processes) in ([0, 6], [0, 0])
    assert office.verify() == []


def test_the_machine_may_make_namespaces() -> None:
    """What the tests of disks need; a machine that refuses it says so here."""
    assert os.path.exists("/proc/self/ns/mnt")
    subprocess.run(["unshare", "--mount", "--map-root-user", "true"], check=True)
