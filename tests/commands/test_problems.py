"""`sop problems`: listed, taken up by one run only, accepted in one's own name, opened again, told with their past."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from runner.cli import group
from runner.cli import run as sop
from runner.errors import Refused
from runner.record.journal import Journal
from runner.record.marks import Mark, load_marks
from runner.record.register import PROBLEM_SCHEMA, REGISTER_SCHEMA
from tests.clocks import FixedClock
from tests.commands.test_running import document
from tests.logins import sign_in
from tests.web_servers import Handler, Reply, serve

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
KEY = "website.unavailable"
PLAYBOOK = """
procedure: {title: T, roles: {admin: Admin, kasubbag: Kasubbag}}
steps:
  - id: watch
    activity: a
    targets: websites
    tasks: [{id: available, action: website.available, with: {tries: 1, addresses: false}}]
  - id: solution
    activity: b
    tasks:
      - {id: ways, action: problem.alternatives}
      - id: work
        action: person.do
        actor: kasubbag
        with: {question: "Pecahkan: {{ tasks.ways.summary }}", answers: [selesai]}
supplement: {after: {problems: [solution]}}
"""
INVENTORY = """
office: {{name: PN Contoh, timezone: Asia/Jakarta}}
servers: {{here: {{connection: local}}}}
websites:
  situs: {{url: "{url}", server: here}}
knowledge: [{{fault: "website.*", title: Situs mati, remedies: Hidupkan kembali.}}]
people:
  siti: {{name: "Siti Aminah, S.H.", login: siti, roles: [{{role: admin}}]}}
  budi: {{name: Budi, login: budi, roles: [{{role: kasubbag}}]}}
"""


@pytest.fixture
def statuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """A working folder whose website is down at first: it answers with the last status of the list."""
    monkeypatch.chdir(tmp_path)
    sign_in(monkeypatch, "siti")
    statuses = [503]

    class Site(Handler):
        def get(self) -> None:
            self.send(Reply("<title>PN Contoh</title><p>Pengadilan Negeri Contoh</p>", statuses[-1]))

    with serve(Site) as url:
        Path("inventory.yml").write_text(INVENTORY.format(url=f"{url}/"))
        Path("p.yml").write_text(PLAYBOOK)
        yield statuses


def problem(capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    found = document(capsys, "problems", *words)
    Draft202012Validator(REGISTER_SCHEMA).validate(found)
    (only,) = found["problems"]
    return only


def said(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> str:
    capsys.readouterr()
    assert sop([*words]) == code
    done = capsys.readouterr()
    return done.err if code else done.out


def test_a_problem_is_taken_up_by_one_run_and_solved_when_its_watcher_sees_it_no_more(
    statuses: list[int], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = document(capsys, "run", "p.yml", code=10)["run"]
    found = problem(capsys)
    assert (found["key"], found["target"], found["state"], found["times"]) == (KEY, "situs", "handled", 1)
    assert (found["holder"]["run"], found["holder"]["step"], found["holder"]["roles"]) == (
        first,
        "solution",
        ["kasubbag"],
    )
    second = document(capsys, "run", "p.yml", code=10)
    assert second["steps"][1]["status"] == "skipped"
    assert (problem(capsys)["times"], problem(capsys)["holder"]["run"]) == (2, first)
    sign_in(monkeypatch, "budi")
    assert sop(["sign", first, "solution", "--note", "Layanan web dihidupkan kembali."]) == 0
    document(capsys, "resume", first, code=10)
    assert problem(capsys)["state"] == "open", "its watcher has not looked since"
    statuses.append(200)
    third = document(capsys, "run", "p.yml")
    assert third["steps"][1]["status"] == "skipped"
    assert said(capsys, "problems") == "no problem is open\n"
    solved = problem(capsys, "--all")
    assert (solved["state"], solved["solved_by"], solved["gone_in"]) == ("solved", first, third["run"])
    statuses.append(503)
    fourth = document(capsys, "run", "p.yml", code=10)["run"]
    ways = document(capsys, "show", fourth, code=0)["steps"][1]["targets"][0]["tasks"][0]["outputs"]
    assert ways["alternatives"][0]["remedies"] == ["Hidupkan kembali."]
    assert ways["alternatives"][0]["before"][0]["remarks"] == ["Budi: Layanan web dihidupkan kembali."]
    [asked] = document(capsys, "status")["waiting"]
    assert asked["question"] == "Pecahkan: 1. Situs mati (situs): Budi: Layanan web dihidupkan kembali."
    again = problem(capsys)
    assert (again["state"], again["holder"]["run"]) == ("handled", fourth)
    assert [past["solved_by"] for past in again["earlier"]] == [first]
    shown = said(capsys, "problems", "show", KEY)
    assert "Budi: Layanan web dihidupkan kembali." in shown
    assert "handled" in shown
    assert max(map(len, shown.splitlines())) <= 80
    listed = said(capsys, "problems")
    assert "it was there 1 time before" in listed
    assert "waits for kasubbag" in listed
    Draft202012Validator(PROBLEM_SCHEMA).validate(document(capsys, "problems", "show", KEY))


def test_a_cancelled_run_gives_its_problems_back(statuses: list[int], capsys: pytest.CaptureFixture[str]) -> None:
    first = document(capsys, "run", "p.yml", code=10)["run"]
    assert problem(capsys)["holder"]["run"] == first
    assert sop(["cancel", first, "--reason", "Keliru dimulai."]) == 0
    assert problem(capsys)["state"] == "open"
    second = document(capsys, "run", "p.yml", code=10)["run"]
    assert (problem(capsys)["state"], problem(capsys)["holder"]["run"]) == ("handled", second)


def test_a_run_of_these_steps_alone_takes_up_what_is_open(
    statuses: list[int], capsys: pytest.CaptureFixture[str]
) -> None:
    document(capsys, "run", "p.yml", "--only", "watch", code=10)
    assert problem(capsys)["state"] == "open"
    taken = document(capsys, "run", "p.yml", "--from", "solution", code=3)["run"]
    assert problem(capsys)["holder"]["run"] == taken
    Path("journal-before").write_text(Journal.open(Path("records")).head())
    document(capsys, "plan", "p.yml", code=10)
    assert Journal.open(Path("records")).head() == Path("journal-before").read_text(), "a dry run takes nothing up"


def test_what_another_playbook_found_is_taken_up_and_by_one_playbook_only(
    statuses: list[int], capsys: pytest.CaptureFixture[str]
) -> None:
    head, solving = PLAYBOOK.split("  - id: solution", 1)
    Path("monitor.yml").write_text(head)
    Path("p.yml").write_text(PLAYBOOK.split("  - id: watch", 1)[0] + "  - id: solution" + solving)
    Path("other.yml").write_text(Path("p.yml").read_text())
    document(capsys, "run", "monitor.yml", code=10)
    run = document(capsys, "run", "p.yml", code=3)["run"]
    found = problem(capsys)
    assert (found["playbook"], found["state"], found["holder"]["run"]) == ("monitor", "handled", run)
    assert document(capsys, "run", "other.yml")["steps"][0]["status"] == "skipped"
    assert problem(capsys)["holder"]["run"] == run
    said(capsys, "report", "situation", run, "-o", "situasi")
    assert KEY in next(Path("situasi").glob("*.html")).read_text()


def test_accepting_needs_a_reason_and_a_person_and_is_recorded(
    statuses: list[int], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    document(capsys, "run", "p.yml", "--only", "watch", code=10)
    before = Journal.open(Path("records")).head()
    assert "--reason: it is missing" in said(capsys, "problems", "accept", KEY, code=5)
    assert "no such problem" in said(capsys, "problems", "accept", "website.unavailabel", "--reason", "x", code=5)
    words = ("problems", "accept", KEY, "--reason", "Situs dipindahkan.")
    assert "2026-11-22 has passed" in said_at(capsys, NOW, *words, "--until", "2026-11-22", code=5)
    assert "is no day" in said(capsys, *words, "--until", "besok", code=5)
    assert "there is no such file" in said(capsys, *words, "--evidence", "surat.pdf", code=5)
    sign_in(monkeypatch, "root")
    refused = said(capsys, *words, code=5)
    assert "nobody's own" in refused
    assert "record a signed --paper" in refused
    assert "who signed the paper" in said(capsys, *words, "--paper", "inventory.yml", code=5)
    sign_in(monkeypatch, "stranger")
    assert "belongs to nobody" in said(capsys, *words, code=5)
    assert Journal.open(Path("records")).head() == before, "what was refused left no trace"
    sign_in(monkeypatch, "siti")
    Path("surat.pdf").write_bytes(b"%PDF-1.4 surat")
    assert said(capsys, *words, "--evidence", "surat.pdf") == (
        "Siti Aminah, S.H.: website.unavailable is accepted until it is gone, recorded\n"
    )
    assert said(capsys, "problems") == "no problem is open\n1 accepted: sop problems --state accepted\n"
    found = problem(capsys, "--state", "accepted")
    assert (found["state"], found["accepted"]["person"], found["accepted"]["reason"]) == (
        "accepted",
        "Siti Aminah, S.H.",
        "Situs dipindahkan.",
    )
    assert document(capsys, "run", "p.yml", code=10)["steps"][1]["status"] == "skipped", "nobody is asked to solve it"
    assert sop(["verify"]) == 0
    assert "--reason: it is missing" in said(capsys, "problems", "reopen", KEY, code=5)
    assert said(capsys, "problems", "reopen", KEY, "--reason", "Belum pindah.").endswith("open again, recorded\n")
    assert problem(capsys)["state"] == "open"
    sign_in(monkeypatch, "root")
    paper = ("--paper", "surat.pdf", "--person", "Budi")
    assert said(capsys, *words, *paper).startswith("Budi: website.unavailable is accepted")
    (accepted,) = [mark for marks in load_marks_of(Path("records")) for mark in marks if mark.login == "root"]
    assert accepted.method == f"paper {accepted.evidence[0].sha256}, recorded by root"
    sign_in(monkeypatch, "siti")
    assert said(capsys, "problems", "reopen", KEY, "--reason", "Masih belum.").endswith("open again, recorded\n")
    assert "not accepted but open" in said(capsys, "problems", "reopen", KEY, "--reason", "x", code=5)
    document(capsys, "run", "p.yml", code=10)
    assert problem(capsys)["state"] == "handled"


def load_marks_of(records: Path) -> list[list[Mark]]:
    with Journal.open(records).reading() as connection:
        return list(load_marks(connection).values())


def said_at(capsys: pytest.CaptureFixture[str], now: datetime, *words: str, code: int = 0) -> str:
    """What `sop` says, or why it refuses, at that time."""
    capsys.readouterr()
    try:
        group.main([*words], prog_name="sop", standalone_mode=False, obj=FixedClock(now))
    except Refused as refused:
        return str(refused) * (code == 5)
    return capsys.readouterr().out * (code == 0)


def test_an_acceptance_until_a_day_ends_with_that_day_by_the_office_s_clock(
    statuses: list[int], capsys: pytest.CaptureFixture[str]
) -> None:
    document(capsys, "run", "p.yml", "--only", "watch", code=10)
    said_at(capsys, NOW, "problems", "accept", KEY, "--reason", "Pindah.", "--until", "2026-11-25")
    last = datetime(2026, 11, 25, 17, 0, tzinfo=UTC)  # midnight in Jakarta
    assert said_at(capsys, last - timedelta(seconds=1), "problems").startswith("no problem is open")
    assert KEY in said_at(capsys, last, "problems")


def test_filters_choose_and_unknown_ones_are_refused(statuses: list[int], capsys: pytest.CaptureFixture[str]) -> None:
    document(capsys, "run", "p.yml", "--only", "watch", code=10)
    for words, count in [
        (["--severity", "critical"], 1),
        (["--target", "situs"], 1),
        (["--target", "lain"], 0),
        (["--playbook", "p"], 1),
        (["--playbook", "q"], 0),
        (["--state", "handled"], 0),
        (["--state", "handled", "--state", "open"], 1),
    ]:
        assert len(document(capsys, "problems", *words)["problems"]) == count, words
    assert sop(["problems", "--state", "closed"]) == 5
    assert sop(["problems", "show", KEY, "--target", "lain"]) == 5


def test_evidence_that_vanished_is_told(statuses: list[int], capsys: pytest.CaptureFixture[str]) -> None:
    document(capsys, "run", "p.yml", "--only", "watch", code=10)
    kept = problem(capsys)["evidence"]
    assert kept, "website.available keeps what it saw"
    assert "!" not in said(capsys, "problems", "show", KEY)
    sha256 = kept[0]["sha256"]
    Path("records/evidence", sha256[:2], sha256[2:]).unlink()
    shown = " ".join(said(capsys, "problems", "show", KEY).split())
    assert f"! evidence '{kept[0]['name']}' is missing" in shown


def test_without_a_record_there_is_nothing_and_nothing_to_accept(
    statuses: list[int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert said(capsys, "problems") == "no problem is open\n"
    assert "there is no journal" in said(capsys, "problems", "show", KEY, code=5)
    assert "there is no journal" in said(capsys, "problems", "accept", KEY, "--reason", "x", code=5)
