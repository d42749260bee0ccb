"""Any order of branches: each is done once, after all it waits for; cut anywhere, a run comes to the same end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from runner.engine.course import Pause
from runner.errors import Refused
from runner.events import Event, Kind
from runner.playbook.order import Order
from tests.lab import Lab, fail, give_answer, key_of, ok
from tests.test_branches import office
from tests.test_resuming import recorded_once, result, unanswered

Before = list[list[int]]


@st.composite
def orders(draw: st.DrawFn) -> Before:
    """For each of a few, the numbers of those it waits for, all of them smaller."""
    number = draw(st.integers(1, 9))
    return [sorted(draw(st.sets(st.integers(0, each - 1), max_size=3))) if each else [] for each in range(number)]


def shuffled(before: Before, seed: Any) -> list[tuple[str, list[str]]]:
    """The same as names, in an order of writing that need not be that of doing."""
    named = [(f"n{number}", [f"n{each}" for each in waits_for]) for number, waits_for in enumerate(before)]
    seed.shuffle(named)
    return named


def check_once_and_in_order(before: Before, events: Sequence[Event], place: str) -> None:
    """Each exactly once, and begun only when all that it waits for had ended."""
    name = (lambda event: event.task) if place == "task" else (lambda event: event.step)
    begun = [name(event) for event in events if event.kind is Kind.TASK_STARTED]
    assert Counter(begun) == Counter(f"n{number}" for number in range(len(before)))
    for number, waits_for in enumerate(before):
        first = next(n for n, e in enumerate(events) if e.kind is Kind.TASK_STARTED and name(e) == f"n{number}")
        ended = {name(event) for event in events[:first] if event.kind is Kind.TASK_FINISHED}
        assert {f"n{each}" for each in waits_for} <= ended


@settings(max_examples=60, deadline=None)
@given(orders(), st.randoms(use_true_random=False))
def test_any_order_of_tasks_is_kept(before: Before, seed: Any) -> None:
    tasks = "".join(
        f"      - {{id: {name}, action: lab.read, after: [{', '.join(after)}]}}\n"
        for name, after in shuffled(before, seed)
    )
    lab = Lab(f"  - id: one\n    activity: a\n    tasks:\n{tasks}")
    assert lab.run().status == "ok"
    check_once_and_in_order(before, lab.events, "task")


@settings(max_examples=60, deadline=None)
@given(orders(), st.randoms(use_true_random=False))
def test_any_order_of_steps_is_kept(before: Before, seed: Any) -> None:
    steps = "".join(
        f"  - {{id: {name}, activity: a, after: [{', '.join(after)}], tasks: [{{id: t, action: lab.read}}]}}\n"
        for name, after in shuffled(before, seed)
    )
    lab = Lab(steps)
    assert lab.run().status == "ok"
    check_once_and_in_order(before, lab.events, "step")


@settings(max_examples=60, deadline=None)
@given(orders(), st.sets(st.integers(0, 8)))
def test_some_of_an_order_pass_on_what_is_left_out(before: Before, kept: set[int]) -> None:
    whole = Order({f"n{n}": tuple(f"n{each}" for each in waits_for) for n, waits_for in enumerate(before)})
    names = {f"n{number}" for number in kept if number < len(before)}
    part = whole.among(names)
    assert set(part.before) == names
    for name in names:
        assert part.precedes(name) == whole.precedes(name) & names


RICH = """
  - {id: begin, activity: a, tasks: [{id: a, action: lab.read}]}
  - id: left
    activity: b
    actor: kasubbag
    after: [begin]
    tasks:
      - {id: prepare, action: lab.change, with: {give: "{{ run.attempt }}"}}
      - {id: both, action: lab.ask, actor: [admin, kasubbag], with: {text: x}}
      - {id: machine, action: lab.change, after: [prepare]}
      - {id: shaky, action: lab.change, after: [prepare], on_failure: continue, retry: {count: 1, pause: 1s}}
      - id: which
        actor: admin
        after: [both, machine]
        decide: {question: q, answers: {lagi: {task: prepare}, kiri: {task: kiri}, kanan: {task: kanan}}}
      - {id: kiri, action: lab.change, after: [which]}
      - {id: kanan, action: lab.change, after: [which]}
      - {id: join, action: lab.change, after: [kiri, kanan, shaky]}
  - {id: right, activity: c, after: [begin], tasks: [{id: r, action: lab.change, with: {give: "{{ run.attempt }}"}}]}
  - id: right2
    activity: d
    actor: admin
    decide: {question: Beres?, answers: {ya: next, tidak: {step: right}, semua: {step: begin}}}
  - {id: join, activity: e, actor: sekretaris, after: [left, right2],
     tasks: [{id: s, action: lab.ask, with: {text: x}}, {id: j, action: lab.change}]}
  - {id: on_servers, activity: f, targets: s1:s2, tasks: [{id: t, action: lab.change}]}
  - {id: last, activity: g, actor: admin, decide: {question: q, answers: {ulang: {step: right}, selesai: end}}}
"""
Script = Mapping[str, Sequence[str]]

SHORT: Script = {
    "left.both[admin]": ["signed"],
    "left.both[kasubbag]": ["signed", "returned>begin", "signed"],
    "left.which": ["lagi", "kiri", "kanan"],
    "right2.decide": ["tidak", "ya"],
    "join.s": ["signed"],
    "last.decide": ["selesai"],
}
LONG: Script = {
    **SHORT,
    "left.both[kasubbag]": ["signed", "signed", "returned>begin", "signed"],
    "right2.decide": ["tidak", "ya", "semua", "ya"],
    "join.s": ["returned>left", "signed"],
    "last.decide": ["ulang", "selesai"],
}


def build() -> Lab:
    """A lab where one task fails the first time."""
    lab = office(RICH)
    lab.does["left.shaky"] = lambda call: fail(call) if key_of(call).tries == 1 else ok(value=1)(call)
    return lab


def finish(script: Script, resume: Sequence[Event] = ()) -> Lab:
    """Run to the end, every person answering by the script."""
    lab = build()
    lab.run(resume=resume)
    for _ in range(60):
        open_now = {request.key for request in lab.record.requests}
        waiting = [event for event in unanswered(lab.events) if event.key in open_now]
        if not waiting:
            return lab
        lab.run(resume=[*lab.events, respond(script, lab, min(waiting, key=lambda each: each.key))])
    raise AssertionError("it never ends")


def respond(script: Script, lab: Lab, asked: Event) -> Event:
    """The next answer that the script has for what is asked."""
    place = (asked.step, asked.task, asked.item)
    number = sum(e.kind is Kind.ANSWERED and (e.step, e.task, e.item) == place for e in lab.events)
    answers = script[f"{asked.step}.{asked.task}" + (f"[{asked.item}]" if asked.item else "")]
    label, _, to = answers[min(number, len(answers) - 1)].partition(">")
    return give_answer(asked, label, to=to)


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runner.engine.tries.Pause", lambda seconds: Pause(0.0))


def check_cuts(script: Script, every: int = 1) -> None:
    whole = finish(script)
    assert whole.told[-1] == "run_ended ok 0"
    assert recorded_once(whole.events) == []
    for cut in range(1, len(whole.events), every):
        lab = finish(script, whole.events[:cut])
        assert result(lab) == result(whole), cut
        assert recorded_once(lab.events) == []
        finished = {event.key for event in whole.events[:cut] if event.kind is Kind.TASK_FINISHED}
        assert finished.isdisjoint(lab.calls)


def test_a_run_with_branches_cut_anywhere_goes_on_to_the_same_result() -> None:
    check_cuts(SHORT, every=2)


@pytest.mark.heavy
def test_a_long_run_with_branches_cut_anywhere_goes_on_to_the_same_result() -> None:
    check_cuts(LONG)


@st.composite
def procedures(draw: st.DrawFn) -> str:
    """A few steps in any order, some with branches of tasks, whose decisions lead anywhere."""
    before = draw(orders())[:4]
    names = [f"n{number}" for number in range(len(before))]
    anywhere = st.sampled_from(["next", "end", "out", *(f"{{step: {name}}}" for name in names)])
    steps = []
    for name, waits_for in zip(names, before, strict=True):
        after = f"after: [{', '.join(f'n{each}' for each in waits_for)}]"
        here = st.one_of(anywhere, st.sampled_from(["{task: a}", "{task: b}", "{task: c}"]))
        tasks = [f"{{id: a, action: lab.change, actor: {draw(st.sampled_from(['admin', 'kasubbag']))}}}"]
        tasks += [f"{{id: b, actor: admin, after: [a], decide: {{question: q, answers: {_answers(draw, here)}}}}}"]
        tasks += ["{id: c, action: lab.ask, actor: [admin, kasubbag], after: [a], with: {text: x}}"]
        chosen = draw(st.sets(st.sampled_from(range(3)), min_size=1)) | {0}
        lines = "\n".join(f"      - {tasks[number]}" for number in sorted(chosen))
        decide = f"\n    decide: {{question: q, answers: {_answers(draw, anywhere)}}}" if draw(st.booleans()) else ""
        steps.append(f"  - id: {name}\n    activity: a\n    actor: admin\n    {after}{decide}\n    tasks:\n{lines}\n")
    return "".join(steps)


def _answers(draw: st.DrawFn, ways: st.SearchStrategy[str]) -> str:
    return f"{{x: next, y: {draw(ways)}, z: {draw(ways)}}}, rounds: 1"


def carry_through(lab: Lab, script: Sequence[int], resume: Sequence[Event] = ()) -> Lab:
    """Run to the end; the n-th answer at a place is chosen by the script, a few of them return it."""
    lab.run(resume=resume)
    for _ in range(400):
        keys = [request.key for request in lab.record.requests]
        if not keys:
            return lab
        key = min(keys, key=str)
        event = next(e for e in lab.events if e.kind is Kind.REQUESTED and e.key == key)
        number = sum(e.kind is Kind.ANSWERED and e.key[::2] == key[::2] for e in lab.events)
        pick = script[(sum(map(ord, str(key))) + number) % len(script)]
        labels = event.data["answers"]
        lab.run(resume=[*lab.events, give_answer(event, labels[pick % len(labels)])])
    raise AssertionError("it never ends")


@settings(max_examples=25, deadline=None)
@given(procedures(), st.lists(st.integers(0, 5), min_size=3, max_size=7), st.data())
def test_any_procedure_comes_to_an_end_and_cut_anywhere_to_the_same(
    steps: str, script: Sequence[int], data: st.DataObject
) -> None:
    assume(can_end(steps))
    whole = carry_through(office(steps), script)
    assert recorded_once(whole.events) == []
    assert whole.events[-1].data["status"] != "waiting"
    cut = data.draw(st.integers(1, len(whole.events)))
    again = carry_through(office(steps), script, whole.events[:cut])
    assert result(again) == result(whole)
    assert recorded_once(again.events) == []


def can_end(steps: str) -> bool:
    """Whether the plan accepts the steps: their decisions lead somewhere, and not only back."""
    try:
        return bool(office(steps).plan)
    except Refused:
        return False


def test_ways_back_are_gone_again_in_the_order_of_the_record() -> None:
    """One branch returns to itself again and again, then the other one sends it back once more."""
    steps = """
  - {id: left, activity: a, actor: admin, after: [], tasks: [{id: s, action: lab.ask, with: {text: x}}]}
  - {id: right, activity: b, actor: admin, after: [], decide: {question: q, answers: {ya: next, ulang: {step: left}}}}
  - {id: join, activity: c, after: [left, right], tasks: [{id: j, action: lab.read}]}
"""
    lab = office(steps)
    lab.run()
    for place, label in (("left", "returned"), ("left", "returned"), ("right", "ulang")):
        lab.run(resume=lab.answer(place, label))
    assert [step.attempt for step in lab.record.steps] == [4, 1, 4]
    lab.run(resume=lab.answer("left", "signed"))
    assert lab.told[-1] == "run_ended ok 0"
    assert [key.attempt for key in lab.calls] == [4]
