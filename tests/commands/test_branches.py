"""Branches as officials meet them: joint work, outsiders, decisions of tasks; killed anywhere, and gone on with."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from runner.events import Kind
from tests.officials import Office

PLAYBOOK = """
procedure: {title: Perbaikan Perangkat, roles: {admin: Admin, kasubbag: Kasubbag, pemohon: Pemohon}}
steps:
  - id: terima
    activity: Menerima laporan kerusakan
    tasks: [{id: lapor, action: person.do, actor: pemohon, with: {question: Sampaikan laporan.}}]
  - id: periksa
    activity: Memeriksa kerusakan bersama-sama
    tasks:
      - {id: bersama, action: person.do, actor: [admin, kasubbag], with: {question: Periksa perangkat bersama.}}
      - id: catat
        action: command.run
        effect: read
        after: []
        with: {command: "echo x >> begun; while [ ! -e go ]; do sleep 0.1; done", cwd: "{{ vars.here }}"}
      - id: jenis
        actor: kasubbag
        after: [bersama, catat]
        decide:
          question: Rusak apa?
          answers: {Rusak Ringan: {task: ringan}, Rusak Berat: {step: usul}, Periksa lagi: {task: bersama}}
      - {id: ringan, action: command.run, effect: read, with: {argv: [echo, diperbaiki]}}
  - {id: selesai, activity: Selesai diperbaiki, actor: admin, tasks: [{id: s, action: person.sign}]}
  - {id: usul, activity: Mengusulkan penghapusan, actor: kasubbag, tasks: [{id: u, action: person.sign}]}
supplement: {outside: [pemohon]}
vars: {here: .}
"""
INVENTORY = """
office: {name: PN Contoh, timezone: Asia/Jakarta}
people:
  siti: {name: Siti, login: siti, roles: [{role: admin}]}
  budi: {name: Budi, login: budi, roles: [{role: kasubbag, until: 2026-11-24}]}
"""


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Office:
    """An office where a report of damage is waited for."""
    monkeypatch.chdir(tmp_path)
    Path("inventory.yml").write_text(INVENTORY)
    Path("p.yml").write_text(PLAYBOOK)
    office = Office(monkeypatch, capsys)
    assert office.do("cron", "run", "p.yml", "-e", f"here={tmp_path}") == 3, office.says
    return office


def reported(office: Office, *, go: bool = True) -> Office:
    """The office once the outsider's report was recorded."""
    assert office.sign("siti", "terima", "--answer", "done", "--person", "Tuan Pemohon", "--note", "rusak") == 0, (
        office.says
    )
    if go:
        Path("go").touch()
        assert office.do("cron", "resume", "last") == 3, office.says
    return office


def waiting(office: Office) -> list[tuple[str, str]]:
    """Step and role of what waits."""
    return [(row["step"], row["role"]) for row in office.document("status")["waiting"]]


def test_an_outsider_s_act_is_recorded_by_an_insider_and_says_so(office: Office) -> None:
    assert office.do("siti", "status") == 0
    assert "outside: Pemohon" in office.says
    reported(office)
    [answer] = office.answers()
    assert (answer["person"], answer["method"]) == ("Tuan Pemohon", "recorded by Siti")


def test_a_run_with_branches_goes_through_all_its_people(office: Office) -> None:
    reported(office)
    assert waiting(office) == [("periksa", "admin"), ("periksa", "kasubbag")]
    assert office.sign("siti", "periksa", "--note", "x") == 0, office.says
    assert office.sign("siti", "periksa") == 5  # the other one is not hers
    assert office.sign("budi", "periksa", "--note", "y") == 0, office.says
    assert office.do("cron", "resume", "last") == 3
    assert office.sign("budi", "periksa", "--answer", "Periksa lagi") == 0, office.says
    assert office.do("cron", "resume", "last") == 3
    assert waiting(office) == [("periksa", "admin"), ("periksa", "kasubbag")]
    for login in ("siti", "budi"):
        assert office.sign(login, "periksa", "--note", "z") == 0, office.says
    assert office.do("cron", "resume", "last") == 3
    assert office.sign("budi", "periksa", "--answer", "Rusak Berat") == 0, office.says
    assert office.do("cron", "resume", "last") == 3
    assert waiting(office) == [("usul", "kasubbag")]
    document = office.document("show", "last")
    assert [(move["step"], move["to"]) for move in document["moves"]] == [
        ("periksa", "periksa.bersama"),
        ("periksa", "usul"),
    ]
    statuses = {step["id"]: step["status"] for step in document["steps"]}
    assert statuses == {"terima": "ok", "periksa": "ok", "selesai": "skipped", "usul": "waiting"}
    assert office.do("budi", "sign", "last", "usul", "--return-to", "terima", "--note", "nomor salah") == 0, office.says
    assert office.do("cron", "resume", "last") == 3
    assert waiting(office) == [("terima", "pemohon")]
    assert office.document("show", "last")["moves"][-1]["why"] == "Budi: returned. nomor salah"


def test_a_role_that_nobody_holds_any_more_when_it_is_asked_for_is_told(office: Office) -> None:
    office.clock.advance(2 * 86400)
    reported(office)
    asked = [event.data for event in office.events() if event.kind is Kind.REQUESTED]
    assert [(data["role"], data["unheld"]) for data in asked] == [
        ("pemohon", ""),
        ("admin", ""),
        ("kasubbag", "2026-11-25"),
    ]
    assert "nobody holds the role 'kasubbag' on 2026-11-25. name a person in the inventory" in office.says


@pytest.mark.promise("Power cut", "killed while a branch waits for a person", "nobody is asked twice")
def test_killed_with_a_branch_at_work_a_run_asks_nobody_twice(office: Office) -> None:
    reported(office, go=False)
    words = [sys.executable, "-m", "runner", "resume", "last"]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    os.mkfifo("begun")
    process = subprocess.Popen(words, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        assert Path("begun").read_text() == "x\n"
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait(timeout=30)
    Path("begun").unlink()
    before = [event for event in office.events() if event.kind is Kind.REQUESTED]
    Path("go").touch()
    assert office.do("cron", "resume", "last") == 3, office.says
    after = [event for event in office.events() if event.kind is Kind.REQUESTED]
    assert [event.key.item for event in after] == ["", "admin", "kasubbag"]
    assert after[: len(before)] == before
    catat = [
        event.data["status"] for event in office.events() if event.kind is Kind.TASK_FINISHED and event.task == "catat"
    ]
    assert catat == ["interrupted", "ok"]
