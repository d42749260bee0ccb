"""Wrong edits of a good playbook and inventory, as people make them: each message names the line and a cure.

tests/cases/wrong-edits/daily.txt and inventory.txt are to be read: what was edited, and what `sop check` says of it.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from runner.cli import run as sop

CASES = Path(__file__).parent / "cases" / "wrong-edits"
FILES = ("daily", "inventory")
MESSAGE = re.compile(r"\w+\.yml:\d+:\d+: .+?\. \S.*")
ELSEWHERE = ("yes for true", "a role misspelt, so that nobody holds it", "targets left out")  # told where it is needed


class Edit(NamedTuple):
    """One edit: its title, the file, the lines before and after, and what is said of it."""

    title: str
    file: str
    before: tuple[str, ...]
    after: tuple[str, ...]
    said: tuple[str, ...]


def read_edits(name: str) -> Iterator[Edit]:
    """The edits of one file."""
    for block in (CASES / f"{name}.txt").read_text(encoding="utf-8").strip("\n").split("\n\n"):
        title, *lines = block.split("\n")
        before = tuple(line[2:] for line in lines if line.startswith("- "))
        after = tuple(line[2:] for line in lines if line.startswith("+ "))
        yield Edit(title.removeprefix("# "), f"{name}.yml", before, after, tuple(lines[len(before) + len(after) :]))


EDITS = [edit for name in FILES for edit in read_edits(name)]


def apply(edit: Edit) -> tuple[str, range]:
    """The edited text, and the numbers of the lines that were edited, with the ones beside them."""
    lines = (CASES / edit.file).read_text(encoding="utf-8").split("\n")
    size = len(edit.before)
    if size:
        [at] = [n for n in range(len(lines)) if tuple(lines[n : n + size]) == edit.before][:1]
    else:
        at = next(n for n, line in enumerate(lines) if NEIGHBOURS[edit.title] in line) + 1
    lines[at : at + size] = edit.after
    return "\n".join(lines), range(at, at + max(len(edit.after), 1) + 2)


NEIGHBOURS = {  # where lines are only added: what they stand behind
    "both command and argv": "command: df",
    "a value of one's own in the wrong place": "root: /var/www/ppid",
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the good files."""
    for name in FILES:
        shutil.copy(CASES / f"{name}.yml", tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DB_PASSWORD", "sandi")
    return tmp_path


def test_the_files_are_good_before(folder: Path) -> None:
    assert sop(["check", "-i", "inventory.yml", "daily.yml"]) == 0


def test_there_are_more_than_a_hundred() -> None:
    assert len(EDITS) > 100
    assert len({(edit.file, edit.title) for edit in EDITS}) == len(EDITS)


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: f"{edit.file}: {edit.title}")
def test_a_wrong_edit_is_answered(edit: Edit, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text, edited = apply(edit)
    (folder / edit.file).write_text(text, encoding="utf-8")
    assert sop(["check", "-i", "inventory.yml", "daily.yml"]) == 5
    said = [line for line in capsys.readouterr().err.splitlines() if not line.startswith("note: ")]
    assert said == list(edit.said)
    assert [line for line in said if not MESSAGE.fullmatch(line)] == [], "each names a place and a cure"
    named = {int(line) for each in said for line in re.findall(rf"(?:^{edit.file}:| in line )(\d+)", each)}
    assert edit.title in ELSEWHERE or not named.isdisjoint(edited), "it names the line"
