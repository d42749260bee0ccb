"""Playbooks: procedure, steps, tasks and supplement; `reading` makes them from YAML."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from runner.contract import Effect, Status
from runner.durations import Norm
from runner.posts import split_roles
from runner.source import Source

DEFAULT_PAUSE = 5.0
DEFAULT_ROUNDS = 5
RETRIED = frozenset({Status.FAILED, Status.TIMED_OUT, Status.UNREACHABLE})

Where = tuple[str | int, ...]


class Route(NamedTuple):
    """Where it goes on: kind is "stop", "continue", "next", "end", "out" (`text` may name the other procedure), "step"
    (`step` is its id, `task` may name one of its tasks to begin with) or "task" (of the same step)."""

    kind: str
    step: str = ""
    task: str = ""
    text: str = ""


STOP = Route("stop")


@dataclass(frozen=True, slots=True)
class Retry:
    """How often to try again, after how many seconds, on which outcomes."""

    count: int = 0
    pause: float = DEFAULT_PAUSE
    on: frozenset[Status] = RETRIED


class Conduct(NamedTuple):
    """What steps and tasks share; a step's holds for its tasks where they say nothing else."""

    when: str = ""
    for_each: Any = None
    retry: Retry = Retry()
    on_failure: Route = STOP
    on_unreachable: Route = STOP
    always: bool = False
    run_as: str = ""


class Decision(NamedTuple):
    """A question whose answer says where the procedure goes on; `value` decides by expression, else the holders of the
    roles in `actors`, together."""

    question: str
    actors: tuple[str, ...]
    answers: Mapping[str, Route]
    rounds: int
    value: str


class Task(NamedTuple):
    """One act inside a step. `inputs` are as written; `limit` is in seconds, None for the action's default.

    `after` names the tasks that must be done before it, None for the one written before. `action` is "" where the task
    only decides, or only stands on the form.
    """

    id: str
    action: str
    inputs: Mapping[str, Any]
    conduct: Conduct
    where: Where
    limit: float | None = None
    effect: Effect | None = None
    actors: tuple[str, ...] = ()
    symbol: str = ""
    decision: Decision | None = None
    after: tuple[str, ...] | None = None


class Input(NamedTuple):
    """An input as on the form; `needs` names the setting of the target that must be there."""

    text: str
    needs: str = ""


class Output(NamedTuple):
    """An output as on the form, and the expression that gives its value ("" where nothing does)."""

    id: str
    text: str
    value: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One row of the form and how it is carried out. `targets` is a pattern, "" for a step that runs once; `after`
    names the steps that must be done before it, None for what is written before."""

    id: str
    activity: str
    where: Where
    norm: Norm
    conduct: Conduct
    actors: tuple[str, ...] = ()
    remark: str = ""
    inputs: tuple[Input, ...] = ()
    outputs: tuple[Output, ...] = ()
    targets: str = ""
    once: bool = False
    tasks: tuple[Task, ...] = ()
    decision: Decision | None = None
    include: Playbook | None = None
    include_vars: Mapping[str, Any] = field(default_factory=dict)
    after: tuple[str, ...] | None = None


class Playbook(NamedTuple):
    """A procedure, its steps and its supplement. `name` is the file's name without its ending."""

    name: str
    source: Source
    procedure: Mapping[str, Any]
    steps: tuple[Step, ...]
    supplement: Mapping[str, Any]
    vars: Mapping[str, Any]
    outputs: Mapping[str, str]

    @property
    def title(self) -> str:
        return str(self.procedure["title"])

    @property
    def sources(self) -> tuple[Source, ...]:
        """This playbook's source and those of the playbooks that it includes."""
        included = [source for step in self.steps if step.include for source in step.include.sources]
        return (self.source, *included)

    @property
    def after_problems(self) -> frozenset[str]:
        """Ids of the steps that open problems start."""
        return frozenset(self.supplement.get("after", {}).get("problems", ()))

    @property
    def outside(self) -> frozenset[str]:
        """Roles of people outside the office, whom nobody of the inventory stands for."""
        return frozenset(self.supplement.get("outside", ()))

    def is_outside(self, role: str) -> bool:
        """Whether only people outside the office hold a role."""
        return self.outside.issuperset(split_roles(role))
