"""What a journal tells of a period: the runs, outcomes and steps of a day, a month, a quarter or a year.

A period is half open: `since` belongs to it, `until` does not. An event belongs to the period in which it happened,
whenever its run began. Everything is read record by record, so that a year needs no more memory than a day.

    month = Period(datetime(2026, 11, 1, tzinfo=zone), datetime(2026, 12, 1, tzinfo=zone))
    runs_in(journal, month)                                       RunSummary, oldest first
    outcomes_in(journal, month, step="backup", task="set")        task_finished events, with outputs and evidence
    events_in(journal, month, Kind.STEP_FINISHED, step="backup")  any kinds of event
    sightings_in(journal, month, step="watch", task="available")  time, target, status, problem keys; for counting
    step_ends_in(journal, month, step="watch")                    time, target, status, whether late; for counting
    problems.problems(journal, month)                             the register of problems
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from runner.contract import Status
from runner.events import Event, Kind
from runner.record.reader import JournalReader, RunSummary

SLACK = timedelta(hours=1)  # how far a record may lie from its place in time: events wait to be written together

_BOUNDS = """
    WITH turns AS (SELECT at, seq FROM events WHERE kind IN ('run_started', 'run_resumed', 'run_ended'))
    SELECT min(ifnull((SELECT min(seq) FROM turns WHERE at >= ?1), 9e15),
               ifnull((SELECT max(seq) FROM turns WHERE at < ?2), 1)),
           max(ifnull((SELECT max(seq) FROM turns WHERE at < ?3), 0),
               ifnull((SELECT min(seq) FROM turns WHERE at >= ?4), (SELECT max(seq) FROM events)))
"""
_WHERE = """
    FROM events WHERE seq BETWEEN ?1 AND ?2 AND at >= ?3 AND at < ?4 AND (?5 = '[]' OR kind IN (SELECT value FROM
    json_each(?5))) AND (?6 = '' OR playbook = ?6) AND (?7 = '' OR step = ?7) AND (?8 = '' OR task = ?8) ORDER BY seq
"""
_EVENTS = "SELECT body" + _WHERE
_SIGHTINGS = "SELECT at, run, playbook, step, task, target, item, status, problems" + _WHERE
_EDGES = "SELECT min(seq), max(seq)" + _WHERE
_LATE = "EXISTS (SELECT 1 FROM json_each(body, '$.data.deviations') WHERE value LIKE 'late: %')"
_ENDS = f"SELECT at, playbook, step, target, status, {_LATE}" + _WHERE


class Period(NamedTuple):
    """From `since` on, until before `until`; both aware times, of whatever zone."""

    since: datetime
    until: datetime


class Sighting(NamedTuple):
    """A finished task in short: `problems` holds the keys that it reported."""

    at: datetime
    run: str
    playbook: str
    step: str
    task: str
    target: str | None
    item: str
    status: Status
    problems: tuple[str, ...]


class StepEnd(NamedTuple):
    """A finished step on a target in short: `late` tells that it was beyond its norm."""

    at: datetime
    playbook: str
    step: str
    target: str | None
    status: Status
    late: bool


def runs_in(journal: JournalReader, period: Period, playbook: str = "") -> tuple[RunSummary, ...]:
    """The runs that began in the period, of one playbook if given, oldest first."""
    return journal.runs_between(_text(period.since), _text(period.until), playbook)


def outcomes_in(
    journal: JournalReader, period: Period, *, playbook: str = "", step: str = "", task: str = ""
) -> Iterator[Event]:
    """The finished tasks of the period (each try of each attempt), in order: `outcome_from_json(event.data)`."""
    return events_in(journal, period, Kind.TASK_FINISHED, playbook=playbook, step=step, task=task)


def events_in(
    journal: JournalReader, period: Period, *kinds: Kind, playbook: str = "", step: str = "", task: str = ""
) -> Iterator[Event]:
    """The events of those kinds (of all, where none is given) that happened in the period, in order."""
    for (body,) in _select(journal, _EVENTS, period, kinds, (playbook, step, task)):
        yield Event.from_json(json.loads(body))


def sightings_in(
    journal: JournalReader, period: Period, *, playbook: str = "", step: str = "", task: str = ""
) -> Iterator[Sighting]:
    """The finished tasks of the period in short, in order."""
    for row in _select(journal, _SIGHTINGS, period, (Kind.TASK_FINISHED,), (playbook, step, task)):
        at, *place, status, keys = row
        seen = (datetime.fromisoformat(at), *place, Status(status), tuple(json.loads(keys or "[]")))
        yield Sighting._make(seen)


def step_ends_in(journal: JournalReader, period: Period, *, playbook: str = "", step: str = "") -> Iterator[StepEnd]:
    """The finished steps of the period in short, in order."""
    for at, *place, status, late in _select(journal, _ENDS, period, (Kind.STEP_FINISHED,), (playbook, step, "")):
        yield StepEnd._make((datetime.fromisoformat(at), *place, Status(status), bool(late)))


def records_in(journal: JournalReader, period: Period) -> tuple[int, int]:
    """The numbers of the first and the last record of the period; zeros where there is none."""
    first, last = next(_select(journal, _EDGES, period, (), ("", "", "")))
    return int(first or 0), int(last or 0)


def _select(
    journal: JournalReader, query: str, period: Period, kinds: Sequence[Kind], place: tuple[str, str, str]
) -> Iterator[tuple[Any, ...]]:
    wanted = json.dumps([str(kind) for kind in kinds])
    with journal.reading() as connection:
        bounds = _bounds(connection, period)
        yield from connection.execute(query, (*bounds, _text(period.since), _text(period.until), wanted, *place))


def _bounds(connection: sqlite3.Connection, period: Period) -> tuple[int, int]:
    """The first and last record that may belong to a period: times are not indexed but those of runs' turns."""
    since, until = period
    times = (since, since - SLACK, until, until + SLACK)
    first, last = connection.execute(_BOUNDS, tuple(map(_text, times))).fetchone()
    return int(first), int(last or 0)


def _text(moment: datetime) -> str:
    """A time as the journal writes it, in UTC; such texts sort as the times do."""
    return moment.astimezone(UTC).isoformat()
