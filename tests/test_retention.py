"""Evidence with personal data goes when its time is over, the record says so, and nothing that is needed goes."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from runner.actions.evidence_purge import ACTION
from runner.cli import run as sop
from runner.contract import Evidence, Outcome, Problem, Severity, Status
from runner.durations import Clock
from runner.errors import Failed
from runner.events import Event, Key
from runner.record.evidence import EvidenceStore
from runner.record.exporting import Choice, export
from runner.record.journal import Journal
from runner.record.retention import find_expired
from runner.recorders import JournalRecorder
from tests.calls import assert_fits, make_call
from tests.event_factory import START, RunFactory, with_evidence

TODAY = date(2026, 11, 22)
KEY = Key("purge", 1, "purge", None, "", 1)
PURGE = """\
procedure: {title: Penghapusan}
steps: [{id: purge, activity: a, tasks: [{id: purge, action: evidence.purge}]}]
"""


def keep(records: Path, text: bytes, until: str = "2026-08-01", **more: object) -> tuple[Evidence, Outcome]:
    """Keep a file with personal data, and the outcome that names it."""
    kept = EvidenceStore(records).keep("hits.restricted.jsonl", text, "application/x-ndjson")
    row = {"name": kept.name, "sha256": kept.sha256, "size": kept.size, "until": until, "reason": "keamanan"}
    outcome = replace(with_evidence(kept), outputs={"restricted": [{**row, "keeper": "admin"}]}, **more)  # type: ignore[arg-type]  # fields of an outcome
    return kept, outcome


def held(journal: Journal, today: date = TODAY) -> dict[str, str]:
    return {each.sha256: each.held for each in find_expired(journal, today)}


@pytest.fixture
def records(tmp_path: Path) -> Path:
    return tmp_path / "records"


@pytest.mark.promise("The record's life", "personal data at the end of its retention", "goes, and not a day earlier")
def test_what_is_over_may_go_and_not_a_day_earlier(records: Path) -> None:
    kept, outcome = keep(records, b"203.0.113.7 GET /.env", until="2026-11-21")
    with Journal.open(records) as journal:
        journal.append(RunFactory().whole(outcome))
        assert held(journal) == {kept.sha256: ""}
        assert held(journal, date(2026, 11, 21)) == {}


def test_a_file_kept_twice_stays_until_the_later_day(records: Path) -> None:
    kept, outcome = keep(records, b"the same lines")
    _, later = keep(records, b"the same lines", until="2026-11-22")
    with Journal.open(records) as journal:
        journal.append(RunFactory("one").whole(outcome))
        journal.append(RunFactory("two").whole(later))
        assert held(journal) == {}
        assert held(journal, date(2026, 11, 23)) == {kept.sha256: ""}


def test_what_was_kept_without_an_end_too_stays(records: Path) -> None:
    kept, outcome = keep(records, b"lines")
    with Journal.open(records) as journal:
        journal.append(RunFactory("one").whole(outcome))
        journal.append(RunFactory("two").whole(with_evidence(kept)))
        assert "without an end" in held(journal)[kept.sha256]


@pytest.mark.promise(
    "The record's life", "retention ends of what an open problem rests on", "it stays until that is solved"
)
def test_what_an_open_problem_rests_on_stays_until_it_is_solved(records: Path) -> None:
    problem = Problem("visitors.likely_intrusion", Severity.CRITICAL, "diduga berhasil")
    kept, outcome = keep(records, b"lines", problems=(problem,))
    with Journal.open(records) as journal:
        journal.append(RunFactory("one").whole(outcome))
        assert "not solved" in held(journal)[kept.sha256]
        journal.append(RunFactory("two").whole(Outcome(Status.OK)))
        assert held(journal) == {kept.sha256: ""}


@pytest.mark.parametrize("where", ["subject", "evidence"])
@pytest.mark.promise("The record's life", "retention ends of what a person signed", "it stays")
def test_what_a_person_signed_stays(records: Path, where: str) -> None:
    kept, outcome = keep(records, b"lines")
    one = RunFactory("one")
    answer = one.answered()
    value = kept.sha256 if where == "subject" else [kept._asdict()]
    signed = replace(answer, data={**answer.data, where: value})
    with Journal.open(records) as journal:
        journal.append(one.whole(outcome))
        journal.append([one.requested(), signed])
        assert "signature" in held(journal)[kept.sha256]


def test_what_a_waiting_run_made_stays(records: Path) -> None:
    kept, outcome = keep(records, b"lines")
    one = RunFactory("one")
    events = one.whole(outcome)[:-1]
    with Journal.open(records) as journal:
        journal.append([*events, one.ended(Status.WAITING, 3)])
        assert "not at its end" in held(journal)[kept.sha256]


class At(Clock):
    """A clock that stands."""

    def now(self) -> datetime:
        return datetime(2026, 11, 22, 2, tzinfo=UTC)


def purge(journal: Journal, run: str = "purging") -> list[Event]:
    """Do what the action does, and record it."""
    recorder = JournalRecorder(journal, "care", KEY, run, lambda run, kind: b"", At())
    call = make_call(ACTION, directory=journal.records.parent)._replace(record=recorder)
    outcome = ACTION.run(call)
    assert_fits(ACTION, outcome.outputs)
    events = RunFactory(run, "purge", START).whole(outcome)
    events[3] = replace(events[3], data={**events[3].data, "action": "evidence.purge"})
    journal.append(events)
    return events


@pytest.mark.promise(
    "The record's life", "evidence that was deleted by rule", "told with day and rule; the record is whole"
)
def test_what_was_deleted_by_rule_is_not_missing(records: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept, outcome = keep(records, b"203.0.113.7")
    other = EvidenceStore(records).keep("visitors.json", b"{}", "application/json")
    with Journal.open(records) as journal:
        journal.append(RunFactory("one").whole(replace(outcome, evidence=(kept, other))))
        purge(journal)
        assert not EvidenceStore(records).path(kept.sha256).exists()
        assert journal.verify() == []
        assert sop(["verify", "--records", str(records)]) == 0
        told = capsys.readouterr().out
        assert "'hits.restricted.jsonl' was deleted on 2026-11-22 by rule: kept until 2026-08-01 for: keamanan" in told
        EvidenceStore(records).delete(other.sha256)
        assert ["missing" in str(fault) for fault in journal.verify()] == [True]


@pytest.mark.promise("The record's life", "evidence that somebody deleted", "missing, by name")
def test_what_is_gone_without_a_record_of_it_is_missing(records: Path) -> None:
    kept, outcome = keep(records, b"203.0.113.7")
    with Journal.open(records) as journal:
        journal.append(RunFactory("one").whole(outcome))
        EvidenceStore(records).delete(kept.sha256)
        (fault,) = journal.verify()
        assert "missing" in fault.message


@pytest.mark.promise("The record's life", "killed while evidence is deleted", "recorded the next time")
def test_a_deletion_that_was_cut_off_is_recorded_the_next_time(records: Path) -> None:
    kept, outcome = keep(records, b"203.0.113.7")
    with Journal.open(records) as journal:
        journal.append(RunFactory("one").whole(outcome))
        EvidenceStore(records).delete(kept.sha256)  # and then the power went
        events = purge(journal)
        assert [(row["sha256"], row["there"]) for row in events[3].data["outputs"]["deleted"]] == [(kept.sha256, False)]
        assert journal.verify() == []
        assert purge(journal, "again")[3].data["outputs"]["deleted"] == []


def test_a_deletion_excuses_no_file_that_was_not_due(records: Path) -> None:
    kept, outcome = keep(records, b"203.0.113.7", until="2027-01-01")
    row = {**outcome.outputs["restricted"][0], "rule": "false", "run": "one"}
    lie = RunFactory("two").whole(Outcome(Status.CHANGED, outputs={"deleted": [row]}))
    lie[3] = replace(lie[3], data={**lie[3].data, "action": "evidence.purge"})
    with Journal.open(records) as journal:
        journal.append(RunFactory("one").whole(outcome))
        journal.append(lie)
        EvidenceStore(records).delete(kept.sha256)
        (fault,) = journal.verify()
        assert "missing" in fault.message


def test_an_action_can_read_what_was_kept_and_delete_only_what_is_over(records: Path) -> None:
    other = EvidenceStore(records).keep("report.html", b"<p>", "text/html")
    kept, outcome = keep(records, b"lines", until="2027-01-01")
    with Journal.open(records) as journal:
        journal.append(RunFactory("one").whole(with_evidence(other)))
        journal.append(RunFactory("two").whole(outcome))
        recorder = JournalRecorder(journal, "care", KEY, "three", lambda run, kind: b"", At())
        assert recorder.delete_expired(TODAY) == []
        assert (recorder.evidence(other.sha256), recorder.evidence(kept.sha256)) == (b"<p>", b"lines")
        with pytest.raises(Failed, match="cannot be read"):
            recorder.evidence("0" * 64)
        (gone,) = recorder.delete_expired(date(2027, 1, 2))
        assert (gone["sha256"], gone["there"]) == (kept.sha256, True)
        with pytest.raises(Failed, match="cannot be read"):
            recorder.evidence(kept.sha256)


def test_an_export_says_what_was_deleted(records: Path, tmp_path: Path) -> None:
    _, outcome = keep(records, b"203.0.113.7")
    with Journal.open(records) as journal:
        journal.append(RunFactory("one").whole(outcome))
        purge(journal)
        found = export(journal, EvidenceStore(records), Choice(), tmp_path / "ekspor.zip")
    assert found.faults == []
    command = [sys.executable, "-I", "-m", "zipfile", "-e", str(tmp_path / "ekspor.zip"), str(tmp_path / "out")]
    subprocess.run(command, check=True)
    (package,) = (tmp_path / "out").iterdir()
    check = subprocess.run(
        [sys.executable, "-I", str(package / "verify.py")], capture_output=True, text=True, check=False
    )
    assert check.returncode == 0, check.stdout
    assert "was deleted on 2026-11-22" in check.stdout
    assert "MASA SIMPANNYA" in (package / "BACA-SAYA.txt").read_text()


def test_the_purge_runs_in_a_playbook_and_its_plan_deletes_nothing(
    records: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    kept, outcome = keep(records, b"203.0.113.7", until="2026-01-01")
    with Journal.open(records) as journal:
        journal.append(RunFactory("20251001-0930-aaaaa").whole(outcome))
    monkeypatch.chdir(tmp_path)
    Path("p.yml").write_text(PURGE)
    Path("inventory.yml").write_text("office: {personal_data: {keep: 30 hari, keeper: admin}}\n")
    assert sop(["plan", "p.yml"]) == 0
    assert EvidenceStore(records).path(kept.sha256).exists()
    capsys.readouterr()
    assert sop(["run", "p.yml", "--format", "json"]) == 0
    (task,) = json.loads(capsys.readouterr().out)["steps"][0]["targets"][0]["tasks"]
    assert task["status"] == "changed"
    assert task["outputs"]["summary"].startswith("1 berkas bukti berisi data pribadi dihapus")
    assert not EvidenceStore(records).path(kept.sha256).exists()
    assert sop(["verify"]) == 0
    assert sop(["show", "20251001", "--save", "out"]) == 0
