"""`sop cancel`: who may end a run for good, what is recorded of it, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.events import Kind
from runner.record.journal import Journal
from runner.record.locks import Locks
from tests.officials import Office

PLAYBOOK = """
procedure: {title: T, roles: {admin: Admin, kasubbag: Kasubbag}}
steps:
  - id: one
    activity: a
    tasks:
      - {id: left, action: person.do, actor: admin, after: [], with: {question: Kerjakan.}}
      - {id: right, action: person.sign, actor: kasubbag, after: []}
  - {id: two, activity: b, include: other.yml}
"""
OTHER = """
procedure: {title: O, roles: {admin: Admin}}
steps:
  - {id: look, activity: a, actor: admin, tasks: [{id: ask, action: person.do, with: {question: Lihat.}}]}
"""
INVENTORY = """
office: {name: PN Contoh, timezone: Asia/Jakarta}
people:
  siti: {name: Siti, login: siti, roles: [{role: admin}]}
  budi: {name: Budi, login: budi, roles: [{role: kasubbag}]}
"""
WHY = ("--reason", "situs dipindahkan")


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Office:
    """An office whose run waits for two people."""
    monkeypatch.chdir(tmp_path)
    for name, text in (("inventory.yml", INVENTORY), ("p.yml", PLAYBOOK), ("other.yml", OTHER)):
        Path(name).write_text(text)
    office = Office(monkeypatch, capsys)
    assert office.do("cron", "run", "p.yml") == 3
    return office


def test_a_cancelled_run_asks_nothing_and_never_goes_on(office: Office) -> None:
    assert office.do("siti", "cancel", "last", *WHY) == 0, office.says
    assert office.says.startswith("Siti: run ")
    assert office.do("siti", "status") == 0
    assert office.says == "nothing goes on and nothing waits\n"
    assert office.do("siti", "resume", "last") == 5
    assert "it was cancelled by Siti on" in office.says
    assert "situs dipindahkan. begin a new one" in office.says
    assert office.sign("siti", "one", "--task", "left") == 5
    assert office.do("cron", "tick") == 0
    assert office.do("siti", "verify") in (0, 7), office.says


def test_who_cancelled_why_and_under_which_login_is_recorded(office: Office) -> None:
    assert office.do("budi", "cancel", "last", *WHY, "--person", "siti") == 0, office.says
    cancelled, ended = office.events()[-2:]
    assert (cancelled.kind, ended.kind) == (Kind.CANCELLED, Kind.RUN_ENDED)
    assert cancelled.data == {"person": "Siti", "login": "budi", "reason": "situs dipindahkan"}
    document = office.document("show", "last")
    assert (document["status"], document["exit_code"]) == ("interrupted", 130)
    assert document["cancelled"]["person"] == "Siti"
    assert office.document("history")["runs"][0]["status"] == "cancelled"
    assert office.do("budi", "show", "last") == 0
    assert "cancelled by Siti (login budi)" in office.says
    assert "sop resume" not in office.says


@pytest.mark.parametrize(
    ("login", "words", "why"),
    [
        ("siti", (), "--reason: it is missing; it goes into the record"),
        ("siti", ("--reason", " \x1b "), "--reason: it is missing; it goes into the record"),
        ("siti", ("--reason", "x" * 20_000), "--reason: 20000 characters, at most 10000 are kept"),
        ("mallory", WHY, "'mallory' belongs to nobody in the inventory"),
        ("root", WHY, "so it signs for no one. name who cancels: --person 'NAME'"),
        ("root", (*WHY, "--person", "sitti"), "'sitti' is nobody of the inventory. did you mean 'siti'?"),
    ],
)
def test_without_a_reason_or_a_name_nothing_is_cancelled(
    office: Office, login: str, words: tuple[str, ...], why: str
) -> None:
    before = office.events()
    assert office.do(login, "cancel", "last", *words) == 5
    assert why in office.says
    assert office.events() == before


def test_a_run_that_has_ended_or_was_cancelled_is_not_cancelled(office: Office) -> None:
    assert office.do("siti", "cancel", "last", *WHY) == 0
    assert office.do("budi", "cancel", "last", *WHY) == 5
    assert "it was cancelled by Siti on" in office.says
    Path("done.yml").write_text("procedure: {title: D}\nsteps: [{id: one, activity: a}]\n")
    assert office.do("cron", "run", "done.yml") == 0
    assert office.do("siti", "cancel", "last", *WHY) == 5
    assert "this run has ended: " in office.says


def test_a_run_that_goes_on_in_another_process_is_not_cancelled(office: Office) -> None:
    run = office.events()[0].run
    with Locks(Path("records")).acquire(run, "p", (), "cron"):
        assert office.do("siti", "cancel", "last", *WHY) == 6
    assert f"run {run} is going on already" in office.says


def test_what_a_run_includes_ends_with_it(office: Office) -> None:
    whole = office.events()[0].run
    assert office.sign("siti", "one", "--task", "left", "--note", "x") == 0, office.says
    assert office.sign("budi", "one", "--task", "right", "--answer", "signed") == 0, office.says
    assert office.do("cron", "resume", "last") == 3
    child = f"{whole}.two.1"
    assert office.do("siti", "cancel", child, *WHY) == 5
    assert f"cancel that one: sop cancel {whole}" in office.says
    assert office.do("siti", "cancel", whole, *WHY) == 0, office.says
    kinds = [event.kind for event in Journal.open(Path("records"), create=False).events(child)]
    assert kinds[-2:] == [Kind.CANCELLED, Kind.RUN_ENDED]
    assert office.do("siti", "status") == 0
    assert office.says == "nothing goes on and nothing waits\n"
