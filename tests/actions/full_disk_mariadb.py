"""Dumps and restores a MariaDB server whose own disk fills up, in a namespace of mounts of its own.

unshare --mount --map-root-user python -m tests.actions.full_disk_mariadb FOLDER prints `held` where all was so.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from runner.actions import backup_database
from runner.contract import Status
from runner.errors import Failed
from tests.actions.backups import backup_call, files_in
from tests.actions.full_disk_restore import fill, fill_but
from tests.actions.made_sets import make_rescue
from tests.actions.test_backup_database_faults import WIDE
from tests.actions.test_backup_restore import compare, restore
from tests.actions.test_backup_restore_databases import back_up, inputs_of
from tests.mariadb import MariaDB, running_mariadb

MIB = 1024 * 1024


def check_dump(server: MariaDB, name: str, folder: Path, disk: Path) -> str:
    """A dump on a full disk is whole, or nothing of it is kept."""
    folder.mkdir()
    fill(disk)
    login = {"engine": "mariadb", "name": name, **inputs_of(server)}
    outcome = backup_database.ACTION.run(backup_call(backup_database.ACTION, login, folder))
    (disk / "filler").unlink()
    if outcome.status is Status.CHANGED:
        assert outcome.outputs["part"]["table_count"] == 1
        return "dumped whole"
    assert outcome.problems
    assert [path for path in files_in(folder / "backups") if not path.endswith(".lock")] == []
    return outcome.message


def main(folder: Path) -> None:
    """Dump and restore with the disk full; then with room."""
    disk = folder / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200m", "none", disk], check=True)
    tempfile.tempdir = str(disk)
    with running_mariadb() as server:
        server.sql("CREATE DATABASE situs")
        server.sql(WIDE.format(20000), "situs")
        login = inputs_of(server)
        back_up(folder, "mariadb", "situs", login)
        whole = server.sql("CHECKSUM TABLE situs.lebar")
        server.sql("DELETE FROM lebar WHERE a > 7", "situs")
        broken = server.sql("CHECKSUM TABLE situs.lebar")
        messages = [check_dump(server, "situs", folder / "dump", disk)]
        tempfile.tempdir = None
        plan = compare(folder, **login)["plan"]
        rescue = make_rescue(folder, "mariadb:situs")
        for left in (0, 1, 4, 12):
            fill_but(disk, left * MIB)
            with pytest.raises(Failed) as caught:
                restore(folder, plan, rescue=rescue, **login)
            messages.append(f"{left} MiB: {caught.value}")
            assert "99880d39" not in messages[-1], "a row of the database is shown"
            (disk / "filler").unlink()
            assert server.sql("CHECKSUM TABLE situs.lebar") == broken, messages
            assert "_pulih_" not in server.sql("SHOW DATABASES"), messages
        assert restore(folder, plan, rescue=rescue, **login).status is Status.CHANGED
        assert server.sql("CHECKSUM TABLE situs.lebar") == whole
        print("held", *messages, sep="\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
