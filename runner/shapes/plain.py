"""Plain values: their JSON types, and when two are the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Check = Callable[[Any], bool]


def is_integer(value: Any) -> bool:
    """Say whether a value is a whole number, also written as `1.0`."""
    whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    return whole and not isinstance(value, bool)


def is_number(value: Any) -> bool:
    """Say whether a value is a number; truth values are none."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


TYPES: dict[str, Check] = {
    "string": lambda value: isinstance(value, str),
    "integer": is_integer,
    "number": is_number,
    "boolean": lambda value: isinstance(value, bool),
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
    "null": lambda value: value is None,
}


def has_type(value: Any, name: str) -> bool:
    """Say whether a value is of the JSON Schema type `name`."""
    return TYPES[name](value)


def is_same(one: Any, two: Any) -> bool:
    """Say whether two values are the same JSON value: `1` is `1.0`, but not `true`."""
    if isinstance(one, bool) or isinstance(two, bool):
        return one is two
    if isinstance(one, list) and isinstance(two, list):
        return len(one) == len(two) and all(map(is_same, one, two))
    if isinstance(one, dict) and isinstance(two, dict):
        return one.keys() == two.keys() and all(is_same(one[key], two[key]) for key in one)
    return bool(one == two)
