"""One step on one lane: whether it is done, its tasks for all its items, what it includes, its decision, its end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from runner.contract import Outcome, Reason, Status
from runner.engine.branches import Branches, Several, Way, singly
from runner.engine.closing import INCLUDE, Closing
from runner.engine.course import Course, Include, Lane, Move, Strand, Tasks, Turn
from runner.engine.decisions import DECIDE, Decisions, ask_step
from runner.engine.filling import check_condition, fill, fill_list, skipped
from runner.engine.rounds import Round
from runner.engine.routes import Routes
from runner.engine.scope import Scope, TaskValues
from runner.engine.tasks import TaskFlow
from runner.events import Key, Kind
from runner.plan import PlannedStep


class StepFlow:
    """One attempt of a step on one lane."""

    def __init__(self, course: Course, lane: Lane, planned: PlannedStep) -> None:
        self._course = course
        self._lane = lane
        self._planned = planned
        self._flow = TaskFlow(course, lane)
        self._routes = Routes(course, lane)
        self._closing = Closing(course, lane, planned)
        self._key = Key(planned.id, course.attempts.get(planned.id, 1), "", lane.name, "", 0)
        self._outcomes: list[Outcome] = []
        self._moves: list[Move] = []

    def go(self) -> Several[Way]:
        """Go through the step; return where that leads."""
        if self._course.replaying and not self._is_known:
            yield from singly(_turn())
        unwanted = self._why_skipped()
        if unwanted:
            self._routes.take(self._planned.step.conduct, self._key, unwanted)
            self._closing.finish(self._key, [unwanted], self._scope(TaskValues()), unwanted)
            return Way(leaves=self._routes.failed(self._planned))
        self._begin()
        values, way, refused = yield from self._items()
        if self._planned.child and not way.waits and not way.leaves:
            included = yield from singly(self._include(values))
            way = Way(waits=included.status is Status.WAITING)
        decided = None
        if self._planned.decision and not way.waits and not way.leaves and not self._moves:
            decided = yield from singly(self._decide(values))
            way = Way(waits=decided is not None and decided.status is Status.WAITING)
        if way.waits:
            self._course.statuses[self._planned.id, self._lane.name] = Status.WAITING
            return way
        self._closing.finish(self._key, self._outcomes, self._scope(values), refused)
        return way if way.leaves else Way(leaves=self._move(decided))

    @property
    def _stopped(self) -> str:
        return self._flow.stopped

    @property
    def _is_known(self) -> bool:
        return self._said(Kind.STEP_STARTED) or self._key in self._course.progress.ended

    def _said(self, kind: Kind) -> bool:
        key = self._key
        return (kind, key.step, key.attempt, key.target) in self._course.progress.said

    def _why_skipped(self) -> Outcome | None:
        course, planned, key = self._course, self._planned, self._key
        led_to = self._lane.passed.led_to(planned.id) or course.passed.led_to(planned.id)
        if led_to:
            return skipped(Reason.CONDITION, f"it went on to '{led_to}'")
        if self._said(Kind.STEP_STARTED):
            return None
        if key in course.progress.ended:
            return course.progress.ended[key]
        gated = planned.id in course.plan.playbook.after_problems and not course.dry
        if gated and not course.take_up(key) and planned.id not in course.explicit:
            return skipped(Reason.CONDITION, "no problem is open that is not in hand already")
        if self._stopped and not any(task.task.conduct.always for task in planned.tasks):
            return None
        return check_condition(planned.when, self._scope(TaskValues()))

    def _begin(self) -> None:
        calendar, now, norm = self._course.calendar, self._course.now(), self._planned.step.norm
        due = calendar.due(now, norm)
        counted = list(calendar.counted(now, norm))
        said = {"time_limit": norm.text, "due": due.isoformat() if due else None, "counted": counted}
        self._course.say_once(Kind.STEP_STARTED, self._key, said)

    def _items(self) -> Several[tuple[TaskValues, Way, Outcome | None]]:
        planned = self._planned
        if planned.for_each is None:
            values, way = yield from self._round(self._key, None)
            return values, way, None
        items, refused = fill_list(planned.for_each, self._scope(TaskValues()))
        if refused:
            self._outcomes.append(refused)
            self._routes.take(planned.step.conduct, self._key, refused)
        rounds: list[TaskValues] = []
        way = Way()
        for index, item in enumerate(items):
            values, way = yield from self._round(self._key._replace(item=str(index)), item)
            rounds.append(values)
            if way.waits or way.leaves:
                break
        return _joined(planned, rounds), way, refused

    def _round(self, key: Key, item: Any) -> Several[tuple[TaskValues, Way]]:
        """All tasks in their order, once."""
        guide = Round(
            self._course, self._flow, self._routes, self._planned, key, lambda values: self._scope(values, item)
        )
        way = yield from Branches(self._planned.order, guide).go()
        self._outcomes += [outcome for task in self._planned.tasks for outcome in guide.outcomes[task.id]]
        self._moves += guide.moves
        return guide.values, way

    def _include(self, values: TaskValues) -> Tasks:
        planned = self._planned
        assert planned.child is not None
        key = self._key._replace(task=INCLUDE, tries=1)
        outcome = self._course.progress.finished.get(key)
        if outcome is None:
            if self._course.replaying and key not in self._course.progress.claimed:
                yield Turn()
            variables: Mapping[str, Any] = {}
            refused = self._flow.blocked() if self._stopped and not planned.step.conduct.always else None
            if refused is None and planned.child_vars:
                variables, refused = fill(planned.child_vars, self._scope(values))
            if refused:
                outcome = self._course.record(key, INCLUDE, refused)
            else:
                outcome = yield Include(key, planned.child._replace(extra={**planned.child.extra, **variables}))
        if outcome.status is Status.WAITING:
            return outcome
        values.add(INCLUDE, outcome)
        if self._course.dry:
            values.unchecked.add(INCLUDE)
        self._course.note(key, outcome)
        self._routes.take(planned.step.conduct, key, outcome)
        self._outcomes.append(outcome)
        return outcome

    def _decide(self, values: TaskValues) -> Strand[Outcome | None]:
        """What was decided at the end; None where the step was stopped before."""
        asked, decisions = ask_step(self._planned, self._key), Decisions(self._course)
        if not decisions.is_made(asked):
            if self._said(Kind.STEP_FINISHED):
                return None
            if self._course.replaying:
                yield Turn()
            if self._stopped:
                return None
        outcome = decisions.decide(asked, self._scope(values))
        self._routes.take(self._planned.step.conduct, self._key._replace(task=DECIDE), outcome)
        self._outcomes.append(outcome)
        return outcome

    def _move(self, decided: Outcome | None) -> Move | None:
        """Where the step leads: what a failure in it asked for, what its tasks decided, what was decided at its end."""
        failed = self._routes.failed(self._planned)
        if failed:
            return failed
        furthest = max(self._moves, key=lambda move: self._course.position(move.to), default=None)
        return furthest or self._routes.decided(self._planned, decided)

    def _scope(self, values: TaskValues, item: Any = None) -> Scope:
        return Scope(
            values=self._course.values,
            target=self._lane.target,
            tasks=values,
            run=lambda: self._course.run_values(self._planned.id),
            office=self._course.plan.inventory.office,
            secret=self._course.secret,
            item=item,
            dry=self._course.dry,
        )


def _turn() -> Strand[None]:
    yield Turn()


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
