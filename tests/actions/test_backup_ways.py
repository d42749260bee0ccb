"""The ladder of backup.files over a real SSH server: GNU tools, BusyBox's, and SFTP alone."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from runner.actions.backup.sets import BackupSet, load_set
from runner.actions.backup_files import ACTION
from runner.connections import open_connections
from runner.contract import Connection
from tests.actions.backups import Server, assert_refused, backup_call, run_well, seal
from tests.actions.test_backup_files import snapshot, write_odd_names
from tests.calls import NOW
from tests.sshd import SshServer, ssh_server

GNU, BUSYBOX, SFTP = "gnu", "busybox", "sftp"
NOTES = {GNU: None, BUSYBOX: "the server has no GNU find and tar", SFTP: "the account may only use SFTP"}


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder with times in whole seconds, as the plainer ways tell them."""
    root = tmp_path / "the site"
    (root / "deep" / "er").mkdir(parents=True)
    write_odd_names(root / "deep")
    for number in range(40):
        (root / "deep" / "er" / f"{number}.txt").write_text("x" * 997 * number)
    (root / "link").symlink_to("/etc/passwd")
    (root / "empty").touch()
    (root / "large").write_bytes(os.urandom(3_000_001))
    (root / "large").chmod(0o640)
    for path in [*root.rglob("*"), root]:
        if not path.is_symlink():
            os.utime(path, (1_700_000_000, 1_700_000_000))
    return root


@contextmanager
def connected(server: SshServer) -> Iterator[Connection]:
    connections = open_connections(known_hosts=[server.known_hosts])
    try:
        yield connections.get(Server("web1", server.settings))
    finally:
        connections.close()


@contextmanager
def way_to(way: str, folder: Path) -> Iterator[Connection]:
    """A connection that offers this way and none before it."""
    options: dict[str, str] = {}
    if way == BUSYBOX:
        applets = folder / "applets"
        applets.mkdir()
        busybox = shutil.which("busybox")
        assert busybox, "busybox is missing. run: apt-get install busybox-static"
        for name in ("find", "stat", "xargs", "tar", "sh", "env", "head", "cat", "printf", "ls"):
            (applets / name).symlink_to(busybox)
        options["SetEnv"] = f"PATH={applets} HOME={applets}"
    elif way == SFTP:
        options |= {"Subsystem": "sftp internal-sftp", "ForceCommand": "internal-sftp"}
    with ssh_server(folder / "sshd", options=options) as server, connected(server) as connection:
        yield connection


def restored(chosen: BackupSet, folder: Path) -> Path:
    subprocess.run(["sh", chosen.folder / "PULIHKAN.sh", folder], check=True, capture_output=True)
    return folder


@pytest.mark.parametrize("way", [GNU, BUSYBOX, SFTP])
def test_each_way_backs_up_every_file_there_is(site: Path, tmp_path: Path, way: str) -> None:
    with way_to(way, tmp_path) as connection:

        def take(day: int) -> BackupSet:
            now = NOW.replace(day=day)
            call = backup_call(ACTION, {"root": str(site)}, tmp_path, connect=lambda: connection, now=now)
            return load_set(seal(run_well(ACTION, call)["part"], tmp_path, now=now))

        full = take(1)
        assert snapshot(restored(full, tmp_path / "full")) == snapshot(site)
        assert [note for note in full.manifest["notes"] if note.startswith(NOTES[way] or "?")] == full.manifest["notes"]
        assert bool(full.manifest["notes"]) is (way != GNU)
        assert take(2).parts == []
        (site / "deep" / "er" / "5.txt").write_text("new")
        (site / "deep" / "er" / "6.txt").unlink()
        for place in ("deep/er/5.txt", "deep/er"):
            os.utime(site / place, (1_700_000_100, 1_700_000_100))
        later = take(3)
        assert later.kind == "T"
        assert snapshot(restored(later, tmp_path / "later")) == snapshot(site)


@pytest.mark.parametrize("way", [GNU, BUSYBOX, SFTP])
def test_each_way_says_when_the_folder_is_not_there(site: Path, tmp_path: Path, way: str) -> None:
    with way_to(way, tmp_path) as connection:
        call = backup_call(ACTION, {"root": str(tmp_path / "none")}, tmp_path, connect=lambda: connection)
        assert_refused(ACTION.run(call), "backup.files.incomplete", "there is no such folder on the server")
        (tmp_path / "void").mkdir()
        call = backup_call(ACTION, {"root": str(tmp_path / "void")}, tmp_path, connect=lambda: connection)
        assert_refused(ACTION.run(call), "backup.files.incomplete", "is its disk mounted?")
