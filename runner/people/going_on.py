"""Whether a run can go on by itself: what it waited for was answered, or it crashed where nothing forbids to go on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from runner.contract import Effect, Repeat
from runner.events import Event, Key, Kind

MOST_CRASHES = 3
BY_TICK = "sop tick"


class Course(NamedTuple):
    """What a run's events tell: whether it ended, was answered since it last went on, what was in flight when it was
    cut off and may not be repeated, and how often it was taken up again in vain."""

    ended: bool
    answered: bool
    forbidden: tuple[Key, ...]
    crashes: int


def read_course(events: Iterable[Event]) -> Course:
    """Given a run's events in order, return what they tell."""
    ended = answered = False
    crashes = 0
    flying: dict[Key, Event] = {}
    for event in events:
        if event.kind in (Kind.RUN_STARTED, Kind.RUN_RESUMED):
            crashes = crashes + 1 if event.data.get("reason") == BY_TICK and not ended else 0
            ended = answered = False
        elif event.kind is Kind.RUN_ENDED:
            ended = True
        elif event.kind is Kind.ANSWERED:
            answered = True
        elif event.kind is Kind.TASK_STARTED:
            flying[event.key] = event
        elif event.kind is Kind.TASK_FINISHED:
            flying.pop(event.key, None)
    forbidden = tuple(key for key, claim in flying.items() if not _may_repeat(claim))
    return Course(ended, answered, forbidden, crashes)


def _may_repeat(claim: Event) -> bool:
    return claim.data.get("effect") == Effect.READ or claim.data.get("repeat") != Repeat.NEVER


def family(run: str, events: Callable[[str], Iterable[Event]]) -> dict[str, Sequence[Event]]:
    """Given a run, return its events, and those of the runs that it includes, by their ids."""
    own = list(events(run))
    found: dict[str, Sequence[Event]] = {run: own}
    for event in own:
        if event.kind is Kind.TASK_STARTED and event.data.get("action") == "include":
            found |= family(f"{run}.{event.step}.{event.attempt}", events)
    return {name: said for name, said in found.items() if said}
