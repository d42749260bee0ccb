"""A records folder that a group shares: every one of it can sign under a login of their own; without that, nobody."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.cli import run as sop
from runner.record.evidence import EvidenceStore
from runner.record.folder import make_folder

GROUP, OFFICIAL = 23456, 12345  # a group and a user without a name on this machine
PLAYBOOK = """
procedure: {title: T, roles: {kasubbag: Kasubbag}}
steps:
  - id: forward
    activity: a
    actor: kasubbag
    tasks: [{id: sign, action: person.sign, with: {document: Laporan.}}]
"""
INVENTORY = f"people: {{budi: {{name: Budi, login: '{OFFICIAL}', roles: [{{role: kasubbag}}]}}}}\n"


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A working folder that everybody may enter, which pytest's own are not."""
    place = Path(tempfile.mkdtemp(prefix="sop-shared-"))
    place.chmod(0o755)
    monkeypatch.chdir(place)
    (place / "p.yml").write_text(PLAYBOOK)
    (place / "inventory.yml").write_text(INVENTORY)
    yield place
    shutil.rmtree(place)


def modes(records: Path) -> set[int]:
    """The modes of all files below a folder, and of all folders."""
    return {stat.S_IMODE(path.stat().st_mode) for path in records.rglob("*")}


def test_what_is_kept_in_a_shared_folder_is_shared(folder: Path) -> None:
    records = folder / "records"
    records.mkdir()
    records.chmod(0o2770)
    assert sop(["run", "p.yml"]) == 3
    assert modes(records) == {0o2770, 0o660, 0o440}


def test_what_is_kept_elsewhere_is_private(folder: Path) -> None:
    assert sop(["run", "p.yml"]) == 3
    assert modes(folder / "records") == {0o700, 0o600, 0o400}
    make_folder(folder / "other")
    kept = EvidenceStore(folder / "other").keep("a", b"x")
    assert stat.S_IMODE(EvidenceStore(folder / "other").path(kept.sha256).stat().st_mode) == 0o400


def sop_as(user: int, group: int, *words: str) -> int:
    """Run `sop` in a process of another user; what it needs was loaded before. Return its exit code."""
    process = os.fork()
    if process:
        return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    try:
        os.setgroups([group])
        os.setgid(group)
        os.setuid(user)
        os._exit(sop(list(words)))
    finally:
        os._exit(99)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become other users; the modes are tested without")
@pytest.mark.parametrize(("shared", "group", "code"), [(True, GROUP, 0), (True, GROUP + 1, 5), (False, GROUP, 5)])
def test_another_user_of_the_group_signs_and_nobody_else(
    folder: Path, shared: bool, group: int, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    records = folder / "records"
    if shared:
        records.mkdir()
        os.chown(records, -1, GROUP)
        records.chmod(0o2770)
    assert sop(["run", "p.yml"]) == 3
    for words in (["sign", "last", "forward", "--answer", "signed"], ["verify"], ["status"]):
        sop(words)  # root is refused; but it loads what the other user may not be able to read
    assert sop_as(OFFICIAL, group, "sign", "last", "forward", "--answer", "signed") == code
    assert sop(["verify"]) == 0
    assert sop(["resume", "last"]) == (0 if code == 0 else 3)
