"""The plan: a playbook bound to an inventory. `planning` makes it, and refuses what can be refused."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from runner.contract import Action, Effect
from runner.inputs import Compiled
from runner.inventory import Inventory, Target
from runner.playbook import Decision, Output, Playbook, Step, Task
from runner.playbook.order import Order, order_steps

NO_ORDER = Order({})

Targets = tuple[Target | None, ...]


class PlannedTask(NamedTuple):
    """A task ready to be done: its action, compiled inputs and conditions, its limit in seconds, and the roles that
    must act, all of them together where a person does it."""

    task: Task
    action: Action
    inputs: Mapping[str, Compiled]
    limit: float
    effect: Effect
    when: Compiled | None = None
    for_each: Compiled | None = None
    roles: tuple[str, ...] = ()
    decision_value: Compiled | None = None

    @property
    def id(self) -> str:
        return self.task.id


class PlannedStep(NamedTuple):
    """A step with its targets ((None,) where it runs once), its tasks and their order. `deciders` are the roles that
    answer its decision, `child` is the plan of what it includes."""

    step: Step
    targets: Targets
    selected: bool
    actors: tuple[str, ...] = ()
    tasks: tuple[PlannedTask, ...] = ()
    when: Compiled | None = None
    for_each: Compiled | None = None
    outputs: tuple[tuple[Output, Compiled], ...] = ()
    decision: Decision | None = None
    decision_value: Compiled | None = None
    deciders: tuple[str, ...] = ()
    child: Plan | None = None
    child_vars: Compiled | None = None
    order: Order = NO_ORDER

    @property
    def id(self) -> str:
        return self.step.id

    @property
    def once(self) -> bool:
        """Whether it runs once, on this machine."""
        return self.targets == (None,)


class Plan(NamedTuple):
    """A playbook bound to an inventory: what will be done, in order, on which targets."""

    playbook: Playbook
    inventory: Inventory
    steps: tuple[PlannedStep, ...]
    extra: Mapping[str, Any]
    outputs: Mapping[str, Compiled]

    def variables(self, target: Target | None) -> dict[str, Any]:
        """Variables as a task on that target reads them: `-e` over target over groups over inventory over playbook."""
        return {**self.playbook.vars, **self.inventory.variables(target, self.extra)}

    def returnable(self, step: str) -> tuple[str, ...]:
        """Ids of the steps that what is asked in a step can be returned to: that one, and chosen ones before it."""
        before = order_steps(self.playbook.steps).precedes(step) | {step}
        return tuple(planned.id for planned in self.steps if planned.selected and planned.id in before)

    @property
    def secrets(self) -> frozenset[str]:
        """Names of all secrets that selected steps use, in expressions and for the channels they write over."""
        return frozenset(_secrets_of(self))


@dataclass(frozen=True, slots=True)
class Selection:
    """What a request asks for. `limit` is a pattern of targets; `only` names steps, `start` the first one."""

    limit: str = ""
    only: tuple[str, ...] = ()
    start: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)


def _secrets_of(plan: Plan) -> Iterator[str]:
    for step in plan.steps:
        if not step.selected:
            continue
        values = [value for task in step.tasks for value in task.inputs.values()]
        for value in values:
            for _, expression in value.expressions:
                yield from (str(r.path[0]) for r in expression.references if r.root == "secret")
        for task in step.tasks:
            for channel in _channels_of(task, plan.inventory):
                yield from _referred(plan.inventory.channels.get(channel))
        if step.child:
            yield from _secrets_of(step.child)


def _channels_of(task: PlannedTask, inventory: Inventory) -> Iterable[str]:
    """The channels that a task may write over: those it names, all where it names none or by an expression."""
    for name, schema in task.action.inputs.items():
        if schema.get("names") == "channel":
            given = task.inputs.get(name)
            return inventory.channels if given is None or given.expressions or not given.value else given.value
    return ()


def _referred(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        if value.keys() == {"secret"}:
            yield str(value["secret"])
        for part in value.values():
            yield from _referred(part)
