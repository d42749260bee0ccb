"""backup.compare and backup.restore on real trees: by a signed plan only, whole or not at all."""

from __future__ import annotations

import hashlib
import os
import shutil
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from runner.actions import backup_compare, backup_files, backup_restore
from runner.actions.backup.sets import load_set
from runner.contract import Command, Outcome, Result, Status
from runner.durations import Deadline
from runner.errors import Failed, TimeUp
from tests.actions.backups import backup_call, run_well, seal
from tests.actions.made_sets import make_set, write_sums
from tests.actions.test_backup_files import snapshot, write_odd_names
from tests.calls import NOW, LocalConnection, assert_fits, read_evidence

SIGNED = {"role": "kasubbag", "person": "kasubbag_demo", "at": "2026-11-22T02:00:00+00:00"}
Inputs = Mapping[str, Any]


@pytest.fixture
def site(tmp_path: Path) -> Path:
    root = tmp_path / "the site"
    (root / "deep" / "er").mkdir(parents=True)
    write_odd_names(root / "deep")
    (root / "link").symlink_to("/etc/passwd")
    os.link(root / "deep" / "plain", root / "hard")
    (root / "empty").touch()
    (root / "large").write_bytes(os.urandom(30_000))
    (root / "large").chmod(0o640)
    with (root / "sparse").open("wb") as file:
        file.truncate(500_000)
        file.seek(200_000)
        file.write(b"x" * 5000)
    os.utime(root / "deep", (1_000_000_000, 1_000_000_000))
    return root


@pytest.fixture
def sealed(site: Path, tmp_path: Path) -> Path:
    return back_up(site, tmp_path)


def back_up(root: Path, tmp_path: Path, **more: Any) -> Path:
    files = {"root": str(root), "accept_smaller": True}
    part = run_well(backup_files.ACTION, backup_call(backup_files.ACTION, files, tmp_path, **more))["part"]
    return seal(part, tmp_path)


def compare(tmp_path: Path, *, now: datetime = NOW, **inputs: Any) -> Mapping[str, Any]:
    call = backup_call(backup_compare.ACTION, inputs, tmp_path, now=now)
    outcome = backup_compare.ACTION.run(call)
    assert outcome.status is Status.OK, outcome.message
    assert_fits(backup_compare.ACTION, outcome.outputs)
    paper = read_evidence(call, outcome.evidence[0]).decode()
    assert hashlib.sha256(paper.encode()).hexdigest() == outcome.outputs["plan"]["sha256"]
    return {**outcome.outputs, "paper": paper}


def restore(tmp_path: Path, plan: Inputs, *, sign: bool = True, connection: Any = None, **inputs: Any) -> Outcome:
    signatures = {plan["sha256"]: SIGNED} if sign else {}
    more = {"connect": lambda: connection} if connection else {}
    call = backup_call(backup_restore.ACTION, {"plan": plan, **inputs}, tmp_path, signatures=signatures, **more)
    outcome = backup_restore.ACTION.run(call)
    if outcome.status is Status.CHANGED:
        assert_fits(backup_restore.ACTION, outcome.outputs)
    return outcome


@pytest.fixture
def rescue(sealed: Path, tmp_path: Path) -> str:
    """A set that was made before a restore, of whatever content."""
    folder = tmp_path / "rescues"
    made = make_set(folder, 22, {"a": b"a"}, reason="before_restore", sealed="2026-11-22T01:30:00+00:00")
    return str(made.folder)


def test_a_destroyed_folder_comes_back_as_it_was(site: Path, sealed: Path, tmp_path: Path) -> None:
    before = snapshot(site)
    shutil.rmtree(site)
    found = compare(tmp_path)
    assert found["files"] == {"same": 0, "other": 0, "missing": len(before) - 2, "only_live": 0}  # two are folders
    outcome = restore(tmp_path, found["plan"])
    assert outcome.status is Status.CHANGED
    assert snapshot(site) == before
    assert outcome.outputs["kept"] == []
    assert outcome.outputs["signed_by"] == "kasubbag_demo"
    assert not list(tmp_path.glob("the site.pulih-*"))


def test_the_whole_folder_is_swapped_the_old_one_kept(site: Path, sealed: Path, rescue: str, tmp_path: Path) -> None:
    before = snapshot(site)
    (site / "deep" / "plain").write_text("defaced")
    (site / "shell.php").write_text("<?php")
    (site / "large").unlink()
    broken = snapshot(site)
    found = compare(tmp_path)
    assert (found["files"]["other"], found["files"]["missing"], found["files"]["only_live"]) == (2, 1, 1)
    assert "shell.php" in found["paper"]
    outcome = restore(tmp_path, found["plan"], rescue=rescue)
    assert snapshot(site) == before
    (old,) = outcome.outputs["kept"]
    assert snapshot(Path(old)) == broken
    assert outcome.outputs["rescue"] == Path(rescue).name
    again = restore(tmp_path, found["plan"], rescue=rescue)
    assert (again.status, snapshot(site)) == (Status.CHANGED, before)


def test_one_file_comes_back_and_nothing_else_is_touched(site: Path, sealed: Path, rescue: str, tmp_path: Path) -> None:
    before = snapshot(site)
    (site / "large").write_text("defaced")
    (site / "new").write_text("new")
    found = compare(tmp_path, paths=["large"])
    assert found["files"] == {"same": 0, "other": 1, "missing": 0, "only_live": 0}
    outcome = restore(tmp_path, found["plan"], rescue=rescue)
    assert outcome.outputs["files"] == 1
    after = snapshot(site)
    assert after.pop(b"new")
    assert after == before
    assert (Path(outcome.outputs["kept"][0]) / "large").read_text() == "defaced"
    assert not list(tmp_path.glob("the site.pulih-*"))


def test_one_folder_with_odd_names_comes_back(site: Path, sealed: Path, rescue: str, tmp_path: Path) -> None:
    before = snapshot(site)
    shutil.rmtree(site / "deep")
    found = compare(tmp_path, paths=["/deep/", "link"])
    restore(tmp_path, found["plan"], rescue=rescue)
    after = snapshot(site)
    assert {path: facts[0] for path, facts in after.items()} == {path: facts[0] for path, facts in before.items()}
    assert [after[path][3] for path in sorted(after)] == [before[path][3] for path in sorted(before)]


def test_a_hard_link_brings_its_content(site: Path, sealed: Path, rescue: str, tmp_path: Path) -> None:
    content = (site / "deep" / "plain").read_bytes()
    (site / "hard").unlink()
    (site / "deep" / "plain").write_text("defaced")
    for path in ("hard", "deep/plain"):
        restore(tmp_path, compare(tmp_path, paths=[path])["plan"], rescue=rescue)
    assert (site / "hard").read_bytes() == content
    assert (site / "deep" / "plain").read_bytes() == content


def test_nothing_is_restored_without_a_signature(site: Path, sealed: Path, rescue: str, tmp_path: Path) -> None:
    (site / "large").write_text("newer")
    before = snapshot(site)
    plan = compare(tmp_path)["plan"]
    with pytest.raises(Failed, match="nobody has signed this plan"):
        restore(tmp_path, plan, sign=False, rescue=rescue)
    other = {**plan, "order": {**plan["order"], "root": str(tmp_path / "elsewhere")}}
    with pytest.raises(Failed, match="the paper that was signed orders something else"):
        restore(tmp_path, other, rescue=rescue)
    stranger = {**plan, "order": {**plan["order"], "target": "pn_lain"}}
    with pytest.raises(Failed, match="this plan is for 'pn_lain', not for 'pn_tais'"):
        restore(tmp_path, stranger, rescue=rescue)
    assert snapshot(site) == before


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (None, "no rescue set is given"),
        ({"reason": "routine"}, "it was not made before this restore"),
        ({"sealed": "2026-11-20T01:30:00+00:00"}, "it was not made today"),
        ({"sealed": "2026-11-23T01:30:00+00:00"}, "it was not made today"),
        ({"target": {"name": "pn_lain"}}, "it is of another target"),
        ({"files": None, "databases": {"a": b"a"}}, "it holds no files"),
    ],
)
def test_nothing_live_is_overwritten_without_a_rescue_set(
    site: Path, sealed: Path, tmp_path: Path, change: dict[str, Any] | None, words: str
) -> None:
    before = snapshot(site)
    plan = compare(tmp_path)["plan"]
    inputs = {}
    if change is not None:
        facts = {"files": {"a": b"a"}, "reason": "before_restore", "sealed": "2026-11-22T01:30:00+00:00", **change}
        inputs = {"rescue": str(make_set(tmp_path / "rescues", 22, **facts).folder)}
    with pytest.raises(Failed, match=words):
        restore(tmp_path, plan, **inputs)
    assert snapshot(site) == before
    assert not list(tmp_path.glob("the site.*"))


@pytest.mark.promise("Files", "a spoilt backup set", "not restored")
def test_a_spoilt_set_is_not_restored(site: Path, sealed: Path, rescue: str, tmp_path: Path) -> None:
    plan = compare(tmp_path)["plan"]
    before = snapshot(site)
    volume = sealed / "p0000.tar.zst"
    data = bytearray(volume.read_bytes())
    data[len(data) // 2] ^= 1
    volume.write_bytes(bytes(data))
    outcome = restore(tmp_path, plan, rescue=rescue)
    assert (outcome.status, [problem.key for problem in outcome.problems]) == (Status.FAILED, ["backup.restore.spoilt"])
    assert "p0000.tar.zst: its bytes are not those that were written" in outcome.message
    assert snapshot(site) == before


def test_another_set_of_the_signed_name_is_not_restored(site: Path, sealed: Path, rescue: str, tmp_path: Path) -> None:
    plan = compare(tmp_path)["plan"]
    made = load_set(sealed)
    shutil.rmtree(sealed)
    other = make_set(tmp_path / "other", 22, {"index.php": b"evil"})
    page = (other.folder / "MANIFEST.json").read_text().replace(other.name, made.name)
    shutil.move(other.folder, sealed)
    (sealed / "MANIFEST.json").write_text(page)
    write_sums(sealed)
    outcome = restore(tmp_path, plan, rescue=rescue)
    assert "it is not the set that was signed for" in outcome.message


class Broken(LocalConnection):
    """A connection whose command number `at` breaks, before or after it did its work; `left` are those before it."""

    left: list[int]
    after: bool

    def __init__(self, at: int, *, after: bool = False) -> None:
        object.__setattr__(self, "left", [at])
        object.__setattr__(self, "after", after)

    def run(self, command: Command, deadline: Deadline) -> Result:
        self.left[0] -= 1
        if self.left[0] == 0:
            if self.after:
                super().run(command, deadline)
            raise TimeUp("the connection was cut off")
        return super().run(command, deadline)


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("paths", [[], ["large", "deep"]])
@pytest.mark.promise("Power cut", "a restore is cut off anywhere", "the old state, and it goes on")
def test_cut_off_anywhere_it_is_the_old_state_and_goes_on(
    site: Path, sealed: Path, rescue: str, tmp_path: Path, paths: list[str], after: bool
) -> None:
    before = snapshot(site)
    (site / "large").write_text("defaced")
    (site / "deep" / "-rf").unlink()
    broken = snapshot(site)
    plan = compare(tmp_path, paths=paths)["plan"]
    for at in range(1, 30):
        try:
            restore(tmp_path, plan, rescue=rescue, connection=Broken(at, after=after))
        except TimeUp:
            state = snapshot(site) if site.exists() else None
            assert state in (broken, before) or (paths and state), f"cut off at {at}"
            continue
        break
    contents = {path: facts[3] for path, facts in snapshot(site).items()}
    assert contents == {path: facts[3] for path, facts in before.items()}


@pytest.mark.promise("Files", "a link in a path that is restored to", "not followed")
def test_a_link_on_the_way_is_not_followed(site: Path, sealed: Path, rescue: str, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "plain").write_text("keep me")
    shutil.rmtree(site / "deep")
    (site / "deep").symlink_to(outside)
    plan = compare(tmp_path, paths=["deep/plain"])["plan"]
    with pytest.raises(Failed, match="a link is in the way; deep/plain"):
        restore(tmp_path, plan, rescue=rescue)
    assert (outside / "plain").read_text() == "keep me"
    assert os.listdir(outside) == ["plain"]


@pytest.mark.promise(
    "Files", "a folder becomes a link while its files are restored", "nothing is written where it leads"
)
def test_a_link_that_comes_in_the_middle_is_not_followed(site: Path, rescue: str, tmp_path: Path) -> None:
    outside, aside, deep = tmp_path / "outside", site / "aside", site / "deep"
    outside.mkdir()
    names = [f"{number}.txt" for number in range(200)]
    for name in names:
        (deep / "er" / name).write_text(name)
    back_up(site, tmp_path)
    shutil.rmtree(deep / "er")
    ended = threading.Event()

    def flip() -> None:
        while not ended.wait(0.01):
            with suppress(OSError):  # the restore has just made a folder of that name: so it stays
                deep.rename(aside)
                deep.symlink_to(outside)
            time.sleep(0.001)
            with suppress(OSError):
                deep.unlink()
                aside.rename(deep)

    plan = compare(tmp_path, paths=["deep/er"])["plan"]
    flipping = threading.Thread(target=flip)
    flipping.start()
    try:
        for _ in range(12):
            with suppress(Failed):
                restore(tmp_path, plan, rescue=rescue)
    finally:
        ended.set()
        flipping.join()
    assert os.listdir(outside) == []
    restore(tmp_path, compare(tmp_path, paths=["deep/er"])["plan"], rescue=rescue)
    assert sorted(os.listdir(deep / "er")) == sorted(names)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda path: (path.unlink(), path.mkdir()), "a folder is in its place; large"),
    ],
)
def test_what_is_in_the_way_is_named(
    site: Path, sealed: Path, rescue: str, tmp_path: Path, spoil: Callable[[Path], object], words: str
) -> None:
    spoil(site / "large")
    plan = compare(tmp_path, paths=["large"])["plan"]
    with pytest.raises(Failed, match=words):
        restore(tmp_path, plan, rescue=rescue)


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ({"paths": ["../etc/passwd"]}, "is no path under the root"),
        ({"paths": ["nowhere.php"]}, "it has no 'nowhere.php'"),
        ({"root": "/nowhere/at/all"}, "the folder above it is not there"),
        ({"root": "/"}, "the folder above it is not there"),
        ({"set": "WEB-PN-TAIS-2020-01-01-000000-P"}, "there is no such set"),
    ],
)
def test_a_plan_that_cannot_be_is_refused(sealed: Path, tmp_path: Path, inputs: Inputs, words: str) -> None:
    with pytest.raises(Failed, match=words):
        compare(tmp_path, **inputs)


def test_the_plan_says_what_the_signer_must_know(site: Path, sealed: Path, tmp_path: Path) -> None:
    (site / "large").write_text("defaced")
    paper = compare(tmp_path)["paper"]
    assert f"Perangkat backup          : {sealed.name} (berkala)" in paper
    assert "belum pernah diuji pulih" in paper
    assert f"Berkas dalam folder {site}: seluruh isinya diganti" in paper
    assert "Berkas yang akan ditimpa:\n  large\n" in paper
    assert paper.rstrip().rpartition("\n")[2].startswith("Kode rencana: ")


def test_an_increment_is_restored_with_its_parent(site: Path, sealed: Path, tmp_path: Path) -> None:
    (site / "later").write_text("later")
    (site / "empty").unlink()
    before = snapshot(site)
    second = back_up(site, tmp_path, now=NOW.replace(hour=3))
    assert load_set(second).kind == "T"
    shutil.rmtree(site)
    restore(tmp_path, compare(tmp_path)["plan"])
    assert snapshot(site) == before
