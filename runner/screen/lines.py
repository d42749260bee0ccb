"""What is said of a run's events while it goes on, line by line."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from runner.contract import FINISHED_WELL, Status
from runner.durations import render_duration
from runner.events import SHARED, Event, Key, Kind
from runner.languages import language, translate
from runner.posts import say_roles
from runner.screen.tables import coloured, deviating, named, one_line

LONGEST = 2000
BAD = frozenset(Status) - FINISHED_WELL - {Status.SKIPPED, Status.WAITING}

_Place = tuple[str, str, int, str | None]  # run, step, attempt, target


class Lines:
    """Turns events into lines.

    Tasks that went wrong and the problems they found are told when their step ends, as its last try left them: what
    a retry mended is no news. With `steps`, each step is told as it ends; with `verbose` 1 each try of a task at
    once, with 2 its outputs too. Requests, moves, deviations and values of other runs are always told.
    """

    def __init__(self, *, steps: bool, verbose: int) -> None:
        self._steps = steps or verbose > 0
        self._verbose = verbose
        self._held: dict[_Place, dict[tuple[str, str], Event]] = {}
        self._told: set[tuple[str, str]] = set()

    def render(self, event: Event) -> Iterator[str]:
        """Given the next event, yield what to say of it, in the language of screens."""
        yield from map(translate, self._render(event))

    def _render(self, event: Event) -> Iterator[str]:
        if event.kind is Kind.TASK_FINISHED:
            self._hold(event)
            if self._verbose:
                yield from self._task(event)
        elif event.kind is Kind.STEP_FINISHED:
            yield from self._step(event)
        elif event.kind is Kind.REQUESTED:
            who = say_roles(event.data["role"]) or "a person"
            yield f"{place_of(event)}: waits for {who}: {_short(event.data['question'])}"
            if day := event.data.get("unheld"):
                cure = "name a person in the inventory, and sign with -i"
                yield f"{place_of(event)}: nobody holds the role '{event.data['role']}' on {day}. {cure}"
        elif event.kind is Kind.MOVED:
            to = "goes back" if event.data["back"] else "goes on"
            yield f"{place_of(event)}: {to} to '{one_line(event.data['to'])}': {_short(event.data['why'])}"
        elif event.kind is Kind.RUN_ENDED:
            for place in [place for place in self._held if place[0] == event.run]:
                yield from self._release(place)

    def _hold(self, event: Event) -> None:
        held = self._held.setdefault((event.run, event.step, event.attempt, event.target), {})
        if event.data["status"] in BAD or event.data["problems"]:
            held[event.task, event.item] = event
        else:
            held.pop((event.task, event.item), None)

    def _release(self, place: _Place) -> Iterator[str]:
        for event in self._held.pop(place, {}).values():
            if event.data["status"] in BAD and not self._verbose:
                yield _outcome(event)
            for problem in event.data["problems"]:
                if problem["key"].startswith(SHARED):
                    if (event.run, problem["key"]) in self._told:
                        continue
                    self._told.add((event.run, problem["key"]))
                yield f"{place_of(event)}: problem, {coloured(problem['severity'])}: {_short(problem['message'])}"

    def _step(self, event: Event) -> Iterator[str]:
        yield from self._release((event.run, event.step, event.attempt, event.target))
        data = event.data
        if self._steps:
            yield f"{place_of(event)}: {coloured(data['status'])}{_remark(data)}"
        for note in data.get("earlier", ()):
            yield f"{place_of(event)}: {_short(note)}"
        for deviation in data["deviations"]:
            yield f"{place_of(event)}: deviation: {_short(deviating(deviation))}"

    def _task(self, event: Event) -> Iterator[str]:
        yield _outcome(event)
        if self._verbose > 1:
            for name, value in event.data["outputs"].items():
                yield f"  {one_line(name)}: {_short(json.dumps(value, ensure_ascii=False))}"


def _outcome(event: Event) -> str:
    data = event.data
    reason = f" ({named(data['reason'])})" if data["reason"] else ""
    message = f": {_short(data['message'])}" if data["message"] else ""
    return f"{place_of(event)}: {coloured(data['status'])}{reason}{message}"


def _remark(data: Mapping[str, Any]) -> str:
    if data.get("message"):
        return f" ({_short(data['message'])})"
    used = data["used_seconds"]
    return f" ({render_duration(used, language())})" if used and data["status"] != Status.SKIPPED else ""


def place_of(event: Event | Key) -> str:
    """Given an event or a task's key, return where it is, in words."""
    what = f"{event.step}.{event.task}" if event.task else event.step
    tries = f", try {event.tries}" if event.tries > 1 else ""
    item = f"[{event.item}]" if event.item else ""
    return one_line(f"{what}{item}{tries} on {event.target}" if event.target else f"{what}{item}{tries}")


def _short(text: object) -> str:
    shown = one_line(text)
    return shown if len(shown) <= LONGEST else shown[:LONGEST] + "…"
