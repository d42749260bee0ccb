"""One pass over a period of the journal: what was carried out, by whom, with which outcomes and evidence."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from runner.contract import Evidence
from runner.events import Event, Key, Kind
from runner.record.period import Period, events_in
from runner.record.reader import JournalReader

Json = Mapping[str, Any]

KINDS = (
    Kind.RUN_STARTED,
    Kind.RUN_ENDED,
    Kind.STEP_STARTED,
    Kind.STEP_FINISHED,
    Kind.TASK_FINISHED,
    Kind.ANSWERED,
    Kind.HANDED,
    Kind.TAKEN_BACK,
    Kind.ESCALATED,
    Kind.CANCELLED,
)


@dataclass(slots=True)
class Execution:
    """An attempt of a step on a target; `started` is None only where nothing tells it, `status` "" while it goes on."""

    run: str
    playbook: str
    step: str
    attempt: int
    target: str | None
    started: datetime | None = None
    due: datetime | None = None
    counted: tuple[str, ...] = ()
    ended: datetime | None = None
    status: str = ""
    deviations: tuple[str, ...] = ()

    @property
    def late(self) -> bool:
        """Whether it passed its norm."""
        return any(deviation.startswith("late:") for deviation in self.deviations)

    @property
    def moment(self) -> datetime:
        """When it took place, for order: its start, or its end where only that is known."""
        moment = self.started or self.ended
        if moment is None:
            raise AssertionError("BUG: an execution is known by its start or its end")
        return moment


@dataclass(frozen=True, slots=True)
class Kept:
    """A kept file, and where it comes from."""

    at: datetime
    run: str
    playbook: str
    step: str
    target: str | None
    evidence: Evidence


@dataclass(slots=True)
class RunLine:
    """A run: when it began, which playbook it follows, how it ended ("" while it has not)."""

    run: str
    playbook: str
    began: datetime
    status: str = ""
    ended: datetime | None = None


@dataclass(slots=True)
class Procedure:
    """What a playbook's latest run in the period says of itself, and the files of all of them: name, SHA-256."""

    playbook: str
    started: Json
    sources: dict[tuple[str, str], None] = field(default_factory=dict)


@dataclass(slots=True)
class Wait:
    """A wait for a third party; `until` is None while it lasts."""

    key: Key
    run: str
    party: str
    person: str
    note: str
    since: datetime
    until: datetime | None = None


class Gathered:
    """What a period holds; `as_of` is the time of its last record, None where it has none."""

    def __init__(self) -> None:
        self.runs: dict[str, RunLine] = {}
        self.procedures: dict[str, Procedure] = {}
        self.executions: dict[tuple[str, str, int, str | None], Execution] = {}
        self.evidence: list[Kept] = []
        self.answers: list[Event] = []
        self.waits: list[Wait] = []
        self.escalations: list[Event] = []
        self.cancellations: list[Event] = []
        self._outcomes: dict[str, dict[tuple[str, Key], Event]] = defaultdict(dict)
        self.as_of: datetime | None = None

    def outcomes(self, action: str) -> list[Event]:
        """The outcomes of an action in order, of each task that of its last try."""
        return list(self._outcomes[action].values())

    def note(self, event: Event) -> None:
        """Take a finished task."""
        key = (event.run, event.key._replace(tries=0))
        self._outcomes[event.data["action"]].pop(key, None)  # so that the last try stands where it ended
        self._outcomes[event.data["action"]][key] = event


# actions whose outcomes a report looks into; of all others it counts steps and evidence only
LOOKED_INTO = frozenset(
    {
        "website.available",
        "website.updated",
        "backup.database",
        "backup.files",
        "backup.seal",
        "backup.drill",
        "logs.scan",
        "service.due",
        "service.renewed",
    }
)


def gather(journal: JournalReader, period: Period) -> Gathered:
    """Given a journal and a period, return what it holds; read once, in order."""
    reader = _Reader(journal)
    for event in events_in(journal, period, *KINDS):
        reader.take(event)
    return reader.found


class _Reader:
    def __init__(self, journal: JournalReader) -> None:
        self._journal = journal
        self.found = Gathered()
        self._take = {
            Kind.RUN_STARTED: self._run_started,
            Kind.RUN_ENDED: self._run_ended,
            Kind.STEP_STARTED: self._step_started,
            Kind.STEP_FINISHED: self._step_finished,
            Kind.TASK_FINISHED: self._task_finished,
            Kind.ANSWERED: self._answered,
            Kind.HANDED: self._handed,
            Kind.TAKEN_BACK: self._taken_back,
            Kind.ESCALATED: self.found.escalations.append,
            Kind.CANCELLED: self.found.cancellations.append,
        }

    def take(self, event: Event) -> None:
        found = self.found
        found.as_of = max(event.at, found.as_of or event.at)
        if event.run not in found.runs and event.kind is not Kind.RUN_STARTED:
            self._earlier(event.run, event.at)
        self._take[event.kind](event)

    def _earlier(self, run: str, at: datetime) -> None:
        """Take what a run that began before the period said of itself."""
        first = next(iter(self._journal.events(run)), None)
        if first is not None and first.kind is Kind.RUN_STARTED:
            self._run_started(first)
        else:
            self.found.runs[run] = RunLine(run, "", at)

    def _run_started(self, event: Event) -> None:
        playbook = str(event.data.get("playbook") or "")
        self.found.runs[event.run] = RunLine(event.run, playbook, event.at)
        known = self.found.procedures.setdefault(playbook, Procedure(playbook, event.data))
        known.started = event.data
        for source in event.data.get("sources") or ():
            known.sources[str(source.get("name")), str(source.get("sha256"))] = None

    def _run_ended(self, event: Event) -> None:
        line = self.found.runs[event.run]
        line.status, line.ended = str(event.data.get("status") or ""), event.at

    def _execution(self, event: Event) -> Execution:
        key = (event.run, event.step, event.attempt, event.target)
        found = self.found.executions.get(key)
        if found is None:
            playbook = self.found.runs[event.run].playbook
            found = Execution(event.run, playbook, event.step, event.attempt, event.target)
            self.found.executions[key] = found
        return found

    def _step_started(self, event: Event) -> None:
        execution = self._execution(event)
        execution.started = execution.started or event.at
        due = event.data.get("due")
        execution.due = datetime.fromisoformat(due) if due else None
        execution.counted = tuple(event.data.get("counted") or ())

    def _step_finished(self, event: Event) -> None:
        execution, used = self._execution(event), event.data.get("used_seconds")
        execution.ended, execution.status = event.at, str(event.data.get("status") or "")
        execution.deviations = tuple(event.data.get("deviations") or ())
        if execution.started is None and used is not None:
            execution.started = event.at - timedelta(seconds=used)

    def _task_finished(self, event: Event) -> None:
        for kept in event.data.get("evidence") or ():
            playbook = self.found.runs[event.run].playbook
            self.found.evidence.append(Kept(event.at, event.run, playbook, event.step, event.target, Evidence(**kept)))
        if event.data.get("action") in LOOKED_INTO:
            self.found.note(event)

    def _answered(self, event: Event) -> None:
        self.found.answers.append(event)
        self._close(event)

    def _handed(self, event: Event) -> None:
        data = event.data
        party, person, note = (str(data.get(name) or "") for name in ("party", "person", "note"))
        self.found.waits.append(Wait(event.key, event.run, party, person, note, event.at))

    def _taken_back(self, event: Event) -> None:
        self._close(event)

    def _close(self, event: Event) -> None:
        for wait in self.found.waits:
            if (
                wait.until is None
                and wait.run == event.run
                and wait.key._replace(tries=0) == event.key._replace(tries=0)
            ):
                wait.until = event.at
