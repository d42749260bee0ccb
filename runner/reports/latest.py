"""The outcomes of an action, wherever it stands in the journal's playbooks: the last before a time, or a period's."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from runner.events import Event
from runner.record.period import Period, outcomes_in
from runner.record.reader import JournalReader

# from one place to the next through the index: a journal has a few dozen, among a million outcomes
_PLACES = """
    WITH RECURSIVE places(playbook, step, task) AS (
        SELECT '', '', ''
        UNION ALL
        SELECT f.playbook, f.step, f.task FROM places p JOIN events f ON f.seq = (
            SELECT seq FROM events INDEXED BY latest_tasks WHERE kind = 'task_finished'
            AND (playbook, step, task) > (p.playbook, p.step, p.task) ORDER BY playbook, step, task LIMIT 1
        )
    )
    SELECT playbook, step, task FROM places WHERE task <> ''
"""
_PLACE = "FROM events INDEXED BY latest_tasks WHERE kind = 'task_finished' AND playbook = ? AND step = ? AND task = ?"
_ACTION = f"SELECT json_extract(body, '$.data.action') {_PLACE} LIMIT 1"
_RECORDS = f"SELECT seq {_PLACE} AND status <> 'skipped' ORDER BY seq DESC"


def find_latest(journal: JournalReader, action: str, before: datetime) -> Event | None:
    """Given a journal, an action and a time, return the last outcome of that action before it; None without any."""
    found = []
    with journal.reading() as connection:
        for place in _places(connection, action):
            found += _last(connection, place, before.astimezone(UTC).isoformat())
    return max(found, key=lambda event: event.at, default=None)


def outcomes_of(journal: JournalReader, action: str, period: Period) -> Iterator[Event]:
    """Given a journal, an action and a period, give its outcomes in it, playbook by playbook."""
    with journal.reading() as connection:
        places = _places(connection, action)
    for playbook, step, task in places:
        yield from outcomes_in(journal, period, playbook=playbook, step=step, task=task)


def _places(connection: Any, action: str) -> list[tuple[str, str, str]]:
    """Where an action stands: playbook, step and task."""
    return [
        place
        for place in connection.execute(_PLACES).fetchall()
        if connection.execute(_ACTION, place).fetchone()[0] == action
    ]


def _last(connection: Any, place: tuple[str, str, str], before: str) -> list[Event]:
    for (seq,) in connection.execute(_RECORDS, place):
        at, body = connection.execute("SELECT at, body FROM events WHERE seq = ?", (seq,)).fetchone()
        if at < before:
            return [Event.from_json(json.loads(body))]
    return []
