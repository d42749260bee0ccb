"""An engine to experiment with: small actions whose behaviour a test chooses, real threads, a clock that stands.

lab = Lab('''
  - {id: one, activity: a, targets: servers, tasks: [{id: a, action: lab.read}]}
''')
lab.does["one.a@s1"] = fail
lab.run()
assert lab.told == [...]
"""

from __future__ import annotations

import textwrap
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from runner.calendar import Calendar
from runner.contract import Action, Call, Connection, Effect, Evidence, Outcome, Preview, Reach, Repeat, Request, Status
from runner.durations import Deadline
from runner.engine import Engine
from runner.engine.executors import Threads
from runner.engine.heading import describe
from runner.engine.progress import build_progress
from runner.engine.scope import StepValue
from runner.engine.terms import Brake, Ending
from runner.engine.terms import Request as RunRequest
from runner.errors import Refused, Unreachable
from runner.events import Event, Key, Kind
from runner.inventory import Inventory, Target, parse_inventory
from runner.inventory.documents import Document
from runner.plan import Plan, Selection
from runner.plan.planning import build_plan
from runner.playbook.reading import load_playbook
from runner.record import build_record
from runner.record.document import Record
from runner.redactor import Redactor

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)  # Monday, 09.00 WIB
RUN = "20261123-0200-bcdfg"
INVENTORY = """
office: {name: Pengadilan Negeri Contoh, timezone: Asia/Jakarta}
servers:
  s1: {connection: local}
  s2: {connection: local}
  s3: {connection: local}
websites:
  w1: {url: "http://127.0.0.1:9", server: s1}
people:
  siti: {name: Siti, login: siti, roles: [{role: admin, from: "2020-01-01"}]}
secrets: {key: {env: LAB_KEY}}
vars: {word: hello}
"""

Behaviour = Callable[[Call], Outcome]


def ok(**outputs: Any) -> Behaviour:
    """An act that ends well with these outputs."""
    return lambda call: Outcome(Status.OK, outputs=outputs)


def fail(call: Call) -> Outcome:
    """An act that fails."""
    return Outcome(Status.FAILED, message="it broke")


def unreachable(call: Call) -> Outcome:
    """An act whose server gives no connection."""
    raise Unreachable("no route")


@dataclass
class Lab:
    """A playbook's steps (YAML, indented by two), and what its acts do, by "step.task@target" or "step.task"."""

    steps: str
    top: str = ""
    others: Mapping[str, str] = field(default_factory=dict)
    inventory: str = INVENTORY
    selection: Selection = field(default_factory=Selection)
    does: dict[str, Behaviour] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=lambda: {"key": "hunter22"})
    directory: Path = Path("/nonexistent")
    broken: frozenset[str] = frozenset()
    earlier: Callable[[str, str | None], StepValue | None] = lambda step, target: None
    roles: str = "{admin: Admin}"

    def __post_init__(self) -> None:
        self.events: list[Event] = []
        self.calls: list[Key] = []
        self.inputs: dict[Key, Mapping[str, Any]] = {}
        self.lock = threading.Lock()
        self.brake = Brake()
        self.redactor = Redactor(self.secrets)
        self.plan = self._plan()

    def _plan(self) -> Plan:
        text = f"procedure: {{title: T, roles: {self.roles}}}\n" + textwrap.dedent(self.top)
        texts = {"lab.yml": text + "steps:\n" + self.steps, **self.others}
        mistakes: list[Any] = []
        playbook = load_playbook(Path("lab.yml"), mistakes, texts)
        if playbook is None:
            raise Refused(*mistakes)
        known = lambda step, target: self.earlier(step, target) is not None  # noqa: E731  # a value for a parameter
        return build_plan(
            playbook,
            build_inventory(self.inventory),
            self.actions(),
            self.selection,
            today=date(2026, 11, 23),
            earlier=known,
            mistakes=mistakes,
        )

    def actions(self) -> dict[str, Action]:
        """The actions of the lab by name."""
        made = [
            self._action("lab.read", Effect.READ, Repeat.SAFE),
            self._action("lab.change", Effect.CHANGE, Repeat.SAFE, preview=lambda call: Preview("it would change")),
            self._action("lab.blind", Effect.CHANGE, Repeat.SAFE),
            self._action("lab.never", Effect.CHANGE, Repeat.NEVER),
            self._action("lab.probe", Effect.CHANGE, Repeat.PROBE, probe=self._probe),
            self._action("lab.remote", Effect.READ, Repeat.SAFE, reach=Reach.SERVER),
            self._action("lab.ask", Effect.OUTSIDE, Repeat.SAFE)._replace(
                person=True,
                targets=("",),
                run=self._ask,
                preview=lambda call: Preview("it would be asked"),
            ),
        ]
        return {action.name: action for action in made}

    def _action(self, name: str, effect: Effect, repeat: Repeat, **more: Any) -> Action:
        texts = {"type": "string", "description": "a text", "examples": ["x"]}
        return Action(
            name=name,
            description="for tests",
            inputs={
                "give": {"description": "what it gives", "examples": ["x"], "optional": True},
                "text": {**texts, "optional": True},
                "number": {"type": "integer", "description": "a number", "examples": [1], "optional": True},
                "secret": {**texts, "optional": True, "secret": True},
                "role": {**texts, "optional": True},
            }
            if name == "lab.ask"
            else {
                "give": {"description": "what it gives", "examples": ["x"], "optional": True},
                "text": {**texts, "optional": True},
                "number": {"type": "integer", "description": "a number", "examples": [1], "optional": True},
                "secret": {**texts, "optional": True, "secret": True},
            },
            outputs={
                "value": {"description": "what was given", "examples": ["x"]},
                "name": {"type": "string", "description": "the target's name", "examples": ["s1"]},
                **({"label": texts, "person": texts} if name == "lab.ask" else {}),
            },
            effect=effect,
            repeat=repeat,
            limit="10s",
            run=self._run,
            **{"reach": Reach.CONTROLLER, **more},
        )

    def _run(self, call: Call) -> Outcome:
        key = key_of(call)
        with self.lock:
            self.calls.append(key)
            self.inputs[key] = call.inputs
        place = f"{key.step}.{key.task}"
        behaviour = self.does.get(f"{place}@{key.target}") or self.does.get(place)
        if behaviour:
            return behaviour(call)
        return Outcome(Status.OK, outputs={"value": call.inputs.get("give"), "name": key.target or ""})

    def _probe(self, call: Call) -> Outcome | None:
        key = key_of(call)
        behaviour = self.does.get(f"probe {key.step}.{key.task}")
        return behaviour(call) if behaviour else None

    def _ask(self, call: Call) -> Outcome:
        return Outcome(
            Status.WAITING, request=Request(call.inputs["role"], call.inputs["text"], ("signed", "returned"))
        )

    def run(
        self,
        *,
        forks: int = 20,
        dry: bool = False,
        resume: Sequence[Event] = (),
        explicit: Sequence[str] = (),
        **more: Any,
    ) -> Ending:
        """Run the plan; after `resume`, the events of a run that was cut off, go on with it."""
        self.events = [*resume]
        begun = bool(resume)
        header = {"by": "siti", "version": "0"} if begun else {**describe(self.plan), "mode": "run", "by": "siti"}
        executor = Threads()
        request = RunRequest(
            run=RUN,
            header=header,
            calendar=Calendar.from_office(self.plan.inventory.office),
            progress=build_progress(event for event in resume if event.run == RUN),
            resumed=begun,
            forks=forks,
            dry=dry,
            explicit=frozenset(explicit),
            earlier=self.earlier,
            child=lambda name: build_progress(event for event in self.events if event.run == name),
            **more,
        )
        try:
            return Engine(self.plan, self.events.extend, executor, self, request, self.brake).run()
        finally:
            executor.close()

    def answer(self, step: str, label: str, *, task: str = "", person: str = "Siti", to: str = "") -> list[Event]:
        """The run's events with an answer to its open request at that step; `task` may be "sign[admin]"."""
        for event in reversed(self.events):
            place = f"{event.task}[{event.item}]" if event.item else event.task
            if event.kind is Kind.REQUESTED and event.step == step and task in ("", event.task, place):
                return [*self.events, give_answer(event, label, person=person, to=to)]
        raise AssertionError(f"nothing was asked in {step}: {self.told}")

    @property
    def told(self) -> list[str]:
        """What the engine said, one line an event."""
        return [tell(event) for event in self.events]

    def lane(self, target: str | None) -> list[str]:
        """What was said about one target."""
        return [tell(event) for event in self.events if event.step and event.target == target]

    @property
    def record(self) -> Record:
        """The record of the run (not of what it includes)."""
        return build_record(event for event in self.events if event.run == RUN)

    # What the engine needs of the world.

    def connect(self, server: Target | None) -> Connection:
        """A connection that opens, or does not."""
        return _Connection(server is not None and server.name in self.broken)  # type: ignore[return-value]  # enough here

    def keep(self, name: str, content: bytes | Path, media_type: str) -> Evidence:
        """Nothing is kept."""
        raise AssertionError("the lab keeps no evidence")

    def recorder(self, key: Key) -> Any:
        """A recorder that knows its task's key."""
        return _Recorder(key)

    def notifier(self, key: Key) -> Any:
        """Nobody is written to."""
        raise AssertionError("the lab writes to nobody")

    def tell(self, key: Key, text: str) -> None:
        """Nobody watches."""

    def secret(self, name: str) -> str:
        """A secret's value."""
        return self.secrets[name]

    def mask(self, value: Any) -> Any:
        """The value without secrets."""
        return self.redactor.mask(value)

    def now(self) -> datetime:
        """The time stands still."""
        return NOW


def give_answer(asked: Event, label: str, *, person: str = "Siti", to: str = "") -> Event:
    """Given a request, return a person's answer to it."""
    words = {
        "role": asked.data["role"],
        "person": person,
        "label": label,
        "method": "login",
        "note": "n",
        "subject": "",
    }
    data = {**words, "at": NOW.isoformat(), **({"to": to} if to else {})}
    return replace(asked, kind=Kind.ANSWERED, data=data)


@dataclass(frozen=True)
class _Connection:
    broken: bool

    def open(self, deadline: Deadline) -> None:
        """Open, or not."""
        if self.broken:
            raise Unreachable("no route")


@dataclass(frozen=True)
class _Recorder:
    key: Key

    def latest(self) -> None:
        """Nothing is remembered."""

    def report(self, kind: str) -> bytes:
        """Nothing is reported."""
        return b""

    def problems(self) -> tuple[()]:
        """Nothing is in hand."""
        return ()

    def accepted(self) -> tuple[()]:
        """Nothing was accepted."""
        return ()

    def secret_key(self, name: str) -> bytes:
        """One key for all."""
        return bytes(32)

    def evidence(self, sha256: str) -> bytes:
        """Nothing is kept."""
        return b""

    def expired(self, today: date) -> tuple[()]:
        """Nothing is over."""
        return ()

    def delete_expired(self, today: date) -> tuple[()]:
        """Nothing is deleted."""
        return ()

    def latest_with(self, action: str, output: str, key: str, value: str) -> None:
        """Nothing is remembered."""

    def outcomes(self, action: str) -> tuple[()]:
        """Nothing is remembered."""
        return ()

    def signed(self, sha256: str) -> None:
        """Nothing was signed."""


def key_of(call: Call) -> Key:
    """Given a call of the lab, return which task it is."""
    assert isinstance(call.record, _Recorder)
    return call.record.key


def build_inventory(text: str) -> Inventory:
    """Given inventory text, return the inventory."""
    return parse_inventory([Document("inventory.yml", text)])


def tell(event: Event) -> str:
    """Given an event, return it as one short line: kind, place, and what matters of its data."""
    data = event.data
    place = event.step + (f"({event.attempt})" if event.attempt > 1 else "")
    place += f".{event.task}" if event.task else ""
    place += f"[{event.item}]" if event.item else ""
    place += f"~{event.tries}" if event.tries > 1 else ""
    place += f"@{event.target}" if event.target else ""
    child = f"{event.run.removeprefix(RUN)}: " if event.run != RUN else ""
    more = {
        Kind.TASK_FINISHED: lambda: f": {_status(data)}",
        Kind.STEP_FINISHED: lambda: f": {_status(data)}" + (f" {data['outputs']}" if data["outputs"] else ""),
        Kind.MOVED: lambda: f" -> {data['to']}" + (" back" if data["back"] else ""),
        Kind.REQUESTED: lambda: f": {data['role']} {'|'.join(data['answers'])}",
        Kind.ANSWERED: lambda: f": {data['label']}",
        Kind.RUN_ENDED: lambda: f"{data['status']} {data['exit_code']}",
    }.get(event.kind, lambda: "")()
    return f"{child}{event.kind} {place}{more}".rstrip()


def _status(data: Mapping[str, Any]) -> str:
    return str(data["status"]) + (f" ({data['reason']})" if data["reason"] else "")
