"""A record of the first release is opened, verified, reported on and gone on with by every later one.

tests/cases/first-release.tar.xz was made by sop 0.1.0: a run whose report Siti signed by SSH, one that failed, one of a
single step, and one that waits for her. It stays as it is: a later format brings it up when it is opened.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import tarfile
from contextlib import closing
from pathlib import Path

import pytest

from runner.cli import run as sop
from tests.logins import sign_in

ARCHIVE = Path(__file__).parent / "cases" / "first-release.tar.xz"
SIGNED = "20261122-2205-rd7vp"
HEAD = "29:06e30ff75335"


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder of the first release."""
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(tmp_path, filter="data")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SOP_KEY", "rahasia-besar")
    return tmp_path


@pytest.mark.promise("Upgrade", "a journal of the first release", "verifies, with its signature and its printed head")
def test_a_record_of_the_first_release_verifies(office: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert sop(["verify", "--head", HEAD]) == 0
    assert "the record is whole" in capsys.readouterr().out
    with closing(sqlite3.connect(office / "records" / "journal.sqlite")) as connection:
        [(body,)] = connection.execute("SELECT body FROM events WHERE kind = 'answered'")
    assert json.loads(body)["data"]["method"].startswith("ssh SHA256:")


@pytest.mark.promise("Upgrade", "a journal of the first release", "its runs are listed, shown, reported and exported")
def test_a_record_of_the_first_release_is_read(office: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert sop(["history", "--format", "json"]) == 0
    assert [each["status"] for each in json.loads(capsys.readouterr().out)["runs"]] == ["waiting", "ok", "failed", "ok"]
    assert sop(["show", SIGNED, "--format", "json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert [step["status"] for step in shown["steps"]] == ["ok", "ok", "ok"]
    assert sop(["report", "situation", SIGNED]) == 0
    assert sop(["dashboard", "--out", "layar"]) == 0
    assert sop(["export", "--out", "auditor.zip"]) == 0
    assert sop(["show", SIGNED, "look", "--save", "bukti"]) == 0
    assert any(path.read_bytes().startswith(b"baris") for path in Path("bukti").rglob("*") if path.is_file())


@pytest.mark.promise(
    "Upgrade", "a run of the first release that waits for a person", "is answered, and goes on to its end"
)
def test_a_run_of_the_first_release_goes_on(office: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sign_in(monkeypatch, "siti")
    assert sop(["sign", "last", "report", "--answer", "signed"]) == 0
    assert sop(["resume", "last"]) == 0
    assert sop(["run", "p.yml"]) == 3
    assert sop(["verify", "--head", HEAD]) == 0


@pytest.mark.promise(
    "Upgrade", "a journal of a newer program, by each command", "refused with words; not a byte is changed"
)
@pytest.mark.parametrize(
    "words", [["run", "p.yml"], ["resume", "last"], ["history"], ["verify"], ["status"], ["export", "--out", "a.zip"]]
)
def test_an_older_program_leaves_a_newer_journal_alone(
    office: Path, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    with closing(sqlite3.connect("records/journal.sqlite")) as connection:
        connection.execute("PRAGMA user_version = 99")
    before = Path("records/journal.sqlite").read_bytes()
    assert sop(words) == 7
    told = capsys.readouterr().err
    assert "written by a newer sop (format 99, this one knows " in told
    assert "upgrade this sop" in told
    assert Path("records/journal.sqlite").read_bytes() == before
    assert not Path("a.zip").exists()


def test_the_first_format_can_be_read_where_nothing_can_be_written(office: Path) -> None:
    shutil.copytree("records", "kept")
    for path in sorted(Path("kept").rglob("*"), reverse=True):
        path.chmod(0o500 if path.is_dir() else 0o400)
    assert sop(["verify", "--records", "kept"]) == 0
