"""The tasks of one lane: each for all its items and by all its actors, until it is settled."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from runner.contract import Outcome, Reach, Reason, Status
from runner.engine.acts import Act
from runner.engine.answers import join_answers, with_role
from runner.engine.course import Course, Lane, Strand, Tasks, Turn
from runner.engine.filling import check_condition, fill_inputs, fill_list, skipped
from runner.engine.routes import Routes
from runner.engine.rows import MOST
from runner.engine.scope import Scope
from runner.engine.tries import Tries
from runner.events import Key
from runner.plan import PlannedTask

Behind = Iterable[tuple[PlannedTask, Key]]


class TaskFlow:
    """Does tasks on one lane; what a resumed run did already is taken from its progress."""

    def __init__(self, course: Course, lane: Lane) -> None:
        self._course = course
        self._lane = lane
        self._tries = Tries(course)
        self._routes = Routes(course, lane)
        self._server = course.plan.inventory.server_of(lane.target) if lane.target else None
        self._become = str(self._server.settings.get("run_as", "")) if self._server else ""
        self._sent: set[Key] = set()
        self.last: dict[tuple[str, int, str], int] = {}

    def do(self, task: PlannedTask, key: Key, scope: Scope, behind: Behind = ()) -> Strand[list[Outcome]]:
        """Do a task, for each of its items; return its outcomes, which other tasks can read from then on. `behind` are
        the tasks, with their keys, that may be sent ahead with it."""
        if task.for_each is not None:
            return (yield from self._each(task, key, scope))
        outcome = yield from self._together(task, key, scope, behind)
        scope.tasks.add(task.id, outcome)
        return [outcome]

    def why_not(self, task: PlannedTask, scope: Scope) -> Outcome | None:
        """Given a task, return the outcome of one that is not begun; None where it can be."""
        if self.stopped and not task.task.conduct.always:
            return self.blocked()
        if self._lane.unreachable and task.action.reach is Reach.SERVER:
            return Outcome(Status.UNREACHABLE, message="there was no connection before")
        return check_condition(task.when, scope)

    def blocked(self) -> Outcome:
        """The outcome of what is not done, because the lane or the run was stopped."""
        return skipped(Reason.BLOCKED, f"stopped: {self.stopped}")

    @property
    def stopped(self) -> str:
        """Why nothing but `always` is done any more; "" where it goes on."""
        return self._lane.stopped or self._course.halted

    def _each(self, task: PlannedTask, key: Key, scope: Scope) -> Strand[list[Outcome]]:
        assert task.for_each is not None
        items: Sequence[Any] = ()
        refused = self._course.progress.finished.get(key)
        if refused is None and self._course.replaying and not self._course.progress.knows(key._replace(item="0")):
            yield Turn()
        if refused is None and self.stopped and not task.task.conduct.always:
            refused = self.blocked()
        if refused is None:
            items, refused = fill_list(task.for_each, scope)
        if refused:
            self._routes.take(task.task.conduct, key, refused)
            scope.tasks.add(task.id, refused)
            return [self._course.record(key, task.action.name, refused)]
        outcomes = []
        for index, item in enumerate(items):
            outcome = yield from self._together(task, key._replace(item=str(index)), scope._replace(item=item))
            outcomes.append(outcome)
            if outcome.status is Status.WAITING:
                break
        scope.tasks.add_list(task.id, outcomes, task.action.outputs)
        return outcomes

    def _together(self, task: PlannedTask, key: Key, scope: Scope, behind: Behind = ()) -> Tasks:
        """Do a task by each of its actors: all are asked, and it is done once all have answered. Once one is asked, the
        others are, even if something else fails meanwhile."""
        if len(task.roles) < 2:
            return (yield from self._once(task, key, scope, *task.roles, behind=behind))
        outcomes: dict[Key, Outcome] = {}
        for role in task.roles:
            at = with_role(key, role)
            item = role if scope.item is None else [scope.item, role]
            asked = any(outcome.status is Status.WAITING for outcome in outcomes.values())
            outcomes[at] = yield from self._once(task, at, scope, role, item, sure=asked)
        return join_answers(outcomes, self._course.progress)

    def _once(
        self,
        task: PlannedTask,
        key: Key,
        scope: Scope,
        role: str = "",
        item: Any = None,
        *,
        sure: bool = False,
        behind: Behind = (),
    ) -> Tasks:
        conduct, progress = task.task.conduct, self._course.progress
        item = scope.item if item is None else item
        inputs: Mapping[str, Any] = {}
        refused = None
        if key not in progress.claimed and key not in progress.requested:
            refused = progress.finished.get(key)
            if refused is None and self._course.replaying:
                yield Turn()
            refused = refused or (None if sure else self.why_not(task, scope))
        if refused is None:
            inputs, refused = fill_inputs(task, scope, self._course.secret, role)
            refused = refused and (self._tries.last_finished(key, conduct.retry) or refused)
        if refused:
            outcome = self._course.record(key, task.action.name, refused, item)
        else:
            act = self._act(task, key, inputs, item)
            if self._sends_ahead() and key not in self._sent:
                act = act._replace(ahead=tuple(self._acts_ahead(behind, scope)))
            outcome, key = yield from self._tries.settle(act, conduct.retry)
        place = key.step, key.attempt, key.task
        self.last[place] = max(self.last.get(place, 0), key.tries)
        self._course.note(key, outcome)
        self._routes.take(conduct, key, outcome)
        return outcome

    def _sends_ahead(self) -> bool:
        """Whether commands are sent ahead: over a link, by a run that goes on; here there is nothing to wait for."""
        far = self._server is not None and self._server.settings.get("connection") != "local"
        return far and self._course.ahead and not self._course.replaying

    def _acts_ahead(self, behind: Behind, scope: Scope) -> Iterator[Act]:
        for task, key in islice(behind, MOST):
            inputs, refused = fill_inputs(task, scope, self._course.secret)
            if refused or self._course.progress.knows(key):
                return
            self._sent.add(key)
            yield self._act(task, key, inputs, scope.item)

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
