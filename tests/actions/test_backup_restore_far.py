"""backup.compare and backup.restore where the account has no shell: over a real SSH server's SFTP, and over FTPS."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from runner.actions import backup_compare, backup_restore
from runner.contract import Outcome, Status
from tests.actions.backups import backup_call
from tests.actions.made_sets import make_rescue
from tests.actions.test_backup_files import snapshot, write_odd_names
from tests.actions.test_backup_restore import SIGNED, back_up
from tests.actions.test_backup_ways import way_to
from tests.calls import assert_fits, read_evidence
from tests.ftps_server import ftps_server

SFTP, FTPS = "sftp", "ftps"
NOTES = {SFTP: "over SFTP: times are in whole seconds", FTPS: "over FTPS: times are in whole seconds"}


class Account(NamedTuple):
    """An account without a shell: what the inputs of a restore say of it, and how its connection is had."""

    folder: Path
    inputs: Mapping[str, Any]
    more: Mapping[str, Any]
    rescue: str

    def compare(self, **inputs: Any) -> Mapping[str, Any]:
        """The plan's outputs, and its paper."""
        call = backup_call(backup_compare.ACTION, {**self.inputs, **inputs}, self.folder, **self.more)
        outcome = backup_compare.ACTION.run(call)
        assert outcome.status is Status.OK, outcome.message
        assert_fits(backup_compare.ACTION, outcome.outputs)
        return {**outcome.outputs, "paper": read_evidence(call, outcome.evidence[0]).decode()}

    def restore(self, plan: Mapping[str, Any], **inputs: Any) -> Outcome:
        """What becomes of a restore by that plan."""
        given = {name: value for name, value in self.inputs.items() if name not in ("root", "database")}
        signatures = {plan["sha256"]: SIGNED}
        call = backup_call(
            backup_restore.ACTION,
            {**given, "rescue": self.rescue, "plan": plan, **inputs},
            self.folder,
            signatures=signatures,
            **self.more,
        )
        outcome = backup_restore.ACTION.run(call)
        assert_fits(backup_restore.ACTION, outcome.outputs)
        return outcome


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """Every kind of entry there is, its times in whole seconds."""
    root = tmp_path / "account" / "public_html"
    (root / "deep" / "er").mkdir(parents=True)
    write_odd_names(root / "deep")
    for number in range(8):
        (root / "deep" / "er" / f"{number}.txt").write_text("x" * 997 * number)
    (root / "link").symlink_to("/etc/passwd")
    (root / "empty").touch()
    (root / "large").write_bytes(os.urandom(3_000_001))
    (root / "large").chmod(0o640)
    os.link(root / "large", root / "hard")
    (root / "void").mkdir(mode=0o750)
    for name, size in (("sparse", 9_000_000), ("sparse.small", 600_000)):
        with (root / name).open("wb") as file:
            file.truncate(size)
            file.seek(size // 2)
            file.write(b"x" * 5000)
    settle(root)
    return root


def settle(root: Path) -> None:
    for path in [*sorted(root.rglob("*"), reverse=True), root]:
        if not path.is_symlink():
            os.utime(path, (1_700_000_000, 1_700_000_000))


@contextmanager
def account_by(way: str, site: Path, folder: Path) -> Iterator[Account]:
    rescue = make_rescue(folder, "mariadb:x")
    if way == SFTP:
        with way_to(SFTP, folder) as connection:
            yield Account(folder, {"root": str(site)}, {"connect": lambda: connection}, rescue)
        return
    with ftps_server(folder / "ftps", site.parent, perm="elradfmwMT") as server:
        yield Account(folder, {"ftps": server.login, "root": "/public_html"}, {}, rescue)


def seen(root: Path, way: str) -> dict[bytes, Any]:
    """What comes back that way: hard links as files; over FTPS no links, no names with line breaks, and this server
    sets no times of folders."""
    found = {path: (kind, time, content) for path, (kind, _, time, content) in snapshot(root).items()}
    if way == SFTP:
        return found
    plain = {path: facts for path, facts in found.items() if not path.endswith((b"break", b"\xff", b"link"))}
    return {path: facts if facts[2] else (facts[0], 0, b"") for path, facts in plain.items()}


@pytest.fixture(params=[SFTP, pytest.param(FTPS, marks=pytest.mark.heavy)])
def account(request: pytest.FixtureRequest, site: Path, tmp_path: Path) -> Iterator[Account]:
    back_up(site, tmp_path)
    if request.param == FTPS:  # a folder with these names cannot be listed over FTP at all
        for name in (b"line\nbreak", b"latin\xe9\xff"):
            os.unlink(os.fsencode(site / "deep") + b"/" + name)
        settle(site)
    with account_by(request.param, site, tmp_path) as made:
        yield made


def way_of(account: Account) -> str:
    return FTPS if "ftps" in account.inputs else SFTP


def damage(site: Path) -> None:
    (site / "large").unlink()
    (site / "large").write_bytes(b"defaced")
    (site / "deep" / "plain").unlink()
    (site / "shell.php").write_text("<?php")
    settle(site)


def test_a_destroyed_folder_comes_back(account: Account, site: Path) -> None:
    way = way_of(account)
    before = seen(site, way)
    shutil.rmtree(site)
    found = account.compare()
    assert NOTES[way] in " ".join(found["notes"])
    assert "Yang tidak dapat dilakukan lewat jalur ini\n  lewat " in found["paper"]
    outcome = account.restore(found["plan"])
    assert outcome.status is Status.CHANGED
    assert seen(site, way) == before
    assert NOTES[way] in outcome.message
    assert outcome.outputs["kept"] == []
    left_out = [note for note in outcome.outputs["notes"] if "cannot make" in note]
    assert len(left_out) == {SFTP: 0, FTPS: 3}[way]
    assert [note for note in found["notes"] if "cannot make" in note] == left_out
    assert not list(site.parent.glob("*pulih*"))


def test_the_whole_folder_is_swapped_the_old_one_kept(account: Account, site: Path) -> None:
    way = way_of(account)
    before = seen(site, way)
    damage(site)
    broken = snapshot(site)
    found = account.compare()
    assert snapshot(site) == broken, "a comparison changes nothing"
    assert os.listdir(site.parent) == ["public_html"]
    assert (found["files"]["missing"], found["files"]["only_live"]) == (1, 1 if way == SFTP else 2)
    assert "shell.php" in found["paper"]
    outcome = account.restore(found["plan"])
    assert seen(site, way) == before
    kept = site.parent / Path(outcome.outputs["kept"][0]).name
    assert snapshot(kept) == broken
    assert kept.stat().st_mode & 0o7777 == site.stat().st_mode & 0o7777
    assert account.restore(found["plan"]).status is Status.CHANGED  # it is done already
    assert seen(site, way) == before


def test_one_file_and_one_folder_come_back_and_nothing_else_is_touched(account: Account, site: Path) -> None:
    way = way_of(account)
    before = seen(site, way)
    damage(site)
    shutil.rmtree(site / "deep" / "er")
    found = account.compare(paths=["large", "deep"])
    assert (found["files"]["other"], found["files"]["only_live"]) == (1, 0)
    outcome = account.restore(found["plan"])
    after = seen(site, way)
    assert after.pop(b"shell.php")
    settled = {b"deep", b"deep/er"}  # a folder that is there keeps its own time
    assert {path: facts for path, facts in after.items() if path not in settled} == {
        path: facts for path, facts in before.items() if path not in settled
    }
    kept = site.parent / Path(outcome.outputs["kept"][0]).name
    assert (kept / "large").read_bytes() == b"defaced"
    assert sorted(os.listdir(site.parent)) == ["public_html", kept.name]
