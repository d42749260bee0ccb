"""What the engine says. A secret is masked when an event is made, so no listener ever holds one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from runner.contract import Evidence, Outcome, Problem, Reason, Request, Severity, Status


class Kind(StrEnum):
    """The kinds of event, in the order of a run's life. `data` holds, by kind:

    run_started    playbook, title, file, mode, by, version, sources [{kind, file, name, sha256, kept, size}],
                   steps [{id, activity, …}], targets, options {limit, only, from, variables, forks},
                   actions [{origin, name, …}] that are not built in
    run_resumed    by, reason
    step_started   time_limit, due (ISO time or null), counted [how: the rule first, "kind: detail"]
    task_started   action, limit_seconds, repeat, effect, item         (the claim: on disk before the act)
    task_finished  action, item, and the outcome's fields              (on disk before the next act)
    step_finished  status, used_seconds, outputs, deviations, reason, message, earlier (what it read of other runs)
    moved          to, back (boolean), why, again [steps that begin a new attempt]   (a decision, answer or failure
                   goes to another step; where it goes to a task of its own step, `to` is "step.task" and tasks
                   {task: its last try before})
    requested      action, item, role, question, answers, subject, unheld (the day, where nobody holds the role then;
                   else "")                                            (a person's act is asked for)
    answered       role, person, acting ("Plh", "Plt", ""), decree, label, to (the step it is returned to, label
                   "returned"; else ""), method, note, subject, evidence [{name, sha256, …}], deviations,
                   signature {kind: login | ssh | paper, …}, inventory [{name, sha256, …}] where another one than the
                   run's says who counts                                (and given; the key is the request's)
    handed         party, person, note                                 (to a third party, who has it from then on)
    taken_back     person, note
    escalated      rung (from 1), when, role, persons, due, told [{channel, recipient, status, answer}]
    problem_marked key, target, state, person, login, method, reason, until, severity, evidence
                                                                       (of a problem, by a run or a person, at any time)
    cancelled      person, login, reason                               (by a person; the run never goes on)
    run_ended      status ("cancelled" after that), exit_code
    """

    RUN_STARTED = "run_started"
    RUN_RESUMED = "run_resumed"
    STEP_STARTED = "step_started"
    TASK_STARTED = "task_started"
    TASK_FINISHED = "task_finished"
    STEP_FINISHED = "step_finished"
    MOVED = "moved"
    REQUESTED = "requested"
    ANSWERED = "answered"
    HANDED = "handed"
    TAKEN_BACK = "taken_back"
    ESCALATED = "escalated"
    PROBLEM_MARKED = "problem_marked"
    CANCELLED = "cancelled"
    RUN_ENDED = "run_ended"


class Key(NamedTuple):
    """What a claim names. `target` is None in a step that runs once; `item` is the place in `for_each` ("" without);
    `attempt` and `tries` count from 1."""

    step: str
    attempt: int
    task: str
    target: str | None
    item: str
    tries: int


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened. `at` is an aware UTC time; fields that do not apply are empty."""

    kind: Kind
    run: str
    at: datetime
    step: str = ""
    attempt: int = 0
    task: str = ""
    target: str | None = None
    item: str = ""
    tries: int = 0
    data: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> Key:
        """The claim that this event belongs to."""
        return Key(self.step, self.attempt, self.task, self.target, self.item, self.tries)

    @property
    def outputs(self) -> Mapping[str, Any]:
        """What a task or step gave when it finished; {} where it gave nothing."""
        return self.data.get("outputs") or {}

    def to_json(self) -> dict[str, Any]:
        """The event as plain JSON values, `at` in ISO form."""
        return {
            "kind": str(self.kind),
            "run": self.run,
            "at": self.at.isoformat(),
            "step": self.step,
            "attempt": self.attempt,
            "task": self.task,
            "target": self.target,
            "item": self.item,
            "try": self.tries,
            "data": dict(self.data),
        }

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Event:
        """The inverse of `to_json`."""
        return cls(
            kind=Kind(body["kind"]),
            run=body["run"],
            at=datetime.fromisoformat(body["at"]),
            step=body["step"],
            attempt=body["attempt"],
            task=body["task"],
            target=body["target"],
            item=body["item"],
            tries=body["try"],
            data=body["data"],
        )


SHARED = "office."


def fault_of(key: str, target: str | None) -> tuple[str, str | None]:
    """Given a problem's key and the target it was met on, return what tells problems apart: key and target.

    A fault of the office's own (`office.…`) is one problem without a target, however many targets meet it.
    """
    return key, None if key.startswith(SHARED) else target


def outcome_to_json(outcome: Outcome) -> dict[str, Any]:
    """Given an outcome, return its fields as plain JSON values."""
    request = outcome.request
    return {
        "status": str(outcome.status),
        "reason": None if outcome.reason is None else str(outcome.reason),
        "message": outcome.message,
        "outputs": dict(outcome.outputs),
        "evidence": [kept._asdict() for kept in outcome.evidence],
        "problems": [{"key": p.key, "severity": str(p.severity), "message": p.message} for p in outcome.problems],
        "deviations": list(outcome.deviations),
        "request": request
        and {
            "role": request.role,
            "question": request.question,
            "answers": list(request.answers),
            "subject": request.subject,
        },
    }


def outcome_from_json(body: Mapping[str, Any]) -> Outcome:
    """The inverse of `outcome_to_json`; further keys are ignored."""
    request = body.get("request")
    return Outcome(
        status=Status(body["status"]),
        reason=Reason(body["reason"]) if body.get("reason") else None,
        message=body["message"],
        outputs=body["outputs"],
        evidence=tuple(Evidence(**e) for e in body["evidence"]),
        problems=tuple(Problem(p["key"], Severity(p["severity"]), p["message"]) for p in body["problems"]),
        deviations=tuple(body["deviations"]),
        request=Request(**{**request, "answers": tuple(request["answers"])}) if request else None,
    )
