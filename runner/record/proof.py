"""Whether a journal is as it was written: chain, columns, evidence and the file itself."""

from __future__ import annotations

import json
import sqlite3
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from datetime import timedelta
from typing import Any, NamedTuple

from runner.contract import Evidence
from runner.errors import refuse
from runner.events import Kind
from runner.record.chain import COLUMNS, FORM, GENESIS, Columns, columns_of, link, playbook_of
from runner.record.database import version_of
from runner.record.deletions import Deletion, ends_of, load_deletions
from runner.record.evidence import EvidenceStore
from runner.record.sources import named_files
from runner.record.statements import AnswerCheck

SHORTEST_HEAD = 12  # digits of a hash that someone copies from a printed report
_HEX = frozenset("0123456789abcdef")
_MOST_RECORDS = 1 << 62
TRIGGER = "trigger"  # it acts on what is written, not on what is read
AHEAD = timedelta(hours=14)  # how far the earliest zone's day is before that of UTC
_REMEMBERED = 100  # rows; the longest inserted stretch whose every record is named

_ROWS = """
    SELECT seq, hash, body, run, playbook, kind, step, attempt, task, target, item, "try", status, problems, at
    FROM events NOT INDEXED ORDER BY seq
"""


class Row(NamedTuple):
    """A row as it lies in the file."""

    seq: int
    hash: str
    columns: Columns
    body: str


class Fault(NamedTuple):
    """Something wrong in a journal: the record that it shows at (`seq` 0: the journal as a whole), and what."""

    seq: int
    message: str
    run: str = ""
    kind: str = ""
    step: str = ""
    task: str = ""
    target: str | None = None
    at: str = ""

    def __str__(self) -> str:
        if not self.seq:
            return self.message
        what = "/".join(str(part) for part in (self.step, self.task, self.target) if part)
        label = " ".join(part for part in (f"record {self.seq}", self.run, self.kind, what, self.at) if part)
        return f"{label}: {self.message}"


class Head(NamedTuple):
    """The head of the chain as a report bears it: the first digits of the hash, and its record's number (0: unsaid)."""

    digits: str
    record: int = 0


def parse_head(text: str) -> Head:
    """Given a head as printed on a report (the hash, or SHORTEST_HEAD digits of it at least; maybe NUMBER: before it),
    return it. Raise Refused when it is none.
    """
    number, colon, digits = "".join(text.split()).lower().rpartition(":")
    numbered = number.isascii() and number.isdigit() and len(number) < len(str(_MOST_RECORDS))
    if SHORTEST_HEAD <= len(digits) <= len(GENESIS) and set(digits) <= _HEX and (numbered or not colon):
        return Head(digits, int(number or 0))
    raise refuse("--head", f"'{text}' is no hash", f"copy {SHORTEST_HEAD} digits or more from the report")


def check_journal(
    connection: sqlite3.Connection, store: EvidenceStore, *, run: str | None = None, head: Head | None = None
) -> list[Fault]:
    """Given a journal opened for reading, recompute all of it and return what is wrong, by record.

    Evidence is checked of `run` only, if given; `head` must be in the chain.
    """
    connection.text_factory = lambda text: text.decode("utf-8", "surrogateescape")
    try:
        altered = sorted(_altered_definitions(connection), key=repr)  # a damaged name may be of any type
        faults = [Fault(0, _what_was_altered(kind, name)) for kind, name in altered]
        if any(kind != TRIGGER for kind, _ in altered):  # rows of an altered table cannot be read as they were meant
            return faults
        return [*faults, *_check_file(connection), *_check_rows(connection, store, run, head)]
    except UnicodeDecodeError:  # SQLite tells what is wrong in bytes of the damaged file
        return [Fault(0, "the file is damaged")]
    except sqlite3.DatabaseError as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF not in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            raise
        return [Fault(0, f"the file is damaged ({error})")]


def _check_rows(
    connection: sqlite3.Connection, store: EvidenceStore, run: str | None, head: Head | None
) -> list[Fault]:
    chain, answers = _ChainCheck(), AnswerCheck(store, _hashes(connection), _starts(connection))
    evidence = _EvidenceCheck(store, run, load_deletions(connection))
    seen, last = head is None or GENESIS.startswith(head.digits), 0
    for row in evidence.check(chain.check(_rows(connection))):
        seen, last = seen or _is_head(row, head), row.seq
        if run in (None, row.columns[0]):
            wrong = answers.look(row.seq, row.columns[2], row.body)
            evidence.faults += [_fault(row.seq, row.columns, message) for message in wrong]
    altered = {each.seq for each in chain.faults()}  # what such a record says of its evidence means nothing
    lacking = [each for each in evidence.faults if each.seq not in altered]
    found = sorted(chain.faults() + lacking, key=lambda each: each.seq)
    if head and not seen:
        found.insert(0, Fault(0, _why_not_there(head, last)))
    return found


def _is_head(row: Row, head: Head | None) -> bool:
    return head is not None and head.record in (0, row.seq) and row.hash.startswith(head.digits)


def _why_not_there(head: Head, last: int) -> str:
    """What became of the record that a report was made from; with its number, cutting and rebuilding can be told."""
    if not head.record:
        return f"no record has the hash {head.digits}: the journal was cut off or rebuilt, or it is another one"
    if last < head.record:
        return f"the journal ends at record {last}: what followed, up to record {head.record}, was cut off"
    return f"record {head.record} has not the hash {head.digits}: the journal was rebuilt, or it is another one"


class _ChainCheck:
    """Reads the rows of a journal in order and finds what was altered, removed or inserted."""

    def __init__(self) -> None:
        self._faults: dict[int, Fault] = {}
        self._recent: deque[tuple[int, str, Columns]] = deque([(0, GENESIS, ())], maxlen=_REMEMBERED)
        self._computed = GENESIS
        self._playbooks: dict[str, str] = {}

    def check(self, rows: Iterable[Row]) -> Iterator[Row]:
        """Check each row and hand it on, for whoever needs to look at it too."""
        for row in rows:
            self._check_row(row)
            yield row

    def faults(self) -> list[Fault]:
        """What was found, by record."""
        return [self._faults[seq] for seq in sorted(self._faults)]

    def _check_row(self, row: Row) -> None:
        if self._is_linked(row):
            self._check_columns(row)
        elif row.columns[2] == Kind.RUN_STARTED:
            self._playbooks[row.columns[0]] = row.columns[1]

    def _is_linked(self, row: Row) -> bool:
        last, stored, _ = self._recent[-1]
        follows = next((seq for seq, known, _ in reversed(self._recent) if link(known, row.body) == row.hash), None)
        complete = row.seq == last + 1
        whole = follows is not None or link(self._computed, row.body) == row.hash
        if not complete:
            self._missing(last + 1, row, moved=follows not in (None, last))
        elif not whole:
            self._add(row.seq, row.columns, "was altered, or does not follow the record before it")
        elif follows is not None and follows != last:
            self._inserted(after=follows)
        self._computed = row.hash if follows == last else link(stored, row.body)
        self._recent.append((row.seq, row.hash, row.columns))
        return whole

    def _check_columns(self, row: Row) -> None:
        try:
            body = json.loads(row.body)
            started = playbook_of(body)
            if started is not None:
                self._playbooks[body["run"]] = started
            # the run's first record, which names the playbook, may be what is missing
            playbook = self._playbooks.setdefault(body["run"], row.columns[1] if self._faults else "")
            expected = columns_of(body, playbook)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            self._add(row.seq, row.columns, f"is not a record of sop: {error!r}")
            return
        for name, actual, right in zip(COLUMNS, row.columns, expected, strict=True):
            if actual != right:
                self._add(row.seq, row.columns, f"column '{name}' was altered: it says {actual!r}, the body {right!r}")

    def _missing(self, first: int, row: Row, *, moved: bool) -> None:
        last = row.seq - 1
        if moved or last < first:
            self._add(row.seq, row.columns, "was moved, or is a copy of another record")
        if last >= first:
            self._add(first, (), "is missing" if first == last else f"is missing, and all to record {last}")

    def _inserted(self, *, after: int) -> None:
        for seq, _, columns in self._recent:
            if seq > after:
                self._add(seq, columns, "was inserted: the next record follows the one before it", replace=True)

    def _add(self, seq: int, columns: Columns, message: str, *, replace: bool = False) -> None:
        if replace or seq not in self._faults:
            self._faults[seq] = _fault(seq, columns, message)


def _fault(seq: int, columns: Columns, message: str) -> Fault:
    """Given a row's number and columns, return the fault with that message."""
    values = dict(zip(COLUMNS, columns, strict=False))
    texts = {name: str(values.get(name) or "") for name in ("run", "kind", "step", "task", "at")}
    return Fault(seq, message, target=values.get("target"), **texts)


class _EvidenceCheck:
    def __init__(self, store: EvidenceStore, run: str | None, deleted: Mapping[str, Deletion]) -> None:
        self.faults: list[Fault] = []
        self._deleted = deleted
        self._store = store
        self._run = run
        self._known: dict[Evidence, str | None] = {}

    def check(self, rows: Iterable[Row]) -> Iterator[Row]:
        for row in rows:
            if self._run in (None, row.columns[0]):
                self.faults += [_fault(row.seq, row.columns, message) for message in self._messages(row)]
            yield row

    def _messages(self, row: Row) -> Iterator[str]:
        for each in named_files(row.body):
            if each not in self._known:
                self._known[each] = self._store.verify(each)
            message = self._known[each]
            if message and not self._is_over(each.sha256, row):
                yield message

    def _is_over(self, sha256: str, row: Row) -> bool:
        """Whether a file that is missing was deleted by rule, after the last day that this record gave it."""
        deletion, until = self._deleted.get(sha256), ends_of(row.body).get(sha256)
        day_after = (deletion.at + AHEAD).date().isoformat() if deletion else ""
        return until is not None and until < day_after and not self._store.path(sha256).exists()


def _hashes(connection: sqlite3.Connection) -> Callable[[int], str]:
    """What gives the hash of a record by its number."""

    def find(seq: int) -> str:
        row = connection.execute("SELECT hash FROM events WHERE seq = ?", (seq,)).fetchone()
        return str(row[0]) if row else ""

    return find


def _starts(connection: sqlite3.Connection) -> Callable[[str], dict[str, Any]]:
    """What gives what a run said at its start, by its name."""

    def find(run: str) -> dict[str, Any]:
        row = connection.execute("SELECT body FROM events WHERE run = ? AND kind = 'run_started'", (run,)).fetchone()
        return dict(json.loads(row[0])["data"]) if row else {}

    return find


def _rows(connection: sqlite3.Connection) -> Iterator[Row]:
    for seq, digest, body, *columns in connection.execute(_ROWS):
        yield Row(seq, str(digest), tuple(columns), str(body))


def _check_file(connection: sqlite3.Connection) -> Iterator[Fault]:
    for (message,) in connection.execute("PRAGMA integrity_check(3)"):
        if message != "ok":
            yield Fault(0, f"the file is damaged ({message})")


def _altered_definitions(connection: sqlite3.Connection) -> set[tuple[object, object]]:
    """What of a journal's form is not as it was made: (type, name)."""
    with closing(sqlite3.connect(":memory:")) as fresh:
        fresh.executescript(FORM.script_of(version_of(connection)))
        altered = _definitions(fresh) ^ _definitions(connection)
    return {(kind, name) for kind, name, _ in altered}


def _definitions(connection: sqlite3.Connection) -> set[tuple[object, object, object]]:
    return set(connection.execute("SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL"))


def _what_was_altered(kind: object, name: object) -> str:
    if kind == TRIGGER:
        return f"what keeps records from being changed was taken out or altered: {name!a}"
    return f"the table's definition was altered: {name!a}"
