"""The record's second copy: whole, as of one moment, never worse than the one before, and fit to go on from."""

from __future__ import annotations

import json
import shutil
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

from runner.cli import run as sop
from runner.durations import Deadline
from runner.errors import Failed, RecordError, TimeUp
from runner.record.copying import Copied, copy_record
from runner.record.evidence import EvidenceStore
from runner.record.folder import share_disk
from runner.record.journal import Journal
from tests.event_factory import RunFactory, with_evidence
from tests.test_retention import PURGE, keep

PLAYBOOK = """
procedure: {{title: T}}
steps:
  - id: look
    activity: a
    tasks: [{{id: look, action: command.run, effect: read, with: {{command: "yes x | head -c 70000"}}}}]
  - id: copy
    activity: b
    outputs: [{{id: summary, text: S, value: "{{{{ tasks.copy.summary }}}}"}}]
    tasks: [{{id: copy, action: record.backup, with: {{folder: {folder}, accept_same_disk: true}}}}]
"""


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    journal = Journal.open(tmp_path / "records")
    add(journal, "20261122-0930-aaaaa", b"satu")
    return journal


def add(journal: Journal, run: str, content: bytes) -> str:
    """A run with a file of evidence; its SHA-256."""
    kept = EvidenceStore(journal.records).keep("bukti.txt", content, "text/plain")
    journal.append(RunFactory(run).whole(with_evidence(kept)))
    return kept.sha256


def copy(journal: Journal, folder: Path, seconds: float = 60) -> Copied:
    return copy_record(journal, folder, Deadline.after(seconds))


def verified(folder: Path) -> list[object]:
    return [*Journal.open(folder, create=False).verify()]


@pytest.mark.promise(
    "The record's life", "the disk of the record is lost", "its second copy is whole, and runs go on from it"
)
def test_a_copy_is_whole_and_runs_go_on_from_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("p.yml").write_text(PLAYBOOK.format(folder=tmp_path / "salinan"))
    Path("inventory.yml").write_text("office: {name: PN Contoh, timezone: Asia/Jakarta}\n")
    assert sop(["run", "p.yml"]) == 0
    assert sop(["run", "p.yml", "--format", "json"]) == 0
    told = json.loads(capsys.readouterr().out.partition("\n{")[2].join(["{", ""]))
    assert "Salinan catatan utuh sampai catatan ke-" in json.dumps(told)
    shutil.rmtree("records")
    shutil.copytree("salinan", "records")
    assert sop(["verify"]) == 0
    assert sop(["run", "p.yml", "--only", "look"]) == 0
    assert sop(["verify"]) == 0
    assert sop(["history", "--format", "json"]) == 0
    assert len(json.loads(capsys.readouterr().out.rpartition("\n{")[2].join(["{", ""]))["runs"]) == 3


@pytest.mark.promise("The record's life", "the disk for its copy is not mounted", "nothing is copied, and it is said")
def test_a_disk_that_is_not_mounted_is_never_a_folder_to_write_into(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    missing = tmp_path / "media" / "disk"
    Path("p.yml").write_text(PLAYBOOK.format(folder=missing).replace(", accept_same_disk: true", ""))
    Path("inventory.yml").write_text("office: {name: PN Contoh, timezone: Asia/Jakarta}\n")
    for command in (["run", "p.yml"], ["plan", "p.yml"], ["run", "p.yml"]):
        capsys.readouterr()
        assert sop(command) == 2
        told = " ".join("".join(capsys.readouterr()).split())  # the plan's lines are broken at the terminal's width
        assert "disk: it is on the disk that the record itself is on. mount the other" in told
    assert not missing.parent.exists()


def test_another_disk_is_told_from_this_one(tmp_path: Path) -> None:
    assert share_disk(tmp_path, tmp_path / "yet" / "to be made")
    assert not share_disk(tmp_path, Path("/proc/yet/to be made"))


def test_a_copy_is_private_and_needs_nothing_beside_it(journal: Journal, tmp_path: Path) -> None:
    copied = copy(journal, tmp_path / "salinan")
    assert (copied.record, copied.head) == journal.tip()
    assert (copied.files, copied.new_files, copied.deleted) == (1, 1, 0)
    assert sorted(path.name for path in (tmp_path / "salinan").iterdir())[:2] == ["evidence", "journal.sqlite"]
    for path in (tmp_path / "salinan").rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path
    assert verified(tmp_path / "salinan") == []


def test_evidence_is_copied_once_and_mended_where_it_was_spoilt(journal: Journal, tmp_path: Path) -> None:
    folder = tmp_path / "salinan"
    copy(journal, folder)
    sha256 = add(journal, "20261122-0931-bbbbb", b"dua")
    assert copy(journal, folder).new_files == 1
    assert copy(journal, folder).new_files == 0
    path = EvidenceStore(folder).path(sha256)
    path.chmod(0o600)
    path.write_bytes(b"dwa")
    assert copy(journal, folder).new_files == 1
    assert verified(folder) == []


@pytest.mark.promise("The record's life", "the journal was {case} since the last copy", "the copy is not written over")
@pytest.mark.parametrize("longer", [pytest.param(False, id="cut off"), pytest.param(True, id="rebuilt")])
def test_a_copy_that_knows_more_is_not_written_over(journal: Journal, tmp_path: Path, longer: bool) -> None:
    folder = tmp_path / "salinan"
    add(journal, "20261122-0931-bbbbb", b"dua")
    copy(journal, folder)
    before = (folder / "journal.sqlite").read_bytes()
    with Journal.open(tmp_path / "other") as other:
        add(other, "20261122-0930-aaaaa", b"satu")
        if longer:
            for number in range(3):
                add(other, f"20261122-094{number}-ccccc", b"lain")
        with pytest.raises(Failed, match="cut off or rebuilt, or it is another one"):
            copy(other, folder)
    assert (folder / "journal.sqlite").read_bytes() == before
    assert verified(folder) == []


@pytest.mark.promise("The record's life", "the record is copied while runs append to it", "one moment of it, whole")
def test_a_copy_made_while_runs_append_is_one_moment(journal: Journal, tmp_path: Path) -> None:
    going = threading.Event()

    def append() -> None:
        for number in range(200):
            if going.is_set():
                return
            add(journal, f"20261122-{number:04}-bbbbb", b"%d" % number)

    thread = threading.Thread(target=append)
    thread.start()
    try:
        records = [copy(journal, tmp_path / "salinan").record for _ in range(4)]
    finally:
        going.set()
        thread.join()
    assert records == sorted(records)
    assert verified(tmp_path / "salinan") == []
    assert copy(journal, tmp_path / "salinan").record == journal.tip()[0]


@pytest.mark.promise(
    "The record's life", "evidence is missing or altered when the record is copied", "told, with its name"
)
def test_a_record_that_is_not_whole_is_told(journal: Journal, tmp_path: Path) -> None:
    sha256 = add(journal, "20261122-0931-bbbbb", b"dua")
    path = EvidenceStore(journal.records).path(sha256)
    path.chmod(0o600)
    path.write_bytes(b"dwa")
    with pytest.raises(Failed, match=r"evidence 'bukti.txt' was altered.*sop verify"):
        copy(journal, tmp_path / "salinan")
    path.unlink()
    with pytest.raises(Failed, match=r"evidence 'bukti.txt' is missing"):
        copy(journal, tmp_path / "salinan")


@pytest.mark.promise(
    "The record's life", "evidence with personal data was deleted at its end", "it goes from the copy too"
)
def test_what_was_deleted_by_rule_goes_from_the_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    kept, outcome = keep(tmp_path / "records", b"203.0.113.7 GET /.env")
    with Journal.open(tmp_path / "records") as journal:
        journal.append(RunFactory().whole(outcome))
        assert copy(journal, tmp_path / "salinan").files == 1
        Path("purge.yml").write_text(PURGE)
        Path("inventory.yml").write_text("office: {name: PN Contoh, timezone: Asia/Jakarta}\n")
        assert sop(["run", "purge.yml"]) == 0
        assert copy(journal, tmp_path / "salinan").deleted == 1
    assert not EvidenceStore(tmp_path / "salinan").path(kept.sha256).exists()
    assert verified(tmp_path / "salinan") == []


def test_an_altered_record_is_told(journal: Journal, tmp_path: Path) -> None:
    journal.close()
    with closing(sqlite3.connect(journal.path)) as connection:
        connection.executescript("DROP TRIGGER never_updated; UPDATE events SET body = body || ' ' WHERE seq = 2")
    with pytest.raises(Failed, match="the copy is not whole, as the record is not"):
        copy(journal, tmp_path / "salinan")


@pytest.mark.parametrize("place", ["records", "records/salinan", "."])
def test_a_copy_is_not_kept_with_what_it_is_of(journal: Journal, tmp_path: Path, place: str) -> None:
    with pytest.raises(Failed, match="it lies with the record that it is to save"):
        copy(journal, tmp_path / place)


def test_a_copy_that_takes_too_long_ends_and_goes_on_later(journal: Journal, tmp_path: Path) -> None:
    with pytest.raises(TimeUp, match="run it again: it goes on"):
        copy(journal, tmp_path / "salinan", seconds=0)
    assert copy(journal, tmp_path / "salinan").files == 1


def test_a_folder_that_cannot_be_written_is_told(journal: Journal, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RecordError, match="name another folder"):
        copy(journal, tmp_path / "file" / "salinan")
