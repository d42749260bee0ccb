"""Events → Record: one fold, and the only one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

from runner.contract import Evidence, Status
from runner.events import Event, Key, Kind, fault_of
from runner.record.document import (
    Answer,
    Cancellation,
    Escalation,
    FoundProblem,
    Hand,
    Move,
    OpenRequest,
    Record,
    StepRecord,
    exit_code,
)
from runner.record.gathering import GatheredTarget, GatheredTask


def build_record(events: Iterable[Event]) -> Record:
    """Given a run's events in order, return its record. Raise ValueError when there are none."""
    fold = _Fold()
    for event in events:
        fold.add(event)
    return fold.record()


class _Fold:
    def __init__(self) -> None:
        self._first: Event | None = None
        self._ended: Event | None = None
        self._cancelled: Cancellation | None = None
        self._steps: dict[str, dict[int, dict[str | None, GatheredTarget]]] = {}
        self._answers: list[Event] = []
        self._moves: list[Event] = []
        self._hands: list[Hand] = []
        self._escalations: list[Event] = []
        self._take: dict[Kind, Callable[[Event], None]] = {
            Kind.RUN_STARTED: self._run_started,
            Kind.RUN_RESUMED: self._run_resumed,
            Kind.STEP_STARTED: self._step_started,
            Kind.TASK_STARTED: self._task_started,
            Kind.TASK_FINISHED: self._task_finished,
            Kind.STEP_FINISHED: self._step_finished,
            Kind.MOVED: self._moved,
            Kind.REQUESTED: self._requested,
            Kind.ANSWERED: self._answered,
            Kind.HANDED: self._handed,
            Kind.TAKEN_BACK: self._taken_back,
            Kind.ESCALATED: self._escalations.append,
            Kind.PROBLEM_MARKED: lambda event: None,
            Kind.CANCELLED: self._cancel,
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

    def _cancel(self, event: Event) -> None:
        data = event.data
        self._cancelled = Cancellation(str(data["person"]), str(data["login"]), str(data["reason"]), event.at)

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

    def _moved(self, event: Event) -> None:
        """What is done again asks anew: nothing waits there any more."""
        self._moves.append(event)
        for step in event.data.get("again") or ():
            attempts = self._steps.setdefault(step, {})
            attempts.setdefault(max(attempts, default=1) + 1, {})
        tasks = event.data.get("tasks") or {}
        for (task, _), gathered in self._target(event).tasks.items() if tasks else ():
            if task in tasks:
                gathered.answered.update(range(1, tasks[task] + 1))

    def _requested(self, event: Event) -> None:
        self._task(event).requests[event.tries] = event

    def _answered(self, event: Event) -> None:
        self._answers.append(event)
        self._task(event).answered.add(event.tries)
        self._close_hands(event.key, event.at)

    def _handed(self, event: Event) -> None:
        data = event.data
        hand = Hand(event.key, str(data["party"]), str(data["person"]), str(data.get("note") or ""), event.at)
        self._hands.append(hand)

    def _taken_back(self, event: Event) -> None:
        self._close_hands(event.key, event.at, str(event.data.get("note") or ""))

    def _close_hands(self, key: Key, at: datetime, remark: str = "") -> None:
        self._hands = [
            hand._replace(until=at, remark=remark) if hand.key == key and hand.until is None else hand
            for hand in self._hands
        ]

    def _target(self, event: Event) -> GatheredTarget:
        attempt = self._steps.setdefault(event.step, {}).setdefault(event.attempt, {})
        return attempt.setdefault(event.target, GatheredTarget())

    def _task(self, event: Event) -> GatheredTask:
        return self._target(event).tasks.setdefault((event.task, event.item), GatheredTask())

    def record(self) -> Record:
        if self._first is None:
            raise ValueError("a run has one event at least")
        self._find_waiting_inside()
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
            status=Status.INTERRUPTED if self._cancelled else Status(end.get("status", Status.INTERRUPTED)),
            exit_code=end.get("exit_code", exit_code(statuses, problems, interrupted=not self._ended)),
            started=data,
            began=self._first.at,
            ended=self._ended.at if self._ended else None,
            steps=tuple(latest),
            attempts=tuple(attempt for attempt, is_latest in attempts if not is_latest),
            problems=problems,
            requests=() if self._cancelled else tuple(self._requests()),
            answers=tuple(_answer(event) for event in self._answers),
            moves=tuple(_move(event) for event in self._moves),
            hands=tuple(self._hands),
            escalations=tuple(_escalation(event) for event in self._escalations),
            cancelled=self._cancelled,
        )

    def _find_waiting_inside(self) -> None:
        """A run that ended by itself left nothing in flight: what it includes waits, and so does it."""
        ended = self._ended is not None and self._ended.data.get("status") != Status.INTERRUPTED
        targets = (target for step in self._steps.values() for each in step.values() for target in each.values())
        for task in (task for target in targets for task in target.tasks.values()):
            task.waits_inside = ended

    def _attempts(self) -> Iterator[tuple[StepRecord, bool]]:
        first = self._first.data if self._first else {}
        known = {step["id"]: step for step in first.get("steps") or ()}
        order = {name: place for place, name in enumerate(first.get("targets") or ())}
        for step, attempts in self._steps.items():
            activity = str(known.get(step, {}).get("activity", ""))
            if not attempts:
                yield StepRecord(step, activity, 0, None, ()), True
            for number, targets in sorted(attempts.items()):
                names = sorted(targets, key=lambda name: order.get(name, len(order)))
                records = tuple(targets[name].record(name) for name in names)
                limit = next((t.started.data.get("time_limit") for t in targets.values() if t.started), None)
                yield StepRecord(step, activity, number, limit, records), number == max(attempts)

    def _requests(self) -> Iterator[OpenRequest]:
        for attempts in self._steps.values():
            for target in attempts[max(attempts)].values() if attempts else ():
                yield from target.open_requests()


def _problems(steps: Iterable[StepRecord]) -> tuple[FoundProblem, ...]:
    found: dict[tuple[str, str | None], FoundProblem] = {}
    for step in steps:
        for target, task in step.tasks:
            for p in task.outcome.problems:
                key, on = fault_of(p.key, target.target)
                found[key, on] = FoundProblem(key, p.severity, on, p.message, step.id, task.id)
    return tuple(found.values())


def _answer(event: Event) -> Answer:
    data = event.data
    names = ("role", "person", "label", "method", "note", "subject", "acting", "to")
    return Answer(
        event.key,
        at=event.at,
        evidence=tuple(Evidence(**each) for each in data.get("evidence") or ()),
        deviations=tuple(data.get("deviations") or ()),
        signature=data.get("signature") or {},
        **{name: str(data.get(name) or "") for name in names},
    )


def _escalation(event: Event) -> Escalation:
    data = event.data
    due, told = datetime.fromisoformat(data["due"]), tuple(data.get("told") or ())
    return Escalation(event.key, int(data["rung"]), str(data["role"]), tuple(data["persons"]), due, told, event.at)


def _move(event: Event) -> Move:
    data = event.data
    return Move(
        event.step, event.attempt, event.target, str(data["to"]), bool(data["back"]), str(data.get("why", "")), event.at
    )
