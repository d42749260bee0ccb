"""Going on after a cut: from any prefix of what was recorded, the result is the same and nothing finished is redone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.contract import Outcome, Status
from runner.engine.course import Pause
from runner.engine.scope import StepValue
from runner.events import Event, Key, Kind
from runner.plan import Selection
from tests.lab import NOW, RUN, Lab, fail, key_of, ok, unreachable

CHILD = """
procedure: {title: C, roles: {admin: Admin}}
steps:
  - {id: look, activity: a, targets: s1, outputs: [{id: newest, text: N, value: "{{ tasks.a.value }}"}],
     tasks: [{id: a, action: lab.change, with: {give: "{{ vars.month }}"}}]}
  - {id: ask, activity: b, tasks: [{id: b, action: lab.ask, with: {text: Mohon, role: admin}}]}
vars: {month: none}
outputs: {newest: "{{ steps.look.each.newest }}"}
"""
STEPS = """
  - id: one
    activity: a
    targets: s1:s2
    on_failure: continue
    outputs: [{id: out, text: O, value: "{{ tasks.b.value | default('none') }}"}]
    tasks:
      - id: a
        action: lab.read
        for_each: [1, 2]
        when: "{{ item == 2 or target.name == 's1' }}"
        with: {give: "{{ item }}"}
      - {id: b, action: lab.change, retry: {count: 2, pause: 1s}, with: {give: "{{ tasks.a.value }}"}}
      - {id: c, action: lab.remote, on_unreachable: stop}
      - {id: d, action: lab.remote, always: true}
  - {id: sign, activity: b, tasks: [{id: s, action: lab.ask, actor: admin, with: {text: Mohon}}]}
  - id: loop
    activity: c
    for_each: [x, z]
    tasks: [{id: e, action: lab.change, with: {give: "{{ item ~ run.attempt }}"}}]
    outputs: [{id: all, text: A, value: "{{ tasks.e.value }}"}]
    decide:
      question: Selesai?
      value: "{{ 'ya' if run.attempt == 2 else 'tidak' }}"
      answers: {ya: next, tidak: {step: sign}}
  - {id: call, activity: d, include: child.yml, with: {month: "{{ steps.loop.all | last }}"}}
  - id: last
    activity: e
    targets: s1:s2
    when: "{{ steps.one.status != 'failed' }}"
    tasks: [{id: f, action: lab.change, with: {give: "{{ steps.call.newest }}"}}]
"""


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runner.engine.tries.Pause", lambda seconds: Pause(0.0))


def build() -> Lab:
    """A lab where s1 fails once and s2 is not reached."""
    lab = Lab(STEPS, others={"child.yml": CHILD}, broken=frozenset({"s2"}))
    lab.does["one.b@s1"] = lambda call: fail(call) if key_of(call).tries == 1 else ok(value=[call.inputs["give"]])(call)
    return lab


def finish(lab: Lab, resume: Sequence[Event] = ()) -> Lab:
    """Run to the end, with every person answering as soon as asked."""
    lab.run(resume=resume)
    while waiting := unanswered(lab.events):
        [asked] = waiting
        answer = {"role": "admin", "person": "Siti", "label": "signed", "method": "login", "note": "", "subject": ""}
        given = replace(asked, kind=Kind.ANSWERED, data={**answer, "at": NOW.isoformat()})
        lab.run(resume=[*lab.events, given])
    return lab


def unanswered(events: Sequence[Event]) -> list[Event]:
    """Requests without an answer."""
    answered = {(event.run, event.key) for event in events if event.kind is Kind.ANSWERED}
    return [e for e in events if e.kind is Kind.REQUESTED and (e.run, e.key) not in answered]


def result(lab: Lab) -> Any:
    """How a run ended, without how often things were tried, in an order of its own."""
    record = lab.record
    steps = {
        (step.id, step.attempt, target.target): (
            target.status,
            target.outputs,
            [(task.id, task.place, task.outcome.status, task.outcome.outputs) for task in target.tasks],
        )
        for step in (*record.steps, *record.attempts)
        for target in step.targets
    }
    return record.status, record.exit_code, steps, [(move.step, move.to, move.back) for move in record.moves]


def recorded_once(events: Sequence[Event]) -> list[tuple[str, Kind, Key]]:
    """What the journal would refuse as a double."""
    unique = (Kind.TASK_STARTED, Kind.TASK_FINISHED, Kind.RUN_STARTED, Kind.REQUESTED, Kind.MOVED, Kind.STEP_FINISHED)
    counts = Counter((event.run, event.kind, event.key) for event in events if event.kind in unique)
    return [key for key, number in counts.items() if number > 1]


WHOLE = finish(build())


def test_the_whole_run_is_as_expected() -> None:
    assert recorded_once(WHOLE.events) == []
    status, code, steps, moves = result(WHOLE)
    assert (status, code, moves) == ("unreachable", 4, [("loop", "sign", True)])
    assert steps["one", 1, "s1"][1] == {"out": [[1, 2]]}
    assert steps["one", 1, "s2"][1] == {"out": [None, 2]}
    assert steps["loop", 2, None][1] == {"all": ["x2", "z2"]}
    assert steps["last", 2, "s2"][0] == "skipped"


@pytest.mark.parametrize("cut", range(1, len(WHOLE.events)))
def test_a_run_cut_anywhere_goes_on_to_the_same_result(cut: int) -> None:
    kept = WHOLE.events[:cut]
    lab = finish(build(), kept)
    assert result(lab) == result(WHOLE)
    assert recorded_once(lab.events) == []
    finished = {event.key for event in kept if event.kind is Kind.TASK_FINISHED}
    assert finished.isdisjoint(lab.calls)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_a_run_cut_several_times_goes_on_to_the_same_result(data: st.DataObject) -> None:
    events: Sequence[Event] = WHOLE.events
    for _ in range(3):
        events = finish(build(), events[: data.draw(st.integers(1, len(events)))]).events
    lab = build()
    lab.events = [*events]
    assert result(lab) == result(WHOLE)
    assert recorded_once(events) == []


def cut_off(lab: Lab, task: str) -> list[Event]:
    """What is left of the lab's run where it was killed during that task."""
    return lab.events[: 1 + next(n for n, e in enumerate(lab.events) if e.kind is Kind.TASK_STARTED and e.task == task)]


def test_what_may_be_repeated_is_done_again() -> None:
    lab = Lab("  - {id: one, activity: a, tasks: [{id: a, action: lab.change}]}")
    lab.run()
    lab.run(resume=cut_off(lab, "a"))
    assert lab.told[3:] == [
        "run_resumed",
        "task_finished one.a: interrupted",
        "task_started one.a~2",
        "task_finished one.a~2: ok",
        "step_finished one: ok",
        "run_ended ok 0",
    ]


def test_what_is_never_repeated_waits_for_a_person() -> None:
    lab = Lab("""
  - {id: one, activity: a, tasks: [{id: a, action: lab.never}, {id: b, action: lab.read}]}
""")
    lab.run()
    lab.run(resume=cut_off(lab, "a"))
    assert lab.told[3:] == [
        "run_resumed",
        "task_finished one.a: interrupted",
        "requested one.a:  repeat|done|failed",
        "run_ended waiting 3",
    ]
    waiting = lab.answer
    for label, last in (("done", "ok"), ("failed", "failed"), ("repeat", "ok")):
        again = Lab(lab.steps)
        again.run(resume=waiting("one", label))
        assert f"task_finished one.a~2: {last}" in again.told
        assert [key.task for key in again.calls] == {"done": ["b"], "failed": [], "repeat": ["a", "b"]}[label]


@pytest.mark.parametrize("found", [True, False])
def test_what_can_be_probed_is_done_again_only_where_it_was_not_done(found: bool) -> None:
    lab = Lab("  - {id: one, activity: a, tasks: [{id: a, action: lab.probe}]}")
    lab.run()
    cut, lab.calls = cut_off(lab, "a"), []
    if found:
        lab.does["probe one.a"] = ok(value="was there")
    lab.run(resume=cut)
    assert [key.tries for key in lab.calls] == ([] if found else [2])
    assert lab.told[-3] == "task_finished one.a~2: ok"


def test_the_date_of_a_resumed_run_is_that_of_its_beginning() -> None:
    lab = Lab("""
  - {id: one, activity: a, tasks: [{id: a, action: lab.ask, actor: admin, with: {text: x}}, {id: b, action: lab.read,
     with: {give: "{{ run.date }} {{ run.started }}"}}]}
""")
    lab.run()
    events = [replace(event, at=event.at.replace(year=2025)) for event in lab.answer("one", "signed")]
    lab.run(resume=events)
    assert lab.inputs[lab.calls[-1]]["give"] == "2025-11-23 2025-11-23T09:00:00+07:00"


def test_what_followed_from_problems_then_is_not_judged_anew() -> None:
    steps = """
  - {id: report, activity: b, tasks: [{id: b, action: lab.read}]}
  - {id: ask, activity: c, tasks: [{id: c, action: lab.ask, actor: admin, with: {text: x}}]}
"""
    lab = Lab(steps, top="supplement: {after: {problems: [report]}}\n")
    lab.run()
    lab.run(resume=lab.answer("ask", "signed"), unheld=lambda found: [("site.down", "w1")])
    assert lab.calls == []
    assert lab.told[-1] == "run_ended ok 0"


def test_a_value_of_the_record_that_changed_meanwhile_does_not_change_what_was_decided() -> None:
    steps = """
  - id: one
    activity: a
    outputs: [{id: out, text: O, value: "{{ tasks.a.value }}"}]
    tasks: [{id: a, action: lab.read}]
  - id: two
    activity: b
    when: "{{ steps.one.out == 'then' }}"
    tasks:
      - {id: b, action: lab.change, when: "{{ steps.one.out == 'then' }}"}
      - {id: c, action: lab.change, when: "{{ steps.one.out == 'now' }}"}
      - {id: d, action: lab.ask, actor: admin, with: {text: x}}
"""
    only = Selection(only=("two",))
    lab = Lab(steps, selection=only, earlier=lambda step, target: StepValue(Status.OK, {"out": "then"}))
    lab.run()
    later = Lab(steps, selection=only, earlier=lambda step, target: StepValue(Status.OK, {"out": "now"}))
    later.run(resume=lab.answer("two", "signed"))
    assert later.calls == []
    assert later.told[-3:] == ["task_finished two.d: ok", "step_finished two: ok", "run_ended ok 0"]


@pytest.mark.parametrize("action", ["lab.change", "lab.never"])
def test_what_was_masked_is_made_again_or_missing_but_never_passed_on(action: str) -> None:
    lab = Lab(f"""
  - id: one
    activity: a
    tasks:
      - {{id: a, action: {action}}}
      - {{id: b, action: lab.ask, actor: admin, with: {{text: x}}}}
      - {{id: c, action: lab.read, with: {{give: "{{{{ tasks.a.value }}}}"}}}}
""")
    lab.does["one.a"] = ok(value="token hunter22")
    lab.run()
    lab.calls.clear()
    lab.run(resume=lab.answer("one", "signed"))
    if action == "lab.change":
        assert [(key.task, key.tries) for key in lab.calls] == [("a", 2), ("c", 1)]
        assert lab.inputs[lab.calls[-1]]["give"] == "token hunter22"
    else:
        assert lab.calls == []
        assert "task_finished one.c: skipped (blocked)" in lab.told


def test_a_target_that_was_unreachable_is_not_asked_again() -> None:
    lab = Lab("""
  - {id: one, activity: a, targets: s1, retry: {count: 1, pause: 1s}, tasks: [{id: a, action: lab.read},
     {id: b, action: lab.remote, always: true}]}
  - {id: two, activity: b, tasks: [{id: c, action: lab.ask, actor: admin, with: {text: x}}]}
""")
    lab.does["one.a"] = unreachable
    lab.run()
    lab.calls.clear()
    lab.run(resume=lab.answer("two", "signed"))
    assert lab.calls == []
    assert lab.told.count("task_finished one.b@s1: unreachable") == 1
    assert lab.events[-1].data == {"status": "unreachable", "exit_code": 4}


def test_a_resumed_run_keeps_its_name() -> None:
    lab = Lab("  - {id: one, activity: a, tasks: [{id: a, action: lab.read}]}")
    lab.does["one.a"] = lambda call: Outcome(Status.OK)
    lab.run()
    lab.run(resume=lab.events[:1])
    assert {event.run for event in lab.events} == {RUN}
