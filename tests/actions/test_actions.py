from __future__ import annotations

import json
import subprocess
import sys

import pytest

from runner.actions import ACTIONS
from runner.own.declaration import check_declaration
from runner.own.declared import action_from_json, action_to_json

HEAVY = {"requests", "paramiko", "cryptography", "jinja2", "jsonschema", "holidays", "ssl", "http"}


def modules_loaded_by(code: str) -> set[str]:
    code += "; import sys, json; print(json.dumps(sorted(sys.modules)))"
    return set(json.loads(subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout))


def test_loading_all_actions_is_light() -> None:
    loaded = modules_loaded_by("import runner.actions; dict(runner.actions.ACTIONS)")
    assert HEAVY & {name.partition(".")[0] for name in loaded} == set()


def test_an_action_is_loaded_when_it_is_asked_for() -> None:
    loaded = modules_loaded_by("import runner.actions; runner.actions.ACTIONS['command.run']")
    assert {name for name in loaded if name.startswith("runner.actions.")} == {"runner.actions.command_run"}


def test_values_that_fit_need_no_jsonschema() -> None:
    code = "from runner.actions import ACTIONS; from runner.shapes import check_value; "
    code += "inputs = [schema for action in ACTIONS.values() for schema in action.inputs.values()]; "
    code += "[check_value(each, schema, expressions=True) for schema in inputs for each in schema['examples']]"
    assert "jsonschema" not in modules_loaded_by(code)


@pytest.mark.parametrize("name", ACTIONS)
def test_an_action_stands_under_its_own_name_in_its_own_file(name: str) -> None:
    assert ACTIONS[name].name == name
    module = sys.modules[f"runner.actions.{name.replace('.', '_')}"]
    assert module.ACTION is ACTIONS[name]


@pytest.mark.parametrize("name", ACTIONS)
def test_an_action_declares_itself_whole(name: str) -> None:
    assert [*check_declaration(ACTIONS[name], name)] == []


@pytest.mark.parametrize("name", ACTIONS)
def test_a_declaration_survives_as_json(name: str) -> None:
    written = action_to_json(ACTIONS[name])
    assert action_to_json(action_from_json(json.loads(json.dumps(written)))) == written
