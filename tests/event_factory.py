"""Events for tests: short to write, complete, one second apart."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from runner.contract import Evidence, Outcome, Problem, Reason, Request, Severity, Status
from runner.events import Event, Kind, outcome_to_json

START = datetime(2026, 11, 22, 2, 30, tzinfo=UTC)


class RunFactory:
    """Makes the events of one run, each a second after the one before."""

    def __init__(self, run: str = "20261122-0930-aaaaa", playbook: str = "care", start: datetime = START) -> None:
        self.run = run
        self.playbook = playbook
        self._now = start

    def event(self, kind: Kind, **fields: Any) -> Event:
        self._now += timedelta(seconds=1)
        return Event(kind, self.run, self._now, **fields)

    def started(self, steps: Sequence[str] = ("check", "backup"), title: str = "Pemeliharaan") -> Event:
        data = {
            "playbook": self.playbook,
            "title": title,
            "steps": [{"id": step, "activity": f"Do {step}"} for step in steps],
        }
        return self.event(Kind.RUN_STARTED, data=data)

    def resumed(self) -> Event:
        return self.event(Kind.RUN_RESUMED, data={"by": "budi", "reason": "power cut"})

    def ended(self, status: Status = Status.OK, exit_code: int = 0) -> Event:
        return self.event(Kind.RUN_ENDED, data={"status": str(status), "exit_code": exit_code})

    def step_started(self, step: str = "check", target: str | None = "site", attempt: int = 1) -> Event:
        data = {"time_limit": "1 hari", "due": "2026-11-23T09:30:00+00:00", "counted": ["clock: 1"]}
        return self.event(Kind.STEP_STARTED, step=step, attempt=attempt, target=target, data=data)

    def step_finished(
        self,
        step: str = "check",
        target: str | None = "site",
        attempt: int = 1,
        status: Status = Status.OK,
        **data: Any,
    ) -> Event:
        told = {"status": str(status), "used_seconds": 2.0, "outputs": {}, "deviations": [], "reason": None, **data}
        return self.event(Kind.STEP_FINISHED, step=step, attempt=attempt, target=target, data=told)

    def claim(self, task: str = "probe", step: str = "check", target: str | None = "site", **place: Any) -> Event:
        data = {"action": "website.available", "limit_seconds": 30.0, "repeat": "safe", "effect": "read"}
        return self.event(Kind.TASK_STARTED, step=step, task=task, target=target, data=data, **_place(place))

    def finish(
        self,
        task: str = "probe",
        step: str = "check",
        target: str | None = "site",
        outcome: Outcome | None = None,
        item_value: Any = None,
        **place: Any,
    ) -> Event:
        data = {"action": "website.available", "item": item_value, **outcome_to_json(outcome or Outcome(Status.OK))}
        return self.event(Kind.TASK_FINISHED, step=step, task=task, target=target, data=data, **_place(place))

    def requested(self, task: str = "sign", step: str = "check", target: str | None = None, **place: Any) -> Event:
        data = {"action": "person.sign", "role": "sekretaris", "question": "Setuju?", "answers": ["ya", "tidak"]}
        data["subject"] = ""
        return self.event(Kind.REQUESTED, step=step, task=task, target=target, data=data, **_place(place))

    def answered(self, task: str = "sign", step: str = "check", target: str | None = None, **place: Any) -> Event:
        data = {"role": "sekretaris", "person": "siti", "label": "ya", "method": "login", "note": "", "subject": ""}
        return self.event(Kind.ANSWERED, step=step, task=task, target=target, data=data, **_place(place))

    def moved(self, step: str, to: str, *, back: bool, again: Sequence[str] = ()) -> Event:
        data = {"to": to, "back": back, "why": "tidak", "again": list(again)}
        return self.event(Kind.MOVED, step=step, attempt=1, data=data)

    def whole(self, outcome: Outcome | None = None, **place: Any) -> list[Event]:
        """A run of one task."""
        return [
            self.started(),
            self.step_started(),
            self.claim(**place),
            self.finish(outcome=outcome, **place),
            self.step_finished(),
            self.ended(),
        ]


def found(*keys: str, severity: Severity = Severity.MAJOR, message: str = "is wrong") -> Outcome:
    """An outcome that reports problems with those keys."""
    return Outcome(Status.OK, problems=tuple(Problem(key, severity, f"{key} {message}") for key in keys))


def skipped(reason: Reason = Reason.CONDITION) -> Outcome:
    return Outcome(Status.SKIPPED, reason=reason)


def waits(role: str = "sekretaris") -> Outcome:
    return Outcome(Status.WAITING, request=Request(role, "Setuju?", ("ya", "tidak")))


def with_evidence(*evidence: Evidence) -> Outcome:
    return Outcome(Status.OK, evidence=evidence)


def _place(given: dict[str, Any]) -> dict[str, Any]:
    return {"attempt": 1, "tries": 1, **given}
