"""The engine: order, attempts, parallel targets, limits.

One thread coordinates: it advances the lanes, says what happens, and hands acts to the executor. A claim is on
disk before its act begins and an outcome before the next one, many of them in one write.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import replace
from queue import SimpleQueue
from typing import Any

from runner.contract import Outcome, Status, worst
from runner.engine.acts import Act, Services, perform
from runner.engine.branches import Settled, Several
from runner.engine.course import Course, Include, Lane, Move, Pause, Turn
from runner.engine.executors import Executor
from runner.engine.filling import fill
from runner.engine.flow import Flow
from runner.engine.heading import describe
from runner.engine.pending import WENT_ON, Pending
from runner.engine.rows import Report, perform_row
from runner.engine.scope import Scope, TaskValues, Values
from runner.engine.terms import Brake, Ending, Request
from runner.events import Event, Key, Kind, outcome_to_json
from runner.plan import Plan, PlannedStep
from runner.record.document import exit_code

LONGEST_STOP = 10.0
MOST_RESTING = 500

Emit = Callable[[Sequence[Event]], None]
Flowing = Several[Move | None]


class Engine:
    """Runs one plan. `emit` returns only when the events are safe; what it raises ends the run."""

    def __init__(
        self, plan: Plan, emit: Emit, executor: Executor, services: Services, request: Request, brake: Brake
    ) -> None:
        self._plan = plan
        self._emit = emit
        self._executor = executor
        self._services = services
        self._request = request
        self._brake = brake
        done: SimpleQueue[object] = SimpleQueue()
        brake.wake(done)
        request.rests.wake(done)
        self._open: Pending[Flowing] = Pending(self._submit, done, request.patience)
        self._claimed: set[Key] = set()
        self._pending: list[Event] = []
        self._flows: set[Flowing] = set()
        self._parked: list[tuple[Flowing, Turn]] = []
        self._moves: list[Move] = []
        self._stop_at = 0.0
        self._writing = 0.0
        self._lanes: dict[str | None, Lane] = {}
        self._course = Course(
            plan=plan,
            run=request.run,
            values=Values(plan, request.earlier),
            progress=request.progress,
            say=self._say,
            now=services.now,
            secret=services.secret,
            calendar=request.calendar,
            started=request.progress.began or services.now(),
            dry=request.dry,
            ahead=request.ahead,
            explicit=request.explicit,
            write=self._write,
            unheld=request.unheld,
            alone=request.alone,
            replaying=request.resumed,
        )

    def run(self) -> Ending:
        """Run the plan to its end, to the first person it must wait for, or until the brake is pulled."""
        self._say_run(Kind.RUN_RESUMED if self._request.resumed else Kind.RUN_STARTED, self._request.header)
        steps = [step for step in self._plan.steps if step.selected]
        position = 0
        while position < len(steps):
            stretch = _stretch(steps, position)
            self._drive(stretch)
            if self._brake.pulled or any(lane.waiting for lane in self._lanes.values()):
                break
            position = self._next(steps, position + len(stretch))
        ending = self._ending()
        code = exit_code(ending.statuses, ending.problems, interrupted=ending.status is Status.INTERRUPTED)
        self._say_run(Kind.RUN_ENDED, {"status": str(ending.status), "exit_code": code})
        self._flush()
        return ending

    def _say_run(self, kind: Kind, data: Mapping[str, Any]) -> None:
        self._say(self._course.event(kind, Key("", 0, "", None, "", 0), data))

    def _say(self, event: Event) -> None:
        masked = self._services.mask(event.data)
        self._pending.append(event if masked is event.data else replace(event, data=masked))

    def _write(self) -> None:
        """Make everything said safe."""
        if self._pending:
            events, self._pending = self._pending, []
            begun = time.monotonic()
            self._emit(events)
            self._writing = time.monotonic() - begun

    def _flush(self) -> None:
        """Make everything said safe, then hand out the acts that were claimed."""
        self._write()
        self._open.hand_out()

    def _drive(self, stretch: Sequence[PlannedStep]) -> None:
        """Take every target through the stretch, as many at a time as there are forks; who rests takes no place."""
        targets = deque(stretch[0].targets)
        while targets or self._flows:
            resting = min(len(self._request.rests), MOST_RESTING)
            most = max(1, min(self._request.forks, self._request.room())) + resting
            while targets and len(self._flows) < most and not self._brake.pulled:
                self._start(self._lane(targets.popleft()), stretch)
            self._release()
            self._flush()
            if self._brake.pulled and not self._in_flight():
                break
            if self._flows:
                self._collect()
        self._flows.clear()
        self._open.clear()

    def _lane(self, target: Any) -> Lane:
        return self._lanes.setdefault(target.name if target else None, Lane(target))

    def _start(self, lane: Lane, stretch: Sequence[PlannedStep]) -> None:
        flow = Flow(self._course, lane, stretch).go()
        self._flows.add(flow)
        self._advance(flow, None)

    def _release(self) -> None:
        """Follow the ways back in the order of the record; once all it tells was gone through, begin what is new."""
        while self._parked:
            chosen = [each for each in self._parked if self._course.is_next(each[1].move)]
            if not chosen:
                self._course.replaying = False
                chosen = self._parked
            self._parked = [each for each in self._parked if each not in chosen]
            for flow, turn in chosen:
                self._advance(flow, (turn, WENT_ON))

    def _advance(self, flow: Flowing, settled: Settled | None) -> None:
        """Hand a flow what it waited for and take what it asks for next."""
        left = deque([settled])
        while left and flow in self._flows:
            settled = left.popleft()
            try:
                asks = next(flow) if settled is None else flow.send(settled)
            except StopIteration as end:
                self._flows.discard(flow)
                if end.value:
                    self._moves.append(end.value)
                return
            for ask in asks:
                if self._brake.pulled:
                    continue
                if isinstance(ask, Include):
                    left.append((ask, self._include(ask)))
                else:
                    self._take(flow, ask)
        if self._brake.pulled and not self._open.waits(flow):
            self._flows.discard(flow)

    def _take(self, flow: Flowing, ask: Act | Pause | Turn) -> None:
        if isinstance(ask, Pause):
            self._open.pause(flow, ask)
        elif isinstance(ask, Turn):
            self._parked.append((flow, ask))
        else:
            self._open.add(flow, ask)
            self._claim(ask)

    def _submit(self, act: Act, report: Report) -> Future[Outcome | None]:
        if act.ahead:
            return self._executor.submit(perform_row, (act, *act.ahead), self._services, report)
        return self._executor.submit(perform, act, self._services)

    def _claim(self, act: Act) -> None:
        """Claim an act and those that are sent ahead with it, unless it was claimed as one of those."""
        if act.key in self._claimed:
            self._claimed.discard(act.key)
        elif not act.action.person:
            self._say_claim(act)
        for each in act.ahead:
            self._claimed.add(each.key)
            self._say_claim(each)

    def _say_claim(self, act: Act) -> None:
        self._say(
            self._course.event(
                Kind.TASK_STARTED,
                act.key,
                {
                    "action": act.action.name,
                    "item": act.item,
                    "limit_seconds": act.limit,
                    "repeat": str(act.action.repeat),
                    "effect": str(act.effect),
                },
            )
        )

    def _in_flight(self) -> bool:
        """Whether acts are still waited for after the brake was pulled."""
        if not self._stop_at:
            self._stop_at = time.monotonic() + LONGEST_STOP
        return self._open.acts and self._brake.pulled < 2 and time.monotonic() < self._stop_at

    def _collect(self) -> None:
        """Wait for the next act or pause to end, or act to be given up; take in all that happened."""
        for flow, ask, outcome in self._open.ended(self._stop_at, self._writing):
            if isinstance(ask, Act):
                self._request.rests.end(ask.key)
            if isinstance(ask, Act) and outcome.request is None:
                data = {"action": ask.action.name, "item": ask.item, **outcome_to_json(outcome)}
                self._say(self._course.event(Kind.TASK_FINISHED, ask.key, data))
            self._advance(flow, (ask, outcome))

    def _next(self, steps: Sequence[PlannedStep], position: int) -> int:
        """Where to go on: straight, or where the moves of the last stretch lead."""
        moves, self._moves = self._moves, []
        if not moves:
            return position
        course = self._course
        move = min(moves, key=lambda each: course.position(each.to))
        again = course.follow(move)
        self._lanes = {
            name: lane for name, lane in self._lanes.items() if lane.stopped and lane.stopped_in not in again
        }
        position = next(n for n, step in enumerate(steps) if step.id in again)
        while position and steps[position].once and steps[position - 1].once:
            position -= 1  # what is done of this stretch is not done again, and can still be gone back to
        return position

    def _include(self, ask: Include) -> Outcome:
        """Carry out an included playbook as a run of its own; only its declared outputs are seen."""
        if ask.key not in self._course.progress.claimed:
            claim = {"action": "include", "item": None, "repeat": "safe", "effect": "change", "limit_seconds": None}
            self._say(self._course.event(Kind.TASK_STARTED, ask.key, claim))
        self._flush()
        name = f"{self._request.run}.{ask.key.step}.{ask.key.attempt}"
        progress = self._request.child(name)
        said = {
            name: self._request.header[name] for name in ("by", "version", "reason") if name in self._request.header
        }
        begun = {**describe(ask.plan), "mode": "plan" if self._request.dry else "run", "parent": self._request.run}
        resumed = progress.began is not None
        header = said if resumed else {**said, **begun}
        request = replace(
            self._request, run=name, header=header, progress=progress, resumed=resumed, explicit=frozenset()
        )
        ending = Engine(ask.plan, self._emit, self._executor, self._services, request, self._brake).run()
        if ending.waits or self._brake.pulled:
            return Outcome(Status.WAITING)
        outcome = Outcome(ending.status, outputs=ending.outputs, problems=tuple(ending.problems.values()))
        data = {"action": "include", "item": None, **outcome_to_json(outcome)}
        self._say(self._course.event(Kind.TASK_FINISHED, ask.key, data))
        return outcome

    def _ending(self) -> Ending:
        statuses = tuple(self._course.statuses.values())
        status = Status.INTERRUPTED if self._brake.pulled else worst(statuses)
        waits = any(lane.waiting for lane in self._lanes.values())
        return Ending(status, statuses, self._course.problems, self._outputs(), waits)

    def _outputs(self) -> dict[str, Any]:
        scope = Scope(
            values=self._course.values,
            target=None,
            tasks=TaskValues(),
            run=lambda: self._course.run_values(""),
            office=self._plan.inventory.office,
            secret=self._services.secret,
            dry=self._request.dry,
        )
        filled = {name: fill(compiled, scope) for name, compiled in self._plan.outputs.items()}
        return {name: value for name, (value, refused) in filled.items() if refused is None}


def _stretch(steps: Sequence[PlannedStep], position: int) -> Sequence[PlannedStep]:
    """Consecutive steps over the same targets, which flow per target without waiting for the slowest."""
    end = position
    while end < len(steps) and steps[end].targets == steps[position].targets:
        end += 1
    return steps[position:end]
