"""The engine: what it says is the specification, so most tests hold the whole list of events."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Any

import pytest

from runner.actions import command_run
from runner.contract import Call, Effect, Outcome, Problem, Severity, Status
from runner.engine import pending
from runner.engine.acts import Act
from runner.engine.course import Pause
from runner.engine.scope import StepValue
from runner.errors import Refused, TimeUp
from runner.events import Key, Kind
from runner.plan import Selection
from tests.lab import INVENTORY, Lab, fail, ok, unreachable

WAIT = 10.0


def given(lab: Lab, place: str) -> Any:
    """The `give` of the last call at step.task."""
    return next(lab.inputs[key]["give"] for key in reversed(lab.calls) if f"{key.step}.{key.task}" == place)


def times(number: int, first: Callable[[Call], Outcome]) -> Callable[[Call], Outcome]:
    """Behave like `first` that many times, then end well."""
    left = [number]

    def behave(call: Call) -> Outcome:
        left[0] -= 1
        return first(call) if left[0] >= 0 else Outcome(Status.OK, outputs={"value": "at last"})

    return behave


def test_a_run_says_what_it_does_in_order() -> None:
    lab = Lab("""
  - id: one
    activity: a
    targets: s1
    outputs: [{id: out, text: O, value: "{{ tasks.b.value }}"}]
    tasks:
      - {id: a, action: lab.read, with: {give: 1}}
      - {id: b, action: lab.change, with: {give: "{{ tasks.a.value }}"}}
  - {id: two, activity: b, tasks: [{id: c, action: lab.read, with: {give: "{{ steps.one.each.out }}"}}]}
""")
    lab.run()
    assert lab.told == [
        "run_started",
        "step_started one@s1",
        "task_started one.a@s1",
        "task_finished one.a@s1: ok",
        "task_started one.b@s1",
        "task_finished one.b@s1: ok",
        "step_finished one@s1: ok {'out': 1}",
        "step_started two",
        "task_started two.c",
        "task_finished two.c: ok",
        "step_finished two: ok",
        "run_ended ok 0",
    ]
    assert given(lab, "two.c") == [{"target": "s1", "status": "ok", "value": 1}]


def test_a_claim_is_safe_before_its_act_and_an_outcome_before_the_next_one() -> None:
    lab = Lab("""
  - {id: one, activity: a, tasks: [{id: a, action: lab.read}, {id: b, action: lab.read}]}
""")
    seen: list[list[str]] = []

    def look(call: Call) -> Outcome:
        seen.append(lab.told)
        return Outcome(Status.OK)

    lab.does = {"one.a": look, "one.b": look}
    lab.run()
    assert seen[0][-1] == "task_started one.a"
    assert seen[1][-2:] == ["task_finished one.a: ok", "task_started one.b"]


def test_a_slow_target_does_not_delay_the_others() -> None:
    lab = Lab("""
  - {id: one, activity: a, targets: "s1:s2:s3", tasks: [{id: a, action: lab.read}]}
  - {id: two, activity: b, targets: "s1:s2:s3", tasks: [{id: b, action: lab.read}]}
""")
    others = threading.Barrier(2)
    through = threading.Event()

    def meet(call: Call) -> Outcome:
        if others.wait(WAIT) == 0:
            through.set()
        return Outcome(Status.OK)

    def slow(call: Call) -> Outcome:
        return Outcome(Status.OK if through.wait(WAIT) else Status.FAILED, message="the others did not go on")

    lab.does = {"one.a@s1": slow, "two.b@s2": meet, "two.b@s3": meet}
    assert lab.run().status == "ok"


def test_a_step_that_runs_once_waits_for_all_targets() -> None:
    lab = Lab("""
  - {id: one, activity: a, targets: "s1:s2:s3", tasks: [{id: a, action: lab.read}]}
  - {id: two, activity: b, tasks: [{id: b, action: lab.read}]}
  - {id: three, activity: c, targets: "s1:s2:s3", tasks: [{id: c, action: lab.read}]}
""")
    lab.run()
    steps = [event.step for event in lab.events if event.step]
    assert steps == sorted(steps, key=["one", "two", "three"].index)


@pytest.mark.parametrize("forks", [1, 2])
def test_forks_bound_how_many_targets_are_worked_on(forks: int) -> None:
    lab = Lab("""
  - {id: one, activity: a, targets: "s1:s2:s3", tasks: [{id: a, action: lab.read}, {id: b, action: lab.read}]}
""")
    now, most, lock = [0], [0], threading.Lock()
    full = threading.Event()

    def count(call: Call) -> Outcome:
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
            if now[0] == forks:
                full.set()
        full.wait(WAIT)
        with lock:
            now[0] -= 1
        return Outcome(Status.OK)

    lab.does = {"one.a": count, "one.b": count}
    lab.run(forks=forks)
    assert most[0] == forks


def test_a_failure_stops_that_target_and_the_others_go_on() -> None:
    lab = Lab("""
  - id: one
    activity: a
    targets: s1:s2
    tasks:
      - {id: a, action: lab.read}
      - {id: b, action: lab.read}
      - {id: c, action: lab.read, always: true}
  - {id: two, activity: b, targets: "s1:s2", tasks: [{id: d, action: lab.read}]}
  - {id: three, activity: b, tasks: [{id: e, action: lab.read, with: {give: "{{ steps.two.each.status }}"}}]}
""")
    lab.does["one.a@s1"] = fail
    ending = lab.run()
    assert lab.lane("s1") == [
        "step_started one@s1",
        "task_started one.a@s1",
        "task_finished one.a@s1: failed",
        "task_finished one.b@s1: skipped (blocked)",
        "task_started one.c@s1",
        "task_finished one.c@s1: ok",
        "step_finished one@s1: failed",
        "step_started two@s1",
        "task_finished two.d@s1: skipped (blocked)",
        "step_finished two@s1: skipped (blocked)",
    ]
    assert [line for line in lab.lane("s2") if "finished" in line and "step" in line] == [
        "step_finished one@s2: ok",
        "step_finished two@s2: ok",
    ]
    assert [(row["target"], row["value"]) for row in given(lab, "three.e")] == [("s1", "skipped"), ("s2", "ok")]
    assert (ending.status, lab.events[-1].data["exit_code"]) == ("failed", 2)


def test_one_failed_one_unreachable_one_fine_target_are_all_visible() -> None:
    lab = Lab("""
  - id: one
    activity: a
    targets: servers
    tasks:
      - {id: a, action: lab.remote}
      - {id: b, action: lab.read, always: true}
      - {id: c, action: lab.remote, always: true}
""")
    lab.broken = frozenset({"s2"})
    lab.does["one.a@s1"] = fail
    lab.run()
    [step] = lab.record.steps
    assert {target.target: str(target.status) for target in step.targets} == {
        "s1": "failed",
        "s2": "unreachable",
        "s3": "ok",
    }
    assert {key.target for key in lab.calls if key.task == "b"} == {"s1", "s2", "s3"}
    assert "task_finished one.c@s2: unreachable" in lab.told
    assert "task_started one.c@s2" not in lab.told  # no second attempt at a server that did not answer
    assert lab.record.exit_code == 2


def test_unreachable_alone_exits_4_and_later_steps_that_run_once_still_run() -> None:
    lab = Lab("""
  - {id: one, activity: a, targets: "s1:s2", tasks: [{id: a, action: lab.remote}]}
  - {id: two, activity: b, tasks: [{id: b, action: lab.read, with: {give: "{{ steps.one.each.status }}"}}]}
""")
    lab.broken = frozenset({"s1"})
    lab.run()
    assert given(lab, "two.b")[0] == {"target": "s1", "status": "unreachable", "value": "unreachable"}
    assert lab.events[-1].data == {"status": "unreachable", "exit_code": 4}


@pytest.mark.parametrize(("key", "broken"), [("on_failure", fail), ("on_unreachable", unreachable)])
def test_continue_goes_on_after_a_bad_outcome(key: str, broken: Callable[[Call], Outcome]) -> None:
    lab = Lab(f"""
  - id: one
    activity: a
    targets: s1
    {key}: continue
    tasks: [{{id: a, action: lab.read}}, {{id: b, action: lab.remote}}]
""")
    lab.does["one.a"] = broken
    lab.run()
    assert "task_finished one.b@s1: ok" in lab.told


def test_a_failure_in_a_step_that_runs_once_stops_the_run_but_not_what_is_always_done() -> None:
    lab = Lab("""
  - {id: one, activity: a, tasks: [{id: a, action: lab.read}]}
  - {id: two, activity: b, targets: s1, tasks: [{id: b, action: lab.read}]}
  - {id: three, activity: c, targets: s1, always: true, tasks: [{id: c, action: lab.read}]}
""")
    lab.does["one.a"] = fail
    lab.run()
    assert [key.task for key in lab.calls] == ["a", "c"]


def test_a_step_that_is_always_done_still_heeds_its_condition() -> None:
    lab = Lab("""
  - {id: one, activity: a, targets: s1, tasks: [{id: a, action: lab.read}]}
  - {id: two, activity: b, targets: s1, always: true, when: "{{ 1 > 2 }}", tasks: [{id: b, action: lab.read}]}
""")
    lab.does["one.a"] = fail
    lab.run()
    assert lab.told[-2] == "step_finished two@s1: skipped (condition)"


def test_conditions_skip_tasks_and_steps() -> None:
    lab = Lab("""
  - id: one
    activity: a
    targets: s1:s2
    tasks:
      - {id: a, action: lab.read, when: "{{ target.name == 's1' }}"}
  - {id: two, activity: b, when: "{{ vars.word == 'other' }}", tasks: [{id: b, action: lab.read}]}
""")
    lab.run()
    assert [key.target for key in lab.calls] == ["s1"]
    assert "task_finished one.a@s2: skipped (condition)" in lab.told
    assert lab.told[-2:] == ["step_finished two: skipped (condition)", "run_ended ok 0"]


def test_a_condition_that_is_no_boolean_is_a_failure_that_stops() -> None:
    lab = Lab("""
  - id: zero
    activity: a
    outputs: [{id: word, text: w, value: "{{ tasks.z.value }}"}]
    tasks: [{id: z, action: lab.read, with: {give: hello}}]
  - {id: one, activity: a, when: "{{ steps.zero.word }}", tasks: [{id: a, action: lab.read}]}
  - {id: two, activity: b, tasks: [{id: b, action: lab.read}]}
""")
    lab.run()
    assert [key.step for key in lab.calls] == ["zero"]
    assert lab.record.steps[1].targets[0].message == "when gives 'hello', neither true nor false"


def test_for_each_on_a_task_gives_lists() -> None:
    lab = Lab("""
  - id: one
    activity: a
    tasks:
      - {id: a, action: lab.read, for_each: [x, {y: 1}], with: {give: "{{ item }}"}}
      - {id: b, action: lab.read, with: {give: "{{ [tasks.a.value, tasks.a.status, tasks.a.message] }}"}}
""")
    lab.run()
    assert given(lab, "one.b") == [["x", {"y": 1}], ["ok", "ok"], ["", ""]]
    assert [line for line in lab.told if line.startswith("task_")] == [
        "task_started one.a[0]",
        "task_finished one.a[0]: ok",
        "task_started one.a[1]",
        "task_finished one.a[1]: ok",
        "task_started one.b",
        "task_finished one.b: ok",
    ]


def test_for_each_on_a_step_does_all_its_tasks_for_each_item() -> None:
    lab = Lab("""
  - id: one
    activity: a
    for_each: "{{ [1, 2] }}"
    outputs: [{id: all, text: O, value: "{{ tasks.b.value }}"}]
    tasks:
      - {id: a, action: lab.read, with: {give: "{{ item * 10 }}"}}
      - {id: b, action: lab.read, with: {give: "{{ tasks.a.value + 1 }}"}}
""")
    lab.run()
    assert [(key.task, key.item) for key in lab.calls] == [("a", "0"), ("b", "0"), ("a", "1"), ("b", "1")]
    assert "step_finished one: ok {'all': [11, 21]}" in lab.told


@pytest.mark.parametrize("place", ["step", "task"])
def test_for_each_of_nothing_gives_empty_lists(place: str) -> None:
    where = {"step": "for_each: []", "task": "when: '{{ true }}'"}[place]
    inner = {"step": "", "task": ", for_each: []"}[place]
    lab = Lab(f"""
  - id: one
    activity: a
    {where}
    outputs: [{{id: all, text: O, value: "{{{{ tasks.a.value }}}}"}}]
    tasks: [{{id: a, action: lab.read{inner}}}]
""")
    lab.run()
    assert lab.told[-2] == "step_finished one: skipped {'all': []}"


def test_for_each_of_a_text_fails_and_says_why() -> None:
    lab = Lab("""
  - id: zero
    activity: a
    outputs: [{id: word, text: w, value: "{{ tasks.z.value }}"}]
    tasks: [{id: z, action: lab.read, with: {give: hello}}]
  - {id: one, activity: a, for_each: "{{ steps.zero.word }}", tasks: [{id: a, action: lab.read}]}
""")
    lab.run()
    [target] = lab.record.steps[1].targets
    assert (str(target.status), target.message) == ("failed", "for_each needs a list of at most 1000 items")


def test_a_blocked_for_each_gives_no_value() -> None:
    lab = Lab("""
  - id: one
    activity: a
    on_failure: continue
    tasks:
      - {id: a, action: lab.read}
      - {id: b, action: lab.read, for_each: "{{ tasks.a.value }}"}
      - {id: c, action: lab.read, with: {give: "{{ tasks.b.value }}"}}
""")
    lab.does["one.a"] = fail
    lab.run()
    assert [line for line in lab.told if "blocked" in line] == [
        "task_finished one.b: skipped (blocked)",
        "task_finished one.c: skipped (blocked)",
    ]


def test_a_retry_tries_again_until_it_ends_well() -> None:
    lab = Lab(
        """
  - id: one
    activity: a
    targets: s1
    tasks:
      - {id: a, action: lab.read, retry: {count: 3, pause: 0.001s}}
      - {id: b, action: lab.read, with: {give: "{{ tasks.a.value }}"}}
""".replace("0.001s", "1s")
    )
    lab.does["one.a"] = times(1, fail)
    lab.run()
    assert lab.lane("s1")[1:6] == [
        "task_started one.a@s1",
        "task_finished one.a@s1: failed",
        "task_started one.a~2@s1",
        "task_finished one.a~2@s1: ok",
        "task_started one.b@s1",
    ]
    assert given(lab, "one.b") == "at last"


def test_a_retry_ends_with_its_count_and_heeds_its_outcomes(monkeypatch: pytest.MonkeyPatch) -> None:
    lab = Lab("""
  - id: one
    activity: a
    on_failure: continue
    tasks:
      - {id: a, action: lab.read, retry: {count: 2, pause: 1s}}
      - {id: b, action: lab.read, retry: {count: 2, pause: 1s, on: [unreachable]}}
""")
    lab.does = {"one.a": fail, "one.b": fail}
    monkeypatch.setattr("runner.engine.tries.Pause", lambda seconds: Pause(0.0))
    lab.run()
    assert [(key.task, key.tries) for key in lab.calls] == [("a", 1), ("a", 2), ("a", 3), ("b", 1)]


def test_a_pause_longer_than_the_limit_does_not_give_the_next_try_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pending, "GRACE", 0.0)
    lab = Lab("""
  - id: one
    activity: a
    tasks: [{id: a, action: lab.read, time_limit: 1s, retry: {count: 1, pause: 2s}}]
""")
    lab.does["one.a"] = times(1, fail)
    lab.run()
    assert lab.told[-3:] == ["task_finished one.a~2: ok", "step_finished one: ok", "run_ended ok 0"]


def test_a_failure_leads_its_own_target_forward() -> None:
    lab = Lab("""
  - {id: one, activity: a, targets: "s1:s2", on_failure: {step: three}, tasks: [{id: a, action: lab.read}]}
  - {id: two, activity: b, targets: "s1:s2", tasks: [{id: b, action: lab.read}]}
  - {id: three, activity: c, targets: "s1:s2", tasks: [{id: c, action: lab.read}]}
""")
    lab.does["one.a@s1"] = fail
    lab.run()
    assert lab.lane("s1")[3:] == [
        "step_finished one@s1: failed",
        "moved one@s1 -> three",
        "step_finished two@s1: skipped (condition)",
        "step_started three@s1",
        "task_started three.c@s1",
        "task_finished three.c@s1: ok",
        "step_finished three@s1: ok",
    ]
    assert {key.task for key in lab.calls if key.target == "s2"} == {"a", "b", "c"}


def test_a_failure_leads_back_to_a_new_attempt_of_all_targets() -> None:
    lab = Lab("""
  - {id: one, activity: a, targets: "s1:s2", tasks: [{id: a, action: lab.read}]}
  - {id: two, activity: b, targets: "s1:s2", on_failure: {step: one}, tasks: [{id: b, action: lab.read}]}
""")
    lab.does["two.b@s1"] = times(1, fail)
    ending = lab.run()
    assert [(key.attempt, key.task) for key in lab.calls if key.target == "s2"] == [
        (1, "a"),
        (1, "b"),
        (2, "a"),
        (2, "b"),
    ]
    assert lab.told.count("moved two -> one back") == 1
    assert ending.status == "ok"


@pytest.mark.parametrize("targets", ["targets: s1", "when: '{{ true }}'"])
def test_going_back_has_a_bound_and_then_stops(targets: str) -> None:
    lab = Lab(f"""
  - {{id: one, activity: a, {targets}, tasks: [{{id: a, action: lab.read}}]}}
  - {{id: two, activity: b, {targets}, on_failure: {{step: one}}, tasks: [{{id: b, action: lab.read}}]}}
  - {{id: three, activity: c, targets: s1, tasks: [{{id: c, action: lab.read}}]}}
""")
    lab.does["two.b"] = fail
    ending = lab.run()
    assert [key.attempt for key in lab.calls if key.task == "b"] == [1, 2, 3, 4, 5, 6]
    assert [key for key in lab.calls if key.task == "c"] == []
    assert ending.status == "failed"


DECIDES = """
  - {{id: one, activity: a, tasks: [{{id: a, action: lab.read}}]}}
  - id: two
    activity: b
    tasks: [{{id: b, action: lab.read}}]
    decide:
      question: Selesai?
      value: "{{{{ tasks.b.value }}}}"
      answers: {{ya: next, tidak: {{step: one}}, langsung: {{step: four}}, tamat: {end}}}
      rounds: 2
  - {{id: three, activity: c, tasks: [{{id: c, action: lab.read}}]}}
  - {{id: four, activity: d, targets: s1, tasks: [{{id: d, action: lab.read}}]}}
"""


@pytest.mark.parametrize(
    ("answers", "calls", "moved", "status"),
    [
        (["ya"], "a b c d", [], "ok"),
        (["langsung"], "a b d", ["moved two -> four"], "ok"),
        (["tamat"], "a b", ["moved two -> end"], "ok"),
        (["tidak", "ya"], "a b a b c d", ["moved two -> one back"], "ok"),
        (["tidak"] * 3, "a b a b a b", ["moved two -> one back", "moved two(2) -> one back"], "failed"),
        (["entah"], "a b", [], "failed"),
    ],
)
def test_a_decision_by_value_says_where_it_goes_on(
    answers: list[str], calls: str, moved: list[str], status: str
) -> None:
    lab = Lab(DECIDES.format(end="end"))
    left = list(answers)
    lab.does["two.b"] = lambda call: Outcome(Status.OK, outputs={"value": left.pop(0)})
    ending = lab.run()
    assert " ".join(key.task for key in lab.calls) == calls
    assert [line for line in lab.told if line.startswith("moved")] == moved
    assert ending.status == status


def test_too_many_rounds_and_a_label_that_is_no_answer_are_told_in_the_record() -> None:
    for label, message in (("entah", "'entah' is none of the answers: ya, tidak, langsung, tamat"),):
        lab = Lab(DECIDES.format(end="out"))
        lab.does["two.b"] = ok(value=label)
        lab.run()
        [decided] = [task for task in lab.record.steps[1].targets[0].tasks if task.id == "decide"]
        assert (str(decided.outcome.status), decided.outcome.message) == ("failed", message)
    lab = Lab(DECIDES.format(end="out"))
    lab.does["two.b"] = ok(value="tidak")
    lab.run()
    decided = next(task for task in lab.record.steps[1].targets[0].tasks if task.id == "decide")
    assert decided.outcome.message == "it was sent back more than 2 times"


def test_a_decision_out_of_the_procedure_skips_the_rest_visibly() -> None:
    lab = Lab(DECIDES.format(end="out"))
    lab.does["two.b"] = ok(value="tamat")
    lab.run()
    assert lab.told[-4:] == [
        "moved two -> out",
        "step_finished three: skipped (condition)",
        "step_finished four@s1: skipped (condition)",
        "run_ended ok 0",
    ]


PERSON = """
  - id: one
    activity: a
    tasks: [{id: sign, action: lab.ask, actor: admin, with: {text: Mohon}}]
  - id: two
    activity: b
    actor: admin
    decide: {question: Selesai?, answers: {ya: next, tidak: {step: one}}}
  - {id: three, activity: c, tasks: [{id: c, action: lab.read, with: {give: "{{ run.attempt }}"}}]}
"""


def test_a_person_is_asked_and_the_run_waits_until_answered() -> None:
    lab = Lab(PERSON)
    ending = lab.run()
    assert lab.told == [
        "run_started",
        "step_started one",
        "requested one.sign: admin signed|returned",
        "run_ended waiting 3",
    ]
    assert ending.status == "waiting"
    lab.run(resume=lab.answer("one", "signed"))
    assert lab.told[4:] == [
        "answered one.sign: signed",
        "run_resumed",
        "task_finished one.sign: ok",
        "step_finished one: ok",
        "step_started two",
        "requested two.decide: admin ya|tidak",
        "run_ended waiting 3",
    ]
    lab.run(resume=lab.answer("two", "tidak"))
    assert lab.told[12:] == [
        "run_resumed",
        "task_finished two.decide: ok",
        "step_finished two: ok",
        "moved two -> one back",
        "step_started one(2)",
        "requested one(2).sign: admin signed|returned",
        "run_ended waiting 3",
    ]
    lab.run(resume=lab.answer("one", "signed"))
    lab.run(resume=lab.answer("two", "ya"))
    assert lab.told[-1] == "run_ended ok 0"
    assert given(lab, "three.c") == 2  # sent back: a new attempt of all from there on


def test_an_unanswered_request_is_neither_approved_nor_asked_twice() -> None:
    lab = Lab(PERSON)
    lab.run()
    lab.run(resume=lab.events)
    assert lab.told[4:] == ["run_resumed", "run_ended waiting 3"]


def test_problems_start_the_steps_that_follow_from_them() -> None:
    steps = """
  - {id: watch, activity: a, targets: s1, tasks: [{id: a, action: lab.read}]}
  - {id: report, activity: b, tasks: [{id: b, action: lab.read, with: {give: "{{ run.problems | length }}"}}]}
"""
    top = "supplement: {after: {problems: [report]}}\n"
    calm = Lab(steps, top=top)
    calm.run()
    assert calm.told[-2:] == ["step_finished report: skipped (condition)", "run_ended ok 0"]
    troubled = Lab(steps, top=top)
    problem = Problem("site.down", Severity.MAJOR, "down")
    troubled.does["watch.a"] = lambda call: Outcome(Status.OK, problems=(problem,))
    troubled.run()
    assert given(troubled, "report.b") == 1
    assert troubled.told[-1] == "run_ended ok 10"
    asked = Lab(steps, top=top)
    asked.run(explicit=["report"])
    assert [key.task for key in asked.calls] == ["a", "b"]


def test_a_problem_that_a_new_attempt_no_longer_finds_does_not_count() -> None:
    lab = Lab("""
  - {id: one, activity: a, tasks: [{id: a, action: lab.read}]}
  - id: two
    activity: b
    decide:
      question: Beres?
      value: "{{ 'ya' if run.attempt == 2 else 'tidak' }}"
      answers: {ya: next, tidak: {step: one}}
""")
    problem = Problem("site.down", Severity.MAJOR, "down")
    lab.does["one.a"] = times(1, lambda call: Outcome(Status.OK, problems=(problem,)))
    lab.run()
    assert lab.told[-1] == "run_ended ok 0"
    assert lab.record.problems == ()


CHILD = """
procedure: {title: C, roles: {admin: Admin}}
vars: {month: none}
steps:
  - {id: look, activity: a, targets: s1, outputs: [{id: newest, text: N, value: "{{ tasks.a.value }}"}],
     tasks: [{id: a, action: lab.read, with: {give: "{{ vars.month }}"}}]}
  - {id: ask, activity: b, tasks: [{id: b, action: lab.ask, with: {text: Mohon, role: admin}}]}
outputs: {newest: "{{ steps.look.each.newest }}", who: "{{ steps.ask.status }}"}
"""
PARENT = """
  - {id: call, activity: a, include: child.yml, with: {month: "{{ vars.word }}"}}
  - {id: after, activity: b, tasks: [{id: a, action: lab.read, with: {give: "{{ steps.call.newest }}"}}]}
"""


def test_an_included_playbook_is_a_run_of_its_own_that_may_wait() -> None:
    lab = Lab(PARENT, others={"child.yml": CHILD})
    lab.run()
    assert lab.told == [
        "run_started",
        "step_started call",
        "task_started call.include",
        ".call.1: run_started",
        ".call.1: step_started look@s1",
        ".call.1: task_started look.a@s1",
        ".call.1: task_finished look.a@s1: ok",
        ".call.1: step_finished look@s1: ok {'newest': 'hello'}",
        ".call.1: step_started ask",
        ".call.1: requested ask.b: admin signed|returned",
        ".call.1: run_ended waiting 3",
        "run_ended waiting 3",
    ]
    child = lab.events[3].data
    assert (child["title"], [step["id"] for step in child["steps"]]) == ("C", ["look", "ask"])
    assert child["parent"] == lab.events[0].run
    lab.run(resume=lab.answer("ask", "signed"))
    assert lab.told[13:] == [
        "run_resumed",
        ".call.1: run_resumed",
        ".call.1: task_finished ask.b: ok",
        ".call.1: step_finished ask: ok",
        ".call.1: run_ended ok 0",
        "task_finished call.include: ok",
        "step_finished call: ok {'newest': [{'target': 's1', 'status': 'ok', 'value': 'hello'}], 'who': 'ok'}",
        "step_started after",
        "task_started after.a",
        "task_finished after.a: ok",
        "step_finished after: ok",
        "run_ended ok 0",
    ]


def test_an_included_playbook_that_failed_in_one_place_still_waits_in_another() -> None:
    child = CHILD.replace("{id: look,", "{id: look, on_failure: continue,")
    lab = Lab(PARENT, others={"child.yml": child})
    lab.does["look.a"] = fail
    lab.run()
    assert lab.told[-3:] == [
        ".call.1: requested ask.b: admin signed|returned",
        ".call.1: run_ended failed 2",
        "run_ended waiting 3",
    ]
    lab.run(resume=lab.answer("ask", "signed"))
    assert "task_finished call.include: failed" in lab.told


def test_a_website_reads_what_ran_on_its_server() -> None:
    lab = Lab("""
  - id: server
    activity: a
    targets: servers
    outputs: [{id: out, text: O, value: "{{ tasks.a.name }}"}]
    tasks: [{id: a, action: lab.read}]
  - id: site
    activity: b
    targets: websites
    tasks: [{id: b, action: lab.read, with: {give: "{{ steps.server.out }}"}}]
""")
    lab.run()
    assert given(lab, "site.b") == "s1"


def test_a_value_that_is_not_there_blocks_unless_there_is_a_default() -> None:
    lab = Lab("""
  - id: one
    activity: a
    on_failure: continue
    outputs: [{id: out, text: O, value: "{{ tasks.a.value }}"}]
    tasks:
      - {id: a, action: lab.read}
      - {id: b, action: lab.read, with: {give: "{{ tasks.a.value }}"}}
      - {id: c, action: lab.read, with: {give: "{{ tasks.a.value | default('none') }}"}}
  - {id: two, activity: b, tasks: [{id: d, action: lab.read, with: {give: "{{ steps.one.out | default(7) }}"}}]}
""")
    lab.does["one.a"] = fail
    lab.run()
    assert "task_finished one.b: skipped (blocked)" in lab.told
    assert given(lab, "one.c") == "none"
    assert given(lab, "two.d") == 7


def test_a_step_that_was_not_selected_gives_its_latest_value_of_the_record() -> None:
    lab = Lab(
        """
  - id: one
    activity: a
    outputs: [{id: out, text: O, value: "{{ tasks.a.value }}"}]
    tasks: [{id: a, action: lab.read}]
  - {id: two, activity: b, tasks: [{id: b, action: lab.read, with: {give: "{{ steps.one.out }}"}}]}
""",
        selection=Selection(only=("two",)),
        earlier=lambda step, target: StepValue(Status.OK, {"out": "of yesterday"}),
    )
    lab.run()
    assert given(lab, "two.b") == "of yesterday"
    with pytest.raises(Refused, match="step 'one' is not selected and never finished"):
        Lab(lab.steps, selection=Selection(only=("two",)))


def test_an_act_that_never_returns_is_given_up_and_its_target_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pending, "GRACE", 0.0)
    lab = Lab("""
  - id: one
    activity: a
    targets: s1:s2
    tasks:
      - {id: a, action: lab.read, time_limit: 1s, on_failure: continue}
      - {id: b, action: lab.read}
""")
    released = threading.Event()
    lab.does["one.a@s1"] = lambda call: Outcome(Status.OK if released.wait(WAIT) else Status.FAILED)
    begun = time.monotonic()
    lab.run()
    took = time.monotonic() - begun
    released.set()
    assert took < 5
    assert lab.lane("s1")[2:] == [
        "task_finished one.a@s1: timed_out",
        "task_started one.b@s1",
        "task_finished one.b@s1: ok",
        "step_finished one@s1: timed_out",
    ]


def test_what_is_expected_within_the_time_of_a_write_shares_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, slept = [0.0], []
    futures: list[Future[Outcome | None]] = [Future() for _ in range(8)]

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        futures[len(slept)].set_result(Outcome(Status.OK))

    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(time, "sleep", sleep)
    waiting: pending.Pending[int] = pending.Pending(lambda act, report: futures[act.key.attempt], SimpleQueue())
    for number in range(8):
        key = Key("one", number, "a", None, "", 1)
        waiting.add(number, Act(key, command_run.ACTION, {}, None, None, limit=10.0, effect=Effect.READ, office={}))
    waiting.hand_out()

    def end(number: int, at: float) -> list[int]:
        """Let an act end then; return whose acts are taken in for one write, where writing takes 10 ms."""
        clock[0] = at
        futures[number].set_result(Outcome(Status.OK))
        return [owner for owner, _, _ in waiting.ended(0.0, 0.01)]

    assert end(0, at=0.01) == [0, 1], "one in 10 ms: the next is expected"
    assert end(3, at=0.03) == [3, 2], "one in 20 ms: none is, but who is there already may come in"
    futures[4].set_result(Outcome(Status.OK))
    assert end(5, at=0.04) == [4, 5], "half has ended"
    assert slept == [0.01, 0]


def test_time_up_names_the_survivors() -> None:
    def late(call: Call) -> Outcome:
        raise TimeUp("it took longer than 10 s", ("4711 sleep",))

    lab = Lab("  - {id: one, activity: a, tasks: [{id: a, action: lab.read}]}")
    lab.does["one.a"] = late
    lab.run()
    [task] = lab.record.steps[0].targets[0].tasks
    assert (task.outcome.status, task.outcome.message) == (
        "timed_out",
        "it took longer than 10 s; still running: 4711 sleep",
    )


def test_time_up_on_a_server_says_that_nothing_is_left_there() -> None:
    def late(call: Call) -> Outcome:
        raise TimeUp("s1: time is up")

    lab = Lab("  - {id: one, activity: a, targets: s1, tasks: [{id: a, action: lab.remote}]}")
    lab.does["one.a"] = late
    lab.run()
    [task] = lab.record.steps[0].targets[0].tasks
    assert task.outcome.message == "s1: time is up; its processes were ended"


def crash(call: Call) -> Outcome:
    raise ZeroDivisionError("division by zero")


def leave(call: Call) -> Outcome:
    raise SystemExit(3)


def give_rubbish(call: Call) -> Outcome:
    return Outcome(Status.OK, outputs={"value": {1, 2}})


def give_nothing(call: Call) -> Outcome:
    return None  # type: ignore[return-value]  # that is the fault


@pytest.mark.parametrize("fault", [crash, leave, give_rubbish, give_nothing])
def test_a_fault_in_an_action_is_that_tasks_failure(fault: Callable[[Call], Outcome]) -> None:
    lab = Lab("""
  - {id: one, activity: a, targets: "s1:s2", tasks: [{id: a, action: lab.read}]}
""")
    lab.does["one.a@s1"] = fault
    lab.run()
    assert lab.lane("s1")[-1] == "step_finished one@s1: failed"
    assert lab.lane("s2")[-1] == "step_finished one@s2: ok"
    message = next(e.data["message"] for e in lab.events if e.kind is Kind.TASK_FINISHED and e.target == "s1")
    assert message.startswith("a fault in 'lab.read': ")


def test_inputs_are_checked_once_filled() -> None:
    lab = Lab("""
  - id: one
    activity: a
    tasks:
      - {id: a, action: lab.read, with: {give: text}}
      - {id: b, action: lab.read, with: {number: "{{ tasks.a.value }}"}}
""")
    lab.run()
    message = next(e.data["message"] for e in lab.events if e.kind is Kind.TASK_FINISHED and e.task == "b")
    assert message.startswith("input 'number': ")
    assert [key.task for key in lab.calls] == ["a"]


def test_secrets_reach_the_act_and_no_event() -> None:
    lab = Lab("""
  - id: one
    activity: a
    outputs: [{id: out, text: O, value: "{{ tasks.a.value }}"}]
    tasks: [{id: a, action: lab.read, with: {secret: "{{ secret('key') }}"}}]
""")
    lab.does["one.a"] = lambda call: Outcome(Status.OK, outputs={"value": f"it is {call.inputs['secret']}"})
    lab.run()
    assert lab.inputs[lab.calls[0]]["secret"] == "hunter22"
    assert "hunter22" not in repr(lab.events)
    assert "step_finished one: ok {'out': 'it is [masked:key]'}" in lab.told


def test_the_brake_lets_what_is_in_flight_end_and_begins_nothing_new() -> None:
    lab = Lab("""
  - {id: one, activity: a, targets: "s1:s2", tasks: [{id: a, action: lab.read}, {id: b, action: lab.read}]}
  - {id: two, activity: b, tasks: [{id: c, action: lab.read}]}
""")
    both = threading.Barrier(2)

    def pull(call: Call) -> Outcome:
        if both.wait(WAIT) == 0:
            lab.brake.pull()
        both.wait(WAIT)
        return Outcome(Status.OK)

    lab.does["one.a"] = pull
    ending = lab.run()
    assert sorted(line for line in lab.told if line.startswith("task_finished")) == [
        "task_finished one.a@s1: ok",
        "task_finished one.a@s2: ok",
    ]
    assert (ending.status, lab.told[-1]) == ("interrupted", "run_ended interrupted 130")
    assert {key.task for key in lab.calls} == {"a"}


def test_the_brake_pulled_twice_waits_for_nothing() -> None:
    lab = Lab("  - {id: one, activity: a, tasks: [{id: a, action: lab.read}]}")
    released = threading.Event()

    def hang(call: Call) -> Outcome:
        lab.brake.pull()
        lab.brake.pull()
        return Outcome(Status.OK if released.wait(WAIT) else Status.FAILED)

    lab.does["one.a"] = hang
    begun = time.monotonic()
    lab.run()
    assert time.monotonic() - begun < 5
    released.set()
    assert lab.told[-2:] == ["task_started one.a", "run_ended interrupted 130"]


def test_deviations_tell_of_promised_outputs_without_a_value() -> None:
    lab = Lab("""
  - id: one
    activity: a
    outputs: [{id: out, text: O, value: "{{ tasks.a.value }}"}]
    tasks: [{id: a, action: lab.read}]
""")
    lab.does["one.a"] = ok()
    lab.run()
    assert lab.record.steps[0].targets[0].deviations == ("no_output: out",)


def test_many_targets_and_few_forks_all_get_done() -> None:
    servers = "\n".join(f"  n{number}: {{connection: local}}" for number in range(200))
    lab = Lab(
        """
  - {id: one, activity: a, targets: servers, tasks: [{id: a, action: lab.read}, {id: b, action: lab.read}]}
""",
        inventory=INVENTORY.replace("servers:", f"servers:\n{servers}"),
    )
    lab.run(forks=7)
    assert len(lab.calls) == 2 * 203
    assert lab.told[-1] == "run_ended ok 0"


def test_values_of_other_runs_are_told_with_their_age_where_they_are_read() -> None:
    lab = Lab(
        """
  - id: one
    activity: a
    targets: s1:s2
    outputs: [{id: out, text: o, value: x}]
    tasks: [{id: a, action: lab.read}]
  - {id: two, activity: a, targets: "s1:s2", tasks: [{id: a, action: lab.read, with: {give: "{{ steps.one.out }}"}}]}
  - {id: three, activity: a, tasks: [{id: a, action: lab.read, with: {give: "{{ steps.one.each.out }}"}}]}
  - {id: four, activity: a, tasks: [{id: a, action: lab.read}]}
""",
        selection=Selection(only=("two", "three", "four")),
        earlier=lambda step, target: StepValue(Status.OK, {"out": target}, note=f"from run r-{target}, 2 h ago"),
    )
    lab.run()
    told = {(e.step, e.target): e.data["earlier"] for e in lab.events if e.kind is Kind.STEP_FINISHED}
    assert told["two", "s1"] == ["'one' is from run r-s1, 2 h ago"]
    assert told["three", None] == ["'one' is from run r-s1, 2 h ago", "'one' is from run r-s2, 2 h ago"]
    assert told["four", None] == []
    assert lab.record.steps[1].targets[0].message == "'one' is from run r-s1, 2 h ago"
