"""JSON Schemas: whether a value fits, and every mistake in words with its place.

The only door of jsonschema, which is loaded when something does not fit. What fits is found by `acceptance`,
what does not is explained by `wording`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from runner.errors import Mistake
from runner.shapes.acceptance import Acceptance, Schema, is_expression
from runner.shapes.faults import Fault, without_consequences
from runner.shapes.plain import Check
from runner.shapes.wording import explain
from runner.source import Source, Where

MOST_COMPILED = 1024

_compiled: dict[tuple[int, bool], tuple[Schema, Shape]] = {}


class Shape:
    """A compiled schema."""

    def __init__(self, schema: Schema, *, expressions: bool) -> None:
        self._schema = schema
        self._expressions = expressions
        self._validator: Any = None
        self._acceptance = Acceptance(schema, self._slow_check, expressions=expressions)

    def faults(self, value: Any) -> list[Fault]:
        """Given a value, return what does not fit, in the order it was found."""
        if (self._expressions and is_expression(value)) or self._acceptance.check(self._schema)(value):
            return []
        failures = self._full_validator().iter_errors(value)
        return list(dict.fromkeys(fault for failure in failures for fault in explain(failure)))

    def _slow_check(self, schema: Schema) -> Check:
        validator = self._full_validator().evolve(schema=schema)
        return lambda value: bool(validator.is_valid(value))

    def _full_validator(self) -> Any:
        if self._validator is None:
            self._validator = _build_validator(self._schema, self._acceptance.member)
        return self._validator


def check_value(value: Any, schema: Schema, *, expressions: bool = False) -> list[Fault]:
    """Given a value and a JSON Schema (draft 2020-12), return everything that does not fit.

    With `expressions`, a text that holds `{{` may stand for any value. The schema must not change afterwards:
    it is compiled once.
    """
    key = id(schema), expressions
    found = _compiled.get(key)
    if found is None:
        if len(_compiled) >= MOST_COMPILED:
            _compiled.clear()
        found = _compiled[key] = schema, Shape(schema, expressions=expressions)
    return found[1].faults(value)


def check_shape(source: Source, schema: Schema, at: Where = (), *, expressions: bool = False) -> list[Mistake]:
    """Given a source and a JSON Schema, return all mistakes of its data (or of the part at `at`), in file order.

    With `expressions`, a text that holds `{{` may stand for any value.
    """
    value = source.data
    for part in at:
        value = value[part]
    faults = without_consequences(check_value(value, schema, expressions=expressions))
    return sorted({source.mistake((*at, *each.path), each.message, each.cure, key=each.key) for each in faults})


def check_schema(schema: Schema) -> str:
    """Given what should be a JSON Schema, return what is wrong with it; "" where nothing is."""
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import SchemaError

    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        return f"{'.'.join(map(str, error.absolute_path))}: {error.message}".removeprefix(": ")
    return ""


def _build_validator(schema: Schema, member: Callable[[Schema], Check]) -> Any:
    """Build a validator that looks only into members that `member` does not accept."""
    from jsonschema import Draft202012Validator
    from jsonschema.validators import extend

    def properties(validator: Any, parts: Mapping[str, Schema], value: Any, _: Any) -> Iterator[Any]:
        for name, part in parts.items() if isinstance(value, dict) else ():
            if name in value and not member(part)(value[name]):
                yield from validator.descend(value[name], part, path=name, schema_path=name)

    def items(validator: Any, part: Schema, value: Any, whole: Mapping[str, Any]) -> Iterator[Any]:
        skipped = len(whole.get("prefixItems", ()))
        for index, item in enumerate(value) if isinstance(value, list) else ():
            if index >= skipped and not member(part)(item):
                yield from validator.descend(item, part, path=index)

    def others(validator: Any, part: Schema, value: Any, whole: Mapping[str, Any]) -> Iterator[Any]:
        if part is False:
            yield from refuse_others(validator, part, value, whole)
        elif isinstance(value, dict):
            patterned = _is_patterned(whole)
            for name, item in value.items():
                if name not in whole.get("properties", {}) and not patterned(name) and not member(part)(item):
                    yield from validator.descend(item, part, path=name)

    refuse_others = Draft202012Validator.VALIDATORS["additionalProperties"]
    patterned_properties = _patterned_properties(member)
    words: dict[str, Callable[..., Iterator[Any]]] = {
        "properties": properties,
        "patternProperties": patterned_properties,
        "items": items,
    }
    words["additionalProperties"] = others
    return extend(Draft202012Validator, words)(schema)  # type: ignore[no-untyped-call]  # the stubs leave it untyped


def _is_patterned(whole: Mapping[str, Any]) -> Callable[[str], bool]:
    patterns = [re.compile(pattern) for pattern in whole.get("patternProperties", ())]
    return lambda name: any(pattern.search(name) for pattern in patterns)


def _patterned_properties(member: Callable[[Schema], Check]) -> Callable[..., Iterator[Any]]:
    def check(validator: Any, parts: Mapping[str, Schema], value: Any, _: Any) -> Iterator[Any]:
        for pattern, part in parts.items() if isinstance(value, dict) else ():
            for name, item in value.items():
                if re.search(pattern, name) and not member(part)(item):
                    yield from validator.descend(item, part, path=name, schema_path=pattern)

    return check
