"""An export of the record: one zip file that an auditor checks without `sop`, with the steps written in it.

The same records give the same bytes: nothing in it says when it was made.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, NamedTuple
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from runner.contract import Evidence
from runner.errors import refuse
from runner.record.chain import GENESIS, link
from runner.record.deletions import Deletion, load_deletions
from runner.record.evidence import EvidenceStore
from runner.record.folder import disk_errors
from runner.record.reader import JournalReader
from runner.record.sources import named_files

_RECORDS = """
    SELECT e.seq, ifnull(p.hash, ?3), e.hash, e.body, e.run FROM events e NOT INDEXED
    LEFT JOIN events p ON p.seq = e.seq - 1 WHERE e.seq BETWEEN ?1 AND ?2 ORDER BY e.seq
"""
_OF_RUN = "SELECT seq FROM events WHERE run >= ?1 AND run < ?1 || '/' AND (run = ?1 OR run GLOB ?1 || '.*')"
_HERE = Path(__file__).parent
_EARLIEST = (1980, 1, 1, 0, 0, 0)  # before which zip knows no time


class Fault(NamedTuple):
    """What is wrong with the record that was exported: an altered record, or evidence that is not as it was."""

    record: int
    message: str


@dataclass(frozen=True, slots=True)
class Choice:
    """What to export: some runs (with those that they include), records from `first` to `last`, or, with neither, all.

    `words` say what was asked for.
    """

    runs: tuple[str, ...] = ()
    first: int = 1
    last: int = 0
    words: str = ""

    @property
    def whole(self) -> bool:
        """Whether that is the whole journal."""
        return not self.runs and not self.last


@dataclass(slots=True)
class Exported:
    """What was exported: how many records and files, and what was found to be wrong on the way."""

    records: int = 0
    files: int = 0
    head: tuple[int, str] = (0, GENESIS)
    faults: list[Fault] = field(default_factory=list)


def export(journal: JournalReader, store: EvidenceStore, choice: Choice, out: Path) -> Exported:
    """Write the export to a file, whole or not at all. Raise Refused if it is there, RecordError if it cannot be."""
    if out.exists() or out.is_symlink():
        raise refuse(str(out), "is there already", "name a new file with --out")
    partial = out.with_name(f".{out.name}.partial")
    try:
        with disk_errors(out), os.fdopen(os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
            found = _write(journal, store, choice, file)
            file.flush()
            os.fsync(file.fileno())
        with disk_errors(out):
            partial.rename(out)
        return found
    finally:
        partial.unlink(missing_ok=True)


def _write(journal: JournalReader, store: EvidenceStore, choice: Choice, file: IO[bytes]) -> Exported:
    found = Exported()
    with journal.reading() as connection, ZipFile(file, "w", ZIP_DEFLATED) as archive:
        connection.execute("BEGIN")  # all of it as of one moment
        connection.text_factory = lambda text: text.decode("utf-8", "surrogateescape")
        found.head, at = _head(connection)
        package = _Package(archive, f"sop-export-{found.head[1][:12]}", at)
        named = package.add_journal(_chosen(connection, choice), found)
        deleted = load_deletions(connection)
        over = [each for each in named if each.sha256 in deleted and not store.path(each.sha256).exists()]
        there = [each for each in named if each not in over]
        lost = [message for each in there if (message := package.add_evidence(each, store, found))]
        gone = [deleted[each.sha256] for each in over]
        package.add_text("export.json", json.dumps(_manifest(choice, found, lost, gone), indent=1) + "\n")
        package.add_text("BACA-SAYA.txt", _readme(choice, lost, gone))
        package.add_text("verify.py", (_HERE / "standalone.py").read_text("utf-8"))
        package.add_text("SHA256SUMS", "".join(f"{digest}  {name}\n" for name, digest in package.sums.items()))
    return found


def _head(connection: sqlite3.Connection) -> tuple[tuple[int, str], datetime]:
    row = connection.execute("SELECT seq, hash, at FROM events ORDER BY seq DESC LIMIT 1").fetchone()
    if row is None:
        raise refuse("--records", "the journal is empty", "export it once something was run")
    return (int(row[0]), str(row[1])), datetime.fromisoformat(row[2]).astimezone(UTC)


def _chosen(connection: sqlite3.Connection, choice: Choice) -> Iterator[tuple[Any, ...]]:
    if not choice.runs:
        yield from connection.execute(_RECORDS, (choice.first, choice.last or 1 << 62, GENESIS))
        return
    seqs = sorted({seq for run in choice.runs for (seq,) in connection.execute(_OF_RUN, (run,))})
    for seq in seqs:
        yield from connection.execute(_RECORDS, (seq, seq, GENESIS))


class _Package:
    """The zip file as it is written; `sums` has the SHA-256 of each file in it."""

    def __init__(self, archive: ZipFile, folder: str, at: datetime) -> None:
        self._archive = archive
        self._folder = folder
        self._at = max(at.timetuple()[:6], _EARLIEST)
        self.sums: dict[str, str] = {}

    def add_journal(self, rows: Iterator[tuple[Any, ...]], found: Exported) -> list[Evidence]:
        """Add the records; return the files that they name, each once."""
        named: dict[str, Evidence] = {}
        with self._file("journal.jsonl") as (file, digest):
            for seq, previous, sha256, body, _ in rows:
                if link(previous, body) != sha256:
                    found.faults.append(Fault(seq, "was altered, or does not follow the record before it"))
                record = {"seq": seq, "previous": previous, "hash": sha256, "body": body}
                line = (json.dumps(record) + "\n").encode("ascii")
                file.write(line)
                digest.update(line)
                found.records += 1
                for each in named_files(body):
                    named.setdefault(each.sha256, each)
        return [named[sha256] for sha256 in sorted(named)]

    def add_evidence(self, evidence: Evidence, store: EvidenceStore, found: Exported) -> str:
        """Add a kept file; return what is wrong with it, "" where nothing is."""
        message = store.verify(evidence)
        if message:
            found.faults.append(Fault(0, message))
            return f"{evidence.sha256} {evidence.name}"
        name = f"evidence/{evidence.sha256[:2]}/{evidence.sha256[2:]}"
        with store.open(evidence.sha256) as source, self._file(name) as (file, digest):
            shutil.copyfileobj(_Hashed(source, digest), file, 1 << 20)
        found.files += 1
        return ""

    def add_text(self, name: str, text: str) -> None:
        """Add a text."""
        with self._file(name) as (file, digest):
            file.write(text.encode())
            digest.update(text.encode())

    @contextmanager
    def _file(self, name: str) -> Iterator[tuple[IO[bytes], Any]]:
        info = ZipInfo(f"{self._folder}/{name}", self._at)
        info.compress_type = ZIP_DEFLATED
        info.external_attr = 0o600 << 16
        digest = hashlib.sha256()
        with self._archive.open(info, "w", force_zip64=True) as file:
            yield file, digest
        self.sums[name] = digest.hexdigest()


class _Hashed:
    """Reads from a file and hashes what is read."""

    def __init__(self, source: IO[bytes], digest: Any) -> None:
        self._source = source
        self._digest = digest

    def read(self, size: int = -1) -> bytes:
        piece = self._source.read(size)
        self._digest.update(piece)
        return piece


def _manifest(choice: Choice, found: Exported, lost: Sequence[str], gone: Sequence[Deletion]) -> dict[str, Any]:
    return {
        "whole": choice.whole,
        "asked": choice.words,
        "records": found.records,
        "head": {"record": found.head[0], "hash": found.head[1]},
        "evidence": {"files": found.files, "lost": list(lost), "deleted": {each.sha256: str(each) for each in gone}},
    }


def _readme(choice: Choice, lost: Sequence[str], gone: Sequence[Deletion]) -> str:
    text = (_HERE / "export-readme.txt").read_text("utf-8")
    scope_id = scope_en = ""
    if not choice.whole:
        scope_id = (
            f"\nPETIKAN: hanya {choice.words}.\nSetiap catatan di sini dapat dihitung ulang, tetapi rantai di antara "
            "bagian\nyang tidak ikut diekspor tidak. Untuk memeriksa seluruhnya, mintalah ekspor tanpa pembatasan."
        )
        scope_en = (
            f"\nAN EXCERPT: only {choice.words}.\nEach record here can be recomputed, the chain between what was "
            "left out cannot.\nTo check all of it, ask for an export without a limit."
        )
    lines = "".join(f"\n  {each}" for each in lost)
    lost_id = f"\nBUKTI YANG TIDAK DITEMUKAN ATAU TELAH BERUBAH KETIKA DIEKSPOR:{lines}" if lost else ""
    lost_en = f"\nEVIDENCE THAT WAS MISSING OR ALTERED WHEN THIS WAS EXPORTED:{lines}" if lost else ""
    listed = "".join(f"\n  {each}" for each in gone)
    if gone:
        lost_id += f"\nBUKTI BERISI DATA PRIBADI YANG TELAH DIHAPUS MENURUT MASA SIMPANNYA:{listed}"
        lost_en += f"\nEVIDENCE WITH PERSONAL DATA THAT WAS DELETED AT THE END OF ITS RETENTION:{listed}"
    text = text.format(scope_id=scope_id, scope_en=scope_en, lost_id=lost_id, lost_en=lost_en)
    return re.sub(r"\n{3,}", "\n\n", text).rstrip() + "\n"
