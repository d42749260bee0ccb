"""The published schemas say what the program checks by, and cannot drift from it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from runner.actions import ACTIONS
from runner.schema import build_schemas, render_schema
from runner.source import load_source

ROOT = Path(__file__).parents[1]
NAMES = sorted(build_schemas())


@pytest.mark.parametrize("name", NAMES)
def test_file_is_as_built(name: str) -> None:
    written = (ROOT / "schemas" / name).read_text(encoding="utf-8")
    assert written == render_schema(build_schemas()[name]), "run: make reference"


@pytest.mark.parametrize("name", NAMES)
def test_is_a_schema(name: str) -> None:
    Draft202012Validator.check_schema(build_schemas()[name])


@pytest.mark.parametrize("name", NAMES)
def test_every_key_has_description_and_example(name: str) -> None:
    bare = [path for path, schema in keys(build_schemas()[name], name) if not described(schema)]
    assert bare == []


@pytest.mark.parametrize("playbook", sorted((ROOT / "playbooks").glob("*.yml")), ids=lambda path: path.name)
def test_shipped_playbooks_fit(playbook: Path) -> None:
    schema = build_schemas()["playbook.schema.json"]
    assert [e.message for e in Draft202012Validator(schema).iter_errors(load_source(playbook).data)] == []


@pytest.mark.parametrize("inventory", sorted((ROOT / "inventory").glob("*.yml")), ids=lambda path: path.name)
def test_shipped_inventory_fits(inventory: Path) -> None:
    schema = build_schemas()["inventory.schema.json"]
    assert [e.message for e in Draft202012Validator(schema).iter_errors(load_source(inventory).data)] == []


def test_playbook_schema_knows_every_action() -> None:
    text = json.dumps(build_schemas()["playbook.schema.json"])
    assert [name for name in ACTIONS if f'"const": "{name}"' not in text] == []


def test_a_wrong_input_does_not_fit() -> None:
    task = {"id": "a", "action": "command.run", "with": {"comand": "uptime"}}
    playbook = {"procedure": {"title": "T"}, "steps": [{"id": "s", "activity": "A", "tasks": [task]}]}
    schema = build_schemas()["playbook.schema.json"]
    assert not Draft202012Validator(schema).is_valid(playbook)
    task["with"] = {"command": "uptime", "env": "{{ vars.env }}"}
    assert Draft202012Validator(schema).is_valid(playbook)


def described(schema: Mapping[str, Any]) -> bool:
    return "$ref" in schema or ("description" in schema and bool(schema.get("examples")))


def keys(schema: Any, path: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every key that a document may have, with its schema; conditions are tests, not keys."""
    if isinstance(schema, list):
        for index, part in enumerate(schema):
            yield from keys(part, f"{path}[{index}]")
    elif isinstance(schema, dict):
        for name, part in schema.get("properties", {}).items():
            if not (path.endswith(".then") and name == "with"):
                yield f"{path}.{name}", part
            yield from keys(part, f"{path}.{name}")
        for keyword, part in schema.items():
            if keyword not in ("properties", "examples", "default", "if", "else"):
                yield from keys(part, f"{path}.{keyword}")
