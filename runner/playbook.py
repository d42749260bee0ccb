"""Playbooks: procedure, steps, tasks and supplement, read from YAML with the place of everything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from runner.contract import Effect, Status
from runner.durations import Norm, parse_limit, parse_norm
from runner.errors import Mistake, Refused
from runner.keywords import ANSIBLE, PLAYBOOK
from runner.shapes import check_value
from runner.source import Source, load_source, parse_source

DEEPEST_INCLUDE = 8
DEFAULT_PAUSE = 5.0
DEFAULT_ROUNDS = 5
RETRIED = frozenset({Status.FAILED, Status.TIMED_OUT, Status.UNREACHABLE})

Where = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Route:
    """Where it goes on: kind is "stop", "continue", "next", "end", "out" or "step" (then `step` is its id)."""

    kind: str
    step: str = ""


STOP = Route("stop")


@dataclass(frozen=True, slots=True)
class Retry:
    """How often to try again, after how many seconds, on which outcomes."""

    count: int = 0
    pause: float = DEFAULT_PAUSE
    on: frozenset[Status] = RETRIED


@dataclass(frozen=True, slots=True)
class Conduct:
    """What steps and tasks share; a step's holds for its tasks where they say nothing else."""

    when: str = ""
    for_each: Any = None
    retry: Retry = Retry()
    on_failure: Route = STOP
    on_unreachable: Route = STOP
    always: bool = False
    run_as: str = ""


@dataclass(frozen=True, slots=True)
class Task:
    """One act inside a step. `inputs` are as written; `limit` is in seconds, None for the action's default."""

    id: str
    action: str
    inputs: Mapping[str, Any]
    conduct: Conduct
    where: Where
    limit: float | None = None
    effect: Effect | None = None
    actors: tuple[str, ...] = ()
    symbol: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """A question whose answer says where the procedure goes on; `value` decides by expression, else a person."""

    question: str
    actor: str
    answers: Mapping[str, Route]
    rounds: int
    value: str


@dataclass(frozen=True, slots=True)
class Input:
    """An input as on the form; `needs` names the setting of the target that must be there."""

    text: str
    needs: str = ""


@dataclass(frozen=True, slots=True)
class Output:
    """An output as on the form, and the expression that gives its value ("" where nothing does)."""

    id: str
    text: str
    value: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One row of the form and how it is carried out. `targets` is a pattern, "" for a step that runs once."""

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


@dataclass(frozen=True, slots=True)
class Playbook:
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


Texts = Mapping[str, str]


def load_playbook(path: Path, mistakes: list[Mistake], texts: Texts | None = None) -> Playbook | None:
    """Given a playbook's file, return it with the playbooks it includes; add its mistakes.

    With `texts` (by file), nothing is read from the disk. None where the mistakes leave no steps to speak of.
    """
    return _load(path, (), mistakes, texts)


def _load(path: Path, parents: tuple[Path, ...], mistakes: list[Mistake], texts: Texts | None) -> Playbook | None:
    file = str(path)
    try:
        if texts is None:
            source = load_source(path, file, collect=mistakes)
        else:
            source = parse_source(texts.get(file, ""), file, collect=mistakes)
    except Refused as refused:
        mistakes += refused.mistakes
        return None
    data = _fitting(source, mistakes)
    if data is None:
        return None
    reader = _Reader(source, path, (*parents, path.resolve()), mistakes, texts)
    steps = tuple(reader.step(body, ("steps", index)) for index, body in enumerate(data["steps"]))
    playbook = Playbook(
        name=path.stem,
        source=source,
        procedure=data["procedure"],
        steps=steps,
        supplement=data.get("supplement", {}),
        vars=data.get("vars", {}),
        outputs=data.get("outputs", {}),
    )
    reader.check_names(playbook)
    return playbook


def _fitting(source: Source, mistakes: list[Mistake]) -> Any:
    """The source's data without the keys that do not fit; None where what is left has no steps with ids."""
    faults = check_value(source.data, PLAYBOOK)
    for fault in faults:
        cure = ANSIBLE.get(str(fault.path[-1]), fault.cure) if fault.key and fault.path else fault.cure
        mistakes.append(source.mistake(fault.path, fault.message, cure, key=fault.key))
    data = _copy(source.data)
    for fault in faults:
        if not _drop(data, fault.path):
            return None
    return data


def _copy(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copy(part) for key, part in value.items()}
    return [_copy(part) for part in value] if isinstance(value, list) else value


def _drop(data: Any, path: tuple[str | int, ...]) -> bool:
    """Remove the key at the path; False where it is one that nothing can be read without."""
    if not path or isinstance(path[-1], int) or path[-1] in ("id", "action", "steps", "procedure", "title", "tasks"):
        return False
    if path[-1] in ("activity", "question", "answers", "decide", "for_each", "include", "count", "text", "means"):
        return False
    for part in path[:-1]:
        try:
            data = data[part]
        except (KeyError, IndexError, TypeError):
            return True
    if isinstance(data, dict):
        data.pop(path[-1], None)
    return True


class _Reader:
    """Builds steps from data that fits the schema; what the schema cannot tell is noted with its place."""

    def __init__(
        self, source: Source, path: Path, chain: tuple[Path, ...], mistakes: list[Mistake], texts: Texts | None
    ) -> None:
        self._source = source
        self._path = path
        self._chain = chain
        self._mistakes = mistakes
        self._texts = texts

    def step(self, body: Mapping[str, Any], where: Where) -> Step:
        conduct = self._conduct(body, where, Conduct())
        return Step(
            id=body["id"],
            activity=body["activity"],
            where=where,
            norm=self._norm(body.get("time_limit"), where),
            conduct=conduct,
            actors=_actors(body.get("actor")),
            remark=body.get("remark", ""),
            inputs=tuple(Input(i["text"], i.get("needs", "")) for i in body.get("inputs", ())),
            outputs=tuple(Output(o["id"], o["text"], o.get("value", "")) for o in body.get("outputs", ())),
            targets=body.get("targets", ""),
            once=body.get("once", False),
            tasks=tuple(self._task(t, (*where, "tasks", n), conduct) for n, t in enumerate(body.get("tasks", ()))),
            decision=_decision(body),
            include=self._include(body, where),
            include_vars=body.get("with", {}),
        )

    def _task(self, body: Mapping[str, Any], where: Where, step: Conduct) -> Task:
        return Task(
            id=body["id"],
            action=body["action"],
            inputs=body.get("with", {}),
            conduct=self._conduct(body, where, step),
            where=where,
            limit=self._seconds(body.get("time_limit"), (*where, "time_limit")),
            effect=Effect(body["effect"]) if "effect" in body else None,
            actors=_actors(body.get("actor")),
            symbol=body.get("symbol", ""),
        )

    def _conduct(self, body: Mapping[str, Any], where: Where, above: Conduct) -> Conduct:
        return Conduct(
            when=body.get("when", ""),
            for_each=body.get("for_each"),
            retry=self._retry(body["retry"], (*where, "retry")) if "retry" in body else above.retry,
            on_failure=_route(body.get("on_failure"), above.on_failure),
            on_unreachable=_route(body.get("on_unreachable"), above.on_unreachable),
            always=body.get("always", above.always),
            run_as=body.get("run_as", above.run_as),
        )

    def _retry(self, body: Mapping[str, Any], where: Where) -> Retry:
        pause = self._seconds(body.get("pause"), (*where, "pause"))
        on = frozenset(map(Status, body["on"])) if "on" in body else RETRIED
        return Retry(body["count"], DEFAULT_PAUSE if pause is None else pause, on)

    def _seconds(self, text: str | None, where: Where) -> float | None:
        if text is None:
            return None
        try:
            return parse_limit(text)
        except ValueError as error:
            self._note(where, str(error))
            return None

    def _norm(self, written: Any, where: Where) -> Norm:
        text, means = (written["text"], written["means"]) if isinstance(written, dict) else (written, None)
        try:
            return parse_norm(text, means)
        except ValueError as error:
            self._note((*where, "time_limit"), str(error), "or give its reading: {text: …, means: 1 hari}")
            return parse_norm(None)

    def _include(self, body: Mapping[str, Any], where: Where) -> Playbook | None:
        name = body.get("include")
        if name is None:
            return None
        path = self._path.parent / name
        at = (*where, "include")
        if path.resolve() in self._chain:
            self._note(at, f"'{name}' includes itself", "break the circle")
        elif len(self._chain) >= DEEPEST_INCLUDE:
            self._note(at, f"playbooks are included more than {DEEPEST_INCLUDE} deep", "flatten them")
        elif not (path.is_file() if self._texts is None else str(path) in self._texts):
            self._note(at, f"the playbook '{name}' does not exist", "write its path from this file's folder")
        else:
            return _load(path, self._chain, self._mistakes, self._texts)
        return None

    def _note(self, where: Where, message: str, cure: str = "") -> None:
        self._mistakes.append(self._source.mistake(where, message, cure))

    def check_names(self, playbook: Playbook) -> None:
        """Note ids that stand twice."""
        self._check_unique([(s.id, (*s.where, "id")) for s in playbook.steps], "step")
        for step in playbook.steps:
            self._check_unique([(t.id, (*t.where, "id")) for t in step.tasks], "task")
            outputs = [(o.id, (*step.where, "outputs", n, "id")) for n, o in enumerate(step.outputs)]
            self._check_unique(outputs, "output")

    def _check_unique(self, names: list[tuple[str, Where]], noun: str) -> None:
        seen: set[str] = set()
        for name, where in names:
            if name in seen:
                self._note(where, f"a second {noun} is called '{name}'", "give it another id")
            seen.add(name)


def _actors(written: Any) -> tuple[str, ...]:
    if written is None:
        return ()
    return (written,) if isinstance(written, str) else tuple(written)


def _route(written: Any, default: Route) -> Route:
    if written is None:
        return default
    return Route("step", written["step"]) if isinstance(written, dict) else Route(written)


def _decision(body: Mapping[str, Any]) -> Decision | None:
    written = body.get("decide")
    if written is None:
        return None
    return Decision(
        question=written["question"],
        actor=written.get("actor", "") or next(iter(_actors(body.get("actor"))), ""),
        answers={label: _route(route, STOP) for label, route in written["answers"].items()},
        rounds=written.get("rounds", DEFAULT_ROUNDS),
        value=written.get("value", ""),
    )
