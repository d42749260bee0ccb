"""The dry run is honest: it changes nothing, shows no made-up value, and says what it could not look at (law 2)."""

from __future__ import annotations

import pytest

from runner.contract import Outcome, Problem, Severity, Status
from tests.lab import Lab, fail, ok


def rehearse(lab: Lab) -> dict[str, str]:
    """Make a dry run; return what was found by "step.task"."""
    lab.run(dry=True)
    return {
        f"{step.id}.{task.id}": str(task.outcome.reason or task.outcome.status)
        for step in lab.record.steps
        for target in step.targets
        for task in target.tasks
    }


def test_what_reads_is_done_what_changes_is_previewed_and_the_rest_is_not_checked() -> None:
    lab = Lab("""
  - id: one
    activity: a
    targets: s1
    tasks:
      - {id: reads, action: lab.read}
      - {id: changes, action: lab.change, with: {give: "{{ tasks.reads.name }}"}}
      - {id: blind, action: lab.blind}
      - {id: hangs, action: lab.read, with: {give: "{{ tasks.changes.value }}"}}
      - {id: deeper, action: lab.read, with: {give: "{{ tasks.hangs.value }}"}}
      - {id: free, action: lab.read}
""")
    assert rehearse(lab) == {
        "one.reads": "ok",
        "one.changes": "previewed",
        "one.blind": "not_checked",
        "one.hangs": "blocked",
        "one.deeper": "blocked",
        "one.free": "ok",
    }
    assert [key.task for key in lab.calls] == ["reads", "free"]


def test_a_default_does_not_stand_in_for_what_was_not_looked_at() -> None:
    lab = Lab("""
  - id: one
    activity: a
    targets: s1
    outputs:
      - {id: out, text: O, value: "{{ tasks.changes.value | default('made up') }}"}
      - {id: known, text: K, value: "{{ tasks.reads.name }}"}
    tasks:
      - {id: changes, action: lab.change}
      - {id: reads, action: lab.read}
      - {id: a, action: lab.read, with: {give: "{{ tasks.changes.value | default('made up') }}"}}
      - {id: b, action: lab.read, when: "{{ tasks.changes.value is defined }}"}
      - {id: c, action: lab.read, when: "{{ tasks.changes.status == 'skipped' }}"}
      - {id: d, action: lab.read, for_each: "{{ tasks.changes.value | default([]) }}"}
  - id: two
    activity: b
    tasks:
      - {id: e, action: lab.read, with: {give: "{{ steps.one.each.out }}"}}
      - {id: f, action: lab.read, with: {give: "{{ steps.one.each.status }}"}}
      - {id: g, action: lab.read, with: {give: "{{ steps.one.each.known }}"}}
  - id: three
    activity: c
    targets: s1
    tasks: [{id: h, action: lab.read, with: {give: "{{ steps.one.out | default(1) }}"}}]
  - {id: four, activity: d, targets: s1, when: "{{ steps.one.out == 1 }}", tasks: [{id: i, action: lab.read}]}
""")
    found = rehearse(lab)
    assert {place for place, what in found.items() if what == "blocked"} == {
        *("one.a", "one.b", "one.c", "one.d", "two.e", "two.f", "three.h"),
    }
    assert [key.task for key in lab.calls] == ["reads", "g"]
    assert "made up" not in repr(lab.events)
    assert "step_finished four@s1: skipped (blocked)" in lab.told


def test_problems_are_unknown_once_what_may_find_some_was_left_out() -> None:
    steps = """
  - {id: look, activity: a, targets: s1, tasks: [{id: a, action: lab.read}]}
  - {id: early, activity: b, tasks: [{id: b, action: lab.read, when: "{{ run.problems | length == 1 }}"}]}
  - {id: act, activity: c, targets: s1, tasks: [{id: c, action: lab.change}]}
  - {id: late, activity: d, tasks: [{id: d, action: lab.read, when: "{{ run.problems | default([]) | length == 1 }}"}]}
"""
    lab = Lab(steps)
    lab.does["look.a"] = lambda call: Outcome(Status.OK, problems=(Problem("gone", Severity.CRITICAL, "it is gone"),))
    assert rehearse(lab) == {"look.a": "ok", "early.b": "ok", "act.c": "previewed", "late.d": "blocked"}


def test_a_step_that_hangs_on_the_unknown_hands_that_on() -> None:
    lab = Lab("""
  - id: one
    activity: a
    tasks: [{id: a, action: lab.blind}]
    outputs: [{id: x, text: X, value: "{{ tasks.a.value }}"}]
  - id: two
    activity: b
    for_each: "{{ steps.one.x | default([1]) }}"
    tasks: [{id: b, action: lab.read}]
    outputs: [{id: y, text: Y, value: "{{ tasks.b.value }}"}]
  - {id: three, activity: c, tasks: [{id: c, action: lab.read, with: {give: "{{ steps.two.y | default(2) }}"}}]}
""")
    assert rehearse(lab) == {"one.a": "not_checked", "three.c": "blocked"}
    assert lab.calls == []


def test_an_included_playbook_hands_its_unknown_on() -> None:
    child = """
procedure: {title: C}
steps:
  - id: look
    activity: a
    outputs: [{id: x, text: X, value: "{{ tasks.a.value }}"}]
    tasks: [{id: a, action: lab.blind}]
  - id: read
    activity: b
    outputs: [{id: y, text: Y, value: "{{ tasks.b.name }}"}]
    tasks: [{id: b, action: lab.read}]
outputs: {x: "{{ steps.look.x | default('made up') }}", y: "{{ steps.read.y }}"}
"""
    lab = Lab(
        """
  - {id: call, activity: a, include: child.yml}
  - id: two
    activity: b
    tasks:
      - {id: c, action: lab.read, with: {give: "{{ steps.call.x | default('made up') }}"}}
      - {id: d, action: lab.read, with: {give: "{{ steps.call.status }}"}}
      - {id: e, action: lab.read, with: {give: "{{ steps.call.y }}"}}
""",
        others={"child.yml": child},
    )
    found = rehearse(lab)
    assert [found[f"two.{task}"] for task in "cde"] == ["blocked", "blocked", "ok"]
    assert [key.task for key in lab.calls] == ["b", "e"]


@pytest.mark.parametrize("value", ["", ', value: "{{ tasks.b.value }}"'])
def test_every_branch_of_a_decision_is_looked_at(value: str) -> None:
    lab = Lab(f"""
  - {{id: one, activity: a, tasks: [{{id: a, action: lab.read}}]}}
  - id: two
    activity: b
    actor: admin
    tasks: [{{id: b, action: lab.read}}]
    decide: {{question: Apa?, answers: {{w: {{step: one}}, x: {{step: four}}, y: end, z: out}}{value}}}
  - {{id: three, activity: c, tasks: [{{id: c, action: lab.read}}]}}
  - {{id: four, activity: d, tasks: [{{id: d, action: lab.read}}]}}
""")
    lab.does["two.b"] = ok(value="y")
    found = rehearse(lab)
    assert found["two.decide"] == "previewed"
    assert [key.task for key in lab.calls] == ["a", "b", "c", "d"]


def test_what_follows_from_problems_is_looked_at_too() -> None:
    lab = Lab(
        "  - {id: report, activity: b, tasks: [{id: b, action: lab.read}]}",
        top="supplement: {after: {problems: [report]}}\n",
    )
    assert rehearse(lab) == {"report.b": "ok"}


def test_nobody_is_asked() -> None:
    lab = Lab("  - {id: one, activity: a, tasks: [{id: a, action: lab.ask, actor: admin, with: {text: x}}]}")
    assert rehearse(lab) == {"one.a": "previewed"}
    assert lab.told[-1] == "run_ended skipped 0"


def test_a_failing_read_is_told_and_ways_back_are_not_walked() -> None:
    lab = Lab("""
  - {id: one, activity: a, tasks: [{id: a, action: lab.read}]}
  - {id: two, activity: b, on_failure: {step: one}, tasks: [{id: b, action: lab.read}]}
  - {id: three, activity: c, on_failure: {step: five}, tasks: [{id: c, action: lab.read, retry: {count: 3}}]}
  - {id: four, activity: d, tasks: [{id: d, action: lab.read}]}
  - {id: five, activity: e, tasks: [{id: e, action: lab.read}]}
""")
    lab.does = {"two.b": fail, "three.c": fail}
    rehearse(lab)
    assert [key.task for key in lab.calls] == ["a", "b", "c", "d", "e"]
    assert lab.events[-1].data["exit_code"] == 2
