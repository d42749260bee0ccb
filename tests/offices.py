"""Records of whole offices for tests: real playbook and inventory, made-up outcomes over days, quickly written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from runner.binding import Bound, Documents, bind, keep_sources
from runner.contract import Outcome, Problem, Severity, Status
from runner.engine.heading import describe
from runner.events import Event, Kind, outcome_to_json
from runner.plan import Selection
from runner.record.evidence import EvidenceStore
from runner.record.journal import Journal

WIB = ZoneInfo("Asia/Jakarta")
PLAYBOOK = Path(__file__).parents[1] / "playbooks" / "pemeliharaan-website.yml"
CHECKS = {"watch": ("available", "updated"), "backup": ("database", "files", "set"), "visitors": ("scan",)}
ACTIONS = {
    "available": "website.available",
    "updated": "website.updated",
    "database": "backup.database",
    "files": "backup.files",
    "set": "backup.seal",
    "scan": "logs.scan",
    "due": "service.due",
}
HOURS = {"watch": (8, 0), "backup": (1, 30), "visitors": (7, 0), "renew": (9, 0)}


@dataclass
class OfficeRecord:
    """The record of an office with so many sites, in a folder; `begin` is the day of its first run."""

    folder: Path
    sites: int = 1
    begin: date = date(2026, 11, 2)
    titles: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "inventory.yml").write_text(self.inventory())
        self.records = self.folder / "records"
        self.journal = Journal.open(self.records)
        documents = Documents(PLAYBOOK, (self.folder / "inventory.yml",))
        self.bound: Bound = bind(documents, Selection(), now=datetime(2026, 11, 2, tzinfo=UTC))
        store = EvidenceStore(self.records)
        self.header = {
            **describe(self.bound.plan),
            "mode": "run",
            "by": "admin",
            "version": "0",
            "sources": keep_sources(self.bound, store.keep),
            "options": {"limit": "", "only": [], "from": "", "variables": {}},
        }
        self._runs = 0
        self._pending: list[Event] = []

    @property
    def names(self) -> list[str]:
        return [f"pn_{number:03}" for number in range(1, self.sites + 1)]

    def inventory(self) -> str:
        sites = "\n".join(
            f'  {name}: {{title: "{self.titles.get(name, f"Website PN Contoh {name[3:]}")}", '
            f'url: "https://{name.replace("_", "-")}.example", server: web1, root: /var/www/{name}, '
            f"access_log: /var/log/{name}.log, database: {{engine: mariadb, name: {name}}}"
            + (", services: [domain, hosting]}" if name == "pn_001" else "}")
            for name in self.names
        )
        return f"""\
office: {{name: Pengadilan Negeri Contoh, timezone: WIB, city: Contoh}}
servers: {{web1: {{connection: local}}}}
websites:
{sites}
services:
  domain: {{kind: domain, name: pn-contoh.example, expires: 2026-12-10, responsible: budi}}
  hosting: {{kind: hosting, name: Paket Hosting, expires: 2027-06-30, responsible: budi}}
people:
  budi: {{name: "Budi Santoso, S.Kom.", login: budi, roles: [{{role: admin}}]}}
  sari: {{name: "Sari Dewi, S.H.", login: sari, roles: [{{role: kasubbag, as: Plh, until: 2026-12-31}}]}}
  tono: {{name: Tono Wirawan, login: tono, roles: [{{role: sekretaris}}]}}
  pihak: {{name: CV Pihak Ketiga, roles: [{{role: third_party}}]}}
"""

    def run(self, at: datetime) -> str:
        """Begin a run at a time of the office's clock; return its id."""
        self._runs += 1
        run = f"{at.astimezone(UTC):%Y%m%d-%H%M}-{self._runs:05}"
        self.say(Kind.RUN_STARTED, run, at, **self.header)
        return run

    def say(self, kind: Kind, run: str, at: datetime, place: Mapping[str, Any] | None = None, **data: Any) -> None:
        self._pending.append(Event(kind, run, at.astimezone(UTC), **(place or {}), data=data))

    def task(self, run: str, at: datetime, step: str, task: str, target: str | None, outcome: Outcome) -> None:
        place = {"step": step, "attempt": 1, "task": task, "target": target, "tries": 1}
        done = {"action": ACTIONS[task], "item": None, **outcome_to_json(outcome)}
        self.say(Kind.TASK_FINISHED, run, at, place, **done)

    def step(
        self, at: datetime, step: str, outcomes: Mapping[str, Mapping[str, Outcome]], late: Sequence[str] = ()
    ) -> None:
        """A run of one step: what its tasks gave, by target and task; `late` names targets beyond their norm."""
        run = self.run(at)
        for target, tasks in outcomes.items():
            self._one(run, at, step, target, tasks, late=target in late)
        self.say(Kind.RUN_ENDED, run, at + timedelta(minutes=2), status="ok", exit_code=0)

    def _one(self, run: str, at: datetime, step: str, target: str, tasks: Mapping[str, Outcome], *, late: bool) -> None:
        place = {"step": step, "attempt": 1, "target": target}
        due = at + timedelta(days=1)
        counted = ["days_by_close: 1"]
        self.say(Kind.STEP_STARTED, run, at, place, time_limit="1 hari", due=due.isoformat(), counted=counted)
        for name, outcome in tasks.items():
            self.task(run, at + timedelta(minutes=1), step, name, target, outcome)
        bad = [o.status for o in tasks.values() if o.status not in (Status.OK, Status.CHANGED)]
        done = {"used_seconds": 60.0, "outputs": {}, "reason": None, "message": "", "earlier": []}
        deviations = [f"late: {due.isoformat(timespec='minutes')}"] if late else []
        status = str(bad[0] if bad else Status.OK)
        self.say(
            Kind.STEP_FINISHED, run, at + timedelta(minutes=1), place, status=status, deviations=deviations, **done
        )

    def ask(self, at: datetime, due: datetime, role: str, step: str, task: str, question: str, counted: str) -> str:
        """A run that waits for a role, in a step that runs once; return it."""
        run = self.run(at)
        place = {"step": step, "attempt": 1}
        self.say(Kind.STEP_STARTED, run, at, place, time_limit="x", due=due.isoformat(), counted=[counted])
        asked = {"action": "person.sign", "item": None, "role": role, "question": question, "subject": ""}
        self.say(Kind.REQUESTED, run, at, {**place, "task": task, "tries": 1}, **asked, answers=["signed", "returned"])
        self.say(Kind.RUN_ENDED, run, at, status="waiting", exit_code=3)
        return run

    def write(self) -> None:
        """Put everything said into the journal, in order of time."""
        events, self._pending = sorted(self._pending, key=lambda event: event.at), []
        self.journal.append(events)


def at(day: date, hour: int, minute: int = 0) -> datetime:
    """A time of the office's clock."""
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=WIB)


def fine(step: str, day: date) -> dict[str, Outcome]:
    """Outcomes of a step that ended well."""
    outputs: dict[str, dict[str, Any]] = {
        "available": {"available": True, "certificate_expires": "2027-01-15", "response_seconds": 0.4},
        "updated": {"updated": True, "newest": (day - timedelta(days=2)).isoformat()},
        "set": {"set": "backups/x", "total_bytes": 931_000_000, "manifest": {}},
    }
    return {task: Outcome(Status.OK, outputs=outputs.get(task, {})) for task in CHECKS[step]}


def wrong(
    step: str, day: date, severity: Severity, message: str, key: str = "website.unavailable"
) -> dict[str, Outcome]:
    """Outcomes of a step whose first task found a problem."""
    found = fine(step, day)
    first = next(iter(found))
    problem = Problem(key, severity, message)
    return {**found, first: Outcome(Status.OK, outputs=found[first].outputs, problems=(problem,))}


def days(first: date, last: date) -> Iterator[date]:
    """The days from one until another, both included."""
    return (first + timedelta(days=number) for number in range((last - first).days + 1))


def usual_days(office: OfficeRecord, first: date, last: date, bad: Mapping[str, Any] | None = None) -> None:
    """Every scheduled step on every day, at its time; `bad` maps (step, site) to a function from a day to outcomes."""
    for day in days(first, last):
        for step in CHECKS:
            outcomes = {name: fine(step, day) for name in office.names}
            for (where, name), give in (bad or {}).items():
                if where == step:
                    made = give(day)
                    outcomes = {**outcomes, name: made} if made else {n: o for n, o in outcomes.items() if n != name}
            office.step(at(day, *HOURS[step]), step, outcomes)


def renewals(office: OfficeRecord, day: date) -> None:
    """A look at the services."""
    outcomes = {
        "domain": {"due": Outcome(Status.OK, outputs={"expires": "2026-12-10", "stage": "due"})},
        "hosting": {"due": Outcome(Status.OK, outputs={"expires": "2027-06-30", "stage": "later"})},
    }
    office.step(at(day, *HOURS["renew"]), "renew", outcomes)
