"""Rows that say only who acts, as forms do: whoever is named does what they say; of several, all or any one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.officials import Office

INVENTORY = """
office: {name: Kecamatan Contoh, timezone: Asia/Jakarta}
people:
  siti: {name: Siti, login: siti, roles: [{role: kasi}]}
  budi: {name: Budi, login: budi, roles: [{role: sekcam}]}
  tono: {name: Tono, login: tono, roles: [{role: camat, until: 2026-11-20}]}
"""
PLAYBOOK = """
procedure: {title: Legalisasi, roles: {pemohon: Pemohon, kasi: Kasi, sekcam: Sekcam, camat: Camat}}
steps:
  - {id: terima, activity: Menerima berkas, actor: kasi}
  - {id: paraf, activity: Memaraf bersama, actor: [kasi, sekcam]}
  - {id: tanda, activity: Menandatangani, actor: {any_of: [camat, sekcam]}, time_limit: 15 menit}
  - {id: nilai, activity: Memutuskan, actor: {any_of: [camat, sekcam]}, decide: {answers: {Ya: next, Tidak: end}}}
  - {id: arsip, activity: Mengarsipkan, tasks: []}
  - {id: serah, activity: Menyerahkan, actor: pemohon, symbol: end}
supplement: {outside: [pemohon], escalation: [{overdue: 1 jam}]}
"""


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Office:
    monkeypatch.chdir(tmp_path)
    Path("inventory.yml").write_text(INVENTORY)
    Path("p.yml").write_text(PLAYBOOK)
    return Office(monkeypatch, capsys)


def turns(office: Office) -> list[tuple[str, str, list[str]]]:
    waiting = office.document("status")["waiting"]
    return [(turn["step"], turn["title"], [each["name"] for each in turn["officials"]]) for turn in waiting]


def go_on(office: Office, login: str, step: str, *words: str, code: int = 3) -> None:
    assert office.sign(login, step, "--answer", *(words or ("done",))) == 0, office.says
    assert office.do("cron", "resume", "last") == code, office.says


def test_whoever_a_row_names_is_asked_what_it_says(office: Office) -> None:
    assert office.do("cron", "run", "p.yml") == 3, office.says
    assert turns(office) == [("terima", "Kasi", ["Siti"])]
    assert office.document("status")["waiting"][0]["question"] == "Menerima berkas"
    go_on(office, "siti", "terima")
    assert [step for step, *_ in turns(office)] == ["paraf", "paraf"]
    assert office.sign("siti", "paraf", "--answer", "done") == 0, office.says
    go_on(office, "budi", "paraf")
    assert turns(office) == [("tanda", "Camat / Sekcam", ["Budi"])]


def test_any_one_of_several_is_enough_and_counts_in_the_role_held(office: Office) -> None:
    office.do("cron", "run", "p.yml")
    go_on(office, "siti", "terima")
    assert office.sign("siti", "paraf", "--answer", "done") == 0, office.says
    go_on(office, "budi", "paraf")
    assert office.sign("siti", "tanda", "--answer", "done") == 5
    assert "role 'camat or sekcam': Siti does not hold it. 'camat or sekcam' is held by: Budi" in office.says
    assert office.sign("tono", "tanda", "--answer", "done") == 5
    assert "Tono held it from … to 2026-11-20" in office.says
    go_on(office, "budi", "tanda")
    assert office.sign("budi", "tanda", "--answer", "done") == 5
    go_on(office, "budi", "nilai", "Ya")
    assert turns(office) == [("serah", "Pemohon", [])]
    go_on(office, "siti", "serah", "done", "--person", "Warga", code=0)
    signed = [(answer["person"], answer["role"]) for answer in office.answers()]
    assert signed == [("Siti", "kasi"), ("Siti", "kasi"), ("Budi", "sekcam"), ("Budi", "sekcam"), ("Budi", "sekcam"),
                      ("Warga", "pemohon")]  # fmt: skip


def test_of_several_the_first_one_on_the_form_comes_first(office: Office) -> None:
    Path("inventory.yml").write_text(INVENTORY.replace(", until: 2026-11-20", ""))
    office.do("cron", "run", "p.yml")
    go_on(office, "siti", "terima")
    office.sign("siti", "paraf", "--answer", "done")
    go_on(office, "budi", "paraf")
    assert turns(office) == [("tanda", "Camat / Sekcam", ["Tono", "Budi"])]


def test_nobody_of_several_is_told_before_anything_runs(office: Office) -> None:
    text = INVENTORY.replace("role: sekcam", "role: lurah")
    Path("inventory.yml").write_text(text)
    assert office.do("cron", "run", "p.yml") == 5
    assert "nobody holds the role 'camat or sekcam' on 2026-11-23" in office.says
    Path("p.yml").write_text(PLAYBOOK.replace("[camat, sekcam]}, time", "[camat, sekda]}, time"))
    assert office.do("cron", "run", "p.yml") == 5
    assert "there is no role 'sekda'" in office.says


def test_who_may_act_is_told_when_it_is_overdue(office: Office) -> None:
    office.do("cron", "run", "p.yml")
    go_on(office, "siti", "terima")
    office.sign("siti", "paraf", "--answer", "done")
    go_on(office, "budi", "paraf")
    office.clock.advance(2 * 3600)
    office.do("cron", "tick")
    [turn] = office.document("status")["waiting"]
    assert [each["persons"] for each in turn["escalated"]] == [["Budi"]]


STARTS = """
procedure: {title: T, roles: {kasi: Kasi, sekcam: Sekcam}}
steps:
  - {id: tertulis, activity: a, actor: kasi, symbol: start, after: [], when: "{{ vars.jalur == 'tertulis' }}"}
  - {id: lisan, activity: b, actor: sekcam, symbol: start, after: [], when: "{{ vars.jalur == 'lisan' }}"}
  - {id: akhir, activity: c, actor: kasi, after: [tertulis, lisan], symbol: end}
vars: {jalur: tertulis}
"""


def test_of_two_starts_the_one_that_is_not_taken_is_not_waited_for(office: Office) -> None:
    Path("p.yml").write_text(STARTS)
    assert office.do("cron", "run", "p.yml", "-e", "jalur=lisan") == 3, office.says
    assert [step for step, *_ in turns(office)] == ["lisan"]
    go_on(office, "budi", "lisan")
    assert [step for step, *_ in turns(office)] == ["akhir"]
    go_on(office, "siti", "akhir", code=0)
