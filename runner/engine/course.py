"""What the lanes of a run share, and how far each got."""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, NamedTuple, TypeVar

from runner.calendar import Calendar
from runner.contract import Outcome, Problem, Request, Status
from runner.engine.acts import Act
from runner.engine.answers import RETURNED
from runner.engine.progress import Progress
from runner.engine.scope import UNCHECKED, Values
from runner.events import Event, Key, Kind, fault_of, outcome_to_json
from runner.inventory import Target
from runner.plan import Plan
from runner.playbook import DEFAULT_ROUNDS
from runner.playbook.order import Order, order_steps
from runner.record.marks import Fault, Mark, State

MOST_RETURNS = 100

Value = TypeVar("Value")


class Pause(NamedTuple):
    """Wait that many seconds before going on."""

    seconds: float


class Include(NamedTuple):
    """Carry out another plan as a run of its own."""

    key: Key
    plan: Plan


class Turn:
    """Wait, in a resumed run, until all that the record tells has been gone through again; with a way back that the
    record has (`move`), only until all ways back before it were followed."""

    def __init__(self, move: Key | None = None) -> None:
        self.move = move


class Move(NamedTuple):
    """Leave a step for another one, or ("end", "out") for none; `why` is the decision, answer or failure, `task` the
    task that decided, where it was not the step itself, `entry` the task with which the other one begins."""

    source: str
    to: str
    why: str
    task: str = ""
    entry: str = ""


Ask = Act | Pause | Include | Turn
Strand = Generator[Ask, Outcome, Value]
Tasks = Strand[Outcome]


class PassedOver:
    """What is not done because it went on to something else: by what led there."""

    def __init__(self) -> None:
        self._by: dict[str, tuple[str, frozenset[str]]] = {}

    def add(self, source: str, to: str, names: frozenset[str]) -> None:
        """Those are passed over, as `source` leads to `to`."""
        self._by[source] = to, names

    def forget(self, again: frozenset[str]) -> None:
        """Those are done again: they are passed over no more, and where they led to does not count any more."""
        self._by = {source: (to, names - again) for source, (to, names) in self._by.items() if source not in again}

    def led_to(self, name: str) -> str:
        """Given a name, return what was gone on to instead; "" where it is not passed over."""
        return next((to for to, names in self._by.values() if name in names), "")


@dataclass(slots=True)
class Lane:
    """How far one target got: why it was stopped, in which step, where it goes on, whether it waits for a person. Of
    what runs once, each step has a lane of its own, as several may be done at a time."""

    target: Target | None
    stopped: str = ""
    stopped_in: str = ""
    leads_to: str = ""
    unreachable: bool = False
    passed: PassedOver = field(default_factory=PassedOver)
    waiting: bool = False

    @property
    def name(self) -> str | None:
        return self.target.name if self.target else None


@dataclass(slots=True)
class Course:
    """What all lanes of a run share.

    `ahead` says whether what reads may be sent before its turn, `halted` why nothing but `always` is done any more,
    `done` what ran once and needs no more, `entries` with which task a step begins; `followed` counts the ways back,
    `replaying` is true until a resumed run has gone through all that its record tells, `unchecked` once a dry run left
    out what may find problems; `fixed` is what of `{{ run.… }}` never changes.
    """

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
    ahead: bool = False
    explicit: frozenset[str] = frozenset()
    write: Callable[[], None] = lambda: None
    unheld: Callable[[Collection[Fault]], Iterable[Fault]] = lambda found: found
    alone: Callable[[], AbstractContextManager[object]] = nullcontext
    gates: dict[tuple[str, int], bool] = field(default_factory=dict)
    attempts: dict[str, int] = field(default_factory=dict)
    rounds: dict[tuple[str, str], int] = field(default_factory=dict)
    problems: dict[tuple[str, str | None], Problem] = field(default_factory=dict)
    found_in: dict[tuple[str, str | None], tuple[str, str]] = field(default_factory=dict)
    statuses: dict[tuple[str, str | None], Status] = field(default_factory=dict)
    halted: str = ""
    passed: PassedOver = field(default_factory=PassedOver)
    done: set[str] = field(default_factory=set)
    entries: dict[str, str] = field(default_factory=dict)
    followed: int = 0
    unchecked: bool = False
    replaying: bool = False
    order: Order = field(init=False)
    places: dict[str, int] = field(init=False)
    fixed: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self.order = order_steps([planned.step for planned in self.plan.steps])
        self.places = {planned.id: place for place, planned in enumerate(self.plan.steps)}
        local = self.started.astimezone(self.calendar.office.zone)
        started, date = local.isoformat(timespec="seconds"), local.date().isoformat()
        self.fixed = {"id": self.run, "started": started, "date": date}

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
        """Ask a person, once; say so where nobody holds the role on that day."""
        if key not in self.progress.requested:
            asked = outcome_to_json(Outcome(Status.WAITING, request=request))["request"]
            data = {"action": action, "item": item, **asked, "unheld": self._unheld(request.role)}
            self.say(self.event(Kind.REQUESTED, key, data))

    def _unheld(self, role: str) -> str:
        day = self.now().astimezone(self.calendar.office.zone).date()
        insider = role and not self.plan.playbook.is_outside(role)
        return day.isoformat() if insider and not self.plan.inventory.holders(role, day) else ""

    def note(self, key: Key, outcome: Outcome) -> None:
        """Take in an outcome's problems."""
        self.unchecked |= self.dry and outcome.reason in UNCHECKED
        for problem in outcome.problems:
            fault = fault_of(problem.key, key.target)
            self.problems[fault], self.found_in[fault] = problem, (key.step, key.task)

    def forget_problems(self, step: str, tasks: Collection[str] | None = None) -> None:
        """Drop what a step, or some of its tasks, found, because it is looked at again."""
        for place, (found_in, task) in [*self.found_in.items()]:
            if found_in == step and (tasks is None or task in tasks):
                del self.found_in[place], self.problems[place]

    def take_up(self, key: Key) -> bool:
        """Take up, once an attempt of a step, what is open and in nobody's hands; return whether this run has anything
        in hand."""
        gate = (key.step, key.attempt)
        if gate not in self.gates:
            self.write()  # what this run found and found gone counts too
            with self.alone():
                for fault in self.unheld(self.problems):
                    if fault not in self.progress.taken:
                        self.progress.taken.add(fault)
                        self.say(Mark(*fault, State.HANDLED, self.run, self.now()).event())
                self.write()
            self.gates[gate] = bool(self.progress.taken)
        return self.gates[gate]

    def position(self, step: str) -> int:
        """A step's place in the playbook; beyond the last for "end" and "out"."""
        return self.places.get(step, len(self.places))

    def goes_back(self, source: str, to: str) -> bool:
        """Whether going from one step to another begins a new attempt: it is no step that follows."""
        return to in self.places and to not in self.order.follows(source)

    def may_go_back(self, source: str, task: str = "", rounds: int = DEFAULT_ROUNDS) -> bool:
        """Whether a step, or a task of it, may send back once more."""
        return self.rounds.get((source, task), 0) < rounds

    def check_return(self, key: Key, outcome: Outcome) -> Outcome:
        """Given an answer's key and its outcome, return it with the step that it is returned to, if it is: one where
        no decision tells what then goes back to its own step. As failed, where it cannot be returned there."""
        planned = self.plan.steps[self.position(key.step)]
        decides = planned.decision or any(task.task.decision for task in planned.tasks)
        own = key.step if outcome.outputs.get("label") == RETURNED and not decides else ""
        to = str(outcome.outputs.get("to") or own)
        if not to:
            return outcome
        if to not in self.plan.returnable(key.step):
            return replace(outcome, status=Status.FAILED, message=f"'{to}' is no step that it can be returned to")
        if not self.may_go_back(key.step, key.task, MOST_RETURNS):
            return replace(outcome, status=Status.FAILED, message=f"it was returned more than {MOST_RETURNS} times")
        return replace(outcome, outputs={**outcome.outputs, "to": to})

    def again(self, to: str) -> frozenset[str]:
        """The steps that are done once more where it goes back to one: that and all that follow."""
        return self.order.follows(to) | {to}

    def key_of(self, move: Move) -> Key:
        """The key under which the record has a move."""
        return Key(move.source, self.attempts.get(move.source, 1), move.task, None, "", 0)

    def follow(self, move: Move) -> frozenset[str]:
        """Go where a move leads; return the steps of which that begins a new attempt, none where it leads forward."""
        source, to = move.source, move.to
        again = self.again(to) if self.goes_back(source, to) else frozenset()
        key = self.key_of(move)
        said = {"to": to, "back": bool(again), "why": move.why, "again": [s for s in self.places if s in again]}
        self.move_once(key, said)
        if again:
            self.halted = ""
            self.rounds[source, move.task] = self.rounds.get((source, move.task), 0) + 1
            self._begin_again(again)
        if source not in again and self.plan.steps[self.position(source)].once:
            self.done.add(source)
        over = self.order.follows(source) - again
        if move.entry:
            self.entries[to] = move.entry
        self.passed.add(source, to, over - self.again(to) if to in self.places else over)
        return again

    def _begin_again(self, steps: frozenset[str]) -> None:
        self.done -= steps
        self.passed.forget(steps)
        for step in steps:
            self.entries.pop(step, None)
            self.attempts[step] = self.attempts.get(step, 1) + 1
            self.forget_problems(step)
        for place in [place for place in self.statuses if place[0] in steps]:
            del self.statuses[place]

    def back_in_turn(self, key: Key) -> Turn | None:
        """Given the key of a way back, return what to wait for before it is followed; None for nothing."""
        if not self.replaying:
            return None
        return Turn(key if key in self.progress.moved else None)

    def is_next(self, key: Key | None) -> bool:
        """Whether a way back is the next one of those that the record has."""
        backs = [moved for moved, data in self.progress.moved.items() if data["back"]]
        return key is not None and backs[self.followed : self.followed + 1] == [key]

    def move_once(self, key: Key, data: Mapping[str, Any]) -> None:
        """Say where it goes on, unless it was said before."""
        self.followed += bool(data["back"])
        if key not in self.progress.moved:
            self.progress.moved[key] = data
            self.say(self.event(Kind.MOVED, key, data))

    def run_values(self, step: str) -> dict[str, Any]:
        """What `{{ run.… }}` reads; the problems of a dry run only while it knows all of them."""
        known = {**self.fixed, "attempt": self.attempts.get(step, 1)}
        problems = [
            {"key": p.key, "severity": str(p.severity), "target": target, "message": p.message}
            for (_, target), p in self.problems.items()
        ]
        return known if self.unchecked else {**known, "problems": problems}
