"""backup.catalogue: which sets there are, what is known of each, on which media it lies, and which hold a file."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from runner.actions.backup.part import DESTINATION
from runner.actions.backup.set_files import find_entries
from runner.actions.backup.sets import BackupSet
from runner.actions.backup.shelf import Memory, open_shelf, recall
from runner.actions.backup.unlocking import KEY
from runner.actions.backup.verdict import reading
from runner.actions.documents.kept import as_output, declare_document
from runner.contract import Action, Call, Effect, Outcome, Problem, Reach, Repeat, Severity, Status
from runner.errors import Failed
from runner.messages import render_moment, render_size

COLUMNS = (
    "Perangkat backup",
    "Nomor urut",
    "Jenis",
    "Alasan",
    "Disegel",
    "Ukuran",
    "Membutuhkan",
    "Terakhir diverifikasi",
    "Terbukti dapat dipulihkan",
    "Media",
    "Memuat yang dicari",
)
KINDS = {"P": "penuh", "T": "tambahan", "D": "basis data"}
REASONS = {"routine": "berkala", "after_repair": "pasca-perbaikan", "before_restore": "sebelum pemulihan"}


def run(call: Call) -> Outcome:
    """List the sets of the target, oldest first. Raise Failed where they cannot be listed."""
    shelf, memory = open_shelf(call), recall(call)
    faults = [{"name": fault.name, "fault": fault.english} for fault in shelf.faults]
    listed = [_describe(call, each, memory, faults) for each in shelf.sets]
    proved = memory.newest_proved(shelf)
    page = _render(call, listed)
    kept = call.keep(f"katalog-backup-{call.office_time:%Y-%m-%d}.csv", page, "text/csv")
    outputs = {
        "sets": listed,
        "faults": faults,
        "newest": shelf.newest.name if shelf.newest else None,
        "newest_proved": proved.name if proved else None,
        "holders": [each["set"] for each in listed if each["holds"]],
        "document": as_output(kept),
    }
    problems = [
        Problem("backup.catalogue.unreadable", Severity.CRITICAL, f"Perangkat backup {fault.name}: {fault.indonesian}.")
        for fault in shelf.faults[-1:]
    ]
    return Outcome(Status.OK, outputs, evidence=(kept,), problems=tuple(problems), message=_summary(call, outputs))


def _describe(call: Call, found: BackupSet, memory: Memory, faults: list[dict[str, str]]) -> dict[str, Any]:
    proof = memory.proved(found)
    verified = [each for each in memory.verified.get(found.name, []) if each["outputs"].get("good")]
    try:
        holds = _holds(call, found)
    except Failed as error:
        holds = []
        faults.append({"name": found.name, "fault": str(error)})
    return {
        "set": found.name,
        "sequence": found.place[0],
        "kind": found.kind,
        "reason": found.reason,
        "sealed": found.manifest["sealed"],
        "bytes": found.manifest["total_bytes"],
        "needs": sorted(found.needs),
        "verified": verified[-1]["at"] if verified else None,
        "proved": proof["at"] if proof else None,
        "media": sorted({_medium(each["outputs"]) for each in memory.media.get(found.name, [])}),
        "holds": holds,
    }


def _medium(outputs: Mapping[str, Any]) -> str:
    """A medium by its label, what kind it is, and where it is."""
    kind, place = outputs.get("medium"), outputs.get("place")
    return f"{outputs.get('label') or '?'}" + (f" ({kind}, {place})" if kind and place else "")


def _holds(call: Call, found: BackupSet) -> list[str]:
    """What a set has of what was asked for: paths, or parts with the table."""
    table, path = call.inputs.get("table"), str(call.inputs.get("path", "")).strip("/")
    if table:
        return [part["file"] for part in found.parts if table in [*part.get("tables", ()), *part.get("views", ())]]
    if not path:
        return []
    meant = path.encode("utf-8", "surrogateescape")
    entries = find_entries(found, lambda each: each == meant or each.startswith(meant + b"/"), path)
    first = next(entries, None)
    return [first.home] if first else []


def _render(call: Call, listed: list[dict[str, Any]]) -> bytes:
    """The catalogue as a table for people."""
    page = io.StringIO()
    writer = csv.writer(page, delimiter=";")
    writer.writerow(COLUMNS)
    for each in listed:
        writer.writerow(
            [
                each["set"],
                each["sequence"],
                KINDS[each["kind"]],
                REASONS[each["reason"]],
                _moment(call, each["sealed"]),
                render_size(each["bytes"], "id"),
                ", ".join(each["needs"]),
                _moment(call, each["verified"]),
                _moment(call, each["proved"]),
                ", ".join(each["media"]),
                ", ".join(each["holds"]),
            ]
        )
    return page.getvalue().encode("utf-8-sig")


def _moment(call: Call, text: str | None) -> str:
    return render_moment(datetime.fromisoformat(text).astimezone(call.zone), "id") if text else ""


def _summary(call: Call, outputs: Mapping[str, Any]) -> str:
    wanted = call.inputs.get("path") or call.inputs.get("table")
    count, last = len(outputs["sets"]), outputs["newest_proved"] or "none yet"
    text = f"{count} sets, the newest {outputs['newest'] or '-'}, last proved restorable: {last}"
    if wanted:
        holders = outputs["holders"]
        text += f"; '{wanted}' is in {len(holders)} of them" + (f", last in {holders[-1]}" if holders else "")
    return text + (f"; {len(outputs['faults'])} cannot be read" if outputs["faults"] else "")


ACTION = Action(
    name="backup.catalogue",
    description="Lists the sets of a target, oldest first: when each was sealed, verified and proved restorable, on "
    "which media it lies, and which of them hold a file or a table.",
    inputs={
        "path": {
            "description": "A file or folder under the root, to be looked for in all sets",
            "type": "string",
            "minLength": 1,
            "optional": True,
            "examples": ["wp-content/uploads/2026/11/putusan.pdf"],
        },
        "table": {
            "description": "A table or view, to be looked for in all sets",
            "type": "string",
            "minLength": 1,
            "optional": True,
            "examples": ["wp_posts"],
        },
        **KEY,
        "destination": DESTINATION,
    },
    outputs={
        "sets": {
            "type": "array",
            "description": "The sets, oldest first: set, sequence, kind (P, T, D), reason, sealed, bytes, needs (sets "
            "without which it cannot be restored), verified, proved, media, holds",
            "items": {"type": "object"},
            "examples": [[{"set": "WEB-PN-TAIS-2026-11-22-013000-P", "sequence": 12, "media": ["WEB-PNTAIS-01"]}]],
        },
        "faults": {
            "type": "array",
            "description": "What lies among them and cannot be read: name, fault",
            "items": {"type": "object"},
            "examples": [[]],
        },
        "newest": {"type": ["string", "null"], "description": "The newest set", "examples": ["WEB-PN-TAIS-…-P"]},
        "newest_proved": {
            "type": ["string", "null"],
            "description": "The newest set that backup.drill has proved restorable",
            "examples": ["WEB-PN-TAIS-2026-11-15-013000-P"],
        },
        "holders": {
            "type": "array",
            "items": {"type": "string"},
            "description": "The sets that hold what was looked for, oldest first",
            "examples": [["WEB-PN-TAIS-2026-11-22-013000-P"]],
        },
        "document": declare_document("The list as a table (CSV), kept as evidence", "katalog-backup-2026-11-22.csv"),
    },
    effect=Effect.READ,
    repeat=Repeat.SAFE,
    reach=Reach.CONTROLLER,
    limit="30m",
    run=reading("backup.catalogue", run),
    targets=("website", "server", ""),
    example="""\
- id: catalogue
  action: backup.catalogue
  with: {path: wp-config.php}
""",
)
