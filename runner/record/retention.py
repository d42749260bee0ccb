"""Evidence with personal data, and its end: what is to be deleted, what still holds it, and what was deleted.

An outcome's output `restricted` names such files with their last day. A file is deleted when that day is over for all
that name it, unless a person signed it, a problem that is not solved rests on it, or a run that names it is not at its
end. The outcome of `evidence.purge` says what was deleted; nothing else may.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from runner.record.deletions import HASH, Restricted, load_deletions, parse_restricted
from runner.record.evidence import EvidenceStore
from runner.record.problems import unsolved_problems
from runner.record.reader import JournalReader
from runner.record.unfinished import unfinished

_RESTRICTED = "SELECT run, body FROM events WHERE kind = 'task_finished' AND instr(body, '\"restricted\":[{')"
_NAMING = "SELECT run, body FROM events WHERE kind = 'task_finished' AND instr(body, '\"evidence\":[{')"
_SIGNED = "SELECT body FROM events WHERE kind IN ('requested', 'answered', 'problem_marked')"


@dataclass(slots=True)
class _Named:
    """What names a file: first and until when, whether also without an end, and in which runs."""

    first: Restricted
    until: str
    endless: bool = False
    runs: set[str] = field(default_factory=set)


def find_expired(journal: JournalReader, today: date, *, besides: str = "") -> list[Restricted]:
    """Given a journal and the office's day, return the files whose last day is over and whose end is not on record;
    `held` says of some why they must stay. `besides` is the run that asks, which holds nothing by itself."""
    with journal.reading() as connection:
        named = _restricted(connection)
        _find_endless(connection, named)
        signed = {digest for (body,) in connection.execute(_SIGNED) for digest in HASH.findall(body)}
        deleted = load_deletions(connection)
    store = EvidenceStore(journal.records)
    there = {digest for digest in named if store.path(digest).exists()}
    told = {
        digest
        for digest, each in deleted.items()
        if digest in named and each.at.date().isoformat() >= named[digest].until
    }
    due = {k: each for k, each in named.items() if each.until < today.isoformat() and (k in there or k not in told)}
    if not due:
        return []
    open_runs = {record.run for record in unfinished(journal)} - {besides}
    needed = {kept.sha256 for problem in unsolved_problems(journal) for kept in problem.evidence}
    return [
        each.first._replace(
            until=each.until, held=_why_held(digest, each, signed, needed, open_runs), there=digest in there
        )
        for digest, each in sorted(due.items(), key=lambda pair: (pair[1].until, pair[0]))
    ]


def _why_held(digest: str, each: _Named, signed: set[str], needed: set[str], open_runs: set[str]) -> str:
    if digest in signed:
        return "a signature or an answer rests on it"
    if digest in needed:
        return "a problem that is not solved rests on it"
    if each.endless:
        return "it was also kept without an end"
    waiting = sorted(each.runs & open_runs)
    return f"run {waiting[0]} is not at its end" if waiting else ""


def _restricted(connection: sqlite3.Connection) -> dict[str, _Named]:
    found: dict[str, _Named] = {}
    for run, body in connection.execute(_RESTRICTED):
        for each in parse_restricted(json.loads(body)["data"], str(run)):
            named = found.setdefault(each.sha256, _Named(each, each.until))
            named.until = max(named.until, each.until)
            named.runs.add(each.run)
    return found


def _find_endless(connection: sqlite3.Connection, named: Mapping[str, _Named]) -> None:
    """Note which of the files some outcome keeps without an end."""
    for run, body in connection.execute(_NAMING) if named else ():
        if named.keys().isdisjoint(HASH.findall(body)):
            continue
        data = json.loads(body)["data"]
        ends = {each.sha256 for each in parse_restricted(data, str(run))}
        for digest in {str(each["sha256"]) for each in data["evidence"]} & named.keys():
            named[digest].endless |= digest not in ends
