"""backup.register: on which media sets lie, when each was last read, and until when it is to be read again."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from runner.actions.backup.media import DISC, WORDS
from runner.actions.backup.shelf import MEDIA
from runner.actions.documents.kept import as_output, declare_document
from runner.contract import FINISHED_WELL, Action, Call, Effect, Outcome, Problem, Reach, Repeat, Severity, Status
from runner.messages import render_date

COLUMNS = ("Jenis media", "Label", "Tempat", "Perangkat backup", "Ditulis", "Terakhir dibaca", "Baca lagi sebelum")


@dataclass(slots=True)
class Entry:
    """A medium: its kind, label and place, the sets on it, when it was written first and read last, and until when it
    is to be read again."""

    medium: str
    label: str
    place: str
    written: datetime
    read: datetime
    due: date
    sets: set[str] = field(default_factory=set)


def run(call: Call) -> Outcome:
    """Make the register of the record, and report what is to be read again."""
    entries = sorted(_gather(call.record.outcomes(MEDIA)), key=lambda entry: (entry.due, entry.label))
    page = _render(entries, lambda moment: render_date(moment.astimezone(call.zone).date(), "id"))
    kept = call.keep(f"register-media-{call.office_time:%Y-%m-%d}.csv", page, "text/csv")
    today = call.office_time.date()
    overdue = [entry for entry in entries if entry.due < today]
    soon = [entry for entry in entries if today <= entry.due <= today + timedelta(days=call.inputs["notice_days"])]
    outputs = {
        "media": [_told(entry) for entry in entries],
        "overdue": [entry.label for entry in overdue],
        "document": as_output(kept),
    }
    message = f"{len(entries)} media, {len(overdue)} overdue, {len(soon)} to be read again soon"
    return Outcome(Status.OK, outputs, evidence=(kept,), problems=_problems(overdue, soon), message=message)


def _gather(outcomes: Sequence[Mapping[str, Any]]) -> list[Entry]:
    found: dict[tuple[str, str, str], Entry] = {}
    for outcome in outcomes:
        outputs = outcome["outputs"] or {}
        if outcome["status"] not in FINISHED_WELL or not outputs.get("recheck_due"):
            continue
        at, due = datetime.fromisoformat(outcome["at"]), date.fromisoformat(outputs["recheck_due"])
        for label in outputs["label"].split() if outputs["medium"] == DISC else [outputs["label"]]:
            key = outputs["medium"], label, outputs["place"]
            entry = found.setdefault(key, Entry(*key, at, at, due))
            entry.read, entry.due = max(entry.read, at), max(entry.due, due)
            entry.sets |= set(outputs["sets"])
    return list(found.values())


def _problems(overdue: Sequence[Entry], soon: Sequence[Entry]) -> tuple[Problem, ...]:
    named = [
        f"{WORDS[entry.medium]} {entry.label} (sebelum {render_date(entry.due, 'id')})" for entry in (*overdue, *soon)
    ]
    if not named:
        return ()
    severity = Severity.MAJOR if overdue else Severity.MINOR
    return (Problem("backup.register.due", severity, f"Media backup perlu dibaca kembali: {'; '.join(named)}."),)


def _told(entry: Entry) -> dict[str, Any]:
    return {
        "medium": entry.medium,
        "label": entry.label,
        "place": entry.place,
        "sets": sorted(entry.sets),
        "written": entry.written.isoformat(),
        "read": entry.read.isoformat(),
        "recheck_due": entry.due.isoformat(),
    }


def _render(entries: Sequence[Entry], day: Any) -> bytes:
    """The register as a table for people."""
    page = io.StringIO()
    writer = csv.writer(page, delimiter=";")
    writer.writerow(COLUMNS)
    for entry in entries:
        dates = day(entry.written), day(entry.read), render_date(entry.due, "id")
        writer.writerow([WORDS[entry.medium], entry.label, entry.place, ", ".join(sorted(entry.sets)), *dates])
    return page.getvalue().encode("utf-8-sig")


ACTION = Action(
    name="backup.register",
    description="Lists from the record the media that hold sets of a target: what is on each, when it was written and "
    "last read, and until when it is to be read again. What is overdue is a problem.",
    inputs={
        "notice_days": {
            "type": "integer",
            "description": "How many days before a medium is due that is reported",
            "minimum": 0,
            "maximum": 366,
            "default": 30,
            "examples": [30],
        },
    },
    outputs={
        "media": {
            "type": "array",
            "items": {"type": "object"},
            "description": "The media, those due first: medium, label, place, sets, written, read, recheck_due",
            "examples": [[{"medium": "disk", "label": "BACKUP-PN-TAIS", "recheck_due": "2028-11-22"}]],
        },
        "overdue": {
            "type": "array",
            "items": {"type": "string"},
            "description": "Labels of the media that should have been read again",
            "examples": [[]],
        },
        "document": declare_document(
            "The register as a table (CSV), kept as evidence", "register-media-2026-11-22.csv"
        ),
    },
    effect=Effect.READ,
    repeat=Repeat.SAFE,
    reach=Reach.CONTROLLER,
    limit="1m",
    run=run,
    targets=("website", "server", ""),
    example="""\
- id: media
  action: backup.register
  with: {}
""",
)
