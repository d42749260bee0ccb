"""What goes on in a run, folded from its events: which target is at which step, and what is left of its limit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from runner.contract import FINISHED_WELL, Status
from runner.durations import render_duration
from runner.events import Event, Key, Kind
from runner.languages import label, language, translate
from runner.screen.tables import cut, printable, width_of

ONCE = "(once)"
WIDEST_NAME = 28
STATES = DONE, RUNNING, WAITING, FAILED, TO_DO = "done", "running", "waiting", "failed", "to do"

_Place = tuple[str, str | None, str]  # run (an included playbook is a run of its own), target, step where it runs once


@dataclass(slots=True)
class _Lane:
    """A target in a step. `task` and what follows are of the task being done; "" between two. `told` is how
    far it says it is."""

    step: str
    begun: datetime
    due: datetime | None
    task: str = ""
    started: datetime | None = None
    limit: float | None = None
    told: str = ""


class Board:
    """Given the targets of each step, in order ((None,) where it runs once), take in events and tell what goes on."""

    def __init__(self, steps: Mapping[str, Iterable[str | None]]) -> None:
        self._to_do: dict[str | None, set[str]] = {}
        for step, targets in steps.items():
            for target in targets:
                self._to_do.setdefault(target, set()).add(step)
        self._targets = [target for target in self._to_do if target is not None]
        self._planned = {target: frozenset(left) for target, left in self._to_do.items()}
        self._bad: dict[str | None, set[str]] = {}
        self._waiting: set[str | None] = set()
        self._lanes: dict[_Place, _Lane] = {}
        self._run = ""
        self._began: datetime | None = None

    def add(self, event: Event) -> None:
        """Take in one event."""
        if event.kind in (Kind.RUN_STARTED, Kind.RUN_RESUMED):
            self._run = self._run or event.run
            if event.run == self._run:
                self._began = event.at
        elif event.kind is Kind.RUN_ENDED:
            for place in [place for place in self._lanes if place[0] == event.run]:
                del self._lanes[place]
        elif event.kind is Kind.MOVED:
            if event.run == self._run:
                self._go_back(event.data.get("again") or ())
        elif event.kind is Kind.REQUESTED:
            self._waiting.add(event.target)
            self._lanes.pop(_place(event), None)
        else:
            self._add_to_lane(event)

    def _add_to_lane(self, event: Event) -> None:
        place = _place(event)
        if event.kind is Kind.STEP_STARTED:
            due = event.data.get("due")
            self._lanes[place] = _Lane(event.step, event.at, datetime.fromisoformat(due) if due else None)
        elif event.kind is Kind.TASK_STARTED:
            lane = self._lanes.setdefault(place, _Lane(event.step, event.at, None))
            lane.task, lane.started, lane.limit = event.task, event.at, event.data.get("limit_seconds")
            lane.told = ""
        elif event.kind is Kind.TASK_FINISHED and place in self._lanes:
            lane = self._lanes[place]
            lane.task, lane.started, lane.limit, lane.told = "", None, None, ""
        elif event.kind is Kind.STEP_FINISHED:
            self._lanes.pop(place, None)
            if event.run == self._run:
                self._finish(event)

    def _finish(self, event: Event) -> None:
        self._to_do.get(event.target, set()).discard(event.step)
        self._waiting.discard(event.target)
        bad = self._bad.setdefault(event.target, set())
        if Status(event.data["status"]) in FINISHED_WELL or event.data["status"] == Status.SKIPPED:
            bad.discard(event.step)
        else:
            bad.add(event.step)

    def _go_back(self, steps: Iterable[str]) -> None:
        """A new attempt of those steps begins."""
        again = set(steps)
        for place in [place for place, lane in self._lanes.items() if lane.step in again]:
            del self._lanes[place]
        for target, planned in self._planned.items():
            self._to_do[target] |= planned & again
            self._bad.get(target, set()).difference_update(again)

    def tell(self, key: Key, text: str) -> None:
        """Take in how far a task is."""
        for (_, target, _), lane in self._lanes.items():
            if (lane.step, lane.task, target) == (key.step, key.task, key.target):
                lane.told = text

    def counts(self) -> Counter[str]:
        """How many targets are done, running, waiting, failed and to do; of a run without targets, how many steps."""
        if not self._targets:
            left = len(self._to_do.get(None, ()))
            running = len(self._lanes)
            whole = len(self._planned.get(None, ()))
            return Counter({DONE: whole - left, RUNNING: running, TO_DO: max(0, left - running)})
        running_now = {target for _, target, _ in self._lanes}
        return Counter(self._state(target, target in running_now) for target in self._targets)

    def _state(self, target: str, running: bool) -> str:
        if running:
            return RUNNING
        if self._bad.get(target):
            return FAILED
        if target in self._waiting:
            return WAITING
        return TO_DO if self._to_do[target] else DONE

    def render(self, now: datetime, width: int, height: int) -> list[str]:
        """What to show, at most `height` lines of `width` columns: a head line, then the longest-running targets."""
        lanes = sorted(self._lanes.items(), key=lambda item: item[1].started or item[1].begun)
        shown = lanes if len(lanes) < height else lanes[: max(0, height - 2)]
        widest = max((width_of(_name(target)) for (_, target, _), _ in shown), default=0)
        lines = [self._head(now)]
        lines += [f"  {_row(target, lane, now, min(widest, WIDEST_NAME))}" for (_, target, _), lane in shown]
        if len(shown) < len(lanes):
            lines.append(translate(f"  … and {len(lanes) - len(shown)} more"))
        return [cut(line, width) for line in lines[: max(1, height)]]

    def _head(self, now: datetime) -> str:
        counts = self.counts()
        told = ", ".join(f"{counts[state]} {label(state)}" for state in STATES if counts[state])
        whole = len(self._targets) or len(self._planned.get(None, ()))
        what = f"of {whole} targets" if self._targets else f"of {whole} steps"
        return f"{self._run}  {_since(self._began, now)}  {told or translate('nothing to do')} {translate(what)}"


def _place(event: Event) -> _Place:
    """Where an event happened: on a target, or in one of several steps that run once, at the same time."""
    return event.run, event.target, event.step if event.target is None else ""


def _name(target: str | None) -> str:
    return label(ONCE) if target is None else printable(target)


def _row(target: str | None, lane: _Lane, now: datetime, widest: int) -> str:
    name = cut(_name(target), widest)
    padded = name + " " * (widest - width_of(name))
    return "  ".join([padded, *map(translate, _parts(lane, now))])


def _parts(lane: _Lane, now: datetime) -> Iterator[str]:
    yield f"{lane.step}.{lane.task}" if lane.task else lane.step
    yield _since(lane.started or lane.begun, now)
    if lane.told:
        yield lane.told
    if lane.started and lane.limit:
        left = lane.limit - int((now - lane.started).total_seconds())
        whole = _words(lane.limit)
        yield f"{_words(left)} left of {whole}" if left > 0 else f"over its limit of {whole}"
    if lane.due:
        left = (lane.due - now).total_seconds()
        yield f"step due in {_words(left)}" if left > 0 else f"step late by {_words(-left)}"


def _since(start: datetime | None, now: datetime) -> str:
    return _words((now - start).total_seconds()) if start else ""


def _words(seconds: float) -> str:
    return render_duration(float(int(max(0.0, seconds))), language())
