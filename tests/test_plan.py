"""Everything that can be refused is refused before the first task: all at once, with place and cure (law 1)."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from runner.binding import Documents, bind
from runner.cli import run
from runner.errors import Refused
from runner.expressions import ExpressionError
from runner.inputs import compile_value
from runner.plan import Plan, Selection
from tests.lab import Lab

CASES = Path(__file__).parent / "cases" / "bad-playbooks"
NAMES = sorted(path.stem for path in CASES.glob("*.txt"))
NOW = datetime(2026, 11, 23, tzinfo=UTC)


def plan_of(name: str, selection: Selection | None = None) -> Plan:
    """The plan of a case, from within its folder."""
    return bind(Documents(Path(f"{name}.yml"), (Path("inventory.yml"),)), selection or Selection(), now=NOW).plan


@pytest.mark.parametrize("name", NAMES)
def test_a_bad_playbook_is_refused_with_every_mistake(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(CASES)
    with pytest.raises(Refused) as refused:
        plan_of(name)
    assert str(refused.value).split("\n") == (CASES / f"{name}.txt").read_text().rstrip("\n").split("\n")


def test_every_bad_playbook_has_its_expected_mistakes() -> None:
    assert {path.stem for path in CASES.glob("*.yml")} - {"inventory"} == set(NAMES)


@pytest.mark.parametrize("command", ["run", "plan", "check"])
@pytest.mark.parametrize("name", ["typo-in-last-reference", "several-at-once", "include-cycle", "unknown-target"])
def test_a_bad_playbook_exits_5_and_nothing_ran(
    name: str, command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(CASES)
    records = [] if command == "check" else ["--records", str(tmp_path / "records")]
    assert run([command, f"{name}.yml", "-i", "inventory.yml", *records]) == 5
    shown = capsys.readouterr()
    assert (CASES / f"{name}.txt").read_text().strip() in shown.err
    assert not (tmp_path / "records").exists()


def test_a_secret_that_nobody_set_is_refused_at_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("inventory.yml").write_text((CASES / "inventory.yml").read_text())
    Path("p.yml").write_text("""
procedure: {title: T}
steps:
  - id: one
    activity: a
    targets: web1
    tasks: [{id: a, action: command.run, with: {command: touch ran, env: {PW: "{{ secret('database') }}"}}}]
""")
    assert run(["run", "p.yml"]) == 5
    assert capsys.readouterr().err.startswith("inventory.yml:10:")
    assert not Path("ran").exists()


@pytest.mark.parametrize(
    ("selection", "message"),
    [
        (
            Selection(limit="s9"),
            "--limit: 's9' selects nothing: there is no such target or group. write one of: all, s1",
        ),
        (Selection(limit="s1:!s1"), "--limit: 's1:!s1' selects nothing"),
        (Selection(limit="w1"), "--limit: it leaves no target for the chosen steps. widen it"),
        (Selection(only=("oen",)), "--only: there is no step 'oen'. did you mean 'one'?"),
        (Selection(start="tow"), "--from: there is no step 'tow'. did you mean 'two'?"),
        (Selection(start="two", only=("one",)), "--from: together with --only it leaves no step"),
    ],
)
def test_a_request_that_selects_nothing_is_a_mistake(selection: Selection, message: str) -> None:
    steps = """
  - {id: one, activity: a, targets: servers, tasks: [{id: a, action: lab.read}]}
  - {id: two, activity: b, targets: "s1:s2", tasks: [{id: a, action: lab.read}]}
"""
    with pytest.raises(Refused) as refused:
        Lab(steps, selection=selection)
    assert str(refused.value).startswith(message)


def test_limits_and_steps_select_what_is_done() -> None:
    lab = Lab(
        """
  - {id: one, activity: a, targets: servers, tasks: [{id: a, action: lab.read}]}
  - {id: two, activity: b, targets: servers, tasks: [{id: a, action: lab.read}]}
  - {id: three, activity: c, tasks: [{id: a, action: lab.read}]}
""",
        selection=Selection(limit="servers:!s2", start="two"),
    )
    lab.run()
    assert [(key.step, key.target) for key in lab.calls[2:]] == [("three", None)]
    assert {(key.step, key.target) for key in lab.calls[:2]} == {("two", "s1"), ("two", "s3")}


def test_variables_nearest_wins() -> None:
    inventory = """
servers:
  a: {connection: local, vars: {v4: target, v5: target}}
  b: {connection: local}
groups:
  inner: {members: [a], vars: {v3: inner, v4: inner}}
  outer: {children: [inner], vars: {v2: outer, v3: outer}}
vars: {v1: all, v2: all}
"""
    lab = Lab(
        """
  - {id: one, activity: a, targets: a, tasks: [{id: a, action: lab.read, with: {give: "{{ [vars.v0, vars.v1, vars.v2,
     vars.v3, vars.v4, vars.v5] }}"}}]}
""",
        top="vars: {v0: playbook, v1: playbook}\n",
        inventory=inventory,
        selection=Selection(extra={"v5": "extra"}),
    )
    lab.run()
    assert lab.inputs[lab.calls[0]]["give"] == ["playbook", "all", "outer", "inner", "target", "extra"]


def test_a_variable_given_on_the_command_line_wins_over_what_an_include_gives() -> None:
    child = """
procedure: {title: C}
vars: {month: none, year: none}
steps: [{id: look, activity: a, tasks: [{id: a, action: lab.read, with: {give: "{{ vars.month ~ vars.year }}"}}]}]
"""
    lab = Lab(
        "  - {id: call, activity: a, include: child.yml, with: {month: may, year: '{{ vars.word }}'}}",
        others={"child.yml": child},
        selection=Selection(extra={"month": "june"}),
    )
    lab.run()
    assert lab.inputs[lab.calls[0]]["give"] == "junehello"


REFERENCES = [
    ("{{ vars.wrod }}", "the variable 'vars.wrod' is not set for 's1'. did you mean 'word'?"),
    ("{{ vars.word.deeper }}", "the variable 'vars.word.deeper' is not set for 's1'."),
    ("{{ target.nam }}", "'s1' has no 'nam'. did you mean 'name'?"),
    ("{{ office.nmae }}", "the inventory has no 'office.nmae'. did you mean 'name'?"),
    ("{{ item }}", "'item' is there only with for_each. add for_each:"),
    ("{{ tasks.b.value }}", "task 'b' comes later. move it up: a task reads what was done before it"),
    ("{{ tasks.a.value }}", "task 'a' comes later. move it up: a task reads what was done before it"),
    ("{{ tasks.zero }}", "an output must be named. write one of: message, name, status, value"),
    ("{{ steps.two.x }}", "step 'two' comes later. a step reads what was done before it; or add | default(…)"),
    ("{{ steps.once.each.x }}", "'each' reads, in a step that runs once, what ran on targets. write steps.once.OUTPUT"),
    ("{{ secret('key') }}", "a secret fits only inputs made for one. pass it through env: or stdin:"),
    ("{{ x }}", "there is no 'x' to read. write one of: item, office, run, steps, target, tasks, vars"),
    ("{{ lookup('env', 'HOME') }}", "there are no functions but secret('name'). use a filter"),
    ("{{ tasks['zero']['value'] }}", None),
    ("{{ target.missing | default('none') }}", None),
    ("{{ vars.missing is defined }}", None),
    ("{{ steps.two.x | default('later') }}", None),
]


@pytest.mark.parametrize(("expression", "message"), REFERENCES)
def test_references_are_checked(expression: str, message: str | None) -> None:
    steps = f"""
  - {{id: once, activity: a, outputs: [{{id: x, text: X, value: "{{{{ tasks.z.value }}}}"}}],
     tasks: [{{id: z, action: lab.read}}]}}
  - id: one
    activity: a
    targets: s1
    tasks:
      - {{id: zero, action: lab.read}}
      - {{id: a, action: lab.read, with: {{give: "{expression}"}}}}
      - {{id: b, action: lab.read}}
  - {{id: two, activity: b, targets: s1, outputs: [{{id: x, text: X, value: "{{{{ tasks.z.value }}}}"}}],
     tasks: [{{id: z, action: lab.read}}]}}
"""
    if message is None:
        assert Lab(steps).plan
        return
    with pytest.raises(Refused) as refused:
        Lab(steps)
    [mistake] = refused.value.mistakes
    assert (mistake.file, mistake.line, mistake.column) == ("lab.yml", 11, 49)
    assert f"{mistake.message}. {mistake.cure}".rstrip() == f"{expression}: {message}".rstrip()


def test_a_step_that_runs_once_reads_targets_by_each_only() -> None:
    steps = """
  - id: one
    activity: a
    targets: s1
    outputs: [{id: x, text: X, value: "{{ tasks.a.value }}"}]
    tasks: [{id: a, action: lab.read}]
  - {id: two, activity: b, tasks: [{id: a, action: lab.read, with: {give: "{{ steps.one.x }}"}}]}
"""
    with pytest.raises(
        Refused, match=r"step 'one' ran on targets, this one runs once\. write steps\.one\.each\.OUTPUT"
    ):
        Lab(steps)


def test_steps_over_other_targets_do_not_read_each_other() -> None:
    steps = """
  - id: one
    activity: a
    targets: s2
    outputs: [{id: x, text: X, value: "{{ tasks.a.value }}"}]
    tasks: [{id: a, action: lab.read}]
  - {id: two, activity: b, targets: s1, tasks: [{id: a, action: lab.read, with: {give: "{{ steps.one.x }}"}}]}
"""
    with pytest.raises(Refused, match="step 'one' does not run on 's1'"):
        Lab(steps)


def test_an_expression_error_says_what_to_write() -> None:
    error = ExpressionError("wrong", "right", "{{ x }}")
    assert (str(error), error.cure, error.fragment) == ("wrong", "right", "{{ x }}")


def test_one_mistake_in_a_value_does_not_hide_another() -> None:
    with pytest.raises(Refused) as refused:
        Lab("""
  - id: one
    activity: a
    tasks:
      - {id: a, action: command.rum, with: {argv: ["{{ vars.nope }}", "{{ secret('key') }}"]}}
""")
    assert [mistake.message for mistake in refused.value.mistakes] == [
        "there is no action 'command.rum'",
        "{{ vars.nope }}: the variable 'vars.nope' is not set",
    ]


def test_a_value_in_quotes_does_not_hide_a_reference_that_leads_nowhere() -> None:
    noted: list[str] = []
    text = "echo '{{ vars.a }}' {{ vars.b }}"
    compiled = compile_value(text, (), lambda where, message, cure, fragment: noted.append(fragment), shell=True)
    assert noted == ["{{ vars.a }}"]
    assert [expression.fragment for _, expression in compiled.expressions] == ["{{ vars.a }}", "{{ vars.b }}"]
