"""What becomes of a restore over SFTP or FTPS that loses its link, meets a full disk or a planted link."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from runner.actions.restore.far_site import FarSite
from runner.actions.restore.orders import Order
from runner.connections import open_connections
from runner.contract import Status
from runner.errors import Failed, Unreachable
from tests.actions.backups import Server
from tests.actions.made_sets import make_rescue, make_set
from tests.actions.sftp_here import sftp_here
from tests.actions.test_backup_broken_links import over
from tests.actions.test_backup_files import snapshot
from tests.actions.test_backup_restore import back_up
from tests.actions.test_backup_restore_far import FTPS, SFTP, Account, account_by, settle
from tests.ftps_server import FtpsServer, ftps_server
from tests.relay import Relay, relay_to
from tests.sshd import SshServer, make_key, ssh_server, start_ssh_server

ROOT = Path(__file__).parents[2]
DUMP = b"-- Table structure for table `a`\n-- Dump completed\n"
SFTP_ONLY = {"Subsystem": "sftp internal-sftp", "ForceCommand": "internal-sftp"}


@pytest.fixture
def site(tmp_path: Path) -> Path:
    root = tmp_path / "account" / "public_html"
    (root / "deep" / "er").mkdir(parents=True)
    for number in range(6):
        (root / "deep" / f"{number}.jpg").write_bytes(os.urandom(20_000 * number))
    (root / "deep" / "er" / "a.txt").write_text("a")
    (root / "large.zip").write_bytes(os.urandom(2_500_000))
    (root / "index.php").write_text("<?php")
    settle(root)
    return root


def damage(site: Path) -> None:
    (site / "index.php").write_text("defaced")
    (site / "shell.php").write_text("<?php")
    (site / "deep" / "3.jpg").unlink()
    settle(site)


def contents(root: Path) -> dict[bytes, Any]:
    """What visitors see; what a restore prepares inside is hidden."""
    return {path: facts[3] for path, facts in snapshot(root).items() if not path.startswith(b".pulih-")}


def assert_old_or_new(site: Path, broken: dict[bytes, Any], whole: dict[bytes, Any], when: str) -> None:
    """The old or the new; between two renames the old files stand aside, all of them; inside, where they are moved one
    by one, they are all there."""
    if inside := [*site.glob(".lama-*")]:
        there = contents(site) | contents(inside[0])
        assert contents(site) | broken == contents(site) | {path: there.get(path) for path in broken}, when
        return
    aside = [path for path in site.parent.glob("public_html.lama-*") if any(path.iterdir())]
    assert contents(next(iter(aside), site)) == broken or contents(site) in (broken, whole), when


@contextmanager
def over_relay(
    server: SshServer | FtpsServer, account: Account, most: int | None = None
) -> Iterator[tuple[Account, Relay]]:
    """The account over a link that breaks once so many bytes went there."""
    with relay_to(server.port, most) as relay:
        if isinstance(server, FtpsServer):
            yield account._replace(inputs={**account.inputs, "ftps": {**server.login, "port": relay.port}}), relay
            return
        with over(server, relay) as connection:
            yield account._replace(more={"connect": lambda: connection, "limit": 60.0}), relay


@contextmanager
def served(way: str, site: Path, folder: Path) -> Iterator[tuple[SshServer | FtpsServer, Account]]:
    rescue = make_rescue(folder, "mariadb:x")
    if way == SFTP:
        with ssh_server(folder / "sshd", options=SFTP_ONLY) as server:
            yield server, Account(folder, {"root": str(site)}, {}, rescue)
        return
    with ftps_server(folder / "ftps", site.parent, perm="elradfmwMT") as ftps:
        yield ftps, Account(folder, {"ftps": ftps.login, "root": "/public_html"}, {"limit": 60.0}, rescue)


def measure_restore(server: SshServer | FtpsServer, account: Account) -> tuple[Mapping[str, Any], int]:
    """Restore once; return the plan, and how many bytes went to the server for it."""
    with over_relay(server, account) as (sound, relay):
        plan = sound.compare()["plan"]
        before = relay.carried
        sound.restore(plan)
        return plan, relay.carried - before


def tidy(site: Path) -> None:
    for old in (*site.parent.glob("public_html.lama-*"), *site.glob(".lama-*")):
        shutil.rmtree(old)
    assert not list(site.glob(".pulih-*"))
    assert os.listdir(site.parent) == ["public_html"]


@pytest.mark.parametrize(
    ("way", "share"),
    [
        (SFTP, 0.5),
        *(pytest.param(SFTP, share, marks=pytest.mark.heavy) for share in (0.9,)),
        *(pytest.param(FTPS, share, marks=pytest.mark.heavy) for share in (0.3, 0.6)),
    ],
)
@pytest.mark.promise(
    "Network", "the link is lost in mid-restore over {way}", "the old state or the whole new set, and it goes on"
)
def test_a_lost_link_leaves_the_old_state_or_the_new(site: Path, tmp_path: Path, way: str, share: float) -> None:
    back_up(site, tmp_path)
    whole = contents(site)
    with served(way, site, tmp_path) as (server, account):
        damage(site)
        broken = contents(site)
        plan, length = measure_restore(server, account)
        tidy(site)
        damage(site)
        with over_relay(server, account, int(share * length)) as (cut, _), pytest.raises(Unreachable):
            cut.restore(plan)
        assert_old_or_new(site, broken, whole, f"cut after {share} of what is sent")
        with over_relay(server, account) as (sound, _):
            assert sound.restore(plan).status is Status.CHANGED
    assert contents(site) == whole
    tidy(site)


def kill_midway(server: SshServer | FtpsServer, account: Account, plan: Mapping[str, Any], most: int) -> None:
    """Restore in a process of its own that is killed once so many bytes went to the server."""
    given = {name: value for name, value in account.inputs.items() if name != "root"}
    ssh = None if isinstance(server, FtpsServer) else {**server.settings, "host_key": server.host_key()}
    job = [{**given, "rescue": account.rescue, "plan": plan}, ssh]
    words = [sys.executable, "-m", "tests.actions.dying_far", account.folder, str(server.port), str(most)]
    done = subprocess.run([*words, json.dumps(job)], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr


@pytest.mark.heavy
@pytest.mark.parametrize("way", [SFTP, FTPS])
@pytest.mark.promise(
    "Power cut", "`kill -9` of a restore over {way}", "the old state or the whole new set, and it goes on"
)
def test_a_killed_restore_leaves_the_old_state_or_the_new(site: Path, tmp_path: Path, way: str) -> None:
    back_up(site, tmp_path)
    whole = contents(site)
    with served(way, site, tmp_path) as (server, account):
        damage(site)
        broken = contents(site)
        plan, length = measure_restore(server, account)
        for share in (0.2, 0.5, 0.8, 0.95):
            tidy(site)
            damage(site)
            kill_midway(server, account, plan, int(share * length))
            assert_old_or_new(site, broken, whole, f"killed after {share} of what is sent")
            with over_relay(server, account) as (sound, _):
                assert sound.restore(plan).status is Status.CHANGED
            assert contents(site) == whole
    tidy(site)


def assert_goes_on(site: Path, account: Account, last: int, paths: list[str]) -> bool:
    """Break at that sending; the next run ends with all of the new. Return whether there was such a sending."""
    whole = contents(site)
    damage(site)
    broken = contents(site)
    with sftp_here() as sound, sftp_here(lambda number: number == last and cut.cut()) as cut:
        whole_way = account._replace(more={"connect": lambda: sound})
        plan = whole_way.compare(paths=paths)["plan"]
        try:
            account._replace(more={"connect": lambda: cut}).restore(plan)
        except Unreachable:
            if not paths:
                assert_old_or_new(site, broken, whole, f"cut at sending {last}")
            whole_way.restore(plan)
        count = cut.count
    after = contents(site)
    assert {path: after.get(path) for path in whole} == whole, f"cut at sending {last}"
    assert paths or b"shell.php" not in after
    (site / "shell.php").unlink(missing_ok=True)
    tidy(site)
    return count >= last


@pytest.mark.parametrize("last", [9, 21, 30])
@pytest.mark.parametrize("paths", [[], ["deep", "index.php"]])
def test_cut_off_it_goes_on(site: Path, tmp_path: Path, paths: list[str], last: int) -> None:
    back_up(site, tmp_path)
    account = Account(tmp_path, {"root": str(site)}, {}, make_rescue(tmp_path, "mariadb:x"))
    assert assert_goes_on(site, account, last, paths)


@pytest.mark.heavy
@pytest.mark.timeout(300)
@pytest.mark.parametrize("inside", [False, True])
@pytest.mark.parametrize("paths", [[], ["deep", "index.php"]])
def test_cut_off_at_any_sending_it_goes_on(
    site: Path, tmp_path: Path, paths: list[str], inside: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where nothing may be made beside the folder."""
    if inside:
        monkeypatch.setattr(FarSite, "_places", lambda it: [os.fsencode(site) + b"/."])
    back_up(site, tmp_path)
    account = Account(tmp_path, {"root": str(site)}, {}, make_rescue(tmp_path, "mariadb:x"))
    count = next(number for number in range(1, 500, 3) if not assert_goes_on(site, account, number, paths))
    assert count > 30


@pytest.mark.parametrize("way", [SFTP, pytest.param(FTPS, marks=pytest.mark.heavy)])
@pytest.mark.promise("Disk", "a disk that is full in mid-restore over {way}", "the old state, its room is given back")
def test_a_site_on_a_full_disk_stays_as_it_was(tmp_path: Path, way: str) -> None:
    words = [sys.executable, "-m", "tests.actions.full_disk_far", str(tmp_path), way]
    done = subprocess.run(
        ["unshare", "--mount", "--map-root-user", *words], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.stdout.startswith("held\n"), done.stderr + done.stdout


@pytest.mark.parametrize("way", [SFTP, FTPS])
@pytest.mark.promise("Files", "a link in a path that is restored to over {way}", "not followed")
def test_a_link_on_the_way_is_not_followed(site: Path, tmp_path: Path, way: str) -> None:
    back_up(site, tmp_path)
    outside = site.parent / "outside"
    outside.mkdir()
    (outside / "3.jpg").write_text("keep me")
    with account_by(way, site, tmp_path) as account:
        plan = account.compare(paths=["deep/3.jpg"])["plan"]
        shutil.rmtree(site / "deep")
        (site / "deep").symlink_to("../outside")
        with pytest.raises(Failed, match=r"a link is in the way; deep"):
            account.restore(plan)
    assert (outside / "3.jpg").read_text() == "keep me"
    assert os.listdir(outside) == ["3.jpg"]


@pytest.mark.parametrize("way", [SFTP, FTPS])
def test_what_is_in_the_way_is_named(site: Path, tmp_path: Path, way: str) -> None:
    back_up(site, tmp_path)
    (site / "index.php").unlink()
    (site / "index.php").mkdir()
    with account_by(way, site, tmp_path) as account:
        plan = account.compare(paths=["index.php"])["plan"]
        with pytest.raises(Failed, match=r"a folder is in its place; index\.php"):
            account.restore(plan)


def test_a_root_that_is_a_link_is_refused_over_ftps(site: Path, tmp_path: Path) -> None:
    back_up(site, tmp_path)
    (site.parent / "www").symlink_to("public_html")
    with account_by(FTPS, site, tmp_path) as account, pytest.raises(Failed, match=r"it is a link\. name the folder"):
        account.compare(root="/www")


def test_a_database_is_refused_where_there_is_no_shell(tmp_path: Path) -> None:
    made = make_set(tmp_path / "backups" / "WEB-PN-TAIS", 20, {"a": b"a"}, databases={"x": DUMP})
    with (
        sftp_here() as here,
        pytest.raises(Failed, match=rf"has no shell .* import {made.folder}/db-x.sql.zst by the panel's phpMyAdmin"),
    ):
        Account(tmp_path, {}, {"connect": lambda: here}, "").compare(database="mariadb:x")


@pytest.mark.skipif(os.geteuid() != 0, reason="an account in a jail (ChrootDirectory) needs root to be made")
def test_an_account_in_a_jail_restores_inside_its_folder(tmp_path: Path) -> None:
    """It may not write to the folder above, which is the jail's own."""
    jail = tmp_path / "jail"
    site = jail / "public_html"
    (site / "deep").mkdir(parents=True)
    (site / "deep" / "a.txt").write_text("a")
    (site / "index.php").write_text("<?php")
    settle(site)
    back_up(site, tmp_path)
    whole = snapshot(site)
    damage_jail(site)
    options = {**SFTP_ONLY, "ChrootDirectory": "/mnt", "AuthorizedKeysFile": "/mnt/authorized_keys"}
    jail.chmod(0o755)
    before = ["unshare", "--mount", "sh", "-c", 'mount --bind -- "$0" /mnt && exec "$@"', str(jail)]
    make_key(jail / "key")
    shutil.copy(jail / "key.pub", jail / "authorized_keys")
    server = start_ssh_server(tmp_path / "sshd", options=options, before=before)
    settings = {**server.settings, "user": "nobody", "identity": str(jail / "key"), "host_key": server.host_key()}
    connections = open_connections(known_hosts=[])
    try:
        more = {"connect": lambda: connections.get(Server("web1", settings))}
        account = Account(tmp_path, {"root": "/public_html"}, more, make_rescue(tmp_path, "mariadb:x"))
        plan = account.compare()["plan"]
        outcome = account.restore(plan)
    finally:
        connections.close()
        server.stop()
    assert outcome.outputs["kept"] == [f"/public_html/.lama-{Order.from_json(plan['order']).id}"]
    kept = jail / outcome.outputs["kept"][0].lstrip("/")
    assert (kept / "index.php").read_text() == "defaced"
    shutil.rmtree(kept)
    settle(site)
    assert snapshot(site) == whole


def damage_jail(site: Path) -> None:
    (site / "index.php").write_text("defaced")
    for path in (site, *site.rglob("*")):
        shutil.chown(path, "nobody")


def test_a_site_that_is_the_root_of_its_ftp_account_is_restored_inside(site: Path, tmp_path: Path) -> None:
    back_up(site, tmp_path)
    whole = contents(site)
    damage(site)
    with ftps_server(tmp_path / "ftps", site, perm="elradfmwMT") as server:
        login = {"ftps": server.login, "root": "/"}
        account = Account(tmp_path, login, {}, make_rescue(tmp_path, "mariadb:x"))
        outcome = account.restore(account.compare()["plan"])
    (kept,) = outcome.outputs["kept"]
    assert (site / kept.lstrip("/") / "shell.php").exists()
    shutil.rmtree(site / kept.lstrip("/"))
    assert contents(site) == whole
