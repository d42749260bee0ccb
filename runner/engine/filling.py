"""Filling compiled values: each gives its value, or the outcome of the task that cannot have it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from runner.contract import Outcome, Reason, Status
from runner.engine.scope import Scope
from runner.expressions import ExpressionError, Missing
from runner.inputs import Compiled
from runner.plan import PlannedTask
from runner.shapes import check_value

MOST_ITEMS = 1000


def skipped(reason: Reason, message: str) -> Outcome:
    """The outcome of a task that is not done."""
    return Outcome(Status.SKIPPED, reason=reason, message=message)


def fill(compiled: Compiled, scope: Scope) -> tuple[Any, Outcome | None]:
    """Given a compiled value and its scope, return (value, None), or (None, outcome) where a value is missing."""
    missing = scope.missing(compiled)
    if missing:
        return None, skipped(Reason.BLOCKED, missing)
    try:
        return scope.fill(compiled), None
    except Missing as error:
        return None, skipped(Reason.BLOCKED, str(error))
    except ExpressionError as error:
        return None, Outcome(Status.FAILED, message=f"{error.fragment}: {error}. {error.cure}")


def check_condition(compiled: Compiled | None, scope: Scope) -> Outcome | None:
    """Given a condition, return None where it holds, else the outcome of what it guards."""
    if compiled is None:
        return None
    value, refused = fill(compiled, scope)
    if refused:
        return refused
    if not isinstance(value, bool):
        return Outcome(Status.FAILED, message=f"when gives {value!r}, neither true nor false")
    return None if value else skipped(Reason.CONDITION, "its condition is false")


def fill_list(compiled: Compiled, scope: Scope) -> tuple[Sequence[Any], Outcome | None]:
    """Given a `for_each`, return its items."""
    value, refused = fill(compiled, scope)
    if refused:
        return (), refused
    if not isinstance(value, list | tuple) or len(value) > MOST_ITEMS:
        return (), Outcome(Status.FAILED, message=f"for_each needs a list of at most {MOST_ITEMS} items")
    return value, None


def fill_inputs(
    task: PlannedTask, scope: Scope, secret: Callable[[str], str], role: str = ""
) -> tuple[Mapping[str, Any], Outcome | None]:
    """Given a task and who does it, return its inputs filled, with defaults, and checked by the action's schema."""
    inputs = {name: schema["default"] for name, schema in task.action.inputs.items() if "default" in schema}
    if role:
        inputs["role"] = role
    for name, compiled in task.inputs.items():
        schema = task.action.inputs[name]
        value, refused = fill(compiled, scope)
        if refused:
            return {}, refused
        value = _reveal(value, schema, secret)
        known = schema.get("shell") or not compiled.expressions  # a value without expressions was checked in the plan
        for fault in () if known else check_value(value, schema):
            return {}, Outcome(Status.FAILED, message=f"input '{name}': {fault.message}. {fault.cure}".rstrip())
        inputs[name] = value
    return inputs, None


def _reveal(value: Any, schema: Mapping[str, Any], secret: Callable[[str], str]) -> Any:
    """A value in which each reference to a secret is the secret, wherever its schema takes one."""
    if not isinstance(value, Mapping):
        return value
    if schema.get("secret") and value.keys() == {"secret"}:
        return secret(str(value["secret"]))
    parts = schema.get("properties", {})
    return {key: _reveal(part, parts[key], secret) if key in parts else part for key, part in value.items()}
