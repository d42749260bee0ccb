"""Restores over SFTP onto a disk that fills up meanwhile, in a namespace of mounts of its own.

unshare --mount --map-root-user python -m tests.actions.full_disk_far FOLDER prints `held` where all was as promised.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from runner.contract import Status
from runner.errors import Failed
from tests.actions.full_disk_restore import fill
from tests.actions.made_sets import make_rescue
from tests.actions.sftp_here import sftp_here
from tests.actions.test_backup_files import snapshot
from tests.actions.test_backup_restore import back_up
from tests.actions.test_backup_restore_far import Account


def main(folder: Path) -> None:
    """Restore with the disk full from each fifth sending on; then with room."""
    disk = folder / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=120m", "none", disk], check=True)
    site = disk / "html"
    (site / "deep").mkdir(parents=True)
    for number in range(12):
        (site / "deep" / f"{number}.jpg").write_bytes(os.urandom(400_000))
    (site / "large.zip").write_bytes(os.urandom(5_000_000))
    back_up(site, folder)
    whole = snapshot(site)
    (site / "deep" / "0.jpg").write_bytes(b"defaced")
    broken = snapshot(site)
    account = Account(folder, {"root": str(site)}, {}, make_rescue(folder, "mariadb:x"))
    with sftp_here() as here:
        plan = account._replace(more={"connect": lambda: here}).compare()["plan"]
    messages: list[str] = []
    for at in range(1, 500, 5):
        with sftp_here(lambda number, at=at: number == at and fill(disk)) as filling:
            message = attempt(account._replace(more={"connect": lambda it=filling: it}), plan)
        (disk / "filler").unlink(missing_ok=True)
        if not message:
            break
        messages.append(message)
        assert snapshot(site) == broken, f"full from sending {at} on: {message}"
        assert os.listdir(disk) == ["html"], message
    assert snapshot(site) == whole
    assert messages
    print("held", *messages, sep="\n")


def attempt(account: Account, plan: Mapping[str, Any]) -> str:
    """What a restore says where it fails."""
    try:
        assert account.restore(plan).status is Status.CHANGED
    except Failed as error:
        return str(error)
    return ""


if __name__ == "__main__":
    main(Path(sys.argv[1]))
