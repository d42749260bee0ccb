from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from runner.actions import ACTIONS
from runner.contract import Action
from runner.durations import parse_limit
from runner.source import parse_source

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


@pytest.mark.parametrize("action", ACTIONS.values(), ids=lambda a: str(a.name))
def test_an_action_declares_itself_whole(action: Action) -> None:
    assert action.description
    assert parse_limit(action.limit) > 0
    for name, schema in {**action.inputs, **{f"output {k}": v for k, v in action.outputs.items()}}.items():
        assert schema.get("description"), name
        assert schema.get("examples"), name
        _check_schema(name, dict(schema))


def _check_schema(name: str, schema: dict[str, Any]) -> None:
    Draft202012Validator.check_schema(schema)
    shown = schema["examples"] + ([schema["default"]] if "default" in schema else [])
    whole = {key: value for key, value in schema.items() if key != "required"}  # an example may be shortened
    for value in shown:
        if "{{" not in json.dumps(value):
            assert list(Draft202012Validator(whole).iter_errors(value)) == [], (name, value)


@pytest.mark.parametrize("action", [a for a in ACTIONS.values() if a.example], ids=lambda a: str(a.name))
def test_an_example_is_a_task_with_inputs_that_exist(action: Action) -> None:
    (task,) = parse_source(action.example, "example").data
    assert task["action"] == action.name
    assert set(task.get("with", {})) <= set(action.inputs)
    assert set(action.required()) <= set(task.get("with", {}))
