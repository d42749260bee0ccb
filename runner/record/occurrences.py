"""From outcomes to occurrences: from when until when a fault was seen, by one task on one target.

An occurrence begins with the outcome that reports a key and ends with the first later one of the same task that could
tell and did not report it. An outcome that could not tell (failed, timed out, unreachable, skipped) ends nothing:
unknown is not OK. Of several tries the last that could tell counts; the items of a `for_each` are judged together, and
where one of them could not tell, they end nothing.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from typing import NamedTuple

from runner.events import fault_of

_PLACES = """
    SELECT playbook, step, task, target, max(seq) FROM events INDEXED BY reports
    WHERE problems IS NOT NULL AND (?1 IS NULL OR playbook = ?1) GROUP BY playbook, step, task, target
"""
_REPORTS = """
    WITH counted AS (
        SELECT seq, run, attempt, item, problems FROM events e INDEXED BY reports
        WHERE problems IS NOT NULL AND playbook = ?1 AND step = ?2 AND task = ?3 AND target IS ?4 AND NOT EXISTS (
            SELECT 1 FROM events l INDEXED BY outcomes WHERE l.kind = 'task_finished' AND l.run = e.run
            AND l.step = e.step AND l.attempt = e.attempt AND l.task = e.task
            AND ifnull(l.target, '') = ifnull(e.target, '') AND l.item = e.item AND l."try" > e."try"
            AND (l.status IN ('ok', 'changed') OR l.problems IS NOT NULL)
        )
    ), placed AS (
        SELECT *, lag(seq) OVER before AS seq_before, lag(run) OVER before AS run_before,
            lag(attempt) OVER before AS attempt_before FROM counted WINDOW before AS (ORDER BY seq)
    )
    SELECT seq, run, attempt, item, problems, (
        SELECT seq FROM events c INDEXED BY latest_tasks
        WHERE kind = 'task_finished' AND playbook = ?1 AND step = ?2 AND task = ?3 AND target IS ?4
        AND c.seq > r.seq_before AND c.seq < r.seq AND status IN ('ok', 'changed') AND problems IS NULL
        AND NOT (c.run = r.run AND c.attempt = r.attempt)
        AND NOT (c.run = r.run_before AND c.attempt = r.attempt_before) ORDER BY seq LIMIT 1
    ) FROM placed r ORDER BY seq
"""
_KEYS = """
    SELECT DISTINCT problems FROM events INDEXED BY reports
    WHERE problems IS NOT NULL AND playbook = ? AND step = ? AND task = ? AND target IS ?
"""
_CLEAN = """
    SELECT seq, run, attempt, item FROM events INDEXED BY latest_tasks
    WHERE kind = 'task_finished' AND playbook = ?1 AND step = ?2 AND task = ?3 AND target IS ?4
    AND seq >= ?5 AND seq < ?6 AND status IN ('ok', 'changed') AND problems IS NULL
    AND NOT (run = ?7 AND attempt = ?8) ORDER BY seq
"""
_TRIES = """
    SELECT item, status, problems FROM events INDEXED BY outcomes
    WHERE kind = 'task_finished' AND run = ?1 AND step = ?2 AND attempt = ?3 AND task = ?4
    AND ifnull(target, '') = ifnull(?5, '') ORDER BY "try"
"""
_TELLING = frozenset({"ok", "changed", "skipped"})
_NO_END = 1 << 62


class Place(NamedTuple):
    """Which task sees a fault, and on which target."""

    playbook: str
    step: str
    task: str
    target: str | None


@dataclass(slots=True)
class Occurrence:
    """A fault at a place, by numbers of records: the first and last that reported it, how many did, and the one that
    reported it no more (0: it is still there)."""

    key: str
    place: Place
    first: int
    last: int
    times: int = 1
    gone: int = 0


class _Round(NamedTuple):
    """All outcomes of a task on a target in one attempt of a run: which record reported which key, what was clean
    before, and whether some item could not tell."""

    run: str
    attempt: int
    last: int
    reported: dict[str, int]
    clean_before: int
    unsure: bool


def find_occurrences(
    connection: sqlite3.Connection, playbook: str | None = None, *, only_open: bool = False
) -> Iterator[Occurrence]:
    """Given a journal opened for reading, return every occurrence, of one playbook if given, place by place.

    With `only_open` only faults that may still be there, with all their past, wherever they were seen.
    """
    places = {Place._make(words): last for *words, last in connection.execute(_PLACES, (playbook,)).fetchall()}
    if not only_open:
        for place in places:
            yield from _occurrences(connection, place)
        return
    keys = {place: _keys_at(connection, place) for place in places}
    ailing = {
        fault_of(key, place.target)
        for place, last in places.items()
        if not _is_clean_after(connection, place, last)
        for key in keys[place]
    }
    for place in places:
        if any(fault_of(key, place.target) in ailing for key in keys[place]):
            yield from (each for each in _occurrences(connection, place) if fault_of(each.key, place.target) in ailing)


def _keys_at(connection: sqlite3.Connection, place: Place) -> frozenset[str]:
    """All keys that were ever reported at a place."""
    return frozenset(key for (text,) in connection.execute(_KEYS, place) for key in _keys(text))


def _is_clean_after(connection: sqlite3.Connection, place: Place, last: int) -> bool:
    run, attempt = connection.execute("SELECT run, attempt FROM events WHERE seq = ?", (last,)).fetchone()
    return bool(_first_clean(connection, place, last, _NO_END, run, attempt))


def _occurrences(connection: sqlite3.Connection, place: Place) -> Iterator[Occurrence]:
    there: dict[str, Occurrence] = {}
    last: _Round | None = None
    for last in _rounds(connection, place):
        yield from _end(there, set(there), last.clean_before)
        if not last.unsure:
            yield from _end(there, there.keys() - last.reported.keys(), last.last)
        for key, seq in last.reported.items():
            found = there.setdefault(key, Occurrence(key, place, seq, seq, 0))
            found.last, found.times = seq, found.times + 1
    if last and there:
        yield from _end(there, set(there), _first_clean(connection, place, last.last, _NO_END, last.run, last.attempt))
    yield from there.values()


def _end(there: dict[str, Occurrence], keys: Iterable[str], seq: int) -> Iterator[Occurrence]:
    for key in sorted(keys) if seq else ():
        there[key].gone = seq
        yield there.pop(key)


def _rounds(connection: sqlite3.Connection, place: Place) -> Iterator[_Round]:
    rows = connection.execute(_REPORTS, place)
    for (run, attempt), group in groupby(rows, key=lambda row: (str(row[1]), int(row[2]))):
        reports = list(group)
        clean = reports[0][5] or 0
        if clean:
            clean = _first_clean(connection, place, clean, reports[0][0], run, attempt)
        reported = {key: report[0] for report in reports for key in _keys(report[4])}
        unsure = any(report[3] for report in reports) and _is_unsure(connection, place, run, attempt)
        yield _Round(run, attempt, reports[-1][0], reported, clean, unsure)


@lru_cache(maxsize=1024)
def _keys(text: str) -> tuple[str, ...]:
    return tuple(json.loads(text))


def _first_clean(connection: sqlite3.Connection, place: Place, start: int, end: int, run: str, attempt: int) -> int:
    """The first record from `start` on, before `end` and not of that round, that surely saw no fault; 0 for none."""
    for seq, other, number, item in connection.execute(_CLEAN, (*place, start, end, run, attempt)):
        if not item or not _is_unsure(connection, place, other, number):
            return int(seq)
    return 0


def _is_unsure(connection: sqlite3.Connection, place: Place, run: str, attempt: int) -> bool:
    """Whether the last try of some item of a round could not tell."""
    given = (run, place.step, attempt, place.task, place.target)
    last = {item: status in _TELLING or keys is not None for item, status, keys in connection.execute(_TRIES, given)}
    return not all(last.values())
