"""What steps that a run leaves out gave when they were last done, by other runs of the same playbook before it."""

from __future__ import annotations

from collections.abc import Sequence

from runner.record import build_record
from runner.record.document import Record, TargetRecord
from runner.record.reader import JournalReader

# ids of runs begin with their time: the greatest one below a run's own is the latest before it
_LATEST = """
    SELECT target, max(run) FROM events INDEXED BY latest_steps WHERE kind = 'step_finished'
    AND playbook = ? AND step = ? AND status <> 'skipped' AND run < ? GROUP BY target
"""


def find_earlier(journal: JournalReader, record: Record) -> dict[str, Sequence[TargetRecord]]:
    """Given a run's record, return by step how each target last ended in an earlier run, of steps not selected."""
    steps = [str(form["id"]) for form in record.started.get("steps") or () if not form.get("selected")]
    with journal.reading() as connection:
        asked = {step: connection.execute(_LATEST, (record.playbook, step, record.run)).fetchall() for step in steps}
    records = {run: build_record(journal.events(run)) for run in {run for rows in asked.values() for _, run in rows}}
    return {
        step: [target for name, run in rows for target in _targets(records[run], step) if target.target == name]
        for step, rows in asked.items()
    }


def _targets(record: Record, step: str) -> list[TargetRecord]:
    return [target for each in record.steps if each.id == step for target in each.targets if target.ended]
