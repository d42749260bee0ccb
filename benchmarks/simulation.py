"""A hundred thousand servers, three commands on each, on one machine and on clusters: the real engine without waiting.

    python benchmarks/simulation.py [TARGETS [SCENARIO …]]

The engine, its plan and its journal are the real ones, and take the CPU they take; each write of the journal is
charged with what a disk needs. What is done on servers is simulated: acts end after latencies drawn from
distributions, and when the engine would wait for the next one to end, the clock is moved on instead. So the result
tells how long the run would take on a machine of its own, and how busy that is. What an act costs in CPU there, or on
a worker, is measured by capacity.py.
"""

from __future__ import annotations

import json
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from heapq import heappop, heappush
from itertools import count
from pathlib import Path
from queue import SimpleQueue
from resource import RUSAGE_SELF, getrusage
from typing import Any, NamedTuple, cast

import runner.engine
from runner.binding import Documents, bind
from runner.contract import Outcome, Status
from runner.durations import SystemClock
from runner.engine import Engine
from runner.engine.acts import Act, Services
from runner.engine.terms import Brake, Request
from runner.events import Event
from runner.plan import Plan, Selection
from runner.record.journal import Journal

TARGETS = 100_000
COMMANDS = ("uptime", "df -P /", "echo {{ tasks.task0.stdout }}")
CONNECT_CPU = 0.006  # seconds of CPU where the SSH connection is opened, and per command; see capacity.py
COMMAND_CPU = 0.0011
HUB_CPU = 0.0002  # seconds of CPU on the journal's machine for an act that a worker does
COMMAND = 0.15  # seconds that the median command takes on its server; one in a hundred takes six times as long
WRITE = 0.001  # seconds in which a disk makes a write of the journal safe
ROUND_TRIPS = 7  # of an SSH handshake with a key
LOST_AFTER = 30.0


class Scenario(NamedTuple):
    """Who does the acts: so many workers (none: threads here) with seats and cores, over a link of so many seconds
    there and back. One in `unreachable` servers answers ten seconds late; a worker is lost each `loss` seconds."""

    name: str
    workers: int
    seats: int
    cores: int = 2
    link: float = 0.05
    unreachable: int = 100
    loss: float = 0.0


SCENARIOS = (
    Scenario("threads, 20 forks", 0, 20),
    Scenario("threads, 100 forks", 0, 100),
    Scenario("threads, 500 forks", 0, 500),
    Scenario("4 workers × 40", 4, 40),
    Scenario("16 workers × 40", 16, 40),
    Scenario("64 workers × 40", 64, 40),
    Scenario("64 workers × 40, one lost a minute", 64, 40, loss=60),
)


class Clock:
    """The CPU time of this process, moved on by all the waiting that was left out."""

    def __init__(self) -> None:
        self._began = time.process_time()
        self.skipped = 0.0
        self.busy_elsewhere = 0.0
        self._coming: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = count()

    def now(self) -> float:
        """Seconds since the beginning, as the run would see them."""
        return time.process_time() - self._began + self.skipped

    def at(self, moment: float, then: Callable[[], None]) -> None:
        """Do something at that moment."""
        heappush(self._coming, (moment, next(self._numbers), then))

    def charge(self, seconds: float) -> None:
        """Let that time pass, in which the journal's machine is busy with what is only simulated."""
        self.skipped += seconds
        self.busy_elsewhere += seconds

    def move_on(self) -> None:
        """Go to the next moment at which something happens, and let all happen that is due."""
        self.skipped += max(0.0, self._coming[0][0] - self.now())
        while self._coming and self._coming[0][0] <= self.now():
            heappop(self._coming)[2]()


class Waiting(SimpleQueue[Any]):
    """The queue that the engine waits at: where nothing has ended, the clock is moved on."""

    clock: Clock

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        """Return what ended next."""
        while self.empty():
            self.clock.move_on()
        return super().get(block, timeout)


class Worker:
    """A worker: when its cores are free again, and what it does."""

    def __init__(self, cores: int) -> None:
        self._free = [0.0] * cores
        self.known: set[str] = set()
        self.doing: dict[int, Future[Outcome]] = {}

    def compute(self, now: float, seconds: float) -> float:
        """When so much work is done, begun on the core that is free first."""
        begun = max(now, heappop(self._free))
        heappush(self._free, begun + seconds)
        return begun + seconds


class Crowd:
    """An executor whose acts are simulated."""

    def __init__(self, scenario: Scenario, clock: Clock) -> None:
        self._scenario = scenario
        self._clock = clock
        self._random = random.Random(4711)
        self._workers = [Worker(scenario.cores) for _ in range(scenario.workers or 1)]
        self._homes: dict[str, Worker] = {}
        self._numbers = count()
        self.lost = 0
        if scenario.loss:
            clock.at(scenario.loss, self._lose)

    def room(self) -> int:
        """How many targets are taken on at a time."""
        return self._scenario.seats * len(self._workers)

    def submit(self, function: Callable[..., Any], /, *arguments: Any) -> Future[Any]:
        """Simulate an act."""
        act = cast(Act, arguments[0])
        number = next(self._numbers)
        home = self._homes.setdefault(str(act.key.target), self._workers[number % len(self._workers)])
        future = home.doing[number] = Future()
        self._clock.at(self._end_of(act, home), lambda: self._end(home, number))
        return future

    def _end_of(self, act: Act, home: Worker) -> float:
        """When it ends: connecting first where that was not done yet, then the command."""
        target, link, draw = str(act.key.target), self._scenario.link, self._random
        cpu, away = COMMAND_CPU, link + draw.lognormvariate(0, 0.8) * COMMAND
        if target not in home.known:
            home.known.add(target)
            cpu += CONNECT_CPU
            away += ROUND_TRIPS * link + (10.0 if draw.randrange(self._scenario.unreachable) == 0 else 0.0)
        if not self._scenario.workers:  # one Python process: what computes holds up the engine too
            self._clock.charge(cpu)
            return self._clock.now() + away
        self._clock.charge(HUB_CPU)
        return home.compute(self._clock.now(), cpu) + away

    def _end(self, home: Worker, number: int) -> None:
        future = home.doing.pop(number, None)
        if future:
            future.set_result(Outcome(Status.OK, outputs={"stdout": "load 0.10", "stderr": "", "exit_code": 0}))

    def _lose(self) -> None:
        """Cut a worker off: nothing is heard of it, another one comes in its place."""
        worker = self._random.choice(self._workers)
        doing, worker.doing = worker.doing, {}
        worker.known.clear()
        self.lost += len(doing)
        self._clock.at(self._clock.now() + LOST_AFTER, lambda: _interrupt(doing.values()))
        self._clock.at(self._clock.now() + self._scenario.loss, self._lose)


def _interrupt(futures: Iterable[Future[Outcome]]) -> None:
    for future in futures:
        future.set_result(Outcome(Status.INTERRUPTED, message="the worker was lost"))


class World:
    """What the engine asks of the world beside acts."""

    directory = Path()

    def now(self) -> Any:
        """The real time."""
        return SystemClock().now()

    def mask(self, value: Any) -> Any:
        """There are no secrets."""
        return value

    def secret(self, name: str) -> str:
        """There are no secrets."""
        raise KeyError(name)


def build_plan(folder: Path, targets: int) -> Any:
    """Write an inventory of that many servers and a playbook, and bind them."""
    lines = (
        f"  host{n:06d}: {{address: 10.{n >> 16}.{n >> 8 & 255}.{n & 255}, user: deploy}}\n" for n in range(targets)
    )
    (folder / "inventory.yml").write_text("servers:\n" + "".join(lines))
    tasks = [
        {"id": f"task{n}", "action": "command.run", "effect": "read", "with": {"command": line}}
        for n, line in enumerate(COMMANDS)
    ]
    step = {"id": "look", "activity": "Look at every server", "targets": "servers", "tasks": tasks}
    (folder / "p.yml").write_text(json.dumps({"procedure": {"title": "Three commands"}, "steps": [step]}))
    return bind(Documents(folder / "p.yml", (folder / "inventory.yml",)), Selection(), now=SystemClock().now())


def simulate(scenario: Scenario, bound: Any, folder: Path) -> list[str]:
    """Run the plan in a scenario; return a row of the table."""
    journal = Journal.open(folder / scenario.name.replace(" ", "-"))
    clock = Clock()
    crowd = Crowd(scenario, clock)
    queue = type("Here", (Waiting,), {"clock": clock})
    setattr(runner.engine, "SimpleQueue", queue)  # noqa: B010  # the one place where the engine waits
    outcomes = 0

    def emit(events: Sequence[Event]) -> None:
        nonlocal outcomes
        journal.append(events)
        clock.charge(WRITE)
        outcomes += sum(event.kind == "task_finished" for event in events)

    request = Request(
        run="simulation",
        header={"playbook": "p", "steps": [{"id": "look"}], "targets": []},
        calendar=bound.calendar,
        forks=crowd.room(),
    )
    plan: Plan = bound.plan
    began = time.process_time()
    Engine(plan, emit, crowd, cast(Services, World()), request, Brake()).run()
    spent, whole = time.process_time() - began, clock.now()
    memory = getrusage(RUSAGE_SELF).ru_maxrss / 1024
    journal.close()
    busy = (spent + clock.busy_elsewhere) / whole
    rate = len(plan.steps[0].targets) / whole * 60
    cells = [scenario.name, f"{whole / 60:.1f}", f"{rate:,.0f}", f"{busy:.0%}", f"{spent / outcomes * 1000:.2f}"]
    return [*cells, f"{outcomes:,}", f"{crowd.lost:,}", f"{memory:.0f}"]


def main(words: Sequence[str]) -> None:
    """Print a table of the scenarios."""
    targets = int(words[0]) if words else TARGETS
    chosen = [SCENARIOS[int(word)] for word in words[1:]] or SCENARIOS
    headers = ["", "minutes", "targets a minute", "busy here", "ms an outcome", "outcomes", "lost", "MiB"]
    print(f"{targets:,} servers × 3 commands\n\n| {' | '.join(headers)} |\n| --- |{' ---: |' * (len(headers) - 1)}")
    with tempfile.TemporaryDirectory() as name:
        bound = build_plan(Path(name), targets)
        for scenario in chosen:
            print(f"| {' | '.join(simulate(scenario, bound, Path(name)))} |", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
