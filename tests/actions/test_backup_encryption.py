"""Encrypted sets: opened by the program age with any of their keys, the sealed recovery key among them."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from runner.actions import backup_database, backup_files
from runner.actions.backup.set_files import entries_of
from runner.actions.backup.sets import BackupSet, list_sets, load_set
from runner.actions.backup_seal import ACTION
from runner.errors import Failed
from tests.actions.backups import assert_refused, backup_call, run_well
from tests.actions.test_backup_files import snapshot
from tests.calls import NOW


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
