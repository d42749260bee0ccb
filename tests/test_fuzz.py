"""Whatever stands in a playbook, reading and planning it ends in a plan or in mistakes with a place, never in a bug."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.actions import ACTIONS
from runner.errors import Refused
from runner.source import parse_source
from tests.fuzzing.parsers import judge_playbook

HERE = Path(__file__).parent
SHIPPED = HERE.parent / "playbooks"
RICH = (HERE / "cases" / "rich-playbook.yml").read_text(encoding="utf-8")
CHILD = (SHIPPED / "pembaharuan-konten.yml").read_text(encoding="utf-8")
SEEDS = (RICH, (SHIPPED / "pemeliharaan-website.yml").read_text(encoding="utf-8"), CHILD)

ODD = (
    *("null", "true", "ya", "-", "16:30", "2026-11-23", "[]", "{}", "[[[]]]", "{a: {b: c}}", "1e400", "-0", "9" * 40),
    *(
        '""',
        "''",
        "!!python/object:os.system x",
        "!x y",
        "&a [*a]",
        "*a",
        "<<: {a: b}",
        "? [a]",
        "|",
        ">-",
        "%",
        "@",
        "`",
    ),
    *("{{ }}", "{{", "}}", "{{ tasks.a }}", "{{ tasks }}", "{{ steps.one.each.x[0] }}", "{{ a b }}", "{% if %}"),
    *('"{{ vars[item] }}"', '"{{ 2 ** 9999999 }}"', "\"{{ '%99999d' % 1 }}\"", '"{{ secret(1) }}"', '"{{ [1][9] }}"'),
    *(
        '"{{ vars.x | default }}"',
        '"{{ x.__class__.__mro__ }}"',
        '"{{ 1 / 0 }}"',
        '"{{ (((1))) }}"',
        "\"{{ '\\x00' }}\"",
    ),
    *("\x07", "\ufeff", "\u2028", "😀", "é", "\t", "\r", "a: b: c", "- - -", "...", "---", "# x", "\ud800"),
)


def mutate(text: str, chance: random.Random) -> str:
    """Return the text with one to four changes."""
    for _ in range(chance.randint(1, 4)):
        text = chance.choice((_drop_line, _double_line, _swap_lines, _odd_value, _insert, _cut, _indent))(text, chance)
    return text


def _lines(text: str, chance: random.Random) -> tuple[list[str], int]:
    lines = text.split("\n")
    return lines, chance.randrange(len(lines))


def _drop_line(text: str, chance: random.Random) -> str:
    lines, at = _lines(text, chance)
    return "\n".join(lines[:at] + lines[at + 1 :])


def _double_line(text: str, chance: random.Random) -> str:
    lines, at = _lines(text, chance)
    return "\n".join(lines[: at + 1] + lines[at:])


def _swap_lines(text: str, chance: random.Random) -> str:
    lines, at = _lines(text, chance)
    other = chance.randrange(len(lines))
    lines[at], lines[other] = lines[other], lines[at]
    return "\n".join(lines)


def _odd_value(text: str, chance: random.Random) -> str:
    lines, at = _lines(text, chance)
    key, colon, _ = lines[at].partition(":")
    lines[at] = f"{key}{colon} {chance.choice(ODD)}"
    return "\n".join(lines)


def _insert(text: str, chance: random.Random) -> str:
    at = chance.randrange(len(text) + 1)
    return text[:at] + chance.choice(ODD) + text[at:]


def _cut(text: str, chance: random.Random) -> str:
    at = chance.randrange(len(text) + 1)
    return text[:at] + text[at + chance.randint(1, 12) :]


def _indent(text: str, chance: random.Random) -> str:
    lines, at = _lines(text, chance)
    lines[at] = chance.choice(("  ", " ", "\t", "    ")) + lines[at]
    return "\n".join(lines)


def try_mutants(number: int) -> dict[str, int]:
    """Judge that many mutants, the same each time unless SOP_FUZZ_SEED says otherwise; return how many were what."""
    seed = int(os.environ.get("SOP_FUZZ_SEED", "20261122"))
    chance = random.Random(seed)
    found = {"refused": 0, "planned": 0}
    for count in range(number):
        text = mutate(chance.choice(SEEDS), chance)
        try:
            found[judge_playbook(text)] += 1
        except Exception as error:
            raise AssertionError(f"mutant {count} of seed {seed}: {error!r}\n{text}") from error
    return found


def test_the_seeds_themselves_are_sound() -> None:
    assert [judge_playbook(text) for text in SEEDS] == ["planned"] * 3


@pytest.mark.promise("Fuzzing", "mutated playbooks", "a plan, or mistakes with a place")
def test_mutated_playbooks_are_planned_or_refused() -> None:
    found = try_mutants(500)
    assert min(found.values()) > 0


@pytest.mark.heavy
@pytest.mark.timeout(1800)
@pytest.mark.promise("Fuzzing", "ten thousand mutated playbooks", "a plan, or mistakes with a place")
def test_ten_thousand_mutated_playbooks_are_planned_or_refused() -> None:
    found = try_mutants(10_000)
    assert min(found.values()) > 100


def places(data: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The path of every value in the data."""
    yield path
    parts = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in parts:
        yield from places(value, (*path, key))


def replaced(data: Any, path: tuple[str | int, ...], new: Any) -> Any:
    """A copy of the data with another value at the path."""
    if not path:
        return new
    copy = dict(data) if isinstance(data, dict) else list(data)
    copy[path[0]] = replaced(data[path[0]], path[1:], new)
    return copy


@pytest.mark.heavy
@pytest.mark.timeout(1800)
@pytest.mark.promise(
    "Fuzzing", "each value of a playbook replaced by one of another kind", "a plan, or mistakes with a place"
)
def test_any_value_replaced_by_one_of_another_kind_is_planned_or_refused() -> None:
    data = parse_source(RICH, "rich.yml").data
    for path in places(data):
        for new in ({}, [], None, True, 7, "x", "{{ x }}", {"x": 1}, ["x"], [{}], [[]]):
            try:
                judge_playbook(json.dumps(replaced(data, path, new)))
            except Exception as error:
                raise AssertionError(f"{new!r} at {path}: {error!r}") from error


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=200) | st.text(alphabet=" \n-:[]{}#&*!|>'\"%@`?,a1{}%\t\r\u2028é", max_size=120))
def test_random_text_is_data_or_mistakes(text: str) -> None:
    assert judge_playbook(text) == "refused"
    with suppress(Refused):
        parse_source(text, "x.yml")


SCALARS = st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from(ODD)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
KEYS = st.sampled_from(
    [
        "id",
        "activity",
        "actor",
        "remark",
        "inputs",
        "time_limit",
        "outputs",
        "targets",
        "once",
        "tasks",
        "decide",
        "include",
        "with",
        "when",
        "for_each",
        "retry",
        "on_failure",
        "on_unreachable",
        "always",
        "run_as",
        "action",
        "effect",
        "symbol",
        "text",
        "value",
        "needs",
        "question",
        "answers",
        "rounds",
        "step",
    ]
)
TASKS = st.fixed_dictionaries(
    {"id": st.just("a") | VALUES, "action": st.sampled_from([*ACTIONS]) | VALUES},
    optional={
        "with": VALUES,
        "when": VALUES,
        "for_each": VALUES,
        "retry": VALUES,
        "on_failure": VALUES,
        "effect": VALUES,
    },
)
STEPS = st.fixed_dictionaries(
    {"id": st.just("one") | VALUES, "activity": st.just("a") | VALUES},
    optional={
        "tasks": st.lists(TASKS, max_size=3) | VALUES,
        "targets": st.sampled_from(["websites", "servers:!x", "~[", "all[1:", "@x"]) | VALUES,
        "decide": st.dictionaries(KEYS, VALUES, max_size=3),
        "outputs": st.lists(st.dictionaries(KEYS, VALUES, max_size=3), max_size=2),
        "inputs": st.lists(st.dictionaries(KEYS, VALUES, max_size=3), max_size=2),
        "when": VALUES,
        "for_each": VALUES,
        "time_limit": VALUES,
        "include": st.just("child.yml") | VALUES,
        "with": VALUES,
        "actor": VALUES,
    },
)


@settings(max_examples=200, deadline=None)
@given(st.lists(STEPS, max_size=3), VALUES, VALUES)
def test_random_playbooks_are_planned_or_refused(steps: list[object], supplement: object, roles: object) -> None:
    document = {"procedure": {"title": "T", "roles": roles}, "steps": steps, "supplement": supplement}
    judge_playbook(json.dumps(document))
