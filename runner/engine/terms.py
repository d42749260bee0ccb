"""On what terms a plan is run, how the run is stopped from outside, and how it ended."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Any, NamedTuple

from runner.calendar import Calendar
from runner.contract import Problem, Status
from runner.engine.progress import Progress
from runner.engine.scope import StepValue
from runner.events import Key
from runner.record.marks import Fault

FORKS = 20


class Brake:
    """Stops a run from outside: once lets what is in flight end, twice does not wait for it."""

    def __init__(self) -> None:
        self.pulled = 0
        self._queues: list[SimpleQueue[Any]] = []

    def pull(self) -> None:
        """Stop the run; safe in a signal handler."""
        self.pulled += 1
        for queue in self._queues:
            queue.put(None)

    def wake(self, queue: SimpleQueue[Any]) -> None:
        """Wake that queue's reader when pulled."""
        self._queues.append(queue)


class Rests:
    """The tasks that wait on purpose just now, as between two visits of a site: others take their places meanwhile."""

    def __init__(self) -> None:
        self._resting: set[Key] = set()
        self._queues: list[SimpleQueue[Any]] = []

    def __len__(self) -> int:
        return len(self._resting)

    def begin(self, key: Key) -> None:
        """That task rests."""
        self._resting.add(key)
        for queue in self._queues:
            queue.put(None)

    def end(self, key: Key) -> None:
        """That task goes on, or has ended."""
        self._resting.discard(key)

    def wake(self, queue: SimpleQueue[Any]) -> None:
        """Wake that queue's reader when a task begins to rest."""
        self._queues.append(queue)


@dataclass(frozen=True, slots=True)
class Request:
    """How to run a plan. `header` is what the run says of itself; `explicit` are steps asked for by name; `earlier`
    gives a step's latest value in the record; `child` gives the progress of an included run; `unheld` gives, with what
    the run found, the problems that are open and in nobody's hands; `alone` holds off other runs while it takes up.
    `room` is how many targets the executor takes on at a time just now, `patience` how many seconds an act may wait
    there for its turn; `ahead` tells that the executor takes on rows, in which what reads is sent before its turn;
    `rests` are the tasks whose places others take meanwhile."""

    run: str
    header: Mapping[str, Any]
    calendar: Calendar
    progress: Progress = field(default_factory=Progress)
    resumed: bool = False
    forks: int = FORKS
    dry: bool = False
    ahead: bool = False
    explicit: frozenset[str] = frozenset()
    unheld: Callable[[Collection[Fault]], Iterable[Fault]] = lambda found: found
    alone: Callable[[], AbstractContextManager[object]] = nullcontext
    earlier: Callable[[str, str | None], StepValue | None] = lambda step, target: None
    child: Callable[[str], Progress] = lambda run: Progress()
    room: Callable[[], int] = lambda: sys.maxsize
    patience: float = 0.0
    rests: Rests = field(default_factory=Rests)


class Ending(NamedTuple):
    """How a run ended: its status, those of its steps, the problems found, the outputs for who includes it, and whether
    it waits for a person, which the worst status may hide."""

    status: Status
    statuses: tuple[Status, ...]
    problems: Mapping[tuple[str, str | None], Problem]
    outputs: Mapping[str, Any]
    waits: bool = False
