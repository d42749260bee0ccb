"""`sop status`: bola di tangan siapa."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from runner.people.schemas import STATUS_SCHEMA
from tests.officials import Office

PLAYBOOK = """
procedure:
  title: T
  roles: {admin: Admin Website, kasubbag: "Kasubbag. Perencanaan, IT dan Pelaporan", sekretaris: Sekretaris}
steps:
  - {id: report, activity: Melaporkan situasi kepada Kasubbag., actor: admin, time_limit: 1 jam,
     tasks: [{id: work, action: person.do, with: {question: Buat laporan.}}]}
  - {id: forward, activity: Meneruskan laporan., actor: kasubbag, time_limit: 1 x 24 jam,
     tasks: [{id: sign, action: person.sign, with: {question: Teruskan.}}]}
  - {id: solve, activity: Selesaikan., actor: sekretaris, time_limit: "-",
     tasks: [{id: sign, action: person.sign, with: {question: Tetapkan.}}]}
"""
INVENTORY = """
office: {name: PN Contoh, timezone: Asia/Jakarta, language: %s,
  hours: {monday-friday: {open: 08:00-16:00, break: 12:00-13:00}}}
people:
  siti: {name: Siti Aminah, login: siti, position: Admin, roles: [{role: admin}]}
  budi: {name: "Budi Santoso, S.Kom.", login: budi, roles: [{role: kasubbag, until: 2026-11-23}]}
  rina: {name: Rina, login: rina, roles: [{role: kasubbag, from: 2026-11-23, until: 2026-11-23, as: Plh}]}
  sek: {name: Sekretaris, login: sek, roles: [{role: sekretaris}]}
"""


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Office]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    Path("inventory.yml").write_text(INVENTORY % "id")
    Path("p.yml").write_text(PLAYBOOK)
    office = Office(monkeypatch, capsys)
    assert office.do("cron", "run", "p.yml") == 3
    yield office
    waiting = office.document("status")
    Draft202012Validator(STATUS_SCHEMA, format_checker=FormatChecker()).validate(waiting)


def advance(office: Office, hours: float) -> None:
    office.clock.advance(hours * 3600)


def test_it_says_whose_turn_it_is_and_how_much_working_time_is_left(office: Office) -> None:
    advance(office, 0.25)
    assert office.do("siti", "status") == 0
    lines = office.says.splitlines()
    assert lines[0] == "Bola di tangan siapa: Senin, 23 November 2026 pukul 09.15 WIB"
    assert all(len(line) <= 80 for line in lines[:6]), office.says
    assert "    Melaporkan situasi kepada Kasubbag. (Admin Website)\n" in office.says
    assert "sisa 45 menit" in office.says
    assert "Sen 23 Nov" in office.says
    [turn] = office.document("status")["waiting"]
    assert (turn["left_seconds"], turn["clock_time"], turn["due"]) == (2700, False, "2026-11-23T10:00:00+07:00")
    assert turn["officials"] == [{"person": "siti", "name": "Siti Aminah", "position": "Admin", "acting": ""}]
    assert turn["title"] == "Admin Website"


def test_each_command_says_what_it_does(office: Office) -> None:
    assert office.sign("siti", "report", "--note", "Dibuat.") == 0
    assert office.do("siti", "resume", "last") == 3
    assert office.do("siti", "status") == 0
    assert "forward --answer signed   # menandatangani\n" in office.says
    assert "forward --answer returned   # mengembalikan\n" in office.says


def test_what_is_overdue_is_counted_in_working_time(office: Office) -> None:
    advance(office, 4)  # 13.00, after the break
    [turn] = office.document("status")["waiting"]
    assert turn["left_seconds"] == -2 * 3600
    advance(office, 20)  # 09.00 the next day
    office.do("siti", "status")
    assert "lewat 6 jam" in office.says


def test_in_english_where_the_office_says_so(office: Office) -> None:
    Path("english.yml").write_text(INVENTORY % "en")
    advance(office, 2)
    assert office.do("siti", "status", "-i", "english.yml") == 0
    assert office.says.startswith("Whose turn it is: Monday, 23 November 2026 at 11:00 WIB")
    assert "1 h overdue" in office.says


def test_clock_norms_run_on_and_steps_without_a_norm_have_no_limit(office: Office) -> None:
    assert office.sign("siti", "report") == 0
    assert office.do("siti", "resume", "last") == 3
    advance(office, 12)
    [turn] = office.document("status")["waiting"]
    assert (turn["left_seconds"], turn["clock_time"], turn["time_limit"]) == (12 * 3600, True, "1 x 24 jam")
    office.do("siti", "status")
    assert "sisa 12 jam" in office.says
    assert "(jam dinding)" in office.says
    assert "Plh." in office.says
    assert [each["acting"] for each in turn["officials"]] == ["", "Plh"]
    assert office.sign("budi", "forward", "--answer", "signed") == 0
    assert office.do("siti", "resume", "last") == 3
    [turn] = office.document("status")["waiting"]
    assert (turn["left_seconds"], turn["due"], turn["role"]) == (None, None, "sekretaris")
    office.do("siti", "status")
    assert "tanpa batas" in office.says


def test_a_role_that_nobody_holds_any_more_is_told(office: Office) -> None:
    assert office.sign("siti", "report") == 0
    assert office.do("siti", "resume", "last") == 3
    advance(office, 24)
    assert office.do("siti", "status") == 0
    assert "tanpa pemangku" in office.says
    assert office.document("status")["waiting"][0]["officials"] == []
    now = (INVENTORY % "id").replace("until: 2026-11-23, as: Plh", "as: Plt")
    Path("now.yml").write_text(now)
    assert office.document("status", "-i", "now.yml")["waiting"][0]["officials"][0]["acting"] == "Plt"


def test_third_parties_stand_apart(office: Office) -> None:
    assert office.sign("siti", "report", "--hand-to", "PT Contoh", "--note", "tiket 7") == 0
    advance(office, 4)
    office.do("siti", "status")
    told = " ".join(office.says.split())
    assert "pada pihak ketiga PT Contoh sejak Sen 23 Nov 09.00, 3 jam waktu kerja: tiket 7" in told
    [turn] = office.document("status")["waiting"]
    assert (turn["third_party"], turn["third_party_seconds"], turn["left_seconds"]) == ("PT Contoh", 10800, -7200)
    assert office.sign("siti", "report", "--take-back") == 0
    advance(office, 1)
    [turn] = office.document("status")["waiting"]
    assert (turn["third_party"], turn["third_party_seconds"], turn["left_seconds"]) == ("", 10800, -10800)


def test_what_was_answered_can_go_on(office: Office) -> None:
    assert office.sign("siti", "report") == 0
    [turn] = office.document("status")["waiting"]
    assert (turn["status"], turn["step"]) == ("can_go_on", "")
    office.do("siti", "status")
    assert "dapat dilanjutkan: sop resume" in office.says


def test_names_from_the_inventory_cannot_steer_the_terminal(office: Office) -> None:
    evil = (INVENTORY % "id").replace("name: Siti Aminah", r'name: "Siti\e[2J<b>"')
    Path("evil.yml").write_text(evil)
    assert office.do("siti", "status", "-i", "evil.yml") == 0
    assert "\x1b[2J" not in office.says
    assert "\\x1b[2J<b>" in office.says.replace("\n", "")


def test_a_folder_without_a_record_is_told_apart_from_one_where_nothing_waits(office: Office, tmp_path: Path) -> None:
    assert office.do("siti", "status", "--records", str(tmp_path / "none")) == 0
    assert office.says == f"no run yet in {tmp_path / 'none'}\n"
