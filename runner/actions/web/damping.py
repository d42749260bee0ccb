"""Faults that come and go: one is told of after so many checks in a row that saw it, and is over after so many that
did not. What is counted is handed from one check to the next in the task's own outputs, so it lives in the journal."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any

from runner.contract import Problem, Severity

MOST_WATCHED = 100


@dataclass(frozen=True, slots=True)
class Damping:
    """How many checks in a row must see a fault before it is told, and how many must not before it is over."""

    down_after: int = 1
    up_after: int = 1


@dataclass(frozen=True, slots=True)
class Watched:
    """A fault under watch: checks in a row that saw it (`seen`) or did not (`gone`), whether it is told of, since
    when, and what was last said of it."""

    since: str
    severity: str
    message: str
    seen: int = 0
    gone: int = 0
    open: bool = False


def recall(earlier: Mapping[str, Any] | None) -> dict[str, Watched]:
    """Given the outputs of an earlier check, return the faults that it watched; {} where there was none."""
    kept = (earlier or {}).get("watched") or {}
    return {key: Watched(**{name: each[name] for name in Watched.__slots__}) for key, each in kept.items()}


def keep(watched: Mapping[str, Watched]) -> dict[str, Any]:
    """The inverse of `recall`: what is watched, as plain values."""
    return {key: asdict(each) for key, each in watched.items()}


def advance(
    watched: Mapping[str, Watched],
    seen: Sequence[Problem],
    *,
    judged: Collection[str] | None,
    damping: Damping,
    now: datetime,
) -> dict[str, Watched]:
    """Given what was watched and what a check saw, return what is watched from now on.

    `judged` names the faults that this check could have seen (None: all); others stay as they were.
    """
    found = {problem.key: problem for problem in seen}
    moment = now.astimezone(UTC).isoformat(timespec="seconds")
    after: dict[str, Watched] = {}
    for key in list(dict.fromkeys([*watched, *found]))[:MOST_WATCHED]:
        known = watched.get(key)
        if key in found:
            after[key] = _saw(known, found[key], damping, moment)
        elif known and judged is not None and key not in judged:
            after[key] = known
        elif known and (still := _missed(known, damping)):
            after[key] = still
    return after


def _saw(known: Watched | None, problem: Problem, damping: Damping, moment: str) -> Watched:
    before = known if known and (known.seen or known.open) else Watched(moment, "", "")
    count = before.seen + 1
    told = before.open or count >= damping.down_after
    return replace(before, severity=str(problem.severity), message=problem.message, seen=count, gone=0, open=told)


def _missed(known: Watched, damping: Damping) -> Watched | None:
    """A fault that a check did not see: None when it is over, or was never told of."""
    gone = known.gone + 1
    return replace(known, seen=0, gone=gone) if known.open and gone < damping.up_after else None


def open_problems(watched: Mapping[str, Watched], damping: Damping) -> tuple[Problem, ...]:
    """Given what is watched, return the problems that are told of."""
    return tuple(
        Problem(key, Severity(each.severity), each.message + _recovering(each, damping))
        for key, each in watched.items()
        if each.open
    )


def _recovering(each: Watched, damping: Damping) -> str:
    return f" Pulih pada {each.gone} dari {damping.up_after} pemeriksaan berturut-turut." if each.gone else ""
