"""Open problems, over all runs: the same fault is one problem, from the run that first saw it to the last.

A problem (key and target) is open while the latest outcome of a task that reported it still does. An outcome that
could not tell (failed, timed out, unreachable, skipped) closes nothing: unknown is not OK.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby
from typing import Any

from runner.contract import Severity
from runner.record.reader import JournalReader

_PLACES = """
    SELECT DISTINCT playbook, step, task, target FROM events INDEXED BY reports
    WHERE problems IS NOT NULL AND (?1 IS NULL OR playbook = ?1)
"""
_OUTCOMES = """
    SELECT run, attempt, seq, item, problems FROM events INDEXED BY latest_tasks
    WHERE kind = 'task_finished' AND playbook = ? AND step = ? AND task = ? AND target IS ?
    AND (status IN ('ok', 'changed') OR problems IS NOT NULL) ORDER BY seq DESC
"""
_WORST_FIRST = tuple(reversed(Severity))

_Place = tuple[str, str, str, str | None]


@dataclass(frozen=True, slots=True)
class OpenProblem:
    """A fault that is still there: when it was first and last seen, and by the run that last saw it, how bad it is."""

    key: str
    target: str | None
    severity: Severity
    message: str
    first_seen: datetime
    last_seen: datetime
    run: str
    playbook: str
    step: str
    task: str


def open_problems(journal: JournalReader, playbook: str | None = None) -> tuple[OpenProblem, ...]:
    """Given a journal, return the open problems, of one playbook if given: the worst first, then the oldest."""
    found: dict[tuple[str, str | None], OpenProblem] = {}
    with journal.reading() as connection:
        for place in connection.execute(_PLACES, (playbook,)).fetchall():
            for problem in _open_at(connection, place):
                key = (problem.key, problem.target)
                found[key] = _joined(found[key], problem) if key in found else problem
    return tuple(sorted(found.values(), key=_rank))


def _open_at(connection: sqlite3.Connection, place: _Place) -> Iterator[OpenProblem]:
    for key, (first, last) in _spans(connection, place).items():
        body = _body(connection, last)
        told = next(each for each in body["data"]["problems"] if each["key"] == key)
        yield OpenProblem(
            key=key,
            target=place[3],
            severity=Severity(told["severity"]),
            message=told["message"],
            first_seen=_at(connection, first),
            last_seen=_at(connection, last),
            run=body["run"],
            playbook=place[0],
            step=place[1],
            task=place[2],
        )


def _spans(connection: sqlite3.Connection, place: _Place) -> dict[str, tuple[int, int]]:
    """The records that first and last reported each key, back to the latest time that the task did not report it."""
    spans: dict[str, tuple[int, int]] = {}
    still: set[str] | None = None
    for _, outcomes in groupby(connection.execute(_OUTCOMES, place), key=lambda row: row[:2]):
        reported = _reported(outcomes)
        still = set(reported) if still is None else still & set(reported)
        if not still:
            break
        for key in still:
            spans[key] = (reported[key], spans.get(key, (0, reported[key]))[1])
    return spans


def _reported(outcomes: Iterator[tuple[Any, ...]]) -> dict[str, int]:
    """Given one attempt's outcomes, newest first, return each key that a last try reported, and the newest record."""
    reported: dict[str, int] = {}
    items: set[str] = set()
    for _, _, seq, item, keys in outcomes:
        if item not in items:
            items.add(item)
            for key in json.loads(keys or "[]"):
                reported.setdefault(key, seq)
    return reported


def _joined(one: OpenProblem, other: OpenProblem) -> OpenProblem:
    newest = max(one, other, key=lambda problem: problem.last_seen)
    return replace(newest, first_seen=min(one.first_seen, other.first_seen))


def _rank(problem: OpenProblem) -> tuple[int, datetime, str, str]:
    return _WORST_FIRST.index(problem.severity), problem.first_seen, problem.key, problem.target or ""


def _body(connection: sqlite3.Connection, seq: int) -> dict[str, Any]:
    (body,) = connection.execute("SELECT body FROM events WHERE seq = ?", (seq,)).fetchone()
    return dict(json.loads(body))


def _at(connection: sqlite3.Connection, seq: int) -> datetime:
    (at,) = connection.execute("SELECT at FROM events WHERE seq = ?", (seq,)).fetchone()
    return datetime.fromisoformat(at)
