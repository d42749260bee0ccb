"""The shipped playbook around backups, run on a set: proved, registered, listed, kept."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from runner.demo import build_demo

ROOT = Path(__file__).parents[1]
DRILL, MAINTENANCE = (ROOT / "playbooks" / f"{name}.yml" for name in ("uji-pulih-backup", "pemeliharaan-website"))
LABEL = "BACKUP-PN-CONTOH"
# A disk that only what runs below here sees: an image with a file system, and the name by which udev would know it.
CONNECT = f"""mount --make-rprivate / && mount -o loop "$1" "$2" && mkdir -p /dev/disk && mount -t tmpfs none /dev/disk
mkdir /dev/disk/by-label && ln -s "$(findmnt -no SOURCE "$2")" /dev/disk/by-label/{LABEL} && shift 2 && exec "$@"
"""
INVENTORY = """\
office: {{name: Pengadilan Negeri Contoh, timezone: Asia/Jakarta}}
websites:
  pn_contoh:
    url: "http://127.0.0.1:9/"
    server: here
    root: {folder}/html
    database: {{engine: sqlite, path: {folder}/site.sqlite}}
servers:
  here: {{connection: local}}
"""


PLAYBOOK = """\
procedure: {title: Backup}
steps:
  - id: backup
    activity: Backup
    targets: websites
    tasks:
      - {id: database, action: backup.database, with: {engine: sqlite, name: "{{ target.database.path }}"}}
      - {id: files, action: backup.files, with: {root: "{{ target.root }}"}}
      - {id: set, action: backup.seal, with: {parts: ["{{ tasks.database.part }}", "{{ tasks.files.part }}"]}}
"""


def run(folder: Path, playbook: Path, *words: str, before: Sequence[str] = ()) -> dict[str, Any]:
    """Run a playbook, behind the words `before`; return its record."""
    line = [*before, sys.executable, "-m", "runner", "run", str(playbook), "--format", "json", *words]
    done = subprocess.run(line, cwd=folder, capture_output=True, text=True, check=False)
    assert done.stdout, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.fixture
def court(tmp_path: Path) -> Path:
    """A working folder with a small website and its database."""
    (tmp_path / "html").mkdir()
    (tmp_path / "html" / "index.html").write_text("<title>Pengadilan</title>")
    with closing(sqlite3.connect(tmp_path / "site.sqlite")) as base:
        base.executescript("CREATE TABLE a (b INT); INSERT INTO a VALUES (1);")
    (tmp_path / "inventory").mkdir()
    (tmp_path / "inventory" / "office.yml").write_text(INVENTORY.format(folder=tmp_path))
    (tmp_path / "backup.yml").write_text(PLAYBOOK)
    return tmp_path


def tasks_of(found: Mapping[str, Any]) -> dict[str, Any]:
    """The tasks of a record by their ids."""
    return {each["id"]: each for step in found["steps"] for target in step["targets"] for each in target["tasks"]}


def test_a_set_is_proved_registered_listed_and_kept(court: Path) -> None:
    assert run(court, court / "backup.yml")["status"] == "changed"
    found = run(court, DRILL)
    tasks = tasks_of(found)
    assert {name: each["status"] for name, each in tasks.items()} == {
        "verify": "ok",
        "drill": "ok",
        "copy": "ok",
        "register": "ok",
        "catalogue": "ok",
        "prune": "ok",
    }
    assert tasks["verify"]["outputs"]["coverage"] == 100.0
    assert (tasks["copy"]["outputs"]["medium"], tasks["copy"]["outputs"]["sets"]) == ("none", [])
    assert [problem["key"] for problem in found["problems"]] == ["backup.media.unnamed"]
    proved = {check["what"].partition(":")[0]: check["result"] for check in tasks["drill"]["outputs"]["checks"]}
    assert (proved["files"], proved["sqlite"]) == ("proved", "proved")
    (listed,) = tasks["catalogue"]["outputs"]["sets"]
    assert listed["set"] == tasks["drill"]["outputs"]["set"] == tasks["catalogue"]["outputs"]["newest_proved"]
    assert listed["verified"]
    assert tasks["prune"]["outputs"]["removed"] == []


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[list[str]]:
    """The words behind which a disk with 64 MiB is connected; what is written to it stays."""
    image, mount, format_ = tmp_path / "disk.img", tmp_path / "disk", shutil.which("mkfs.ext4", path="/usr/sbin:/sbin")
    if os.geteuid() != 0 or not format_:
        pytest.skip("connecting a disk needs root and mkfs.ext4")
    mount.mkdir()
    with image.open("wb") as file:
        file.truncate(64 * 1024 * 1024)
    subprocess.run([format_, "-q", "-L", LABEL, str(image)], check=True)
    before = ["unshare", "--mount", "sh", "-ec", CONNECT, "sh", str(image), str(mount)]
    tried = subprocess.run([*before, "true"], capture_output=True, text=True, check=False)
    try:
        if tried.returncode:
            pytest.skip(f"no disk can be connected here: {tried.stderr.strip()[-200:]}")
        yield before
    finally:
        with suppress(OSError):  # it was there before, with disks in it
            Path("/dev/disk").rmdir()


def test_a_disk_that_is_named_gets_each_set_and_is_missed_when_its_turn_comes(tmp_path: Path, disk: list[str]) -> None:
    demo = build_demo(tmp_path / "court", datetime.now(UTC))
    court, inventory = demo.folder, demo.inventory
    inventory.write_text(f"{inventory.read_text()}  backup_media: {{disk: {LABEL}}}\n")
    nightly = run(court, MAINTENANCE, "--only", "backup", before=disk)
    copy = tasks_of(nightly)["medium"]["outputs"]
    first = copy["set"]
    assert (copy["label"], copy["sets"]) == (LABEL, [first])
    assert copy["summary"] == f"disalin ke hardisk {LABEL} dan dibaca kembali"
    assert f"Hardisk {LABEL} (" in berita_acara(court, nightly["run"])
    folder = tmp_path / "disk" / "backups" / "WEB-PN-CONTOH"
    assert not folder.exists()  # the disk is gone, and nothing was written where it had been
    shown = subprocess.run([*disk, "find", str(folder), "-name", "MANIFEST.json"], capture_output=True, check=True)
    assert shown.stdout.decode().split() == [str(folder / first / "MANIFEST.json")]

    found = run(court, DRILL, before=disk)
    tasks = tasks_of(found)
    assert found["problems"] == []
    assert (tasks["copy"]["outputs"]["sets"], tasks["copy"]["outputs"]["bytes"]) == ([first], 0)
    assert tasks["drill"]["outputs"]["set"] == first
    (medium,) = tasks["register"]["outputs"]["media"]
    assert (medium["label"], medium["sets"], medium["recheck_due"]) == (LABEL, [first], copy["recheck_due"])

    put_away = tasks_of(found := run(court, MAINTENANCE, "--only", "backup"))["medium"]
    assert (put_away["status"], put_away["outputs"]["sets"], found["problems"]) == ("ok", [], [])
    assert put_away["outputs"]["summary"].startswith(f"hardisk {LABEL} tidak terpasang; terakhir disalin ")
    assert "Salinan di media lain: belum ada." in berita_acara(court, found["run"])
    inventory.write_text(f"{inventory.read_text()}  backup_media_days: 0\n")
    due = run(court, MAINTENANCE, "--only", "backup")
    assert tasks_of(due)["medium"]["status"] == "failed"
    assert [problem["key"] for problem in due["problems"]] == ["backup.media.missing"]


def berita_acara(court: Path, run: str) -> str:
    """The page of a run's berita acara."""
    words = [sys.executable, "-m", "runner", "report", "berita-acara", run, "-o", "."]
    subprocess.run(words, cwd=court, capture_output=True, check=True)
    return (court / "berita-acara-backup.html").read_text()
