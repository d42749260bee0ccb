"""Increments of backup.files: what changed since the full set, each restored by the set's own shell program."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from runner.actions.backup.set_files import entries_of
from runner.actions.backup.sets import BackupSet, list_sets, load_set
from runner.actions.backup_files import ACTION
from tests.actions.backups import backup_call, deleted_in, run_well, seal
from tests.actions.test_backup_files import snapshot
from tests.calls import NOW


class Series:
    """Backups of one folder, one after the other, a day apart."""

    def __init__(self, folder: Path, **inputs: Any) -> None:
        self.site, self.folder, self.inputs, self.days = folder / "site", folder, inputs, 0
        self.site.mkdir()

    def take(self, **inputs: Any) -> BackupSet:
        """Back up and seal; return the set."""
        self.days += 1
        now = NOW + timedelta(days=self.days)
        outputs = run_well(ACTION, self.call(now=now, **inputs))
        return load_set(seal(outputs["part"], self.folder, now=now))

    def call(self, **more: Any) -> Any:
        """A call of the next backup."""
        now = more.pop("now", NOW)
        return backup_call(ACTION, {"root": str(self.site), **self.inputs, **more}, self.folder, now=now)

    def restore(self, chosen: BackupSet) -> Path:
        """Restore a set by its own program."""
        place = self.folder / f"restored-{chosen.name}"
        subprocess.run(["sh", chosen.folder / "PULIHKAN.sh", place], check=True, capture_output=True)
        return place

    def assert_restores(self, chosen: BackupSet, expected: Mapping[bytes, Any]) -> None:
        """A set is what the site was when it was taken."""
        assert snapshot(self.restore(chosen)) == expected


@pytest.fixture
def series(tmp_path: Path) -> Series:
    made = Series(tmp_path)
    (made.site / "img").mkdir()
    for number in range(20):
        (made.site / "img" / f"{number}.jpg").write_bytes(os.urandom(3000))
    (made.site / "index.php").write_text("<?php 1")
    os.link(made.site / "index.php", made.site / "copy.php")
    (made.site / "latest").symlink_to("index.php")
    return made


def test_an_increment_holds_what_changed_and_restores_to_the_new_state(series: Series) -> None:
    full, before = series.take(), snapshot(series.site)
    (series.site / "img" / "3.jpg").write_bytes(b"new content")
    (series.site / "img" / "4.jpg").chmod(0o600)
    (series.site / b"baru\n\xff".decode("utf-8", "surrogateescape")).write_text("new file")
    (series.site / "img" / "5.jpg").unlink()
    (series.site / "img" / "6.jpg").rename(series.site / "moved.jpg")
    later = series.take()
    assert (full.kind, later.kind, later.needs) == ("P", "T", {full.name})
    own = {entry.path for entry in entries_of(later) if entry.home == later.name}
    assert own == {b".", b"img", b"img/3.jpg", b"img/4.jpg", b"baru\n\xff", b"moved.jpg"}
    assert sorted(deleted_in(later.folder)) == [b"img/5.jpg", b"img/6.jpg"]
    series.assert_restores(later, snapshot(series.site))
    series.assert_restores(full, before)


def test_an_unchanged_site_costs_a_listing(series: Series) -> None:
    full = series.take()
    later = series.take()
    assert later.parts == []
    assert all(entry.home == full.name for entry in entries_of(later))
    series.assert_restores(later, snapshot(series.site))


def test_content_that_changed_behind_its_time_is_seen(series: Series) -> None:
    """Size and time of content are as they were: the time of the inode is not."""
    series.take()
    path = series.site / "img" / "7.jpg"
    status = path.stat()
    path.write_bytes(os.urandom(3000))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    later = series.take()
    assert {entry.path for entry in entries_of(later) if entry.home == later.name} == {b"img", b"img/7.jpg"}
    series.assert_restores(later, snapshot(series.site))


def test_all_names_of_a_changed_file_come_together(series: Series) -> None:
    series.take()
    (series.site / "index.php").write_text("<?php 22")
    later = series.take()
    restored = series.restore(later)
    assert (restored / "index.php").stat().st_ino == (restored / "copy.php").stat().st_ino
    assert snapshot(restored) == snapshot(series.site)


def test_what_became_something_else_restores_as_that(series: Series) -> None:
    series.take()
    shutil.rmtree(series.site / "img")
    (series.site / "img").write_text("a file now")
    (series.site / "latest").unlink()
    (series.site / "latest").mkdir()
    (series.site / "latest" / "x").write_text("in a folder")
    later = series.take(accept_smaller=True)
    assert b"img/0.jpg" in deleted_in(later.folder)
    assert b"img" not in deleted_in(later.folder)
    series.assert_restores(later, snapshot(series.site))


def test_increments_hang_on_the_full_set_only_until_the_next_one(series: Series) -> None:
    kinds, parents = [], []
    for number in range(5):
        (series.site / "counter").write_text(str(number))
        chosen = series.take(increments=2)
        kinds.append(chosen.kind)
        parents.append(chosen.parent and chosen.parent["set"])
        series.assert_restores(chosen, snapshot(series.site))
    sets = list_sets(series.folder / "backups" / "WEB-PN-TAIS").sets
    assert kinds == ["P", "T", "T", "P", "T"]
    assert parents == [None, sets[0].name, sets[0].name, None, sets[3].name]
    assert [each.manifest["sequence"] for each in sets] == [1, 2, 3, 4, 5]


def test_sets_stand_in_order_though_the_clock_went_back(series: Series) -> None:
    first = series.take()
    series.days = -400
    (series.site / "later").write_text("x")
    second = series.take()
    series.days = -800
    third = series.take(increments=0)
    assert second.manifest["sealed"] < first.manifest["sealed"]
    sets = list_sets(series.folder / "backups" / "WEB-PN-TAIS").sets
    assert [each.name for each in sets] == [first.name, second.name, third.name]
    assert (second.kind, third.kind) == ("T", "P")


def test_parts_that_were_never_sealed_go_after_days(series: Series) -> None:
    forgotten, recent = (Path(run_well(ACTION, series.call())["part"]["path"]) for _ in range(2))
    days_ago = time.time() - 4 * 86400
    os.utime(forgotten, (days_ago, days_ago))
    series.take()
    assert not forgotten.exists()
    assert recent.exists()


def test_other_patterns_begin_a_full_set(series: Series) -> None:
    series.take()
    assert series.take(exclude=["*.tmp"]).kind == "P"
    assert series.take(exclude=["*.tmp"]).kind == "T"


@pytest.mark.parametrize("spoil", ["MANIFEST.json", "files.jsonl.zst"])
def test_a_full_set_that_was_altered_is_built_on_no_more(series: Series, spoil: str) -> None:
    full = series.take()
    (full.folder / spoil).write_bytes(b"spoilt")
    assert series.take().kind == "P"
