"""What flows wait for: acts that are being done, and pauses."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import count
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar

from runner.contract import Outcome, Reach, Status
from runner.engine.acts import LONGEST_CONNECT, Act, given_up
from runner.engine.course import Pause

GRACE = 15.0
HEARTBEAT = 0.25
WENT_ON = Outcome(Status.OK)

Owner = TypeVar("Owner")


@dataclass(slots=True)
class _InFlight(Generic[Owner]):
    """An act that is being done, who asked for it, and when it is given up."""

    owner: Owner
    act: Act
    given_up_at: float = 0.0


class Pending(Generic[Owner]):
    """Acts handed out and pauses begun, until they end. `submit` does an act elsewhere; `done` wakes who waits."""

    def __init__(
        self, submit: Callable[[Act], Future[Outcome]], done: SimpleQueue[object], patience: float = 0.0
    ) -> None:
        """`patience` is how many seconds an act may wait for its turn where it is handed to."""
        self._submit = submit
        self._done = done
        self._patience = patience
        self._ready: list[_InFlight[Owner]] = []
        self._acts: dict[int, _InFlight[Owner]] = {}
        self._pauses: list[tuple[float, int, Owner, Pause]] = []
        self._number = count()

    @property
    def acts(self) -> bool:
        """Whether any act is being done."""
        return bool(self._acts)

    def waits(self, owner: Owner) -> bool:
        """Whether an act is being done for that owner."""
        return any(each.owner is owner for each in self._acts.values())

    def add(self, owner: Owner, act: Act) -> None:
        """Take in an act, to be handed out with the others."""
        each = self._acts[id(act)] = _InFlight(owner, act)
        self._ready.append(each)

    def pause(self, owner: Owner, pause: Pause) -> None:
        """Begin a pause."""
        heappush(self._pauses, (time.monotonic() + pause.seconds, next(self._number), owner, pause))

    def hand_out(self) -> None:
        """Begin the acts that were taken in."""
        ready, self._ready = self._ready, []
        for each in ready:
            connecting = LONGEST_CONNECT if each.act.action.reach is Reach.SERVER else 0.0
            each.given_up_at = time.monotonic() + self._patience + each.act.limit + connecting + GRACE
            self._begin(each)

    def _begin(self, each: _InFlight[Owner]) -> None:
        future = self._submit(each.act)
        future.add_done_callback(lambda done: self._done.put((each, done)))

    def ended(self, until: float) -> Iterator[tuple[Owner, Act | Pause, Outcome]]:
        """Wait, to `until` at most (0: without a bound), and yield what has ended: owner, what it was, its outcome."""
        for each, future in self._wait(until):
            if self._acts.get(id(each.act)) is each:
                del self._acts[id(each.act)]
                yield each.owner, each.act, future.result()
        now = time.monotonic()
        while self._pauses and self._pauses[0][0] <= now:
            _, _, owner, pause = heappop(self._pauses)
            yield owner, pause, WENT_ON
        for each in [*self._acts.values()]:
            if 0 < each.given_up_at <= now:
                del self._acts[id(each.act)]
                yield each.owner, each.act, given_up(each.act)

    def _wait(self, until: float) -> list[tuple[_InFlight[Owner], Future[Outcome]]]:
        moments = [each.given_up_at for each in self._acts.values()]
        moments += [self._pauses[0][0]] if self._pauses else []
        moments += [until] if until else []
        found = []
        try:
            # A signal that another thread takes does not end this wait: look up for it now and then.
            timeout = min([HEARTBEAT, *(moment - time.monotonic() for moment in moments)])
            found.append(self._done.get(timeout=max(0.0, timeout)))
            while True:
                found.append(self._done.get_nowait())
        except Empty:
            pass
        return [item for item in found if isinstance(item, tuple)]

    def clear(self) -> None:
        """Wait for nothing any more."""
        self._acts.clear()
        self._pauses.clear()
        self._ready.clear()
