"""What a task may ask of the record while it runs, and in a dry run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

from runner.contract import OUTPUT_LIMIT
from runner.durations import Clock, Deadline
from runner.errors import Failed
from runner.events import Key
from runner.inventory.knowledge import FIELDS, Advice, find_advice
from runner.record.evidence import EvidenceStore
from runner.record.folder import share_disk
from runner.record.journal import Journal
from runner.record.reader import JournalReader

Render = Callable[[str, str], bytes]  # run, kind of document


class JournalRecorder(NamedTuple):
    """What a task may ask of the journal."""

    journal: Journal
    playbook: str
    key: Key
    run: str
    render: Render
    clock: Clock
    knowledge: Sequence[Advice] = ()

    def latest(self) -> Mapping[str, Any] | None:
        """Outputs of this task on this target when it last ended well in an earlier run."""
        key = self.key
        found = self.journal.latest_outcome(
            self.playbook, key.step, key.task, key.target, item=key.item, other_than=self.run
        )
        return found.outputs if found else None

    def report(self, kind: str) -> bytes:
        """The document of that kind about this run so far."""
        return self.render(self.run, kind)

    def problems(self) -> Sequence[Mapping[str, Any]]:
        """The problems that this run has in hand, with what is known of them."""
        from runner.record.recalling import held_problems

        found = held_problems(self.journal, self.run, self.clock.now())
        return [{**each, "advice": self._advice(each["key"], each["target"])} for each in found]

    def accepted(self) -> Sequence[Mapping[str, Any]]:
        """What people have accepted of this task's problems on this target."""
        from runner.record.recalling import accepted_problems

        return accepted_problems(self.journal, self.playbook, self.key)

    def secret_key(self, name: str) -> bytes:
        """The key of that name, beside the record."""
        from runner.record.keys import load_key

        return load_key(self.journal.records, name)

    def evidence(self, sha256: str) -> bytes:
        """Kept evidence, unaltered."""
        return EvidenceStore(self.journal.records).read(sha256, OUTPUT_LIMIT)

    def expired(self, today: date) -> Sequence[Mapping[str, Any]]:
        """The evidence whose last day is over."""
        from runner.record.retention import find_expired

        return [each._asdict() for each in find_expired(self.journal, today, besides=self.run)]

    def delete_expired(self, today: date) -> Sequence[Mapping[str, Any]]:
        """Delete the evidence whose last day is over and that nothing holds."""
        store, found = EvidenceStore(self.journal.records), self.expired(today)
        for each in found:
            if not each["held"]:
                store.delete(each["sha256"])
        return found

    def shares_disk(self, folder: Path) -> bool:
        """Whether that folder is on the record's disk."""
        return share_disk(self.journal.records, folder)

    def back_up(self, folder: Path, deadline: Deadline) -> Mapping[str, Any]:
        """Bring the copy of the record in that folder up to this moment."""
        from runner.record.copying import copy_record

        return copy_record(self.journal, folder, deadline)._asdict()

    def latest_with(self, action: str, output: str, key: str, value: str) -> Mapping[str, Any] | None:
        """Outputs of the latest outcome of that action on this target whose `output` has `value` under `key`."""
        return self.journal.latest_with(self.playbook, self.key.target, action, output, **{key: value})

    def outcomes(self, action: str) -> Sequence[Mapping[str, Any]]:
        """How the latest tasks of that action on this target ended, in any playbook."""
        return self.journal.outcomes(action, self.key.target)

    def signed(self, sha256: str) -> Mapping[str, Any] | None:
        """Who signed that document in this run."""
        return self.journal.signed(self.run, sha256)

    def _advice(self, key: str, target: str | None) -> list[dict[str, Any]]:
        return [
            {"title": advice.title, **{name: list(getattr(advice, name)) for name in FIELDS}}
            for advice in find_advice(self.knowledge, key, target)
        ]


class DryRecorder(NamedTuple):
    """The recorder of a dry run: it makes no documents and compares with nothing, but knows how far the past came, and
    what its own tasks kept in `kept`."""

    past: JournalReader | None
    playbook: str
    target: str | None
    kept: Path | None = None

    def latest(self) -> Mapping[str, Any] | None:
        """A dry run compares with nothing."""
        return None

    def report(self, kind: str) -> bytes:
        """A dry run makes no document."""
        raise Failed("a dry run makes no document")

    def problems(self) -> Sequence[Mapping[str, Any]]:
        """A dry run has nothing in hand."""
        return ()

    def accepted(self) -> Sequence[Mapping[str, Any]]:
        """A dry run knows of no acceptance."""
        return ()

    def secret_key(self, name: str) -> bytes:
        """A dry run leaves nothing behind: the key that is there, else none (empty)."""
        from runner.record.keys import find_key

        return (find_key(self.past.records, name) if self.past else None) or b""

    def evidence(self, sha256: str) -> bytes:
        """What a task of this dry run kept."""
        if self.kept is None or not (self.kept / sha256).is_file():
            raise Failed(f"evidence {sha256}: a dry run has only what it made itself")
        return (self.kept / sha256).read_bytes()

    def expired(self, today: date) -> Sequence[Mapping[str, Any]]:
        """A dry run deletes nothing."""
        return ()

    def delete_expired(self, today: date) -> Sequence[Mapping[str, Any]]:
        """A dry run deletes nothing."""
        return ()

    def shares_disk(self, folder: Path) -> bool:
        """Whether that folder is on the record's disk, if there is a record."""
        return share_disk(self.past.records, folder) if self.past else False

    def back_up(self, folder: Path, deadline: Deadline) -> Mapping[str, Any]:
        """A dry run copies nothing."""
        raise Failed("a dry run copies nothing")

    def latest_with(self, action: str, output: str, key: str, value: str) -> Mapping[str, Any] | None:
        """Outputs of the latest outcome of that action on this target in the record, if there is a record."""
        past = self.past
        return past.latest_with(self.playbook, self.target, action, output, **{key: value}) if past else None

    def outcomes(self, action: str) -> Sequence[Mapping[str, Any]]:
        """How the latest tasks of that action on this target ended, if there is a record."""
        return self.past.outcomes(action, self.target) if self.past else ()

    def signed(self, sha256: str) -> Mapping[str, Any] | None:
        """In a dry run nobody signs."""
        return None
