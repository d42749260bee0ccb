"""What a run has done already, folded from its events, so that a resumed run repeats nothing that finished."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from runner.contract import Outcome, Reason, Status
from runner.events import Event, Key, Kind, outcome_from_json
from runner.record.marks import Fault, State
from runner.secrets import was_masked

Said = tuple[Kind, str, int, str | None]


@dataclass(slots=True)
class Progress:
    """Finished outcomes, claims, requests and their answers, what was said about steps, and when the run began."""

    finished: dict[Key, Outcome] = field(default_factory=dict)
    claimed: set[Key] = field(default_factory=set)
    requested: dict[Key, Mapping[str, Any]] = field(default_factory=dict)
    answers: dict[Key, Mapping[str, Any]] = field(default_factory=dict)
    masked: set[Key] = field(default_factory=set)
    said: dict[Said, datetime] = field(default_factory=dict)
    due: dict[Said, datetime] = field(default_factory=dict)
    ended: dict[Key, Outcome] = field(default_factory=dict)
    taken: set[Fault] = field(default_factory=set)
    moved: dict[Key, Mapping[str, Any]] = field(default_factory=dict)
    began: datetime | None = None

    def add(self, event: Event) -> None:
        """Take in one event of the run, in order."""
        if event.kind is Kind.RUN_STARTED:
            self.began = event.at
        elif event.kind is Kind.TASK_STARTED:
            self.claimed.add(event.key)
        elif event.kind is Kind.TASK_FINISHED:
            self._finish(event)
        elif event.kind is Kind.REQUESTED:
            self.requested[event.key] = event.data
        elif event.kind is Kind.ANSWERED:
            self.answers[event.key] = event.data
        elif event.kind is Kind.PROBLEM_MARKED and event.data["state"] == State.HANDLED:
            self.taken.add((event.data["key"], event.target))
        elif event.kind is Kind.MOVED:
            self.moved[event.key] = event.data
        elif event.kind in (Kind.STEP_STARTED, Kind.STEP_FINISHED):
            self.say(event)
            if event.kind is Kind.STEP_FINISHED:
                reason = Reason(event.data["reason"]) if event.data["reason"] else None
                self.ended[event.key] = Outcome(
                    Status(event.data["status"]), message=event.data["message"], reason=reason
                )

    def knows(self, key: Key) -> bool:
        """Whether something was begun, asked for or finished."""
        return key in self.claimed or key in self.requested or key in self.finished

    def say(self, event: Event) -> None:
        """Take in that something was said about a step, and when it is due."""
        said = (event.kind, event.step, event.attempt, event.target)
        self.said[said] = event.at
        if event.data.get("due"):
            self.due[said] = datetime.fromisoformat(event.data["due"])

    def _finish(self, event: Event) -> None:
        """Take in an outcome; what was masked in it has no value any more, as nothing is passed on masked."""
        outcome = outcome_from_json(event.data)
        outputs = {name: value for name, value in outcome.outputs.items() if not was_masked(value)}
        if len(outputs) < len(outcome.outputs):
            self.masked.add(event.key)
        self.finished[event.key] = replace(outcome, outputs=outputs)


def build_progress(events: Iterable[Event]) -> Progress:
    """Given a run's events in order, return its progress."""
    progress = Progress()
    for event in events:
        progress.add(event)
    return progress
