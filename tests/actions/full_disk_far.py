"""Restores over SFTP or FTPS onto a disk that fills up meanwhile, in a namespace of mounts of its own.

unshare --mount --map-root-user python -m tests.actions.full_disk_far FOLDER WAY prints `held` where all was so.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from runner.actions.backup import ftps
from runner.contract import Status
from runner.errors import Failed, Unreachable
from tests.actions.full_disk_restore import fill, fill_but
from tests.actions.made_sets import make_rescue
from tests.actions.sftp_here import sftp_here
from tests.actions.test_backup_files import snapshot
from tests.actions.test_backup_restore import back_up
from tests.actions.test_backup_restore_far import Account
from tests.ftps_server import ftps_server


def main(folder: Path, way: str) -> None:
    """Restore with the disk full; then with room."""
    disk = folder / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=120m", "none", disk], check=True)
    site = disk / "html"
    (site / "deep").mkdir(parents=True)
    for number in range(12):
        (site / "deep" / f"{number}.jpg").write_bytes(os.urandom(400_000))
    (site / "large.zip").write_bytes(os.urandom(5_000_000))
    back_up(site, folder)
    whole = contents(site)
    (site / "deep" / "0.jpg").write_bytes(b"defaced")
    broken = snapshot(site)
    rescue = make_rescue(folder, "mariadb:x")
    messages = (over_ftps if way == "ftps" else over_sftp)(folder, site, rescue, broken)
    assert contents(site) == whole
    assert messages
    print("held", *messages, sep="\n")


def contents(site: Path) -> dict[bytes, bytes]:
    return {path: facts[3] for path, facts in snapshot(site).items()}


def over_sftp(folder: Path, site: Path, rescue: str, broken: object) -> list[str]:
    """The disk is full from each fifth sending on; return what was said."""
    disk, messages = site.parent, list[str]()
    account = Account(folder, {"root": str(site)}, {}, rescue)
    with sftp_here() as here:
        plan = account._replace(more={"connect": lambda: here}).compare()["plan"]
    for at in range(1, 500, 5):
        with sftp_here(lambda number, at=at: number == at and fill(disk)) as filling:
            message = attempt(account._replace(more={"connect": lambda it=filling: it}), plan)
        (disk / "filler").unlink(missing_ok=True)
        if not message:
            break
        messages.append(message)
        check(site, broken, message)
    return messages


def over_ftps(folder: Path, site: Path, rescue: str, broken: object) -> list[str]:
    """So many MiB are left; FTP does not tell that beforehand. This server gives no answer at all where a small file
    does not fit, and what was unpacked stays for the next try. Return what was said."""
    ftps.LONGEST_WAIT = 5.0
    disk, messages = site.parent, list[str]()
    with ftps_server(folder / "ftps", disk, perm="elradfmwMT") as server:
        login = {"ftps": server.login, "root": "/html"}
        account = Account(folder, login, {}, rescue)
        plan = account.compare()["plan"]
        for left in (3,):
            fill_but(disk, left * 1024 * 1024)
            messages.append(attempt(account, plan))
            (disk / "filler").unlink()
            assert messages[-1], left
            assert snapshot(site) == broken, messages
        assert not attempt(account, plan)
    return messages


def check(site: Path, broken: object, message: str) -> None:
    """All is as it was, and the room is given back."""
    assert snapshot(site) == broken, message
    assert os.listdir(site.parent) == ["html"], message


def attempt(account: Account, plan: Mapping[str, Any]) -> str:
    """What a restore says where it fails."""
    try:
        assert account.restore(plan).status is Status.CHANGED
    except (Failed, Unreachable) as error:
        return str(error)
    return ""


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
