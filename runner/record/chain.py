"""How a journal's records are written: a table that only grows, and a hash chain that binds each record to the last.

    hash of a record = SHA-256(hash of the record before, in hex, followed by the record's body, in UTF-8)

The first record follows 64 zeros. Beside the body a row carries columns read from it, for queries; they are no
second source: `proof` compares them with the body.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from runner.events import Kind
from runner.record.database import Format

GENESIS = "0" * 64
COLUMNS = ("run", "playbook", "kind", "step", "attempt", "task", "target", "item", "try", "status", "problems", "at")
FORM = Format(
    application=0x736F706A,
    journal_mode="WAL",
    # `body` stands last: queries that do not need it never touch the pages it overflows to
    script="""
        CREATE TABLE events (
            seq INTEGER PRIMARY KEY, hash TEXT NOT NULL, run TEXT NOT NULL, playbook TEXT NOT NULL, kind TEXT NOT NULL,
            step TEXT NOT NULL, attempt INTEGER NOT NULL, task TEXT NOT NULL, target TEXT, item TEXT NOT NULL,
            "try" INTEGER NOT NULL, status TEXT, problems TEXT, at TEXT NOT NULL, body TEXT NOT NULL
        );
        CREATE INDEX by_run ON events (run);
        CREATE UNIQUE INDEX run_starts ON events (run) WHERE kind = 'run_started';
        CREATE INDEX run_turns ON events (run) WHERE kind IN ('run_resumed', 'run_ended');
        CREATE UNIQUE INDEX claims ON events (run, step, attempt, task, ifnull(target, ''), item, "try")
            WHERE kind = 'task_started';
        CREATE UNIQUE INDEX outcomes ON events (run, step, attempt, task, ifnull(target, ''), item, "try")
            WHERE kind = 'task_finished';
        CREATE INDEX latest_tasks ON events (playbook, step, task, target, seq, item, status, problems, run, attempt)
            WHERE kind = 'task_finished';
        CREATE INDEX latest_steps ON events (playbook, step, target, seq, status, run)
            WHERE kind = 'step_finished';
        CREATE INDEX reports ON events (playbook, step, task, target) WHERE problems IS NOT NULL;
        CREATE TRIGGER never_updated BEFORE UPDATE ON events BEGIN SELECT RAISE(ABORT, 'the journal only grows'); END;
        CREATE TRIGGER never_deleted BEFORE DELETE ON events BEGIN SELECT RAISE(ABORT, 'the journal only grows'); END;
    """,
    upgrades=(
        # 2: what a year of records needs: reports with their place in time, periods, what waits, what was marked
        """
        DROP INDEX reports;
        DROP INDEX run_turns;
        CREATE INDEX run_turns ON events (run, seq, kind, status) WHERE kind IN ('run_resumed', 'run_ended');
        CREATE INDEX reports ON events (playbook, step, task, target, seq, run, attempt, item, "try", problems, at)
            WHERE problems IS NOT NULL;
        CREATE INDEX turns_by_time ON events (at, seq) WHERE kind IN ('run_started', 'run_resumed', 'run_ended');
        CREATE INDEX final_ends ON events (run, seq)
            WHERE kind = 'run_ended' AND status NOT IN ('waiting', 'interrupted');
        CREATE INDEX asked ON events (run, step, attempt, task, target, item, "try", kind)
            WHERE kind IN ('requested', 'answered');
        CREATE INDEX marks ON events (target, seq) WHERE kind = 'problem_marked';
        """,
    ),
)

Columns = tuple[Any, ...]
_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False)


def canonical(body: Mapping[str, Any]) -> str:
    """Given an event's JSON values, return their one way to be written: JSON in ASCII, keys sorted, no spaces."""
    return _CANONICAL.encode(body)


def link(previous: str, body: str) -> str:
    """Given the hash of the record before and a body, return the record's hash."""
    return hashlib.sha256((previous + body).encode("utf-8", "surrogateescape")).hexdigest()


def columns_of(body: Mapping[str, Any], playbook: str) -> Columns:
    """Given an event's JSON values and its run's playbook, return the columns in the order of COLUMNS.

    `problems` is the JSON list of the keys that a finished task reported, None where it reported none.
    """
    data = body["data"]
    keys = sorted({problem["key"] for problem in data.get("problems") or ()})
    return (
        body["run"],
        playbook,
        body["kind"],
        body["step"],
        body["attempt"],
        body["task"],
        body["target"],
        body["item"],
        body["try"],
        data.get("status"),
        json.dumps(keys) if keys else None,
        body["at"],
    )


def playbook_of(body: Mapping[str, Any]) -> str | None:
    """Given an event's JSON values, return the playbook that it says its run follows; None when it says nothing."""
    return str(body["data"].get("playbook", "")) if body["kind"] == Kind.RUN_STARTED else None
