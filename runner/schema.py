"""The JSON Schemas in schemas/, built from the declarations that the program itself checks by.

`python -m runner.schema FOLDER` writes them.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from runner.actions import ACTIONS
from runner.actions.content.rules import SCHEMA as CONTENT_RULES
from runner.contract import Action
from runner.inventory.nouns import INVENTORY_SCHEMA
from runner.people.schemas import STATUS_SCHEMA, TICK_SCHEMA
from runner.playbook.keywords import PLAYBOOK
from runner.record.record_schema import RECORD_SCHEMA
from runner.record.register import REGISTER_SCHEMA
from runner.record.schema_parts import DIALECT
from runner.schedule.schemas import COMING_SCHEMA, SCHEDULE_SCHEMA

OWN_KEYWORDS = frozenset({"optional", "secret", "shell", "names"})
EXPRESSION = {"type": "string", "pattern": r"\{\{", "description": "an expression"}


def build_schemas(actions: Mapping[str, Action] = ACTIONS) -> dict[str, dict[str, Any]]:
    """Given the actions that a playbook may name, return the published schemas by file name."""
    return {
        "playbook.schema.json": _published(_with_actions(PLAYBOOK, actions)),
        "inventory.schema.json": _published(INVENTORY_SCHEMA),
        "run.schema.json": _published(RECORD_SCHEMA),
        "content-rules.schema.json": _published(CONTENT_RULES),
        "problems.schema.json": _published(REGISTER_SCHEMA),
        "status.schema.json": _published(STATUS_SCHEMA),
        "tick.schema.json": _published(TICK_SCHEMA),
        "schedule.schema.json": _published(SCHEDULE_SCHEMA),
        "schedule-next.schema.json": _published(COMING_SCHEMA),
    }


def render_schema(schema: Mapping[str, Any]) -> str:
    """Given a schema, return the text of its file."""
    return json.dumps(schema, ensure_ascii=False, indent=1) + "\n"


def _published(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"$schema": DIALECT, **_without_own_keywords(schema)}


def _without_own_keywords(value: Any) -> Any:
    """The schema without our own keywords; what `properties` and `examples` hold are names and values, not keywords."""
    if isinstance(value, list | tuple):
        return [_without_own_keywords(item) for item in value]
    if not isinstance(value, Mapping):
        return value
    result = {}
    for key, part in value.items():
        if key in ("properties", "patternProperties"):
            result[key] = {name: _without_own_keywords(each) for name, each in part.items()}
        elif key in ("examples", "default", "enum", "const"):
            result[key] = part
        elif key not in OWN_KEYWORDS:
            result[key] = _without_own_keywords(part)
    return result


def _with_actions(playbook: Mapping[str, Any], actions: Mapping[str, Action]) -> dict[str, Any]:
    """The playbook's schema in which `action` is one of the actions and `with` has that action's inputs."""
    step = playbook["properties"]["steps"]["items"]
    task = step["properties"]["tasks"]["items"]
    told = [f"{actions[name].effect}: {actions[name].description}" for name in sorted(actions)]
    action = {**task["properties"]["action"], "enum": sorted(actions), "enumDescriptions": told}
    known = {
        **task,
        "properties": {**task["properties"], "action": action},
        "allOf": [_inputs(actions[name]) for name in sorted(actions)],
    }
    tasks = {**step["properties"]["tasks"], "items": known}
    steps = {
        **playbook["properties"]["steps"],
        "items": {**step, "properties": {**step["properties"], "tasks": tasks}},
    }
    return {**playbook, "properties": {**playbook["properties"], "steps": steps}}


def _inputs(action: Action) -> dict[str, Any]:
    inputs = {
        "type": "object",
        "description": action.description,
        "properties": {name: _or_expression(schema) for name, schema in action.inputs.items()},
        "required": list(action.required()),
        "additionalProperties": False,
    }
    needs = {"required": ["with"]} if action.required() else {}
    test = {"properties": {"action": {"const": action.name}}, "required": ["action"]}
    return {"if": test, "then": {"properties": {"with": inputs}, **needs}}


def _or_expression(schema: Mapping[str, Any]) -> dict[str, Any]:
    if schema.get("type") == "string" and "pattern" not in schema and "enum" not in schema:
        return dict(schema)
    shown = {key: schema[key] for key in ("description", "examples", "default") if key in schema}
    rest = {key: part for key, part in schema.items() if key not in shown}
    return {**shown, "anyOf": [_deep(rest), EXPRESSION]}


def _deep(schema: Mapping[str, Any]) -> dict[str, Any]:
    """A schema in whose members an expression may stand for any value."""
    result = dict(schema)
    if isinstance(schema.get("items"), Mapping):
        result["items"] = {"anyOf": [_deep(schema["items"]), EXPRESSION]}
    if "properties" in schema:
        result["properties"] = {name: _or_expression(part) for name, part in schema["properties"].items()}
    if isinstance(schema.get("additionalProperties"), Mapping):
        result["additionalProperties"] = {"anyOf": [_deep(schema["additionalProperties"]), EXPRESSION]}
    return result


def write_schemas(folder: Path, schemas: Mapping[str, Mapping[str, Any]]) -> None:
    """Write schemas into a folder. Raise OSError."""
    for name, schema in schemas.items():
        (folder / name).write_text(render_schema(schema), encoding="utf-8")


if __name__ == "__main__":
    write_schemas(Path(sys.argv[1]), build_schemas())
