"""What is gathered about a step on one target, event by event, before it becomes part of a record."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from runner.contract import Outcome, Reason, Request, Status, worst
from runner.events import Event, outcome_from_json
from runner.record.document import OpenRequest, TargetRecord, TaskRecord, Try

_NEVER_FINISHED = Outcome(Status.INTERRUPTED, message="begun, and never finished")
_WAITS_INSIDE = Outcome(Status.WAITING, message="what it includes waits for a person")


@dataclass(slots=True)
class GatheredTask:
    """A task's events by try; of a person's task, its request, and whether that was answered.

    `waits_inside` tells that what was begun, and did not finish, is a playbook that waits for a person: the run ended
    all the same.
    """

    claims: dict[int, Event] = field(default_factory=dict)
    finishes: dict[int, Event] = field(default_factory=dict)
    requests: dict[int, Event] = field(default_factory=dict)
    answered: set[int] = field(default_factory=set)
    waits_inside: bool = False

    def record(self) -> TaskRecord:
        """The task as a record."""
        numbers = sorted({*self.claims, *self.finishes, *self.requests})
        last = self._first_of(numbers[-1])
        tries = tuple(self._try(number) for number in numbers)
        return TaskRecord(last.task, str(last.data.get("action", "")), last.item, _item(last), tries)

    def open_request(self, due: datetime | None) -> OpenRequest | None:
        """The request of the latest try, unless it was answered."""
        number = max([*self.claims, *self.finishes, *self.requests])
        finish = self.finishes.get(number)
        if finish and finish.data["status"] != Status.WAITING and number not in self.requests:
            return None
        latest = self._try(number)
        if latest.outcome.status != Status.WAITING or latest.outcome.request is None or number in self.answered:
            return None
        event = self.requests.get(number) or self.finishes[number]
        return OpenRequest(event.key, str(event.data.get("action", "")), latest.outcome.request, event.at, due)

    def _first_of(self, number: int) -> Event:
        return self.claims.get(number) or self.requests.get(number) or self.finishes[number]

    def _try(self, number: int) -> Try:
        finish, request, started = self.finishes.get(number), self.requests.get(number), self._first_of(number).at
        waits = self.waits_inside and number == max(self.claims, default=0)
        outcome = outcome_from_json(finish.data) if finish else _WAITS_INSIDE if waits else _NEVER_FINISHED
        if request and (finish is None or number not in self.answered):
            return Try(number, _waiting(outcome, request), started, None)
        return Try(number, outcome, started, finish.at if finish else None)


@dataclass(slots=True)
class GatheredTarget:
    """A step's attempt on one target."""

    started: Event | None = None
    finished: Event | None = None
    tasks: dict[tuple[str, str], GatheredTask] = field(default_factory=dict)

    def record(self, target: str | None) -> TargetRecord:
        """The step on that target as a record."""
        tasks = tuple(task.record() for task in self.tasks.values())
        begun = self.started.data if self.started else {}
        end: Mapping[str, Any] = self.finished.data if self.finished else {}
        return TargetRecord(
            target=target,
            status=self._status(tasks),
            reason=Reason(end["reason"]) if end.get("reason") else None,
            message=end.get("message") or "; ".join(end.get("earlier") or ()),
            started=self.started.at if self.started else None,
            due=_moment(begun.get("due")),
            ended=self.finished.at if self.finished else None,
            used_seconds=end.get("used_seconds"),
            outputs=end.get("outputs") or {},
            deviations=_deviations(end, tasks),
            tasks=tasks,
            counted=tuple(begun.get("counted") or ()),
        )

    def open_requests(self) -> Iterator[OpenRequest]:
        """What waits here for a person; a step that has ended waits for nobody."""
        if self.finished:
            return
        due = _moment(self.started.data.get("due")) if self.started else None
        for task in self.tasks.values():
            if request := task.open_request(due):
                yield request

    def _status(self, tasks: tuple[TaskRecord, ...]) -> Status:
        if self.finished:
            return Status(self.finished.data["status"])
        statuses = [task.outcome.status for task in tasks]
        return worst(statuses if Status.WAITING in statuses else [*statuses, Status.INTERRUPTED])


def _waiting(outcome: Outcome, asked: Event) -> Outcome:
    data = asked.data
    request = Request(data["role"], data["question"], tuple(data["answers"]), data["subject"])
    return replace(outcome, status=Status.WAITING, request=request, message=request.question)


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _item(event: Event) -> Any:
    return event.data.get("item", event.item) if event.item else None


def _deviations(end: Mapping[str, Any], tasks: Iterable[TaskRecord]) -> tuple[str, ...]:
    own = end.get("deviations") or ()
    return tuple(dict.fromkeys([*own, *(each for task in tasks for each in task.outcome.deviations)]))
