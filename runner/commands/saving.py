"""The kept files of a run, copied to where people can open them."""

from __future__ import annotations

import os
import re
from collections.abc import Collection
from pathlib import Path
from typing import IO

from runner.contract import Evidence
from runner.errors import RecordError
from runner.record.document import Record
from runner.record.evidence import EvidenceStore

_UNSAFE = re.compile(r"[^\w.-]+")
LONGEST_NAME = 120
RESTRICTED = ".restricted."  # in the names of files with personal data
NAMELESS = "file"


def save_evidence(record: Record, step: str, records: Path, folder: Path, deleted: Collection[str]) -> list[Path]:
    """Given a run and a step ("" for all), copy its kept files to `folder`/STEP/TARGET/NAME; return where they lie.

    What was `deleted` by rule (SHA-256) is left out. Earlier attempts stand in STEP-1, STEP-2. Raise RecordError where
    a file is missing, altered or not writable.
    """
    store = EvidenceStore(records)
    written: dict[Path, None] = {}
    for one in (*record.attempts, *record.steps):
        place = folder / (one.id if one in record.steps else f"{one.id}-{one.attempt}")
        kept = ((target, each) for target, task in one.tasks for each in task.outcome.evidence)
        for target, evidence in kept if step in ("", one.id) else ():
            if evidence.sha256 in deleted and not store.path(evidence.sha256).exists():
                continue
            path = _free(place / _name(target.target or "") / (_name(evidence.name) or NAMELESS), written)
            _copy(store, evidence, path)
            written[path] = None
    return list(written)


def _name(text: str) -> str:
    """Text from anywhere as a file's name that leads nowhere else."""
    return _UNSAFE.sub("_", text)[-LONGEST_NAME:].lstrip(".")


def _free(path: Path, taken: dict[Path, None]) -> Path:
    """The path, numbered where the run kept another file of that name there."""
    number, free = 2, path
    while free in taken:
        free, number = path.with_name(f"{path.stem}-{number}{path.suffix}"), number + 1
    return free


def _new(path: Path, private: bool) -> IO[bytes]:
    """Open a file to write; one with personal data for this user only."""
    path.unlink(missing_ok=True)
    return os.fdopen(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600 if private else 0o666), "wb")


def _copy(store: EvidenceStore, evidence: Evidence, path: Path) -> None:
    fault = store.verify(evidence)
    if fault:
        raise RecordError(f"{fault}. see 'sop verify'")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with store.open(evidence.sha256) as kept, _new(path, RESTRICTED in evidence.name) as copy:
            while piece := kept.read(1024 * 1024):
                copy.write(piece)
    except OSError as error:
        raise RecordError(f"{path}: cannot be written: {error.strerror}. name another folder with --save") from None
