"""Evidence: kept files, named by their SHA-256, written once and whole.

`records/evidence/ab/cdef…` holds the content whose SHA-256 is `abcdef…`, readable by this user only and writable by
nobody. A file is complete, and on the disk, before it gets its name; what was cut off lies in `.partial` and goes.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO, cast

from runner.contract import Evidence
from runner.errors import Failed, RecordError
from runner.record.folder import disk_errors, make_folder, shared_bits, sync

LARGEST_EVIDENCE = 2 * 1024**3
_PIECE = 1024 * 1024
_FORGOTTEN_AFTER = 24 * 3600.0  # seconds without a write
_SHA256 = re.compile(r"[0-9a-f]{64}\Z")


class EvidenceStore:
    """The evidence below a records folder; `largest` bounds one file, in bytes. Safe for threads and processes."""

    def __init__(self, records: Path, *, largest: int = LARGEST_EVIDENCE) -> None:
        self._folder = records / "evidence"
        self._partial = self._folder / ".partial"
        self._largest = largest
        self._swept = False

    def keep(
        self, name: str, content: bytes | Path | BinaryIO, media_type: str = "application/octet-stream"
    ) -> Evidence:
        """Given bytes, the path of a file, or an open one, keep a copy and return its Evidence; on the disk when it
        returns.

        Content that is there already takes no more space. Raise Failed when the file cannot be read or is too
        large, RecordError when the copy cannot be written.
        """
        if isinstance(content, bytes):
            return self._keep_bytes(name, content, media_type)
        with _reading(name, content) if isinstance(content, Path) else nullcontext(content) as source:
            sha256, size = self._copy(name, source)
        return Evidence(name, sha256, size, media_type)

    def path(self, sha256: str) -> Path:
        """Given a SHA-256 in hex, return where that content lies, or would. Raise RecordError if it is none."""
        if not _SHA256.match(sha256):
            raise RecordError(f"{self._folder}: {sha256[:80]!r} is not a SHA-256. see 'sop verify'")
        return self._folder / sha256[:2] / sha256[2:]

    def open(self, sha256: str) -> BufferedReader:
        """Open kept content for reading. Raise RecordError when it is not there."""
        path = self.path(sha256)
        with disk_errors(path):
            return path.open("rb")

    def read(self, sha256: str, most: int) -> bytes:
        """Return kept content, unaltered. Raise Failed where it is not so, or larger than `most` bytes."""
        try:
            with self.open(sha256) as kept:
                content = kept.read(most + 1)
        except (RecordError, OSError) as error:
            raise Failed(f"evidence {sha256}: cannot be read: {error}. see 'sop verify'") from None
        if len(content) > most or hashlib.sha256(content).hexdigest() != sha256:
            raise Failed(f"evidence {sha256}: larger than {most} bytes, or altered. see 'sop verify'")
        return content

    def delete(self, sha256: str) -> None:
        """Delete kept content, for good, where it is there. Raise RecordError when that fails."""
        path = self.path(sha256)
        with disk_errors(path):
            path.unlink(missing_ok=True)
            if path.parent.is_dir():
                sync(path.parent)

    def verify(self, evidence: Evidence) -> str | None:
        """Return what is wrong with a kept file, in words; None when it is there and unaltered."""
        try:
            with self.open(evidence.sha256) as kept:
                found = hashlib.file_digest(kept, "sha256").hexdigest()
                size = kept.tell()
        except RecordError as error:
            return f"evidence '{evidence.name}' is missing or cannot be read: {error}"
        except OSError as error:
            return f"evidence '{evidence.name}' cannot be read: {error}"
        if found != evidence.sha256:
            return f"evidence '{evidence.name}' was altered: {self.path(evidence.sha256)}"
        if size != evidence.size:
            return f"evidence '{evidence.name}' has {size} bytes, recorded were {evidence.size}"
        return None

    def _keep_bytes(self, name: str, content: bytes, media_type: str) -> Evidence:
        sha256 = hashlib.sha256(content).hexdigest()
        if not self._has(sha256, len(content)):
            self._check_size(name, len(content))
            with self._writing() as copy:
                copy.write(content)
                self._install(copy, sha256)
        return Evidence(name, sha256, len(content), media_type)

    def _copy(self, name: str, source: BinaryIO) -> tuple[str, int]:
        digest, size = hashlib.sha256(), 0
        with self._writing() as copy:
            while piece := _read_piece(name, source):
                size += len(piece)
                self._check_size(name, size)
                digest.update(piece)
                copy.write(piece)
            if not self._has(digest.hexdigest(), size):
                self._install(copy, digest.hexdigest())
        return digest.hexdigest(), size

    def _has(self, sha256: str, size: int) -> bool:
        try:
            return self.path(sha256).stat().st_size == size
        except OSError:
            return False

    def _check_size(self, name: str, size: int) -> None:
        if size > self._largest:
            raise Failed(f"evidence '{name}': larger than {self._largest} bytes. keep a smaller file, or its summary")

    @contextmanager
    def _writing(self) -> Iterator[BinaryIO]:
        self._prepare()
        with disk_errors(self._folder), tempfile.NamedTemporaryFile(dir=self._partial, delete=False) as copy:
            try:
                yield cast(BinaryIO, copy)
            finally:
                Path(copy.name).unlink(missing_ok=True)

    def _install(self, copy: BinaryIO, sha256: str) -> None:
        copy.flush()
        os.fchmod(copy.fileno(), 0o400 | shared_bits(self._folder) & 0o040)
        os.fsync(copy.fileno())
        path = self.path(sha256)
        make_folder(path.parent)
        Path(copy.name).rename(path)
        sync(path.parent)

    def _prepare(self) -> None:
        if self._swept:
            return
        for folder in (self._folder.parent, self._folder, self._partial):
            make_folder(folder)
        with disk_errors(self._partial):
            for forgotten in self._partial.iterdir():
                _remove_if_forgotten(forgotten)
        self._swept = True


def _remove_if_forgotten(path: Path) -> None:
    try:
        if path.stat().st_mtime < time.time() - _FORGOTTEN_AFTER:
            path.unlink()
    except FileNotFoundError:  # another process was faster
        return


@contextmanager
def _reading(name: str, path: Path) -> Iterator[BinaryIO]:
    try:
        # without O_NONBLOCK a named pipe would wait for a writer that may never come
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except OSError as error:
        raise Failed(f"evidence '{name}': {path}: {error.strerror}. check the path") from error
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise Failed(f"evidence '{name}': {path}: not a plain file. keep a file, or a folder's archive")
    with os.fdopen(handle, "rb") as source:
        yield source


def _read_piece(name: str, source: BinaryIO) -> bytes:
    try:
        return source.read(_PIECE)
    except OSError as error:
        raise Failed(f"evidence '{name}': {source.name}: {error.strerror}. check the file") from error
