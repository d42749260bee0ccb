"""backup.media: to a disk, another host, S3 storage and images of discs; whole or not at all, and read back."""

from __future__ import annotations

import hashlib
import os
import resource
import subprocess
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from minio import Minio

from runner.actions.backup import discs, disks
from runner.actions.backup.disks import find_disk
from runner.actions.backup.sets import BackupSet, load_set
from runner.actions.backup_media import ACTION
from runner.contract import Outcome, Status
from runner.errors import Failed
from tests.actions.backups import assert_refused, backup_call
from tests.actions.made_sets import make_set
from tests.calls import NOW, assert_fits
from tests.s3_server import KEYS, s3_server
from tests.sshd import SshServer, ssh_server

UUID, LABEL = "3A1B-22CC", "BACKUP PN"
SITE: Mapping[str | bytes, bytes] = {"index.php": b"<?php" * 400, "img/logo.png": os.urandom(40_000)}
DUMP = b"-- Table structure for table `a`\nINSERT INTO `a` VALUES (1);\n-- Dump completed\n"


@pytest.fixture
def full(tmp_path: Path) -> BackupSet:
    return make_set(tmp_path / "backups" / "WEB-PN-TAIS", 1, SITE, databases={"joomla": DUMP})


def media(tmp_path: Path, **inputs: Any) -> Outcome:
    outcome = ACTION.run(backup_call(ACTION, inputs, tmp_path, limit=60))
    if outcome.status in (Status.OK, Status.CHANGED):
        assert_fits(ACTION, outcome.outputs)
    return outcome


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


class Plug:
    """A disk that udev and the kernel would know of: links by UUID and label, and a line of mountinfo."""

    def __init__(self, folder: Path) -> None:
        self.devices, self.mounts, self.mount = folder / "dev", folder / "mountinfo", folder / "media" / "back up"
        self.mount.mkdir(parents=True)
        self.connected(True)
        self.mounted(True)

    def connected(self, there: bool) -> None:
        for kind, name in {"by-uuid": UUID, "by-label": LABEL.replace(" ", "\\x20")}.items():
            link = self.devices / kind / name
            link.parent.mkdir(parents=True, exist_ok=True)
            link.unlink(missing_ok=True)
            if there:
                link.symlink_to("/dev/null")  # any device: its numbers stand for a disk's

    def mounted(self, there: bool) -> None:
        numbers = os.stat("/dev/null").st_rdev
        place = str(self.mount).replace(" ", "\\040")
        line = f"36 35 {os.major(numbers)}:{os.minor(numbers)} / {place} rw,noatime master:1 - exfat /dev/sdb1 rw\n"
        self.mounts.write_text("22 1 8:1 / / rw - ext4 /dev/sda1 rw\n" + (line if there else ""))


@pytest.fixture
def plug(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Plug:
    plug = Plug(tmp_path / "machine")
    monkeypatch.setattr(disks, "DEVICES", plug.devices)
    monkeypatch.setattr(disks, "MOUNTS", plug.mounts)
    return plug


@pytest.mark.parametrize("name", [UUID, LABEL, UUID.lower()])
def test_copies_to_a_disk_by_uuid_or_label(full: BackupSet, tmp_path: Path, plug: Plug, name: str) -> None:
    outcome = media(tmp_path, disk=name)
    copy = plug.mount / "backups" / "WEB-PN-TAIS" / full.name
    assert content(copy) == content(full.folder)
    assert load_set(copy).manifest_sha256 == full.manifest_sha256
    outputs = outcome.outputs
    assert (outcome.status, outputs["medium"], outputs["label"]) == (Status.CHANGED, "disk", name)
    assert outputs["recheck_due"] == "2028-11-22"
    assert "udisksctl power-off" in outputs["reminder"]
    again = media(tmp_path, disk=name)
    assert (again.outputs["bytes"], again.outputs["files"]) == (0, 0)
    checked = media(tmp_path, disk=name, check=True)
    assert (checked.status, checked.outputs["files"]) == (Status.OK, len(full.sums) + 1)


@pytest.mark.parametrize("inputs", [{"medium": {}}, {"medium": {}, "check": True}])
def test_asks_for_a_medium_where_none_is_named(full: BackupSet, tmp_path: Path, inputs: Mapping[str, Any]) -> None:
    outcome = media(tmp_path, **inputs)
    (problem,) = outcome.problems
    assert (outcome.status, problem.key) == (Status.OK, "backup.media.unnamed")
    assert "Mohon Admin Website menetapkan hardisk" in problem.message
    assert (outcome.outputs["medium"], outcome.outputs["sets"], outcome.outputs["recheck_due"]) == ("none", [], "")
    preview = ACTION.preview(backup_call(ACTION, {"medium": {}}, tmp_path))
    assert preview is not None
    assert preview.message == "would copy nothing and ask for a medium: none is named"


def test_takes_the_medium_that_a_variable_names(full: BackupSet, tmp_path: Path, plug: Plug) -> None:
    outputs = media(tmp_path, medium={"disk": LABEL}).outputs
    assert (outputs["label"], outputs["sets"]) == (LABEL, [full.name])


@pytest.mark.parametrize(("days", "missed"), [(8, False), (7, True), (0, True)])
def test_a_disk_may_stay_put_away_until_its_turn_comes(
    full: BackupSet, tmp_path: Path, plug: Plug, days: int, missed: bool
) -> None:
    at = (NOW - timedelta(days=7)).isoformat()
    copied = {"at": at, "status": "changed", "outputs": {"label": LABEL, "sets": [full.name]}}
    plug.connected(False)
    call = backup_call(ACTION, {"disk": LABEL, "every_days": days}, tmp_path, past=[("backup.media", copied)])
    outcome = ACTION.run(call)
    if missed:
        assert_refused(outcome, "backup.media.missing", "is not connected")
    else:
        assert (outcome.status, outcome.problems) == (Status.OK, ())
        assert_fits(ACTION, outcome.outputs)
        assert outcome.outputs["summary"] == (
            f"hardisk {LABEL} tidak terpasang; terakhir disalin Minggu, 15 November 2026, disalin lagi "
            "paling lambat Senin, 23 November 2026"
        )


def test_copies_what_an_increment_needs_too(full: BackupSet, tmp_path: Path, plug: Plug) -> None:
    later = make_set(full.folder.parent, 2, {**SITE, "index.php": b"<?php 2"}, parent=full)
    outputs = media(tmp_path, disk=UUID).outputs
    assert (outputs["set"], outputs["sets"]) == (later.name, [full.name, later.name])
    assert sorted(path.name for path in (plug.mount / "backups" / "WEB-PN-TAIS").iterdir() if path.is_dir()) == [
        full.name,
        later.name,
    ]


def test_never_writes_where_a_disk_should_be(full: BackupSet, tmp_path: Path, plug: Plug) -> None:
    plug.mounted(False)
    outcome = media(tmp_path, disk=UUID)
    assert_refused(outcome, "backup.media.incomplete", "connected, but not mounted", "udisksctl mount")
    plug.connected(False)
    assert_refused(media(tmp_path, disk=UUID), "backup.media.missing", "is not connected", "connect it")
    assert list(plug.mount.iterdir()) == []


def test_stops_when_the_disk_goes_away(
    full: BackupSet, tmp_path: Path, plug: Plug, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another device now stands behind the folder: as after an unmount, when the folder itself is left."""
    real = os.fstat

    def elsewhere(descriptor: int) -> os.stat_result:
        found = list(real(descriptor))
        found[2] += 1
        return os.stat_result(found)

    monkeypatch.setattr("runner.actions.backup.disk_store.os.fstat", elsewhere)
    assert_refused(media(tmp_path, disk=UUID), "backup.media.incomplete", "the disk is no longer there")


def test_refuses_a_disk_without_room(
    full: BackupSet, tmp_path: Path, plug: Plug, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runner.actions.backup.copying.SPARE", 1 << 60)
    assert_refused(media(tmp_path, disk=UUID), "backup.media.incomplete", "the medium has no room", "are free")
    assert not list(plug.mount.rglob("p0000*"))


@pytest.mark.promise("Disk", "the disk with the backups is full", "told; nothing of the set is left there")
def test_says_when_the_disk_is_full_and_leaves_nothing_of_the_set(full: BackupSet, tmp_path: Path, plug: Plug) -> None:
    """A limit on the size of files fails writing as a full disk does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
    try:
        outcome = media(tmp_path, disk=UUID)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert_refused(outcome, "backup.media.incomplete", "the disk is full")
    assert not [path for path in plug.mount.rglob("*") if path.is_file()]
    media(tmp_path, disk=UUID)
    assert content(plug.mount / "backups" / "WEB-PN-TAIS" / full.name) == content(full.folder)


def test_finds_what_a_disk_has_lost(full: BackupSet, tmp_path: Path, plug: Plug) -> None:
    media(tmp_path, disk=UUID)
    part = next((plug.mount / "backups" / "WEB-PN-TAIS" / full.name).glob("p0000*"))
    data = bytearray(part.read_bytes())
    data[-5] ^= 1
    part.write_bytes(data)
    outcome = media(tmp_path, disk=UUID, check=True)
    assert_refused(outcome, "backup.media.incomplete", f"{full.name}/{part.name}", "not what was sealed")
    (part.parent / "MANIFEST.json").write_text("{}")
    assert_refused(media(tmp_path, disk=UUID), "backup.media.incomplete", "another set of this name")


def test_goes_on_after_a_copy_that_was_cut_off(full: BackupSet, tmp_path: Path, plug: Plug) -> None:
    staged = plug.mount / "backups" / "WEB-PN-TAIS" / f"{full.name}.partial"
    staged.mkdir(parents=True)
    (staged / "p0000.tar.zst").write_bytes(b"half")
    assert_refused(media(tmp_path, disk=UUID, check=True), "backup.media.incomplete", "it is not on the medium")
    media(tmp_path, disk=UUID)
    assert content(staged.with_name(full.name)) == content(full.folder)
    assert not staged.exists()


def test_previews_without_writing(full: BackupSet, tmp_path: Path, plug: Plug) -> None:
    preview = ACTION.preview(backup_call(ACTION, {"disk": UUID}, tmp_path))
    assert preview is not None
    assert preview.message.startswith(f"would copy and read back {full.name} (about ")
    assert list(plug.mount.iterdir()) == []
    plug.connected(False)
    with pytest.raises(Failed, match="is not connected"):
        ACTION.preview(backup_call(ACTION, {"disk": UUID}, tmp_path))


def test_previews_before_the_first_backup(tmp_path: Path) -> None:
    preview = ACTION.preview(backup_call(ACTION, {"s3": {"endpoint": "https://s3.id", "bucket": "b"}}, tmp_path))
    assert preview is not None
    assert preview.message == "would copy and read back the set that a backup before it makes on s3 https://s3.id"


def test_finds_a_real_mounted_disk() -> None:
    """The machine's own root, by the numbers of its device: mountinfo is read as it really is."""
    mounts = Path("/proc/self/mountinfo").read_text()
    line = next(each for each in mounts.splitlines() if each.split(" ")[4] == "/")
    assert any(place == "/" for _, _, place, _ in disks._mounted())
    assert line.split(" - ")[1].split(" ")[0] in {kind for *_, kind in disks._mounted()}
    with pytest.raises(Failed, match="is not connected"):
        find_disk("no-such-disk-here")


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshServer]:
    with ssh_server(tmp_path_factory.mktemp("host"), options={"Subsystem": "sftp internal-sftp"}) as running:
        yield running


def test_copies_to_another_host(full: BackupSet, tmp_path: Path, host: SshServer) -> None:
    there = {**host.settings, "host_key": host.host_key(), "folder": str(tmp_path / "nas" / "backups")}
    outputs = media(tmp_path, host=there).outputs
    copy = tmp_path / "nas" / "backups" / "WEB-PN-TAIS" / full.name
    assert content(copy) == content(full.folder)
    assert (outputs["medium"], outputs["label"]) == ("host", "127.0.0.1")
    assert outputs["files"] == len(full.sums) + 1
    assert media(tmp_path, host=there, check=True).status is Status.OK
    data = (copy / "SHA256SUMS").read_bytes()
    (copy / "SHA256SUMS").write_bytes(data[:-1])
    assert_refused(media(tmp_path, host=there, check=True), "backup.media.incomplete", "SHA256SUMS")
    forbidden = {**there, "folder": "/proc/no"}
    assert_refused(media(tmp_path, host=forbidden), "backup.media.incomplete", "the host says: ")


@pytest.fixture(scope="module")
def storage() -> Iterator[str]:
    with s3_server() as endpoint:
        Minio(endpoint.removeprefix("http://"), secure=False, **KEYS).make_bucket("pn-tais")
        yield endpoint


def test_copies_to_s3_storage(full: BackupSet, tmp_path: Path, storage: str) -> None:
    there = {"s3": {"endpoint": storage, "bucket": "pn-tais"}, **KEYS}
    outputs = media(tmp_path, **there).outputs
    assert outputs["place"] == f"{storage}/pn-tais/backups/WEB-PN-TAIS"
    client = Minio(storage.removeprefix("http://"), secure=False, **KEYS)
    prefix = f"backups/WEB-PN-TAIS/{full.name}/"
    stored = {item.object_name.removeprefix(prefix) for item in client.list_objects("pn-tais", prefix=prefix)}
    assert stored == set(content(full.folder))
    for name, data in content(full.folder).items():
        answer = client.get_object("pn-tais", prefix + name)
        assert answer.read() == data
        answer.close()
    assert media(tmp_path, **there, check=True).outputs["files"] == len(full.sums) + 1
    client.remove_object("pn-tais", prefix + "SHA256SUMS")
    outcome = media(tmp_path, **there, check=True)
    assert_refused(outcome, "backup.media.incomplete", "SHA256SUMS", "not what was sealed")


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"bucket": "no-such-bucket"}, "NoSuchBucket"),
        ({"endpoint": "http://127.0.0.1:9"}, "check the endpoint"),
        ({"endpoint": "s3.example.id"}, "is no address"),
    ],
)
def test_says_why_storage_refuses(
    full: BackupSet, tmp_path: Path, storage: str, wrong: Mapping[str, str], words: str
) -> None:
    there = {"endpoint": storage, "bucket": "pn-tais", **wrong}
    outcome = media(tmp_path, s3=there, **KEYS)
    assert_refused(outcome, "backup.media.incomplete", words)
    assert KEYS["secret_key"] not in outcome.message


@pytest.fixture
def large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> BackupSet:
    """A set whose volumes do not fit on one disc, discs being small here."""
    monkeypatch.setitem(discs.SIZES, "cd", 3 * discs.MIB)
    return make_volumes(tmp_path / "backups" / "WEB-PN-TAIS")


def make_volumes(folder: Path) -> BackupSet:
    made = make_set(folder, 1, SITE, databases={"joomla": DUMP, **{f"d{n}": noise(n) for n in range(4)}})
    assert len(made.parts) == 6
    return made


def noise(number: int) -> bytes:
    return b"".join(hashlib.sha256(b"%d %d" % (number, n)).hexdigest().encode() for n in range(14_000))


def test_makes_images_that_each_stand_alone(large: BackupSet, tmp_path: Path) -> None:
    outcome = media(tmp_path, disc="cd", images=str(tmp_path / "discs"))
    images = outcome.outputs["images"]
    assert len(images) > 1
    assert [image["label"] for image in images] == [f"WEB-PN-TAIS-20261101-1830-{n:02}" for n in (1, 2, 3)][
        : len(images)
    ]
    papers = set(large.sums) - {part["file"] for part in large.parts} | {"SHA256SUMS"}
    seen: set[str] = set()
    for image in images:
        assert hashlib.sha256(Path(image["path"]).read_bytes()).hexdigest() == image["sha256"]
        assert image["bytes"] <= discs.SIZES["cd"]
        out = tmp_path / image["label"]
        out.mkdir()
        subprocess.run(["bsdtar", "-xf", image["path"], "-C", str(out)], check=True)
        disc = out / large.name
        assert {path.name for path in disc.iterdir()} == papers | set(image["files"])
        for path in disc.iterdir():
            assert path.read_bytes() == large.file(path.name).read_bytes()
        assert "setiap cakram" in (out / "CAKRAM.txt").read_text().lower()
        assert not seen & set(image["files"])
        seen |= set(image["files"])
        sums = subprocess.run(["sha256sum", "--ignore-missing", "-c", "SHA256SUMS"], cwd=disc, capture_output=True)
        assert sums.returncode == 0, sums.stderr
    assert seen == {part["file"] for part in large.parts}
    assert media(tmp_path, disc="cd", images=str(tmp_path / "discs"), check=True).status is Status.OK


def test_refuses_a_volume_larger_than_a_disc(large: BackupSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(discs.SIZES, "cd", 2 * discs.MIB + 300_000)
    outcome = media(tmp_path, disc="cd", images=str(tmp_path / "discs"))
    assert_refused(outcome, "backup.media.incomplete", "too much for a cd", "volume_size")
    assert not list((tmp_path / "discs").glob("*")) if (tmp_path / "discs").exists() else True


def test_finds_a_spoilt_image(large: BackupSet, tmp_path: Path) -> None:
    image = Path(media(tmp_path, disc="cd", images=str(tmp_path / "discs")).outputs["images"][0]["path"])
    data = bytearray(image.read_bytes())
    part = large.file(large.parts[0]["file"]).read_bytes()
    at = data.find(part[:64])
    data[at + len(part) // 2] ^= 1
    image.write_bytes(data)
    outcome = media(tmp_path, disc="cd", images=str(tmp_path / "discs"), check=True)
    assert_refused(outcome, "backup.media.incomplete", "is not what was sealed")
    image.unlink()
    outcome = media(tmp_path, disc="cd", images=str(tmp_path / "discs"), check=True)
    assert_refused(outcome, "backup.media.incomplete", "there is no such image")
