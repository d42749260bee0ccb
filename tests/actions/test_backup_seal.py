"""backup.seal on parts that backup.database and backup.files made."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import subprocess
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from runner.actions import backup_database, backup_files
from runner.actions.backup.sets import load_set
from runner.actions.backup_seal import ACTION
from runner.contract import Effect, Outcome
from runner.errors import TimeUp
from tests.actions.backups import assert_refused, backup_call, files_in, run_well
from tests.calls import read_evidence

SET = "WEB-PN-TAIS-2026-11-22-090000-P"
PAPERS = ["MANIFEST.json", "PULIHKAN.ps1", "PULIHKAN.sh", "PULIHKAN.txt"]
Parts = list[Mapping[str, Any]]


def stored(part: Mapping[str, Any]) -> Path:
    """The file of a part that holds its content."""
    path = Path(part["path"])
    return path / "p0000.tar.zst" if path.is_dir() else path


@pytest.fixture
def parts(tmp_path: Path) -> Parts:
    root = tmp_path / "site"
    root.mkdir()
    (root / "index.php").write_text("<?php echo 'Pengadilan';" * 1000)
    with closing(sqlite3.connect(tmp_path / "site.sqlite")) as database:
        database.execute("CREATE TABLE pages (title TEXT)")
        database.executemany("INSERT INTO pages VALUES (?)", [(f"halaman {n}",) for n in range(1000)])
        database.commit()
    database_inputs = {"engine": "sqlite", "name": str(tmp_path / "site.sqlite")}
    files = run_well(backup_files.ACTION, backup_call(backup_files.ACTION, {"root": str(root)}, tmp_path))
    data = run_well(backup_database.ACTION, backup_call(backup_database.ACTION, database_inputs, tmp_path))
    return [data["part"], files["part"]]


def seal(parts: Parts, tmp_path: Path) -> Outcome:
    return ACTION.run(backup_call(ACTION, {"parts": parts}, tmp_path))


def test_makes_a_set_that_plain_tools_check_and_restore(parts: Parts, tmp_path: Path) -> None:
    call = backup_call(ACTION, {"parts": parts}, tmp_path)
    outputs = run_well(ACTION, call)
    folder = Path(outputs["set"])
    assert folder == tmp_path / "backups" / "WEB-PN-TAIS" / SET
    assert files_in(folder) == sorted([*PAPERS, "SHA256SUMS", "db-site.sqlite.zst", "files.jsonl.zst", "p0000.tar.zst"])
    assert sorted(path.name for path in folder.parent.iterdir()) == [".lock", SET]
    checked = subprocess.run(["sha256sum", "-c", "SHA256SUMS"], cwd=folder, capture_output=True, check=True)
    assert checked.stdout.count(b": OK\n") == 7
    guide = (folder / "PULIHKAN.txt").read_text()
    lines = guide.split("HOW TO RESTORE")[0].splitlines()
    commands = [line.partition(": ")[2] for line in lines if "pulih" in line and not line.startswith(" ")]
    assert len(commands) == 2
    for command in commands:
        subprocess.run(["sh", "-ec", command], cwd=folder, check=True)
    assert (folder / "pulih" / "index.php").read_bytes() == (tmp_path / "site" / "index.php").read_bytes()
    with closing(sqlite3.connect(folder / "pulih.sqlite")) as database:
        assert database.execute("SELECT count(*) FROM pages").fetchone() == (1000,)


def test_manifest_says_what_when_and_from_where(parts: Parts, tmp_path: Path) -> None:
    call = backup_call(ACTION, {"parts": parts}, tmp_path)
    outcome = ACTION.run(call)
    manifest = outcome.outputs["manifest"]
    assert json.loads(read_evidence(call, outcome.evidence[0])) == manifest
    assert json.loads((Path(outcome.outputs["set"]) / "MANIFEST.json").read_text()) == manifest
    assert outcome.evidence[0].name == f"{SET}-MANIFEST.json"
    assert outcome.evidence[0].media_type == "application/json"
    assert manifest["target"] == {"name": "pn_tais", "kind": "website", "url": "http://127.0.0.1/", "server": "here"}
    assert manifest["office"] == "Pengadilan Negeri Contoh"
    assert manifest["begun"] == manifest["sealed"] == "2026-11-22T02:00:00+00:00"
    assert manifest["total_bytes"] == outcome.outputs["total_bytes"] == sum(part["bytes"] for part in parts)
    assert [part["file"] for part in manifest["parts"]] == ["db-site.sqlite.zst", "p0000.tar.zst"]
    assert (manifest["format"], manifest["sequence"], manifest["kind"], manifest["parent"]) == (2, 1, "P", None)
    assert manifest["files"]["source"] == str(tmp_path / "site")
    assert load_set(Path(outcome.outputs["set"])).manifest == manifest
    assert manifest["restore"]["id"][0].startswith("Periksa keutuhan berkas")
    assert len(manifest["restore"]["id"]) == len(manifest["restore"]["en"])


def test_a_set_of_databases_only_says_so(parts: Parts, tmp_path: Path) -> None:
    assert Path(seal(parts[:1], tmp_path).outputs["set"]).name == SET[:-1] + "D"


@pytest.mark.parametrize("number", [0, 1])
@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda data: data[:100] + bytes([data[100] ^ 1]) + data[101:], "its bytes are not those that were written"),
        (lambda data: data[:-1], "its bytes are not those that were written"),
        (lambda data: None, "the file is not there"),
    ],
)
def test_refuses_a_spoilt_part(
    parts: Parts, tmp_path: Path, number: int, spoil: Callable[[bytes], bytes | None], words: str
) -> None:
    path = stored(parts[number])
    spoilt = spoil(path.read_bytes())
    path.unlink()
    if spoilt is not None:
        path.write_bytes(spoilt)
    assert_refused(seal(parts, tmp_path), "backup.seal.incomplete", path.name, words)
    assert not (tmp_path / "backups" / "WEB-PN-TAIS" / SET).exists()


def test_refuses_a_dump_that_was_never_whole(parts: Parts, tmp_path: Path) -> None:
    """The hash is that of the file, yet the file does not decompress to the end: it was recorded wrongly."""
    path = Path(parts[0]["path"])
    data = path.read_bytes()[:-20]
    path.write_bytes(data)
    parts[0] = {**parts[0], "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    assert_refused(seal(parts, tmp_path), "backup.seal.incomplete", "make the backup again")


def test_refuses_a_dump_that_holds_less_than_was_recorded(parts: Parts, tmp_path: Path) -> None:
    parts[0] = {**parts[0], "content_bytes": parts[0]["content_bytes"] + 1}
    assert_refused(seal(parts, tmp_path), "backup.seal.incomplete", "its content is not whole")


def test_goes_on_where_a_seal_was_cut_off(parts: Parts, tmp_path: Path) -> None:
    """At every stage: papers written, one part moved, all moved, and the set there but not recorded."""
    folder = tmp_path / "backups" / "WEB-PN-TAIS"
    staged = folder / (SET + ".partial")
    staged.mkdir()
    (staged / "MANIFEST.json").write_text("{}")
    (staged / "MANIFEST.json.partial").write_text("{")
    moved = Path(parts[0]["path"])
    moved.rename(staged / "db-site.sqlite.zst")
    first = seal(parts, tmp_path)
    second = seal(parts, tmp_path)
    assert first.outputs == second.outputs
    assert first.evidence == second.evidence
    assert sorted(path.name for path in folder.iterdir()) == [".lock", SET]
    subprocess.run(["sha256sum", "-c", "--quiet", "--strict", "SHA256SUMS"], cwd=folder / SET, check=True)
    assert len(files_in(folder / SET)) == 8


def test_does_not_touch_another_set_of_the_same_name(parts: Parts, tmp_path: Path) -> None:
    (tmp_path / "backups" / "WEB-PN-TAIS" / SET).mkdir()
    assert_refused(seal(parts, tmp_path), "backup.seal.incomplete", "there already is another set of this name")
    assert all(Path(part["path"]).exists() for part in parts)


def test_refuses_parts_that_do_not_belong_together(parts: Parts, tmp_path: Path) -> None:
    elsewhere = {**parts[1], "path": str(tmp_path / Path(parts[1]["path"]).name)}
    assert_refused(seal([parts[0], elsewhere], tmp_path), "backup.seal.incomplete", "the parts lie in 2 folders")
    assert_refused(seal([parts[0], parts[0]], tmp_path), "backup.seal.incomplete", "one part is named twice")


def test_ends_when_time_is_up(parts: Parts, tmp_path: Path) -> None:
    with pytest.raises(TimeUp):
        ACTION.run(backup_call(ACTION, {"parts": parts}, tmp_path, limit=0.0))


def test_previews_without_writing(parts: Parts, tmp_path: Path) -> None:
    before = files_in(tmp_path / "backups")
    preview = ACTION.preview(backup_call(ACTION, {"parts": parts}, tmp_path))
    assert preview is not None
    assert preview.message == f"would read 2 parts again and seal {tmp_path}/backups/WEB-PN-TAIS/{SET}"
    assert files_in(tmp_path / "backups") == before


@pytest.mark.parametrize("action", [ACTION, backup_database.ACTION, backup_files.ACTION])
def test_declares_every_value_with_an_example(action: Any) -> None:
    assert action.effect is Effect.CHANGE
    assert action.name in action.example
    for schema in (*action.inputs.values(), *action.outputs.values()):
        assert schema["description"]
        assert schema["examples"]
