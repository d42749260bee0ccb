"""Whether what a step needs, and where its actions reach, is there on its targets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any

from runner.contract import Action, Reach
from runner.errors import did_you_mean
from runner.inventory import Inventory, Target

Fault = tuple[str, str]  # message, cure


def check_need(need: str, targets: Iterable[Target | None], inventory: Inventory) -> Fault | None:
    """Given what an input needs and a step's targets, return what is wrong; None where all have it."""
    for target in targets:
        if target is None:
            return None if need == "server" else (f"a step that runs once has no '{need}'", "give the step targets:")
        has_server = need == "server" and inventory.server_of(target) is not None
        if not (has_server or target.kind == need or need in target.view()):
            return f"'{target.name}' has no '{need}'", "set it in the inventory"
    return None


def check_reach(action: Action, targets: Iterable[Target | None], inventory: Inventory) -> Fault | None:
    """Given an action and a step's targets, return why it cannot work there; None where it can."""
    for target in targets:
        if (target.kind if target else "") not in action.targets:
            return _wrong_target(action, target), _kinds(action)
        if target and action.reach is Reach.SERVER and inventory.server_of(target) is None:
            message = f"'{action.name}' works on a server, and '{target.name}' has none"
            return message, "give it server: in the inventory"
    return None


def _wrong_target(action: Action, target: Target | None) -> str:
    if target is None:
        return f"'{action.name}' needs a target, and this step runs once"
    return f"'{action.name}' does not work on a {target.kind} ('{target.name}')"


def _kinds(action: Action) -> str:
    kinds = [f"{kind}s" for kind in action.targets if kind]
    return "give the step targets: " + " or ".join(kinds) if kinds else "move it to a step without targets"


def check_names(
    given: Mapping[str, Any], action: Action, inventory: Inventory, today: date
) -> Iterator[tuple[str, Fault]]:
    """Given what a task gives an action, tell each input that names somebody or something the inventory does not have.

    What an expression will give is looked at when it is known.
    """
    for key, schema in action.inputs.items():
        check = _CHECKS.get(schema.get("names", ""))
        value = given.get(key, schema.get("default", []))
        if check is _check_channel and not inventory.channels and not isinstance(value, str):
            yield key, ("there is no channel to write over", "define one under channels: in the inventory")
        elif check:
            names = [name for name in (value if isinstance(value, list) else [value]) if isinstance(name, str)]
            found = (check(name, inventory, today) for name in names if "{{" not in name)
            yield from ((key, fault) for fault in found if fault)


def _check_channel(name: str, inventory: Inventory, today: date) -> Fault | None:
    if name in inventory.channels:
        return None
    cure = did_you_mean(name, inventory.channels) or "define it under channels: in the inventory"
    return f"there is no channel '{name}'", cure


def _check_recipient(name: str, inventory: Inventory, today: date) -> Fault | None:
    roles = inventory.roles
    if name in roles:
        held = inventory.holders(name, today)
        return None if held else (f"nobody holds the role '{name}' on {today.isoformat()}", "name another recipient")
    if name in inventory.people:
        return None
    cure = did_you_mean(name, [*inventory.people, *roles]) or "add them under people: in the inventory"
    return f"'{name}' is no person or role of the inventory, and nobody else is written to", cure


_CHECKS = {"channel": _check_channel, "recipient": _check_recipient}
