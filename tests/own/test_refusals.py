"""What of own code is refused, and in which words."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from runner.cli import run as sop
from runner.own.writers import check_writers
from tests.own.folders import ACTION, WORD, make_folder, write_action

NOBODY = 65534
BROKEN = {
    "import humpty": "3:1: it does not load: there is no module 'humpty'. install it where sop is installed",
    "from runner.contract import Acton": "3:1: it does not load: cannot import name 'Acton'",
    "1 / 0": "3:1: it does not load: ZeroDivisionError: division by zero. mend this line",
    "raise SystemExit(3)": "3:1: it does not load: SystemExit: 3. mend this line",
    "x = = 1": "3:5: this is not Python: invalid syntax. mend this line",
}
WRONG = {
    ('name="office.word"', 'name="office.work"'): "13:5: it is called 'office.work', its file is for 'office.word'",
    ('"Says a word twice."', '""'): "14:5: it has no description. say in one sentence what it does",
    ("Effect.READ,", '"read",'): "17:5: effect is not a Effect. write Effect.READ or Effect.CHANGE or Effect.OUTSIDE",
    ("Repeat.SAFE,", "Repeat.PROBE,"): "18:5: repeat is PROBE, and there is no probe. add probe=…, or write Repeat",
    ('"10s"', '"soon"'): "20:5: 'soon' is no time limit. write one such as",
    ('"examples": ["halo"]', '"examples": []'): "15:13: the input 'word' has no example. add",
    ('"type": "string", "description": "the word"', '"type": "text", "description": "the word"'): (
        "15:13: the input 'word' has a schema that is none: type: 'text' is not valid"
    ),
    ('"examples": ["halo"]', '"examples": [5]'): "15:13: the input 'word' has a value that its own schema refuses",
    ("{word: halo}", "{wort: halo}"): "22:5: its example gives 'wort', which is no input. did you mean 'word'?",
    ("run=run,", "run=None,"): "21:5: run is not a function. write run=run, a function of the call",
    ("run=run,", "run=run, targets=('web',),"): "21:14: there are no targets of the kind 'web'. ",
    ("run=run,", "run=run, person=True,"): "21:14: people act through person.do and person.sign. delete person=",
    ("ACTION = Action(", "Action("): " it declares no ACTION. write ACTION = Action(name=…)",
    ("    reach=Reach.CONTROLLER,\n", ""): "12:1: it does not load: TypeError: Action.__new__() missing 1 required",
}


@pytest.fixture(autouse=True)
def _office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    make_folder(tmp_path, asks=False)


def refused(capsys: pytest.CaptureFixture[str]) -> str:
    """What `sop run` says when it refuses; nothing has run."""
    capsys.readouterr()
    assert sop(["run", "playbooks/kata.yml"]) == 5
    assert not Path("records").exists()
    return capsys.readouterr().err


@pytest.mark.parametrize("line", BROKEN)
def test_code_that_does_not_load_is_told_with_its_line(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    write_action(WORD, f"import json\n\n{line}\n")
    assert f"actions/office_word.py:{BROKEN[line]}" in refused(capsys)


@pytest.mark.parametrize("change", WRONG, ids=lambda change: str(change[1])[:30])
def test_a_wrong_declaration_is_told_with_its_line(change: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    assert change[0] in ACTION
    write_action(WORD, ACTION.replace(*change, 1))
    assert f"actions/office_word.py:{WRONG[change]}" in refused(capsys)


@pytest.mark.parametrize("name", ["actions/office_word.py", "actions", "."])
@pytest.mark.promise("Files", "an action's file that others may write", "not run")
def test_code_that_others_may_write_is_not_run(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path(name).chmod(0o777)
    assert "others may write there, and so run code as you. type: chmod go-w" in refused(capsys)
    assert not Path("loaded").exists()


def test_a_shared_folder_is_enough_where_nobody_can_move_what_is_not_his() -> None:
    Path().chmod(0o1777)
    assert sop(["run", "playbooks/kata.yml"]) == 0


def test_code_of_somebody_else_is_not_run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    if os.geteuid() == 0:
        os.chown(WORD, NOBODY, NOBODY)
    else:
        monkeypatch.setattr(os, "geteuid", lambda: NOBODY)
    assert "who could put any code there" in refused(capsys)
    assert not Path("loaded").exists()


@pytest.mark.promise("Files", "an action's file that is a link", "judged by where it leads")
def test_a_link_is_judged_by_where_it_leads(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    open_to_all = tmp_path / "elsewhere"
    open_to_all.mkdir()
    open_to_all.chmod(0o777)
    write_action(open_to_all / "word.py", ACTION)
    WORD.unlink()
    WORD.symlink_to(open_to_all / "word.py")
    assert f"{open_to_all}: others may write there" in refused(capsys)


def test_a_file_that_is_not_there_is_told() -> None:
    assert [each.message for each in check_writers(Path("actions/none.py"))] == [
        "it cannot be looked at: No such file or directory"
    ]


def test_a_name_that_sop_has_is_taken(capsys: pytest.CaptureFixture[str]) -> None:
    write_action(Path("actions/command_run.py"), ACTION)
    assert sop(["check"]) == 5
    told = capsys.readouterr().err
    assert "actions/command_run.py: there is an action 'command.run' already, of sop itself. give the file" in told


def test_a_file_whose_name_gives_no_action_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("word.py", "_helper.py", "test_office_word.py", "conftest.py"):
        write_action(Path("actions", name), "")
    assert sop(["check"]) == 5
    told = capsys.readouterr().err
    assert "actions/word.py: its name gives no action. name it by family and act" in told
    assert len([line for line in told.splitlines() if line.startswith("actions/")]) == 1
