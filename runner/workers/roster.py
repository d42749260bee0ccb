"""Who is there to do acts: the stations, what each does just now, and which targets keep to it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from runner.contract import Outcome, Status
from runner.engine.acts import Act
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
    """An act that is being done elsewhere, as it travels, and what it asks for of the world here."""

    act: Act
    world: World
    future: Future[Outcome]
    parcel: Mapping[str, Any]

    def settle(self, outcome: Outcome) -> None:
        """Give the outcome to who waits for it, unless that has an end already."""
        if not self.future.done():
            self.future.set_result(outcome)


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

    def why_not(self, act: Act) -> str:
        """Why an act is not handed to one more station; "" where it may be."""
        if self._losses[act.key._replace(tries=0)] < MOST_LOSSES:
            return ""
        return f"it lost its worker {MOST_LOSSES} times. find out what it does to a worker before it is repeated"

    def lose(self, station: Station, why: str) -> None:
        """A station is gone: what it did is interrupted, as nobody knows how it ended."""
        self.stations.pop(station.call, None)
        for job in station.jobs.values():
            self._losses[job.act.key._replace(tries=0)] += 1
            message = f"the worker {station.name} was lost while this was being done: {why}"
            job.settle(Outcome(Status.INTERRUPTED, message=message))
        station.jobs.clear()
