"""Playbooks as they are read: what is written, what is inherited, what goes without saying."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.contract import Effect, Status
from runner.errors import Mistake
from runner.playbook import DEFAULT_ROUNDS, STOP, Playbook, Route
from runner.playbook.reading import DEEPEST_INCLUDE, load_playbook

HEAD = "procedure: {title: T, roles: {admin: Admin}}\nsteps:\n"


def read(steps: str, **others: str) -> tuple[Playbook | None, list[str]]:
    """A playbook of these steps, and its mistakes; `others` are further files by name without `.yml`."""
    mistakes: list[Mistake] = []
    texts = {"p.yml": HEAD + steps, **{f"{name}.yml": text for name, text in others.items()}}
    return load_playbook(Path("p.yml"), mistakes, texts), [str(mistake) for mistake in mistakes]


def sound(steps: str, **others: str) -> Playbook:
    """The same, without mistakes."""
    playbook, mistakes = read(steps, **others)
    assert mistakes == []
    assert playbook is not None
    return playbook


def test_a_bare_step_has_the_defaults() -> None:
    [step] = sound("  - {id: one, activity: a}\n").steps
    assert (step.targets, step.once, step.tasks, step.actors, step.decision, step.include) == (
        "",
        False,
        (),
        (),
        None,
        None,
    )
    assert step.norm.kind == "none"
    assert (step.conduct.on_failure, step.conduct.on_unreachable, step.conduct.always) == (STOP, STOP, False)
    assert step.conduct.retry.count == 0


def test_tasks_inherit_how_their_step_is_conducted_and_may_say_otherwise() -> None:
    [step] = sound("""
  - id: one
    activity: a
    retry: {count: 2, pause: 30s, on: [unreachable]}
    on_failure: continue
    on_unreachable: {step: one}
    always: true
    run_as: www-data
    when: "{{ true }}"
    for_each: [1]
    tasks:
      - {id: a, action: command.run}
      - {id: b, action: command.run, retry: {count: 1}, on_failure: stop, always: false, run_as: root, effect: read,
         time_limit: 2h, actor: [admin, third], symbol: process}
""").steps
    inherited, own = step.tasks
    assert (inherited.conduct.retry.count, inherited.conduct.retry.pause) == (2, 30.0)
    assert inherited.conduct.retry.on == {Status.UNREACHABLE}
    assert (inherited.conduct.on_failure, inherited.conduct.on_unreachable) == (Route("continue"), Route("step", "one"))
    assert (inherited.conduct.always, inherited.conduct.run_as) == (True, "www-data")
    assert (inherited.conduct.when, inherited.conduct.for_each) == ("", None)  # those are the step's own
    assert (own.conduct.retry.count, own.conduct.on_failure, own.conduct.always) == (1, STOP, False)
    assert (own.conduct.run_as, own.effect, own.limit, own.actors) == ("root", Effect.READ, 7200.0, ("admin", "third"))


@pytest.mark.parametrize(
    ("written", "text", "kind"),
    [
        ("1 hari", "1 hari", "fixed"),
        ("1jam - 3hari", "1jam - 3hari", "range"),
        ("-", "-", "none"),
        ("", "", "none"),
        ("Sesuai jadwal", "Sesuai jadwal", "elsewhere"),
        ("{text: 5 minit, means: 5 menit}", "5 minit", "fixed"),
    ],
)
def test_a_norm_keeps_its_wording(written: str, text: str, kind: str) -> None:
    [step] = sound(f"  - id: one\n    activity: a\n    time_limit: {written}\n").steps
    assert (step.norm.text, step.norm.kind) == (text, kind)


def test_a_decision_has_labels_as_on_the_form_and_a_bound() -> None:
    [step] = sound("""
  - id: one
    activity: a
    actor: [admin, other]
    decide: {question: Selesai?, answers: {Ya: next, no: {step: one}, 16:30: end, off: out}}
""").steps
    assert step.decision is not None
    assert step.decision.answers == {
        "Ya": Route("next"),
        "no": Route("step", "one"),
        "16:30": Route("end"),
        "off": Route("out"),
    }
    assert (step.decision.actors, step.decision.rounds, step.decision.value) == (("admin", "other"), DEFAULT_ROUNDS, "")


def test_an_included_playbook_is_read_with_it() -> None:
    playbook = sound(
        "  - {id: one, activity: a, include: child.yml, with: {x: 1}}\n", child=HEAD + "  - {id: c, activity: a}\n"
    )
    [step] = playbook.steps
    assert step.include is not None
    assert (step.include.name, [s.id for s in step.include.steps], step.include_vars) == ("child", ["c"], {"x": 1})
    assert [source.file for source in playbook.sources] == ["p.yml", "child.yml"]


def test_mistakes_of_an_included_playbook_name_its_file() -> None:
    _, mistakes = read(
        "  - {id: one, activity: a, include: child.yml}\n", child=HEAD + "  - {id: c, activity: a, colour: red}\n"
    )
    [mistake] = mistakes
    assert mistake.startswith("child.yml:3:26: unknown key 'colour'. delete it, or write one of: activity, actor,")


@pytest.mark.parametrize("name", ["x\\0.yml", "\\u200b.yml"])
def test_a_name_that_no_file_has_is_refused(name: str) -> None:
    _, mistakes = read(f'  - {{id: one, activity: a, include: "{name}"}}\n')
    assert mistakes == ["p.yml:3:37: no file can be called that. write its path from this file's folder"]


def test_playbooks_included_too_deep_are_refused() -> None:
    others = {
        f"c{n}": HEAD + f"  - {{id: one, activity: a, include: c{n + 1}.yml}}\n" for n in range(DEEPEST_INCLUDE + 2)
    }
    _, mistakes = read("  - {id: one, activity: a, include: c0.yml}\n", **others)
    assert len(mistakes) == 1
    assert "more than 8 deep" in mistakes[0]


@pytest.mark.parametrize(
    ("steps", "mistakes"),
    [
        ("  - {activity: a}\n", ["p.yml:3:5: the key 'id' is missing. "]),
        ("  - {id: one}\n  - {id: two, activity: 5, on_failure: go}\n", ["'activity' is missing", "5 is a", "'go'"]),
        ("  []\n", ["is empty"]),
        (
            "  - {id: one, activity: a, decide: {question: Q?}, retry: {count: x}, time_limit: [1]}\n",
            ["answers", "'x'", "list"],
        ),
        ("  - one\n", ["'one' is a text"]),
    ],
)
def test_all_that_does_not_fit_is_told(steps: str, mistakes: list[str]) -> None:
    _, found = read(steps)
    assert len(found) == len(mistakes)
    for part in mistakes:
        assert any(part in text for text in found), part


def test_what_does_not_fit_does_not_hide_what_else_is_wrong() -> None:
    playbook, mistakes = read(
        "  - {id: one, activity: 5, time_limit: 3 lusin}\n  - {id: one, activity: b, decide: {}}\n"
    )
    assert playbook is not None
    assert [text.split(": ")[0] for text in mistakes] != []
    assert any("'3 lusin' is not a time norm" in text for text in mistakes)
    assert any("a second step is called 'one'" in text for text in mistakes)


def test_habits_of_ansible_are_answered_with_ours() -> None:
    _, mistakes = read("""
  - id: one
    activity: a
    vars: {a: 1}
    tasks: [{id: t, action: command.run, with: {command: ls}, ansible.builtin.shell: ls, ansible.posix.acl: x}]
""")
    assert {mistake.partition(": ")[2] for mistake in mistakes} == {
        "unknown key 'vars'. write vars: at the top, beside steps:",
        "unknown key 'ansible.builtin.shell'. write action: command.run, with: {command: …}",
        "unknown key 'ansible.posix.acl'. write action:; `sop actions` lists what there is",
    }


def test_a_playbook_of_ansible_is_told_from_a_procedure() -> None:
    mistakes: list[Mistake] = []
    assert load_playbook(Path("p.yml"), mistakes, {"p.yml": "- hosts: all\n  tasks: []\n"}) is None
    assert [str(mistake) for mistake in mistakes] == [
        "p.yml:1:1: a list of plays, as Ansible has them, stands here. "
        "write procedure: and steps:; a play becomes a step"
    ]


def test_a_row_that_says_only_who_acts_is_done_by_them() -> None:
    steps = sound("""
  - {id: one, activity: Berkas diterima, actor: admin, retry: {count: 2}}
  - {id: two, activity: b, actor: {any_of: [admin, other]}}
  - {id: three, activity: c, actor: [admin, other]}
  - {id: four, activity: d, actor: admin, tasks: []}
  - {id: five, activity: e, actor: admin, symbol: connector}
  - {id: six, activity: f, actor: admin, decide: {answers: {a: next, b: end}}}
  - {id: seven, activity: g, actor: admin, tasks: [{id: x, action: person.sign}]}
""").steps
    [one] = steps[0].tasks
    assert (one.action, one.inputs, one.actors, one.conduct.retry.count) == (
        "person.do",
        {"question": "Berkas diterima"},
        ("admin",),
        2,
    )
    assert [task.actors for step in steps[1:3] for task in step.tasks] == [("admin|other",), ("admin", "other")]
    assert [len(step.tasks) for step in steps[3:]] == [0, 0, 0, 1]
    assert steps[6].tasks[0].inputs == {"question": "g"}


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ("[{heading: X, roles: [a, c]}]", "the performers under 'X' are no neighbours"),
        ("[{heading: X, roles: [a, d]}]", "there is no role 'd'"),
        ("[{heading: X, roles: [a, b]}, {heading: Y, roles: [b]}]", "the role 'b' stands under two headings"),
        ("[{heading: X, roles: [a, b]}, {heading: Y, roles: [c]}]", ""),
    ],
)
def test_headings_over_performers_stand_over_neighbours(groups: str, message: str) -> None:
    procedure = f"{{title: T, roles: {{a: A, b: B, c: C}}, groups: {groups}}}"
    text = f"procedure: {procedure}\nsteps:\n  - {{id: one, activity: a}}\n"
    mistakes: list[Mistake] = []
    load_playbook(Path("p.yml"), mistakes, {"p.yml": text})
    assert [message in str(mistake) for mistake in mistakes] == [True] * bool(message)


def test_inputs_and_outputs_may_be_plain_texts() -> None:
    [step] = sound("""
  - id: one
    activity: a
    inputs: [Surat, {text: Akses, needs: server}]
    outputs: [Berkas, Tanda terima, {id: x, text: X}]
""").steps
    assert [(each.text, each.needs) for each in step.inputs] == [("Surat", ""), ("Akses", "server")]
    assert [(each.id, each.text) for each in step.outputs] == [("", "Berkas"), ("", "Tanda terima"), ("x", "X")]


@pytest.mark.parametrize(
    ("step", "mistake"),
    [
        ("waktu: 5 menit", "unknown key 'waktu'. write time_limit:"),
        ("Pelaksana: admin", "unknown key 'Pelaksana'. write actor:"),
        (
            "actor: admin, decide: {answers: {Ya: next, Tidak: two}}",
            "'two' is not allowed here. write next, end, out, {s",
        ),
    ],
)
def test_words_of_the_forms_are_answered_with_ours(step: str, mistake: str) -> None:
    _, mistakes = read(f"  - {{id: one, activity: a, {step}}}\n")
    assert [mistake in each for each in mistakes] == [True]
