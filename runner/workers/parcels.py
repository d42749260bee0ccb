"""An act as it travels to a worker: plain data, from which the same act is made again there."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import runner
from runner.actions import ACTIONS
from runner.contract import Action, Effect
from runner.engine.acts import Act
from runner.events import Key
from runner.inventory import Target
from runner.services import Access, World

# The actions that read and leave nothing on the machine they are done on, but through their call.
PORTABLE = frozenset(
    {
        *("command.run", "website.available", "website.updated", "website.integrity", "website.content"),
        *("tls.certificate", "domain.status", "logs.discover", "logs.fetch", "logs.scan"),
    }
)
# Those that always compare with the last time: what came out then goes with them.
COMPARING = PORTABLE - {"command.run", "website.content", "logs.discover", "logs.fetch"}


class Parcel(NamedTuple):
    """An act, the time at which it was handed out, by the clock of the journal's machine, and what the record says of
    the last time, in a list of one; an empty list where that was not asked for yet."""

    act: Act
    now: datetime
    latest: Sequence[Mapping[str, Any] | None] = ()


@cache
def fingerprint() -> str:
    """What tells versions of sop apart: the SHA-256 of its source."""
    digest, home = hashlib.sha256(runner.__version__.encode()), Path(runner.__file__).parent
    for path in sorted(home.rglob("*.py")):
        digest.update(str(path.relative_to(home)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def travels(act: Act, *, far: bool = True) -> bool:
    """Whether an act may be done on a worker: it reads and leaves nothing on this machine but through its call.

    A server that is this machine is here and nowhere else; so is a file that an input names, where workers are `far`.
    """
    here = act.server is not None and act.server.settings.get("connection") == "local"
    portable = act.action.name in PORTABLE and not (far and _names_files(act.action, act.inputs))
    return act.target is not None and portable and not here


def _names_files(action: Action, inputs: Mapping[str, Any]) -> bool:
    return any(schema.get("names") == "file" and inputs.get(name) for name, schema in action.inputs.items())


def pack_act(act: Act, access: Access | None, world: World) -> dict[str, Any]:
    """Given an act, how to reach its server, and the journal's machine, return it as JSON values. It may hold secrets.

    Raise RecordError where the record cannot be read.
    """
    target = act.target
    assert target is not None
    return {
        "key": list(act.key),
        "action": act.action.name,
        "inputs": dict(act.inputs),
        "target": {"name": target.name, "kind": target.kind, "settings": dict(target.settings)},
        "server": access and {"name": access.name, "settings": dict(access.settings)},
        "limit": act.limit,
        "effect": str(act.effect),
        "office": dict(act.office),
        "run_as": act.run_as,
        "mode": act.mode,
        "now": world.now().isoformat(),
        "latest": [world.recorder(act.key).latest()] if act.action.name in COMPARING else [],
    }


def unpack_act(data: Mapping[str, Any]) -> Parcel:
    """The inverse of `pack_act`."""
    action, target, server = ACTIONS[data["action"]], data["target"], data["server"]
    act = Act(
        key=Key(*data["key"]),
        action=action,
        inputs={name: _input(value, action.inputs.get(name, {})) for name, value in data["inputs"].items()},
        target=Target(target["name"], target["kind"], target["settings"]),
        server=server and Target(server["name"], "server", server["settings"]),
        limit=data["limit"],
        effect=Effect(data["effect"]),
        office=data["office"],
        run_as=data["run_as"],
        mode=data["mode"],
    )
    return Parcel(act, datetime.fromisoformat(data["now"]), data["latest"])


def _input(value: Any, schema: Mapping[str, Any]) -> Any:
    if not schema.get("shell"):
        return value
    line, parameters = value
    return line, tuple(parameters)
