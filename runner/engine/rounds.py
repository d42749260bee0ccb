"""The tasks of a step, once through: in their order, with what its decisions pass over, repeat and lead to."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from runner.contract import Outcome, Reason, Status
from runner.engine.branches import Several, Way, singly
from runner.engine.course import Ask, Course, Move, PassedOver, Strand, Turn
from runner.engine.decisions import Asked, Decisions
from runner.engine.filling import skipped
from runner.engine.routes import Routes, reason_of
from runner.engine.rows import behind
from runner.engine.scope import Scope, TaskValues
from runner.engine.tasks import TaskFlow
from runner.events import Key
from runner.plan import PlannedStep, PlannedTask
from runner.plan.deciding import DECIDE


class Round:
    """The guide through the tasks of one step, for one of its items. `outcomes` are those of each task's last time,
    `moves` lead on from the step once all its branches have ended."""

    def __init__(
        self,
        course: Course,
        flow: TaskFlow,
        routes: Routes,
        planned: PlannedStep,
        key: Key,
        scope: Callable[[TaskValues], Scope],
    ) -> None:
        self._course = course
        self._flow = flow
        self._routes = routes
        self._decisions = Decisions(course)
        self._planned = planned
        self._key = key
        self._scope = scope
        self._tasks = {task.id: task for task in planned.tasks}
        self._passed = self._begin_at(course.entries.get(planned.id, ""))
        self._before: dict[str, int] = {}
        self.values = TaskValues()
        self.outcomes: dict[str, list[Outcome]] = {task.id: [] for task in planned.tasks}
        self.moves: list[Move] = []

    def _begin_at(self, entry: str) -> PassedOver:
        """Of a step that is entered at one of its tasks, what neither is that nor follows it is passed over."""
        passed = PassedOver()
        if entry:
            order = self._planned.order
            passed.add("", entry, frozenset(order.before) - order.follows(entry) - {entry})
        return passed

    def begin(self, name: str) -> Several[Way]:
        """Do the task of that id."""
        return singly(self._do(self._tasks[name]))

    def turn(self, name: str, way: Way) -> Turn | None:
        """Wait until what leads back is the next that the record has, or new to it."""
        return self._course.back_in_turn(self._course.key_of(way.leaves) if way.leaves else self._moved_key(name))

    def go_back(self, name: str, way: Way) -> frozenset[str]:
        """Begin again from that task: each is then tried under a number that comes after all it had."""
        again = self._planned.order.follows(way.back) | {way.back}
        key, course = self._moved_key(name), self._course
        last = {
            task: number
            for (step, attempt, task), number in self._flow.last.items()
            if (step, attempt) == self._key[:2] and task.partition(".")[0] in again
        }
        why = self.outcomes[name][-1].message
        data = {"to": f"{key.step}.{way.back}", "back": True, "why": why, "again": [], "tasks": last}
        course.move_once(key, data)
        self._before.update(course.progress.moved[key].get("tasks") or last)
        course.rounds[key.step, name] = course.rounds.get((key.step, name), 0) + 1
        course.forget_problems(key.step, again)
        self._passed.forget(again)
        self.moves = [move for move in self.moves if move.task not in again]
        for task in again:
            self.outcomes[task] = []
            self.values.outputs.pop(task, None)
        over = self._planned.order.follows(name) - again
        self._passed.add(name, way.back, over)
        return again

    def lose(self, name: str, ask: Ask, outcome: Outcome) -> None:
        """Take in what ended after its branch was left."""
        self.outcomes[name].append(outcome)

    def _moved_key(self, name: str) -> Key:
        return self._key._replace(task=name, tries=self._course.rounds.get((self._key.step, name), 0) + 1)

    def _number(self, task: str) -> int:
        return self._before.get(task, 0) + 1

    def _do(self, task: PlannedTask) -> Strand[Way]:
        key = self._key._replace(task=task.id, tries=self._number(task.id))
        scope = self._scope(self.values)
        led_to = self._passed.led_to(task.id)
        if led_to:
            outcome = skipped(Reason.CONDITION, f"it went on to '{led_to}'")
            return self._leave_out(task, key, outcome)
        if task.action is DECIDE:
            return (yield from self._decide(task, key, scope))
        self.outcomes[task.id] = yield from self._flow.do(task, key, scope, self._behind(task))
        way = self._way_of(task, self.outcomes[task.id])
        name = f"{task.id}.{DECIDE.name}"
        if way is None and task.task.decision and self._is_due(task):
            return (yield from self._decide(task, key._replace(task=name, tries=self._number(name)), scope))
        return way or Way()

    def _behind(self, task: PlannedTask) -> Iterator[tuple[PlannedTask, Key]]:
        """The tasks that may be sent ahead with one, in their order."""
        for each in behind(self._planned, task):
            if self._passed.led_to(each.id):
                return
            yield each, self._key._replace(task=each.id, tries=self._number(each.id))

    def _decide(self, task: PlannedTask, key: Key, scope: Scope) -> Strand[Way]:
        assert task.task.decision is not None
        progress, asked = self._course.progress, Asked(key, task.task.decision, task.decision_value, task.roles, task)
        refused = progress.finished.get(key)
        if refused is None and not self._decisions.is_made(asked):
            if self._course.replaying:
                yield Turn()
            if task.action is DECIDE:
                refused = self._flow.why_not(task, scope)
            elif self._flow.stopped and not self._course.dry:
                refused = self._flow.blocked()
        if refused and refused.status is Status.SKIPPED:
            return self._leave_out(task, key, refused)
        outcome = self._decisions.decide(asked, self._scope(self.values))
        self.outcomes[task.id].append(outcome)
        if task.action is DECIDE:
            self.values.add(task.id, outcome)
        self._flow.last[key.step, key.attempt, key.task] = key.tries
        self._routes.take(task.task.conduct, key, outcome)
        return self._way_of(task, [outcome]) or self._follow(task, outcome)

    def _way_of(self, task: PlannedTask, outcomes: list[Outcome]) -> Way | None:
        """Where it goes on from answers that are not there yet, or that return it."""
        to = next((str(outcome.outputs["to"]) for outcome in outcomes if outcome.outputs.get("to")), "")
        if to and all(outcome.status is not Status.FAILED for outcome in outcomes):
            why = next(reason_of(outcome) for outcome in outcomes if outcome.outputs.get("to"))
            return Way(leaves=Move(self._planned.id, to, why, task.id))
        return Way(waits=True) if any(outcome.status is Status.WAITING for outcome in outcomes) else None

    def _follow(self, task: PlannedTask, decided: Outcome) -> Way:
        """Where a task's decision leads: on, to another task, or out of the step."""
        if decided.status is not Status.OK or task.task.decision is None:
            return Way()
        follows = self._planned.order.follows(task.id)
        route = task.task.decision.answers[str(decided.outputs["label"])]
        if route.kind == "next":
            return Way()
        if route.kind == "task" and route.task not in follows:
            return Way(back=route.task)
        if route.kind == "task":
            again = self._planned.order.follows(route.task) | {route.task}
            self._passed.add(task.id, route.task, follows - again)
            return Way()
        move = Move(self._planned.id, route.step or route.kind, decided.message, task.id, route.task)
        if route.step and self._course.goes_back(self._planned.id, route.step):
            return Way(leaves=move)
        self.moves.append(move)
        self._passed.add(task.id, move.to, follows)
        return Way()

    def _is_due(self, task: PlannedTask) -> bool:
        """Whether a task that acts and then decides has acted."""
        reasons = [outcome.reason for outcome in self.outcomes[task.id]]
        return self._course.dry or not any(reason in (Reason.CONDITION, Reason.BLOCKED) for reason in reasons)

    def _leave_out(self, task: PlannedTask, key: Key, outcome: Outcome) -> Way:
        decides = task.action is DECIDE or key.task != task.id
        self._course.record(key, DECIDE.name if decides else task.action.name, outcome)
        self._flow.last[key.step, key.attempt, key.task] = key.tries
        self.outcomes[task.id].append(outcome)
        if key.task == task.id:
            self.values.add(task.id, outcome)
        return Way()
