"""Events → Record: one fold, and the only one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from runner.contract import Outcome, Reason, Status, worst
from runner.document import (
    Answer,
    FoundProblem,
    Move,
    OpenRequest,
    Record,
    StepRecord,
    TargetRecord,
    TaskRecord,
    Try,
    exit_code,
)
from runner.events import Event, Kind, outcome_from_json
from runner.record_schema import RECORD_SCHEMA

__all__ = [
    "RECORD_SCHEMA",
    "Answer",
    "FoundProblem",
    "Move",
    "OpenRequest",
    "Record",
    "StepRecord",
    "TargetRecord",
    "TaskRecord",
    "Try",
    "build_record",
    "exit_code",
]

_NEVER_FINISHED = Outcome(Status.INTERRUPTED, message="begun, and never finished")


def build_record(events: Iterable[Event]) -> Record:
    """Given a run's events in order, return its record. Raise ValueError when there are none."""
    fold = _Fold()
    for event in events:
        fold.add(event)
    return fold.record()


@dataclass(slots=True)
class _Task:
    """Claim and finish by try."""

    claims: dict[int, Event] = field(default_factory=dict)
    finishes: dict[int, Event] = field(default_factory=dict)

    def record(self) -> TaskRecord:
        numbers = sorted({*self.claims, *self.finishes})
        last = self.finishes.get(numbers[-1]) or self.claims[numbers[-1]]
        tries = tuple(_try(n, self.claims.get(n), self.finishes.get(n)) for n in numbers)
        return TaskRecord(last.task, str(last.data.get("action", "")), last.item, _item(last), tries)


@dataclass(slots=True)
class _Target:
    """A step's attempt on one target."""

    started: Event | None = None
    finished: Event | None = None
    tasks: dict[tuple[str, str], _Task] = field(default_factory=dict)

    def record(self, target: str | None) -> TargetRecord:
        tasks = tuple(task.record() for task in self.tasks.values())
        begun = self.started.data if self.started else {}
        end: Mapping[str, Any] = self.finished.data if self.finished else {}
        return TargetRecord(
            target=target,
            status=self._status(tasks),
            reason=Reason(end["reason"]) if end.get("reason") else None,
            message=end.get("message") or "",
            started=self.started.at if self.started else None,
            due=datetime.fromisoformat(begun["due"]) if begun.get("due") else None,
            ended=self.finished.at if self.finished else None,
            used_seconds=end.get("used_seconds"),
            outputs=end.get("outputs") or {},
            deviations=_deviations(end, tasks),
            tasks=tasks,
        )

    def _status(self, tasks: tuple[TaskRecord, ...]) -> Status:
        if self.finished:
            return Status(self.finished.data["status"])
        return worst([Status.INTERRUPTED, *(task.outcome.status for task in tasks)])


class _Fold:
    def __init__(self) -> None:
        self._first: Event | None = None
        self._ended: Event | None = None
        self._steps: dict[str, dict[int, dict[str | None, _Target]]] = {}
        self._answers: list[Event] = []
        self._moves: list[Event] = []
        self._answered: set[tuple[object, ...]] = set()
        self._take: dict[Kind, Callable[[Event], None]] = {
            Kind.RUN_STARTED: self._run_started,
            Kind.RUN_RESUMED: self._run_resumed,
            Kind.STEP_STARTED: self._step_started,
            Kind.TASK_STARTED: self._task_started,
            Kind.TASK_FINISHED: self._task_finished,
            Kind.STEP_FINISHED: self._step_finished,
            Kind.MOVED: self._moves.append,
            Kind.ANSWERED: self._answer,
            Kind.RUN_ENDED: self._run_ended,
        }

    def add(self, event: Event) -> None:
        self._first = self._first or event
        self._take[event.kind](event)

    def _run_started(self, event: Event) -> None:
        for step in event.data.get("steps") or ():
            self._steps.setdefault(step["id"], {})

    def _run_resumed(self, event: Event) -> None:
        self._ended = None

    def _run_ended(self, event: Event) -> None:
        self._ended = event

    def _step_started(self, event: Event) -> None:
        target = self._target(event)
        target.started = target.started or event
        target.finished = None

    def _step_finished(self, event: Event) -> None:
        self._target(event).finished = event

    def _task_started(self, event: Event) -> None:
        self._task(event).claims[event.tries] = event

    def _task_finished(self, event: Event) -> None:
        self._task(event).finishes[event.tries] = event
        self._answered.discard(_place(event))

    def _answer(self, event: Event) -> None:
        self._answers.append(event)
        self._answered.add(_place(event))

    def _target(self, event: Event) -> _Target:
        attempt = self._steps.setdefault(event.step, {}).setdefault(event.attempt, {})
        return attempt.setdefault(event.target, _Target())

    def _task(self, event: Event) -> _Task:
        return self._target(event).tasks.setdefault((event.task, event.item), _Task())

    def record(self) -> Record:
        if self._first is None:
            raise ValueError("a run has one event at least")
        attempts = list(self._attempts())
        latest = [attempt for attempt, is_latest in attempts if is_latest]
        problems = _problems(latest)
        statuses = [step.status for step in latest]
        end = self._ended.data if self._ended else {}
        data = self._first.data
        return Record(
            run=self._first.run,
            playbook=str(data.get("playbook", "")),
            title=str(data.get("title", "")),
            status=Status(end.get("status", Status.INTERRUPTED)),
            exit_code=end.get("exit_code", exit_code(statuses, problems, interrupted=not self._ended)),
            started=self._first.at,
            ended=self._ended.at if self._ended else None,
            steps=tuple(latest),
            attempts=tuple(attempt for attempt, is_latest in attempts if not is_latest),
            problems=problems,
            requests=tuple(self._requests(latest)),
            answers=tuple(_answer(event) for event in self._answers),
            moves=tuple(_move(event) for event in self._moves),
            started_data=data,
        )

    def _attempts(self) -> Iterator[tuple[StepRecord, bool]]:
        first = self._first.data if self._first else {}
        known = {step["id"]: step for step in first.get("steps") or ()}
        for step, attempts in self._steps.items():
            activity = str(known.get(step, {}).get("activity", ""))
            if not attempts:
                yield StepRecord(step, activity, 0, None, ()), True
            for number, targets in sorted(attempts.items()):
                records = tuple(each.record(target) for target, each in targets.items())
                limit = next((t.started.data.get("time_limit") for t in targets.values() if t.started), None)
                yield StepRecord(step, activity, number, limit, records), number == max(attempts)

    def _requests(self, steps: Iterable[StepRecord]) -> Iterator[OpenRequest]:
        for step in steps:
            for target in step.targets:
                for task in target.tasks:
                    place = (step.id, step.attempt, task.id, target.target)
                    request = task.outcome.request if task.outcome.status == Status.WAITING else None
                    if request and place not in self._answered:
                        yield OpenRequest(*place, request, task.latest.ended or task.latest.started, target.due)


def _place(event: Event) -> tuple[str, int, str, str | None]:
    return event.step, event.attempt, event.task, event.target


def _try(number: int, claim: Event | None, finish: Event | None) -> Try:
    begun = claim or finish
    assert begun is not None  # noqa: S101  one of both made the number
    if finish is None:
        return Try(number, _NEVER_FINISHED, begun.at, None)
    return Try(number, outcome_from_json(finish.data), begun.at, finish.at)


def _item(event: Event) -> Any:
    return event.data.get("item", event.item) if event.item else None


def _deviations(end: Mapping[str, Any], tasks: Iterable[TaskRecord]) -> tuple[str, ...]:
    own = end.get("deviations") or ()
    return tuple(dict.fromkeys([*own, *(each for task in tasks for each in task.outcome.deviations)]))


def _problems(steps: Iterable[StepRecord]) -> tuple[FoundProblem, ...]:
    found: dict[tuple[str, str | None], FoundProblem] = {}
    for step in steps:
        for target in step.targets:
            for task in target.tasks:
                for p in task.outcome.problems:
                    found[p.key, target.target] = FoundProblem(
                        p.key, p.severity, target.target, p.message, step.id, task.id
                    )
    return tuple(found.values())


def _answer(event: Event) -> Answer:
    data = event.data
    words = {name: str(data.get(name) or "") for name in ("role", "person", "label", "method", "note", "subject")}
    return Answer(event.step, event.attempt, event.task, event.target, at=event.at, **words)


def _move(event: Event) -> Move:
    data = event.data
    return Move(
        event.step, event.attempt, event.target, str(data["to"]), bool(data["back"]), str(data.get("why", "")), event.at
    )
