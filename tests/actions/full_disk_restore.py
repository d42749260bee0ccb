"""Restores onto a disk that fills up meanwhile, in a namespace of mounts of its own.

unshare --mount --map-root-user python -m tests.actions.full_disk_restore FOLDER WHERE; WHERE is `there`, the disk of
the site, or `here`, that of the files which this machine needs meanwhile. It prints `held` where all was as promised.
"""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Mapping
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from runner.actions import backup_compare, backup_database, backup_files, backup_restore, backup_seal
from runner.connections.local import LocalConnection
from runner.contract import Action, Command, Outcome, Result, Status
from runner.durations import Deadline
from runner.errors import Failed
from tests.actions.backups import backup_call, run_well
from tests.actions.made_sets import make_rescue
from tests.actions.test_backup_files import snapshot
from tests.actions.test_backup_restore import SIGNED


class Filling(LocalConnection):
    """This machine, whose disk at `place` is full from the Nth command on."""

    def __init__(self, place: Path, at: int) -> None:
        super().__init__()
        self._place, self._at = place, at
        self.count = 0

    def run(self, command: Command, deadline: Deadline) -> Result:
        """Run the command, maybe on a full disk."""
        self.count += 1
        if self.count == self._at:
            fill(self._place)
        return super().run(command, deadline)


def fill(place: Path) -> None:
    """Leave no room on a disk."""
    with suppress(OSError), (place / "filler").open("wb", buffering=0) as file:
        while True:
            file.write(bytes(65536))


def fill_but(disk: Path, left: int) -> None:
    """Leave so much room on a disk."""
    fill(disk)
    path = disk / "filler"
    with suppress(OSError), path.open("r+b") as file:
        file.truncate(path.stat().st_size - left)


def call_of(action: Action, folder: Path, temporary: Path, inputs: Mapping[str, Any], **more: Any) -> Outcome:
    call = backup_call(action, inputs, folder, **more)
    return action.run(call._replace(directory=temporary))


def build(folder: Path, disk: Path) -> Path:
    """A site and its database on the disk, sealed; return the site, damaged since."""
    site = disk / "html"
    site.mkdir()
    for number in range(12):
        (site / f"{number}.jpg").write_bytes(os.urandom(400_000))
    (site / "large.zip").write_bytes(os.urandom(9_000_000))
    with closing(sqlite3.connect(disk / "site.sqlite")) as base:
        base.executescript("CREATE TABLE a (b BLOB); INSERT INTO a VALUES (randomblob(2000000));")
    files = run_well(backup_files.ACTION, backup_call(backup_files.ACTION, {"root": str(site)}, folder))["part"]
    login = {"engine": "sqlite", "name": str(disk / "site.sqlite")}
    data = run_well(backup_database.ACTION, backup_call(backup_database.ACTION, login, folder))["part"]
    run_well(backup_seal.ACTION, backup_call(backup_seal.ACTION, {"parts": [files, data]}, folder))
    return site


def look(disk: Path) -> tuple[object, object]:
    """The site, and the rows of its database, or the file where it is none."""
    path = disk / "site.sqlite"
    with closing(sqlite3.connect(path)) as base:
        try:
            return snapshot(disk / "html"), base.execute("SELECT * FROM a").fetchall()
        except sqlite3.DatabaseError:
            return snapshot(disk / "html"), path.read_bytes()


def main(folder: Path, where: str) -> None:
    """Restore with the disk full from each command on; then with room."""
    disk, temporary = folder / "disk", folder / "temporary"
    for place in (disk, temporary):
        place.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=120m", "none", place], check=True)
    site = build(folder, disk)
    whole = look(disk)
    (site / "0.jpg").write_bytes(b"defaced")
    (disk / "site.sqlite").write_bytes(b"no database")
    broken = look(disk)
    source = f"sqlite:{disk / 'site.sqlite'}"
    rescue = make_rescue(folder, source)
    plan = call_of(backup_compare.ACTION, folder, temporary, {}).outputs["plan"]
    inputs = {"plan": plan, "rescue": rescue}
    messages = []
    for at in range(1, 40):
        connection = Filling(disk if where == "there" else temporary, at)
        try:
            more = {"signatures": {plan["sha256"]: SIGNED}, "connect": lambda it=connection: it}
            outcome = call_of(backup_restore.ACTION, folder, temporary, inputs, **more)
            assert outcome.status is Status.CHANGED, outcome
        except Failed as error:
            messages.append(str(error))
        finally:
            connection.close()
        for place in (disk, temporary):
            (place / "filler").unlink(missing_ok=True)
        if len(messages) < at:
            break
        assert look(disk) == broken, f"full from command {at} on: {messages[-1]}"
        assert sorted(path.name for path in disk.iterdir()) == ["html", "site.sqlite"]
    assert look(disk) == whole
    assert messages
    print("held", *messages, sep="\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
