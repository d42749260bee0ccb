"""Keys beside the record: made once, readable by those who keep the record, and never in the journal."""

from __future__ import annotations

import hashlib
import os
import secrets
import tempfile
from pathlib import Path

from runner.errors import RecordError
from runner.record.folder import disk_errors, make_folder, shared_bits, sync

KEY_BYTES = 32


def load_key(records: Path, name: str) -> bytes:
    """Given a records folder and what the key is for, return it; the first time it is made.

    Raise RecordError when it cannot be read or kept, or when others may read it.
    """
    path = _place(records, name)
    make_folder(records)
    make_folder(path.parent)
    with disk_errors(path):
        if not path.exists():
            _make(path)
    return _read(path)


def find_key(records: Path, name: str) -> bytes | None:
    """Like `load_key`, but make none: None where there is none yet."""
    path = _place(records, name)
    return _read(path) if path.exists() else None


def _place(records: Path, name: str) -> Path:
    return records / "keys" / f"{hashlib.sha256(name.encode()).hexdigest()[:32]}.key"


def _read(path: Path) -> bytes:
    with disk_errors(path):
        if path.stat().st_mode & 0o077 & ~shared_bits(path.parent):
            raise RecordError(f"{path}: others may read this key. run: chmod 600 '{path}'")
        key = path.read_bytes()
    if len(key) != KEY_BYTES:
        raise RecordError(f"{path}: this is no key. put the right one back, or remove it to have a new one made")
    return key


def _make(path: Path) -> None:
    """Write a new key, whole, unless another process was faster. Raise OSError."""
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".", delete=False) as file:
        try:
            file.write(secrets.token_bytes(KEY_BYTES))
            file.flush()
            os.fchmod(file.fileno(), 0o600 | shared_bits(path.parent) & 0o040)
            os.fsync(file.fileno())
            os.link(file.name, path)
        except FileExistsError:
            pass
        finally:
            Path(file.name).unlink()
    sync(path.parent)
