"""A playbook's data checked against its schema, and mended so that reading can go on and find what else is wrong."""

from __future__ import annotations

from typing import Any

from runner.errors import Mistake
from runner.playbook.habits import LEADS, PLAYS, find_cure
from runner.playbook.keywords import PLAYBOOK
from runner.shapes import check_value
from runner.shapes.faults import Fault, without_consequences
from runner.source import Source

_WHOLE = frozenset(
    {
        "actor",
        "retry",
        "decide",
        "time_limit",
        "on_failure",
        "on_unreachable",
        "schedule",
        "after",
        "actors",
        "arrows",
        "columns",
        "fields",
        "sections",
        "groups",
    }
)
_TEXTS = frozenset({"activity", "text", "title"})
_KEPT = frozenset({"roles", "outputs", "vars", "for_each", "include", "with"})  # others hang on what stands there
_NEEDED = frozenset({"steps", "procedure", "tasks", "id", "action"})

Path = tuple[str | int, ...]


def mend(source: Source, mistakes: list[Mistake]) -> Any:
    """Given a playbook's source, return its data without what does not fit, each of which is added to `mistakes`.

    None where what is left could not be read without inventing further mistakes.
    """
    if isinstance(source.data, list) and any(isinstance(play, dict) and "hosts" in play for play in source.data):
        mistakes.append(source.mistake((), *PLAYS))
        return None
    faults = check_value(source.data, PLAYBOOK)
    for fault in without_consequences([_in_our_words(fault) for fault in faults]):
        mistakes.append(source.mistake(fault.path, fault.message, fault.cure, key=fault.key))
    data = _copy(source.data)
    return data if all(_drop(data, fault.path) for fault in faults) else None


def _in_our_words(fault: Fault) -> Fault:
    """A fault with the cure for who brings a habit along, where it is one."""
    missing = fault.message.endswith("' is missing")
    habit = find_cure(str(fault.path[-1])) if fault.key and fault.path and not missing else ""
    leads = LEADS if not fault.key and fault.path[-2:-1] == ("answers",) else ""
    return fault._replace(cure=habit or leads or fault.cure)


def _copy(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copy(part) for key, part in value.items()}
    return [_copy(part) for part in value] if isinstance(value, list) else value


def _drop(data: Any, path: Path) -> bool:
    """Leave out the key at the path; False where the rest could not be judged without it."""
    whole = next((depth for depth, part in enumerate(path) if part in _WHOLE), len(path))
    path = path[: whole + 1]
    parent = _follow(data, path[:-1])
    if not path or not isinstance(parent, dict):
        return False
    last = path[-1]
    if last in _TEXTS:
        parent[last] = str(parent.get(last, ""))
        return True
    if last == "id" and isinstance(parent.get("id"), str):
        return True
    if last in _NEEDED or not _KEPT.isdisjoint(path):
        return False
    parent.pop(last, None)
    return True


def _follow(data: Any, path: Path) -> Any:
    for part in path:
        try:
            data = data[part]
        except (KeyError, IndexError, TypeError):
            return None
    return data
