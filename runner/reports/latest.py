"""The last outcome of an action before some time, wherever in the journal's playbooks it stands."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from runner.events import Event
from runner.record.reader import JournalReader

_PLACES = "SELECT DISTINCT playbook, step, task FROM events INDEXED BY latest_tasks WHERE kind = 'task_finished'"
_PLACE = "FROM events INDEXED BY latest_tasks WHERE kind = 'task_finished' AND playbook = ? AND step = ? AND task = ?"
_ACTION = f"SELECT json_extract(body, '$.data.action') {_PLACE} LIMIT 1"
_LAST = f"SELECT body {_PLACE} AND status IS NOT 'skipped' AND at < ? ORDER BY seq DESC LIMIT 1"


def find_latest(journal: JournalReader, action: str, before: datetime) -> Event | None:
    """Given a journal, an action and a time, return the last outcome of that action before it; None without any."""
    until = before.astimezone(UTC).isoformat()
    found: list[Event] = []
    with journal.reading() as connection:
        for place in connection.execute(_PLACES).fetchall():
            if connection.execute(_ACTION, place).fetchone()[0] == action:
                row = connection.execute(_LAST, (*place, until)).fetchone()
                found += [Event.from_json(json.loads(row[0]))] if row else []
    return max(found, key=lambda event: event.at, default=None)
