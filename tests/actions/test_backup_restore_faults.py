"""What becomes of a restore that is killed, meets a full disk or loses its link: the old state or the whole new set."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing, suppress
from datetime import timedelta
from itertools import cycle
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from runner.actions import backup_database, backup_files, backup_restore, backup_seal
from runner.contract import Command, Connection, Result, Status
from runner.durations import Deadline
from runner.errors import TimeUp, Unreachable
from tests.actions.backups import backup_call, run_well
from tests.actions.made_sets import make_rescue
from tests.actions.test_backup_broken_links import over
from tests.actions.test_backup_files import snapshot
from tests.actions.test_backup_restore import SIGNED, compare
from tests.calls import NOW
from tests.relay import Relay, relay_to
from tests.sshd import ssh_server

ROOT = Path(__file__).parents[2]


class Court(NamedTuple):
    """A site and its database that were sealed and then damaged, how they were before, and the restore's inputs."""

    site: Path
    database: Path
    whole: tuple[Any, Any]
    inputs: dict[str, Any]

    def look(self) -> tuple[Any, Any]:
        """The site's files, and the database's rows; None where it is not there."""
        with closing(sqlite3.connect(self.database)) as base:
            return snapshot(self.site), base.execute("SELECT * FROM a ORDER BY b").fetchall()

    def damage(self) -> tuple[Any, Any]:
        (self.site / "1.jpg").write_bytes(b"defaced")
        (self.site / "shell.php").write_text("<?php")
        with closing(sqlite3.connect(self.database)) as base:
            base.execute("DELETE FROM a WHERE b < 5")
            base.commit()
        return self.look()


@pytest.fixture
def court(tmp_path: Path) -> Court:
    site, database = tmp_path / "html", tmp_path / "site.sqlite"
    (site / "deep").mkdir(parents=True)
    for number in range(20):
        (site / "deep" / f"{number}.jpg").write_bytes(os.urandom(60_000 * number))
    (site / "1.jpg").write_bytes(b"a picture")
    (site / "large.zip").write_bytes(os.urandom(9_000_000))
    with closing(sqlite3.connect(database)) as base:
        base.execute("CREATE TABLE a (b INT)")
        base.executemany("INSERT INTO a VALUES (?)", ((number,) for number in range(20)))
        base.commit()
    files = run_well(backup_files.ACTION, backup_call(backup_files.ACTION, {"root": str(site)}, tmp_path))["part"]
    login = {"engine": "sqlite", "name": str(database)}
    data = run_well(backup_database.ACTION, backup_call(backup_database.ACTION, login, tmp_path))["part"]
    run_well(backup_seal.ACTION, backup_call(backup_seal.ACTION, {"parts": [files, data]}, tmp_path))
    rescue = make_rescue(tmp_path, f"sqlite:{database}")
    made = Court(site, database, (None, None), {})
    made = made._replace(whole=made.look())
    made.damage()
    return made._replace(inputs={"plan": compare(tmp_path)["plan"], "rescue": rescue})


def signed(court: Court, folder: Path, number: int) -> dict[str, Any]:
    """The inputs of a restore by a plan of its own."""
    return {**court.inputs, "plan": compare(folder, now=NOW + timedelta(seconds=number))["plan"]}


def restore(folder: Path, how: str, last: int, inputs: dict[str, Any]) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-m", "tests.actions.dying_restore", folder, how, str(last), json.dumps(inputs)]
    return subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)


def assert_old_or_new(court: Court, broken: tuple[Any, Any], when: str) -> None:
    """Files and database are each the old or the new; between two renames the old files stand aside, all of them."""
    aside = next(iter(court.site.parent.glob("html.lama-*")), court.site)
    files, rows = court.look()
    assert files in (broken[0], court.whole[0]) or snapshot(aside) == broken[0], when
    assert rows in (broken[1], court.whole[1]), when


def assert_goes_on(court: Court, folder: Path, how: str, last: int) -> bool:
    """Die at that command; the next run ends with all of the new. Return whether there was such a command."""
    for old in folder.glob("*.lama-*"):
        shutil.rmtree(old, ignore_errors=True)
    when, broken = f"killed {how} command {last}", court.damage()
    inputs = signed(court, folder, last)
    done = restore(folder, how, last, inputs)
    if done.returncode != -signal.SIGKILL:
        assert done.returncode == 0, done.stderr
        return False
    assert_old_or_new(court, broken, when)
    again = restore(folder, "before", 0, inputs)
    assert again.returncode == 0, again.stderr
    assert court.look() == court.whole, when
    return True


@pytest.mark.parametrize(("how", "last"), [("midst", 5), ("after", 7), ("before", 12)])
@pytest.mark.promise("Power cut", "`kill -9` of a restore", "the old state or the whole new set, and it goes on")
def test_a_killed_restore_leaves_the_old_state_or_the_whole_new_set(
    court: Court, tmp_path: Path, how: str, last: int
) -> None:
    assert assert_goes_on(court, tmp_path, how, last)


@pytest.mark.heavy
@pytest.mark.timeout(300)
def test_a_restore_killed_at_any_command_goes_on(court: Court, tmp_path: Path) -> None:
    """At every command, before it, after it or in its midst in turn."""
    ways = cycle(("before", "after", "midst"))
    count = next(number for number in range(1, 100) if not assert_goes_on(court, tmp_path, next(ways), number))
    assert count > 10


@pytest.mark.parametrize("where", ["there", "here"])
@pytest.mark.promise("Disk", "the disk is full in mid-restore ({where})", "the old state, its room is given back")
def test_a_full_disk_leaves_the_old_state_and_its_room(tmp_path: Path, where: str) -> None:
    words = [sys.executable, "-m", "tests.actions.full_disk_restore", str(tmp_path), where]
    private = ["unshare", "--mount", "--map-root-user", *words]
    done = subprocess.run(private, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout.startswith("held\n"), done.stderr + done.stdout
    assert all("No space left" in line or "is full" in line for line in done.stdout.splitlines()[1:])


class Cutting:
    """A connection whose link is cut a moment after its Nth command began."""

    def __init__(self, connection: Connection, relay: Relay, last: int) -> None:
        self._connection, self._relay, self._left = connection, relay, last

    def run(self, command: Command, deadline: Deadline) -> Result:
        self._left -= 1
        if self._left == 0:
            threading.Timer(0.01, self._relay.close).start()
        return self._connection.run(command, deadline)


@pytest.mark.parametrize("last", [6, 9])
@pytest.mark.promise("Network", "the link is lost in mid-restore", "the old state or the whole new set, and it goes on")
def test_a_lost_link_leaves_the_old_state_or_the_whole_new_set(court: Court, tmp_path: Path, last: int) -> None:
    broken = court.damage()
    inputs = signed(court, tmp_path, last)
    signatures = {inputs["plan"]["sha256"]: SIGNED}
    with ssh_server(tmp_path / "sshd") as server:
        with relay_to(server.port) as relay, over(server, relay) as connection:
            cutting = Cutting(connection, relay, last)
            call = backup_call(
                backup_restore.ACTION, inputs, tmp_path, signatures=signatures, connect=lambda: cutting, limit=20.0
            )
            with suppress(Unreachable, TimeUp):
                backup_restore.ACTION.run(call)
        assert_old_or_new(court, broken, f"cut at command {last}")
        with relay_to(server.port) as relay, over(server, relay) as connection:
            call = backup_call(
                backup_restore.ACTION, inputs, tmp_path, signatures=signatures, connect=lambda: connection, limit=60.0
            )
            assert backup_restore.ACTION.run(call).status is Status.CHANGED
    assert court.look() == court.whole
