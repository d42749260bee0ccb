"""The last outcome of every task on every target, and the last one that ended well."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from runner.contract import FINISHED_WELL, Severity, Status
from runner.record.reader import JournalReader

_LATEST = """
    SELECT max(seq), max(CASE WHEN status IN ('ok', 'changed') THEN seq END)
    FROM events INDEXED BY latest_tasks WHERE kind = 'task_finished' AND status <> 'skipped'
    GROUP BY playbook, step, task, target
"""
_BODIES = "SELECT seq, playbook, body FROM events WHERE seq IN (SELECT value FROM json_each(?))"


class Outcome(NamedTuple):
    """How a task ended on a target."""

    playbook: str
    step: str
    task: str
    target: str | None
    action: str
    status: Status
    message: str
    outputs: Mapping[str, Any]
    at: datetime
    severities: tuple[Severity, ...] = ()


class Last(NamedTuple):
    """A task's last outcome on a target, and the last that ended well (None: none ever did)."""

    last: Outcome
    good: Outcome | None

    @property
    def known(self) -> bool:
        """Whether the last try could tell anything."""
        return self.last.status in FINISHED_WELL


class Outcomes:
    """All that was last seen, found by target and action."""

    def __init__(self, found: Sequence[Last]) -> None:
        self.all = tuple(found)
        self._by_target: dict[str | None, list[Last]] = {}
        for each in found:
            self._by_target.setdefault(each.last.target, []).append(each)

    def of(self, target: str | None) -> Sequence[Last]:
        """What was last seen of a target."""
        return self._by_target.get(target, ())

    def good(self, target: str, *actions: str) -> Outcome | None:
        """The last good outcome of one of these actions on a target."""
        found = [each.good for each in self.of(target) if each.good and each.good.action in actions]
        return max(found, key=lambda each: each.at, default=None)


def gather_outcomes(journal: JournalReader) -> Outcomes:
    """Given a journal, return the last outcomes: one pass over an index, however long the journal is."""
    with journal.reading() as connection:
        pairs = connection.execute(_LATEST).fetchall()
        bodies = dict(_read(connection, sorted({seq for pair in pairs for seq in pair if seq})))
    found = [Last(bodies[last], bodies[good] if good else None) for last, good in pairs]
    return Outcomes(sorted(found, key=lambda each: (each.last.playbook, each.last.step, each.last.task)))


def _read(connection: Any, seqs: Sequence[int]) -> Iterator[tuple[int, Outcome]]:
    for seq, playbook, text in connection.execute(_BODIES, (json.dumps(seqs),)):
        body = json.loads(text)
        data = body["data"]
        yield (
            seq,
            Outcome(
                playbook=playbook,
                step=body["step"],
                task=body["task"],
                target=body["target"],
                action=str(data.get("action") or ""),
                status=Status(data["status"]),
                message=str(data.get("message") or ""),
                outputs=data.get("outputs") or {},
                at=datetime.fromisoformat(body["at"]),
                severities=tuple(Severity(each["severity"]) for each in data.get("problems") or ()),
            ),
        )
