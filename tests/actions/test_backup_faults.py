"""What becomes of a backup that is cut off: either the old state or the whole new set."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from runner.actions.backup.sets import list_sets
from runner.contract import Status
from runner.errors import TimeUp
from tests.actions.made_sets import make_rescue
from tests.actions.test_backup_files import snapshot
from tests.actions.test_backup_restore import Broken, compare, restore

ROOT = Path(__file__).parents[2]


@pytest.fixture
def site(tmp_path: Path) -> Path:
    root = tmp_path / "site"
    (root / "img").mkdir(parents=True)
    for number in range(30):
        (root / "img" / f"{number}.jpg").write_bytes(os.urandom(9000 * number))
    (root / "large.zip").write_bytes(os.urandom(500_000))
    (root / "larger.zip").write_bytes(os.urandom(9 * 1024 * 1024))
    os.link(root / "img" / "1.jpg", root / "hard.jpg")
    return root


def back_up(site: Path, folder: Path, last: int = 0) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-m", "tests.actions.dying_backup", site, folder, str(last)]
    return subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)


def touches(site: Path, folder: Path) -> int:
    """How often a backup from beginning to end touches its destination."""
    done = back_up(site, folder)
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


def assert_recovers(site: Path, folder: Path, last: int) -> None:
    """Die at that touch: no set, or a whole one; the next run makes one, and it restores to the site."""
    done = back_up(site, folder, last)
    assert done.returncode == -signal.SIGKILL, done.stderr
    shelf = list_sets(folder / "backups" / "WEB-PN-TAIS")
    assert shelf.faults == ()
    again = back_up(site, folder)
    assert again.returncode == 0, again.stderr
    shelf = list_sets(folder / "backups" / "WEB-PN-TAIS")
    assert shelf.faults == ()
    assert shelf.newest
    place = folder / "restored"
    restored = subprocess.run(["sh", shelf.newest.folder / "PULIHKAN.sh", place], check=False, capture_output=True)
    assert restored.returncode == 0, restored.stderr
    assert snapshot(place) == snapshot(site)


def fresh(folder: Path) -> Path:
    folder.mkdir()
    return folder


@pytest.mark.parametrize("share", [0.15, 0.6, 0.9])
def test_a_killed_backup_leaves_the_old_state_or_the_whole_set(site: Path, tmp_path: Path, share: float) -> None:
    count = touches(site, fresh(tmp_path / "whole"))
    assert_recovers(site, fresh(tmp_path / "killed"), int(count * share))


@pytest.mark.heavy
def test_a_backup_killed_at_any_touch_of_the_disk_recovers(site: Path, tmp_path: Path) -> None:
    """At one touch in seven, from the first to the last."""
    count = touches(site, fresh(tmp_path / "whole"))
    assert count > 60
    for last in range(1, count + 1, 7):
        assert_recovers(site, fresh(tmp_path / f"killed-{last}"), last)


@pytest.mark.heavy
@pytest.mark.timeout(400)
def test_many_tiny_files_and_a_huge_one_need_little_memory(tmp_path: Path) -> None:
    """30,000 files, one of 20 GB that is nearly all hole, one of 400 MB that does not compress."""
    root = tmp_path / "site"
    for number in range(30):
        (root / f"{number}").mkdir(parents=True)
        for other in range(1000):
            (root / f"{number}" / f"{other}").write_text(str(other))
    with (root / "image.raw").open("wb") as file:
        file.write(b"begin")
        file.truncate(20 * 1024**3)
    with (root / "video.mp4").open("wb") as file:
        for _ in range(100):
            file.write(os.urandom(4 * 1024 * 1024))
    words = [sys.executable, "-m", "tests.actions.large_backup", root, fresh(tmp_path / "backup")]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) <= 150
    (chosen,) = list_sets(tmp_path / "backup" / "backups" / "WEB-PN-TAIS").sets
    assert chosen.manifest["files"]["entries"] == 30 * 1001 + 3
    assert_huge_comes_back(root, tmp_path / "backup")


def assert_huge_comes_back(root: Path, folder: Path) -> None:
    """The file of 20 GB: the damaged one stays where its restore is cut off, and the hole stays one."""
    image = root / "image.raw"
    os.truncate(image, 5)
    plan = compare(folder, paths=["image.raw"])["plan"]
    rescue = make_rescue(folder, "mariadb:x")
    with pytest.raises(TimeUp):
        restore(folder, plan, rescue=rescue, connection=Broken(6))
    assert image.read_bytes() == b"begin"
    assert restore(folder, plan, rescue=rescue).status is Status.CHANGED
    size, blocks = image.stat().st_size, image.stat().st_blocks
    assert (size, blocks < 1000) == (20 * 1024**3, True)


@pytest.mark.heavy
@pytest.mark.timeout(400)
def test_a_million_tiny_files_need_little_memory(tmp_path: Path) -> None:
    """Their listing on the way to a backup, and their entries on the way to a restore."""
    words = [sys.executable, "-m", "tests.actions.large_restore", tmp_path, "1000000"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) <= 150
