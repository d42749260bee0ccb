"""The register of problems, over all runs, read from outcomes and marks: there is no second truth.

The same fault (key and target) is one problem, whichever task sees it. It is `solved` when every task that reported it
could tell later and reported it no more. Until then it is `accepted` while a person's acceptance holds, `handled` while
a run that took it up goes on or waits for a person, and else `open`: also when such a run has come to its end.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

from runner.contract import Evidence, Severity
from runner.errors import did_you_mean, refuse
from runner.events import fault_of
from runner.record.marks import Fault, Mark, State, acceptance, load_marks
from runner.record.occurrences import Occurrence, Place, find_occurrences
from runner.record.period import Period
from runner.record.reader import JournalReader
from runner.record.unfinished import Holder, find_holder

__all__ = ["Holder", "KnownProblem", "Mark", "Past", "State", "open_problems", "problems", "unheld"]

_WORST_FIRST = tuple(reversed(Severity))
_LATEST = "SELECT at FROM events ORDER BY seq DESC LIMIT 1"


@dataclass(frozen=True, slots=True)
class Past:
    """An earlier occurrence of a problem. `solved_by` is the run that had it in hand before it was gone, "" where it
    went by itself; `gone_in` is the run that saw it no more."""

    first_seen: datetime
    last_seen: datetime
    times: int
    solved_at: datetime
    solved_by: str
    gone_in: str


@dataclass(frozen=True, slots=True)
class KnownProblem:
    """A fault, as it stands. `times` is how many outcomes reported it in this occurrence; severity, message, evidence,
    run, playbook, step and task are of the outcome that last did. `earlier` has past occurrences, the latest first."""

    key: str
    target: str | None
    severity: Severity
    message: str
    first_seen: datetime
    last_seen: datetime
    run: str
    playbook: str
    step: str
    task: str
    state: State = State.OPEN
    times: int = 1
    evidence: tuple[Evidence, ...] = ()
    holder: Holder | None = None
    accepted: Mark | None = None
    solved_at: datetime | None = None
    solved_by: str = ""
    gone_in: str = ""
    earlier: tuple[Past, ...] = ()


def problems(
    journal: JournalReader, period: Period | None = None, *, playbook: str | None = None, now: datetime | None = None
) -> tuple[KnownProblem, ...]:
    """Given a journal, return every problem that it knows, the worst first, then the oldest.

    Of a `period`: those that were there at some time in it, each as its last occurrence stands that began before the
    period's end. `now` is when acceptances are judged: by default at the last record, so that the same journal always
    tells the same.
    """
    return _Register(journal, playbook, now).problems(period)


def open_problems(
    journal: JournalReader, playbook: str | None = None, *, now: datetime | None = None
) -> tuple[KnownProblem, ...]:
    """Given a journal, return the problems that are open or handled: the worst first, then the oldest."""
    found = unsolved_problems(journal, playbook, now=now)
    return tuple(problem for problem in found if problem.state in (State.OPEN, State.HANDLED))


def unsolved_problems(
    journal: JournalReader, playbook: str | None = None, *, now: datetime | None = None
) -> tuple[KnownProblem, ...]:
    """Given a journal, return the problems that are there still, also those that were accepted."""
    return _Register(journal, playbook, now, only_open=True).problems(None)


def unheld(journal: JournalReader, now: datetime) -> tuple[Fault, ...]:
    """Given a journal, return the problems that are open and in nobody's hands, whichever playbook found them."""
    return tuple((p.key, p.target) for p in open_problems(journal, now=now) if p.state is State.OPEN)


def find_problem(known: Sequence[KnownProblem], key: str, target: str | None) -> KnownProblem:
    """Given problems, return the one of that key, on that target if given. Raise Refused for none, or for several."""
    found = [each for each in known if each.key == key and target in (None, each.target)]
    if not found:
        names = [each.target or "" for each in known if each.key == key] if target else [each.key for each in known]
        where = f" on '{target}'" if target else ""
        cure = did_you_mean(target or key, names) or "see 'sop problems'"
        raise refuse(key, f"no such problem is known{where}", cure)
    if len(found) > 1:
        names = [str(each.target) for each in found]
        raise refuse(key, f"{len(names)} targets have it", f"add --target, one of: {', '.join(names[:12])}")
    return found[0]


class _Register:
    """One reading of the register."""

    def __init__(
        self, journal: JournalReader, playbook: str | None, now: datetime | None, *, only_open: bool = False
    ) -> None:
        self._journal = journal
        self._playbook = playbook
        self._now = now
        self._only_open = only_open
        self._holder: Callable[[str], Holder | None] = cache(lambda run: find_holder(journal, run))

    def problems(self, period: Period | None) -> tuple[KnownProblem, ...]:
        with self._journal.reading() as connection:
            connection.execute("BEGIN")  # all that follows is read as of one moment
            latest = connection.execute(_LATEST).fetchone()
            now = self._now or (datetime.fromisoformat(latest[0]) if latest else datetime.now(UTC))
            marks = load_marks(connection)
            told = _Told(connection)
            found = []
            for fault, occurrences in self._by_fault(connection).items():
                problem = self._problem(occurrences, marks.get(fault, ()), told, now, period)
                found += [problem] if problem else []
        return tuple(sorted(found, key=_rank))

    def _by_fault(self, connection: sqlite3.Connection) -> dict[Fault, list[_Joined]]:
        found: dict[Fault, list[Occurrence]] = {}
        for each in find_occurrences(connection, self._playbook, only_open=self._only_open):
            found.setdefault(fault_of(each.key, each.place.target), []).append(each)
        return {fault: list(_join(occurrences)) for fault, occurrences in found.items()}

    def _problem(
        self, occurrences: list[_Joined], marks: Sequence[Mark], told: _Told, now: datetime, period: Period | None
    ) -> KnownProblem | None:
        while period and occurrences and told.at(occurrences[-1].first) >= period.until:
            occurrences.pop()
        if not occurrences:
            return None
        *earlier, current = occurrences
        gone = told.at(current.gone) if current.gone else None
        if period and gone and gone < period.since:
            return None
        if self._only_open and gone:
            return None
        last = told.problem(current.last, current.key)
        accepted = None if gone else acceptance(marks, current.first, last["severity"], now)
        holder = None if gone or accepted else self._holding(marks)
        state = State.SOLVED if gone else State.ACCEPTED if accepted else State.HANDLED if holder else State.OPEN
        return KnownProblem(
            **last,
            key=current.key,
            target=fault_of(current.key, current.place.target)[1],
            first_seen=told.at(current.first),
            last_seen=told.at(current.last),
            playbook=current.place.playbook,
            step=current.place.step,
            task=current.place.task,
            state=state,
            times=current.times,
            holder=holder,
            accepted=accepted,
            solved_at=gone,
            solved_by=_solver(marks, current) if gone else "",
            gone_in=told.run(current.gone) if gone else "",
            earlier=tuple(_past(each, marks, told) for each in reversed(earlier)),
        )

    def _holding(self, marks: Iterable[Mark]) -> Holder | None:
        taken = {mark.run: mark.at for mark in marks if mark.state is State.HANDLED}
        held = ((self._holder(run), at) for run, at in reversed(taken.items()))
        return next((holder._replace(since=at) for holder, at in held if holder), None)


class _Told:
    """What records say, each read once."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._bodies: dict[int, dict[str, dict[str, Any]]] = {}
        self._heads: dict[int, tuple[str, datetime]] = {}

    def at(self, seq: int) -> datetime:
        return self._head(seq)[1]

    def run(self, seq: int) -> str:
        return self._head(seq)[0]

    def problem(self, seq: int, key: str) -> dict[str, Any]:
        if seq not in self._bodies:
            (text,) = self._connection.execute("SELECT body FROM events WHERE seq = ?", (seq,)).fetchone()
            body = json.loads(text)
            evidence = tuple(Evidence(**each) for each in body["data"]["evidence"])
            self._bodies[seq] = {
                each["key"]: {
                    "severity": Severity(each["severity"]),
                    "message": each["message"],
                    "run": body["run"],
                    "evidence": evidence,
                }
                for each in body["data"]["problems"]
            }
        return self._bodies[seq][key]

    def _head(self, seq: int) -> tuple[str, datetime]:
        if seq not in self._heads:
            run, at = self._connection.execute("SELECT run, at FROM events WHERE seq = ?", (seq,)).fetchone()
            self._heads[seq] = (run, datetime.fromisoformat(at))
        return self._heads[seq]


@dataclass(slots=True)
class _Joined:
    """Occurrences at several places that overlap: one fault. `place` still sees it, or was the last that did."""

    key: str
    place: Place
    first: int
    last: int
    times: int
    gone: int


def _join(occurrences: Iterable[Occurrence]) -> Iterator[_Joined]:
    joined: _Joined | None = None
    for each in sorted(occurrences, key=lambda occurrence: occurrence.first):
        if joined and (not joined.gone or each.first < joined.gone):
            joined.times += each.times
            if (not each.gone, each.last) > (not joined.gone, joined.last):
                joined.last, joined.place = each.last, each.place
            joined.gone = max(joined.gone, each.gone) if joined.gone and each.gone else 0
        else:
            if joined:
                yield joined
            joined = _Joined(each.key, each.place, each.first, each.last, each.times, each.gone)
    if joined:
        yield joined


def _past(each: _Joined, marks: Iterable[Mark], told: _Told) -> Past:
    return Past(
        first_seen=told.at(each.first),
        last_seen=told.at(each.last),
        times=each.times,
        solved_at=told.at(each.gone),
        solved_by=_solver(marks, each),
        gone_in=told.run(each.gone),
    )


def _solver(marks: Iterable[Mark], each: _Joined) -> str:
    """The run that last had an occurrence in hand before it was gone."""
    runs = [mark.run for mark in marks if mark.state is State.HANDLED and each.first <= mark.seq < each.gone]
    return runs[-1] if runs else ""


def _rank(problem: KnownProblem) -> tuple[int, datetime, str, str]:
    return _WORST_FIRST.index(problem.severity), problem.first_seen, problem.key, problem.target or ""
