"""Values compiled once and filled at each task, wherever in them the expressions stand."""

from __future__ import annotations

from typing import Any

import pytest

from runner.expressions import Missing
from runner.inputs import Compiled, compile_value, iterate_texts, resolve

SCOPE = {"vars": {"x": 1, "list": ["a b", "c"], "bad": "; touch pwned"}, "item": {"k": "v"}}


def compiled(value: Any, *, shell: bool = False) -> Compiled:
    """The value compiled without mistakes."""
    notes: list[Any] = []
    made = compile_value(value, ("with",), lambda *note: notes.append(note), shell=shell)
    assert notes == []
    return made


@pytest.mark.parametrize(
    ("value", "filled"),
    [
        (1, 1),
        (None, None),
        ("plain", "plain"),
        ("{{ vars.x }}", 1),
        ("a {{ vars.x }}", "a 1"),
        (
            ["{{ vars.list }}", {"k": "{{ item.k }}", "{{ vars.x }}": "{{ vars.x }}"}],
            [["a b", "c"], {"k": "v", "{{ vars.x }}": 1}],
        ),
        ({"a": {"b": ["{{ item }}"]}}, {"a": {"b": [{"k": "v"}]}}),
    ],
)
def test_expressions_are_filled_wherever_they_stand_but_in_keys(value: Any, filled: Any) -> None:
    assert compiled(value).fill(SCOPE) == filled


def test_a_shell_line_becomes_line_and_parameters() -> None:
    line = compiled("ls {{ vars.list }} x{{ vars.bad }}", shell=True)
    assert line.fill(SCOPE) == ('ls "${1}" "${2}" x"${3}"', ("a b", "c", "; touch pwned"))
    assert compiled("uptime", shell=True).fill(SCOPE) == ("uptime", ())


def test_mistakes_are_noted_at_their_place_and_the_rest_is_compiled() -> None:
    notes: list[Any] = []
    made = compile_value({"a": ["{{ ", "{{ vars.x }}"], "b": "{% x %}"}, ("with",), lambda *note: notes.append(note))
    assert [(where, fragment) for where, _, _, fragment in notes] == [
        (("with", "a", 0), "{{ "),
        (("with", "b"), "{% x"),
    ]
    assert [where for where, _ in made.expressions] == [("with", "a", 1)]


def test_what_is_missing_is_said() -> None:
    with pytest.raises(Missing):
        compiled("{{ vars.y }}").fill(SCOPE)


@pytest.mark.parametrize(
    ("path", "found"),
    [
        (("a", "b"), (True, 1)),
        (("a", "list", 0), (True, "x")),
        (("a", "list", 9), (False, None)),
        (("a", "list", "0"), (False, None)),
        (("a", "b", "c"), (False, None)),
        (("a", "none"), (True, None)),
        (("a", "none", "x"), (False, None)),
        ((), (True, {"a": {"b": 1, "list": ["x"], "none": None}})),
    ],
)
def test_a_path_leads_to_a_value_or_nowhere(path: tuple[str | int, ...], found: tuple[bool, Any]) -> None:
    assert resolve({"a": {"b": 1, "list": ["x"], "none": None}}, path) == found


def test_every_text_is_found_with_its_place() -> None:
    assert list(iterate_texts({"a": ["x", {"b": "y"}], "c": 1}, ("vars",))) == [
        (("vars", "a", 0), "x"),
        (("vars", "a", 1, "b"), "y"),
    ]
