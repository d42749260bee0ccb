"""References of a plan: whether what an expression reads exists, comes earlier, and has the right type."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from runner.contract import Action, JsonSchema
from runner.errors import did_you_mean
from runner.expressions import ROOTS, ExpressionError, Reference, parse_template
from runner.inputs import iterate_texts, resolve
from runner.inventory import Inventory, Target
from runner.plan.deciding import action_of
from runner.plan.paths import check_output, descend, suggest
from runner.plan.types import Fault
from runner.playbook import Step, Task
from runner.playbook.order import Order

RUN_VALUES: Mapping[str, JsonSchema] = {
    "id": {"type": "string"},
    "started": {"type": "string"},
    "date": {"type": "string"},
    "attempt": {"type": "integer"},
    "problems": {"type": "array"},
}
TASK_VALUES: Mapping[str, JsonSchema] = {"status": {"type": "string"}, "message": {"type": "string"}}


@dataclass(frozen=True, slots=True)
class Context:
    """Where an expression stands: its step, the tasks that come before it there, and what it may read.

    `item` tells whether there is one; `items` holds them where they are written in the playbook. What is `guarded`
    by a condition may read values that would not fit, where the condition says so.
    """

    step: Step
    index: int
    targets: Sequence[Target | None]
    tasks_before: tuple[str, ...]
    item: bool = False
    items: tuple[Any, ...] = ()
    secret: bool = False
    guarded: bool = False

    def after(self, *tasks: str) -> Context:
        """The same place once these tasks were done."""
        return replace(self, tasks_before=tasks)

    def of(self, task: Task, *before: str) -> Context:
        """The place of a task, once the tasks before it were done."""
        ours, theirs = self.step.conduct, task.conduct
        items = theirs.for_each if ours.for_each is None else ours.for_each
        written = isinstance(items, list) and not any("{{" in text for _, text in iterate_texts(items))
        return replace(
            self,
            tasks_before=before,
            item=items is not None,
            items=tuple(items) if written else (),
            guarded=bool(ours.when or theirs.when),
        )


class Known(NamedTuple):
    """All that references can lead to. `step_targets` holds the selected targets of each step, `earlier` tells
    whether a step that was not selected has a finished value on a target, `order` what each step waits for."""

    steps: Sequence[Step]
    actions: Mapping[str, Action]
    inventory: Inventory
    variables: Callable[[Target | None], Mapping[str, Any]]
    step_targets: Mapping[str, Sequence[Target | None]]
    selected: frozenset[str]
    earlier: Callable[[str, str | None], bool]
    order: Order

    def check(self, reference: Reference, context: Context) -> Iterator[Fault]:
        """Given a reference and where it stands, yield what is wrong with it."""
        checks = {
            "tasks": self._tasks,
            "steps": self._steps,
            "vars": self._vars,
            "target": self._target,
            "office": self._office,
            "run": self._run,
            "item": self._item,
            "secret": self._secret,
        }
        check = checks.get(reference.root)
        if check is None:
            yield f"there is no '{reference.root}' to read", did_you_mean(reference.root, ROOTS)
        elif not reference.path and reference.root not in ("item", "target", "vars"):
            yield f"'{reference.root}' alone has no value", f"write {reference.root}.NAME"
        else:
            yield from check(reference, context)

    def _tasks(self, reference: Reference, context: Context) -> Iterator[Fault]:
        name = str(reference.path[0])
        ids = [task.id for task in context.step.tasks]
        if name not in ids:
            cure = did_you_mean(name, context.tasks_before) or "add it before this, or read another"
            yield f"step '{context.step.id}' has no task '{name}'", cure
        elif name not in context.tasks_before:
            branches = any(task.after is not None for task in context.step.tasks)
            cure = "name it in after:" if branches else "move it up: a task reads what was done before it"
            yield f"task '{name}' {'is not waited for' if branches else 'comes later'}", cure
        else:
            task = context.step.tasks[ids.index(name)]
            action = action_of(task, self.actions)
            outputs = {**TASK_VALUES, **action.outputs} if action else None
            owner = f"action '{task.action}'" if task.action else f"task '{name}'"
            yield from check_output(owner, outputs, reference.path[1:])

    def _steps(self, reference: Reference, context: Context) -> Iterator[Fault]:
        name = str(reference.path[0])
        ids = [step.id for step in self.steps]
        if name not in ids:
            yield f"there is no step '{name}'", did_you_mean(name, ids[: context.index])
        elif name == context.step.id and not reference.optional:
            yield f"step '{name}' is this step", "read its tasks: tasks.ID.OUTPUT"
        elif ids.index(name) >= context.index and not reference.optional and not self._precedes(name, context):
            yield f"step '{name}' comes later", "a step reads what was done before it; or add | default(…)"
        elif not reference.optional and not self._precedes(name, context):
            yield f"step '{name}' is not waited for", "name it in after:, or add | default(…)"
        else:
            yield from self._step_output(self.steps[ids.index(name)], reference.path[1:], context)

    def _precedes(self, name: str, context: Context) -> bool:
        return context.index == len(self.steps) or name in self.order.precedes(context.step.id)

    def _step_output(self, step: Step, path: tuple[str | int, ...], context: Context) -> Iterator[Fault]:
        over_targets = self.step_targets[step.id] != (None,)
        each = path[:1] == ("each",)
        output = path[1:] if each else path
        if each and not (over_targets and context.targets == (None,)):
            yield "'each' reads, in a step that runs once, what ran on targets", f"write steps.{step.id}.OUTPUT"
        elif over_targets and not each and context.targets == (None,):
            yield f"step '{step.id}' ran on targets, this one runs once", f"write steps.{step.id}.each.OUTPUT"
        elif not output:
            yield f"'steps.{step.id}' alone has no value", f"name one of its outputs: steps.{step.id}.OUTPUT"
        else:
            outputs: dict[str, JsonSchema] = {
                "status": {},
                **{o.id: {} for o in step.outputs if o.value or step.include},
            }
            if step.include:
                outputs |= {name: {} for name in step.include.outputs}
            yield from check_output(f"step '{step.id}'", outputs, output[:1])
            yield from self._check_reach(step, context, each=each)

    def _check_reach(self, step: Step, context: Context, *, each: bool) -> Iterator[Fault]:
        theirs = self.step_targets[step.id]
        if theirs != (None,) and not each:
            reached = {target.name for target in theirs if target}
            for target in context.targets:
                if target and reached.isdisjoint(self._places_of(target)):
                    yield f"step '{step.id}' does not run on '{target.name}'", "give both steps the same targets"
                    return
        if step.id not in self.selected and context.step.id in self.selected:
            names = [t.name if t else None for t in (theirs if each or theirs == (None,) else context.targets)]
            missing = next((n for n in names if not self.earlier(step.id, n)), "")
            if missing != "":
                on = f" on '{missing}'" if missing else ""
                yield f"step '{step.id}' is not selected and never finished{on}", f"add it: --only {step.id},…"

    def _places_of(self, target: Target) -> Iterator[str]:
        """Where a target's values may come from: itself, and its server."""
        yield target.name
        server = self.inventory.server_of(target)
        if server is not None:
            yield server.name

    def _vars(self, reference: Reference, context: Context) -> Iterator[Fault]:
        if reference.optional or not reference.path:
            return
        for target in context.targets:
            variables = self.variables(target)
            if not resolve(variables, reference.path)[0]:
                of = f" for '{target.name}'" if target else ""
                yield f"the variable '{reference}' is not set{of}", suggest(variables, reference.path)
                return

    def _target(self, reference: Reference, context: Context) -> Iterator[Fault]:
        for target in context.targets:
            if target is None:
                yield "there is no target in a step that runs once", "give the step targets:"
                return
            view = target.view()
            if not reference.optional and not resolve(view, reference.path)[0]:
                yield f"'{target.name}' has no '{'.'.join(map(str, reference.path))}'", _setting(reference, view)
                return

    def _office(self, reference: Reference, context: Context) -> Iterator[Fault]:
        if not reference.optional and not resolve(self.inventory.office, reference.path)[0]:
            yield f"the inventory has no '{reference}'", suggest(self.inventory.office, reference.path)

    def _run(self, reference: Reference, context: Context) -> Iterator[Fault]:
        if reference.path[0] not in RUN_VALUES:
            yield f"there is no '{reference}'", did_you_mean(str(reference.path[0]), RUN_VALUES)

    def _item(self, reference: Reference, context: Context) -> Iterator[Fault]:
        if not context.item:
            yield "'item' is there only with for_each", "add for_each:"

    def _secret(self, reference: Reference, context: Context) -> Iterator[Fault]:
        name = str(reference.path[0])
        if name not in self.inventory.secrets:
            yield f"there is no secret '{name}'", did_you_mean(name, self.inventory.secrets) or "add it under secrets:"
        elif not context.secret:
            yield "a secret fits only inputs made for one", "pass it through env: or stdin:"

    def values_of(self, reference: Reference, context: Context) -> Iterator[tuple[Target | None, Any]]:
        """Given a sound reference, yield its value on each target, where it is known before the run and surely read."""
        if context.guarded:
            return
        if reference.root == "item":
            found = (resolve(item, reference.path) for item in context.items)
            yield from ((None, value) for is_there, value in found if is_there)
            return
        for target in context.targets if reference.root in ("vars", "target", "office") else ():
            is_there, value = resolve(self._root(reference.root, target), reference.path)
            if is_there:
                yield target, value

    def _root(self, name: str, target: Target | None) -> Mapping[str, Any]:
        if name == "vars":
            return self.variables(target)
        return self.inventory.office if name == "office" or target is None else target.view()

    def schema_of(self, reference: Reference, context: Context) -> JsonSchema | None:
        """Given a sound reference, return the JSON Schema of its value; None where nothing is declared."""
        if reference.root == "run":
            return RUN_VALUES.get(str(reference.path[0]))
        if reference.root == "steps":
            return self._schema_of_step(reference)
        if reference.root != "tasks" or len(reference.path) < 2:
            return None
        task = next((t for t in context.step.tasks if t.id == reference.path[0]), None)
        action = action_of(task, self.actions) if task else None
        if task is None or action is None:
            return None
        if task.conduct.for_each is not None:
            return {"type": "array"} if len(reference.path) == 2 else None
        outputs = {**TASK_VALUES, **action.outputs}
        return descend(outputs.get(str(reference.path[1]), {}), reference.path[2:])

    def _schema_of_step(self, reference: Reference) -> JsonSchema | None:
        """The schema of a step's output: of `each` a list, else its value's, where that is one reference."""
        if reference.path[1:2] == ("each",):
            return {"type": "array"} if len(reference.path) == 3 else None
        step = next(step for step in self.steps if step.id == reference.path[0])
        text = next((output.value for output in step.outputs if output.id == reference.path[1]), "")
        try:
            lone = parse_template(text).lone
        except ExpressionError:
            return None
        value = lone.references[0] if lone and len(lone.references) == 1 and lone.references[0].whole else None
        if value is None or step.conduct.for_each is not None:
            return None
        whole = Context(step, 0, (), tuple(task.id for task in step.tasks))
        schema = self.schema_of(value, whole)
        return None if schema is None else descend(schema, reference.path[2:])


def _setting(reference: Reference, view: Mapping[str, Any]) -> str:
    return suggest(view, reference.path) or f"set it in the inventory, or add | default(…) to {reference}"
