"""One act: a task's action called on one target, whatever happens turned into an outcome."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from runner.contract import Action, Call, Connection, Effect, Evidence, Outcome, Reach, Reason, Status
from runner.durations import Deadline
from runner.errors import Failed, RecordError, TimeUp, Unreachable
from runner.events import Key, outcome_to_json
from runner.inventory import Target
from runner.notices import Notifier
from runner.recorder import Recorder

LONGEST_CONNECT = 30.0
LONGEST_MESSAGE = 100_000  # characters: thirty pages
LONGEST_NAME = 200


class Services(Protocol):
    """What acts need of the world, handed to the engine."""

    directory: Path

    def connect(self, server: Target | None) -> Connection:
        """The connection to a server, to this machine for None. Raise Unreachable."""

    def keep(self, name: str, content: bytes | Path, media_type: str) -> Evidence:
        """Keep bytes or a file as evidence."""

    def recorder(self, key: Key) -> Recorder:
        """What the task of that key may ask of the record."""

    def notifier(self, key: Key) -> Notifier:
        """What the task of that key may write to people with."""

    def tell(self, key: Key, text: str) -> None:
        """Say to who watches how far the task of that key is."""

    def rest(self, key: Key, seconds: float) -> None:
        """Wait that long with the task of that key, whose place another target may take meanwhile."""

    def secret(self, name: str) -> str:
        """A secret's value, which is masked from then on."""

    def mask(self, value: Any) -> Any:
        """The value without any secret."""

    def now(self) -> datetime:
        """The time, in UTC."""


class Act(NamedTuple):
    """A task with its inputs filled, ready to be claimed and done. `mode` is "run", "probe" or "preview". `ahead` are
    the acts that come next on the same server, whose commands may be sent before their turn."""

    key: Key
    action: Action
    inputs: Mapping[str, Any]
    target: Target | None
    server: Target | None
    limit: float
    effect: Effect
    office: Mapping[str, Any]
    run_as: str = ""
    item: Any = None
    mode: str = "run"
    ahead: tuple[Act, ...] = ()


def perform(act: Act, services: Services, over: Connection | None = None) -> Outcome:
    """Given an act, do it, `over` that connection where one is given, and return its outcome. Raise RecordError when
    evidence cannot be kept."""
    return shorten_outcome(_do(act, services, over))


def shorten_outcome(outcome: Outcome) -> Outcome:
    """The outcome, what is said in it no longer than people read: a page from outside may be all one word."""
    asked = outcome.request
    said = (outcome.message, asked.question if asked else "", *(each.message for each in outcome.problems))
    if max(map(len, said)) <= LONGEST_MESSAGE and all(len(each.name) <= LONGEST_NAME for each in outcome.evidence):
        return outcome
    problems = tuple(each._replace(message=_shorten(each.message)) for each in outcome.problems)
    evidence = tuple(each._replace(name=each.name[:LONGEST_NAME]) for each in outcome.evidence)
    request = asked._replace(question=_shorten(asked.question)) if asked else None
    return replace(outcome, message=_shorten(outcome.message), problems=problems, evidence=evidence, request=request)


def _shorten(text: str) -> str:
    left = len(text) - LONGEST_MESSAGE
    return text if left <= 0 else f"{text[:LONGEST_MESSAGE]}… ({left} more characters)"


def _do(act: Act, services: Services, over: Connection | None) -> Outcome:
    try:
        outcome = _perform(act, services, over)
        json.dumps(outcome_to_json(outcome), allow_nan=False)  # what cannot be recorded is a fault of the action
        return outcome
    except TimeUp as error:
        return Outcome(Status.TIMED_OUT, message=f"{error}{_left_running(act, error)}")
    except Unreachable as error:
        return Outcome(Status.UNREACHABLE, message=str(error))
    except Failed as error:
        return Outcome(Status.FAILED, message=str(error))
    except RecordError:
        raise
    except (Exception, SystemExit) as error:  # noqa: BLE001  # a fault in one action is its task's, never the run's
        return Outcome(Status.FAILED, message=f"a fault in '{act.action.name}': {type(error).__name__}: {error}")


def _perform(act: Act, services: Services, connection: Connection | None) -> Outcome:
    if act.action.reach is Reach.SERVER:
        connection = connection or services.connect(act.server)
        connection.open(Deadline.after(LONGEST_CONNECT))  # before the task's limit begins: connecting has its own
    deadline = Deadline.after(act.limit)
    call = build_call(act, services, deadline, connection)
    if act.mode == "preview":
        return _preview(act, call)
    outcome = _probe(act, call) if act.mode == "probe" else act.action.run(call)
    if deadline.passed and outcome.status in (Status.OK, Status.CHANGED):
        return outcome_after_limit(act, outcome)
    return outcome


def outcome_after_limit(act: Act, outcome: Outcome) -> Outcome:
    """Given an outcome that came after the limit, return it as done but late: what was done is not denied."""
    return Outcome(
        Status.TIMED_OUT,
        outputs=outcome.outputs,
        evidence=outcome.evidence,
        problems=outcome.problems,
        message=f"it ended only after its limit of {act.limit:g} s",
    )


def build_call(act: Act, services: Services, deadline: Deadline, connection: Connection | None) -> Call:
    """Given an act, return the call of its action, over that connection where there is one."""
    connect: Callable[[], Connection] = (
        (lambda: connection) if connection is not None else (lambda: services.connect(act.server))
    )
    return Call(
        target=act.target.view() if act.target else None,
        inputs=act.inputs,
        deadline=deadline,
        now=services.now(),
        connect=connect,
        keep=services.keep,
        record=services.recorder(act.key),
        office=act.office,
        directory=services.directory,
        notifier=lambda: services.notifier(act.key),
        run_as=act.run_as,
        effect=act.effect,
        tell=lambda text: services.tell(act.key, text),
        rest=lambda seconds: services.rest(act.key, seconds),
    )


def _probe(act: Act, call: Call) -> Outcome:
    found = act.action.probe(call) if act.action.probe else None
    return found if found is not None else act.action.run(call)


def _preview(act: Act, call: Call) -> Outcome:
    if act.effect is Effect.READ and not act.action.person:
        return act.action.run(call)
    preview = act.action.preview(call)
    if preview is None:
        return Outcome(Status.SKIPPED, reason=Reason.NOT_CHECKED, message="it can be known only by doing it")
    message = preview.message + (f"\n{preview.diff}" if preview.diff else "")
    return Outcome(Status.SKIPPED, reason=Reason.PREVIEWED, message=message)


def given_up(act: Act) -> Outcome:
    """The outcome of an act that did not end when its time was up."""
    message = f"it did not end within its limit of {act.limit:g} s and was left behind; its thread may still run"
    return Outcome(Status.TIMED_OUT, message=message)


def _left_running(act: Act, error: TimeUp) -> str:
    """What a task that ran out of time left behind on its server, in words."""
    if error.survivors:
        return f"; still running: {', '.join(error.survivors)}"
    return "; its processes were ended" if act.action.reach is Reach.SERVER else ""
