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

HEAVY = {"requests", "fabric", "paramiko", "cryptography", "jinja2", "jsonschema", "holidays", "ssl", "http"}


def test_importing_the_actions_is_light() -> None:
    code = "import runner.actions, sys, json; print(json.dumps(sorted({m.partition('.')[0] for m in sys.modules})))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout
    assert HEAVY & set(json.loads(loaded)) == set()


@pytest.mark.parametrize("name", ACTIONS)
def test_an_action_stands_under_its_own_name_in_its_own_file(name: str) -> None:
    module = sys.modules[f"runner.actions.{name.replace('.', '_')}"]
    assert ACTIONS[name].name == name
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
