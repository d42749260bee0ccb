"""What a run has done already, folded from its events, so that a resumed run repeats nothing that finished."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from runner.contract import Outcome
from runner.events import Event, Key, Kind, outcome_from_json
from runner.secrets import was_masked

Said = tuple[Kind, str, int, str | None]


@dataclass(slots=True)
class Progress:
    """Finished outcomes, claims without one, requests and their answers, and what was said about steps."""

    finished: dict[Key, Outcome] = field(default_factory=dict)
    claimed: set[Key] = field(default_factory=set)
    requested: set[Key] = field(default_factory=set)
    answers: dict[Key, Mapping[str, Any]] = field(default_factory=dict)
    masked: set[Key] = field(default_factory=set)
    said: dict[Said, datetime] = field(default_factory=dict)

    def add(self, event: Event) -> None:
        """Take in one event of the run, in order."""
        if event.kind is Kind.TASK_STARTED:
            self.claimed.add(event.key)
        elif event.kind is Kind.TASK_FINISHED:
            self.finished[event.key] = outcome_from_json(event.data)
            if was_masked(event.data["outputs"]):
                self.masked.add(event.key)
        elif event.kind is Kind.REQUESTED:
            self.requested.add(event.key)
        elif event.kind is Kind.ANSWERED:
            self.answers[event.key] = event.data
        elif event.kind in (Kind.STEP_STARTED, Kind.STEP_FINISHED, Kind.MOVED):
            self.said[event.kind, event.step, event.attempt, event.target] = event.at


def build_progress(events: Iterable[Event]) -> Progress:
    """Given a run's events in order, return its progress."""
    progress = Progress()
    for event in events:
        progress.add(event)
    return progress
