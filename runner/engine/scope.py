"""The values that expressions read while a run goes on, and whether they are there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from runner.contract import Outcome, Reason, Status
from runner.expressions import Expression, Reference
from runner.inputs import Compiled, resolve
from runner.inventory import Target
from runner.plan import Plan, PlannedStep

UNCHECKED = frozenset({Reason.PREVIEWED, Reason.NOT_CHECKED, Reason.BLOCKED})


@dataclass(slots=True)
class TaskValues:
    """What later tasks of the same step, target and item may read: outputs, status and message, by task."""

    outputs: dict[str, dict[str, Any]] = field(default_factory=dict)
    unchecked: set[str] = field(default_factory=set)

    def add(self, task: str, outcome: Outcome) -> None:
        """Note a task's outcome."""
        self.outputs[task] = {"status": str(outcome.status), "message": outcome.message, **outcome.outputs}
        if outcome.reason in UNCHECKED:
            self.unchecked.add(task)

    def add_list(self, task: str, outcomes: list[Outcome], names: Iterable[str]) -> None:
        """Note the outcomes of a task done for each item: every output is a list."""
        values: dict[str, Any] = {name: [o.outputs.get(name) for o in outcomes] for name in names}
        told = {"status": [str(o.status) for o in outcomes], "message": [o.message for o in outcomes]}
        self.outputs[task] = {**told, **values}
        if any(outcome.reason in UNCHECKED for outcome in outcomes):
            self.unchecked.add(task)


@dataclass(slots=True)
class StepValue:
    """A step's outputs on one target, by output, and how it ended there. `unchecked` names what a dry run left open,
    `note` says where a value comes from that this run did not make."""

    status: Status
    outputs: Mapping[str, Any]
    unchecked: frozenset[str] = frozenset()
    note: str = ""


class Values:
    """What steps gave so far, by step and target; falls back to the record for steps that were not selected."""

    def __init__(self, plan: Plan, earlier: Callable[[str, str | None], StepValue | None]) -> None:
        self._plan = plan
        self._earlier = earlier
        self._steps = {step.id: step for step in plan.steps}
        self._values: dict[tuple[str, str | None], StepValue] = {}
        self._variables: dict[str | None, Mapping[str, Any]] = {}
        self._notes: dict[str | None, dict[str, None]] = {}

    def add(self, step: str, target: str | None, value: StepValue) -> None:
        """Note a step's value on a target; a later attempt replaces it."""
        self._values[step, target] = value

    def variables(self, target: Target | None) -> Mapping[str, Any]:
        """The variables of a target."""
        name = target.name if target else None
        if name not in self._variables:
            self._variables[name] = self._plan.variables(target)
        return self._variables[name]

    def get(self, step: str, target: Target | None) -> StepValue | None:
        """A step's value as a task on `target` reads it: the same target's, its server's, or the only one."""
        planned = self._steps[step]
        names: list[str | None] = [None] if planned.once or target is None else [target.name]
        server = self._plan.inventory.server_of(target) if target and not planned.once else None
        if server is not None:
            names.append(server.name)
        for name in names:
            found = self._values.get((step, name)) or (None if planned.selected else self._earlier(step, name))
            if found is not None:
                self._remember(target, step, found)
                return found
        return None

    def each(self, step: str) -> list[tuple[str, StepValue | None]]:
        """A step's value on each of its targets, for a step that runs once."""
        planned: PlannedStep = self._steps[step]
        found = [(t.name, self.get(step, t)) for t in planned.targets if t is not None]
        for name, value in found:
            self._notes.pop(name, None)
            self._remember(None, step, value)
        return found

    def notes(self, target: Target | None) -> tuple[str, ...]:
        """Which values of other runs were read on a target since this was last asked, and how old they are."""
        return tuple(self._notes.pop(target.name if target else None, ()))

    def _remember(self, target: Target | None, step: str, value: StepValue | None) -> None:
        if value and value.note:
            self._notes.setdefault(target.name if target else None, {})[f"'{step}' is {value.note}"] = None


class Scope(NamedTuple):
    """Where an expression is filled: one step on one target, with the tasks done there. `run` gives what `{{ run.… }}`
    reads: on a bad day that names a problem of each target, so it is made only where something reads it."""

    values: Values
    target: Target | None
    tasks: TaskValues
    run: Callable[[], Mapping[str, Any]]
    office: Mapping[str, Any]
    secret: Callable[[str], str]
    item: Any = None
    dry: bool = False

    def missing(self, *compiled: Compiled | None) -> str:
        """Given values about to be filled, return why they cannot be, or ""."""
        for expression in _expressions(compiled):
            for reference in expression.references:
                why = self._why_missing(reference)
                if why:
                    return why
        return ""

    def fill(self, compiled: Compiled) -> Any:
        """Given a compiled value, return it filled. Raise Missing or ExpressionError."""
        return compiled.fill(self._roots(compiled)) if compiled.expressions else compiled.fill({})

    def _roots(self, compiled: Compiled) -> dict[str, Any]:
        references = [r for _, expression in compiled.expressions for r in expression.references]
        return {
            "tasks": self.tasks.outputs,
            "steps": {str(r.path[0]): self._step(r) for r in references if r.root == "steps"},
            "vars": self.values.variables(self.target),
            "target": self.target.view() if self.target else {},
            "item": self.item,
            "office": self.office,
            "run": self.run() if any(reference.root == "run" for reference in references) else {},
            "secret": self.secret,
        }

    def _step(self, reference: Reference) -> Mapping[str, Any]:
        name = str(reference.path[0])
        if len(reference.path) > 1 and reference.path[1] == "each":
            return {"each": _EachOutput(self.values.each(name))}
        value = self.values.get(name, self.target)
        return {"status": str(value.status), **value.outputs} if value else {}

    def _why_missing(self, reference: Reference) -> str:
        if reference.root == "tasks":
            return self._why_task(reference)
        if reference.root == "steps":
            return self._why_step(reference)
        if reference.root == "run" and self.run().keys().isdisjoint(reference.path[:1]):
            return f"it hangs on '{reference}', which a dry run cannot do"
        return ""

    def _why_task(self, reference: Reference) -> str:
        task = str(reference.path[0])
        if self.dry and task in self.tasks.unchecked:
            return f"it hangs on '{task}', which a dry run cannot do"
        if reference.optional or resolve(self.tasks.outputs, reference.path)[0]:
            return ""
        status = self.tasks.outputs.get(task, {}).get("status", "not done")
        return f"'{reference}' has no value: '{task}' is {status}"

    def _why_step(self, reference: Reference) -> str:
        step, each = str(reference.path[0]), reference.path[1:2] == ("each",)
        output = str(reference.path[2 if each else 1])
        values = [value for _, value in self.values.each(step)] if each else [self.values.get(step, self.target)]
        if self.dry and any(value and output in value.unchecked for value in values):
            return f"it hangs on step '{step}', which a dry run cannot do"
        if each or reference.optional:
            return ""
        value = values[0]
        if value and (output == "status" or output in value.outputs):
            return ""
        return f"'{reference}' has no value: step '{step}' is {value.status if value else 'not done'}"


class _EachOutput(dict[str, Any]):
    """`steps.s.each.out`: for any output a list of {target, status, value}."""

    def __init__(self, rows: list[tuple[str, StepValue | None]]) -> None:
        names = {name for _, value in rows if value for name in value.outputs} | {"status"}
        for name in names:
            self[name] = [_row(target, value, name) for target, value in rows]
        self._rows = rows

    def __missing__(self, name: str) -> list[dict[str, Any]]:
        return [_row(target, value, name) for target, value in self._rows]

    def __contains__(self, name: object) -> bool:
        return True


def _row(target: str, value: StepValue | None, name: str) -> dict[str, Any]:
    status = str(value.status) if value else str(Status.SKIPPED)
    found = None if value is None else status if name == "status" else value.outputs.get(name)
    return {"target": target, "status": status, "value": found}


def _expressions(compiled: Iterable[Compiled | None]) -> Iterable[Expression]:
    return (expression for value in compiled if value for _, expression in value.expressions)
