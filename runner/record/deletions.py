"""Files with personal data that outcomes name with their last day, and those that `evidence.purge` deleted since."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from typing import Any, NamedTuple

PURGE = "evidence.purge"
HASH = re.compile(r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")
_PURGES = """
    SELECT run, at, body FROM events
    WHERE kind = 'task_finished' AND instr(body, '"action":"evidence.purge"') ORDER BY seq
"""


class Restricted(NamedTuple):
    """A kept file with personal data: name, SHA-256, size, its last day (ISO), why it is kept, by whom, the run that
    kept it first, why it must not be deleted yet ("" where it may), and whether the file is there."""

    name: str
    sha256: str
    size: int
    until: str
    reason: str
    keeper: str
    run: str
    held: str = ""
    there: bool = True


class Deletion(NamedTuple):
    """That a file was deleted: when, by which run, and the rule."""

    sha256: str
    name: str
    at: datetime
    run: str
    rule: str

    def __str__(self) -> str:
        return f"evidence '{self.name}' was deleted on {self.at.date()} by rule: {self.rule} (run {self.run})"


def parse_restricted(data: Mapping[str, Any], run: str) -> Iterator[Restricted]:
    """Given a finished task's data and its run, give the files with personal data that it names."""
    listed = (data.get("outputs") or {}).get("restricted")
    for each in listed if isinstance(listed, list) else ():
        try:
            digest, until = str(each["sha256"]), date.fromisoformat(each["until"]).isoformat()
            texts = (str(each.get("reason") or ""), str(each.get("keeper") or ""))
            if HASH.fullmatch(digest):
                yield Restricted(str(each["name"]), digest, int(each["size"]), until, *texts, run)
        except (KeyError, TypeError, ValueError, AttributeError):  # another action's output of that name
            continue


def load_deletions(connection: sqlite3.Connection) -> dict[str, Deletion]:
    """Given a journal opened for reading, return what was deleted, by SHA-256."""
    found: dict[str, Deletion] = {}
    for run, at, body in connection.execute(_PURGES):
        try:
            outcome = json.loads(body)["data"]
            listed: Iterable[Mapping[str, Any]] = outcome["outputs"]["deleted"] if outcome["action"] == PURGE else ()
            for each in listed:
                digest, moment = str(each["sha256"]), datetime.fromisoformat(at)
                found[digest] = Deletion(digest, str(each["name"]), moment, str(run), str(each["rule"]))
        except (ValueError, TypeError, KeyError, AttributeError):  # an altered record: the chain names it
            continue
    return found


def ends_of(body: str) -> dict[str, str]:
    """Given a record's body, return the last day of each file with personal data that it names, by SHA-256."""
    if '"restricted":[{' not in body:
        return {}
    return {each.sha256: each.until for each in parse_restricted(json.loads(body)["data"], "")}
