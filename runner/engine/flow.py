"""What one target goes through: steps and tasks in order, as a generator that yields acts and receives outcomes.

A resumed run goes the same way again: what was done is taken from its progress, the rest is yielded.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from typing import Any

from runner.contract import Outcome, Reach, Reason, Status, worst
from runner.engine.acts import Act
from runner.engine.course import Ask, Course, Include, Lane, Move, Tasks
from runner.engine.decisions import DECIDE, Decisions
from runner.engine.filling import check_condition, fill, fill_inputs, fill_list, skipped
from runner.engine.routes import Routes
from runner.engine.scope import UNCHECKED, Scope, StepValue, TaskValues
from runner.engine.tries import Tries
from runner.events import Key, Kind
from runner.plan import PlannedStep, PlannedTask

INCLUDE = "include"

Steps = Generator[Ask, Outcome, Move | None]


class Flow:
    """One lane's way through some steps."""

    def __init__(self, course: Course, lane: Lane) -> None:
        self._course = course
        self._lane = lane
        self._tries = Tries(course, lane)
        self._decisions = Decisions(course, lane)
        self._routes = Routes(course, lane)
        self._server = course.plan.inventory.server_of(lane.target) if lane.target else None
        self._become = str(self._server.settings.get("run_as", "")) if self._server else ""

    def steps(self, steps: Sequence[PlannedStep]) -> Steps:
        """Go through the steps; return where a decision or failure leads, None for straight on."""
        for planned in steps:
            move = (yield from self._step(planned)) if planned.selected else None
            if move or self._lane.waiting:
                return move
        return None

    def _step(self, planned: PlannedStep) -> Steps:
        key = Key(planned.id, self._course.attempts.get(planned.id, 1), "", self._lane.name, "", 0)
        values = TaskValues()
        unwanted = self._why_skipped(planned, key)
        if unwanted:
            self._routes.take(planned.step.conduct, key, unwanted)
            self._finish(planned, key, [unwanted], values, unwanted)
            return self._routes.leave(planned, unwanted)
        self._begin(planned, key)
        outcomes: list[Outcome] = []
        values, refused = yield from self._items(planned, key, outcomes)
        if planned.child and not self._lane.waiting:
            outcomes.append((yield from self._include(planned, key, values)))
        decided = None
        if planned.decision and not self._lane.waiting and not self._stopped:
            decided = self._decisions.decide(planned, key, self._scope(planned, values))
            self._routes.take(planned.step.conduct, key._replace(task=DECIDE), decided)
            outcomes.append(decided)
        if self._lane.waiting:
            self._course.statuses[planned.id, self._lane.name] = Status.WAITING
            return None
        self._finish(planned, key, outcomes, values, refused)
        return self._routes.leave(planned, decided)

    @property
    def _stopped(self) -> str:
        return self._lane.stopped or self._course.halted

    def _why_skipped(self, planned: PlannedStep, key: Key) -> Outcome | None:
        for holder in (self._lane, self._course):
            if holder.skip_until == planned.id:
                holder.skip_until = ""
            if holder.skip_until:
                return skipped(Reason.CONDITION, f"it went on to '{holder.skip_until}'")
        course = self._course
        if (Kind.STEP_STARTED, key.step, key.attempt, key.target) in course.progress.said:
            return None
        if key in course.progress.ended:
            return course.progress.ended[key]
        gated = planned.id in course.plan.playbook.after_problems and not course.dry
        if gated and not course.take_up(key) and planned.id not in course.explicit:
            return skipped(Reason.CONDITION, "no problem is open that is not in hand already")
        if self._stopped and not any(task.task.conduct.always for task in planned.tasks):
            return None
        return check_condition(planned.when, self._scope(planned, TaskValues()))

    def _begin(self, planned: PlannedStep, key: Key) -> None:
        calendar, now, norm = self._course.calendar, self._course.now(), planned.step.norm
        due = calendar.due(now, norm)
        counted = list(calendar.counted(now, norm))
        said = {"time_limit": norm.text, "due": due.isoformat() if due else None, "counted": counted}
        self._course.say_once(Kind.STEP_STARTED, key, said)

    def _items(
        self, planned: PlannedStep, key: Key, outcomes: list[Outcome]
    ) -> Generator[Ask, Outcome, tuple[TaskValues, Outcome | None]]:
        if planned.for_each is None:
            values = TaskValues()
            yield from self._tasks(planned, key, values, outcomes, None)
            return values, None
        items, refused = fill_list(planned.for_each, self._scope(planned, TaskValues()))
        if refused:
            outcomes.append(refused)
            self._routes.take(planned.step.conduct, key, refused)
        rounds: list[TaskValues] = []
        for index, item in enumerate(items):
            rounds.append(TaskValues())
            yield from self._tasks(planned, key._replace(item=str(index)), rounds[-1], outcomes, item)
            if self._lane.waiting:
                break
        return _joined(planned, rounds), refused

    def _tasks(
        self, planned: PlannedStep, key: Key, values: TaskValues, outcomes: list[Outcome], item: Any
    ) -> Generator[Ask, Outcome, None]:
        for task in planned.tasks:
            scope = self._scope(planned, values, item)
            at = key._replace(task=task.id, tries=1)
            if task.for_each is None:
                outcome = yield from self._task(task, at, scope)
                values.add(task.id, outcome)
                outcomes.append(outcome)
            else:
                outcomes += yield from self._each(task, at, scope)
            if self._lane.waiting:
                return

    def _each(self, task: PlannedTask, key: Key, scope: Scope) -> Generator[Ask, Outcome, list[Outcome]]:
        assert task.for_each is not None
        items: Sequence[Any] = ()
        refused = self._course.progress.finished.get(key)
        if refused is None and self._stopped and not task.task.conduct.always:
            refused = self._blocked()
        if refused is None:
            items, refused = fill_list(task.for_each, scope)
        if refused:
            self._routes.take(task.task.conduct, key, refused)
            scope.tasks.add(task.id, refused)
            return [self._course.record(key, task.action.name, refused)]
        outcomes = []
        for index, item in enumerate(items):
            outcome = yield from self._task(task, key._replace(item=str(index)), scope._replace(item=item))
            outcomes.append(outcome)
            if self._lane.waiting:
                break
        scope.tasks.add_list(task.id, outcomes, task.action.outputs)
        return outcomes

    def _task(self, task: PlannedTask, key: Key, scope: Scope) -> Tasks:
        conduct, progress = task.task.conduct, self._course.progress
        inputs: Mapping[str, Any] = {}
        refused = None
        if key not in progress.claimed and key not in progress.requested:
            refused = progress.finished.get(key) or self._why_not(task, scope)
        if refused is None:
            inputs, refused = fill_inputs(task, scope, self._course.secret)
            refused = refused and (self._tries.last_finished(key) or refused)
        if refused:
            outcome = self._course.record(key, task.action.name, refused, scope.item)
        else:
            outcome = yield from self._tries.settle(self._act(task, key, inputs, scope.item), conduct.retry)
        self._course.note(key, outcome)
        self._routes.take(conduct, key, outcome)
        return outcome

    def _why_not(self, task: PlannedTask, scope: Scope) -> Outcome | None:
        if self._stopped and not task.task.conduct.always:
            return self._blocked()
        if self._lane.unreachable and task.action.reach is Reach.SERVER:
            return Outcome(Status.UNREACHABLE, message="there was no connection before")
        return check_condition(task.when, scope)

    def _blocked(self) -> Outcome:
        return skipped(Reason.BLOCKED, f"stopped: {self._stopped}")

    def _act(self, task: PlannedTask, key: Key, inputs: Mapping[str, Any], item: Any) -> Act:
        return Act(
            key=key,
            action=task.action,
            inputs=inputs,
            target=self._lane.target,
            server=self._server,
            limit=task.limit,
            effect=task.effect,
            office=self._course.plan.inventory.office,
            run_as=task.task.conduct.run_as or self._become,
            item=item,
            mode="preview" if self._course.dry else "run",
        )

    def _include(self, planned: PlannedStep, key: Key, values: TaskValues) -> Tasks:
        assert planned.child is not None
        key = key._replace(task=INCLUDE, tries=1)
        outcome = self._course.progress.finished.get(key)
        if outcome is None:
            variables: Mapping[str, Any] = {}
            refused = self._blocked() if self._stopped and not planned.step.conduct.always else None
            if refused is None and planned.child_vars:
                variables, refused = fill(planned.child_vars, self._scope(planned, values))
            if refused:
                outcome = self._course.record(key, INCLUDE, refused)
            else:
                outcome = yield Include(key, planned.child._replace(extra={**planned.child.extra, **variables}))
        if outcome.status is Status.WAITING:
            self._lane.waiting = True
            return outcome
        values.add(INCLUDE, outcome)
        if self._course.dry:
            values.unchecked.add(INCLUDE)
        self._course.note(key, outcome)
        self._routes.take(planned.step.conduct, key, outcome)
        return outcome

    def _finish(
        self, planned: PlannedStep, key: Key, outcomes: list[Outcome], values: TaskValues, refused: Outcome | None
    ) -> None:
        if refused and refused.reason in UNCHECKED:
            values.unchecked.update(task.id for task in planned.tasks)
        status = worst([outcome.status for outcome in outcomes])
        outputs, lacking = self._outputs(planned, values)
        only = outcomes[0] if len(outcomes) == 1 else None
        used, late = self._used(key)
        deviations = [d for outcome in outcomes for d in outcome.deviations] + late
        if status in (Status.OK, Status.CHANGED):
            deviations += [f"no_output: {name}" for name in lacking]
        data = {
            "status": str(status),
            "reason": str(only.reason) if only and only.reason else None,
            "message": only.message if only and (refused or status is Status.SKIPPED) else "",
            "used_seconds": used,
            "outputs": outputs,
            "deviations": deviations,
            "earlier": list(self._course.values.notes(self._lane.target)),
        }
        self._course.say_once(Kind.STEP_FINISHED, key, data)
        self._course.statuses[planned.id, self._lane.name] = status
        unchecked = (
            frozenset([*lacking, "status"] if values.unchecked else lacking) if self._course.dry else frozenset()
        )
        self._course.values.add(planned.id, self._lane.name, StepValue(status, outputs, unchecked))

    def _outputs(self, planned: PlannedStep, values: TaskValues) -> tuple[dict[str, Any], list[str]]:
        included = values.outputs.get(INCLUDE, {})
        outputs = {name: value for name, value in included.items() if name not in ("status", "message")}
        promised = planned.step.include.outputs if planned.step.include else ()
        lacking = [name for name in promised if name not in outputs]
        for output, compiled in planned.outputs:
            value, refused = fill(compiled, self._scope(planned, values))
            if refused:
                lacking.append(output.id)
            else:
                outputs[output.id] = value
        return outputs, lacking

    def _used(self, key: Key) -> tuple[float, list[str]]:
        """Seconds since the step began, and the deviation where that was beyond its norm: the due time that was given
        then holds, whatever a newer list of holidays says."""
        begun = (Kind.STEP_STARTED, key.step, key.attempt, key.target)
        started = self._course.progress.said.get(begun)
        if started is None:
            return 0.0, []
        now = self._course.now()
        due = self._course.progress.due.get(begun)
        late = [f"late: {due.isoformat(timespec='minutes')}"] if due and now > due else []
        return round((now - started).total_seconds(), 3), late

    def _scope(self, planned: PlannedStep, values: TaskValues, item: Any = None) -> Scope:
        return Scope(
            values=self._course.values,
            target=self._lane.target,
            tasks=values,
            run=self._course.run_values(planned.id),
            office=self._course.plan.inventory.office,
            secret=self._course.secret,
            item=item,
            dry=self._course.dry,
        )


def _joined(planned: PlannedStep, rounds: Sequence[TaskValues]) -> TaskValues:
    """The values of a step done for each item: every task's outputs as lists."""
    values = TaskValues()
    for task in planned.tasks:
        found = [one.outputs.get(task.id, {}) for one in rounds]
        names = {"status", "message", *task.action.outputs}
        values.outputs[task.id] = {name: [outputs.get(name) for outputs in found] for name in names}
        if any(task.id in one.unchecked for one in rounds):
            values.unchecked.add(task.id)
    return values
