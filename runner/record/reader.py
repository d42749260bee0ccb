"""What a journal tells: the runs, their events, what a step gave the last time, and whether all of it is unaltered."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from runner.contract import Status
from runner.errors import Refused, did_you_mean, refuse
from runner.events import Event, Key, Kind
from runner.record.chain import FORM, GENESIS, Columns
from runner.record.database import connect_to_read, database_errors
from runner.record.evidence import EvidenceStore
from runner.record.locks import Locks

if TYPE_CHECKING:
    from runner.record.proof import Fault

_STARTS = """
    SELECT run, playbook, at, json_extract(body, '$.data.title') FROM events WHERE seq IN (
        SELECT seq FROM events INDEXED BY run_starts WHERE kind = 'run_started' AND (?1 IS NULL OR playbook = ?1)
        ORDER BY seq DESC LIMIT ?2
    ) ORDER BY seq DESC
"""
_BETWEEN = """
    SELECT run, playbook, at, json_extract(body, '$.data.title') FROM events WHERE seq IN (
        SELECT seq FROM events INDEXED BY turns_by_time WHERE kind IN ('run_started', 'run_resumed', 'run_ended')
        AND at >= ?1 AND at < ?2
    ) AND kind = 'run_started' AND (?3 = '' OR playbook = ?3) ORDER BY seq
"""
_TURN = """
    SELECT kind, status, at, json_extract(body, '$.data.exit_code') FROM events INDEXED BY run_turns
    WHERE run = ? AND kind IN ('run_resumed', 'run_ended') ORDER BY seq DESC LIMIT 1
"""
_LATEST_TASK = """
    SELECT body FROM events INDEXED BY latest_tasks WHERE kind = 'task_finished' AND status IN ('ok', 'changed')
    AND playbook = ? AND step = ? AND task = ? AND target IS ? AND item = ? AND run <> ? ORDER BY seq DESC LIMIT 1
"""
_LATEST_STEP = """
    SELECT body FROM events INDEXED BY latest_steps WHERE kind = 'step_finished' AND status IN ('ok', 'changed')
    AND playbook = ? AND step = ? AND target IS ? AND run <> ? ORDER BY seq DESC LIMIT 1
"""
_LATEST_WITH = """
    SELECT body FROM events NOT INDEXED WHERE kind = 'task_finished' AND playbook = ?1 AND target IS ?2
    AND status IN ('ok', 'changed') AND json_extract(body, '$.data.action') = ?3
    AND json_extract(body, '$.data.outputs.' || ?4 || '.' || ?5) = ?6 ORDER BY seq DESC LIMIT 1
"""
_OUTCOMES = """
    SELECT body FROM events NOT INDEXED WHERE kind = 'task_finished' AND target IS ?1
    AND json_extract(body, '$.data.action') = ?2 ORDER BY seq DESC LIMIT ?3
"""
_SIGNED = """
    SELECT body FROM events INDEXED BY by_run WHERE run = ?1 AND kind = 'answered'
    AND json_extract(body, '$.data.subject') = ?2 ORDER BY seq DESC LIMIT 1
"""
_ASKED = """
    SELECT max(seq) FROM events INDEXED BY by_run
    WHERE run = ? AND kind = 'requested' AND step = ? AND attempt = ? AND task = ? AND target IS ? AND item = ?
    AND "try" = ?
"""
MOST_OUTCOMES = 1000
_RUNS = "SELECT run FROM events INDEXED BY run_starts WHERE kind = 'run_started' ORDER BY seq"


class RunSummary(NamedTuple):
    """A run in one line. `status` is a Status as a word, or "running", or "interrupted" where its process is gone;
    `exit_code` and `ended` are None until it ended."""

    run: str
    playbook: str
    title: str
    status: str
    exit_code: int | None
    started: datetime
    ended: datetime | None


class Latest(NamedTuple):
    """What a task or step gave when it last ended well: its outputs, when it ended, and in which run."""

    outputs: dict[str, Any]
    at: datetime
    run: str


class JournalReader:
    """A journal to read from. Each call opens the file anew, so that any thread may call while another appends."""

    def __init__(self, records: Path) -> None:
        self.records = records
        self.path = records / "journal.sqlite"

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Give a connection for reading. Raise RecordError when the journal cannot be read."""
        with database_errors(self.path), closing(connect_to_read(self.path, FORM)) as connection:
            yield connection

    def looking_up(self) -> AbstractContextManager[sqlite3.Connection]:
        """Give a connection for one short question. Raise RecordError when the journal cannot be read."""
        return self.reading()

    def events(self, run: str) -> Iterator[Event]:
        """The events of a run, in order; of an unknown run none."""
        with self.reading() as connection:
            for (body,) in connection.execute("SELECT body FROM events WHERE run = ? ORDER BY seq", (run,)):
                yield Event.from_json(json.loads(body))

    def count(self, run: str) -> int:
        """How many events a run has; an unknown one none."""
        with self.reading() as connection:
            return int(connection.execute("SELECT count(*) FROM events WHERE run = ?", (run,)).fetchone()[0])

    def runs(self, limit: int = 20, playbook: str | None = None) -> tuple[RunSummary, ...]:
        """The latest runs, of one playbook if given, newest first."""
        return self._summaries(_STARTS, (playbook, limit))

    def runs_between(self, since: str, until: str, playbook: str = "") -> tuple[RunSummary, ...]:
        """The runs that began from `since` on and before `until`, oldest first; both as the journal writes times."""
        return self._summaries(_BETWEEN, (since, until, playbook))

    def status_of(self, run: str) -> str:
        """How a run stands: a Status as a word, or "running", as in its RunSummary."""
        with self.reading() as connection:
            turn = connection.execute(_TURN, (run,)).fetchone()
        return str(turn[1]) if turn and turn[0] == Kind.RUN_ENDED else _standing(run, Locks(self.records))

    def latest_outcome(
        self, playbook: str, step: str, task: str, target: str | None, *, item: str = "", other_than: str = ""
    ) -> Latest | None:
        """What a task gave when it last ended well on that target (and item), in a run `other_than` the given one."""
        return self._latest(_LATEST_TASK, (playbook, step, task, target, item, other_than))

    def latest_step(self, playbook: str, step: str, target: str | None, *, other_than: str = "") -> Latest | None:
        """What a step gave when it last ended well on that target, in a run `other_than` the given one."""
        return self._latest(_LATEST_STEP, (playbook, step, target, other_than))

    def latest_with(
        self, playbook: str, target: str | None, action: str, output: str, **wanted: str
    ) -> dict[str, Any] | None:
        """What a task of that action gave when one last ended well on that target, of those whose `output` is an object
        with the `wanted` key and value, in any run of the playbook."""
        ((key, value),) = wanted.items()
        found = self._latest(_LATEST_WITH, (playbook, target, action, output, key, value))
        return found.outputs if found else None

    def outcomes(self, action: str, target: str | None) -> list[dict[str, Any]]:
        """How the latest tasks of that action on that target ended, in any run of any playbook, the oldest first: run,
        at (ISO, UTC), status, outputs, evidence [{name, sha256}]."""
        with self.reading() as connection:
            rows = connection.execute(_OUTCOMES, (target, action, MOST_OUTCOMES)).fetchall()
        return [_outcome(json.loads(body)) for (body,) in reversed(rows)]

    def signed(self, run: str, sha256: str) -> dict[str, Any] | None:
        """Who signed the document of that SHA-256 in that run; None where nobody did, or it was returned since."""
        with self.reading() as connection:
            row = connection.execute(_SIGNED, (run, sha256)).fetchone()
        body = json.loads(row[0]) if row else None
        if body is None or body["data"]["label"] != "signed":
            return None
        return {"role": body["data"]["role"], "person": body["data"]["person"], "at": body["at"]}

    def head(self) -> str:
        """The hash of the last record, which vouches for all of them: 64 hex digits, zeros of an empty journal."""
        return self.tip()[1]

    def tip(self) -> tuple[int, str]:
        """The number and the hash of the last record; 0 and zeros of an empty journal."""
        with self.reading() as connection:
            row = connection.execute("SELECT seq, hash FROM events ORDER BY seq DESC LIMIT 1").fetchone()
        return (int(row[0]), str(row[1])) if row else (0, GENESIS)

    def printed_head(self) -> str:
        """The head as reports bear it, NUMBER:HASH, so that cutting and rebuilding can be told apart; "" of an empty
        journal."""
        record, sha256 = self.tip()
        return f"{record}:{sha256}" if record else ""

    def hash_of(self, record: int) -> str:
        """Given a record's number, return its hash; "" where there is none."""
        with self.reading() as connection:
            row = connection.execute("SELECT hash FROM events WHERE seq = ?", (record,)).fetchone()
        return str(row[0]) if row else ""

    def asked_at(self, run: str, key: Key) -> int:
        """Given a run and what waits in it, return the number of the record that asked; 0 where none did."""
        with self.reading() as connection:
            row = connection.execute(_ASKED, (run, *key)).fetchone()
        return int(row[0]) if row and row[0] else 0

    def find_run(self, text: str) -> str:
        """Given the beginning of a run's id, its last part, or `last`, return the id.

        Raise Refused when that is no run, or several.
        """
        with self.reading() as connection:
            runs = [str(run) for (run,) in connection.execute(_RUNS)]
        if text == "last" and runs:
            return runs[-1]
        found = [run for run in runs if run == text] or [run for run in runs if _is_meant(run, text)]
        if len(found) != 1:
            raise _not_one(text, found, runs)
        return found[0]

    def verify(self, run: str | None = None, head: str | None = None) -> list[Fault]:
        """Recompute the whole chain, and check the evidence (of one run, if given); return what is wrong, by record.

        `head` is the hash of a record as printed on a report, or its first 12 digits at least: the record must
        still be there. Raise Refused when it is no hash, RecordError when the journal cannot be opened.
        """
        from runner.record.proof import check_journal, parse_head  # knows signatures: loaded where they are checked

        wanted = None if head is None else parse_head(head)
        with self.reading() as connection:
            return check_journal(connection, EvidenceStore(self.records), run=run, head=wanted)

    def _summaries(self, query: str, given: tuple[Any, ...]) -> tuple[RunSummary, ...]:
        locks = Locks(self.records)
        with self.reading() as connection:
            starts = connection.execute(query, given).fetchall()
            turns = [connection.execute(_TURN, start[:1]).fetchone() for start in starts]
        return tuple(_summary(start, turn, locks) for start, turn in zip(starts, turns, strict=True))

    def _latest(self, query: str, given: tuple[str | None, ...]) -> Latest | None:
        with self.looking_up() as connection:
            rows = connection.execute(query, given).fetchall()
        if not rows:
            return None
        event = Event.from_json(json.loads(rows[0][0]))
        return Latest(dict(event.outputs), event.at, event.run)


def _summary(start: Columns, turn: Columns | None, locks: Locks) -> RunSummary:
    run, playbook, at, title = start
    started = datetime.fromisoformat(at)
    if turn and turn[0] == Kind.RUN_ENDED:
        return RunSummary(run, playbook, title or "", turn[1], turn[3], started, datetime.fromisoformat(turn[2]))
    return RunSummary(run, playbook, title or "", _standing(run, locks), None, started, None)


def _outcome(body: dict[str, Any]) -> dict[str, Any]:
    data = body["data"]
    kept = [{"name": each["name"], "sha256": each["sha256"]} for each in data["evidence"]]
    return {
        "run": body["run"],
        "at": body["at"],
        "status": data["status"],
        "outputs": data["outputs"],
        "evidence": kept,
    }


def _standing(run: str, locks: Locks) -> str:
    return "running" if locks.is_running(run) else str(Status.INTERRUPTED)


def _is_meant(run: str, text: str) -> bool:
    return bool(text) and (run.startswith(text) or run.rpartition("-")[2] == text)


def _not_one(text: str, found: list[str], runs: list[str]) -> Refused:
    if found:
        shown = ", ".join(found[-5:])
        return refuse("RUN", f"'{text}' is the beginning of {len(found)} runs: {shown}", "write more of one")
    if not runs:
        return refuse("RUN", f"'{text}': there is no run yet", "see 'sop run', or name its folder with --records")
    return refuse("RUN", f"no run is called '{text}'", did_you_mean(text, runs) or "see 'sop history'")
