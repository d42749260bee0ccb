"""Encrypted sets: opened by the program age with any of their keys, the sealed recovery key among them."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from runner.actions import (
    backup_catalogue,
    backup_compare,
    backup_database,
    backup_drill,
    backup_files,
    backup_restore,
    backup_verify,
)
from runner.actions.backup.set_files import entries_of
from runner.actions.backup.sets import BackupSet, list_sets, load_set
from runner.actions.backup.unlocking import open_stored, read_keys
from runner.actions.backup_seal import ACTION
from runner.contract import Action, Outcome, Status
from runner.errors import Failed
from tests.actions.backups import assert_refused, backup_call, run_well
from tests.actions.made_sets import make_set
from tests.actions.test_backup_files import snapshot
from tests.actions.test_backup_restore import SIGNED
from tests.calls import NOW, assert_fits


class Key(NamedTuple):
    """A key pair of age: the file with the secret one, and the public one."""

    file: Path
    public: str


def make_key(path: Path) -> Key:
    assert shutil.which("age-keygen"), "age is missing. run: apt-get install age"
    subprocess.run(["age-keygen", "-o", path], check=True, capture_output=True)
    return Key(
        path, subprocess.run(["age-keygen", "-y", path], check=True, capture_output=True, text=True).stdout.strip()
    )


@pytest.fixture
def keys(tmp_path: Path) -> tuple[Key, Key]:
    return make_key(tmp_path / "admin.txt"), make_key(tmp_path / "sealed.txt")


@pytest.fixture
def site(tmp_path: Path) -> Path:
    root = tmp_path / "site"
    root.mkdir()
    for number in range(5):
        (root / f"{number}.jpg").write_bytes(os.urandom(5000))
    with closing(sqlite3.connect(tmp_path / "site.sqlite")) as database:
        database.execute("CREATE TABLE pages (title TEXT)")
        database.execute("INSERT INTO pages VALUES ('halaman rahasia')")
        database.commit()
    return root


def parts_of(site: Path, tmp_path: Path, day: int) -> list[Any]:
    now = NOW + timedelta(days=day)
    files = backup_call(backup_files.ACTION, {"root": str(site)}, tmp_path, now=now)
    name = {"engine": "sqlite", "name": str(tmp_path / "site.sqlite")}
    data = backup_call(backup_database.ACTION, name, tmp_path, now=now)
    return [run_well(backup_database.ACTION, data)["part"], run_well(backup_files.ACTION, files)["part"]]


def seal(parts: list[Any], keys: tuple[Key, Key], tmp_path: Path, day: int) -> BackupSet:
    inputs = {"parts": parts, "encrypt_to": [keys[0].public], "recovery_key": keys[1].public}
    outputs = run_well(ACTION, backup_call(ACTION, inputs, tmp_path, now=NOW + timedelta(days=day)))
    return load_set(Path(outputs["set"]))


def restore(chosen: BackupSet, key: Key, place: Path) -> Path:
    environment = {**os.environ, "KUNCI": str(key.file)}
    subprocess.run(["sh", chosen.folder / "PULIHKAN.sh", place], check=True, capture_output=True, env=environment)
    return place


@pytest.mark.parametrize("number", [0, 1])
def test_any_of_its_keys_opens_a_set(site: Path, keys: tuple[Key, Key], tmp_path: Path, number: int) -> None:
    chosen = seal(parts_of(site, tmp_path, 1), keys, tmp_path, 1)
    assert chosen.manifest["encrypted_to"] == [keys[0].public, keys[1].public]
    names = {path.name for path in chosen.folder.iterdir()}
    assert {"p0000.tar.zst.age", "files.jsonl.zst.age", "db-site.sqlite.zst.age"} <= names
    assert not [name for name in names if name.endswith((".zst", ".gz"))]
    subprocess.run(["sha256sum", "-c", "--quiet", "--strict", "SHA256SUMS"], cwd=chosen.folder, check=True)
    assert sorted(path.name for path in chosen.folder.parent.iterdir()) == [".lists", ".lock", chosen.name]
    assert snapshot(restore(chosen, keys[number], tmp_path / "restored")) == snapshot(site)
    guide = (chosen.folder / "PULIHKAN.txt").read_text().split("HOW TO RESTORE")[0].splitlines()
    (line,) = [line.partition(": ")[2] for line in guide if "pulih.sqlite" in line]
    environment = {**os.environ, "KUNCI": str(keys[number].file)}
    subprocess.run(["sh", "-ec", line], cwd=chosen.folder, check=True, env=environment)
    with closing(sqlite3.connect(chosen.folder / "pulih.sqlite")) as database:
        assert database.execute("SELECT title FROM pages").fetchone() == ("halaman rahasia",)


def test_increments_stand_on_encrypted_sets(site: Path, keys: tuple[Key, Key], tmp_path: Path) -> None:
    full = seal(parts_of(site, tmp_path, 1), keys, tmp_path, 1)
    (site / "new.txt").write_text("new")
    later = seal(parts_of(site, tmp_path, 2), keys, tmp_path, 2)
    assert (later.kind, later.parent and later.parent["set"]) == ("T", full.name)
    assert snapshot(restore(later, keys[1], tmp_path / "restored")) == snapshot(site)


def test_a_seal_that_was_recorded_late_is_not_made_twice(site: Path, keys: tuple[Key, Key], tmp_path: Path) -> None:
    parts = parts_of(site, tmp_path, 1)
    first = seal(parts, keys, tmp_path, 1)
    assert seal(parts, keys, tmp_path, 1) == first
    assert len(list_sets(first.folder.parent).sets) == 1


def test_what_is_encrypted_is_not_called_spoilt(site: Path, keys: tuple[Key, Key], tmp_path: Path) -> None:
    chosen = seal(parts_of(site, tmp_path, 1), keys, tmp_path, 1)
    with pytest.raises(Failed, match="it is encrypted"):
        list(entries_of(chosen))


def look(action: Action, tmp_path: Path, **inputs: Any) -> Outcome:
    outcome = action.run(backup_call(action, inputs, tmp_path, now=NOW + timedelta(days=3)))
    if outcome.outputs:
        assert_fits(action, outcome.outputs)
    secret = Path(inputs["key_file"]).read_text().split()[-1] if inputs.get("key_file") else "AGE-SECRET"
    assert secret not in str(outcome)
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and is_kept(path, secret)]
    return outcome


def is_kept(path: Path, secret: str) -> bool:
    return path.name not in ("admin.txt", "sealed.txt", "other.txt") and secret.encode() in path.read_bytes()


def test_without_a_key_what_is_in_a_set_is_unknown_not_proved(
    site: Path, keys: tuple[Key, Key], tmp_path: Path
) -> None:
    chosen = seal(parts_of(site, tmp_path, 1), keys, tmp_path, 1)
    assert look(backup_verify.ACTION, tmp_path).outputs["good"] is True
    for level in ("full", "source"):
        outcome = look(backup_verify.ACTION, tmp_path, level=level, root=str(site))
        assert (outcome.outputs["good"], outcome.outputs["coverage"]) == (None, 0.0)
        assert [problem.key for problem in outcome.problems] == ["backup.verify.unknown"]
        assert "what is in it is unknown: it is encrypted, and no key was given" in outcome.message
    drilled = look(backup_drill.ACTION, tmp_path)
    assert drilled.outputs["proved"] is False
    assert {check["result"] for check in drilled.outputs["checks"]} == {"not_checked"}
    assert [problem.key for problem in drilled.problems] == ["backup.drill.unproved"]
    with pytest.raises(Failed, match="it is encrypted, so it cannot be read without a key"):
        look(backup_compare.ACTION, tmp_path, database="none")
    listed = look(backup_catalogue.ACTION, tmp_path, path="1.jpg")
    assert listed.outputs["holders"] == []
    assert [fault["name"] for fault in listed.outputs["faults"]] == [chosen.name]
    path = chosen.folder / "p0000.tar.zst.age"
    path.write_bytes(path.read_bytes()[:-1])
    assert look(backup_verify.ACTION, tmp_path, level="full").outputs["good"] is False


@pytest.mark.parametrize("number", [0, 1])
def test_with_a_key_a_set_is_read_through_drilled_and_restored(
    site: Path, keys: tuple[Key, Key], tmp_path: Path, number: int
) -> None:
    seal(parts_of(site, tmp_path, 1), keys, tmp_path, 1)
    (site / "large").write_bytes(os.urandom(5_000_000))  # beyond one frame, and what is kept to go back
    (site / "new.txt").write_text("new")
    chosen = seal(parts_of(site, tmp_path, 2), keys, tmp_path, 2)
    key_file = str(keys[number].file)
    verified = look(backup_verify.ACTION, tmp_path, level="full", key_file=key_file)
    assert (verified.outputs["good"], verified.outputs["files"], verified.problems) == (True, 7, ())
    sampled = look(backup_verify.ACTION, tmp_path, level="source", root=str(site), key_file=key_file)
    assert (sampled.outputs["good"], sampled.outputs["compared"]["same"]) == (True, 7)
    drilled = look(backup_drill.ACTION, tmp_path, key=keys[number].file.read_text())
    found = {check["what"]: check["result"] for check in drilled.outputs["checks"]}
    assert found == {"files": "proved", f"sqlite:{tmp_path / 'site.sqlite'}": "proved", "site": "not_checked"}
    assert drilled.outputs["proved"] is True
    holders = look(backup_catalogue.ACTION, tmp_path, path="new.txt", key_file=key_file).outputs["holders"]
    assert holders == [chosen.name]

    before = snapshot(site)
    shutil.rmtree(site)
    (tmp_path / "site.sqlite").unlink()
    plan = look(backup_compare.ACTION, tmp_path, key_file=key_file).outputs["plan"]
    inputs = {"plan": plan, "key_file": key_file}
    call = backup_call(backup_restore.ACTION, inputs, tmp_path, signatures={plan["sha256"]: SIGNED})
    outcome = backup_restore.ACTION.run(call)
    assert outcome.status is Status.CHANGED, outcome.message
    assert snapshot(site) == before
    with closing(sqlite3.connect(tmp_path / "site.sqlite")) as database:
        assert database.execute("SELECT title FROM pages").fetchone() == ("halaman rahasia",)


def test_one_file_of_an_encrypted_set_comes_back(site: Path, keys: tuple[Key, Key], tmp_path: Path) -> None:
    (site / "large").write_bytes(os.urandom(5_000_000))
    chosen = replace(seal(parts_of(site, tmp_path, 1), keys, tmp_path, 1), keys=read_keys({"key": secret_of(keys[1])}))
    plan = look(backup_compare.ACTION, tmp_path, paths=["4.jpg"], key_file=str(keys[1].file)).outputs["plan"]
    assert chosen.name == plan["order"]["set"]
    wanted = (site / "4.jpg").read_bytes()
    (site / "4.jpg").write_bytes(b"defaced")
    rescue = make_set(tmp_path / "rescues", 9, {"a": b"a"}, reason="before_restore", sealed=NOW.isoformat())
    inputs = {"plan": plan, "key": secret_of(keys[1]), "rescue": str(rescue.folder)}
    call = backup_call(backup_restore.ACTION, inputs, tmp_path, signatures={plan["sha256"]: SIGNED})
    assert backup_restore.ACTION.run(call).status is Status.CHANGED
    assert (site / "4.jpg").read_bytes() == wanted


def secret_of(key: Key) -> str:
    return key.file.read_text().split()[-1]


def test_a_key_that_does_not_fit_or_is_none_is_refused_and_not_said(
    site: Path, keys: tuple[Key, Key], tmp_path: Path
) -> None:
    seal(parts_of(site, tmp_path, 1), keys, tmp_path, 1)
    other = make_key(tmp_path / "other.txt")
    with pytest.raises(Failed, match="the key given does not open it"):
        look(backup_verify.ACTION, tmp_path, level="full", key_file=str(other.file))
    for text in ("AGE-SECRET-KEY-1NONSENSE", keys[0].public):
        with pytest.raises(Failed, match="the key given is no secret key of age") as refused:
            look(backup_verify.ACTION, tmp_path, level="full", key=text)
        assert text not in str(refused.value)
    other.file.chmod(0o644)
    with pytest.raises(Failed, match="others may use it"):
        look(backup_verify.ACTION, tmp_path, level="full", key_file=str(other.file))


def test_an_encrypted_file_that_was_altered_ends_with_a_fault(keys: tuple[Key, Key], tmp_path: Path) -> None:
    import pyrage

    content, path = os.urandom(3_000_000), tmp_path / "a.age"
    stored = pyrage.encrypt(content, [pyrage.x25519.Recipient.from_str(keys[0].public)])
    given = read_keys({"key_file": str(keys[0].file)})
    path.write_bytes(stored)
    with open_stored(path, given) as file:
        file.seek(1_500_000)
        assert file.read(10) == content[1_500_000:1_500_010]
        file.seek(-10, 1)
        assert file.read(1_000_000) == content[1_500_000:][: 2 * 1024 * 1024 - 1_500_000]
        with pytest.raises(OSError, match="forward only"):
            file.seek(0, 2)
    for spoilt in (stored[:-1], stored[:2_000_000] + b"?" + stored[2_000_001:]):
        path.write_bytes(spoilt)
        with open_stored(path, given) as file, pytest.raises(OSError, match="it does not decrypt"):
            list(iter(lambda: file.read(1_000_000), b""))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"recovery_key": ""}, "encrypt_to and recovery_key go together"),
        ({"encrypt_to": []}, "encrypt_to and recovery_key go together"),
        ({"encrypt_to": ["age1xyz"]}, "'age1xyz' is no age recipient"),
    ],
)
def test_refuses_keys_that_would_lose_the_backup(
    site: Path, keys: tuple[Key, Key], tmp_path: Path, change: dict[str, Any], words: str
) -> None:
    parts = parts_of(site, tmp_path, 1)
    inputs = {"parts": parts, "encrypt_to": [keys[0].public], "recovery_key": keys[1].public, **change}
    assert_refused(ACTION.run(backup_call(ACTION, inputs, tmp_path)), "backup.seal.incomplete", words)
    same = {**inputs, "encrypt_to": [keys[1].public], "recovery_key": keys[1].public}
    assert_refused(ACTION.run(backup_call(ACTION, same, tmp_path)), "backup.seal.incomplete", "make a key of its own")
