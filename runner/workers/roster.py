"""Who is there to do acts: the stations, what each does just now, and which targets keep to it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from runner.contract import Outcome, Status
from runner.engine.acts import Act
from runner.engine.rows import Report
from runner.events import Key
from runner.services import World
from runner.workers.channel import Channel

MOST_LOSSES = 3  # an act that loses three workers in a row is what loses them


class Place(NamedTuple):
    """Where this machine listens for workers, and the address under which they reach it (the same where empty)."""

    host: str
    port: int = 0
    known_as: str = ""


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a station needs to be let in. It goes through a scheduler, so it holds no secret but its own token, which
    no log shows. `call` names the call that takes the station on: each is let in once at a time."""

    host: str
    port: int
    call: str
    token: str = field(repr=False)


@dataclass(eq=False, slots=True)
class Job:
    """An act, or several in a row, that are being done elsewhere: as they travel, and what they ask of the world here.

    The outcomes of a row are reported one by one, and its future has none; a lone act's is that of its future.
    """

    acts: Sequence[Act]
    world: World
    future: Future[Outcome | None]
    parcels: Sequence[Mapping[str, Any]]
    report: Report | None = None
    told: int = 0

    def tell(self, outcome: Outcome) -> None:
        """Give the outcome of the next act to who waits for it, unless that has an end already."""
        act = self.acts[self.told]
        self.told += 1
        if self.report:
            self.report(act, outcome)
        elif not self.future.done():
            self.future.set_result(outcome)

    def end(self) -> None:
        """All that was done is told."""
        if not self.future.done():
            self.future.set_result(None)

    def settle(self, outcome: Outcome) -> None:
        """Tell the outcome of an act that is the last one done."""
        self.tell(outcome)
        self.end()

    def interrupt(self, message: str) -> None:
        """Nobody knows how those acts ended that nothing was told of."""
        while self.told < len(self.acts):
            self.tell(Outcome(Status.INTERRUPTED, message=message))
        self.end()


@dataclass(eq=False, slots=True)
class Station:
    """A worker that was let in: what it does just now, and how much it can do at a time."""

    channel: Channel
    call: str
    name: str
    seats: int
    jobs: dict[int, Job] = field(default_factory=dict)
    targets: int = 0
    leaving: bool = False

    @property
    def load(self) -> tuple[float, float]:
        return len(self.jobs) / self.seats, self.targets / self.seats


class Roster:
    """The stations by the calls that took them on."""

    def __init__(self) -> None:
        self.stations: dict[str, Station] = {}
        self._homes: dict[str, Station] = {}
        self._losses: Counter[Key] = Counter()

    def room(self) -> int:
        """How many acts the stations can do at a time."""
        return sum(station.seats for station in [*self.stations.values()] if not station.leaving)

    def home_of(self, target: str) -> Station | None:
        """The station that a target keeps to: while it is there always the same, else the one with the least to do."""
        station = self._homes.get(target)
        if station and not station.leaving and self.stations.get(station.call) is station:
            return station
        there = [each for each in self.stations.values() if not each.leaving]
        chosen = min(there, key=lambda each: each.load, default=None)
        if chosen:
            self._homes[target] = chosen
            chosen.targets += 1
        return chosen

    def why_not(self, acts: Sequence[Act]) -> str:
        """Why acts are not handed to one more station; "" where they may be."""
        if all(self._losses[act.key._replace(tries=0)] < MOST_LOSSES for act in acts):
            return ""
        return f"it lost its worker {MOST_LOSSES} times. find out what it does to a worker before it is repeated"

    def lose(self, station: Station, why: str) -> None:
        """A station is gone: what it did is interrupted, as nobody knows how it ended."""
        self.stations.pop(station.call, None)
        for job in station.jobs.values():
            self._losses.update(act.key._replace(tries=0) for act in job.acts[job.told :])
            job.interrupt(f"the worker {station.name} was lost while this was being done: {why}")
        station.jobs.clear()
