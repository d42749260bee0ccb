"""Types in a plan: whether a value fits where it is used, by its declaration or as it stands in the inventory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runner.contract import JsonSchema
from runner.shapes import check_value
from runner.shapes.wording import NEEDED

_TYPES = ((bool, "boolean"), (str, "string"), (int, "integer"), (float, "number"), (Mapping, "object"))

Fault = tuple[str, str]  # message, cure


def check_types(given: JsonSchema | None, wanted: JsonSchema) -> Fault | None:
    """Given the schema of a value and the one an input wants, return what is wrong; None where it may fit."""
    have, want = _types(given or {}), _types(wanted)
    if not have or not want or have & want or ("integer" in have and "number" in want):
        return None
    cure = "read another output"
    if "string" in want and not have & {"object", "array"}:
        cure = "add | string"
    elif want == {"boolean"}:
        cure = "compare it: {{ … == … }}"
    words = [" or ".join(NEEDED[t] for t in sorted(types)) for types in (have, want)]
    return f"it is {words[0]}, and {words[1]} is needed", cure


def check_known(value: Any, wanted: JsonSchema) -> Fault | None:
    """Given a value that is known before the run and the schema of an input, return what is wrong with it."""
    faults = check_value(value, wanted)
    if not faults:
        return None
    if faults[0].cure in ("write true", "write false"):
        return f"it is the text '{value}', and true or false is needed", f"{faults[0].cure} where it is set"
    return check_types({"type": type_of(value)}, wanted) or (faults[0].message, faults[0].cure)


def type_of(value: Any) -> str:
    """Given a plain value, return the word that JSON Schema has for its type."""
    if value is None:
        return "null"
    return next((word for kind, word in _TYPES if isinstance(value, kind)), "array")


def part_of(schema: JsonSchema, key: str | int) -> JsonSchema:
    """Given the schema of a list or mapping, return that of one part; {} where nothing is declared."""
    if isinstance(key, int):
        part = schema.get("items", {})
    else:
        part = schema.get("properties", {}).get(key, schema.get("additionalProperties", {}))
    return part if isinstance(part, Mapping) else {}


def _types(schema: JsonSchema) -> frozenset[str]:
    written = schema.get("type", ())
    return frozenset((written,) if isinstance(written, str) else written)
