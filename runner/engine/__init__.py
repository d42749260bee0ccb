"""The engine: order, attempts, parallel targets, limits.

One thread coordinates: it advances the lanes, says what happens, and hands acts to the executor. A claim is on
disk before its act begins and an outcome before the next one, many of them in one write.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from heapq import heappop, heappush
from itertools import count
from queue import Empty, SimpleQueue
from typing import Any

from runner.contract import Outcome, Reach, Status, worst
from runner.engine.acts import LONGEST_CONNECT, Act, Services, given_up, perform
from runner.engine.course import Course, Include, Lane, Move, Pause
from runner.engine.executors import Executor
from runner.engine.filling import fill
from runner.engine.flow import Flow, Steps
from runner.engine.heading import describe
from runner.engine.scope import Scope, TaskValues, Values
from runner.engine.terms import Brake, Ending, Request
from runner.events import Event, Key, Kind, outcome_to_json
from runner.plan import Plan, PlannedStep
from runner.record.document import exit_code

GRACE = 15.0
LONGEST_STOP = 10.0
HEARTBEAT = 0.25

Emit = Callable[[Sequence[Event]], None]


@dataclass(slots=True)
class _Running:
    """A lane in progress: its flow, the act it waits for, and when that is given up."""

    lane: Lane
    flow: Steps
    act: Act | None = None
    given_up_at: float = 0.0


_WENT_ON = Outcome(Status.OK)


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
        self._done: SimpleQueue[tuple[_Running, Act, Future[Outcome]] | None] = SimpleQueue()
        brake.wake(self._done)
        self._pending: list[Event] = []
        self._ready: list[_Running] = []
        self._running: dict[int, _Running] = {}
        self._timers: list[tuple[float, int, _Running]] = []
        self._number = count()
        self._moves: list[Move] = []
        self._stop_at = 0.0
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
            explicit=request.explicit,
            write=self._write,
            unheld=request.unheld,
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
            self._emit(events)

    def _flush(self) -> None:
        """Make everything said safe, then hand out the acts that were claimed."""
        self._write()
        ready, self._ready = self._ready, []
        for running in ready:
            assert running.act is not None
            connecting = LONGEST_CONNECT if running.act.action.reach is Reach.SERVER else 0.0
            running.given_up_at = time.monotonic() + running.act.limit + connecting + GRACE
            self._submit(running, running.act)

    def _submit(self, running: _Running, act: Act) -> None:
        future = self._executor.submit(perform, act, self._services)
        future.add_done_callback(lambda done: self._done.put((running, act, done)))

    def _drive(self, stretch: Sequence[PlannedStep]) -> None:
        """Take every target through the stretch, as many at a time as there are forks."""
        targets = deque(stretch[0].targets)
        while targets or self._running:
            while targets and len(self._running) < self._request.forks and not self._brake.pulled:
                self._start(self._lane(targets.popleft()), stretch)
            self._flush()
            if self._brake.pulled and not self._in_flight():
                break
            if self._running:
                self._collect()
        self._running.clear()
        self._timers.clear()

    def _lane(self, target: Any) -> Lane:
        return self._lanes.setdefault(target.name if target else None, Lane(target))

    def _start(self, lane: Lane, stretch: Sequence[PlannedStep]) -> None:
        running = _Running(lane, Flow(self._course, lane).steps(stretch))
        self._running[id(running)] = running
        self._advance(running, None)

    def _advance(self, running: _Running, outcome: Outcome | None) -> None:
        """Hand a lane the outcome it waited for and take its next ask."""
        running.act, running.given_up_at = None, 0.0
        while True:
            try:
                ask = next(running.flow) if outcome is None else running.flow.send(outcome)
            except StopIteration as end:
                self._running.pop(id(running), None)
                if end.value:
                    self._moves.append(end.value)
                return
            if not isinstance(ask, Include):
                break
            outcome = self._include(ask)
        if self._brake.pulled:
            self._running.pop(id(running), None)
        elif isinstance(ask, Pause):
            heappush(self._timers, (time.monotonic() + ask.seconds, next(self._number), running))
        else:
            running.act = ask
            self._ready.append(running)
            self._claim(ask)

    def _claim(self, act: Act) -> None:
        if act.action.person:
            return
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
        waiting = any(running.act for running in self._running.values())
        return waiting and self._brake.pulled < 2 and time.monotonic() < self._stop_at

    def _collect(self) -> None:
        """Wait for the next act to end, timer to ring or act to be given up; take in all that happened."""
        finished = self._wait()
        for running, act, future in finished:
            if running.act is act:
                self._settle(running, act, future.result())
        now = time.monotonic()
        while self._timers and self._timers[0][0] <= now:
            self._advance(heappop(self._timers)[2], _WENT_ON)
        for running in list(self._running.values()):
            if running.act and 0 < running.given_up_at <= now:
                self._settle(running, running.act, given_up(running.act))

    def _wait(self) -> list[tuple[_Running, Act, Future[Outcome]]]:
        moments = [running.given_up_at for running in self._running.values() if running.act]
        moments += [self._timers[0][0]] if self._timers else []
        moments += [self._stop_at] if self._stop_at else []
        found = []
        try:
            # A signal that another thread takes does not end this wait: look up for it now and then.
            timeout = min([HEARTBEAT, *(moment - time.monotonic() for moment in moments)])
            found.append(self._done.get(timeout=max(0.0, timeout)))
            while True:
                found.append(self._done.get_nowait())
        except Empty:
            pass
        return [item for item in found if item is not None]

    def _settle(self, running: _Running, act: Act, outcome: Outcome) -> None:
        if outcome.request is None:
            data = {"action": act.action.name, "item": act.item, **outcome_to_json(outcome)}
            self._say(self._course.event(Kind.TASK_FINISHED, act.key, data))
        self._advance(running, outcome)

    def _next(self, steps: Sequence[PlannedStep], position: int) -> int:
        """Where to go on: straight, or where the moves of the last stretch lead."""
        moves, self._moves = self._moves, []
        if not moves:
            return position
        course = self._course
        move = min(moves, key=lambda each: course.position(each.to))
        if not course.follow(move):
            return next(n for n, step in enumerate(steps) if step.id == move.source) + 1
        first = course.position(move.to)
        self._lanes = {n: lane for n, lane in self._lanes.items() if course.stays_stopped(lane, first)}
        return next(n for n, step in enumerate(steps) if course.position(step.id) >= first)

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
            run=self._course.run_values(""),
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
