"""What flows wait for: acts that are being done, and pauses."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import count
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar

from runner.contract import Outcome, Reach, Status
from runner.engine.acts import LONGEST_CONNECT, Act, given_up
from runner.engine.course import Pause
from runner.engine.rows import Report
from runner.events import Key

GRACE = 15.0
HEARTBEAT = 0.25
LONGEST_GATHERING = 0.02  # seconds
WENT_ON = Outcome(Status.OK)

Owner = TypeVar("Owner")


@dataclass(slots=True)
class _InFlight(Generic[Owner]):
    """An act that is being done, who asked for it, and when it is given up."""

    owner: Owner
    act: Act
    given_up_at: float = 0.0


Submit = Callable[[Act, Report], Future[Outcome | None]]
Ended = tuple[Act, Callable[[], Outcome | None]]


class Pending(Generic[Owner]):
    """Acts handed out and pauses begun, until they end. `submit` does an act elsewhere; where others are sent ahead
    with it, it reports each outcome and gives none itself. `done` wakes who waits."""

    def __init__(self, submit: Submit, done: SimpleQueue[object], patience: float = 0.0) -> None:
        """`patience` is how many seconds an act may wait for its turn where it is handed to."""
        self._submit = submit
        self._done = done
        self._patience = patience
        self._ready: list[_InFlight[Owner]] = []
        self._acts: dict[Key, _InFlight[Owner]] = {}
        self._ahead: set[Key] = set()
        self._pauses: list[tuple[float, int, Owner, Pause]] = []
        self._number = count()
        self._look_again = 0.0
        self._looked = time.monotonic()

    @property
    def acts(self) -> bool:
        """Whether any act is being done."""
        return bool(self._acts)

    def waits(self, owner: Owner) -> bool:
        """Whether an act is being done for that owner."""
        return any(each.owner is owner for each in self._acts.values())

    def add(self, owner: Owner, act: Act) -> None:
        """Take in an act, to be handed out with the others; one that was sent ahead is only waited for."""
        each = self._acts[act.key] = _InFlight(owner, act)
        if act.key in self._ahead:
            self._set_end(each)
        else:
            self._ready.append(each)

    def pause(self, owner: Owner, pause: Pause) -> None:
        """Begin a pause."""
        heappush(self._pauses, (time.monotonic() + pause.seconds, next(self._number), owner, pause))

    def hand_out(self) -> None:
        """Begin the acts that were taken in."""
        ready, self._ready = self._ready, []
        for each in ready:
            self._set_end(each)
            self._begin(each.act)

    def _set_end(self, each: _InFlight[Owner]) -> None:
        connecting = LONGEST_CONNECT if each.act.action.reach is Reach.SERVER else 0.0
        each.given_up_at = time.monotonic() + self._patience + each.act.limit + connecting + GRACE

    def _begin(self, act: Act) -> None:
        self._ahead.update(each.key for each in act.ahead)
        future = self._submit(act, lambda each, outcome: self._done.put((each, lambda: outcome)))
        future.add_done_callback(lambda done: self._done.put((act, done.result)))

    def ended(self, until: float, gathering: float = 0.0) -> Iterator[tuple[Owner, Act | Pause, Outcome]]:
        """Wait, to `until` at most (0: without a bound), and yield what has ended: owner, what it was, its outcome.

        Where less than half of what is in flight has ended, and more is to be expected within the `gathering` seconds
        that a write takes, wait that long: what ends meanwhile shares a write."""
        for act, result in self._wait(until, gathering):
            outcome = result() if act.ahead or act.key in self._acts else None
            if outcome is None:
                self._begin_what_was_left(act)
            elif act.key in self._acts:
                self._ahead.discard(act.key)
                each = self._acts.pop(act.key)
                yield each.owner, each.act, outcome
        now = time.monotonic()
        while self._pauses and self._pauses[0][0] <= now:
            _, _, owner, pause = heappop(self._pauses)
            yield owner, pause, WENT_ON
        if now >= self._look_again:  # not each time that one of thousands has ended
            self._look_again = now + HEARTBEAT
            for each in [each for each in self._acts.values() if 0 < each.given_up_at <= now]:
                del self._acts[each.act.key]
                yield each.owner, each.act, given_up(each.act)

    def _begin_what_was_left(self, act: Act) -> None:
        """What was sent ahead with an act has ended early: what is waited for of it begins on its own."""
        for key in (each.key for each in act.ahead if each.key in self._ahead):
            self._ahead.discard(key)
            if key in self._acts:
                self._begin(self._acts[key].act)

    def _wait(self, until: float, gathering: float) -> list[Ended]:
        moments = [self._pauses[0][0]] if self._pauses else []
        moments += [until] if until else []
        found: list[object] = []
        try:
            # A signal that another thread takes does not end this wait: look up for it now and then.
            timeout = min([HEARTBEAT, *(moment - time.monotonic() for moment in moments)])
            found = [self._done.get(timeout=max(0.0, timeout)), *self._at_hand()]
            if len(found) * 2 < len(self._acts):
                gathering = min(gathering, LONGEST_GATHERING)
                is_expected = len(found) * gathering >= time.monotonic() - self._looked  # as many as came just now
                time.sleep(gathering if is_expected else 0)  # 0 lets in who waits for the interpreter
                found += self._at_hand()
            self._looked = time.monotonic()
        except Empty:
            pass
        return [item for item in found if isinstance(item, tuple)]

    def _at_hand(self) -> Iterator[object]:
        """What has ended already."""
        with suppress(Empty):
            while True:
                yield self._done.get_nowait()

    def clear(self) -> None:
        """Wait for nothing any more."""
        self._acts.clear()
        self._pauses.clear()
        self._ready.clear()
