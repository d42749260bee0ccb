"""What acts need of the world, made of the real things: connections, evidence, the record, secrets, the clock."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from secrets import token_bytes
from typing import Any, NamedTuple

from runner.calendar import Calendar
from runner.connections import Connections
from runner.contract import OUTPUT_LIMIT, Connection, Evidence, Recorder
from runner.durations import Clock
from runner.errors import Failed, Mistake, Refused
from runner.events import Key
from runner.inventory import Inventory, Target
from runner.inventory.knowledge import FIELDS, Advice, find_advice
from runner.notices import Notifier
from runner.record.evidence import EvidenceStore
from runner.record.journal import Journal
from runner.record.reader import JournalReader
from runner.secrets import Redactor

Render = Callable[[str, str], bytes]  # run, kind of document


class Secrets:
    """The values of the secrets that a run uses, found before its first task."""

    def __init__(self, inventory: Inventory, names: frozenset[str]) -> None:
        mistakes = []
        self._values: dict[str, str] = {}
        for name in sorted(names):
            try:
                self._values[name] = inventory.resolve(name)
            except Failed as error:
                mistakes.append(_place_secret(inventory, name, str(error)))
        if mistakes:
            raise Refused(*mistakes)
        self.redactor = Redactor({**inventory.plain, **self._values})

    def get(self, name: str) -> str:
        """The value of a secret that was found. Raise Failed for another."""
        if name not in self._values:
            raise Failed(f"the secret '{name}' was not asked for in the plan. name it by secret('{name}')")
        return self._values[name]


def _place_secret(inventory: Inventory, name: str, message: str) -> Mistake:
    """A mistake at a secret's definition."""
    for source in inventory.sources:
        if isinstance(source.data, dict) and name in (source.data.get("secrets") or ()):
            return source.mistake(("secrets", name), message)
    return Mistake("secrets", 0, 0, message)


class Access(NamedTuple):
    """How to reach a server: its settings with the password found and the way over jump hosts written out."""

    name: str
    settings: Mapping[str, Any]


def find_access(server: Target, inventory: Inventory, secret: Callable[[str], str]) -> Access:
    """Given a server of the inventory, return how to reach it. Raise Failed when its password cannot be had."""
    settings = dict(server.settings)
    password, identity = settings.get("password"), settings.get("identity")
    if isinstance(password, Mapping):
        settings["password"] = secret(str(password["secret"]))
    if isinstance(identity, list):
        settings["identity"] = next((key for key in identity if Path(key).expanduser().exists()), identity[0])
    jump = str(settings.pop("jump", ""))
    if jump:
        settings["proxy_jump"] = ",".join(_hops(jump, inventory))
    return Access(server.name, settings)


def _hops(jump: str, inventory: Inventory) -> list[str]:
    """The hosts on the way, the first one first; the inventory has refused circles."""
    server = inventory.targets.get(jump)
    if server is None:
        return [jump]
    settings = server.settings
    before = _hops(str(settings["jump"]), inventory) if "jump" in settings else []
    user = f"{settings['user']}@" if "user" in settings else ""
    port = f":{settings['port']}" if "port" in settings else ""
    return [*before, f"{user}{settings.get('address', server.name)}{port}"]


class World:
    """The services of one run. Closing it ends what still runs and removes what was temporary."""

    def __init__(
        self,
        inventory: Inventory,
        connections: Connections,
        keep: Callable[[str, bytes | Path, str], Evidence],
        secrets: Secrets,
        recorder: Callable[[Key], Recorder],
        run: str,
        clock: Clock,
    ) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="sop-"))
        self.keep = keep
        self.recorder = recorder
        self._clock = clock
        self._run = run
        self._inventory = inventory
        self._connections = connections
        self._secrets = secrets

    def connect(self, server: Target | None) -> Connection:
        """The connection to a server, to this machine for None. Raise Unreachable."""
        return self._connections.get(server and find_access(server, self._inventory, self._secrets.get))

    def notifier(self, key: Key) -> Notifier:
        """What the task of that key may write to people with; each try of it writes under the same claim."""
        from runner.notify.courier import Courier

        claim = json.dumps([self._run, *key._replace(tries=0)])
        now = self.now().astimezone(Calendar.from_office(self._inventory.office).office.zone)
        return Courier(self._inventory, self._secrets.get, self.mask, claim, now)

    def secret(self, name: str) -> str:
        """A secret's value."""
        return self._secrets.get(name)

    def mask(self, value: Any) -> Any:
        """The value without any secret."""
        return self._secrets.redactor.mask(value)

    def now(self) -> datetime:
        """The time, in UTC."""
        return self._clock.now()

    def close(self) -> None:
        """End every command that still runs and remove the temporary files."""
        self._connections.close()
        shutil.rmtree(self.directory, ignore_errors=True)


class JournalRecorder(NamedTuple):
    """What a task may ask of the journal."""

    journal: Journal
    playbook: str
    key: Key
    run: str
    render: Render
    clock: Clock
    knowledge: Sequence[Advice] = ()

    def latest(self) -> Mapping[str, Any] | None:
        """Outputs of this task on this target when it last ended well in an earlier run."""
        key = self.key
        found = self.journal.latest_outcome(
            self.playbook, key.step, key.task, key.target, item=key.item, other_than=self.run
        )
        return found.outputs if found else None

    def report(self, kind: str) -> bytes:
        """The document of that kind about this run so far."""
        return self.render(self.run, kind)

    def problems(self) -> Sequence[Mapping[str, Any]]:
        """The problems that this run has in hand, with what is known of them."""
        from runner.record.recalling import held_problems

        found = held_problems(self.journal, self.run, self.clock.now())
        return [{**each, "advice": self._advice(each["key"], each["target"])} for each in found]

    def accepted(self) -> Sequence[Mapping[str, Any]]:
        """What people have accepted of this task's problems on this target."""
        from runner.record.recalling import accepted_problems

        return accepted_problems(self.journal, self.playbook, self.key)

    def secret_key(self, name: str) -> bytes:
        """The key of that name, beside the record."""
        from runner.record.keys import load_key

        return load_key(self.journal.records, name)

    def evidence(self, sha256: str) -> bytes:
        """Kept evidence, unaltered."""
        return EvidenceStore(self.journal.records).read(sha256, OUTPUT_LIMIT)

    def expired(self, today: date) -> Sequence[Mapping[str, Any]]:
        """The evidence whose last day is over."""
        from runner.record.retention import find_expired

        return [each._asdict() for each in find_expired(self.journal, today, besides=self.run)]

    def delete_expired(self, today: date) -> Sequence[Mapping[str, Any]]:
        """Delete the evidence whose last day is over and that nothing holds."""
        store, found = EvidenceStore(self.journal.records), self.expired(today)
        for each in found:
            if not each["held"]:
                store.delete(each["sha256"])
        return found

    def latest_with(self, action: str, output: str, key: str, value: str) -> Mapping[str, Any] | None:
        """Outputs of the latest outcome of that action on this target whose `output` has `value` under `key`."""
        return self.journal.latest_with(self.playbook, self.key.target, action, output, **{key: value})

    def outcomes(self, action: str) -> Sequence[Mapping[str, Any]]:
        """How the latest tasks of that action on this target ended, in any playbook."""
        return self.journal.outcomes(action, self.key.target)

    def signed(self, sha256: str) -> Mapping[str, Any] | None:
        """Who signed that document in this run."""
        return self.journal.signed(self.run, sha256)

    def _advice(self, key: str, target: str | None) -> list[dict[str, Any]]:
        return [
            {"title": advice.title, **{name: list(getattr(advice, name)) for name in FIELDS}}
            for advice in find_advice(self.knowledge, key, target)
        ]


class DryRecorder(NamedTuple):
    """The recorder of a dry run: it makes no documents and compares with nothing, but knows how far the past came."""

    past: JournalReader | None
    playbook: str
    target: str | None

    def latest(self) -> Mapping[str, Any] | None:
        """A dry run compares with nothing."""
        return None

    def report(self, kind: str) -> bytes:
        """A dry run makes no document."""
        raise Failed("a dry run makes no document")

    def problems(self) -> Sequence[Mapping[str, Any]]:
        """A dry run has nothing in hand."""
        return ()

    def accepted(self) -> Sequence[Mapping[str, Any]]:
        """A dry run knows of no acceptance."""
        return ()

    def secret_key(self, name: str) -> bytes:
        """A dry run leaves nothing behind: a key for this once."""
        return token_bytes(32)

    def evidence(self, sha256: str) -> bytes:
        """A dry run kept nothing."""
        raise Failed(f"evidence {sha256}: a dry run keeps none")

    def expired(self, today: date) -> Sequence[Mapping[str, Any]]:
        """A dry run deletes nothing."""
        return ()

    def delete_expired(self, today: date) -> Sequence[Mapping[str, Any]]:
        """A dry run deletes nothing."""
        return ()

    def latest_with(self, action: str, output: str, key: str, value: str) -> Mapping[str, Any] | None:
        """Outputs of the latest outcome of that action on this target in the record, if there is a record."""
        past = self.past
        return past.latest_with(self.playbook, self.target, action, output, **{key: value}) if past else None

    def outcomes(self, action: str) -> Sequence[Mapping[str, Any]]:
        """How the latest tasks of that action on this target ended, if there is a record."""
        return self.past.outcomes(action, self.target) if self.past else ()

    def signed(self, sha256: str) -> Mapping[str, Any] | None:
        """In a dry run nobody signs."""
        return None


def keep_nothing(name: str, content: bytes | Path, media_type: str) -> Evidence:
    """Describe evidence without keeping it, for a dry run."""
    import hashlib

    data = content.read_bytes() if isinstance(content, Path) else content
    return Evidence(name, hashlib.sha256(data).hexdigest(), len(data), media_type)


def open_world(
    inventory: Inventory,
    connections: Connections,
    secrets: Secrets,
    *,
    journal: Journal | None,
    store: EvidenceStore | None,
    playbook: str,
    run: str,
    render: Render,
    clock: Clock,
    past: JournalReader | None = None,
) -> World:
    """Given what a run is bound to, return its services; without a journal those of a dry run, which may look into
    the `past`."""
    if journal is None or store is None:

        def dry(key: Key) -> Recorder:
            return DryRecorder(past, playbook, key.target)

        return World(inventory, connections, keep_nothing, secrets, dry, run, clock)

    def keep(name: str, content: bytes | Path, media_type: str) -> Evidence:
        return store.keep(name, content if isinstance(content, Path) else secrets.redactor.mask(content), media_type)

    def recorder(key: Key) -> Recorder:
        return JournalRecorder(journal, playbook, key, run, render, clock, inventory.knowledge)

    return World(inventory, connections, keep, secrets, recorder, run, clock)
