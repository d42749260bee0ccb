"""The ladder by which what is overdue goes up: `supplement.escalation`, rung by rung."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from runner.durations import Norm, parse_norm
from runner.playbook.pieces import Schema, mapping, text, texts
from runner.spans import Unit

MOST_RUNGS = 20
_WORKING = frozenset({Unit.SECOND, Unit.MINUTE, Unit.HOUR})

RUNG: Schema = {
    **mapping(
        {
            "overdue": text("how long after it was due, in working time", "1 jam", minLength=1),
            "before": text("or a reminder: how much working time before it is due", "2 jam", minLength=1),
            "to": {
                "description": "the role that is told, or several; without it whoever must act",
                "examples": ["kasubbag", ["kasubbag", "sekretaris"]],
                "oneOf": [
                    {"type": "string"},
                    {"type": "array", "minItems": 1, "maxItems": 20, "items": {"type": "string"}},
                ],
            },
            "channels": texts("the channels of the inventory to tell over; without them, all", ["mail"]),
        },
        "one rung: when, and who is told",
        {"overdue": "1 jam", "to": "kasubbag"},
    ),
    "oneOf": [{"required": ["overdue"]}, {"required": ["before"]}],
}
ESCALATION: Schema = {
    "type": "array",
    "maxItems": MOST_RUNGS,
    "items": RUNG,
    "description": "who is told when somebody's act is overdue; nothing is ever approved by waiting",
    "examples": [[{"before": "1 jam"}, {"overdue": "1 jam", "to": "kasubbag"}]],
}


class Rung(NamedTuple):
    """One rung, counted from 1: `norm` before the due time, or after it; told to `roles` (none: who must act) over
    `channels` (none: all)."""

    number: int
    before: bool
    norm: Norm
    roles: tuple[str, ...]
    channels: tuple[str, ...]


def parse_ladder(written: Sequence[Mapping[str, Any]]) -> tuple[Rung, ...]:
    """Given the ladder as written, return its rungs. Raise ValueError for a time that is none."""
    return tuple(parse_rung(each, number) for number, each in enumerate(written, 1))


def parse_rung(written: Mapping[str, Any], number: int) -> Rung:
    """Given a rung as written, return it. Raise ValueError, with a cure, for a time that is none."""
    before = "before" in written
    norm = parse_norm(written["before"] if before else written["overdue"])
    if norm.late is None or norm.early is not None:
        raise ValueError(f"'{norm.text}' is no one time. write for example 1 jam or 1 hari")
    if before and norm.late.unit not in _WORKING:
        raise ValueError(f"'{norm.text}' is not working time. write for example 30 menit or 3 jam")
    to = written.get("to", ())
    roles = (to,) if isinstance(to, str) else tuple(to)
    return Rung(number, before, norm, roles, tuple(written.get("channels", ())))
