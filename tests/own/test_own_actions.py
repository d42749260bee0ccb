"""Actions of the working folder: found, checked, shown and run as the built-in ones, kept in the record."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from runner.cli import run as sop
from runner.record.evidence import EvidenceStore
from runner.record.journal import Journal
from tests.logins import sign_in
from tests.own.folders import ACTION, WORD, make_folder, write_action


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def printed(capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    """What a command prints as JSON; it has to end with 0."""
    assert sop([*words, "--format", "json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_runs_like_a_built_in_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_folder(tmp_path, asks=False)
    assert sop(["check"]) == 0
    capsys.readouterr()
    ended = printed(capsys, "run", "playbooks/kata.yml")
    assert ended["steps"][0]["targets"][0]["outputs"] == {"told": "halohalo"}


def test_is_read_in_a_dry_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_folder(tmp_path, asks=False)
    assert printed(capsys, "plan", "playbooks/kata.yml")["status"] == "ok"


def test_is_listed_with_its_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_folder(tmp_path)
    origins = {each["name"]: each["origin"] for each in printed(capsys, "actions")["actions"]}
    assert origins["office.word"] == "actions/office_word.py"
    assert origins["command.run"] == "sop"
    assert sop(["actions", "office.word"]) == 0
    assert "from actions/office_word.py" in capsys.readouterr().out


def test_stands_in_the_schemas_for_editors(tmp_path: Path) -> None:
    make_folder(tmp_path)
    assert sop(["actions", "--schemas", "schemas"]) == 0
    written = json.loads(Path("schemas/playbook.schema.json").read_text())
    task = written["properties"]["steps"]["items"]["properties"]["tasks"]["items"]
    assert "office.word" in task["properties"]["action"]["enum"]
    assert any(each["if"]["properties"]["action"]["const"] == "office.word" for each in task["allOf"])


def test_its_inputs_are_checked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_folder(tmp_path)
    playbook = Path("playbooks/kata.yml")
    playbook.write_text(playbook.read_text().replace("{word: halo}", "{wrod: 5}"))
    assert sop(["check"]) == 5
    told = capsys.readouterr().err
    assert "kata.yml:7:52: action 'office.word' has no input 'wrod'. did you mean 'word'?" in told
    assert "action 'office.word' needs the input 'word'. add word: halo" in told


def test_a_misspelt_name_is_answered_with_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_folder(tmp_path)
    playbook = Path("playbooks/kata.yml")
    playbook.write_text(playbook.read_text().replace("office.word", "office.wrod"))
    assert sop(["check"]) == 5
    assert "there is no action 'office.wrod'. did you mean 'office.word'?" in capsys.readouterr().err


def test_its_bytes_and_declaration_are_in_the_record(tmp_path: Path) -> None:
    make_folder(tmp_path, asks=False)
    assert sop(["run", "playbooks/kata.yml"]) == 0
    journal = Journal.open(Path("records"), create=False)
    begun = next(iter(journal.events(journal.find_run("last")))).data
    [source] = [each for each in begun["sources"] if each["kind"] == "action"]
    with EvidenceStore(Path("records")).open(source["kept"]) as file:
        assert file.read().decode() == ACTION
    assert [(each["name"], each["origin"]) for each in begun["actions"]] == [("office.word", str(WORD))]
    assert sop(["verify"]) == 0


def test_signing_loads_none_of_its_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_folder(tmp_path)
    assert sop(["run", "playbooks/kata.yml"]) == 3
    Path("loaded").unlink()
    WORD.write_text("raise SystemExit('this is not to be loaded')")
    sign_in(monkeypatch, "siti")
    assert sop(["sign", "last", "ask", "--answer", "signed"]) == 0
    assert not Path("loaded").exists()


def test_a_run_goes_on_only_with_the_code_it_began_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    make_folder(tmp_path)
    assert sop(["run", "playbooks/kata.yml"]) == 3
    write_action(WORD, ACTION.replace("* 2", "* 3"))
    sign_in(monkeypatch, "siti")
    assert sop(["sign", "last", "ask", "--answer", "signed"]) == 0
    assert sop(["resume", "last"]) == 5
    assert "actions/office_word.py: it is not as it was when the run began. put it back" in capsys.readouterr().err
    write_action(WORD, ACTION)
    assert sop(["resume", "last"]) == 0


def test_what_nobody_names_is_not_loaded(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_folder(tmp_path, asks=False)
    write_action(Path("actions/office_half.py"), "def run(")
    assert sop(["run", "playbooks/kata.yml"]) == 0
    assert sop(["check"]) == 5
    assert "actions/office_half.py:1:8: this is not Python: '(' was never closed. mend" in capsys.readouterr().err


def test_the_page_shows_the_example_as_it_is() -> None:
    root = Path(__file__).parents[2]
    page = (root / "docs/own-actions.md").read_text(encoding="utf-8")
    shown = page.split("<!-- examples/own-action/actions/disk_space.py -->\n```python\n")[1].split("```\n")[0]
    assert shown == (root / "examples/own-action/actions/disk_space.py").read_text(encoding="utf-8")
