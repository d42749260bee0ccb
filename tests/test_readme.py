"""The README says what is so: its playbook runs, its tables name everything."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from runner.actions import ACTIONS
from runner.binding import Documents, bind
from runner.cli import COMMANDS
from runner.plan import Selection

README = Path(__file__).parents[1] / "README.md"
PAGES = sorted([*README.parent.glob("*.md"), *(README.parent / "docs").glob("*.md")])


def section(name: str) -> str:
    """The block that follows a mark."""
    return README.read_text(encoding="utf-8").split(f"<!-- {name} -->\n")[1].split("\n\n")[0]


def test_playbook_has_no_mistakes(tmp_path: Path) -> None:
    for name in ("harian.yml", "inventory.yml"):
        text = README.read_text(encoding="utf-8").split(f"<!-- file: {name} -->\n```yaml\n")[1].split("```")[0]
        (tmp_path / name).write_text(text)
    documents = Documents(tmp_path / "harian.yml", (tmp_path / "inventory.yml",))
    assert len(bind(documents, Selection(), now=datetime.now(UTC)).plan.steps) == 2


def test_actions_are_named_with_their_words() -> None:
    rows = [f"| `{name}` | {ACTIONS[name].description} |" for name in sorted(ACTIONS)]
    assert section("actions").split("\n")[2:] == rows


def test_commands_are_named_with_their_words() -> None:
    rows = [f"| `sop {name}` | {words} |" for name, words in sorted(COMMANDS.items())]
    assert section("commands").split("\n")[2:] == rows


def test_every_exit_code_is_explained() -> None:
    source = "".join(path.read_text() for path in (README.parent / "runner").glob("*.py"))
    used = {int(code) for code in re.findall(r"exit_code = (\d+)", source)} | {0, 1, 2, 3, 4, 10, 130}
    told = {int(code) for code in re.findall(r"^\| (\d+) \|", section("exit codes"), re.MULTILINE)}
    assert used == told


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.name))
def test_linked_files_exist(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:|mailto:)([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_every_page_stands_in_the_table_of_contents() -> None:
    docs = README.parent / "docs"
    named = re.findall(r"^([a-z-]+)$", (docs / "index.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(named) == sorted(path.stem for path in docs.glob("*.md") if path.stem != "index")
