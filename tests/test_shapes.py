from __future__ import annotations

import subprocess
import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from runner.shapes import check_shape, check_value
from runner.source import parse_source

SITE = {
    "type": "object",
    "properties": {
        "url": {"type": "string", "description": "Address of the site", "examples": ["https://pn-tais.go.id"]},
        "port": {"type": "integer", "minimum": 1, "maximum": 65535},
        "cms": {"enum": ["joomla", "wordpress", "none"]},
        "active": {"type": "boolean"},
        "aliases": {"type": "array", "items": {"type": "string"}, "minItems": 1, "uniqueItems": True},
        "day": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\d$", "description": "A day", "examples": ["2026-11-30"]},
        "password": {
            "secret": True,
            "optional": True,
            "oneOf": [
                {
                    "type": "object",
                    "properties": {"secret": {"type": "string"}},
                    "required": ["secret"],
                    "additionalProperties": False,
                },
                {"type": "null"},
            ],
        },
        "task": {"anyOf": [{"required": ["line"]}, {"required": ["argv"]}]},
        "act": {"oneOf": [{"required": ["line"]}, {"required": ["argv"]}]},
        "vars": {"type": "object"},
    },
    "required": ["url"],
    "additionalProperties": False,
}
SITES = {"type": "object", "propertyNames": {"pattern": "^[a-z]+$"}, "additionalProperties": SITE}


def words(text: str, schema: object = SITE, **options: bool) -> list[str]:
    return [str(mistake) for mistake in check_shape(parse_source(text, "x.yml"), schema, **options)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("url: a\nulr: b", "x.yml:2:1: unknown key 'ulr'. did you mean 'url'?"),
        (
            "url: a\ncolour: b",
            "x.yml:2:1: unknown key 'colour'. put values of your own under 'vars', or write one of: ",
        ),
        ("port: 80", "x.yml:1:1: the key 'url' is missing. write url: \"https://pn-tais.go.id\""),
        ("url: a\nport: soon", "x.yml:2:7: 'soon' is a text, a whole number is needed."),
        ("url: a\nport: 8.5", "x.yml:2:7: 8.5 is a number, a whole number is needed."),
        ("url: a\nport: 0", "x.yml:2:7: 0 is out of range, at least 1 is needed."),
        ("url: a\nport:", "x.yml:2:1: nothing stands here, a whole number is needed."),
        ("url: [a]", "x.yml:1:6: a list stands here, a text is needed."),
        ("url: 12", "x.yml:1:6: 12 is a whole number, a text is needed. write it in quotes"),
        ("url: a\nactive: ya", "x.yml:2:9: 'ya' is a text, true or false is needed. write true"),
        ("url: a\nactive: off", "x.yml:2:9: 'off' is a text, true or false is needed. write false"),
        ("url: a\nactive: maybe", "x.yml:2:9: 'maybe' is a text, true or false is needed. write true or false"),
        ("url: a\ncms: jomla", "x.yml:2:6: 'jomla' is not allowed here. did you mean 'joomla'?"),
        ("url: a\ncms: 5", "x.yml:2:6: 5 is not allowed here. write one of: joomla, none, wordpress"),
        ("url: a\naliases: []", "x.yml:2:10: the list is empty."),
        ("url: a\naliases: [b, c, b]", "x.yml:2:17: 'b' stands twice in the list. keep one of them"),
        ("url: a\naliases: b", "x.yml:2:10: 'b' is a text, a list is needed. write a list"),
        ("url: a\nday: besok", "x.yml:2:6: 'besok' does not have the right form. write \"2026-11-30\" (A day)"),
        ("url: a\npassword: {secrt: db}", "x.yml:2:12: unknown key 'secrt'. did you mean 'secret'?"),
        ("url: a\npassword: hunter2", "x.yml:2:11: the value is a text, a mapping or nothing is needed."),
        ("url: a\ntask: {}", "x.yml:2:7: one of the keys 'argv' or 'line' is needed."),
        ("url: a\nact: {}", "x.yml:2:6: one of the keys 'argv' or 'line' is needed."),
        ("url: a\nact: {line: a, argv: b}", "x.yml:2:7: the keys 'argv' and 'line' exclude each other. keep one"),
    ],
)
def test_says_what_is_wrong_where_and_what_to_write(text: str, expected: str) -> None:
    found = words(text)
    assert any(each.startswith(expected) for each in found), found


def test_a_secret_value_is_never_shown() -> None:
    assert "hunter2" not in "".join(words("url: a\npassword: hunter2"))


def test_bad_names_point_at_the_name() -> None:
    assert words("Web1: {url: a}", SITES) == ["x.yml:1:1: 'Web1' cannot be a name here."]


def test_all_mistakes_come_at_once_in_file_order() -> None:
    text = "a: {colour: x, url: x}\nb: {url: 1, port: x}\nc: {url: x}"
    assert [each.split(":")[1] for each in words(text, SITES)] == ["1", "2", "2"]


def test_a_part_is_checked_at_its_place() -> None:
    source = parse_source("sites:\n  a:\n    url: 5\n", "x.yml")
    assert [(each.line, each.column) for each in check_shape(source, SITE, ("sites", "a"))] == [(3, 10)]


def test_an_expression_stands_for_any_value_where_allowed() -> None:
    text = "url: a\nport: '{{ vars.port }}'\ncms: '{{ vars.cms }}'\naliases: '{{ x }}'"
    assert words(text, expressions=True) == []
    assert len(words(text)) == 3


def test_an_expression_does_not_excuse_an_unknown_key() -> None:
    assert len(words("url: a\nulr: '{{ x }}'", expressions=True)) == 1


def test_branches_are_told_apart_by_their_word() -> None:
    schema = {
        "oneOf": [
            {"properties": {"kind": {"const": "a"}, "size": {"type": "integer"}}, "required": ["kind", "size"]},
            {"properties": {"kind": {"const": "b"}, "name": {"type": "string"}}, "required": ["kind", "name"]},
        ]
    }
    assert words("kind: b\nsize: 5", schema) == ["x.yml:1:1: the key 'name' is missing. add 'name:'"]


def test_what_a_terminal_would_obey_is_escaped() -> None:
    assert "\x1b" not in "".join(words('url: a\ncms: "\\e[31mred"'))


def test_ten_thousand_sites_are_checked_quickly() -> None:
    sites = {f"s{i}": {"url": "https://x", "port": 22, "cms": "joomla", "aliases": ["a"]} for i in range(10_000)}
    schema = {"type": "object", "additionalProperties": SITE}
    started = time.process_time()
    assert check_value(sites, schema) == []
    assert time.process_time() - started < 0.5


def test_jsonschema_is_not_loaded_before_something_is_wrong() -> None:
    code = (
        "import sys, runner.shapes as s; s.check_value({'a': 1}, {'type': 'object'}); "
        "assert 'jsonschema' not in sys.modules; s.check_value(1, {'type': 'object'}); "
        "assert 'jsonschema' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


NAMES = st.sampled_from(["a", "b", "ab", "c"])
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.sampled_from([0.0, 1.0, 1.5]),
    st.sampled_from(["", "a", "ab", "{{ a }}"]),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(NAMES, inner, max_size=3)),
    max_leaves=8,
)
TYPES = st.sampled_from(["string", "integer", "number", "boolean", "array", "object", "null"])
LIMITS = st.integers(0, 3)
SIMPLE = st.one_of(
    st.booleans(),
    st.fixed_dictionaries(
        {},
        optional={
            "type": st.one_of(TYPES, st.lists(TYPES, min_size=1, max_size=2, unique=True)),
            "enum": st.lists(VALUES, min_size=1, max_size=3),
            "const": VALUES,
            "pattern": st.sampled_from(["^a", "b$", "^$"]),
            "required": st.lists(NAMES, max_size=2, unique=True),
            "minimum": LIMITS,
            "exclusiveMaximum": LIMITS,
            "multipleOf": st.sampled_from([1, 2]),
            "minItems": LIMITS,
            "maxLength": LIMITS,
            "maxProperties": LIMITS,
            "uniqueItems": st.booleans(),
            "dependentRequired": st.dictionaries(NAMES, st.lists(NAMES, max_size=2, unique=True), max_size=2),
            "description": st.just("x"),
            "secret": st.just(True),
        },
    ),
)


def nested(inner: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    several = st.lists(inner, min_size=1, max_size=3)
    return st.fixed_dictionaries(
        {},
        optional={
            "type": TYPES,
            "properties": st.dictionaries(NAMES, inner, max_size=3),
            "patternProperties": st.dictionaries(st.sampled_from(["^a", "b"]), inner, max_size=2),
            "additionalProperties": inner,
            "propertyNames": inner,
            "items": inner,
            "prefixItems": several,
            "contains": inner,
            "allOf": several,
            "anyOf": several,
            "oneOf": several,
            "not": inner,
            "if": inner,
            "then": inner,
            "else": inner,
        },
    )


SCHEMAS = st.recursive(SIMPLE, nested, max_leaves=8)


@given(schema=SCHEMAS, value=VALUES)
def test_the_fast_path_agrees_with_jsonschema(schema: object, value: object) -> None:
    assert (check_value(value, schema) == []) == Draft202012Validator(schema).is_valid(value)


def with_expressions(schema: object) -> object:
    """Write into the schema itself that an expression may stand for any value inside a container."""
    if not isinstance(schema, dict):
        return schema
    result = dict(schema)
    for word in ("properties", "patternProperties"):
        if word in schema:
            result[word] = {name: or_expression(part) for name, part in schema[word].items()}
    for word in ("additionalProperties", "items"):
        if word in schema:
            result[word] = or_expression(schema[word])
    for word in ("allOf", "anyOf", "oneOf"):
        if word in schema:
            result[word] = [with_expressions(part) for part in schema[word]]
    for word in ("not", "if", "then", "else"):
        if word in schema:
            result[word] = with_expressions(schema[word])
    return result


def or_expression(schema: object) -> object:
    inner = with_expressions(schema)
    return inner if inner is False else {"anyOf": [{"type": "string", "pattern": r"\{\{"}, inner]}


@given(schema=SCHEMAS.filter(lambda s: "prefixItems" not in str(s) and "contains" not in str(s)), value=VALUES)
def test_expressions_agree_with_a_schema_that_allows_them(schema: object, value: object) -> None:
    expected = Draft202012Validator(or_expression(schema)).is_valid(value)
    if schema is not False:
        assert (check_value(value, schema, expressions=True) == []) == expected


def test_references_may_be_recursive() -> None:
    schema = {
        "$ref": "#/$defs/node",
        "$defs": {"node": {"type": "object", "additionalProperties": {"$ref": "#/$defs/node"}}},
    }
    assert check_value({"a": {"b": {}}}, schema) == []
    assert [fault.path for fault in check_value({"a": {"b": 1}}, schema)] == [("a", "b")]
