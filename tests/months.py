"""The records of a month at a court that does not exist: every day watched, backed up and scanned, with a bad week."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from runner.contract import Outcome, Problem, Severity, Status
from runner.events import Event, Kind, outcome_to_json
from runner.record.evidence import EvidenceStore
from runner.record.journal import Journal
from runner.source import load_source

ROOT = Path(__file__).parents[1]
PLAYBOOK = load_source(ROOT / "playbooks" / "pemeliharaan-website.yml").data
ACTORS = PLAYBOOK["supplement"]["actors"]
ZONE = ZoneInfo("Asia/Jakarta")
SITE = "pn_contoh"
MANIFEST = b"{}"
SUM = hashlib.sha256(MANIFEST).hexdigest()
DOWN, UNKNOWN, LATE, ENDS = (5, 6), 7, 9, 31
HANDLING = "20261006-0900-nnnnn"
INVENTORY = """
office:
  name: Pengadilan Negeri Contoh
  unit: Subbagian PTIP
  city: Contoh
  timezone: Asia/Jakarta
  letterhead: [MAHKAMAH AGUNG REPUBLIK INDONESIA, PENGADILAN NEGERI CONTOH]
  hours: {monday-thursday: {open: 08:00-16:30, break: 12:00-13:00}, friday: {open: 07:30-16:30, break: 12:00-13:30}}
websites:
  pn_contoh: {title: Website PN Contoh, url: "https://pn-contoh.example"}
services:
  domain: {kind: domain, name: pn-contoh.example}
knowledge:
  - {fault: website.*, causes: [Layanan web berhenti], remedies: [Hidupkan kembali layanan web]}
people:
  a: {name: Petugas A, position: Admin Website, roles: [{role: admin}]}
  b: {name: Petugas B, nip: "198701022010121001", position: Kasubbag PTIP, roles: [{role: kasubbag}]}
  c: {name: Petugas C, position: Sekretaris, roles: [{role: sekretaris}]}
"""
FORMS = [
    {
        **{key: row[key] for key in ("id", "activity", "time_limit", "outputs")},
        "actors": [ACTORS[row["id"]]] if isinstance(ACTORS[row["id"]], str) else ACTORS[row["id"]],
    }
    for row in PLAYBOOK["steps"]
]


def at(day: int, hour: int, minute: int = 0) -> datetime:
    """A time of October 2026 by the court's clock."""
    return datetime(2026, 10, day, hour, minute, tzinfo=ZONE).astimezone(UTC)


DRILL = {
    "set": "WEB-PN-CONTOH-2026-10-20-013000-P",
    "proved": True,
    "checks": [
        {"what": "files", "result": "proved", "detail": "3 files, 90 bytes"},
        {"what": "site", "result": "not_checked", "detail": "PHP is not installed here"},
    ],
}


class Month:
    """Writes the month to a records folder; `message` is the text of the site's problem."""

    def __init__(self, records: Path, message: str = "Website tidak dapat diakses: tidak ada jawaban.") -> None:
        self._message = message
        digest = hashlib.sha256(INVENTORY.encode()).hexdigest()
        self._store = EvidenceStore(records)
        kept = self._store.keep("kantor.yml", INVENTORY.encode(), "text/yaml")
        source = {"kind": "inventory", "file": "inventory/kantor.yml", "name": "kantor.yml", "sha256": digest}
        self._sources = [{**source, "kept": kept.sha256, "size": kept.size}]
        self.journal = Journal.open(records)

    def write(self) -> Journal:
        """Write all of it, in order."""
        runs = sorted(self._runs(), key=lambda events: events[0].at)
        for events in runs:
            self.journal.append(events)
        return self.journal

    def _runs(self) -> Iterator[list[Event]]:
        for day in range(1, ENDS + 1):
            yield self._run("watch", at(day, 8), [("available", self._visit(day)), ("updated", self._content(day))])
            late = [f"late: {at(day, 16, 30).isoformat()}"] if day == LATE else []
            yield self._run("backup", at(day, 1, 30), [("set", self._backup(day))], deviations=late)
            yield self._run("visitors", at(day, 7), [("scan", self._scan(day))])
            yield self._run("renew", at(day, 9), [("due", self._service(day))], target="domain")
        yield self._handling()

    def begun(self, run: str, began: datetime) -> Event:
        """The first event of a run."""
        data = {"playbook": "pemeliharaan-website", "title": PLAYBOOK["procedure"]["title"], "by": "petugas"}
        data |= {"procedure": PLAYBOOK["procedure"], "readings": PLAYBOOK["supplement"]["readings"], "steps": FORMS}
        return Event(Kind.RUN_STARTED, run, began, data={**data, "sources": self._sources, "targets": [SITE]})

    def drill(self, began: datetime) -> list[Event]:
        """The events of a restore test."""
        return self._run("backup", began, [("drill", ("backup.drill", Outcome(Status.OK, DRILL)))])

    def copied(self, began: datetime, **outputs: Any) -> list[Event]:
        """The events of a backup that is copied to a medium as well."""
        medium = "backup.media", Outcome(Status.CHANGED, outputs)
        return self._run("backup", began, [("set", self._backup(began.day)), ("medium", medium)])

    def _run(
        self,
        step: str,
        began: datetime,
        tasks: list[tuple[str, tuple[str, Outcome]]],
        *,
        target: str = SITE,
        deviations: list[str] | None = None,
    ) -> list[Event]:
        run = f"{began:%Y%m%d-%H%M}-{step[:3]}"
        place: dict[str, Any] = {"run": run, "step": step, "attempt": 1, "target": target}
        due = began + timedelta(hours=30)
        begun = {"time_limit": "1 hari", "due": due.isoformat(), "counted": ["days_by_close: 1"]}
        events = [self.begun(run, began), Event(Kind.STEP_STARTED, at=began, data=begun, **place)]
        for task, (action, outcome) in tasks:
            key = {**place, "task": task, "tries": 1}
            events.append(Event(Kind.TASK_STARTED, at=began, data={"action": action, "item": None}, **key))
            done = {"action": action, "item": None, **outcome_to_json(outcome)}
            events.append(Event(Kind.TASK_FINISHED, at=began + timedelta(minutes=2), data=done, **key))
        end = {"status": "ok", "used_seconds": 120, "outputs": {}, "deviations": deviations or [], "reason": None}
        ended = began + timedelta(minutes=2)
        events.append(Event(Kind.STEP_FINISHED, at=ended, data={**end, "message": "", "earlier": []}, **place))
        return [*events, Event(Kind.RUN_ENDED, run, ended, data={"status": "ok", "exit_code": 0})]

    def _visit(self, day: int) -> tuple[str, Outcome]:
        available = None if day == UNKNOWN else day not in DOWN
        problems = (Problem("website.unavailable", Severity.CRITICAL, self._message),) if day in DOWN else ()
        status = Status.OK if available is not None else Status.FAILED
        return "website.available", Outcome(status, {"available": available}, problems=problems)

    def _content(self, day: int) -> tuple[str, Outcome]:
        return "website.updated", Outcome(Status.OK, {"updated": True, "newest": f"2026-10-{day:02}", "age_days": 0})

    def _backup(self, day: int) -> tuple[str, Outcome]:
        name = f"WEB-PN-CONTOH-2026-10-{day:02}-013000-P"
        part = {"file": f"{name}-database.sql.zst", "sha256": f"{day:064x}", "bytes": 95_000_000}
        manifest = {"set": name, "begun": at(day, 1, 30).isoformat(), "parts": [part], "total_bytes": 95_000_000}
        outputs = {"manifest": manifest, "set": f"/srv/backups/{name}", "total_bytes": 95_000_000}
        evidence = self._store.keep(f"{name}-MANIFEST.json", MANIFEST, "application/json")
        return "backup.seal", Outcome(Status.CHANGED, outputs, evidence=(evidence,))

    def _scan(self, day: int) -> tuple[str, Outcome]:
        before = (at(day, 12) - timedelta(days=1)).astimezone(ZONE).date().isoformat()
        days = {before: 900, f"2026-10-{day:02}": 100}
        outputs = {"verdict": "attempts" if day == 12 else "clean", "days": days, "addresses": 80 + day, "attempts": 3}
        return "logs.scan", Outcome(Status.OK, outputs)

    def _service(self, day: int) -> tuple[str, Outcome]:
        return "service.due", Outcome(Status.OK, {"expires": "2026-12-31", "days_left": 91 - day + 1, "stage": "due"})

    def _handling(self) -> list[Event]:
        """The report of the bad week: signed, returned once, handed to a third party."""
        place: dict[str, Any] = {"run": HANDLING, "step": "report", "attempt": 1}
        key: dict[str, Any] = {"run": HANDLING, "step": "solution", "attempt": 1, "task": "measures", "tries": 1}
        begun = {"time_limit": "1 hari", "due": at(7, 16, 30).isoformat(), "counted": ["days_by_close: 1"]}
        asked = {"action": "person.do", "role": "sekretaris", "question": "Tetapkan.", "answers": ["ditetapkan"]}
        said = {"role": "sekretaris", "person": "c", "label": "ditetapkan", "method": "login", "subject": ""}
        end = {"status": "ok", "used_seconds": 3600, "outputs": {}, "deviations": [], "reason": None, "message": ""}
        handed = {"party": "Penyedia Hosting", "person": "a", "note": "tiket 7"}
        return [
            self.begun(HANDLING, at(6, 9)),
            Event(Kind.STEP_STARTED, at=at(6, 9), data=begun, **place),
            Event(Kind.STEP_FINISHED, at=at(6, 10), data={**end, "earlier": []}, **place),
            Event(Kind.STEP_STARTED, at=at(6, 10), data=begun, **{**place, "step": "solution"}),
            Event(Kind.REQUESTED, at=at(6, 10), data={**asked, "subject": ""}, **key),
            Event(Kind.HANDED, at=at(6, 11), data=handed, **key),
            Event(Kind.TAKEN_BACK, at=at(6, 14), data={"person": "a", "note": ""}, **key),
            Event(Kind.ANSWERED, at=at(6, 15), data={**said, "note": "Pindah ke server baru."}, **key),
            Event(Kind.STEP_FINISHED, at=at(6, 15), data={**end, "earlier": []}, **{**place, "step": "solution"}),
            Event(Kind.RUN_ENDED, HANDLING, at(6, 15), data={"status": "ok", "exit_code": 0}),
        ]
