"""Reading sealed sets: in order, with everything that is wrong with one named."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from backports import zstd

from runner.actions.backup.set_files import entries_of, find_entries, shown
from runner.actions.backup.sets import BackupSet, list_sets, load_set
from runner.actions.backup.verdict import NotAccepted
from runner.errors import Failed
from tests.actions.backups import deleted_in
from tests.actions.made_sets import entry_of, made_name, make_set, write_sums

SITE = {"index.php": b"<?php", "img/logo.png": b"PNG" * 1000}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "WEB-PN-TAIS"


def change_manifest(found: BackupSet, **changes: object) -> None:
    manifest = {**found.manifest, **changes}
    (found.folder / "MANIFEST.json").write_text(json.dumps(manifest))


def test_sets_stand_in_the_order_of_their_sequence_whatever_the_clock_said(folder: Path) -> None:
    first = make_set(folder, 20, SITE, sequence=1)
    second = make_set(folder, 3, SITE, sequence=2, parent=None)
    third = make_set(folder, 2, SITE, parent=second, sequence=3)
    (folder / (made_name(9, "P") + ".partial")).mkdir()
    (folder / "notes.txt").write_text("mine")
    shelf = list_sets(folder)
    assert [each.name for each in shelf.sets] == [first.name, second.name, third.name]
    assert shelf.faults == ()
    assert shelf.newest == third
    assert shelf.needed() == {second.name}
    assert set(shelf.chain(third)) == {third.name, second.name}
    assert (third.kind, third.reason, third.parent) == (
        "T",
        "routine",
        {"set": second.name, "manifest_sha256": second.manifest_sha256},
    )


def test_no_folder_means_no_sets(folder: Path) -> None:
    assert list_sets(folder).sets == ()
    assert list_sets(folder).newest is None


def _flip(found: BackupSet) -> None:
    page = (found.folder / "MANIFEST.json").read_bytes()
    (found.folder / "MANIFEST.json").write_bytes(page.replace(b"routine", b"routinf"))


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda found: change_manifest(found, office="Another"), "MANIFEST.json is not what was sealed"),
        (_flip, "MANIFEST.json is not valid"),
        (lambda found: (found.folder / "MANIFEST.json").write_text("{"), "MANIFEST.json is not JSON"),
        (lambda found: (found.folder / "MANIFEST.json").write_text("[" * 100_000), "MANIFEST.json is not JSON"),
        (lambda found: change_manifest(found, format=3), "no form that this program knows: 3"),
        (lambda found: change_manifest(found, sequence="1"), "MANIFEST.json is not valid: sequence"),
        (lambda found: change_manifest(found, sealed="yesterday"), "sealed is no time"),
        (lambda found: (found.folder / "MANIFEST.json").unlink(), "MANIFEST.json is not there"),
        (lambda found: (found.folder / "SHA256SUMS").unlink(), "SHA256SUMS is not there"),
        (lambda found: (found.folder / "SHA256SUMS").write_text("x"), "SHA256SUMS has a line that cannot be: 'x'"),
        (lambda found: (found.folder / "p0000.tar.zst").unlink(), "files are missing: p0000.tar.zst"),
        (lambda found: (found.folder / "files.jsonl.zst").unlink(), "files are missing: files.jsonl.zst"),
    ],
)
def test_a_set_that_was_altered_is_named(folder: Path, spoil: Callable[[BackupSet], object], words: str) -> None:
    good, bad = make_set(folder, 1, SITE), make_set(folder, 2, SITE)
    spoil(bad)
    with pytest.raises(NotAccepted, match=re.escape(words)) as raised:
        load_set(bad.folder)
    assert bad.name in str(raised.value)
    assert bad.name in raised.value.condition
    shelf = list_sets(folder)
    assert [each.name for each in shelf.sets] == [good.name]
    assert [fault.name for fault in shelf.faults] == [bad.name]
    assert words.partition(":")[0] in shelf.faults[0].english
    with pytest.raises(NotAccepted, match="take another set"):
        shelf.get(bad.name)


@pytest.mark.parametrize("file", ["../passwd", "/etc/passwd", "a/b", "", ".."])
def test_a_part_never_lies_outside_its_set(folder: Path, file: str) -> None:
    found = make_set(folder, 1, SITE)
    change_manifest(found, parts=[{**found.parts[0], "file": file}])
    write_sums(found.folder)
    with pytest.raises(NotAccepted, match="not valid"):
        load_set(found.folder)


@pytest.mark.promise("Files", "a link in place of a part of a backup", "not followed: the part is missing")
def test_a_part_that_is_a_link_is_missing(folder: Path, tmp_path: Path) -> None:
    found = make_set(folder, 1, SITE)
    (found.folder / "p0000.tar.zst").rename(tmp_path / "elsewhere")
    (found.folder / "p0000.tar.zst").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(NotAccepted, match="files are missing"):
        load_set(found.folder)


def test_a_renamed_set_is_named(folder: Path) -> None:
    found = make_set(folder, 1, SITE)
    found.folder.rename(folder / made_name(5, "P"))
    (fault,) = list_sets(folder).faults
    assert (fault.name, fault.english) == (made_name(5, "P"), f"it holds {found.name}: give it its own name again")


def test_an_increment_without_its_parent_is_not_restored(folder: Path) -> None:
    full = make_set(folder, 1, SITE)
    later = make_set(folder, 2, SITE, parent=full)
    make_set(folder, 3, SITE)
    full.folder.rename(folder.parent / full.name)
    with pytest.raises(NotAccepted, match="there is no such set"):
        list_sets(folder).chain(later)


def test_an_increment_on_another_parent_of_the_same_name_is_not_restored(folder: Path) -> None:
    full = make_set(folder, 1, SITE)
    later = make_set(folder, 2, SITE, parent=full)
    change_manifest(full, office="Another")
    write_sums(full.folder)
    with pytest.raises(NotAccepted, match="is not the set that it was built on"):
        list_sets(folder).chain(later)


def test_an_unknown_set_is_refused_by_name(folder: Path) -> None:
    found = make_set(folder, 1, SITE)
    with pytest.raises(Failed, match=f"there is no such set. the newest is {found.name}"):
        list_sets(folder).get("WEB-X-2026-01-01-000000-P")


def test_entries_say_what_there_is_and_where(folder: Path) -> None:
    full = make_set(folder, 1, {**SITE, b"caf\xe9.txt": b"latin"}, links={"latest": "img/logo.png"})
    later = make_set(folder, 2, {**SITE, "index.php": b"<?php 2"}, parent=full, deleted=["old/a\nb"])
    found = {entry.path: entry for entry in entries_of(full)}
    assert set(found) == {b".", b"img", b"index.php", b"img/logo.png", b"caf\xe9.txt", b"latest"}
    assert (found[b"latest"].type, found[b"latest"].link) == ("link", b"img/logo.png")
    assert shown(b"caf\xe9\n.txt") == "caf\\xe9\\n.txt"
    changed = {entry.path: entry.home for entry in entries_of(later) if entry.type == "file"}
    assert changed == {b"index.php": later.name, b"img/logo.png": full.name}
    assert deleted_in(later.folder) == [b"old/a\nb"]
    assert [e.path for e in find_entries(later, lambda path: path == b"img/logo.png", "img/logo.png")] == [
        b"img/logo.png"
    ]
    assert list(entries_of(make_set(folder, 4, databases={"joomla": b"-- Dump completed"}))) == []


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (entry_of("../../etc/passwd", "file", sha256="0" * 64), "'../../etc/passwd' leads out of the root"),
        (entry_of("/etc/passwd", "file", sha256="0" * 64), "'/etc/passwd' is no path under the root"),
        (entry_of("a/../../b", "folder"), "'a/../../b' leads out of the root"),
        (entry_of("a\0b", "folder"), "is no path under the root"),
        (entry_of("", "folder"), "'' leads out of the root, or nowhere"),
        (entry_of("dev/sda", "device"), "'dev/sda' is of a type that is not restored: 'device'"),
        (entry_of("a", "fifo"), "'a' is of a type that is not restored: 'fifo'"),
        (entry_of("a", "file"), "'a' has no SHA-256"),
        (entry_of("a", "hardlink", link="/etc/passwd"), "'/etc/passwd' is no path under the root"),
        (entry_of("a", "link", link=""), "'a' is a link to nowhere"),
        (entry_of("a", "folder", size=-1), "'a' has a size that cannot be"),
        ({"path_b64": "%%%", "type": "folder"}, "is no path"),
        ([], "is no entry"),
    ],
)
def test_an_entry_that_leads_astray_is_refused_by_name(folder: Path, line: object, words: str) -> None:
    found = make_set(folder, 1, SITE)
    (found.folder / "files.jsonl.zst").write_bytes(zstd.compress(json.dumps(line).encode() + b"\n"))
    with pytest.raises(NotAccepted, match=re.escape(words)):
        list(entries_of(found))


def test_a_list_that_does_not_decompress_is_named(folder: Path) -> None:
    found = make_set(folder, 1, SITE)
    path = found.folder / "files.jsonl.zst"
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(NotAccepted, match=re.escape("files.jsonl.zst does not decompress")):
        list(entries_of(found))


def test_sets_of_the_first_release_stay_readable(folder: Path) -> None:
    found = make_set(folder, 2, SITE)
    old = {key: found.manifest[key] for key in ("office", "target", "begun", "sealed", "total_bytes", "parts")}
    name = made_name(30, "P")
    found.folder.rename(folder / name)
    for file in ("files.jsonl.zst", "deleted.jsonl.zst"):
        (folder / name / file).unlink()
    (folder / name / "MANIFEST.json").write_text(json.dumps({"format": 1, "set": name, **old}))
    write_sums(folder / name)
    newer = make_set(folder, 1, SITE)
    assert [each.name for each in list_sets(folder).sets] == [name, newer.name]
    first = list_sets(folder).sets[0]
    assert (first.kind, first.reason, first.parent, first.needs) == ("P", "routine", None, frozenset())
