"""Expressions: every reference is known before the run, types are kept, and nothing can be reached or blown up."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.expressions import ROOTS, Expression, ExpressionError, Missing, parse_template, render_text
from runner.sandbox import find_parts

SCOPE: dict[str, Any] = {
    "tasks": {"a": {"items": [1, 2], "keys": "own", "text": "x", "none": None, "status": "ok"}},
    "steps": {"s": {"each": {"out": [{"target": "w", "value": 3}]}}},
    "vars": {"n": 3, "yes": True, "name": "é", "list": [3, 1, 2], "map": {"b": 1}},
    "target": {"name": "w1"},
    "item": "i",
    "office": {},
    "run": {"id": "r"},
    "secret": lambda name: f"<{name}>",
}


def fill(text: str) -> Any:
    """The value of text in the scope."""
    return parse_template(text).fill(SCOPE)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{{ vars.n }}", 3),
        (" {{ vars.n }}", " 3"),
        ("{{ vars.yes }}", True),
        ("is {{ vars.yes }}", "is true"),
        ("[{{ tasks.a.none }}]", "[]"),
        ("{{ tasks.a.none }}", None),
        ("{{ vars.list }}", [3, 1, 2]),
        ("{{ vars.list | sort }}", [1, 2, 3]),
        ("{{ vars.list | map('string') | list }}", ["3", "1", "2"]),
        ("{{ vars.list | map('string') }}", ["3", "1", "2"]),
        ("{{ tasks.a.items }}", [1, 2]),
        ("{{ tasks['a']['keys'] }}", "own"),
        ("{{ tasks.a.items[-1] }}", 2),
        ("{{ tasks.a.items[:1] }}", [1]),
        ("{{ steps.s.each.out | map(attribute='value') | list }}", [3]),
        ("{{ vars.missing | default('d') }}", "d"),
        ("{{ vars.missing.deeper | default('d') }}", "d"),
        ("{{ vars.missing is defined }}", False),
        ("{{ 'a' if vars.n > 2 else 'b' }}", "a"),
        ("{{ vars.n * 2 + 1 }}", 7),
        ("{{ vars.n % 2 }}", 1),
        ("{{ vars.name.upper() }}", "É"),
        ("{{ secret('key') }}", "<key>"),
        ("a {{ '}}' }} b", "a }} b"),
        ("{{ {'a': 1} }}", {"a": 1}),
        ("{{ vars.name ~ vars.n }}", "é3"),
        ("no expression } { at all", "no expression } { at all"),
        ("{# kept #}", "{# kept #}"),
        ("trailing {{ vars.n }}\n", "trailing 3\n"),
    ],
)
def test_values_and_their_types(text: str, value: Any) -> None:
    found = fill(text)
    assert (found, type(found)) == (value, type(value))


def references(text: str) -> list[str]:
    """The references of the text's expressions, those that may be absent marked with a question mark."""
    found = [r for expression in parse_template(text).expressions for r in expression.references]
    return [f"{r}{'?' if r.optional else ''}{'!' if r.whole else ''}" for r in found]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("{{ tasks.a.b }}", ["tasks.a.b!"]),
        ("{{ tasks.a.b[0].c }}", ["tasks.a.b[0].c!"]),
        ("{{ tasks['a'].b }}", ["tasks.a.b!"]),
        ("{{ vars.x | default(vars.y) }}", ["vars.x?", "vars.y"]),
        ("{{ vars.x is defined and vars.y }}", ["vars.x?", "vars.y"]),
        ("{{ 'a' if vars.x else steps.s.o }}", ["vars.x", "steps.s.o"]),
        ("{{ vars.x | replace(vars.y, 'z') }}", ["vars.x", "vars.y"]),
        ("{{ vars.x.split(vars.y)[0] }}", ["vars.x", "vars.y"]),
        ("{{ [vars.x, {'k': item}] }}", ["vars.x", "item"]),
        ("{{ secret('db') }}", ["secret('db')"]),
        ("{{ vars.x }} {{ target.y }}", ["vars.x!", "target.y!"]),
        ("{{ vars.list[1:2] }}", ["vars.list!"]),
        ("{{ 1 }}", []),
    ],
)
def test_all_references_are_found(text: str, found: list[str]) -> None:
    assert references(text) == found


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{{ }}", "not an expression"),
        ("{{ a b }}", "not an expression"),
        ("{{ vars.x", "'{{' is not closed"),
        ("{{ 'x }}", "not an expression"),
        ("{% if x %}y{% endif %}", "'{%' is not part of the language"),
        ("{{ vars[item] }}", "a name that is computed cannot be checked"),
        ("{{ vars[vars.x] }}", "a name that is computed cannot be checked"),
        ("{{ secret }}", "'secret' is asked with its name"),
        ("{{ secret(vars.x) }}", "'secret' takes one name as text"),
        ("{{ range(3) }}", "there are no functions"),
        ("{{ cycler(1) }}", "there are no functions"),
        ("{{ vars.x | random }}", "there is no filter 'random'"),
        ("{{ vars.x | attr('y') }}", "there is no filter 'attr'"),
        ("{{ vars.x is nosuch }}", "No test named 'nosuch'"),
        ("{{ " + "(" * 2000 + "1" + ")" * 2000 + " }}", ""),
        ("{{ " + "1 + " * 2000 + "1 }}", "too long"),
    ],
)
def test_what_cannot_be_accepted_is_refused_when_read(text: str, message: str) -> None:
    with pytest.raises(ExpressionError) as error:
        parse_template(text)
    assert message in str(error.value)


@pytest.mark.parametrize(
    "text",
    [
        "{{ vars.__class__ }}",
        "{{ vars.name.__class__.__mro__ }}",
        "{{ ''.__class__ }}",
        "{{ vars.name.format.__globals__ }}",
        "{{ '{0.__class__}'.format(vars.n) }}",
        "{{ vars.list.append(4) }}",
        "{{ vars.map.update({'c': 2}) }}",
        "{{ vars.map.items }}",
        "{{ vars.list.missing }}",
        "{{ 2 ** 99999999 }}",
        "{{ 'x' * 10 ** 9 }}",
        "{{ vars.list * 10 ** 9 }}",
        "{{ '%999999999d' % 1 }}",
        "{{ 10 ** 20 * 10 ** 20 }}",
        "{{ 1 / 0 }}",
        "{{ vars.n + 'x' }}",
        "{{ vars.missing + 1 }}",
        "{{ vars.list | first(1, 2) }}",
        "{{ vars.name | int + vars.map }}",
    ],
)
@pytest.mark.promise("Files", "Jinja sandbox escapes", "fail with words, reach nothing")
def test_what_fails_fails_with_words_and_reaches_nothing(text: str) -> None:
    before = repr({**SCOPE, "secret": None})
    with pytest.raises((ExpressionError, Missing)):
        fill(text)
    assert repr({**SCOPE, "secret": None}) == before


def test_a_key_is_taken_before_any_method() -> None:
    assert fill("{{ tasks.a.items }}") == [1, 2]
    assert fill("{{ tasks.a.keys }}") == "own"


LOADS = """
import sys
from runner.expressions import parse_template
for text in ("{{ vars.a.b }}", "{{ vars.a | trim }}"):
    parse_template(text)
    print("jinja2" in sys.modules)
"""
NAMES = st.sampled_from(["a", "items", "keys", "n", "none", "not", "__class__", "_x", "True", "get"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)


@given(st.sampled_from(ROOTS), st.lists(NAMES, min_size=1, max_size=4), VALUES)
def test_a_reference_alone_is_looked_up_as_jinja_would(root: str, path: list[str], value: Any) -> None:
    text = "{{ " + ".".join([root, *path]) + " }}"
    [plain], [full] = parse_template(text).parts, find_parts(text)
    assert plain == full
    assert outcome(plain, {root: value}) == outcome(full, {root: value})


def outcome(expression: str | Expression, scope: dict[str, Any]) -> object:
    """What an expression gives, or how it fails."""
    assert isinstance(expression, Expression)
    try:
        return expression.value(scope)
    except (Missing, ExpressionError) as error:
        return type(error), str(error), getattr(error, "fragment", "")


def test_what_only_looks_values_up_loads_no_jinja() -> None:
    done = subprocess.run([sys.executable, "-c", LOADS], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split() == ["False", "True"]


def test_a_fragment_is_as_written() -> None:
    [first, second] = parse_template("a {{vars.x}} b {{  vars.y   | trim }}").expressions
    assert (first.fragment, second.fragment) == ("{{vars.x}}", "{{  vars.y   | trim }}")


@given(st.text(alphabet="{}% 'abvars.[]()|0", max_size=30))
@pytest.mark.promise("Fuzzing", "any text as an expression", "a value or a refusal")
def test_any_text_is_a_template_or_refused(text: str) -> None:
    try:
        template = parse_template(text)
    except ExpressionError:
        return
    try:
        template.fill(SCOPE)
    except (ExpressionError, Missing):
        return


@given(st.none() | st.booleans() | st.integers() | st.text())
def test_values_in_text(value: Any) -> None:
    assert isinstance(render_text(value), str)
    assert parse_template("<{{ item }}>").fill({"item": value}) == f"<{render_text(value)}>"
