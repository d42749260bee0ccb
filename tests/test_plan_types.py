"""Types in a plan: what is known before the run is held against what its place takes, however deep it stands."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from runner.cli import run
from runner.errors import Refused
from runner.plan.types import check_known, part_of, type_of
from tests.lab import Lab

TYPED = """
office: {name: Pengadilan Negeri Contoh, timezone: Asia/Jakarta}
servers:
  s1: {connection: local, vars: {here: text}}
  s2: {connection: local, vars: {here: 5}}
vars: {number: 5, words: [a, b], word: a, nothing: null}
"""


def refused(task: str, *, before: str = "", more: str = "") -> list[str]:
    """What a plan with this task says is wrong with it, without places."""
    steps = f"  - {{id: one, activity: a, targets: servers, {more} tasks: [{before}{{id: t, {task}}}]}}\n"
    try:
        Lab(steps, inventory=TYPED)
    except Refused as error:
        return [mistake.message for mistake in error.mistakes]
    return []


@pytest.mark.parametrize(
    ("task", "message"),
    [
        (
            'action: lab.read, with: {text: "{{ vars.number }}"}',
            "{{ vars.number }}: for 's1' it is a whole number, and a text is needed",
        ),
        (
            'action: lab.read, with: {text: "{{ vars.here }}"}',
            "{{ vars.here }}: for 's2' it is a whole number, and a text is needed",
        ),
        (
            'action: lab.read, with: {number: "{{ target.name }}"}',
            "{{ target.name }}: for 's1' it is a text, and a whole number is needed",
        ),
        (
            'action: lab.read, with: {number: "{{ office.name }}"}',
            "{{ office.name }}: for 's1' it is a text, and a whole number is needed",
        ),
        (
            'action: lab.read, for_each: [1, two], with: {number: "{{ item }}"}',
            "{{ item }}: it is a text, and a whole number is needed",
        ),
        (
            'action: lab.read, when: "{{ vars.number }}"',
            "{{ vars.number }}: for 's1' it is a whole number, and true or false is needed",
        ),
        (
            'action: lab.read, for_each: "{{ vars.word }}"',
            "{{ vars.word }}: for 's1' it is a text, and a list is needed",
        ),
    ],
)
def test_a_value_that_is_known_and_does_not_fit_is_refused_before_the_run(task: str, message: str) -> None:
    assert refused(task) == [message]


@pytest.mark.parametrize(
    "task",
    [
        'action: lab.read, with: {text: "{{ vars.word }}"}',
        'action: lab.read, with: {text: "{{ vars.number | string }}"}',
        'action: lab.read, with: {text: "number {{ vars.number }}"}',
        'action: lab.read, with: {number: "{{ vars.number }}"}',
        'action: lab.read, for_each: "{{ vars.words }}", with: {text: "{{ item }}"}',
        'action: lab.read, for_each: [{n: 1}], with: {number: "{{ item.n }}"}',
    ],
)
def test_what_fits_or_is_known_only_in_the_run_is_planned(task: str) -> None:
    assert refused(task) == []


def test_a_condition_may_keep_a_value_away_that_would_not_fit() -> None:
    task = 'action: lab.read, with: {text: "{{ vars.nothing }}"}'
    assert len(refused(task)) == 1
    assert refused(f'{task}, when: "{{{{ vars.nothing is not none }}}}"') == []
    assert refused(task, more='when: "{{ vars.number > 9 }}",') == []


def test_a_list_that_for_each_made_is_no_text_inside_a_list_of_texts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("inventory.yml").write_text(TYPED)
    Path("p.yml").write_text("""
procedure: {title: T}
steps:
  - id: one
    activity: a
    tasks:
      - {id: a, action: command.run, effect: read, for_each: [x], with: {argv: [echo, "{{ item }}"]}}
      - {id: b, action: command.run, effect: read, with: {argv: [echo, "{{ tasks.a.stdout }}"]}}
      - {id: c, action: command.run, effect: read, with: {argv: [echo], env: {A: "{{ tasks.b.exit_code }}"}}}
      - {id: d, action: command.run, effect: read, with: {argv: [echo, "{{ tasks.b.exit_code }}"]}}
""")
    assert run(["check", "p.yml"]) == 5
    assert capsys.readouterr().err.splitlines() == [
        "p.yml:8:73: {{ tasks.a.stdout }}: it is a list, and a text is needed. read another output",
        "p.yml:10:73: {{ tasks.b.exit_code }}: it is a whole number, and a text is needed. add | string",
    ]


def test_types_have_their_words_in_json_schema() -> None:
    values = (None, True, "x", 1, 1.5, [1], {"a": 1})
    words = ["null", "boolean", "string", "integer", "number", "array", "object"]
    assert [type_of(value) for value in values] == words


def test_a_value_of_the_right_type_may_still_not_be_one_of_those_allowed() -> None:
    fault = check_known("x", {"type": "string", "enum": ["a", "b"]})
    assert fault is not None
    assert "'x'" in fault[0]


def test_the_schema_of_a_part_is_empty_where_nothing_is_declared() -> None:
    assert part_of({"type": "array"}, 0) == {}
    assert part_of({"additionalProperties": True}, "a") == {}
    assert part_of({"properties": {"a": {"type": "string"}}}, "a") == {"type": "string"}


def test_planning_over_ten_thousand_targets_takes_as_long_as_there_are_targets() -> None:
    servers = "\n".join(f"  h{number}: {{connection: local}}" for number in range(10_000))
    begun = time.process_time()
    Lab(
        """
  - id: one
    activity: a
    targets: servers
    outputs: [{id: o, text: o, value: "{{ tasks.t.value }}"}]
    tasks: [{id: t, action: lab.read, with: {give: "{{ vars.word }}"}}]
  - {id: two, activity: a, targets: servers, tasks: [{id: t, action: lab.read, with: {give: "{{ steps.one.o }}"}}]}
""",
        inventory=f"office: {{name: PN, timezone: Asia/Jakarta}}\nservers:\n{servers}\nvars: {{word: a}}\n",
    )
    assert time.process_time() - begun < 6  # a second; comparing each target with each takes many times that
