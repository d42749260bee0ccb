"""backup.verify on sets that were spoilt, and on a server that is still as it was."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from runner.actions.backup.sets import BackupSet
from runner.actions.backup_verify import ACTION
from runner.contract import Outcome, Status
from tests.actions.backups import TARGET, backup_call
from tests.actions.made_sets import MTIME, make_set, write_sums
from tests.calls import assert_fits

SITE: Mapping[str | bytes, bytes] = {"index.php": b"<?php" * 400, "img/logo.png": b"PNG" * 999, b"caf\xe9\n.txt": b"x"}
DUMP = b"-- Table structure for table `a`\nINSERT INTO `a` VALUES (1);\n-- Dump completed\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "backups" / "WEB-PN-TAIS"


def verify(tmp_path: Path, past: list[tuple[str, Mapping[str, Any]]] | None = None, **inputs: Any) -> Outcome:
    outcome = ACTION.run(backup_call(ACTION, inputs, tmp_path, past=past or []))
    if outcome.status is Status.OK:
        assert_fits(ACTION, outcome.outputs)
    return outcome


def keys(outcome: Outcome) -> list[str]:
    return [problem.key for problem in outcome.problems]


def flip(found: BackupSet, file: str, at: int) -> None:
    path = found.folder / file
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(bytes(data))


@pytest.mark.parametrize("level", ["quick", "full"])
def test_a_whole_set_is_good(folder: Path, tmp_path: Path, level: str) -> None:
    full = make_set(folder, 1, SITE, databases={"joomla": DUMP})
    found = make_set(folder, 2, {**SITE, "index.php": b"2"}, parent=full)
    outcome = verify(tmp_path, level=level)
    assert (outcome.status, keys(outcome)) == (Status.OK, [])
    assert outcome.outputs["set"] == found.name
    assert outcome.outputs["good"] is True
    assert outcome.outputs["recorded"] is None
    assert outcome.outputs["files"] == (3 if level == "full" else 0)
    assert verify(tmp_path, level=level, set=full.name).outputs["good"] is True


def test_one_flipped_byte_is_named_at_every_level(folder: Path, tmp_path: Path) -> None:
    found = make_set(folder, 1, SITE, databases={"joomla": DUMP})
    flip(found, "db-joomla.sql.zst", 20)
    for level in ("quick", "full"):
        outcome = verify(tmp_path, level=level)
        assert keys(outcome) == ["backup.verify.spoilt"]
        assert outcome.outputs["bad"] == [f"{found.name}/db-joomla.sql.zst"]
        assert outcome.outputs["good"] is False
        assert "db-joomla.sql.zst isinya bukan lagi yang dahulu ditulis" in outcome.problems[0].message


def test_a_parent_that_is_spoilt_spoils_its_increment(folder: Path, tmp_path: Path) -> None:
    full = make_set(folder, 1, SITE)
    make_set(folder, 2, {**SITE, "index.php": b"2"}, parent=full)
    flip(full, "p0000.tar.zst", 60)
    assert verify(tmp_path).outputs["bad"] == [f"{full.name}/p0000.tar.zst"]


def test_files_that_were_lost_are_named_where_the_checksums_were_made_to_fit(folder: Path, tmp_path: Path) -> None:
    found = make_set(folder, 1, SITE)
    flip(found, "p0000.tar.zst", (found.folder / "p0000.tar.zst").stat().st_size // 3)
    manifest = json.loads((found.folder / "MANIFEST.json").read_bytes())
    write_sums(found.folder)
    sums = dict(line.split("  ")[::-1] for line in (found.folder / "SHA256SUMS").read_text().splitlines())
    manifest["parts"][0]["sha256"] = sums["p0000.tar.zst"]
    (found.folder / "MANIFEST.json").write_text(json.dumps(manifest))
    write_sums(found.folder)
    assert verify(tmp_path).outputs["good"] is True
    sealed = {
        "run": "r",
        "at": "2026-11-01T00:00:00+00:00",
        "status": "changed",
        "outputs": {"manifest": {"set": found.name}},
        "evidence": [{"name": "MANIFEST.json", "sha256": found.manifest_sha256}],
    }
    outcome = verify(tmp_path, [("backup.seal", sealed)], level="full")
    assert keys(outcome) == ["backup.verify.spoilt", "backup.verify.altered"]
    assert len(outcome.outputs["bad"]) == 2
    assert outcome.outputs["bad"][0] == f"{found.name}/p0000.tar.zst"
    assert outcome.outputs["recorded"] is False
    same = verify(tmp_path, [("backup.seal", {**sealed, "evidence": [{"name": "", "sha256": "0" * 64}]})])
    assert same.outputs["recorded"] is False


def test_a_set_that_cannot_be_opened_does_not_pass_for_one_that_was_never_made(folder: Path, tmp_path: Path) -> None:
    good, bad = make_set(folder, 1, SITE), make_set(folder, 2, SITE)
    (bad.folder / "p0000.tar.zst").unlink()
    outcome = verify(tmp_path)
    assert outcome.outputs["set"] == good.name
    assert keys(outcome) == ["backup.verify.unreadable"]
    assert bad.name in outcome.problems[0].message
    refused = verify(tmp_path, set=bad.name)
    assert (refused.status, keys(refused)) == (Status.FAILED, ["backup.verify.spoilt"])
    assert "files are missing: p0000.tar.zst" in refused.message


def test_a_rescue_set_is_read_by_its_name_only(folder: Path, tmp_path: Path) -> None:
    good = make_set(folder, 1, SITE)
    rescue = make_set(folder, 2, SITE, reason="before_restore")
    assert verify(tmp_path).outputs["set"] == good.name
    assert verify(tmp_path, set=rescue.name).outputs["set"] == rescue.name


def test_a_set_is_read_where_it_lies(folder: Path, tmp_path: Path) -> None:
    found = make_set(folder, 1, SITE)
    (tmp_path / "disk").mkdir()
    found.folder.rename(tmp_path / "disk" / found.name)
    assert verify(tmp_path, set=str(tmp_path / "disk" / found.name)).outputs["good"] is True


def test_the_server_is_held_against_the_set(folder: Path, tmp_path: Path) -> None:
    import os

    found = make_set(folder, 1, SITE)
    root = tmp_path / "html"
    for path, content in SITE.items():
        place = Path(os.fsdecode(os.fsencode(root) + b"/" + (path if isinstance(path, bytes) else path.encode())))
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
        os.utime(place, (MTIME, MTIME))
    outcome = verify(tmp_path, level="source", root=str(root))
    assert outcome.outputs["compared"] == {"sampled": 3, "same": 3, "changed": 0, "gone": 0, "differ": []}
    assert keys(outcome) == []
    (root / "img" / "logo.png").unlink()
    (root / "index.php").write_bytes(b"<?ph_" * 400)
    os.utime(root / "index.php", (MTIME, MTIME))
    outcome = verify(tmp_path, level="source", root=str(root), set=found.name)
    assert outcome.outputs["compared"] == {"sampled": 3, "same": 1, "changed": 0, "gone": 1, "differ": ["index.php"]}
    assert keys(outcome) == ["backup.verify.differs"]
    (root / "index.php").write_bytes(b"edited")
    outcome = verify(tmp_path, level="source", root=str(root), sample=2)
    assert outcome.outputs["coverage"] < 100
    assert verify(tmp_path, level="source", root=str(root)).outputs["compared"]["changed"] == 1


@pytest.mark.parametrize(
    ("inputs", "words"),
    [({}, "there is no set that can be read"), ({"level": "source"}, "there is no set"), ({"set": "X"}, "no such set")],
)
def test_says_what_to_do_where_there_is_nothing(tmp_path: Path, inputs: Mapping[str, Any], words: str) -> None:
    from runner.errors import Failed

    with pytest.raises(Failed, match=words):
        verify(tmp_path, **inputs)


def test_without_a_root_the_source_cannot_be_compared(folder: Path, tmp_path: Path) -> None:
    from runner.errors import Failed

    make_set(folder, 1, SITE)
    with pytest.raises(Failed, match="give the website its `root`"):
        verify(tmp_path, level="source")
    call = backup_call(ACTION, {"level": "source", "root": str(tmp_path / "nowhere")}, tmp_path)
    with pytest.raises(Failed, match="cannot be compared"):
        ACTION.run(call._replace(target={**TARGET}))


def test_first_release_is_read_to_its_end(folder: Path, tmp_path: Path) -> None:
    found = make_set(folder, 1, SITE, databases={"joomla": DUMP})
    keep = ("set", "office", "target", "begun", "sealed", "total_bytes", "parts")
    old = {"format": 1, **{key: found.manifest[key] for key in keep}}
    for file in ("files.jsonl.zst", "deleted.jsonl.zst"):
        (found.folder / file).unlink()
    (found.folder / "MANIFEST.json").write_text(json.dumps(old))
    write_sums(found.folder)
    outcome = verify(tmp_path, level="full")
    assert (outcome.outputs["good"], outcome.outputs["coverage"]) == (True, 100.0)
    assert replace(outcome, outputs={}).message.endswith("0 files read")
