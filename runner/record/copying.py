"""A second copy of the record, on another disk: as of one moment, complete, and checked after it was written.

The journal is copied whole each time, evidence once. What `evidence.purge` deleted goes from the copy too. A copy that
knows records which the journal has not, or has otherwise, is never written over: then the journal is what was spoilt.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from runner.contract import Evidence
from runner.durations import Deadline
from runner.errors import Failed, TimeUp
from runner.record.chain import FORM, GENESIS
from runner.record.database import connect_to_read, database_errors
from runner.record.deletions import load_deletions
from runner.record.evidence import EvidenceStore
from runner.record.folder import gate, make_folder, sync
from runner.record.proof import check_journal
from runner.record.reader import JournalReader
from runner.record.sources import named_files

_JOURNAL = "journal.sqlite"
_MOST_TOLD = 5


class Copied(NamedTuple):
    """A copy: the number and hash of its last record, how many files of evidence it has, how many of them are new, and
    how many were deleted because the record says so."""

    record: int
    head: str
    files: int
    new_files: int
    deleted: int


def copy_record(journal: JournalReader, folder: Path, deadline: Deadline) -> Copied:
    """Bring the copy of a record in a folder up to this moment. Raise Failed where it cannot be whole, RecordError
    where it cannot be written, TimeUp."""
    records, place = journal.records.resolve(), folder.resolve()
    if records == place or records in place.parents or place in records.parents:
        raise Failed(f"{folder}: it lies with the record that it is to save. name a folder on another disk")
    make_folder(folder)
    with gate(folder):
        _check_past(journal, folder)
        _copy_journal(journal, folder)
        with closing(connect_to_read(folder / _JOURNAL, FORM)) as copy, database_errors(folder / _JOURNAL):
            files, new, deleted = _copy_evidence(copy, EvidenceStore(journal.records), EvidenceStore(folder), deadline)
            record, head = copy.execute("SELECT seq, hash FROM events ORDER BY seq DESC LIMIT 1").fetchone()
            faults = check_journal(copy, EvidenceStore(folder))
    if faults:
        told = "; ".join(map(str, faults[:_MOST_TOLD]))
        raise Failed(f"{folder}: the copy is not whole, as the record is not: {told}. see 'sop verify'")
    return Copied(int(record), str(head), files, new, deleted)


def _check_past(journal: JournalReader, folder: Path) -> None:
    """Raise Failed where the journal has not the last record that the earlier copy has."""
    path = folder / _JOURNAL
    if not path.exists():
        return
    with closing(connect_to_read(path, FORM)) as copy, database_errors(path):
        last = copy.execute("SELECT seq, hash FROM events ORDER BY seq DESC LIMIT 1").fetchone() or (0, GENESIS)
    with journal.reading() as connection:
        found = connection.execute("SELECT hash FROM events WHERE seq = ?", last[:1]).fetchone()
    if last[0] and (found is None or found[0] != last[1]):
        raise Failed(
            f"{folder}: the copy holds record {last[0]} with the hash {last[1][:12]}, which the journal has not: it "
            "was cut off or rebuilt, or it is another one. keep this copy, and name another folder"
        )


def _copy_journal(journal: JournalReader, folder: Path) -> None:
    """Copy the journal as of one moment, under another name until it is whole."""
    path = folder / _JOURNAL
    fresh = folder / f".{_JOURNAL}.new"
    with database_errors(path), journal.reading() as source:
        fresh.unlink(missing_ok=True)
        os.close(os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        with closing(sqlite3.connect(fresh)) as target:
            source.backup(target)
        for beside in ("-wal", "-shm"):  # of the earlier copy: what a log holds belongs to its own file
            path.with_name(path.name + beside).unlink(missing_ok=True)
        sync(fresh)
        fresh.rename(path)
        sync(folder)


def _copy_evidence(
    copy: sqlite3.Connection, source: EvidenceStore, target: EvidenceStore, deadline: Deadline
) -> tuple[int, int, int]:
    """Bring all named files to the copy, take away what was deleted; return how many there are, are new, and went."""
    bodies = copy.execute("SELECT body FROM events NOT INDEXED ORDER BY seq")
    named: dict[str, Evidence] = {each.sha256: each for (body,) in bodies for each in named_files(body)}
    deletions = load_deletions(copy)
    new = deleted = there = 0
    for sha256, each in named.items():
        if deadline.passed:
            raise TimeUp("the copy of the evidence took longer than its limit. run it again: it goes on")
        if sha256 in deletions and not source.path(sha256).exists():
            deleted += target.path(sha256).exists()
            target.delete(sha256)
        else:
            there += 1
            new += _copy_file(each, source, target)
    return there, new, deleted


def _copy_file(evidence: Evidence, source: EvidenceStore, target: EvidenceStore) -> bool:
    """Copy a file where the copy has it not unaltered; return whether that was so."""
    if target.verify(evidence) is None:
        return False
    if message := source.verify(evidence):
        raise Failed(f"{message}. see 'sop verify'")
    target.delete(evidence.sha256)
    target.keep(evidence.name, source.path(evidence.sha256), evidence.media_type)
    return True
