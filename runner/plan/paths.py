"""Paths into declared values: whether one leads somewhere, and what is there where it does not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from runner.contract import JsonSchema
from runner.errors import did_you_mean
from runner.inputs import resolve
from runner.plan.types import Fault


def check_output(owner: str, outputs: Mapping[str, JsonSchema] | None, path: tuple[str | int, ...]) -> Iterator[Fault]:
    """Given whose outputs they are, their schemas (None: not known) and a path into them, yield what is wrong."""
    if outputs is None:
        return
    if not path:
        yield "an output must be named", "write one of: " + ", ".join(sorted(outputs))
    elif str(path[0]) not in outputs:
        cure = did_you_mean(str(path[0]), outputs) or "write one of: " + ", ".join(sorted(outputs))
        yield f"{owner} has no output '{path[0]}'", cure
    elif descend(outputs[str(path[0])], path[1:]) is None:
        known = _properties_before_gap(outputs[str(path[0])], path[1:])
        yield f"output '{path[0]}' of {owner} has no '{path[-1]}'", did_you_mean(str(path[-1]), known)


def descend(schema: JsonSchema, path: tuple[str | int, ...]) -> JsonSchema | None:
    """The schema below a path; {} where nothing is declared, None where the path leads nowhere."""
    for part in path:
        properties = schema.get("properties")
        if isinstance(part, int):
            schema = schema.get("items", {})
        elif properties is not None and part not in properties and not schema.get("additionalProperties"):
            return None
        else:
            schema = (properties or {}).get(part, {})
    return schema


def _properties_before_gap(schema: JsonSchema, path: tuple[str | int, ...]) -> Sequence[str]:
    for part in path:
        properties = schema.get("properties", {})
        if part not in properties:
            return list(properties)
        schema = properties[part]
    return []


def suggest(value: Any, path: tuple[str | int, ...]) -> str:
    """A cure that names what is there where a path leaves a value."""
    for depth, part in enumerate(path):
        found, deeper = resolve(value, (part,))
        if not found:
            return did_you_mean(str(path[depth]), map(str, value)) if isinstance(value, Mapping) else ""
        value = deeper
    return ""
