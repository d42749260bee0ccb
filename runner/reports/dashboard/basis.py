"""What the dashboard rests on besides outcomes: office, people, sites and schedules, as the newest runs had them.

All of it comes from the record: a run keeps the text of its playbook and its inventory as evidence.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from runner.calendar import Calendar
from runner.errors import RunnerError
from runner.hours import OfficeError
from runner.inventory import Inventory, parse_inventory
from runner.inventory.documents import Document
from runner.record.evidence import EvidenceStore
from runner.record.reader import JournalReader
from runner.source import parse_source

_STARTS = "SELECT playbook, seq, at FROM events INDEXED BY run_starts WHERE kind = 'run_started' ORDER BY seq DESC"
_BODY = "SELECT body FROM events WHERE seq = ?"
_NEWEST = 20  # among so many runs of a playbook one at least was not part of another run

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Procedure:
    """A playbook as its newest run began with it; `since` is when its first run began."""

    name: str
    header: Json
    since: datetime
    supplement: Json = field(default_factory=dict)
    patterns: Mapping[str, str] = field(default_factory=dict)  # the targets of each step, as written

    @property
    def title(self) -> str:
        """Its title as it is read."""
        readings = self.header.get("readings") or {}
        return str(readings.get("title") or self.header.get("title") or self.name)

    @property
    def steps(self) -> Sequence[Json]:
        """Its rows as the run told them."""
        return self.header.get("steps") or ()

    @property
    def reactive(self) -> frozenset[str]:
        """Ids of the steps that open problems start."""
        return frozenset((self.supplement.get("after") or {}).get("problems") or ())

    def number_of(self, step: str) -> int:
        """The number of a step's row, from 1; 0 where it is none of the rows."""
        return next((n for n, each in enumerate(self.steps, 1) if each.get("id") == step), 0)

    def crons(self, step: str) -> tuple[str, ...]:
        """When a step runs by itself, as crontab has it; never one that begins only where a problem is open."""
        if step in self.reactive:
            return ()
        return tuple(each["cron"] for each in self.supplement.get("schedule") or () if step in each["steps"])

    def schedule(self, step: str) -> str:
        """When a step runs by itself, in the court's words where it gave some."""
        entries = [each for each in self.supplement.get("schedule") or () if step in each["steps"]]
        return "; ".join(str(each.get("note") or each["cron"]) for each in entries)

    def activity(self, step: str) -> str:
        """A step's number and activity, as on the form."""
        number = self.number_of(step)
        return f"{number}. {self.steps[number - 1].get('activity') or step}" if number else step

    def role(self, name: str) -> str:
        """How a role is called."""
        readings, roles = self.header.get("readings") or {}, (self.header.get("procedure") or {}).get("roles") or {}
        return str(readings.get(f"roles.{name}") or roles.get(name) or name)


@dataclass(frozen=True, slots=True)
class Basis:
    """Office and sites of the newest run, and every procedure; `notes` say what could not be read."""

    inventory: Inventory
    calendar: Calendar
    procedures: tuple[Procedure, ...]
    notes: tuple[str, ...] = ()

    def holders(self, role: str, now: datetime) -> tuple[str, ...]:
        """Who holds a role at that time, deputies with their mark: "Sari Dewi, S.H. (Plh)"."""
        day = now.astimezone(self.calendar.office.zone).date()
        held = [(person.name, person.holding(role, day)) for person in self.inventory.holders(role, day)]
        return tuple(f"{name} ({holding.deputy})" if holding and holding.deputy else name for name, holding in held)

    def procedure(self, name: str) -> Procedure | None:
        """The procedure of that playbook."""
        return next((each for each in self.procedures if each.name == name), None)


def gather_basis(journal: JournalReader) -> Basis:
    """Given a journal, return what its newest runs began with."""
    store = EvidenceStore(journal.records)
    notes: list[str] = []
    found = [_build_procedure(name, header, since, store, notes) for name, header, since in _newest(journal)]
    inventory = _read_inventory(found[0].header, store, notes) if found else Inventory()
    try:
        calendar = Calendar.from_office(inventory.office)
    except OfficeError:
        notes.append("Jam kerja kantor tidak dapat dibaca; dipakai jam kerja bawaan.")
        calendar = Calendar.from_office({})
    procedures = tuple(sorted(found, key=lambda each: each.name))
    return Basis(inventory, calendar, procedures, tuple(dict.fromkeys(notes)))


def _newest(journal: JournalReader) -> Iterator[tuple[str, Json, datetime]]:
    """Each playbook with what its newest run said, the newest first; runs that belong to another run do not count."""
    with journal.reading() as connection, closing(connection.execute(_STARTS)) as rows:
        starts: dict[str, list[tuple[int, str]]] = {}
        for playbook, seq, at in rows:
            starts.setdefault(playbook, []).append((seq, at))
        for playbook, runs in starts.items():
            for seq, _ in runs[:_NEWEST]:
                header = json.loads(connection.execute(_BODY, (seq,)).fetchone()[0])["data"]
                if not header.get("parent"):
                    yield playbook, header, datetime.fromisoformat(runs[-1][1])
                    break


def _build_procedure(name: str, header: Json, since: datetime, store: EvidenceStore, notes: list[str]) -> Procedure:
    texts = _kept(header, "playbook", store, notes)
    text = texts.get(str(header.get("file")), "")
    try:
        data = parse_source(text, name).data if text else {}
    except RunnerError:
        notes.append(f"Berkas SOP '{name}' dalam catatan tidak dapat dibaca; jadwalnya tidak diketahui.")
        data = {}
    steps = [each for each in data.get("steps") or () if isinstance(each, Mapping)]
    patterns = {str(each.get("id")): str(each.get("targets") or "") for each in steps}
    return Procedure(name, header, since, data.get("supplement") or {}, patterns)


def _read_inventory(header: Json, store: EvidenceStore, notes: list[str]) -> Inventory:
    documents = [Document(file, text) for file, text in _kept(header, "inventory", store, notes).items()]
    try:
        return parse_inventory(documents)
    except RunnerError:
        notes.append("Inventaris dalam catatan tidak dapat dibaca; nama situs dan pejabat tidak diketahui.")
        return Inventory()


def _kept(header: Json, kind: str, store: EvidenceStore, notes: list[str]) -> dict[str, str]:
    """The texts of that kind that a run began with, by file; secrets in them are masked, which does no harm here."""
    texts = {}
    for source in header.get("sources") or ():
        if source["kind"] != kind:
            continue
        try:
            with store.open(source["kept"]) as file:
                texts[str(source["file"])] = file.read().decode("utf-8", "replace")
        except (RunnerError, OSError):
            notes.append(f"Berkas '{source['name']}' hilang dari bukti catatan.")
    return texts
