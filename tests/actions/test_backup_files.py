"""backup.files on real trees with real tar."""

from __future__ import annotations

import grp
import hashlib
import os
import pwd
import resource
import subprocess
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from runner.actions.backup.set_files import entries_of
from runner.actions.backup.sets import load_set
from runner.actions.backup.storage import locked
from runner.actions.backup_files import ACTION
from runner.contract import Command, Result
from runner.durations import Deadline
from runner.errors import Failed, TimeUp
from tests.actions.backups import assert_refused, backup_call, files_in, run_well, seal, unpack_volumes
from tests.calls import LocalConnection

ODD_NAMES = (
    *(b"plain", b"-rf", b"--help", b"line\nbreak", b"latin\xe9\xff", b"\xc3\xa9", b" lead ", b"$(touch pwned)"),
    *(b"Case", b"case", b"q\"'`\\", b"n" * 255),
)


def write_odd_names(folder: Path) -> None:
    """Make a file of each of ODD_NAMES, with a content of its own."""
    for name in ODD_NAMES:
        with open(os.fsencode(folder) + b"/" + name, "wb") as file:
            file.write(name * 50)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    root = tmp_path / "the site"
    (root / "deep" / "er").mkdir(parents=True)
    write_odd_names(root / "deep")
    (root / "link").symlink_to("/etc/passwd")
    os.link(root / "deep" / "plain", root / "hard")
    (root / "empty").touch()
    (root / "large").write_bytes(os.urandom(3_000_000))
    with (root / "sparse").open("wb") as file:
        file.truncate(50_000_000)
    (root / "cache").mkdir()
    (root / "cache" / "x.log").write_text("x")
    os.utime(root / "large", (1_000_000_000, 1_000_000_000))
    (root / "large").chmod(0o640)
    return root


def snapshot(root: Path, only: Collection[bytes] = ()) -> dict[bytes, Any]:
    """Every entry with its kind, mode, time and hash of its content; or those entries only."""
    found: dict[bytes, Any] = {}
    for folder, names, files in os.walk(os.fsencode(root)):
        for name in names + files:
            if only and name not in only:
                continue
            path = os.path.join(folder, name)
            status = os.lstat(path)
            content = b""
            if os.path.islink(path):
                content = os.readlink(path)
            elif os.path.isfile(path):
                with open(path, "rb") as file:
                    content = hashlib.sha256(file.read()).digest()
            time = 0 if os.path.islink(path) else int(status.st_mtime)
            found[os.path.relpath(path, os.fsencode(root))] = (status.st_mode, status.st_nlink, time, content)
    return found


def restore(part: Any, folder: Path) -> Path:
    folder.mkdir()
    unpack_volumes(Path(part["path"]), folder)
    return folder


def test_restores_to_the_same_tree_with_plain_tools(site: Path, tmp_path: Path) -> None:
    outputs = run_well(ACTION, backup_call(ACTION, {"root": str(site)}, tmp_path))
    part = outputs["part"]
    assert outputs["entries"] == part["entries"] == len(snapshot(site)) + 1
    assert outputs["content_bytes"] == sum(path.stat().st_size for path in files_under(site))
    assert outputs["bytes"] < 10_000_000
    assert outputs["unsteady"] == []
    assert snapshot(restore(part, tmp_path / "restored")) == snapshot(site)
    assert not list(tmp_path.rglob("pwned"))


def files_under(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]


def test_the_shell_program_of_a_set_restores_it(site: Path, tmp_path: Path) -> None:
    folder = seal(run_well(ACTION, backup_call(ACTION, {"root": str(site)}, tmp_path))["part"], tmp_path)
    subprocess.run(["sh", folder / "PULIHKAN.sh", tmp_path / "restored"], check=True, capture_output=True)
    assert snapshot(tmp_path / "restored") == snapshot(site)
    again = subprocess.run(["sh", folder / "PULIHKAN.sh", tmp_path / "restored"], check=False, capture_output=True)
    assert again.returncode == 2
    assert b"tidak kosong" in again.stderr


def test_the_list_names_every_entry_with_its_hash_and_frame(site: Path, tmp_path: Path) -> None:
    found = load_set(seal(run_well(ACTION, backup_call(ACTION, {"root": str(site)}, tmp_path))["part"], tmp_path))
    entries = {entry.path: entry for entry in entries_of(found)}
    assert set(entries) == set(snapshot(site)) | {b"."}
    for path, entry in entries.items():
        place = os.path.join(os.fsencode(site), path)
        status = os.lstat(place)
        assert (entry.mtime_ns, entry.mode) == (status.st_mtime_ns, status.st_mode & 0o7777)
        if entry.type == "file":
            with open(place, "rb") as file:
                assert entry.sha256 == hashlib.file_digest(file, "sha256").hexdigest()
        with (found.folder / entry.part).open("rb") as volume:
            volume.seek(entry.frame)
            assert volume.read(4) == b"\x28\xb5\x2f\xfd"


def test_the_list_names_owners_and_groups(site: Path, tmp_path: Path) -> None:
    (site / "-plain").touch()
    nobody = 4_000_001  # no account has this number
    if os.geteuid() == 0:
        os.chown(site / "-plain", nobody, 1)
        os.chown(site / "large", 0, nobody)
    found = load_set(seal(run_well(ACTION, backup_call(ACTION, {"root": str(site)}, tmp_path))["part"], tmp_path))
    for entry in entries_of(found):
        place = Path(os.fsdecode(os.path.join(os.fsencode(site), entry.path)))
        status = place.lstat()
        group = str(nobody) if status.st_gid == nobody else grp.getgrgid(status.st_gid).gr_name
        assert entry.owner == (str(nobody) if status.st_uid == nobody else pwd.getpwuid(status.st_uid).pw_name)
        assert entry.group == group


def test_leaves_out_what_is_excluded(site: Path, tmp_path: Path) -> None:
    inputs = {"root": str(site), "exclude": ["cache", "./deep", "$(touch pwned)", "--checkpoint-action=exec=false"]}
    part = run_well(ACTION, backup_call(ACTION, inputs, tmp_path))["part"]
    restored = snapshot(restore(part, tmp_path / "restored"))
    assert sorted(restored) == [b"empty", b"hard", b"large", b"link", b"sparse"]
    assert part["exclude"] == inputs["exclude"]


def test_refuses_a_root_that_is_not_there_or_empty(site: Path, tmp_path: Path) -> None:
    for root, words in ((tmp_path / "none", "no such folder"), (site / "large", "no such folder")):
        assert_refused(ACTION.run(backup_call(ACTION, {"root": str(root)}, tmp_path)), "backup.files.incomplete", words)
    (tmp_path / "mountpoint").mkdir()
    call = backup_call(ACTION, {"root": str(tmp_path / "mountpoint")}, tmp_path)
    assert_refused(ACTION.run(call), "backup.files.incomplete", "is its disk mounted?")
    with pytest.raises(Failed, match="is its disk mounted"):
        ACTION.preview(call)
    assert files_in(tmp_path / "backups") == ["WEB-PN-TAIS/.lock"]


def test_refuses_when_all_is_excluded(site: Path, tmp_path: Path) -> None:
    call = backup_call(ACTION, {"root": str(site), "exclude": ["./*"]}, tmp_path)
    assert_refused(ACTION.run(call), "backup.files.incomplete", "nothing is left to back up")


def test_refuses_a_root_without_what_it_must_contain(site: Path, tmp_path: Path) -> None:
    well = {"root": str(site), "must_contain": ["deep/plain", "link", "-rf"]}
    (site / "-rf").touch()
    run_well(ACTION, backup_call(ACTION, well, tmp_path))
    call = backup_call(ACTION, {"root": str(site), "must_contain": ["large", "configuration.php"]}, tmp_path)
    assert_refused(ACTION.run(call), "backup.files.incomplete", "does not contain configuration.php")


@pytest.mark.parametrize("lost", ["sparse", "deep"])
def test_refuses_a_source_that_shrank(site: Path, tmp_path: Path, lost: str) -> None:
    earlier = run_well(ACTION, backup_call(ACTION, {"root": str(site)}, tmp_path))
    (site / lost).rename(tmp_path / "lost")
    outcome = ACTION.run(backup_call(ACTION, {"root": str(site)}, tmp_path, earlier=earlier))
    assert_refused(outcome, "backup.files.shrunk", "shrank by more than a fifth")
    assert len(list(folder_of(tmp_path).glob("*.parts"))) == 1
    run_well(ACTION, backup_call(ACTION, {"root": str(site), "accept_smaller": True}, tmp_path, earlier=earlier))


def folder_of(tmp_path: Path) -> Path:
    return tmp_path / "backups" / "WEB-PN-TAIS"


@dataclass(frozen=True, slots=True)
class Complaining(LocalConnection):
    """A connection over which tar, the first time, ends with that code and those complaints, its archive cut there."""

    code: int
    stderr: bytes
    cut: int | None = None
    complained: list[bool] = field(default_factory=list)

    def stream(self, command: Command, deadline: Deadline, sink: Callable[[bytes], None]) -> Result:
        if " tar " not in command.line or self.complained:
            return LocalConnection.stream(self, command, deadline, sink)
        self.complained.append(True)
        sink(self.run(command, deadline).stdout[: self.cut])
        return Result(self.code, b"", self.stderr)


def test_fetches_again_what_changed_while_it_was_read(site: Path, tmp_path: Path) -> None:
    said = (
        b"tar: large: file changed as we read it\ntar: deep/line\\nbreak: File shrank by 12 bytes; padding with zeros\n"
    )
    connection = Complaining(1, said)
    outputs = run_well(ACTION, backup_call(ACTION, {"root": str(site)}, tmp_path, connect=lambda: connection))
    assert outputs["unsteady"] == []
    assert connection.complained
    assert snapshot(restore(outputs["part"], tmp_path / "restored")) == snapshot(site)


def test_names_files_that_vanish(site: Path, tmp_path: Path) -> None:
    """One goes after the listing, as tar begins."""
    gone = site / "deep" / "plain-2"
    gone.write_text("here")
    connection = Vanishing(gone)
    outputs = run_well(ACTION, backup_call(ACTION, {"root": str(site)}, tmp_path, connect=lambda: connection))
    assert outputs["unsteady"] == outputs["part"]["vanished"] == ["deep/plain-2"]
    assert outputs["part"]["notes"] == ["vanished: deep/plain-2"]
    assert b"deep/plain-2" not in snapshot(restore(outputs["part"], tmp_path / "restored"))


@dataclass(frozen=True, slots=True)
class Vanishing(LocalConnection):
    """A connection to a server where a file goes between the listing and the archive."""

    path: Path

    def stream(self, command: Command, deadline: Deadline, sink: Callable[[bytes], None]) -> Result:
        if " tar " in command.line:
            self.path.unlink(missing_ok=True)
        return LocalConnection.stream(self, command, deadline, sink)


def test_names_a_file_that_grows_while_it_is_read(site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Real tar, which at every record it has read appends to the file."""
    programs = tmp_path / "programs"
    programs.mkdir()
    wrapper = programs / "tar"
    wrapper.write_text(
        "#!/bin/sh\ncase $1 in --version) exec /bin/tar --version;; esac\n"
        'exec /bin/tar --checkpoint=1 --checkpoint-action="exec=echo more >> \\"$GROWING\\"" "$@"\n'
    )
    wrapper.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    monkeypatch.setenv("GROWING", str(site / "large"))
    outputs = run_well(ACTION, backup_call(ACTION, {"root": str(site)}, tmp_path))
    assert outputs["part"]["changed_while_read"] == outputs["unsteady"] == ["large"]


@pytest.mark.parametrize(
    ("code", "said", "words"),
    [
        (2, b"tar: key: Cannot open: Permission denied\ntar: Exiting with failure status due to previous errors\n",
         "tar ended with exit code 2: tar: key: Cannot open: Permission denied"),
        (1, b"", "exit code 1"),
        (137, b"tar: a: file changed as we read it\n", "exit code 137"),
    ],
)  # fmt: skip
def test_refuses_an_archive_that_tar_could_not_finish(
    site: Path, tmp_path: Path, code: int, said: bytes, words: str
) -> None:
    call = backup_call(ACTION, {"root": str(site)}, tmp_path, connect=lambda: Complaining(code, said))
    assert_refused(ACTION.run(call), "backup.files.incomplete", words)
    assert list(folder_of(tmp_path).glob("*.parts")) == []


@pytest.mark.parametrize("kept", [0, 512, 100_000, -131072])
def test_goes_on_where_an_archive_was_cut(site: Path, tmp_path: Path, kept: int) -> None:
    """The first run refuses; the second has only the rest come."""
    call = backup_call(ACTION, {"root": str(site)}, tmp_path, connect=lambda: Complaining(0, b"", kept))
    assert_refused(ACTION.run(call), "backup.files.incomplete", "it goes on where it was")
    assert list(folder_of(tmp_path).glob("*.parts")) == []
    part = run_well(ACTION, backup_call(ACTION, {"root": str(site)}, tmp_path))["part"]
    assert snapshot(restore(part, tmp_path / "restored")) == snapshot(site)


@pytest.mark.promise("Disk", "the disk fills while a backup is written", "told; it goes on once there is room")
def test_says_when_the_disk_is_full_and_goes_on_once_there_is_room(site: Path, tmp_path: Path) -> None:
    """A limit on the size of files fails writing as a full disk does."""
    call = backup_call(ACTION, {"root": str(site)}, tmp_path)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, hard))
    try:
        outcome = ACTION.run(call)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert_refused(outcome, "backup.files.incomplete", "the disk is full", "make room")
    part = run_well(ACTION, call)["part"]
    assert snapshot(restore(part, tmp_path / "restored")) == snapshot(site)


def test_keeps_nothing_when_time_is_up(site: Path, tmp_path: Path) -> None:
    with pytest.raises(TimeUp):
        ACTION.run(backup_call(ACTION, {"root": str(site)}, tmp_path, limit=0.0))
    assert set(files_in(tmp_path / "backups")) <= {"WEB-PN-TAIS/.lock"}


def test_two_runs_at_once_do_not_mix(site: Path, tmp_path: Path) -> None:
    call = backup_call(ACTION, {"root": str(site)}, tmp_path)
    folder = folder_of(tmp_path)
    folder.mkdir(parents=True)
    with locked(folder, "another"):
        assert_refused(ACTION.run(call), "backup.files.incomplete", "being written by another run (another, process")
    run_well(ACTION, call)


def test_previews_without_writing(site: Path, tmp_path: Path) -> None:
    before = snapshot(site)
    preview = ACTION.preview(backup_call(ACTION, {"root": str(site)}, tmp_path))
    assert preview is not None
    assert preview.message.startswith(f"would copy {site} ({len(before) + 1} entries, 53.0 MB before compression) to")
    assert snapshot(site) == before
    assert not (tmp_path / "backups").exists()


def test_several_targets_share_one_folder_for_temporary_files(site: Path, tmp_path: Path) -> None:
    """As in a run over many targets at a time."""
    targets = [{"name": f"pn_{number}", "kind": "website"} for number in range(4)]
    calls = [backup_call(ACTION, {"root": str(site)}, tmp_path, target=target) for target in targets]
    with ThreadPoolExecutor(4) as pool:
        previews = list(pool.map(ACTION.preview, calls))
        parts = [outcome.outputs["part"] for outcome in pool.map(ACTION.run, calls)]
    assert {preview.message.partition(" to ")[0] for preview in previews if preview} == {
        previews[0].message.partition(" to ")[0] if previews[0] else ""
    }
    assert len({part["sha256"] for part in parts}) == 1


def test_refuses_a_destination_whose_disk_is_missing(site: Path, tmp_path: Path) -> None:
    inputs = {"root": str(site), "destination": str(tmp_path / "mnt" / "disk" / "backups")}
    call = backup_call(ACTION, inputs, tmp_path)
    assert_refused(ACTION.run(call), "backup.files.incomplete", "check the destination, and its disk")
    with pytest.raises(Failed, match="check the destination"):
        ACTION.preview(call)
