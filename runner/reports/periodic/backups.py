"""Backups over a period: sets with their checksums, failures, and the last proof that one can be restored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from runner.contract import FINISHED_WELL
from runner.events import Event
from runner.reports.lists import build_list
from runner.reports.office import Office
from runner.reports.paper.model import Block, Cell, Column, Line, Look, cell
from runner.reports.pen import Pen
from runner.reports.periodic.gathering import Gathered

NO_SETS = "Tidak ada backup yang tercatat dalam periode ini."
NO_DRILL = "Uji pulih terakhir: belum ada yang tercatat."
_WHAT = {"files": "berkas", "site": "website"}
_RESULTS = {"proved": "terbukti", "failed": "gagal", "not_checked": "tidak dapat diuji"}
COLUMNS = (
    Column("Waktu", 27),
    Column("Sasaran", 26),
    Column("Perangkat backup", 38),
    Column("Ukuran", 17, "right"),
    Column("SHA-256 tiap bagian", 60),
)


def find_sets(found: Gathered) -> list[Event]:
    """Given what a period holds, return the sealed backups, in order."""
    return [event for event in found.outcomes("backup.seal") if event.data["status"] in FINISHED_WELL]


def build_backups(found: Gathered, drill: Event | None, office: Office, pen: Pen) -> Iterator[Block]:
    """Given what a period holds and the last restore test, give the table of backups and what was proved of them."""
    sets = find_sets(found)
    yield from build_sets(sets, office, pen)
    bad = [
        event
        for action in ("backup.database", "backup.files", "backup.seal")
        for event in found.outcomes(action)
        if event.data["status"] not in (*FINISHED_WELL, "skipped", "waiting")
    ]
    if bad:
        yield Line(f"Backup yang tidak berhasil: {pen.number(len(bad))} kali, terakhir {pen.time(bad[-1].at)}.")
    yield Line(say_drill(drill, office, pen))


def build_sets(sets: Sequence[Event], office: Office, pen: Pen) -> Iterator[Block]:
    """Given sealed backups, give the table of them: a line of checksums for each part."""
    yield from build_list(COLUMNS, [_row(event, office, pen) for event in sets], none=NO_SETS)


def say_drill(drill: Event | None, office: Office, pen: Pen) -> str:
    """Given the last restore test, return when it was and what it proved; without one, that there is none."""
    if drill is None:
        return NO_DRILL
    on = f" atas {office.title_of(drill.target)}" if drill.target else ""
    outputs = drill.outputs
    if not outputs.get("set"):
        return f"Uji pulih terakhir{on}: {pen.time(drill.at)}, {pen.status(drill.data['status'])}"
    verdict = "terbukti dapat dipulihkan" if outputs.get("proved") else "BELUM terbukti dapat dipulihkan"
    return f"Uji pulih terakhir{on}: {pen.time(drill.at)}, {outputs['set']} {verdict}{_found(outputs)}"


def _found(outputs: Mapping[str, Any]) -> str:
    """What a drill looked at, and what came of it."""
    said = [f"{_WHAT.get(each['what'], each['what'])} {_RESULTS[each['result']]}" for each in outputs["checks"]]
    return f" ({'; '.join(said)})" if said else ""


def parts_of(event: Event) -> Sequence[Mapping[str, Any]]:
    """Given a sealed backup, return its parts as its manifest names them."""
    return (read_manifest(event).get("parts")) or ()


def read_manifest(event: Event) -> Mapping[str, Any]:
    """Given a sealed backup, return its manifest."""
    return event.outputs.get("manifest") or {}


def _row(event: Event, office: Office, pen: Pen) -> Sequence[Cell]:
    outputs = event.outputs
    size, manifest = outputs.get("total_bytes"), read_manifest(event)
    name = str(manifest.get("set") or outputs.get("set") or "").rsplit("/", 1)[-1]
    sums = [
        line
        for part in parts_of(event)
        for line in (
            Line(str(part.get("file") or part.get("kind") or ""), Look.NOTE),
            Line(str(part.get("sha256")), Look.CODE),
        )
    ]
    shown = pen.size(size) if isinstance(size, int) else ""
    return cell(pen.clock(event.at)), cell(office.title_of(event.target)), cell(name), cell(shown), cell(*sums)
