"""Reading what a set holds: every member as the list says, or its name."""

from __future__ import annotations

import json
import re
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from backports import zstd

from runner.actions.backup.members import Member
from runner.actions.backup.roster import Roster
from runner.actions.backup.set_files import Entry, entries_of
from runner.actions.backup.set_reading import Lost, read_entries, read_through
from runner.actions.backup.sets import BackupSet, list_sets
from runner.actions.backup.verdict import NotAccepted
from runner.durations import Deadline
from runner.errors import Failed, TimeUp
from tests.actions.made_sets import entry_of, make_set, member_of

PNG = bytes(range(256)) * 8
SITE: Mapping[str | bytes, bytes] = {"index.php": b"<?php" * 400, "img/logo.png": PNG, "robots.txt": b""}
X = entry_of("x", "file", sha256="0" * 64)


class Collected:
    """A sink that keeps what it is given."""

    def __init__(self) -> None:
        self.contents: dict[bytes, bytes] = {}
        self.ended: list[bytes] = []

    def begin(self, entry: Entry, member: Member) -> None:
        self.contents[entry.path] = b""
        self._path = entry.path

    def data(self, piece: memoryview) -> None:
        self.contents[self._path] += piece

    def end(self, entry: Entry) -> None:
        self.ended.append(entry.path)

    def whole(self, entry: Entry, member: Member, content: memoryview) -> None:
        self.begin(entry, member)
        self.data(content[len(member.header) : len(member.header) + member.stored])
        self.end(entry)


def read(found: BackupSet, tmp_path: Path, only: Sequence[bytes] = (), limit: float = 60) -> Collected:
    sink = Collected()
    roster = Roster(tmp_path, (entry for entry in entries_of(found) if not only or entry.path in only))
    try:
        read_entries(list_sets(found.folder.parent).chain(found), roster, sink, Deadline.after(limit))
    finally:
        roster.close()
    return sink


def spoil(found: BackupSet, at: int, size: int = 1) -> None:
    path = found.folder / "p0000.tar.zst"
    data = bytearray(path.read_bytes())
    data[at : at + size] = bytes(255 - byte for byte in data[at : at + size])
    path.write_bytes(bytes(data))


def test_gives_each_file_of_a_set_and_its_parent(tmp_path: Path) -> None:
    folder = tmp_path / "shelf"
    full = make_set(folder, 1, SITE, links={"latest": "/etc/passwd"})
    later = make_set(folder, 2, {**SITE, "index.php": b"<?php 2", "new/a.txt": b"a"}, parent=full)
    assert read(full, tmp_path).contents == {
        **{bytes(str(path), "ascii"): content for path, content in SITE.items()},
        b".": b"",
        b"img": b"",
        b"latest": b"",
    }
    found = read(later, tmp_path)
    assert found.contents[b"index.php"] == b"<?php 2"
    assert found.contents[b"img/logo.png"] == PNG
    assert sorted(found.ended) == sorted(entry.path for entry in entries_of(later))
    assert read(later, tmp_path, [b"img/logo.png"]).contents == {b"img/logo.png": PNG}


def test_a_spoilt_frame_costs_its_own_files_only(tmp_path: Path) -> None:
    found = make_set(tmp_path / "shelf", 1, SITE)
    entries = {entry.path: entry for entry in entries_of(found)}
    spoil(found, entries[b"img/logo.png"].frame + 30)
    roster, sink, lost = Roster(tmp_path, entries.values()), Collected(), list[Lost]()
    read_through({found.name: found}, roster, sink, Deadline.after(60), lost.append)
    assert [(each.frame.part, each.frame.start) for each in lost] == [("p0000.tar.zst", entries[b"img/logo.png"].frame)]
    assert {entry.path for entry in roster.unseen(9)} == {b"img/logo.png"}
    assert b"index.php" in sink.ended
    roster.close()
    with pytest.raises(NotAccepted, match=re.escape("p0000.tar.zst: it cannot be read, or does not decompress")):
        read(found, tmp_path)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"sha256": "0" * 64}, "'index.php' has not the content that was backed up"),
        ({"size": 7}, "'index.php' is not what its list says: file, 2000 bytes"),
        ({"type": "folder"}, "'index.php' is not what its list says"),
        ({"part": "p0001.tar.zst"}, "it is named in the list, but is not part of the set"),
        ({"part": "MANIFEST.json"}, "cannot be read"),
        ({"set": "WEB-X-2026-01-01-000000-P"}, "on which this set does not hang"),
    ],
)
def test_what_the_list_says_differently_is_not_restored(tmp_path: Path, change: dict[str, Any], words: str) -> None:
    found = make_set(tmp_path / "shelf", 1, SITE)
    lines = zstd.decompress((found.folder / "files.jsonl.zst").read_bytes()).splitlines()
    bodies = [json.loads(line) for line in lines]
    changed = [{**body, **change} if body.get("path") == "index.php" else body for body in bodies]
    (found.folder / "files.jsonl.zst").write_bytes(
        zstd.compress("".join(json.dumps(body) + "\n" for body in changed).encode())
    )
    with pytest.raises(NotAccepted, match=re.escape(words)):
        read(found, tmp_path)


@pytest.mark.parametrize(
    ("line", "member", "words"),
    [
        (X, member_of("../../etc/cron.d/x"), "'../../etc/cron.d/x' leads out"),
        (
            X,
            member_of("/etc/cron.d/x"),
            "'/etc/cron.d/x' is no path under the root",
        ),
        (X, member_of("./x", tarfile.CHRTYPE), "a device or a pipe: b'./x'"),
        (
            X,
            member_of("./x", tarfile.SYMTYPE, linkname="/etc"),
            "is not what its list",
        ),
        (
            entry_of("x", "hardlink", link="a"),
            member_of("./x", tarfile.LNKTYPE, linkname="/etc/passwd"),
            "is not what its",
        ),
        (X, None, "it lacks 1 of what its list names"),
    ],
)
@pytest.mark.promise(
    "Files",
    "an archive with a path that leads out, an absolute one, a link or a device",
    "refused by name before anything is written",
)
def test_an_archive_that_leads_astray_is_refused_by_name(
    tmp_path: Path, line: Mapping[str, Any], member: tarfile.TarInfo | None, words: str
) -> None:
    found = make_set(tmp_path / "shelf", 1, SITE, extra=[(line, member)])
    with pytest.raises(NotAccepted, match=re.escape(words)) as raised:
        read(found, tmp_path)
    assert found.name in str(raised.value)


def test_what_the_list_does_not_name_is_passed_over(tmp_path: Path) -> None:
    stray = member_of("./shell.php", size=3)
    found = make_set(tmp_path / "shelf", 1, SITE, extra=[(entry_of("index.php.d", "folder"), stray)])
    assert b"shell.php" not in read(found, tmp_path, [b"index.php", b"img/logo.png", b"robots.txt"]).contents


@pytest.mark.promise(
    "Files", "an archive that writes below its own link, or a path twice", "found before anything is read"
)
def test_a_path_below_a_link_or_named_twice_is_found_before_anything_is_read(tmp_path: Path) -> None:
    link = entry_of("uploads", "link", link="/etc"), member_of("./uploads", tarfile.SYMTYPE, linkname="/etc")
    below = entry_of("uploads/passwd", "file", sha256="0" * 64), member_of("./uploads/passwd")
    found = make_set(tmp_path / "shelf", 1, {**SITE, "uploadsx/a": b""}, extra=[link, below])
    roster = Roster(tmp_path, entries_of(found))
    assert roster.find_through() == b"uploads/passwd"
    roster.close()
    good = make_set(tmp_path / "shelf", 2, SITE, links={"latest": "/etc"})
    roster = Roster(tmp_path, entries_of(good))
    assert roster.find_through() is None
    roster.close()
    twice = make_set(tmp_path / "shelf", 3, SITE, extra=[(entry_of("img", "folder"), None)])
    with pytest.raises(Failed, match="names one path twice"):
        Roster(tmp_path, entries_of(twice))


def test_reading_ends_with_its_time(tmp_path: Path) -> None:
    found = make_set(tmp_path / "shelf", 1, SITE)
    with pytest.raises(TimeUp):
        read(found, tmp_path, limit=-1)
