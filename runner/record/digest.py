"""What of a run must be told at its end: all but the tasks that simply went well.

A run of a hundred thousand tasks has two events for each; as a whole they would fill the memory that the run itself did
not need.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from runner.events import Event
from runner.record import build_record
from runner.record.document import Record
from runner.record.reader import JournalReader

# The places of tasks of which there is more to say: more than one try, no good end or none, problems, deviations,
# evidence, a person.
_NOTABLE = """
    SELECT DISTINCT step, attempt, task, target, item FROM events AS e WHERE run = ?1 AND (
        kind IN ('requested', 'answered', 'handed', 'taken_back', 'escalated')
        OR kind = 'task_finished' AND (
            "try" > 1 OR status NOT IN ('ok', 'changed') OR problems IS NOT NULL
            OR instr(body, '"deviations":["') OR instr(body, '"evidence":[{')
        )
        OR kind = 'task_started' AND ("try" > 1 OR NOT EXISTS (
            SELECT 1 FROM events AS f WHERE f.kind = 'task_finished' AND f.run = e.run AND f.step = e.step
            AND f.attempt = e.attempt AND f.task = e.task AND ifnull(f.target, '') = ifnull(e.target, '')
            AND f.item = e.item AND f."try" = e."try"
        ))
    )
"""
_EVENTS = "SELECT kind, step, attempt, task, target, item, body FROM events WHERE run = ? ORDER BY seq"
_PLAIN = frozenset({"task_started", "task_finished"})


def digest(journal: JournalReader, run: str) -> Iterator[Event]:
    """The events of a run, in order, without those of tasks that went well at the first try with nothing to tell."""
    with journal.reading() as connection:
        notable = set(connection.execute(_NOTABLE, (run,)))
        for kind, *place, body in connection.execute(_EVENTS, (run,)):
            if kind not in _PLAIN or tuple(place) in notable:
                yield Event.from_json(json.loads(body))


def build_end(journal: JournalReader, run: str, said: Sequence[Event] | None) -> Record:
    """The record of a run that said so much; of None, what must be told of it at its end.

    Where others recorded something of it meanwhile, or it went on, it said less than the journal has.
    """
    if said is None:
        return build_record(digest(journal, run))
    return build_record(said if journal.count(run) == len(said) else journal.events(run))
