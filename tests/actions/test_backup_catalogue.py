"""backup.catalogue: what there is, what is known of it, and which sets hold a file or a table."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from runner.actions.backup_catalogue import ACTION
from runner.contract import Outcome
from tests.actions.backups import backup_call
from tests.actions.made_sets import make_set
from tests.calls import assert_fits, read_evidence

DUMP = b"-- Table structure for table `wp_posts`\n-- Dump completed\n"
DISK = {"label": "WEB-PNTAIS-01", "medium": "disk", "place": "/media/disk"}
SITE: Mapping[str | bytes, bytes] = {"index.php": b"<?php", "a/b.txt": b"b"}


def happened(at: str, **outputs: Any) -> dict[str, Any]:
    """An outcome that ended well."""
    return {"run": "r", "at": at, "status": "ok", "outputs": outputs, "evidence": []}


def catalogue(tmp_path: Path, past: list[tuple[str, Mapping[str, Any]]] | None = None, **inputs: Any) -> Outcome:
    call = backup_call(ACTION, inputs, tmp_path, past=past or [])
    outcome = ACTION.run(call)
    assert_fits(ACTION, outcome.outputs)
    assert read_evidence(call, outcome.evidence[0]).decode("utf-8-sig").startswith("Perangkat backup;Nomor urut")
    return outcome


def test_lists_sets_with_what_is_known_of_each(tmp_path: Path) -> None:
    folder = tmp_path / "backups" / "WEB-PN-TAIS"
    full = make_set(folder, 1, SITE, databases={"wp": DUMP})
    later = make_set(folder, 2, {**SITE, "c.txt": b"c"}, parent=full)
    bad = make_set(folder, 3, SITE)
    (bad.folder / "MANIFEST.json").write_text("{}")
    past = [
        ("backup.drill", happened("2026-11-02T00:00:00+00:00", set=full.name, proved=True, manifest_sha256="other")),
        (
            "backup.drill",
            happened("2026-11-03T00:00:00+00:00", set=full.name, proved=True, manifest_sha256=full.manifest_sha256),
        ),
        ("backup.drill", happened("2026-11-04T00:00:00+00:00", set=later.name, proved=False)),
        ("backup.verify", happened("2026-11-05T00:00:00+00:00", set=later.name, good=True)),
        ("backup.media", happened("2026-11-06T00:00:00+00:00", set=later.name, sets=[full.name], **DISK)),
    ]
    outcome = catalogue(tmp_path, past)
    first, second = outcome.outputs["sets"]
    assert (first["set"], first["kind"], first["proved"]) == (full.name, "P", "2026-11-03T00:00:00+00:00")
    assert (first["media"], first["needs"]) == (["WEB-PNTAIS-01 (disk, /media/disk)"], [])
    assert (second["needs"], second["proved"], second["verified"]) == ([full.name], None, "2026-11-05T00:00:00+00:00")
    assert (outcome.outputs["newest"], outcome.outputs["newest_proved"]) == (later.name, full.name)
    assert [fault["name"] for fault in outcome.outputs["faults"]] == [bad.name]
    assert [problem.key for problem in outcome.problems] == ["backup.catalogue.unreadable"]
    assert f"last proved restorable: {full.name}" in outcome.message


def test_says_which_sets_hold_a_file_a_folder_or_a_table(tmp_path: Path) -> None:
    folder = tmp_path / "backups" / "WEB-PN-TAIS"
    full = make_set(folder, 1, SITE, databases={"wp": DUMP})
    later = make_set(folder, 2, {**SITE, "putusan/é.pdf": b"c"}, parent=full)

    def holders(**inputs: str) -> list[str]:
        return list(catalogue(tmp_path, **inputs).outputs["holders"])

    assert holders(path="a/b.txt") == [full.name, later.name]
    assert holders(path="a") == holders(path="/a/") == [full.name, later.name]
    assert holders(path="putusan/é.pdf") == [later.name]
    assert holders(path="putusan/e.pdf") == []
    assert holders(path="b.txt") == []
    assert holders(table="wp_posts") == [full.name]
    assert holders() == []
    listed = catalogue(tmp_path, path="a/b.txt").outputs["sets"]
    assert [each["holds"] for each in listed] == [[full.name], [full.name]]


def test_nothing_yet_is_an_empty_list(tmp_path: Path) -> None:
    outcome = catalogue(tmp_path)
    assert (outcome.outputs["sets"], outcome.outputs["newest"], outcome.outputs["newest_proved"]) == ([], None, None)
    assert outcome.message == "0 sets, the newest -, last proved restorable: none yet"
