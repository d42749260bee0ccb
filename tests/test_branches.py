"""Several ways at once: fork and join, joint actors, decisions of tasks, and what is returned for correction."""

from __future__ import annotations

import threading

import pytest

from runner.contract import Call, Outcome, Status
from runner.errors import Refused
from runner.events import Kind
from tests.lab import INVENTORY, Lab, fail, ok

WAIT = 10.0
PEOPLE = INVENTORY.replace(
    "people:\n",
    """people:
  budi: {name: Budi, login: budi, roles: [{role: kasubbag, from: "2020-01-01"}]}
  tono: {name: Tono, login: tono, roles: [{role: sekretaris, from: "2020-01-01"}]}
""",
)
ROLES = "{admin: Admin, kasubbag: Kasubbag, sekretaris: Sekretaris, applicant: Pemohon}"


def office(steps: str, top: str = "") -> Lab:
    """A lab with three roles that persons hold, and one of outsiders."""
    return Lab(steps, top=f"{top}supplement: {{outside: [applicant]}}\n", inventory=PEOPLE, roles=ROLES)


def asked(lab: Lab) -> list[str]:
    """What waits for a person: step.task, and whose it is where several are asked together."""
    waiting = [request.key for request in lab.record.requests]
    return [f"{key.step}.{key.task}" + (f"[{key.item}]" if key.item else "") for key in waiting]


def answer(lab: Lab, place: str, label: str, to: str = "") -> Lab:
    """Answer what was asked at step.task, and go on."""
    step, _, task = place.partition(".")
    lab.run(resume=lab.answer(step, label, task=task, to=to))
    return lab


def done(lab: Lab) -> list[str]:
    """The acts that were done, in order."""
    return [f"{key.task}~{key.tries}" if key.tries > 1 else key.task for key in lab.calls]


FORK = """
  - id: one
    activity: a
    tasks:
      - {id: start, action: lab.read}
      - {id: left, action: lab.read, after: [start]}
      - {id: left2, action: lab.read}
      - {id: right, action: lab.read, after: [start]}
      - {id: alone, action: lab.read, after: []}
      - {id: join, action: lab.read, after: [left2, right, alone]}
"""


def test_tasks_fork_and_join() -> None:
    lab = Lab(FORK)
    both = threading.Barrier(3)

    def meet(call: Call) -> Outcome:
        both.wait(WAIT)
        return Outcome(Status.OK)

    lab.does = {"one.left2": meet, "one.right": meet, "one.alone": meet}
    lab.run()
    order = done(lab)
    assert sorted(order) == ["alone", "join", "left", "left2", "right", "start"]
    assert order[-1] == "join"
    assert order.index("start") < order.index("left") < order.index("left2")
    assert lab.record.status == "ok"


def test_a_branch_that_waits_for_a_person_does_not_hold_up_the_others() -> None:
    lab = office("""
  - id: one
    activity: a
    tasks:
      - {id: sign, action: lab.ask, actor: kasubbag, after: [], with: {text: Mohon}}
      - {id: signed, action: lab.read}
      - {id: other, action: lab.read, after: []}
      - {id: more, action: lab.change}
      - {id: join, action: lab.read, after: [signed, more]}
""")
    assert lab.run().status == "waiting"
    assert done(lab) == ["other", "more"]
    answer(lab, "one.sign", "signed")
    assert done(lab)[2:] == ["signed", "join"]
    assert lab.told[-1] == "run_ended ok 0"


def test_steps_that_run_once_fork_and_join() -> None:
    lab = office("""
  - {id: begin, activity: a, tasks: [{id: a, action: lab.read}]}
  - {id: left, activity: b, actor: kasubbag, after: [begin], tasks: [{id: b, action: lab.ask, with: {text: x}}]}
  - {id: right, activity: c, after: [begin], tasks: [{id: c, action: lab.read}]}
  - {id: right2, activity: d, tasks: [{id: d, action: lab.read}]}
  - {id: join, activity: e, after: [left, right2], tasks: [{id: e, action: lab.read}]}
  - {id: later, activity: f, targets: s1, tasks: [{id: f, action: lab.read}]}
""")
    lab.run()
    assert done(lab) == ["a", "c", "d"]
    assert asked(lab) == ["left.b"]
    answer(lab, "left.b", "signed")
    assert done(lab)[3:] == ["e", "f"]


JOINT = """
  - id: one
    activity: a
    tasks:
      - {id: before, action: lab.read}
      - {id: sign, action: lab.ask, actor: [admin, kasubbag], with: {text: Mohon}}
      - {id: then, action: lab.read, with: {give: "{{ tasks.sign.label }} {{ tasks.sign.person }}"}}
"""


def test_all_who_act_together_are_asked_at_once_and_all_must_answer() -> None:
    lab = office(JOINT)
    lab.run()
    assert asked(lab) == ["one.sign[admin]", "one.sign[kasubbag]"]
    lab.run(resume=lab.answer("one", "signed", task="sign[kasubbag]", person="Budi"))
    assert asked(lab) == ["one.sign[admin]"]
    assert lab.told[-1] == "run_ended waiting 3"
    answer(lab, "one.sign[admin]", "signed")
    assert lab.inputs[lab.calls[-1]]["give"] == "signed Siti; Budi"
    assert [(task.id, task.item) for task in lab.record.steps[0].targets[0].tasks][1:3] == [
        ("sign", "admin"),
        ("sign", "kasubbag"),
    ]


def test_one_of_several_who_returns_it_is_enough() -> None:
    lab = office(
        JOINT.replace("  - id: one", "  - {id: zero, activity: z, tasks: [{id: z, action: lab.read}]}\n  - id: one")
    )
    lab.run()
    answer(lab, "one.sign[admin]", "returned", to="zero")
    assert done(lab) == ["z", "before", "z", "before"]
    assert asked(lab) == ["one.sign[admin]", "one.sign[kasubbag]"]
    assert {request.key.attempt for request in lab.record.requests} == {2}


def test_of_different_answers_the_one_that_refuses_counts() -> None:
    lab = office(
        JOINT + "    decide: {question: q, value: '{{ tasks.sign.label }}', answers: {signed: next, returned: end}}\n"
    )
    lab.run()
    answer(lab, "one.sign[kasubbag]", "returned")
    assert asked(lab) == ["one.sign[admin]"]
    answer(lab, "one.sign[admin]", "signed")
    assert lab.inputs[lab.calls[-1]]["give"] == "returned Siti"
    assert lab.record.moves[-1].to == "end"


THREE = """
  - id: one
    activity: a
    tasks:
      - {id: look, action: lab.read}
      - id: which
        actor: ACTOR
        decide:
          question: Rusak?
          answers: {Rusak Ringan: {task: light}, Rusak Berat: {task: heavy}, Tidak rusak: next, Lagi: {task: look},
                    Usul: {step: two}, Bukan kita: {out: SOP lain}}
          rounds: 2
      - {id: light, action: lab.read, after: [which]}
      - {id: light2, action: lab.read}
      - {id: heavy, action: lab.read, after: [which]}
      - {id: join, action: lab.read, after: [light2, heavy], with: {give: "{{ tasks.which.label }}"}}
      - {id: beside, action: lab.read, after: [look]}
  - {id: between, activity: b, tasks: [{id: b, action: lab.read}]}
  - {id: two, activity: c, tasks: [{id: c, action: lab.read}]}
"""


@pytest.mark.parametrize(
    ("labels", "calls"),
    [
        (["Rusak Ringan"], "look beside light light2 join b c"),
        (["Rusak Berat"], "look beside heavy join b c"),
        (["Tidak rusak"], "look beside light heavy light2 join b c"),
        (["Lagi", "Rusak Berat"], "look beside look~2 beside~2 heavy join b c"),
        (["Usul"], "look beside c"),
        (["Bukan kita"], "look beside"),
    ],
)
def test_a_task_decides_with_labels_of_any_wording(labels: list[str], calls: str) -> None:
    lab = office(THREE.replace("ACTOR", "kasubbag"))
    lab.run()
    for label in labels:
        answer(lab, "one.which", label)
    assert sorted(done(lab)) == sorted(calls.split())
    assert done(lab)[-1] == calls.split()[-1]
    assert lab.told[-1] == "run_ended ok 0"


def test_what_was_not_taken_is_told_as_passed_over() -> None:
    lab = office(THREE.replace("ACTOR", "kasubbag"))
    lab.run()
    answer(lab, "one.which", "Rusak Berat")
    tasks = {task.id: task.outcome for task in lab.record.steps[0].targets[0].tasks}
    assert (tasks["light"].status, tasks["light"].message) == ("skipped", "it went on to 'heavy'")
    assert tasks["light2"].status == "skipped"


def test_a_task_sends_back_a_bounded_number_of_times() -> None:
    lab = office(THREE.replace("ACTOR", "kasubbag"))
    lab.run()
    for _ in range(3):
        answer(lab, "one.which", "Lagi")
    assert lab.told[-1] == "run_ended failed 2"
    which = next(task for task in lab.record.steps[0].targets[0].tasks if task.id == "which")
    assert which.outcome.message == "it was sent back more than 2 times"
    assert [each.number for each in which.tries] == [1, 2, 3]


def test_the_severest_of_several_who_decide_together_counts() -> None:
    for labels, moved in (
        (("Tidak rusak", "Lagi"), ["one.look"]),
        (("Usul", "Bukan kita"), ["out"]),
        (("Rusak Berat", "Rusak Berat"), []),
    ):
        lab = office(THREE.replace("ACTOR", "[kasubbag, admin]"))
        lab.run()
        assert asked(lab) == ["one.which[kasubbag]", "one.which[admin]"]
        answer(lab, "one.which[kasubbag]", labels[0])
        answer(lab, "one.which[admin]", labels[1])
        assert [move.to for move in lab.record.moves] == moved


def test_a_task_may_act_and_then_decide_by_what_it_found() -> None:
    lab = office("""
  - id: one
    activity: a
    tasks:
      - id: check
        action: lab.read
        with: {give: sakit}
        decide: {question: Sehat?, value: "{{ tasks.check.value }}", answers: {sehat: end, sakit: {task: cure}}}
      - {id: skipped, action: lab.read}
      - {id: cure, action: lab.read}
""")
    lab.run()
    assert done(lab) == ["check", "cure"]
    assert [(t.id, t.action) for t in lab.record.steps[0].targets[0].tasks][:2] == [
        ("check", "lab.read"),
        ("check.decide", "decide"),
    ]


def test_a_loop_inside_one_branch_leaves_the_other_alone() -> None:
    lab = office("""
  - {id: begin, activity: a, tasks: [{id: a, action: lab.read}]}
  - {id: left, activity: b, actor: kasubbag, after: [begin], tasks: [{id: l, action: lab.ask, with: {text: x}}]}
  - {id: right, activity: c, after: [begin], tasks: [{id: r, action: lab.read}]}
  - {id: right2, activity: d, actor: admin, decide: {question: Beres?, answers: {ya: next, tidak: {step: right}}}}
  - {id: join, activity: e, after: [left, right2], tasks: [{id: j, action: lab.read}]}
""")
    lab.run()
    answer(lab, "right2.decide", "tidak")
    assert done(lab) == ["a", "r", "r"]
    assert asked(lab) == ["left.l", "right2.decide"]
    assert {step.id: step.attempt for step in lab.record.steps} == {
        "begin": 1, "left": 1, "right": 2, "right2": 2, "join": 2,
    }  # fmt: skip
    answer(lab, "right2.decide", "ya")
    answer(lab, "left.l", "signed")
    assert done(lab)[3:] == ["j"]


def test_going_back_before_a_fork_asks_both_branches_anew() -> None:
    lab = office("""
  - {id: begin, activity: a, tasks: [{id: a, action: lab.read}]}
  - {id: left, activity: b, actor: kasubbag, after: [begin], tasks: [{id: l, action: lab.ask, with: {text: x}}]}
  - {id: right, activity: d, actor: admin, after: [begin],
     decide: {question: Beres?, answers: {ya: next, tidak: {step: begin}}}}
  - {id: join, activity: e, after: [left, right], tasks: [{id: j, action: lab.read}]}
""")
    lab.run()
    before = lab.answer("left", "signed")[-1]
    answer(lab, "right.decide", "tidak")
    assert asked(lab) == ["left.l", "right.decide"]
    assert {request.key.attempt for request in lab.record.requests} == {2}
    lab.run(resume=[*lab.events, before])  # a signature for another attempt
    assert asked(lab) == ["left.l", "right.decide"]


def test_one_of_exclusive_branches_may_change_over_to_the_other() -> None:
    lab = office("""
  - {id: which, activity: a, actor: admin, decide: {question: q, answers: {ringan: {step: light}, x: {step: heavy}}}}
  - {id: light, activity: b, actor: admin, after: [which],
     decide: {question: q, answers: {beres: next, ternyata berat: {step: heavy}}}}
  - {id: heavy, activity: c, after: [which], tasks: [{id: h, action: lab.read}]}
  - {id: join, activity: d, after: [light, heavy], tasks: [{id: j, action: lab.read}]}
""")
    lab.run()
    answer(lab, "which.decide", "ringan")
    answer(lab, "light.decide", "ternyata berat")
    assert done(lab) == ["h", "j"]
    assert lab.told[-1] == "run_ended ok 0"


def test_what_is_returned_begins_a_new_attempt_from_the_step_named_with_the_reason() -> None:
    lab = office("""
  - {id: make, activity: a, tasks: [{id: m, action: lab.read}]}
  - {id: check, activity: b, actor: admin, tasks: [{id: c, action: lab.ask, with: {text: x}}]}
  - {id: sign, activity: c, actor: kasubbag, tasks: [{id: s, action: lab.ask, with: {text: x}}]}
""")
    lab.run()
    answer(lab, "check.c", "signed")
    answer(lab, "sign.s", "returned", to="make")
    move = lab.record.moves[-1]
    assert (move.step, move.to, move.back, move.why) == ("sign", "make", True, "Siti: returned. n")
    assert done(lab) == ["m", "m"]
    assert asked(lab) == ["check.c"]
    answer(lab, "check.c", "signed")
    answer(lab, "sign.s", "returned")  # without a step: to its own
    assert lab.record.moves[-1].to == "sign"
    answer(lab, "sign.s", "signed")
    assert lab.told[-1] == "run_ended ok 0"


def test_what_comes_later_cannot_be_returned_to() -> None:
    lab = office("""
  - {id: sign, activity: c, actor: kasubbag, tasks: [{id: s, action: lab.ask, with: {text: x}}]}
  - {id: later, activity: d, tasks: [{id: l, action: lab.read}]}
""")
    lab.run()
    assert lab.plan.returnable("sign") == ("sign",)
    answer(lab, "sign.s", "returned", to="later")
    assert lab.told[-1] == "run_ended failed 2"


def test_an_end_in_one_branch_lets_the_other_come_to_its_own() -> None:
    lab = office("""
  - {id: begin, activity: a, tasks: [{id: a, action: lab.read}]}
  - {id: left, activity: b, actor: admin, after: [begin], decide: {question: q, answers: {ya: next, tidak: end}}}
  - {id: left2, activity: c, tasks: [{id: c, action: lab.read}]}
  - {id: right, activity: d, actor: kasubbag, after: [begin], tasks: [{id: r, action: lab.ask, with: {text: x}}]}
  - {id: right2, activity: e, tasks: [{id: e, action: lab.read}]}
  - {id: join, activity: f, after: [left2, right2], tasks: [{id: j, action: lab.read}]}
""")
    lab.run()
    answer(lab, "left.decide", "tidak")
    assert asked(lab) == ["right.r"]
    answer(lab, "right.r", "signed")
    assert done(lab) == ["a", "e"]
    assert lab.told[-1] == "run_ended ok 0"


def test_an_outsider_is_asked_though_nobody_of_the_office_holds_the_role() -> None:
    lab = office("  - {id: one, activity: a, actor: applicant, tasks: [{id: a, action: lab.ask, with: {text: x}}]}")
    lab.run()
    assert lab.record.requests[0].request.role == "applicant"
    with pytest.raises(Refused, match="nobody holds the role 'applicant'"):
        Lab(lab.steps, inventory=PEOPLE, roles=ROLES)


def test_a_failure_in_one_branch_begins_nothing_more_in_the_others() -> None:
    lab = Lab(FORK)
    waited = threading.Event()

    def late(call: Call) -> Outcome:
        waited.wait(WAIT)
        return Outcome(Status.OK)

    def broken(call: Call) -> Outcome:
        waited.set()
        return fail(call)

    lab.does = {"one.alone": broken, "one.start": late}
    lab.run()
    statuses = {task.id: str(task.outcome.status) for task in lab.record.steps[0].targets[0].tasks}
    assert statuses["start"] == "ok"
    assert statuses["join"] == "skipped"
    assert lab.told[-1] == "run_ended failed 2"


def test_a_dry_run_looks_at_every_branch_of_every_decision() -> None:
    lab = office(THREE.replace("ACTOR", "[kasubbag, admin]"))
    lab.run(dry=True)
    seen = {(step.id, task.id) for step in lab.record.steps for target in step.targets for task in target.tasks}
    assert {task for _, task in seen} == {
        "look", "which", "light", "light2", "heavy", "join", "beside", "b", "c",
    }  # fmt: skip
    assert lab.record.moves == ()


def test_what_only_stands_on_the_form_is_passed() -> None:
    lab = Lab(
        "  - {id: one, activity: a, tasks: [{id: s, symbol: start}, {id: a, action: lab.read}, {id: e, symbol: end}]}"
    )
    lab.run()
    assert done(lab) == ["a"]
    assert lab.told[-1] == "run_ended ok 0"


def test_branches_run_on_targets_too() -> None:
    lab = Lab(FORK.replace("    activity: a\n", "    activity: a\n    targets: s1:s2\n", 1))
    lab.does["one.left@s1"] = ok()
    lab.run(forks=1)
    assert len(done(lab)) == 12
    assert len([event for event in lab.events if event.kind is Kind.STEP_FINISHED]) == 2


PLACES = """
  - id: repair
    activity: a
    tasks:
      - {id: fetch, action: lab.read}
      - {id: beside, action: lab.read, after: []}
      - {id: mend, action: lab.read, after: [fetch]}
      - {id: polish, action: lab.read}
  - id: test
    activity: b
    actor: admin
    decide: {question: Benar?, answers: {Sudah Benar: next, Belum Benar: {step: repair, task: mend}}}
"""


def test_an_answer_may_lead_to_a_task_of_another_step() -> None:
    lab = office(PLACES)
    lab.run()
    answer(lab, "test.decide", "Belum Benar")
    assert sorted(done(lab)) == ["beside", "fetch", "mend", "mend", "polish", "polish"]
    repair = lab.record.steps[0]
    assert repair.attempt == 2
    told = {task.id: task.outcome.message for task in repair.targets[0].tasks}
    assert (told["fetch"], told["beside"], told["mend"]) == ("it went on to 'mend'", "it went on to 'mend'", "")
    answer(lab, "test.decide", "Sudah Benar")
    assert lab.told[-1] == "run_ended ok 0"
    with pytest.raises(Refused, match=r"step 'repair' has no task 'mned'\. did you mean 'mend'"):
        office(PLACES.replace("task: mend}", "task: mned}"))
