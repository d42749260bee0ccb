"""Whether a value fits a JSON Schema, in plain Python and fast; `shapes` finds the words where it does not.

Answers exactly as jsonschema would (draft 2020-12, `format` not judged). A subschema with a keyword that is not in
the table below is handed to `fallback`. With `expressions`, a text that holds `{{` fits in any place of a container.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from runner.shapes.plain import TYPES, Check, is_number, is_same

Schema = Mapping[str, Any] | bool

_SILENT = frozenset(
    {"$schema", "$id", "$defs", "$comment", "title", "description", "examples", "default", "deprecated", "format"}
    | {"readOnly", "writeOnly", "optional", "secret", "shell", "names", "unit", "then", "else"}
)
_MEMBERS = frozenset({"properties", "patternProperties", "additionalProperties"})


class Acceptance:
    """The checks of one schema; each subschema is compiled once, when it is first asked for."""

    def __init__(self, root: Schema, fallback: Callable[[Schema], Check], *, expressions: bool = False) -> None:
        self._root = root
        self._fallback = fallback
        self._expressions = expressions
        self._checks: dict[int, tuple[Schema, Check]] = {}  # the schema is kept so that its id stays its own

    def check(self, schema: Schema) -> Check:
        """Given a subschema of the root, return the function that says whether a value fits it."""
        found = self._checks.get(id(schema))
        if found is None:
            found = self._checks[id(schema)] = schema, self._compile(schema)
        return found[1]

    def member(self, schema: Schema) -> Check:
        """Like `check`, for a value inside a mapping or a list, where an expression may stand."""
        check = self.check(schema)
        if not self._expressions or schema is False:
            return check
        return lambda value: is_expression(value) or check(value)

    def _compile(self, schema: Schema) -> Check:
        if isinstance(schema, bool):
            return lambda _: schema
        checks = []
        for keyword in schema:
            if keyword in _BUILDERS:
                checks.append(_BUILDERS[keyword](self, schema))
            elif keyword not in _SILENT and keyword not in _MEMBERS:
                return self._fallback(schema)
        if not _MEMBERS.isdisjoint(schema):
            checks.append(self._members(schema))
        return _all(checks)

    def _members(self, schema: Mapping[str, Any]) -> Check:
        known = {name: self.member(part) for name, part in schema.get("properties", {}).items()}
        patterns = [(re.compile(p), self.member(part)) for p, part in schema.get("patternProperties", {}).items()]
        other = self.member(schema.get("additionalProperties", True))

        def fits(key: str, value: Any) -> bool:
            checks = [check for pattern, check in patterns if pattern.search(key)]
            if key in known:
                checks.append(known[key])
            return all(check(value) for check in checks or (other,))

        def plain(value: Any) -> bool:
            return not isinstance(value, dict) or all(known.get(key, other)(part) for key, part in value.items())

        def patterned(value: Any) -> bool:
            return not isinstance(value, dict) or all(fits(key, part) for key, part in value.items())

        return patterned if patterns else plain

    def items(self, schema: Mapping[str, Any]) -> Check:
        """Build the check of `items`."""
        if "prefixItems" in schema:
            return self._fallback(schema)
        check = self.member(schema["items"])
        return lambda value: not isinstance(value, list) or all(map(check, value))

    def names(self, schema: Mapping[str, Any]) -> Check:
        """Build the check of `propertyNames`."""
        check = self.check(schema["propertyNames"])
        return lambda value: not isinstance(value, dict) or all(map(check, value))

    def several(self, schema: Mapping[str, Any], keyword: str) -> Check:
        """Build the check of `allOf`, `anyOf` or `oneOf`."""
        checks = [self.check(part) for part in schema[keyword]]
        if keyword == "allOf":
            return _all(checks)
        if keyword == "anyOf":
            return lambda value: any(check(value) for check in checks)
        return lambda value: sum(check(value) for check in checks) == 1

    def opposite(self, schema: Mapping[str, Any]) -> Check:
        """Build the check of `not`."""
        check = self.check(schema["not"])
        return lambda value: not check(value)

    def condition(self, schema: Mapping[str, Any]) -> Check:
        """Build the check of `if`, `then` and `else`."""
        test = self.check(schema["if"])
        then, otherwise = self.check(schema.get("then", True)), self.check(schema.get("else", True))
        return lambda value: then(value) if test(value) else otherwise(value)

    def reference(self, schema: Mapping[str, Any]) -> Check:
        """Build the check of `$ref` within the same document; it may refer to itself."""
        if not schema["$ref"].startswith("#"):
            return self._fallback({"$ref": schema["$ref"]})
        part: Any = self._root
        for name in schema["$ref"][1:].split("/")[1:]:
            part = part[name.replace("~1", "/").replace("~0", "~")]
        return lambda value: self.check(part)(value)


def is_expression(value: Any) -> bool:
    """Say whether a value is a text that holds `{{`."""
    return isinstance(value, str) and "{{" in value


def _all(checks: list[Check]) -> Check:
    if len(checks) == 1:
        return checks[0]
    if len(checks) == 2:
        first, second = checks
        return lambda value: first(value) and second(value)
    return lambda value: all(check(value) for check in checks)


def _type(_: Acceptance, schema: Mapping[str, Any]) -> Check:
    names = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
    checks = [TYPES[name] for name in names]
    if len(checks) == 1:
        return checks[0]
    return lambda value: any(check(value) for check in checks)


def _one_of(allowed: Iterable[Any]) -> Check:
    values = list(allowed)
    if all(isinstance(value, str) for value in values):
        words = frozenset(values)
        return lambda value: isinstance(value, str) and value in words
    return lambda value: any(is_same(value, each) for each in values)


def _unique(_: Acceptance, schema: Mapping[str, Any]) -> Check:
    def differ(value: Any) -> bool:
        if not isinstance(value, list):
            return True
        if all(isinstance(item, str) for item in value):
            return len(set(value)) == len(value)
        return not any(is_same(one, two) for index, one in enumerate(value) for two in value[:index])

    return differ if schema["uniqueItems"] else lambda _: True


def _pattern(_: Acceptance, schema: Mapping[str, Any]) -> Check:
    search = re.compile(schema["pattern"]).search
    return lambda value: not isinstance(value, str) or search(value) is not None


def _required(_: Acceptance, schema: Mapping[str, Any]) -> Check:
    names = frozenset(schema["required"])
    return lambda value: not isinstance(value, dict) or names <= value.keys()


def _dependent(_: Acceptance, schema: Mapping[str, Any]) -> Check:
    needs = {key: frozenset(others) for key, others in schema["dependentRequired"].items()}

    def complete(value: Any) -> bool:
        return not isinstance(value, dict) or all(needs[key] <= value.keys() for key in needs if key in value)

    return complete


def _size(keyword: str, kind: type, *, least: bool) -> Callable[[Acceptance, Mapping[str, Any]], Check]:
    def build(_: Acceptance, schema: Mapping[str, Any]) -> Check:
        bound = schema[keyword]
        if least:
            return lambda value: not isinstance(value, kind) or len(value) >= bound  # type: ignore[arg-type]  # sized
        return lambda value: not isinstance(value, kind) or len(value) <= bound  # type: ignore[arg-type]  # sized

    return build


def _amount(keyword: str, within: Callable[[Any, Any], bool]) -> Callable[[Acceptance, Mapping[str, Any]], Check]:
    def build(_: Acceptance, schema: Mapping[str, Any]) -> Check:
        bound = schema[keyword]
        return lambda value: not is_number(value) or within(value, bound)

    return build


_BUILDERS: dict[str, Callable[[Acceptance, Mapping[str, Any]], Check]] = {
    "$ref": Acceptance.reference,
    "type": _type,
    "enum": lambda _, schema: _one_of(schema["enum"]),
    "const": lambda _, schema: _one_of([schema["const"]]),
    "pattern": _pattern,
    "minLength": _size("minLength", str, least=True),
    "maxLength": _size("maxLength", str, least=False),
    "minimum": _amount("minimum", lambda value, bound: bool(value >= bound)),
    "maximum": _amount("maximum", lambda value, bound: bool(value <= bound)),
    "exclusiveMinimum": _amount("exclusiveMinimum", lambda value, bound: bool(value > bound)),
    "exclusiveMaximum": _amount("exclusiveMaximum", lambda value, bound: bool(value < bound)),
    "items": Acceptance.items,
    "minItems": _size("minItems", list, least=True),
    "maxItems": _size("maxItems", list, least=False),
    "uniqueItems": _unique,
    "required": _required,
    "dependentRequired": _dependent,
    "propertyNames": Acceptance.names,
    "minProperties": _size("minProperties", dict, least=True),
    "maxProperties": _size("maxProperties", dict, least=False),
    "allOf": lambda checks, schema: checks.several(schema, "allOf"),
    "anyOf": lambda checks, schema: checks.several(schema, "anyOf"),
    "oneOf": lambda checks, schema: checks.several(schema, "oneOf"),
    "not": Acceptance.opposite,
    "if": Acceptance.condition,
}
