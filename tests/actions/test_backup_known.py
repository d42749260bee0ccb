"""What a full set's list lets know of files: those that are the same are found, and no others, whatever their names."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.actions.backup import known as known_module
from runner.actions.backup.filelist import parse_lines, render_kept, write_lines
from runner.actions.backup.known import Known
from runner.actions.backup.ledger import Kept
from runner.actions.backup.listing import Listed, Lister
from runner.actions.backup.parents import load_known
from runner.actions.backup_files import ACTION
from runner.contract import Command, Result
from runner.durations import Deadline
from runner.errors import Failed, TimeUp
from tests.actions.test_backup_files import snapshot
from tests.actions.test_backup_increments import Series
from tests.calls import LocalConnection

SHA256 = "ab" * 32
# Names that could be taken for others: as JSON writes them, with what follows a name in a line, not UTF-8.
ODD = [
    b"a\nb",
    b"a\\nb",
    b'a"b',
    b'a\\"b',
    b"a\xff",
    b"a",
    b'a", "type": "file", "size": 7',
    b".",
    b"a}\nb",
    b"a.0>0\n",
]
FACTS = st.tuples(st.integers(0, 2), st.sampled_from([-1, 0, 5, 10**9, 10**18 + 5]), st.sampled_from([0, 10**18]))
PATHS = st.one_of(st.sampled_from(ODD), st.binary(max_size=3).map(lambda name: name.replace(b"\0", b"0") or b"x"))
ENTRIES = st.dictionaries(PATHS, st.tuples(FACTS, st.sampled_from(["file", "folder", "link"]), st.integers(1, 2)))


def entry(path: bytes, facts: tuple[int, int, int], type_: str, names: int) -> Listed:
    size, mtime, ctime = facts
    inode = f"1:{names}" if names > 1 and type_ == "file" else ""
    link = b"to" if type_ == "link" else b""
    return Listed(path, type_, size if type_ == "file" else 0, mtime, ctime, 0o644, 33, 34, "", "", link, inode)


def line_of(listed: Listed) -> bytes:
    sha256 = SHA256 if listed.type == "file" else ""
    where = (listed.type, listed.size, listed.mtime_ns, listed.link, sha256, 0, 4096, "", None)
    return render_kept(Kept(listed.path, listed.mode, 33, 34, "www", "www", listed.ctime_ns, *where), "")


def write_list(folder: Path, entries: Sequence[Listed]) -> Path:
    return write_lines(folder / "files.jsonl.zst", map(line_of, entries)).path


def record_of(listed: Listed) -> bytes:
    """What find says of an entry; it tells of a size whatever it is."""
    kind = {"file": b"f", "folder": b"d", "link": b"l"}[listed.type]
    names, size = (2 if listed.inode else 1), listed.size if listed.type == "file" else 4096
    times = [b"-%d.%09d0" % divmod(-ns, 10**9) if ns < 0 else b"%d.%09d0" % divmod(ns, 10**9) for ns in listed[3:5]]
    head = b"%s 644 33 34 %d\0%d<%s>%s" % (kind, names, size, *times)
    path = b"" if listed.path == b"." else listed.path
    return b"\0".join([head, path, listed.inode.encode(), listed.link, b""])


def listed_beside(known: Known, entries: Sequence[Listed]) -> list[Listed]:
    """What is handed on of a listing by who knows so much."""
    found: list[Listed] = []
    lister = Lister(found.extend, lambda: known)
    for each in entries:
        lister.feed(record_of(each))
    lister.finish()
    return found


@given(before=ENTRIES, now=ENTRIES, same=ENTRIES)
def test_what_is_listed_as_it_was_is_known_and_nothing_else(
    tmp_path_factory: pytest.TempPathFactory,
    before: dict[bytes, tuple[tuple[int, int, int], str, int]],
    now: dict[bytes, tuple[tuple[int, int, int], str, int]],
    same: dict[bytes, tuple[tuple[int, int, int], str, int]],
) -> None:
    parent = [entry(path, *facts) for path, facts in {**before, **same}.items()]
    today = [entry(path, *facts) for path, facts in {**now, **same}.items()]
    known = Known(write_list(tmp_path_factory.mktemp("list"), parent))
    handed_on = listed_beside(known, today)
    unchanged = [each for each in today if each not in handed_on]
    assert set(unchanged) <= set(parent)
    assert all(each.type == "file" and not each.inode for each in unchanged)
    assert {each for each in handed_on if each in parent and is_plain(each)} == set()
    assert (known.entries, known.size) == (len(unchanged), sum(each.size for each in unchanged))
    lines = b"".join(known.unchanged(b"}\n")).splitlines(keepends=True)
    assert sorted(lines) == sorted(map(line_of, unchanged))
    assert sorted([*lines, *(line + b"}\n" for line in known.others())]) == sorted(map(line_of, parent))


def is_plain(listed: Listed) -> bool:
    """Whether it is a file with one name, which JSON writes as it is, and of times behind the first second of 1970."""
    try:
        name = listed.path.decode()
    except UnicodeDecodeError:
        return False
    plain = listed.type == "file" and not listed.inode and min(listed.mtime_ns, listed.ctime_ns) >= 10**9
    return plain and name != "." and not set(name) & {*map(chr, range(32)), '"', "\\"}


def files(number: int) -> list[Listed]:
    return [entry(b"%d" % place, (place, 10**18 + place, 10**18), "file", 1) for place in range(number)]


def test_the_order_of_a_listing_does_not_matter(tmp_path: Path) -> None:
    known = Known(write_list(tmp_path, files(9000)))
    assert listed_beside(known, files(9000)[::-1]) == []
    assert known.entries == 9000
    assert sorted(b"".join(known.unchanged(b"}\n")).splitlines(keepends=True)) == sorted(map(line_of, files(9000)))


def test_paths_that_are_kept_apart_are_looked_at(tmp_path: Path) -> None:
    known = Known(write_list(tmp_path, files(12)), [b"1"])
    assert [each.path for each in listed_beside(known, files(12))] == [b"1"]


def test_of_a_list_that_is_too_long_nothing_is_known_and_each_line_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(known_module, "MOST_HELD", 1000)
    known = Known(write_list(tmp_path, files(9000)))
    assert listed_beside(known, files(9000)) == files(9000)
    assert (known.entries, known.size, list(known.unchanged(b"}\n"))) == (0, 0, [])
    assert [row[0] for row in parse_lines(known.others())] == [each.path for each in files(9000)]


@pytest.mark.parametrize("most", [1, 10**9])
def test_increments_are_the_same_whether_the_list_is_held_or_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr(known_module, "MOST_HELD", most)
    series = Series(tmp_path, must_contain=["index.php"])
    for name in ("index.php", "a\\nb", 'quo"te', "gone", "touched", "became"):
        (series.site / name).write_text(name)
    os.link(series.site / "index.php", series.site / "copy.php")
    series.take()
    (series.site / "gone").unlink()
    (series.site / "touched").write_text("touched again")
    (series.site / "became").unlink()
    (series.site / "became").mkdir()
    (series.site / "a\nb").write_text("a\\nb")
    later = series.take()
    assert later.manifest["files"]["entries"] == len(snapshot(series.site)) + 1
    assert later.manifest["files"]["bytes"] == sum(p.stat().st_size for p in series.site.iterdir() if p.is_file())
    series.assert_restores(later, snapshot(series.site))


def test_a_guarded_file_that_is_unchanged_is_there(tmp_path: Path) -> None:
    series = Series(tmp_path, must_contain=["index.php"])
    for name in ("index.php", "other.php"):
        (series.site / name).write_text(name)
    series.take()
    assert series.take().parts == []


def test_a_list_that_is_spoilt_when_it_is_read_is_said(tmp_path: Path) -> None:
    """It is held against its hash before; who alters it in between is told all the same."""
    series = Series(tmp_path)
    (series.site / "index.php").write_text("<?php")
    full = series.take()
    path = full.file("files.jsonl.zst")
    whole = path.read_bytes()
    for spoilt in (whole[:-9], b"", whole.replace(whole[:4], b"none"), None):
        path.unlink() if spoilt is None else path.write_bytes(spoilt)
        with pytest.raises(Failed, match="its list of files cannot be read"):
            load_known(series.call(), full)


class CutOff(LocalConnection):
    """A connection that breaks in the midst of the archive, to a server whose disk is set back to an earlier state
    later: for now, the file "00" is not what it was."""

    def stream(self, command: Command, deadline: Deadline, sink: Callable[[bytes], None]) -> Result:
        sent = self.run(command, deadline).stdout
        if " tar " in command.line:
            for start in range(0, len(sent) * 2 // 3, 4096):
                sink(sent[start : start + 4096])
            raise TimeUp("the connection was cut off")
        sink(re.sub(rb">[\d.]+\x0000\x00", b">1600000000.0000000000\x0000\x00", sent))
        return Result(0)


def test_an_increment_that_was_cut_off_goes_on_and_is_as_the_site_is_then(tmp_path: Path) -> None:
    """Of what came before the cut, one file is gone, one has changed again, and one is as the full set has it."""
    series = Series(tmp_path)
    for number in range(40):
        (series.site / f"{number:02d}").write_bytes(os.urandom(500_000))
    full = series.take()
    for number in range(1, 30):
        (series.site / f"{number:02d}").write_bytes(os.urandom(500_000))
    with pytest.raises(TimeUp):
        ACTION.run(series.call()._replace(connect=CutOff))
    (work,) = (series.folder / "backups" / "WEB-PN-TAIS").glob("*.partial")
    assert any(path.stat().st_size for path in work.glob("p*.tar.zst"))
    (series.site / "01").unlink()
    (series.site / "02").write_bytes(b"again")
    later = series.take()
    assert later.parent
    assert later.parent["set"] == full.name
    assert not work.exists()
    series.assert_restores(later, snapshot(series.site))
