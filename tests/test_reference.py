"""The reference pages in docs/ are as built, and name everything."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.actions import ACTIONS
from runner.reference import build_pages

DOCS = Path(__file__).parents[1] / "docs"


@pytest.mark.parametrize("name", sorted(build_pages()))
def test_page_is_as_built(name: str) -> None:
    assert (DOCS / name).read_text(encoding="utf-8") == build_pages()[name], "run: make reference"


def test_names_every_action_with_inputs_and_outputs() -> None:
    page = build_pages()["actions.md"]
    assert [name for name in ACTIONS if f"## {name}\n" not in page] == []
    fields = {field for action in ACTIONS.values() for field in (*action.inputs, *action.outputs)}
    assert [field for field in fields if f"| `{field}` |" not in page] == []


def test_names_nested_keys() -> None:
    assert "`steps[].tasks[].retry.count`" in build_pages()["playbook-keys.md"]
    assert "`websites.NAME.url`" in build_pages()["inventory-keys.md"]


def test_every_action_is_described_in_whole_sentences_about_what_it_does() -> None:
    verbs = {name: ACTIONS[name].description.split()[0].rstrip(",") for name in ACTIONS}
    assert [name for name, verb in verbs.items() if not verb.endswith("s") and not name.startswith("person.")] == []
    assert [name for name in ACTIONS if not ACTIONS[name].description.endswith(".")] == []
