"""The plan: a playbook bound to an inventory. Everything that can be refused is refused here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from runner.contract import Action, Effect, Reach
from runner.durations import parse_limit, parse_norm
from runner.errors import Mistake, Refused, did_you_mean, refuse
from runner.expressions import Expression
from runner.inputs import Compiled, compile_value, iterate_texts
from runner.inventory import Inventory, Target
from runner.playbook import Conduct, Decision, Output, Playbook, Step, Task
from runner.references import Context, Known, check_types
from runner.shapes import check_value
from runner.source import Source

KINDS = ("website", "server", "service")
Where = tuple[str | int, ...]
Targets = tuple[Target | None, ...]
Earlier = Callable[[str, str | None], bool]


@dataclass(frozen=True, slots=True)
class PlannedTask:
    """A task ready to be done: its action, compiled inputs and conditions, and its limit in seconds."""

    task: Task
    action: Action
    inputs: Mapping[str, Compiled]
    limit: float
    effect: Effect
    when: Compiled | None = None
    for_each: Compiled | None = None
    role: str = ""

    @property
    def id(self) -> str:
        return self.task.id


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """A step with its targets ((None,) where it runs once) and its tasks. `child` is the plan of what it includes."""

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
    child: Plan | None = None
    child_vars: Compiled | None = None

    @property
    def id(self) -> str:
        return self.step.id

    @property
    def once(self) -> bool:
        """Whether it runs once, on this machine."""
        return self.targets == (None,)


@dataclass(frozen=True, slots=True)
class Plan:
    """A playbook bound to an inventory: what will be done, in order, on which targets."""

    playbook: Playbook
    inventory: Inventory
    steps: tuple[PlannedStep, ...]
    extra: Mapping[str, Any]
    outputs: Mapping[str, Compiled]

    def variables(self, target: Target | None) -> dict[str, Any]:
        """Variables as a task on that target reads them: `-e` over target over groups over inventory over playbook."""
        return {**self.playbook.vars, **self.inventory.variables(target, self.extra)}

    @property
    def secrets(self) -> frozenset[str]:
        """Names of all secrets that selected steps use, in expressions and in their targets' settings."""
        return frozenset(_secrets_of(self))


@dataclass(frozen=True, slots=True)
class Selection:
    """What a request asks for. `limit` is a pattern of targets; `only` names steps, `start` the first one."""

    limit: str = ""
    only: tuple[str, ...] = ()
    start: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)


def build_plan(
    playbook: Playbook,
    inventory: Inventory,
    actions: Mapping[str, Action],
    selection: Selection = Selection(),
    *,
    today: date,
    earlier: Earlier = lambda step, target: False,
    mistakes: Sequence[Mistake] = (),
) -> Plan:
    """Given a playbook, an inventory and what is asked for, return the plan.

    `earlier(step, target)` tells whether a step that is not selected has a finished value in the record.
    Raise Refused with all mistakes, those found before (`mistakes`) included.
    """
    builder = _Builder(playbook, inventory, actions, selection, today, earlier)
    plan = builder.build()
    found = [*mistakes, *builder.mistakes]
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
    ) -> None:
        self._playbook = playbook
        self._source: Source = playbook.source
        self._inventory = inventory
        self._actions = actions
        self._selection = selection
        self._today = today
        self._earlier = earlier
        self._ids = [step.id for step in playbook.steps]
        self._roles: Mapping[str, str] = playbook.procedure.get("roles", {})
        self._actors = {s: _tuple(a) for s, a in playbook.supplement.get("actors", {}).items()}
        self.mistakes: list[Mistake] = []

    def build(self) -> Plan:
        selected = self._select_steps()
        limited = self._limited()
        targets = {step.id: self._targets(step, limited) for step in self._playbook.steps}
        if not any(targets[name] for name in selected):
            self.mistakes.append(Mistake("--limit", 0, 0, "it leaves no target for the chosen steps", "widen it"))
        self._known = Known(
            steps=self._playbook.steps,
            actions=self._actions,
            inventory=self._inventory,
            variables=self._variables(),
            step_targets=targets,
            selected=selected,
            earlier=self._earlier,
        )
        steps = tuple(
            self._step(step, index, targets[step.id], selected=step.id in selected)
            for index, step in enumerate(self._playbook.steps)
        )
        self._check_supplement()
        end = Context(_END, len(steps), (None,), ())
        outputs = {name: self._value(text, ("outputs", name), end) for name, text in self._playbook.outputs.items()}
        return Plan(self._playbook, self._inventory, steps, self._selection.extra, outputs)

    def _select_steps(self) -> frozenset[str]:
        for option, names in (("--only", self._selection.only), ("--from", (self._selection.start,))):
            for name in names:
                if name and name not in self._ids:
                    self.mistakes.append(
                        Mistake(option, 0, 0, f"there is no step '{name}'", did_you_mean(name, self._ids))
                    )
        chosen = [name for name in self._ids if not self._selection.only or name in self._selection.only]
        if self._selection.start in self._ids:
            first = self._ids.index(self._selection.start)
            chosen = [name for name in chosen if self._ids.index(name) >= first]
        return frozenset(chosen)

    def _limited(self) -> frozenset[str] | None:
        if not self._selection.limit:
            return None
        try:
            return frozenset(t.name for t in self._inventory.select(self._selection.limit, option="--limit"))
        except Refused as refused:
            self.mistakes += refused.mistakes
            return None

    def _targets(self, step: Step, limited: frozenset[str] | None) -> Targets:
        if not step.targets:
            return (None,)
        if "{{" in step.targets:
            self._note((*step.where, "targets"), "a pattern holds no expressions", "write names of targets or groups")
            return ()
        try:
            chosen = self._inventory.select(step.targets, option="targets")
        except Refused as refused:
            for mistake in refused.mistakes:
                self._note((*step.where, "targets"), mistake.message, mistake.cure)
            return ()
        targets = tuple(t for t in chosen if limited is None or t.name in limited)
        return targets[:1] if step.once else targets

    def _variables(self) -> Callable[[Target | None], Mapping[str, Any]]:
        cache: dict[str | None, Mapping[str, Any]] = {}

        def variables(target: Target | None) -> Mapping[str, Any]:
            key = target.name if target else None
            if key not in cache:
                cache[key] = {**self._playbook.vars, **self._inventory.variables(target, self._selection.extra)}
            return cache[key]

        return variables

    def _step(self, step: Step, index: int, targets: Targets, *, selected: bool) -> PlannedStep:
        before = Context(step, index, targets, (), item=step.conduct.for_each is not None)
        all_tasks = tuple(task.id for task in step.tasks)
        after = Context(step, index, targets, all_tasks)
        self._check_step(step, targets, selected=selected)
        return PlannedStep(
            step=step,
            targets=targets,
            selected=selected,
            actors=self._acting(step, step.actors),
            tasks=tuple(self._tasks(step, index, targets)),
            when=self._condition(step.conduct.when, (*step.where, "when"), Context(step, index, targets, ())),
            for_each=self._each(step.conduct.for_each, (*step.where, "for_each"), Context(step, index, targets, ())),
            outputs=tuple(
                (output, self._value(output.value, (*step.where, "outputs", n, "value"), after))
                for n, output in enumerate(step.outputs)
                if output.value
            ),
            decision=step.decision,
            decision_value=self._decision(step, after),
            child=self._child(step, before),
            child_vars=self._compile(dict(step.include_vars), (*step.where, "with"), before) if step.include else None,
        )

    def _check_step(self, step: Step, targets: Targets, *, selected: bool) -> None:
        for key, route in (("on_failure", step.conduct.on_failure), ("on_unreachable", step.conduct.on_unreachable)):
            self._check_route(route.step, (*step.where, key))
        if step.once and not step.targets:
            self._note((*step.where, "once"), "a step without targets runs once anyway", "delete once:")
        if step.include_vars and not step.include:
            self._note((*step.where, "with"), "with: gives variables to an included playbook", "add include:")
        if step.include and (step.targets or step.tasks):
            self._note((*step.where, "include"), "a step that includes has no targets or tasks", "move them")
        for role in (*step.actors, *self._actors.get(step.id, ())):
            self._check_role(role, (*step.where, "actor"))
        for number, needed in enumerate(step.inputs):
            if needed.needs:
                self._check_need(needed.needs, targets, (*step.where, "inputs", number, "needs"))

    def _check_need(self, need: str, targets: Targets, where: Where) -> None:
        for target in targets:
            if target is None:
                if need != "server":
                    self._note(where, f"a step that runs once has no '{need}'", "give the step targets:")
                return
            view = target.view()
            met = (
                self._inventory.server_of(target) is not None
                if need == "server"
                else need in view or target.kind == need
            )
            if not met:
                self._note(where, f"'{target.name}' has no '{need}'", "set it in the inventory")
                return

    def _tasks(self, step: Step, index: int, targets: Targets) -> Iterator[PlannedTask]:
        for number, task in enumerate(step.tasks):
            before = tuple(other.id for other in step.tasks[:number])
            each = step.conduct.for_each is not None or task.conduct.for_each is not None
            context = Context(step, index, targets, before, item=each)
            action = self._actions.get(task.action)
            if action is None:
                where = (*task.where, "action")
                self._note(where, f"there is no action '{task.action}'", did_you_mean(task.action, self._actions))
                continue
            if step.conduct.for_each is not None and task.conduct.for_each is not None:
                self._note((*task.where, "for_each"), "the step has for_each already", "keep one of the two")
            self._check_task(task, action, targets)
            role = self._role(step, task, action)
            yield PlannedTask(
                task=task,
                action=action,
                inputs=self._inputs(task, action, context),
                limit=parse_limit(action.limit) if task.limit is None else task.limit,
                effect=task.effect or action.effect,
                when=self._condition(task.conduct.when, (*task.where, "when"), context),
                for_each=self._each(task.conduct.for_each, (*task.where, "for_each"), context),
                role=role,
            )

    def _check_task(self, task: Task, action: Action, targets: Targets) -> None:
        for key, route in (("on_failure", task.conduct.on_failure), ("on_unreachable", task.conduct.on_unreachable)):
            self._check_route(route.step, (*task.where, key))
        if task.effect and task.effect != action.effect and task.effect not in action.effects:
            self._note((*task.where, "effect"), f"'{action.name}' is always '{action.effect}'", "delete effect:")
        if task.conduct.run_as and action.reach is not Reach.SERVER:
            self._note(
                (*task.where, "action"), f"'{action.name}' runs on this machine; run_as has no meaning", "delete it"
            )
        for role in task.actors:
            self._check_role(role, (*task.where, "actor"))
        for target in targets:
            kind = target.kind if target else ""
            if kind not in action.targets:
                self._note((*task.where, "action"), _wrong_target(action, target), _kinds_cure(action))
                return
            if target and action.reach is Reach.SERVER and self._inventory.server_of(target) is None:
                message = f"'{action.name}' works on a server, and '{target.name}' has none"
                self._note((*task.where, "action"), message, "give it server: in the inventory")
                return

    def _inputs(self, task: Task, action: Action, context: Context) -> Mapping[str, Compiled]:
        where = (*task.where, "with")
        for name in task.inputs:
            if name not in action.inputs:
                message = f"action '{action.name}' has no input '{name}'"
                self._note((*where, name), message, did_you_mean(name, action.inputs), key=True)
        for name in action.required():
            if name not in task.inputs:
                example = (list(action.inputs[name].get("examples", ())) or ["…"])[0]
                self._note(
                    where if task.inputs else (*task.where, "action"),
                    f"action '{action.name}' needs the input '{name}'",
                    f"add {name}: {example}",
                )
        self._check_literals(task, action, where)
        return {
            name: self._input(value, action.inputs[name], (*where, name), context)
            for name, value in task.inputs.items()
            if name in action.inputs
        }

    def _check_literals(self, task: Task, action: Action, where: Where) -> None:
        for name, value in task.inputs.items():
            if name in action.inputs:
                for fault in check_value(value, action.inputs[name], expressions=True):
                    self._note((*where, name, *fault.path), fault.message, fault.cure, key=fault.key)
        if len(set(action.one_of) & set(task.inputs)) != 1 and action.one_of:
            choice = " or ".join(f"'{name}'" for name in action.one_of)
            self._note((*task.where, "action"), f"action '{action.name}' takes either {choice}", "give one of them")

    def _input(self, value: Any, schema: Mapping[str, Any], where: Where, context: Context) -> Compiled:
        context = _allowing_secrets(context, bool(schema.get("secret")))
        compiled = self._compile(value, where, context, shell=bool(schema.get("shell")))
        if compiled.lone:
            self._check_type(compiled.lone, schema, where, context)
        return compiled

    def _compile(self, value: Any, where: Where, context: Context, *, shell: bool = False) -> Compiled:
        compiled = compile_value(value, where, self._note_fragment, shell=shell)
        for at, expression in compiled.expressions:
            self._check(expression, at, context)
        return compiled

    def _check(self, expression: Expression, where: Where, context: Context) -> None:
        for reference in expression.references:
            for message, cure in self._known.check(reference, context):
                self._note_fragment(where, message, cure, expression.fragment)

    def _check_type(self, expression: Expression, wanted: Mapping[str, Any], where: Where, context: Context) -> None:
        reference = expression.references[0] if expression.references else None
        if reference is None or not reference.whole or any(self._known.check(reference, context)):
            return
        fault = check_types(self._known.schema_of(reference, context), wanted)
        if fault:
            self._note_fragment(where, fault[0], fault[1], expression.fragment)

    def _value(self, text: str, where: Where, context: Context) -> Compiled:
        return self._compile(text, where, context)

    def _condition(self, text: str, where: Where, context: Context) -> Compiled | None:
        if not text:
            return None
        compiled = self._value(text, where, context)
        if compiled.lone is None and isinstance(compiled.value, str) == (not compiled.expressions):
            self._note(where, f"'{text}' is not one expression", "write {{ … }} around the whole condition")
        elif compiled.lone:
            self._check_type(compiled.lone, {"type": "boolean"}, where, context)
        return compiled

    def _each(self, value: Any, where: Where, context: Context) -> Compiled | None:
        if value is None:
            return None
        compiled = self._compile(value, where, context)
        if isinstance(value, str) and compiled.lone is None:
            self._note(where, "for_each takes a list, or one expression that gives one", "write [a, b] or {{ … }}")
        elif compiled.lone:
            self._check_type(compiled.lone, {"type": "array"}, where, context)
        return compiled

    def _decision(self, step: Step, context: Context) -> Compiled | None:
        decision = step.decision
        if decision is None:
            return None
        where = (*step.where, "decide")
        if step.targets:
            self._note(where, "a decision stands only in a step that runs once", "move it to a step without targets")
        for label, route in decision.answers.items():
            self._check_route(route.step, (*where, "answers", label))
        if not decision.value:
            actor = decision.actor or next(iter(self._actors.get(step.id, ())), "")
            self._check_holder(actor, where)
            return None
        compiled = self._value(decision.value, (*where, "value"), context)
        if compiled.lone is None:
            self._note((*where, "value"), "the value is one expression", "write {{ … }}")
        return compiled

    def _child(self, step: Step, context: Context) -> Plan | None:
        if step.include is None:
            return None
        extra = {**step.include_vars, **self._selection.extra}
        selection = Selection(limit=self._selection.limit, extra=extra)
        builder = _Builder(step.include, self._inventory, self._actions, selection, self._today, self._earlier)
        plan = builder.build()
        self.mistakes += builder.mistakes
        return plan

    def _acting(self, step: Step, actors: tuple[str, ...]) -> tuple[str, ...]:
        return actors or self._actors.get(step.id, ())

    def _role(self, step: Step, task: Task, action: Action) -> str:
        """The role that must act, for an action that waits for a person; "" for others."""
        if "role" not in action.inputs:
            return ""
        role = task.inputs.get("role") or next(iter(task.actors or self._acting(step, step.actors)), "")
        where = (*task.where, "with", "role") if "role" in task.inputs else (*task.where, "action")
        self._check_holder(str(role), where)
        return str(role)

    def _check_role(self, role: str, where: Where) -> bool:
        if role in self._roles:
            return True
        self._note(
            where, f"there is no role '{role}'", did_you_mean(role, self._roles) or "add it to procedure: roles:"
        )
        return False

    def _check_holder(self, role: str, where: Where) -> None:
        if not role:
            self._note(where, "nobody is named to act here", "write role: or actor:")
        elif self._check_role(role, where) and not self._inventory.holders(role, self._today):
            message = f"nobody holds the role '{role}' on {self._today.isoformat()}"
            self._note(where, message, "add a person with this role under people: in the inventory")

    def _check_route(self, name: str, where: Where) -> None:
        if name and name not in self._ids:
            self._note((*where, "step"), f"there is no step '{name}'", did_you_mean(name, self._ids))

    def _check_supplement(self) -> None:
        supplement = self._playbook.supplement
        for number, schedule in enumerate(supplement.get("schedule", ())):
            for place, name in enumerate(schedule["steps"]):
                self._check_route_name(name, ("supplement", "schedule", number, "steps", place))
        for place, name in enumerate(supplement.get("after", {}).get("problems", ())):
            self._check_route_name(name, ("supplement", "after", "problems", place))
        for name, actors in supplement.get("actors", {}).items():
            self._check_route_name(name, ("supplement", "actors", name))
            for role in _tuple(actors):
                self._check_role(role, ("supplement", "actors", name))
        for where, text in iterate_texts(self._playbook.vars, ("vars",)):
            if "{{" in text:
                self._note(where, "a variable holds a plain value", "write the expression where it is used")

    def _check_route_name(self, name: str, where: Where) -> None:
        if name not in self._ids:
            self._note(where, f"there is no step '{name}'", did_you_mean(name, self._ids))

    def _note(self, where: Where, message: str, cure: str = "", *, key: bool = False) -> None:
        self.mistakes.append(self._source.mistake(where, message, cure, key=key))

    def _note_fragment(self, where: Where, message: str, cure: str, fragment: str) -> None:
        text = " ".join(fragment.split())
        shown = text if len(text) <= 60 else text[:59] + "…"
        self.mistakes.append(
            self._source.mistake(where, f"{shown}: {message}" if shown else message, cure, find=fragment)
        )


_END = Step(id="", activity="", where=(), norm=parse_norm(None), conduct=Conduct())


def _tuple(actors: Any) -> tuple[str, ...]:
    return (actors,) if isinstance(actors, str) else tuple(actors or ())


def _allowing_secrets(context: Context, allowed: bool) -> Context:
    return Context(context.step, context.index, context.targets, context.tasks_before, context.item, allowed)


def _wrong_target(action: Action, target: Target | None) -> str:
    if target is None:
        return f"'{action.name}' needs a target, and this step runs once"
    return f"'{action.name}' does not work on a {target.kind} ('{target.name}')"


def _kinds_cure(action: Action) -> str:
    kinds = [f"{kind}s" for kind in action.targets if kind]
    return "give the step targets: " + " or ".join(kinds) if kinds else "move it to a step without targets"


def _secrets_of(plan: Plan) -> Iterator[str]:
    for step in plan.steps:
        if not step.selected:
            continue
        values = [value for task in step.tasks for value in task.inputs.values()]
        for value in values:
            for _, expression in value.expressions:
                yield from (str(r.path[0]) for r in expression.references if r.root == "secret")
        if step.child:
            yield from _secrets_of(step.child)


def refuse_unknown_step(name: str, plan: Plan) -> Refused:
    """Given a step's name that the plan does not have, return the error to raise."""
    return refuse(name, "there is no such step", did_you_mean(name, [step.id for step in plan.steps]))
