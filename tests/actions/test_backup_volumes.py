"""Volumes: each a complete archive below its size, files larger than one in slices, damage that stays in its frame."""

from __future__ import annotations

import hashlib
import os
import subprocess
import tarfile
from pathlib import Path
from random import Random

import pytest

from runner.actions.backup.set_files import entries_of
from runner.actions.backup.sets import BackupSet, load_set
from runner.actions.backup_files import ACTION
from runner.connections.local import LocalConnection
from tests.actions.backups import backup_call, run_well, seal
from tests.actions.test_backup_files import snapshot

MIB = 1024 * 1024


@pytest.fixture
def site(tmp_path: Path) -> Path:
    root = tmp_path / "site"
    root.mkdir()
    random = Random(5)
    for number in range(60):
        (root / f"{number:02d}.jpg").write_bytes(random.randbytes(300_000))
    (root / "larger than it's volume.zip").write_bytes(random.randbytes(20 * MIB))
    with (root / "sparse.img").open("wb") as file:
        for start in range(0, 20 * MIB, 2 * MIB):
            file.seek(start)
            file.write(random.randbytes(1 * MIB))
    with (root / "hollow.img").open("wb") as file:
        file.write(b"begin")
        file.truncate(120 * MIB)
    return root


def take(site: Path, folder: Path, **inputs: object) -> BackupSet:
    connection = LocalConnection()
    call = backup_call(ACTION, {"root": str(site), **inputs}, folder, connect=lambda: connection)
    try:
        return load_set(seal(run_well(ACTION, call)["part"], folder))
    finally:
        connection.close()


def test_every_volume_is_an_archive_of_its_own(site: Path, tmp_path: Path) -> None:
    chosen = take(site, tmp_path, volume_size=8, exclude=["*.img"])
    volumes = sorted(chosen.folder.glob("p*.tar.zst"))
    assert len(volumes) > 4
    for volume in volumes:
        assert volume.stat().st_size <= 8.1 * MIB
        plain = tmp_path / "plain.tar"
        subprocess.run(["zstd", "-qdf", volume, "-o", plain], check=True)
        with tarfile.open(plain) as archive:
            assert archive.getmembers()
    subprocess.run(["sh", chosen.folder / "PULIHKAN.sh", tmp_path / "restored"], check=True, capture_output=True)
    for name in ("sparse.img", "hollow.img"):
        (site / name).unlink()
    assert snapshot(tmp_path / "restored") == snapshot(site)


def test_a_sparse_file_larger_than_a_volume_comes_whole(site: Path, tmp_path: Path) -> None:
    """Of one, 10 MiB of 19 are there; of the other, next to nothing."""
    chosen = take(site, tmp_path, volume_size=8, exclude=["*.jpg", "*.zip"])
    subprocess.run(["sh", chosen.folder / "PULIHKAN.sh", tmp_path / "restored"], check=True, capture_output=True)
    assert snapshot(tmp_path / "restored") == snapshot(site, only=(b"sparse.img", b"hollow.img"))
    assert sum(path.stat().st_size for path in chosen.folder.iterdir()) < 12 * MIB
    digests = {entry.path: entry.sha256 for entry in entries_of(chosen) if entry.type == "file"}
    with (site / "hollow.img").open("rb") as file:
        assert digests[b"hollow.img"] == hashlib.file_digest(file, "sha256").hexdigest()


def test_a_bad_block_costs_the_files_of_its_frame(site: Path, tmp_path: Path) -> None:
    """64 KiB of zeros in the middle: what plain zstd frame by frame still gives is all but one frame's files."""
    chosen = take(site, tmp_path, exclude=["*.img", "*.zip"])
    entries = [entry for entry in entries_of(chosen) if entry.type == "file"]
    volume = chosen.folder / "p0000.tar.zst"
    middle = volume.stat().st_size // 2
    with volume.open("r+b") as file:
        file.seek(middle)
        file.write(bytes(64 * 1024))
    starts = sorted({entry.frame for entry in entries})
    lost = set()
    data = volume.read_bytes()
    for start, end in zip(starts, [*starts[1:], len(data)], strict=True):
        done = subprocess.run(["zstd", "-qdc"], input=data[start:end], capture_output=True, check=False)
        if done.returncode:
            lost |= {entry.path for entry in entries if entry.frame == start}
    assert 0 < len(lost) <= 2 * 4 * MIB // 300_000
    assert len(starts) >= 4


@pytest.mark.parametrize("name", [b"one", b"n" * 200 + b"/" + b"m" * 250, b"\xff\xfe\n"])
def test_one_file_is_read_from_its_frame_alone(tmp_path: Path, name: bytes) -> None:
    root = os.fsencode(tmp_path / "site")
    os.makedirs(os.path.dirname(root + b"/" + name), exist_ok=True)
    with open(root + b"/" + name, "wb") as file:
        file.write(b"content")
    chosen = take(tmp_path / "site", tmp_path)
    entry = next(entry for entry in entries_of(chosen) if entry.path == name)
    with (chosen.folder / entry.part).open("rb") as volume:
        volume.seek(entry.frame)
        plain = subprocess.run(["zstd", "-qdc"], input=volume.read(), capture_output=True, check=True).stdout
    out = subprocess.run(["tar", "-xOf", "-"], input=plain, capture_output=True, check=True).stdout
    assert out == b"content"
