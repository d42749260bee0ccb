"""An export for an auditor: checked with sha256sum and a bare Python, as the steps written in it say, without sop."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from runner.cli import run as sop
from runner.contract import Evidence, Severity
from runner.errors import Refused
from runner.record.evidence import EvidenceStore
from runner.record.exporting import Choice, export
from runner.record.journal import Journal
from runner.record.marks import Mark, State
from tests.event_factory import START, RunFactory, with_evidence
from tests.test_proof import unprotected


@pytest.fixture
def records(tmp_path: Path) -> Path:
    """Three runs; two of them kept a file, one of these the same as the other."""
    records = tmp_path / "records"
    store = EvidenceStore(records)
    page = store.keep("<b>halaman</b>.html", b"<p>report</p>", "text/html")
    film = store.keep("film.bin", bytes(range(256)) * 5000)
    with Journal.open(records) as journal:
        journal.append(RunFactory("20260101-0800-aaaaa").whole())
        journal.append(RunFactory("20260201-0800-bbbbb").whole(with_evidence(page, film)))
        journal.append(RunFactory("20260301-0800-ccccc").whole(with_evidence(page)))
        mark = Mark("a", None, State.ACCEPTED, "20260301-0800-ccccc", START, "Siti", severity=Severity.MINOR)
        journal.append([mark.event()])
    return records


def exported(records: Path, folder: Path, choice: Choice | None = None) -> Path:
    """The folder of an export, unpacked with a bare Python."""
    file = folder / "ekspor.zip"
    export(Journal(records), EvidenceStore(records), choice or Choice(), file)
    unpacked = folder / "unpacked"
    bare(folder, ["-m", "zipfile", "-e", str(file), str(unpacked)])
    (package,) = unpacked.iterdir()
    return package


def bare(folder: Path, words: Sequence[str], code: int = 0) -> str:
    """What a Python without sop and without settings says: no site packages, an empty environment."""
    command = [sys.executable, "-I", "-S", *words]
    done = subprocess.run(command, cwd=folder, env={}, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


def sums(package: Path) -> subprocess.CompletedProcess[str]:
    program = shutil.which("sha256sum")
    assert program, "sha256sum is missing: apt-get install coreutils"
    command = [program, "-c", "SHA256SUMS"]
    return subprocess.run(command, cwd=package, env={}, capture_output=True, text=True, timeout=60, check=False)


def test_an_export_verifies_where_there_is_no_sop(records: Path, tmp_path: Path) -> None:
    head = Journal(records).head()
    package = exported(records, tmp_path)
    assert (
        "No module named 'runner'"
        in subprocess.run(
            [sys.executable, "-I", "-S", "-c", "import runner"],
            cwd=package,
            capture_output=True,
            text=True,
            check=False,
        ).stderr
    )
    assert sums(package).returncode == 0
    assert set(sums(package).stdout.split()) >= {"journal.jsonl:", "verify.py:", "BACA-SAYA.txt:", "export.json:", "OK"}
    said = bare(package, ["verify.py"])
    assert said.splitlines()[-1] == "UTUH / WHOLE"
    assert f"records: 19; evidence: 2; head: {head}" in said
    assert "UTUH / WHOLE" in bare(package, ["verify.py", head[:12].upper()])
    assert "UTUH / WHOLE" in bare(package, ["verify.py", f"19:{head}"])
    assert "is not among these records" in bare(package, ["verify.py", f"18:{head}"], 1)
    assert "hexadecimal digits" in bare(package, ["verify.py", f"x:{head}"], 1)
    grouped = [head[at : at + 4] for at in range(0, 64, 4)]
    assert "UTUH / WHOLE" in bare(package, ["verify.py", *grouped])
    assert "is not among these records" in bare(package, ["verify.py", "0123456789ab"], 1)
    assert "hexadecimal digits" in bare(package, ["verify.py", head[:11]], 1)


def test_the_steps_are_written_in_it_and_the_single_record_can_be_computed(records: Path, tmp_path: Path) -> None:
    package = exported(records, tmp_path)
    steps = (package / "BACA-SAYA.txt").read_text()
    for words in ("CARA MEMERIKSA", "HOW TO CHECK", "sha256sum -c SHA256SUMS", "python3 -I verify.py HEAD"):
        assert words in steps
    assert max(map(len, steps.splitlines())) <= 140
    command = next(line.strip() for line in steps.splitlines() if line.strip().startswith("head -n 1"))
    command = command.replace("python3", f"{sys.executable} -I -S")
    done = subprocess.run(["sh", "-c", command], cwd=package, capture_output=True, text=True, timeout=60, check=True)
    first = json.loads((package / "journal.jsonl").read_text().splitlines()[0])
    assert done.stdout.split()[0] == first["hash"]


Spoil = Callable[[Path], None]


def _alter(package: Path) -> None:
    path = package / "journal.jsonl"
    path.write_text(path.read_text().replace("Pemeliharaan", "Pembaharuan", 1))


def _cut(package: Path) -> None:
    path = package / "journal.jsonl"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-3]))


def _remove(package: Path) -> None:
    path = package / "journal.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[:4] + lines[5:]))


def _swap(package: Path) -> None:
    path = package / "journal.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join([*lines[:4], lines[5], lines[4], *lines[6:]]))


def _alter_evidence(package: Path) -> None:
    next(path for path in (package / "evidence").rglob("*") if path.is_file()).write_bytes(b"other")


def _remove_evidence(package: Path) -> None:
    next(path for path in (package / "evidence").rglob("*") if path.is_file()).unlink()


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (_alter, "record 1: diubah / was altered"),
        (_cut, "the head of the chain is another one"),
        (_remove, "record 5: hilang / is missing"),
        (_swap, "hilang / is missing"),
        (_alter_evidence, "evidence is missing or was altered"),
        (_remove_evidence, "evidence is missing or was altered"),
    ],
)
def test_what_was_spoilt_afterwards_is_told(records: Path, tmp_path: Path, spoil: Spoil, told: str) -> None:
    package = exported(records, tmp_path)
    spoil(package)
    said = bare(package, ["verify.py"], 1)
    assert told in said
    assert said.endswith("TIDAK UTUH / NOT WHOLE\n")
    assert sums(package).returncode == 1


def test_the_same_records_give_the_same_bytes(records: Path, tmp_path: Path) -> None:
    files = []
    for name in ("one.zip", "two.zip"):
        export(Journal(records), EvidenceStore(records), Choice(), tmp_path / name)
        files.append((tmp_path / name).read_bytes())
    assert files[0] == files[1]
    assert (tmp_path / "one.zip").stat().st_mode & 0o777 == 0o600


def test_some_runs_are_an_excerpt_and_say_so(records: Path, tmp_path: Path) -> None:
    choice = Choice(("20260301-0800-ccccc",), words="20260301-0800-ccccc")
    package = exported(records, tmp_path, choice)
    said = bare(package, ["verify.py"])
    assert "records: 7; evidence: 1" in said, "the run, with what was said of it later"
    assert "An excerpt" in said
    steps = (package / "BACA-SAYA.txt").read_text()
    assert "PETIKAN: hanya 20260301-0800-ccccc." in steps
    assert "AN EXCERPT: only 20260301-0800-ccccc." in steps


def test_evidence_that_vanished_or_was_altered_is_told_and_the_rest_exported(
    records: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = EvidenceStore(records)
    kept = [path for path in (records / "evidence").rglob("*") if path.is_file()]
    kept[0].unlink()
    kept[1].chmod(0o600)
    kept[1].write_bytes(b"altered")
    out = tmp_path / "e.zip"
    assert sop(["export", "--out", str(out), "--records", str(records)]) == 7
    said = capsys.readouterr()
    assert "is missing or cannot be read" in said.err
    assert "was altered" in said.err
    assert "19 records, 0 files of evidence" in said.out
    found = export(Journal(records), store, Choice(), tmp_path / "again.zip")
    assert len(found.faults) == 2
    with zipfile.ZipFile(out) as archive:
        steps = next(name for name in archive.namelist() if name.endswith("BACA-SAYA.txt"))
        text = archive.read(steps).decode()
    assert text.count(kept[1].parent.name + kept[1].name) == 2
    assert "BUKTI YANG TIDAK DITEMUKAN" in text


def test_an_altered_journal_is_exported_as_it_is_and_named(
    records: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with unprotected(records) as connection:
        connection.execute("UPDATE events SET body = replace(body, 'Do check', 'Do nothing') WHERE seq = 7")
    assert sop(["export", "--out", str(tmp_path / "e.zip"), "--records", str(records)]) == 7
    assert "record 7: was altered" in capsys.readouterr().err
    package = exported(records, tmp_path)
    assert "record 7: diubah / was altered" in bare(package, ["verify.py"], 1)


@pytest.mark.promise("Files", "a hostile name in an auditor's file", "leads nowhere")
def test_a_hostile_name_leads_nowhere(tmp_path: Path) -> None:
    records = tmp_path / "records"
    with Journal.open(records) as journal:
        hostile = Evidence("../../x", "../../../etc/passwd", 1)
        journal.append([RunFactory().started(), RunFactory().finish(outcome=with_evidence(hostile))])
    found = export(Journal(records), EvidenceStore(records), Choice(), tmp_path / "e.zip")
    assert [fault.message for fault in found.faults]
    with zipfile.ZipFile(tmp_path / "e.zip") as archive:
        assert not [name for name in archive.namelist() if ".." in name or name.startswith("/")]


def test_what_cannot_be_done_is_refused_and_leaves_nothing(
    records: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def refused(*words: str) -> str:
        assert sop(["export", *words, "--records", str(records)]) == 5
        return capsys.readouterr().err

    out = tmp_path / "e.zip"
    assert "there is no journal" in (
        capsys.readouterr().err
        if sop(["export", "--out", str(out), "--records", str(tmp_path / "none")]) == 5
        else "it was not refused"
    )
    assert "is no period" in refused("--period", "kapan", "--out", str(out))
    assert "nothing was recorded in 2020" in refused("--period", "2020", "--out", str(out))
    assert "no run is called" in refused("x", "--out", str(out))
    assert "ask for runs or for a period" in refused("last", "--period", "2026", "--out", str(out))
    assert not out.exists()
    out.write_text("mine")
    assert "is there already" in refused("--out", str(out))
    assert out.read_text() == "mine"
    assert sop(["export", "--out", str(tmp_path / "no" / "e.zip"), "--records", str(records)]) == 7
    assert sorted(path.name for path in tmp_path.iterdir()) == ["e.zip", "records"]
    empty = tmp_path / "empty"
    Journal.open(empty)
    with pytest.raises(Refused, match="the journal is empty"):
        export(Journal(empty), EvidenceStore(empty), Choice(), tmp_path / "f.zip")


def test_a_period_and_a_run_are_chosen_on_the_command_line(
    records: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (
        sop(["export", "bbbbb", "--out", str(tmp_path / "r.zip"), "--records", str(records), "--format", "json"]) == 0
    )
    found = json.loads(capsys.readouterr().out)
    assert (found["records"], found["files"], found["faults"]) == (6, 2, [])
    assert sop(["export", "--period", "2026-11", "--out", str(tmp_path / "p.zip"), "--records", str(records)]) == 0
    assert "19 records" in capsys.readouterr().out
