"""A declaration as JSON values: what `sop actions` shows, and what a run's record keeps of actions that are not built
in, so that officials answer and auditors read without loading anybody's code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runner.contract import Action, Call, Effect, Outcome, Reach, Repeat
from runner.errors import Failed

ONCE = "once"


def action_to_json(action: Action) -> dict[str, Any]:
    """Given an action, return its declaration as JSON values."""
    return {
        "name": action.name,
        "description": action.description,
        "effect": str(action.effect),
        "effects": [str(each) for each in action.effects],
        "repeat": str(action.repeat),
        "reach": str(action.reach),
        "limit": action.limit,
        "targets": [kind or ONCE for kind in action.targets],
        "inputs": dict(action.inputs),
        "one_of": list(action.one_of),
        "outputs": dict(action.outputs),
        "example": action.example,
    }


def action_from_json(body: Mapping[str, Any]) -> Action:
    """The inverse of `action_to_json`, to look at: running it fails."""
    return Action(
        name=body["name"],
        description=body["description"],
        inputs=body["inputs"],
        outputs=body["outputs"],
        effect=Effect(body["effect"]),
        repeat=Repeat(body["repeat"]),
        reach=Reach(body["reach"]),
        limit=body["limit"],
        run=_cannot_run,
        targets=tuple("" if kind == ONCE else kind for kind in body["targets"]),
        effects=tuple(map(Effect, body["effects"])),
        one_of=tuple(body["one_of"]),
        example=body["example"],
    )


def _cannot_run(call: Call) -> Outcome:
    raise Failed("only its declaration is here. go on with: sop resume RUN")
