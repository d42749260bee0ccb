"""Whether what a step needs, and where its actions reach, is there on its targets."""

from __future__ import annotations

from collections.abc import Iterable

from runner.contract import Action, Reach
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
