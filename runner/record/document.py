"""A run as its events tell it, as values that never change, and as the JSON document that programs read."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, NamedTuple

from runner.contract import Evidence, Outcome, Reason, Request, Severity, Status, worst
from runner.events import Key
from runner.messages import render_counted


class Try(NamedTuple):
    """One try of a task. `ended` is None where it never finished: it is then `interrupted`, or waits for a person."""

    number: int
    outcome: Outcome
    started: datetime
    ended: datetime | None


class TaskRecord(NamedTuple):
    """A task on one target; its state is that of the latest try. `place` is the claim's item, `item` its value."""

    id: str
    action: str
    place: str
    item: Any
    tries: tuple[Try, ...]

    @property
    def latest(self) -> Try:
        """The try that counts."""
        return self.tries[-1]

    @property
    def outcome(self) -> Outcome:
        """The outcome of the try that counts."""
        return self.latest.outcome


class TargetRecord(NamedTuple):
    """A step on one target (None where it runs once). `used_seconds` is by the clock, None until it
    finished; whether that was within the norm is told by `due` and the deviations, how it was counted by `counted`."""

    target: str | None
    status: Status
    reason: Reason | None
    message: str
    started: datetime | None
    due: datetime | None
    ended: datetime | None
    used_seconds: float | None
    outputs: Mapping[str, Any]
    deviations: tuple[str, ...]
    tasks: tuple[TaskRecord, ...]
    counted: tuple[str, ...] = ()


class StepRecord(NamedTuple):
    """One attempt of a step; `attempt` is 0 for a step that was never begun, `time_limit` is as written."""

    id: str
    activity: str
    attempt: int
    time_limit: str | None
    targets: tuple[TargetRecord, ...]

    @property
    def status(self) -> Status:
        """The worst of its targets' statuses."""
        return worst([target.status for target in self.targets])

    @property
    def tasks(self) -> list[tuple[TargetRecord, TaskRecord]]:
        """Each task, with the target that it was done on."""
        return [(target, task) for target in self.targets for task in target.tasks]

    @property
    def evidence(self) -> list[Evidence]:
        """All files that it kept."""
        return [kept for _, task in self.tasks for kept in task.outcome.evidence]


class FoundProblem(NamedTuple):
    """A problem that a run found, and where; `step` and `task` say what found it."""

    key: str
    severity: Severity
    target: str | None
    message: str
    step: str
    task: str


class Answer(NamedTuple):
    """A person's act: who answered the request of that key, as what, with which label, and how it was proved.

    `acting` is "Plh" or "Plt" of a deputy; `to` the step that it was returned to, "" where it was not; `signature`
    what proves it, `evidence` the files put to it.
    """

    key: Key
    role: str
    person: str
    label: str
    method: str
    note: str
    subject: str
    at: datetime
    acting: str = ""
    to: str = ""
    evidence: tuple[Evidence, ...] = ()
    deviations: tuple[str, ...] = ()
    signature: Mapping[str, Any] = MappingProxyType({})


class Hand(NamedTuple):
    """A wait for a third party: who handed the request of that key to whom, and when it came back (None: it did not).

    It also ends with the answer, and with the run.
    """

    key: Key
    party: str
    person: str
    note: str
    since: datetime
    until: datetime | None = None
    remark: str = ""


class Escalation(NamedTuple):
    """A rung of the ladder that was reached by the request of that key: whose, when it was due, and what was told."""

    key: Key
    rung: int
    role: str
    persons: tuple[str, ...]
    due: datetime
    told: tuple[Mapping[str, Any], ...]
    at: datetime

    @property
    def reached(self) -> bool:
        """Whether one channel at least took it."""
        return any(each.get("status") == "sent" for each in self.told)


class OpenRequest(NamedTuple):
    """A request that nobody has answered, and since when it waits; `due` is when the step's limit passes."""

    key: Key
    action: str
    request: Request
    since: datetime
    due: datetime | None


class Move(NamedTuple):
    """A decision or a failure that went on at another step; `back` where that began new attempts."""

    step: str
    attempt: int
    target: str | None
    to: str
    back: bool
    why: str
    at: datetime


class Cancellation(NamedTuple):
    """Who ended a run for good before its end, under which login, why and when."""

    person: str
    login: str
    reason: str
    at: datetime


class Record(NamedTuple):
    """What a run did. `steps` has the latest attempt of each step in the playbook's order, `attempts` the earlier ones.

    `started` is what the run's first event says: sources, options, targets and so on. Until the run has ended,
    `ended` is None, and `status` and `exit_code` are those of an interrupted run.
    """

    run: str
    playbook: str
    title: str
    status: Status
    exit_code: int
    started: Mapping[str, Any]
    began: datetime
    ended: datetime | None
    steps: tuple[StepRecord, ...]
    attempts: tuple[StepRecord, ...] = ()
    problems: tuple[FoundProblem, ...] = ()
    requests: tuple[OpenRequest, ...] = ()
    answers: tuple[Answer, ...] = ()
    moves: tuple[Move, ...] = ()
    hands: tuple[Hand, ...] = ()
    escalations: tuple[Escalation, ...] = ()
    cancelled: Cancellation | None = None

    def document(self) -> dict[str, Any]:
        """The run as `sop run --format json` prints it; its form is RECORD_SCHEMA."""
        return {
            "run": self.run,
            "playbook": self.playbook,
            "status": str(self.status),
            "exit_code": self.exit_code,
            "started": self.began.isoformat(),
            "ended": _text(self.ended),
            "steps": [_step(step) for step in self.steps],
            "problems": [
                {"key": p.key, "severity": str(p.severity), "target": p.target, "message": p.message}
                for p in self.problems
            ],
            **_turns(self),
        }


_EXIT_CODES = {
    Status.INTERRUPTED: 130,
    Status.FAILED: 2,
    Status.TIMED_OUT: 2,
    Status.UNREACHABLE: 4,
    Status.WAITING: 3,
}
_FIRST_COUNTS = (130, 2, 4, 10, 3)


def exit_code(statuses: Iterable[Status], problems: Collection[object] = (), interrupted: bool = False) -> int:
    """Given the statuses of a run's steps, what it found and whether it was interrupted, return its exit code."""
    codes = {_EXIT_CODES.get(status, 0) for status in statuses}
    if problems:
        codes.add(10)
    if interrupted:
        codes.add(130)
    return next((code for code in _FIRST_COUNTS if code in codes), 0)


def _turns(record: Record) -> dict[str, Any]:
    """What only some runs have: where it went on out of order, and that it was cancelled."""
    gone = record.cancelled
    moves = [
        {"step": move.step, "to": move.to, "back": move.back, "why": move.why, "at": move.at.isoformat()}
        for move in record.moves
    ]
    return {
        **({"moves": moves} if moves else {}),
        **({"cancelled": {**gone._asdict(), "at": gone.at.isoformat()}} if gone else {}),
    }


def _step(step: StepRecord) -> dict[str, Any]:
    return {
        "id": step.id,
        "status": str(step.status),
        "attempt": step.attempt,
        "time_limit": step.time_limit,
        "targets": [_target(target) for target in step.targets],
    }


def _target(target: TargetRecord) -> dict[str, Any]:
    return {
        "target": target.target,
        "status": str(target.status),
        "due": _text(target.due),
        "counted": [{"rule": e, "id": render_counted(e, "id"), "en": render_counted(e, "en")} for e in target.counted],
        "used_seconds": target.used_seconds,
        "outputs": dict(target.outputs),
        "deviations": list(target.deviations),
        "tasks": [_task(task) for task in target.tasks],
    }


def _task(task: TaskRecord) -> dict[str, Any]:
    outcome, latest = task.outcome, task.latest
    return {
        "id": task.id,
        "action": task.action,
        "item": task.item,
        "try": latest.number,
        "status": str(outcome.status),
        "reason": _text(outcome.reason),
        "started": latest.started.isoformat(),
        "ended": _text(latest.ended),
        "outputs": dict(outcome.outputs),
        "evidence": [kept._asdict() for kept in outcome.evidence],
        "message": outcome.message,
    }


def _text(value: datetime | Reason | None) -> str | None:
    return value.isoformat() if isinstance(value, datetime) else value and str(value)
