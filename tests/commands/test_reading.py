"""What people read and type: kept files under their names, tables whose names can be copied, help that is whole."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from runner.cli import COMMANDS
from runner.cli import run as sop
from tests.commands.test_running import PERSON, document, write
from tests.commands.test_running import _office as office  # noqa: F401  # the same office, as a fixture of this module

REPORT = """
procedure: {title: T, roles: {admin: Admin, kasubbag: Kasubbag}}
steps:
  - id: report
    activity: a
    outputs: [{id: report, text: R, value: "{{ tasks.situation.report }}"}]
    tasks: [{id: situation, action: report.situation}]
  - id: ask
    activity: b
    tasks: [{id: sign, action: person.sign, actor: admin, with: {document: "{{ steps.report.report }}"}}]
"""


def test_what_is_to_be_signed_can_be_read_first(capsys: pytest.CaptureFixture[str]) -> None:
    write(REPORT)
    run = document(capsys, "run", "p.yml", code=3)["run"]
    assert sop(["status"]) == 0
    [reading] = re.findall(r"^  sop (show .*) {3}#", capsys.readouterr().out, re.MULTILINE)
    assert reading == f"show {run} report --save bukti"
    assert sop(reading.split()) == 0
    assert capsys.readouterr().out == "bukti/report/laporan-situasi.html\n"
    assert "<!DOCTYPE html>" in Path("bukti/report/laporan-situasi.html").read_text()


def test_status_says_how_to_add_a_note(capsys: pytest.CaptureFixture[str]) -> None:
    write(PERSON % "admin")
    run = document(capsys, "run", "p.yml", code=3)["run"]
    assert sop(["status"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-2:] == ["  --note '…' adds a remark, the reason, or what was done", f"then: sop resume {run}"]


def test_a_question_without_a_document_offers_none(capsys: pytest.CaptureFixture[str]) -> None:
    write(PERSON % "admin")
    document(capsys, "run", "p.yml", code=3)
    assert sop(["status"]) == 0
    assert "--save" not in capsys.readouterr().out
    assert sop(["show", "last", "--save", "bukti"]) == 0
    assert capsys.readouterr().out == "no files were kept there\n"


def test_an_altered_file_is_not_given_out(capsys: pytest.CaptureFixture[str]) -> None:
    write(REPORT)
    document(capsys, "run", "p.yml", code=3)
    [kept] = (path for path in Path("records/evidence").glob("??/*") if b"<!DOCTYPE html>" in path.read_bytes())
    kept.chmod(0o600)
    kept.write_bytes(kept.read_bytes() + b" ")
    assert sop(["show", "last", "--save", "bukti"]) == 7
    assert "was altered" in capsys.readouterr().err
    assert not Path("bukti").exists()


@pytest.mark.parametrize("command", ["status", "history"])
def test_the_name_of_a_run_is_never_broken(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write(PERSON % "admin")
    Path("p.yml").rename("a-playbook-with-a-very-long-name.yml")
    monkeypatch.setenv("COLUMNS", "80")
    run = document(capsys, "run", "a-playbook-with-a-very-long-name.yml", code=3)["run"]
    assert sop([command]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith(f"{run}  ") for line in lines)
    assert max(map(len, lines)) <= 80


def test_what_is_cut_off_and_left_out_is_found_in_the_step(capsys: pytest.CaptureFixture[str]) -> None:
    write(PERSON.replace("echo done", "seq 200") % "admin")
    run = document(capsys, "run", "p.yml", code=3)["run"]
    assert sop(["sign", run, "ask", "--answer", "signed"]) == 0
    document(capsys, "resume", run)
    assert sop(["show", run]) == 0
    whole = capsys.readouterr().out
    assert f"characters. all of it: sop show {run} after)" in whole
    assert "stderr:" not in whole
    assert sop(["show", run, "after"]) == 0
    step = capsys.readouterr().out
    assert "stderr:" in step
    assert "\n      200\n" in step


def test_a_run_that_waits_says_so_beside_its_problems(capsys: pytest.CaptureFixture[str]) -> None:
    write("""
procedure: {title: T, roles: {admin: Admin}}
steps:
  - {id: one, activity: a, targets: websites, tasks: [{id: a, action: website.available}]}
  - {id: ask, activity: b, tasks: [{id: sign, action: person.sign, actor: admin}]}
""")
    inventory = Path("inventory.yml")
    inventory.write_text(inventory.read_text() + 'websites: {site: {url: "http://127.0.0.1:9"}}\n')
    assert sop(["run", "p.yml"]) == 10
    out = capsys.readouterr().out
    assert "waiting, exit code 10 (problems were found, and it waits for a person)" in out
    assert "next: sop status; sop problems" in out


def test_what_to_run_again_keeps_the_chosen_steps(capsys: pytest.CaptureFixture[str]) -> None:
    text = PERSON.replace("tasks: [{id: say", "targets: away, tasks: [{id: say")
    write(text % "admin")
    assert sop(["run", "p.yml", "--only", "after"]) == 4
    assert "sop run p.yml --only after --limit away" in capsys.readouterr().out


def test_one_step_is_one_step(capsys: pytest.CaptureFixture[str]) -> None:
    write("procedure: {title: T}\nsteps: [{id: one, activity: a}]\n")
    assert sop(["check", "p.yml"]) == 0
    assert capsys.readouterr().out == "p.yml: no mistakes, 1 step\n"


@pytest.mark.parametrize("command", [[], *([name] for name in COMMANDS)])
def test_help_is_not_cut_off(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert sop([*command, "--help"]) == 0
    out = capsys.readouterr().out
    assert "..." not in out.replace("[ARGS]...", "").replace("[PLAYBOOKS]...", "").replace("[RUNS]...", "")
    assert max(map(len, out.splitlines())) <= 80
