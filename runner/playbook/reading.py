"""Playbooks read from YAML: what does not fit is a mistake at its place, the rest is read on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from runner.contract import Effect, Status
from runner.durations import Norm, parse_limit, parse_norm
from runner.errors import Mistake, Refused
from runner.playbook import (
    DEFAULT_PAUSE,
    DEFAULT_ROUNDS,
    RETRIED,
    STOP,
    Conduct,
    Decision,
    Input,
    Output,
    Playbook,
    Retry,
    Route,
    Step,
    Task,
    Where,
)
from runner.playbook.mending import mend
from runner.playbook.order import check_order
from runner.playbook.paper import check_paper
from runner.playbook.timing import check_schedule
from runner.posts import join_roles
from runner.source import Source, load_source, parse_source

DEEPEST_INCLUDE = 8
DRAWN = frozenset({"start", "end", "connector"})
ASKING = ("person.do", "person.sign")
DONE = "do"  # the task of a step that says only who acts

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
    data = mend(source, mistakes)
    if data is None:
        return None
    acting = data.get("supplement", {}).get("actors", {})
    reader = _Reader(source, path, (*parents, path.resolve()), mistakes, texts, acting)
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
    mistakes += check_paper(source, data)
    mistakes += check_schedule(source, playbook.supplement, [step.id for step in steps])
    return playbook


class _Reader:
    """Builds steps from data that fits the schema; what the schema cannot tell is noted with its place."""

    def __init__(
        self,
        source: Source,
        path: Path,
        chain: tuple[Path, ...],
        mistakes: list[Mistake],
        texts: Texts | None,
        acting: Mapping[str, Any],
    ) -> None:
        self._source = source
        self._path = path
        self._chain = chain
        self._mistakes = mistakes
        self._texts = texts
        self._acting = acting

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
            inputs=tuple(map(_input, body.get("inputs", ()))),
            outputs=tuple(map(_output, body.get("outputs", ()))),
            targets=body.get("targets", ""),
            once=body.get("once", False),
            tasks=tuple(self._tasks(body, where, conduct)),
            decision=_decision(body, _actors(body.get("actor"))[: None if "tasks" not in body else 1]),
            include=self._include(body, where),
            include_vars=body.get("with", {}),
            after=_names(body.get("after")),
        )

    def _tasks(self, body: Mapping[str, Any], where: Where, conduct: Conduct) -> Iterator[Task]:
        """How a step is carried out: as its tasks say; without `tasks`, whoever is named on the form does it."""
        if "tasks" in body:
            for place, task in enumerate(body["tasks"]):
                yield self._task(task, (*where, "tasks", place), conduct, body)
        elif not any(body.get(key) for key in ("decide", "include", "targets")) and body.get("symbol") != "connector":
            actors = _actors(body.get("actor", self._acting.get(body["id"])))
            if actors:
                own = self._conduct({}, where, conduct)
                yield Task(DONE, ASKING[0], {"question": body["activity"]}, own, where, actors=actors)

    def _task(self, body: Mapping[str, Any], where: Where, above: Conduct, step: Mapping[str, Any]) -> Task:
        if "action" not in body and "decide" not in body and body.get("symbol") not in DRAWN:
            self._note(where, "the task says nothing to do", "write action: or decide:")
        return Task(
            id=body["id"],
            action=body.get("action", ""),
            inputs={**({"question": step["activity"]} if body.get("action") in ASKING else {}), **body.get("with", {})},
            conduct=self._conduct(body, where, above),
            where=where,
            limit=self._seconds(body.get("time_limit"), (*where, "time_limit")),
            effect=Effect(body["effect"]) if "effect" in body else None,
            actors=_actors(body.get("actor")),
            symbol=body.get("symbol", ""),
            decision=_decision({"activity": step["activity"], **body}, _actors(body.get("actor"))),
            after=_names(body.get("after")),
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
            self._note((*where, "time_limit"), str(error))
            return parse_norm(None)

    def _include(self, body: Mapping[str, Any], where: Where) -> Playbook | None:
        name = body.get("include")
        if name is None:
            return None
        path = self._path.parent / name
        at = (*where, "include")
        if not name.isprintable():
            self._note(at, "no file can be called that", "write its path from this file's folder")
        elif path.resolve() in self._chain:
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
        """Note ids that stand twice, and `after` that leads nowhere or in a circle."""
        self._check_unique([(s.id, (*s.where, "id")) for s in playbook.steps], "step")
        self._mistakes += check_order(playbook)
        for step in playbook.steps:
            self._check_unique([(t.id, (*t.where, "id")) for t in step.tasks], "task")
            outputs = [(o.id, (*step.where, "outputs", n, "id")) for n, o in enumerate(step.outputs) if o.id]
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
    if isinstance(written, dict):
        return (join_roles(written["any_of"]),)
    return (written,) if isinstance(written, str) else tuple(dict.fromkeys(written))


def _input(written: Any) -> Input:
    return Input(written) if isinstance(written, str) else Input(written["text"], written.get("needs", ""))


def _output(written: Any) -> Output:
    """An output; one that is only a text has no id, so that nothing can refer to it."""
    if isinstance(written, str):
        return Output("", written)
    return Output(written["id"], written["text"], written.get("value", ""))


def _names(written: Any) -> tuple[str, ...] | None:
    return None if written is None else tuple(dict.fromkeys(written))


def _route(written: Any, default: Route) -> Route:
    if not isinstance(written, dict):
        return default if written is None else Route(written)
    kind = next(kind for kind in ("step", "task", "out") if kind in written)
    return Route(kind, written.get("step", ""), written.get("task", ""), written.get("out", ""))


def _decision(body: Mapping[str, Any], actors: tuple[str, ...]) -> Decision | None:
    written = body.get("decide")
    if written is None:
        return None
    return Decision(
        question=written.get("question") or body["activity"],
        actors=_actors(written.get("actor")) or actors,
        answers={label: _route(route, STOP) for label, route in written["answers"].items()},
        rounds=written.get("rounds", DEFAULT_ROUNDS),
        value=written.get("value", ""),
    )
