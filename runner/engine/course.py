"""What the lanes of a run share, and how far each got."""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from runner.calendar import Calendar
from runner.contract import Outcome, Problem, Request, Status
from runner.engine.acts import Act
from runner.engine.progress import Progress
from runner.engine.scope import Values
from runner.events import Event, Key, Kind, outcome_to_json
from runner.inventory import Target
from runner.plan import Plan
from runner.playbook import DEFAULT_ROUNDS
from runner.record.marks import Fault, Mark, State


class Pause(NamedTuple):
    """Wait that many seconds before going on."""

    seconds: float


class Include(NamedTuple):
    """Carry out another plan as a run of its own."""

    key: Key
    plan: Plan


class Move(NamedTuple):
    """Leave a step for another one, or ("end", "out") for none; `why` is the decision or failure."""

    source: str
    to: str
    why: str


Ask = Act | Pause | Include
Tasks = Generator[Ask, Outcome, Outcome]


@dataclass(slots=True)
class Lane:
    """How far one target got: why it was stopped, in which step, where it goes on, whether it waits for a person."""

    target: Target | None
    stopped: str = ""
    stopped_in: str = ""
    leads_to: str = ""
    unreachable: bool = False
    skip_until: str = ""
    waiting: bool = False

    @property
    def name(self) -> str | None:
        return self.target.name if self.target else None


@dataclass(slots=True)
class Course:
    """What all lanes of a run share. `halted` says why nothing but `always` is done any more, `skip_until` at which
    step all lanes go on."""

    plan: Plan
    run: str
    values: Values
    progress: Progress
    say: Callable[[Event], None]
    now: Callable[[], datetime]
    secret: Callable[[str], str]
    calendar: Calendar
    started: datetime
    dry: bool = False
    explicit: frozenset[str] = frozenset()
    write: Callable[[], None] = lambda: None
    unheld: Callable[[Collection[Fault]], Iterable[Fault]] = lambda found: found
    gates: dict[tuple[str, int], bool] = field(default_factory=dict)
    attempts: dict[str, int] = field(default_factory=dict)
    rounds: dict[str, int] = field(default_factory=dict)
    problems: dict[tuple[str, str | None], Problem] = field(default_factory=dict)
    found_in: dict[tuple[str, str | None], str] = field(default_factory=dict)
    statuses: dict[tuple[str, str | None], Status] = field(default_factory=dict)
    halted: str = ""
    skip_until: str = ""

    def event(self, kind: Kind, key: Key, data: Mapping[str, Any]) -> Event:
        """An event about a key, now."""
        return Event(kind, self.run, self.now(), key.step, key.attempt, key.task, key.target, key.item, key.tries, data)

    def say_once(self, kind: Kind, key: Key, data: Mapping[str, Any]) -> None:
        """Say something about a step, unless it was said before."""
        said = (kind, key.step, key.attempt, key.target)
        if said not in self.progress.said:
            event = self.event(kind, key, data)
            self.progress.say(event)
            self.say(event)

    def record(self, key: Key, action: str, outcome: Outcome, item: Any = None) -> Outcome:
        """Say an outcome that no act was needed for, unless it was said before; return it."""
        if key not in self.progress.finished:
            data = {"action": action, "item": item, **outcome_to_json(outcome)}
            self.say(self.event(Kind.TASK_FINISHED, key, data))
        return outcome

    def ask(self, key: Key, action: str, request: Request, item: Any = None) -> None:
        """Ask a person, once."""
        if key not in self.progress.requested:
            asked = outcome_to_json(Outcome(Status.WAITING, request=request))["request"]
            self.say(self.event(Kind.REQUESTED, key, {"action": action, "item": item, **asked}))

    def note(self, key: Key, outcome: Outcome) -> None:
        """Take in an outcome's problems."""
        for problem in outcome.problems:
            self.problems[problem.key, key.target] = problem
            self.found_in[problem.key, key.target] = key.step

    def forget_problems(self, step: str) -> None:
        """Drop what a step found, because a new attempt looks again."""
        for place in [place for place, found in self.found_in.items() if found == step]:
            del self.found_in[place], self.problems[place]

    def take_up(self, key: Key) -> bool:
        """Take up, once an attempt of a step, what is open and in nobody's hands; return whether this run has anything
        in hand."""
        gate = (key.step, key.attempt)
        if gate not in self.gates:
            self.write()  # what this run found and found gone counts too
            for fault in self.unheld(self.problems):
                if fault not in self.progress.taken:
                    self.progress.taken.add(fault)
                    self.say(Mark(*fault, State.HANDLED, self.run, self.now()).event())
            self.gates[gate] = bool(self.progress.taken)
        return self.gates[gate]

    def position(self, step: str) -> int:
        """A step's place in the playbook; beyond the last for "end" and "out"."""
        ids = [planned.id for planned in self.plan.steps]
        return ids.index(step) if step in ids else len(ids)

    def goes_back(self, source: str, to: str) -> bool:
        """Whether going from one step to another begins a new attempt."""
        return self.position(to) <= self.position(source)

    def may_go_back(self, source: str) -> bool:
        """Whether a step may send back once more."""
        decision = self.plan.steps[self.position(source)].decision
        return self.rounds.get(source, 0) < (decision.rounds if decision else DEFAULT_ROUNDS)

    def follow(self, move: Move) -> bool:
        """Go where a move leads; return whether that goes back and begins a new attempt of the steps from there on."""
        back = self.goes_back(move.source, move.to)
        key = Key(move.source, self.attempts.get(move.source, 1), "", None, "", 0)
        self.say_once(Kind.MOVED, key, {"to": move.to, "back": back, "why": move.why})
        self.skip_until = "" if back else move.to
        if back:
            self.halted = ""
            self.rounds[move.source] = self.rounds.get(move.source, 0) + 1
            for step in self.plan.steps[self.position(move.to) :]:
                self.attempts[step.id] = self.attempts.get(step.id, 1) + 1
                self.forget_problems(step.id)
        return back

    def stays_stopped(self, lane: Lane, first: int) -> bool:
        """Whether a lane was stopped in a step before that position, which a new attempt from there does not mend."""
        return bool(lane.stopped) and self.position(lane.stopped_in) < first

    def run_values(self, step: str) -> dict[str, Any]:
        """What `{{ run.… }}` reads."""
        local = self.started.astimezone(self.calendar.office.zone)
        return {
            "id": self.run,
            "started": local.isoformat(timespec="seconds"),
            "date": local.date().isoformat(),
            "attempt": self.attempts.get(step, 1),
            "problems": [
                {"key": p.key, "severity": str(p.severity), "target": target, "message": p.message}
                for (_, target), p in self.problems.items()
            ],
        }
