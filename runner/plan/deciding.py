"""Decisions: where their answers lead, and whether a way through the procedure is left."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from runner.contract import ANSWER_OUTPUTS, Action, Call, Effect, Outcome, Reach, Repeat, Status
from runner.errors import Mistake, did_you_mean
from runner.playbook import Decision, Playbook, Step, Task, Where
from runner.playbook.order import Order, order_steps, order_tasks


def _pass(call: Call) -> Outcome:
    return Outcome(Status.OK)


DECIDE = Action(
    name="decide",
    description="The holder of a role answers the question of a decision, or a value does.",
    inputs={},
    outputs=ANSWER_OUTPUTS,
    effect=Effect.OUTSIDE,
    repeat=Repeat.SAFE,
    reach=Reach.CONTROLLER,
    limit="1m",
    run=_pass,
    targets=("",),
    person=True,
)
DRAWN = Action(
    name="form.symbol",
    description="Stands on the form only: a start, an end or a connector.",
    inputs={},
    outputs={},
    effect=Effect.READ,
    repeat=Repeat.SAFE,
    reach=Reach.CONTROLLER,
    limit="1m",
    run=_pass,
)


def action_of(task: Task, actions: Mapping[str, Action]) -> Action | None:
    """Given a task, return its action: the one it names (None where there is none), else that it only decides or is
    drawn."""
    return actions.get(task.action) if task.action else DECIDE if task.decision else DRAWN


class _Place(NamedTuple):
    """A decision, where it stands, the step that it belongs to, and its task (None where it ends the step)."""

    decision: Decision
    where: Where
    step: Step
    task: Task | None


def check_decisions(playbook: Playbook) -> Iterator[Mistake]:
    """Given a playbook, yield what is wrong with the answers of its decisions."""
    order = order_steps(playbook.steps)
    for place in _places(playbook):
        yield from _check_place(playbook, place)
        yield from _check_answers(playbook, place)
        yield from _check_way_out(playbook, order, place)
    yield from _check_circles(playbook, order)


def _places(playbook: Playbook) -> Iterator[_Place]:
    for step in playbook.steps:
        for task in step.tasks:
            if task.decision:
                yield _Place(task.decision, (*task.where, "decide"), step, task)
        if step.decision:
            yield _Place(step.decision, (*step.where, "decide"), step, None)


def _check_place(playbook: Playbook, place: _Place) -> Iterator[Mistake]:
    if place.step.targets:
        message = "a decision stands only in a step that runs once"
        yield playbook.source.mistake(place.where, message, "move it to a step without targets")
    elif place.task and (place.step.conduct.for_each is not None or place.task.conduct.for_each is not None):
        message = "a task that decides is done once, not for each of a list"
        yield playbook.source.mistake(place.where, message, "write decide: on the step, or leave out for_each:")


def _check_answers(playbook: Playbook, place: _Place) -> Iterator[Mistake]:
    steps = {step.id: [task.id for task in step.tasks] for step in playbook.steps}
    for label, route in place.decision.answers.items():
        where = (*place.where, "answers", label)
        if route.step and route.step not in steps:
            cure = did_you_mean(route.step, steps)
            yield playbook.source.mistake((*where, "step"), f"there is no step '{route.step}'", cure)
        tasks = steps.get(route.step or place.step.id)
        if route.kind == "task" and place.task is None:
            message = "a step's decision leads to steps; only a task's leads to tasks"
            yield playbook.source.mistake((*where, "task"), message, "write decide: on a task of the step")
        elif route.task and tasks is not None and route.task not in tasks:
            message = f"step '{route.step or place.step.id}' has no task '{route.task}'"
            yield playbook.source.mistake((*where, "task"), message, did_you_mean(route.task, tasks))


def _check_way_out(playbook: Playbook, order: Order, place: _Place) -> Iterator[Mistake]:
    """A decision that only sends back never ends."""
    step, task = place.step, place.task
    back_to = order.precedes(step.id) | {step.id}
    tasks_back = order_tasks(step.tasks).precedes(task.id) | {task.id} if task else frozenset()
    routes = place.decision.answers.values()
    if all(route.step in back_to or (route.kind == "task" and route.task in tasks_back) for route in routes):
        message = "every answer leads back, so it never ends"
        yield playbook.source.mistake((*place.where, "answers"), message, "let one lead to next, end or out")


def _check_circles(playbook: Playbook, order: Order) -> Iterator[Mistake]:
    """Steps whose decisions lead only to one another, however far they lead, never end either."""
    ways = {step.id: _ways(step, order) for step in playbook.steps}
    ending = {name for name, to in ways.items() if not to or "" in to}
    while more := {name for name, to in ways.items() if name not in ending and not ending.isdisjoint(to)}:
        ending |= more
    stuck = [step for step in playbook.steps if step.id not in ending and step.decision]
    if stuck and not any(_only_back(step, order) for step in stuck):
        names = ", ".join(f"'{step.id}'" for step in stuck)
        message = f"the decisions of {names} lead only to one another, so the procedure never ends"
        yield playbook.source.mistake((*stuck[0].where, "decide"), message, "let an answer lead to next, end or out")


def _ways(step: Step, order: Order) -> frozenset[str]:
    """The steps that one leads to; "" is the end."""
    following = frozenset(order.after[step.id]) or frozenset({""})
    if step.decision is None:
        return following
    found: set[str] = set()
    for route in step.decision.answers.values():
        found |= following if route.kind in ("next", "task") else {route.step if route.step in order.before else ""}
    return frozenset(found)


def _only_back(step: Step, order: Order) -> bool:
    back = order.precedes(step.id) | {step.id}
    return step.decision is not None and all(route.step in back for route in step.decision.answers.values())
