"""What acts need of the world, made of the real things: connections, evidence, the record, secrets, the clock."""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from runner.calendar import Calendar
from runner.connections import Connections
from runner.contract import Connection, Evidence
from runner.durations import Clock
from runner.engine.terms import Rests
from runner.errors import Failed, Mistake, Refused
from runner.events import Key
from runner.inventory import Inventory, Target
from runner.notices import Notifier
from runner.record.evidence import EvidenceStore
from runner.record.journal import Journal
from runner.record.reader import JournalReader
from runner.recorder import Recorder
from runner.recorders import DryRecorder, JournalRecorder, Render
from runner.secrets import Redactor

Content = bytes | Path | BinaryIO


class Secrets:
    """The values of the secrets that a run uses, found before its first task; others at hand are masked too."""

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
        self.are_used = bool(self._values or inventory.plain)
        self.redactor = Redactor({**inventory.secrets_at_hand(), **self._values})

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


Tell = Callable[[Key, str], None]


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


def unheard(key: Key, text: str) -> None:
    """Nothing is said."""


class World:
    """The services of one run. Closing it ends what still runs and removes what was temporary."""

    def __init__(
        self,
        inventory: Inventory,
        connections: Connections,
        keep: Callable[[str, Content, str], Evidence],
        secrets: Secrets,
        recorder: Callable[[Key], Recorder],
        run: str,
        clock: Clock,
        directory: Path,
        tell: Tell = unheard,
    ) -> None:
        self.directory = directory
        self.tell = tell
        self.rests = Rests()
        self.keep = keep
        self.recorder = recorder
        self._clock = clock
        self._run = run
        self._inventory = inventory
        self._connections = connections
        self._secrets = secrets

    def connect(self, server: Target | None) -> Connection:
        """The connection to a server, to this machine for None. Raise Unreachable."""
        return self._connections.get(server and self.access(server))

    def access(self, server: Target) -> Access:
        """How to reach a server. Raise Failed when its password cannot be had."""
        return find_access(server, self._inventory, self._secrets.get)

    def notifier(self, key: Key) -> Notifier:
        """What the task of that key may write to people with; each try of it writes under the same claim."""
        from runner.notify.courier import Courier

        claim = json.dumps([self._run, *key._replace(tries=0)])
        now = self.now().astimezone(Calendar.from_office(self._inventory.office).office.zone)
        return Courier(self._inventory, self._secrets.get, self.mask, claim, now)

    def rest(self, key: Key, seconds: float) -> None:
        """Wait that long with the task of that key, whose place another target may take meanwhile."""
        self.rests.begin(key)
        try:
            time.sleep(seconds)
        finally:
            self.rests.end(key)

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


def keep_nothing(name: str, content: Content, media_type: str) -> Evidence:
    """Describe evidence without keeping it."""
    import hashlib

    data = _bytes_of(content)
    return Evidence(name, hashlib.sha256(data).hexdigest(), len(data), media_type)


def _bytes_of(content: Content) -> bytes:
    if isinstance(content, Path):
        return content.read_bytes()
    return content if isinstance(content, bytes) else content.read()


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
    tell: Tell = unheard,
) -> World:
    """Given what a run is bound to, return its services; without a journal those of a dry run, which may look into
    the `past` and keeps evidence until it ends."""
    directory = Path(tempfile.mkdtemp(prefix="sop-"))
    if journal is None or store is None:

        def keep_for_now(name: str, content: Content, media_type: str) -> Evidence:
            data = _bytes_of(content)
            evidence = keep_nothing(name, data, media_type)
            (directory / evidence.sha256).write_bytes(data)  # for the tasks that come after; goes with the folder
            return evidence

        def dry(key: Key) -> Recorder:
            return DryRecorder(past, playbook, key.target, directory)

        return World(inventory, connections, keep_for_now, secrets, dry, run, clock, directory)

    def keep(name: str, content: Content, media_type: str) -> Evidence:
        return store.keep(name, secrets.redactor.mask(content) if isinstance(content, bytes) else content, media_type)

    def recorder(key: Key) -> Recorder:
        return JournalRecorder(journal, playbook, key, run, render, clock, inventory.knowledge)

    return World(inventory, connections, keep, secrets, recorder, run, clock, directory, tell)
