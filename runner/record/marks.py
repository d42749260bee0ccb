"""Marks on problems: what a run took up, what a person accepted or opened again. They belong to no run's own record."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from runner.contract import Evidence, Severity
from runner.events import Event, Kind

_MARKS = "SELECT seq, body FROM events INDEXED BY marks WHERE kind = 'problem_marked' ORDER BY seq"

Fault = tuple[str, str | None]
"""What tells problems apart: the key and the target."""


class State(StrEnum):
    """Where a problem stands. Kept as words."""

    OPEN = "open"
    HANDLED = "handled"
    SOLVED = "solved"
    ACCEPTED = "accepted"


class Mark(NamedTuple):
    """What was said of a problem. `run` has taken it up, or saw it last when a person accepted it; `until` ends an
    acceptance (None: with the occurrence), which holds up to `severity`; `person` is the full name, `login` the
    account, `method` how the person was told apart, `evidence` what was put to it; `seq` is the mark's record."""

    key: str
    target: str | None
    state: State
    run: str
    at: datetime
    person: str = ""
    login: str = ""
    method: str = ""
    reason: str = ""
    until: datetime | None = None
    severity: Severity | None = None
    evidence: tuple[Evidence, ...] = ()
    seq: int = 0

    def event(self) -> Event:
        """The mark as an event for the journal."""
        data = {
            "key": self.key,
            "target": self.target,
            "state": str(self.state),
            "person": self.person,
            "login": self.login,
            "method": self.method,
            "reason": self.reason,
            "until": self.until.isoformat() if self.until else None,
            "severity": str(self.severity) if self.severity else None,
            "evidence": [each._asdict() for each in self.evidence],
        }
        return Event(Kind.PROBLEM_MARKED, self.run, self.at, target=self.target, data=data)


def load_marks(connection: sqlite3.Connection) -> dict[Fault, list[Mark]]:
    """Given a journal opened for reading, return all marks by problem, in order."""
    found: dict[Fault, list[Mark]] = {}
    for seq, body in connection.execute(_MARKS):
        mark = parse_mark(json.loads(body), seq)
        found.setdefault((mark.key, mark.target), []).append(mark)
    return found


def parse_mark(body: Mapping[str, Any], seq: int = 0) -> Mark:
    """Given a marking event's JSON values, return the mark."""
    data = body["data"]
    return Mark(
        key=data["key"],
        target=data["target"],
        state=State(data["state"]),
        run=body["run"],
        at=datetime.fromisoformat(body["at"]),
        person=str(data.get("person") or ""),
        login=str(data.get("login") or ""),
        method=str(data.get("method") or ""),
        reason=str(data.get("reason") or ""),
        until=datetime.fromisoformat(data["until"]) if data.get("until") else None,
        severity=Severity(data["severity"]) if data.get("severity") else None,
        evidence=tuple(Evidence(**each) for each in data.get("evidence") or ()),
        seq=seq,
    )


def acceptance(marks: Iterable[Mark], since: int, severity: Severity, now: datetime) -> Mark | None:
    """Given a problem's marks in order, the record that began its occurrence, how bad it is, and the time, return what
    it is accepted by; None where it is not.

    Without an `until` an acceptance ends with the occurrence that it was given for, with one at that time; a problem
    that grew worse than what was accepted is not accepted.
    """
    last = None
    for mark in marks:
        last = mark if mark.state is State.ACCEPTED else None if mark.state is State.OPEN else last
    if last is None or (last.until is None and last.seq < since) or (last.until is not None and last.until <= now):
        return None
    order = list(Severity)
    return None if last.severity and order.index(severity) > order.index(last.severity) else last
