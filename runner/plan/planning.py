"""From a playbook and an inventory to a plan. Everything that can be refused is refused here, all at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from functools import cache
from typing import Any

from runner.contract import Action, Reach
from runner.durations import parse_limit, parse_norm
from runner.errors import Mistake, Refused, did_you_mean
from runner.inputs import Compiled, iterate_texts
from runner.inventory import Inventory, Target
from runner.plan import Plan, PlannedStep, PlannedTask, Selection
from runner.plan.choosing import choose_steps, choose_targets
from runner.plan.compiling import Compiler
from runner.plan.deciding import action_of, check_decisions
from runner.plan.fitting import Fault, check_names, check_need, check_reach
from runner.plan.references import Context, Known
from runner.plan.roles import Roles
from runner.playbook import Conduct, Decision, Playbook, Step, Task, Where
from runner.playbook.order import order_steps, order_tasks
from runner.shapes import check_value

Earlier = Callable[[str, str | None], bool]

_END = Step(id="", activity="", where=(), norm=parse_norm(None), conduct=Conduct())


def build_plan(
    playbook: Playbook,
    inventory: Inventory,
    actions: Mapping[str, Action],
    selection: Selection | None = None,
    *,
    today: date,
    earlier: Earlier = lambda step, target: False,
    mistakes: Sequence[Mistake] = (),
) -> Plan:
    """Given a playbook, an inventory and what is asked for, return the plan.

    `earlier(step, target)` tells whether a step that is not selected has a finished value in the record.
    Raise Refused with all mistakes, those found before (`mistakes`) included.
    """
    found = [*mistakes]
    plan = _Builder(playbook, inventory, actions, selection or Selection(), today, earlier, found).build({})
    if found:
        raise Refused(*found)
    return plan


class _Builder:
    """Builds one playbook's plan and collects its mistakes."""

    def __init__(
        self,
        playbook: Playbook,
        inventory: Inventory,
        actions: Mapping[str, Action],
        selection: Selection,
        today: date,
        earlier: Earlier,
        mistakes: list[Mistake],
    ) -> None:
        self._playbook = playbook
        self._inventory = inventory
        self._actions = actions
        self._selection = selection
        self._today = today
        self._earlier = earlier
        self._mistakes = mistakes
        self._ids = [step.id for step in playbook.steps]
        self._roles = Roles(playbook, inventory, today, mistakes)

    def build(self, given: Mapping[str, Any]) -> Plan:
        """Return the plan; `given` are variables that an including playbook gives."""
        selected = choose_steps(self._playbook, self._selection, self._mistakes)
        targets = choose_targets(self._playbook, self._inventory, self._selection, selected, self._mistakes)
        extra = {**given, **self._selection.extra}
        bare = Plan(self._playbook, self._inventory, (), extra, {})
        known = Known(
            steps=self._playbook.steps,
            actions=self._actions,
            inventory=self._inventory,
            variables=cache(bare.variables),
            step_targets=targets,
            selected=selected,
            earlier=self._earlier,
            order=order_steps(self._playbook.steps),
        )
        self._compiler = Compiler(self._playbook.source, known, self._mistakes)
        steps = tuple(
            self._step(step, Context(step, index, targets[step.id], ()), selected=step.id in selected)
            for index, step in enumerate(self._playbook.steps)
        )
        self._check_supplement()
        self._mistakes += check_decisions(self._playbook)
        end = Context(_END, len(steps), (None,), ())
        outputs = {
            name: self._compiler.value(text, ("outputs", name), end) for name, text in self._playbook.outputs.items()
        }
        return Plan(self._playbook, self._inventory, steps, extra, outputs)

    def _step(self, step: Step, before: Context, *, selected: bool) -> PlannedStep:
        conduct, where, compiler = step.conduct, step.where, self._compiler
        after = before.after(*(task.id for task in step.tasks))
        self._check_step(step, before.targets)
        return PlannedStep(
            step=step,
            targets=tuple(before.targets),
            selected=selected,
            actors=self._roles.acting(step),
            tasks=tuple(self._tasks(step, before)),
            when=compiler.condition(conduct.when, (*where, "when"), before),
            for_each=compiler.items(conduct.for_each, (*where, "for_each"), before),
            outputs=tuple(
                (output, compiler.value(output.value, (*where, "outputs", n, "value"), after))
                for n, output in enumerate(step.outputs)
                if output.value
            ),
            decision=step.decision,
            decision_value=self._label(step.decision, step.where, after),
            deciders=self._roles.check_decision(step),
            child=self._child(step),
            child_vars=self._child_vars(step, before),
            order=order_tasks(step.tasks),
        )

    def _check_step(self, step: Step, targets: Sequence[Target | None]) -> None:
        where = step.where
        self._check_routes(step.conduct, where)
        if step.once and not step.targets:
            self._note((*where, "once"), "a step without targets runs once anyway", "delete once:")
        if step.include_vars and not step.include:
            self._note((*where, "with"), "with: gives variables to an included playbook", "add include:")
        if step.include and (step.targets or step.tasks or step.conduct.for_each is not None):
            message = "a step that includes has no targets, tasks or for_each"
            self._note((*where, "include"), message, "move them to another step")
        for role in step.actors:
            self._roles.check_role(role, (*where, "actor"))
        for number, needed in enumerate(step.inputs):
            fault = check_need(needed.needs, targets, self._inventory) if needed.needs else None
            self._note_fault((*where, "inputs", number, "needs"), fault)

    def _tasks(self, step: Step, before: Context) -> Iterator[PlannedTask]:
        order = order_tasks(step.tasks)
        for task in step.tasks:
            if step.conduct.for_each is not None and task.conduct.for_each is not None:
                self._note((*task.where, "for_each"), "the step has for_each already", "keep one of the two")
            context = before.of(task, *(other.id for other in step.tasks if other.id in order.precedes(task.id)))
            action = action_of(task, self._actions)
            if action is None:
                message = f"there is no action '{task.action}'"
                self._note((*task.where, "action"), message, did_you_mean(task.action, self._actions))
                self._compiler.unknown(task.inputs, (*task.where, "with"), context)
                continue
            yield self._task(step, task, action, context)

    def _task(self, step: Step, task: Task, action: Action, context: Context) -> PlannedTask:
        self._check_task(step, task, action)
        self._note_fault((*task.where, "action"), check_reach(action, context.targets, self._inventory))
        return PlannedTask(
            task=task,
            action=action,
            inputs=self._inputs(task, action, context),
            limit=parse_limit(action.limit) if task.limit is None else task.limit,
            effect=task.effect or action.effect,
            when=self._compiler.condition(task.conduct.when, (*task.where, "when"), context),
            for_each=self._compiler.items(task.conduct.for_each, (*task.where, "for_each"), context),
            roles=self._roles.check_task(step, task, action) or self._roles.check_decision(step, task),
            decision_value=self._label(task.decision, task.where, context.after(*context.tasks_before, task.id)),
        )

    def _check_task(self, step: Step, task: Task, action: Action) -> None:
        self._check_routes(task.conduct, task.where)
        if task.effect and task.effect != action.effect and task.effect not in action.effects:
            self._note((*task.where, "effect"), f"'{action.name}' is always '{action.effect}'", "delete effect:")
        if task.conduct.run_as and action.reach is not Reach.SERVER:
            where = (*(task.where if task.conduct.run_as != step.conduct.run_as else step.where), "run_as")
            message = f"'{action.name}' runs on this machine; run_as has no meaning for it"
            self._note(where, message, "write it on the tasks that work on a server")
        for role in task.actors:
            self._roles.check_role(role, (*task.where, "actor"))
        if task.id == "decide" and step.decision:
            self._note((*task.where, "id"), "'decide' is the step's decision itself", "give the task another id")

    def _inputs(self, task: Task, action: Action, context: Context) -> Mapping[str, Compiled]:
        where = (*task.where, "with")
        if not task.action:
            if task.inputs:
                self._note(where, "with: gives inputs to an action, and none is named", "add action:", key=True)
            return {}
        given = {name: value for name, value in task.inputs.items() if name in action.inputs}
        self._check_inputs(task, action, where)
        for name, value in given.items():
            for fault in check_value(value, action.inputs[name], expressions=True):
                self._note((*where, name, *fault.path), fault.message, fault.cure, key=fault.key)
        for name, wrong in check_names(given, action, self._inventory, self._today):
            self._note_fault((*where, name), wrong)
        return {
            name: self._compiler.input(value, action.inputs[name], (*where, name), context)
            for name, value in given.items()
        }

    def _check_inputs(self, task: Task, action: Action, where: Where) -> None:
        for name in task.inputs:
            if name not in action.inputs:
                message = f"action '{action.name}' has no input '{name}'"
                self._note((*where, name), message, did_you_mean(name, action.inputs), key=True)
        for name in action.required():
            if name not in task.inputs:
                example = (list(action.inputs[name].get("examples", ())) or ["…"])[0]
                place = where if task.inputs else (*task.where, "action")
                self._note(place, f"action '{action.name}' needs the input '{name}'", f"add {name}: {example}")
        given = [name for name in task.inputs if name in action.one_of]
        if action.one_of and len(given) != 1:
            choice = " or ".join(f"'{name}'" for name in action.one_of)
            place = (*where, given[-1]) if given else (*task.where, "action")
            self._note(place, f"action '{action.name}' takes either {choice}", "give one of them", key=bool(given))

    def _label(self, decision: Decision | None, where: Where, context: Context) -> Compiled | None:
        if decision is None or not decision.value:
            return None
        return self._compiler.label(decision.value, (*where, "decide", "value"), context)

    def _child(self, step: Step) -> Plan | None:
        if step.include is None:
            return None
        selection = Selection(limit=self._selection.limit, extra=self._selection.extra)
        shared = (self._inventory, self._actions, selection, self._today, self._earlier, self._mistakes)
        return _Builder(step.include, *shared).build(step.include_vars)

    def _child_vars(self, step: Step, context: Context) -> Compiled | None:
        """What the included playbook is given; `-e` wins over it, as over all variables."""
        if step.include is None:
            return None
        given = {name: value for name, value in step.include_vars.items() if name not in self._selection.extra}
        return self._compiler.value(given, (*step.where, "with"), context)

    def _check_supplement(self) -> None:
        supplement = self._playbook.supplement
        for number, schedule in enumerate(supplement.get("schedule", ())):
            for place, name in enumerate(schedule["steps"]):
                self._check_name(name, ("supplement", "schedule", number, "steps", place))
        for place, name in enumerate(supplement.get("after", {}).get("problems", ())):
            self._check_name(name, ("supplement", "after", "problems", place))
        for name in supplement.get("actors", {}):
            self._check_name(name, ("supplement", "actors", name), key=True)
        self._roles.check()
        self._roles.check_ladder(supplement.get("escalation", ()))
        for where, text in iterate_texts(self._playbook.vars, ("vars",)):
            if "{{" in text:
                self._note(where, "a variable holds a plain value", "write the expression where it is used")

    def _check_routes(self, conduct: Conduct, where: Where) -> None:
        self._check_name(conduct.on_failure.step, (*where, "on_failure", "step"))
        self._check_name(conduct.on_unreachable.step, (*where, "on_unreachable", "step"))

    def _check_name(self, name: str, where: Where, *, key: bool = False) -> None:
        if name and name not in self._ids:
            self._note(where, f"there is no step '{name}'", did_you_mean(name, self._ids), key=key)

    def _note_fault(self, where: Where, fault: Fault | None) -> None:
        if fault:
            self._note(where, *fault)

    def _note(self, where: Where, message: str, cure: str = "", *, key: bool = False) -> None:
        self._mistakes.append(self._playbook.source.mistake(where, message, cure, key=key))
