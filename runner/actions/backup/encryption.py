"""Encrypts the files of a set to age recipients, of whom one is the recovery key that lies sealed in an envelope."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from runner.actions.backup.manifest import AGE, Piece
from runner.actions.backup.storage import FULL
from runner.errors import Failed

LISTS = ".lists"


def check_recipients(inputs: Mapping[str, Any]) -> list[str]:
    """Given the inputs of a seal, return the recipients, the recovery key last; none where nothing is encrypted.

    Raise Failed where one is no recipient, or where the recovery key is missing or nobody's but theirs.
    """
    recipients, recovery = list(inputs.get("encrypt_to") or ()), inputs.get("recovery_key") or ""
    if not recipients and not recovery:
        return []
    if not recovery or not recipients:
        raise Failed(
            "encrypt_to and recovery_key go together: who loses the one key opens with the sealed one. give both"
        )
    if recovery in recipients:
        raise Failed(
            "recovery_key: it is one of encrypt_to. make a key of its own, print it, and seal it in an envelope"
        )
    for recipient in (*recipients, recovery):
        _recipient(recipient)
    return [*recipients, recovery]


def encrypt_piece(source: Path, piece: Piece, folder: Path, recipients: Sequence[str]) -> Piece:
    """Given where a file of a set lies, write it encrypted into a folder; return the piece as it is there. Raise
    Failed, OSError."""
    import pyrage

    target = folder / (piece.file + AGE)
    with source.open("rb") as plain, target.open("wb") as file:
        sink = _Sink(file)
        try:
            pyrage.encrypt_io(plain, sink, [_recipient(each) for each in recipients])
        except (OSError, pyrage.EncryptError) as error:
            raise _explain(target, error) from None
        file.flush()
        os.fsync(file.fileno())
    digest = sink.digest.hexdigest()
    part = {**piece.part, "file": target.name, "sha256": digest, "bytes": sink.size} if piece.part else None
    return Piece(target, target.name, digest, sink.size, part)


def keep_list(parts: Sequence[Mapping[str, Any]], sealed: Path) -> None:
    """Keep the list of files of a full set beside the sets, for the increments on it: in the set it is encrypted."""
    part = next((part for part in parts if part["kind"] == "files" and not part.get("parent")), None)
    if part:
        kept = known_list(sealed)
        kept.parent.mkdir(mode=0o700, exist_ok=True)
        shutil.copyfile(Path(part["path"]) / part["list"]["file"], kept)


def known_list(sealed: Path) -> Path:
    """Where the list of files of an encrypted set is kept on this machine."""
    return sealed.parent / LISTS / f"{sealed.name}.jsonl.zst"


class _Sink:
    """A file that is hashed while it is written."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.digest = hashlib.sha256()
        self.size = 0

    def write(self, data: bytes) -> int:
        """Write bytes."""
        self._file.write(data)
        self.digest.update(data)
        self.size += len(data)
        return len(data)

    def flush(self) -> None:
        """Have them written."""
        self._file.flush()


def _recipient(text: str) -> Any:
    """A recipient as age-keygen (age1…) or ssh-keygen (ssh-ed25519 …) writes it."""
    try:
        import pyrage
    except ImportError:
        raise Failed("encryption needs pyrage. run: pip install 'sop-runner[age]'") from None
    try:
        kind = pyrage.ssh if text.startswith("ssh-") else pyrage.x25519
        return kind.Recipient.from_str(text)
    except pyrage.RecipientError as error:
        raise Failed(f"'{text[:80]}' is no age recipient ({error}). make one with age-keygen: age1…") from None


def _explain(target: Path, error: Exception) -> Failed:
    number = error.errno if isinstance(error, OSError) else None
    if number in FULL or "os error 28" in str(error):
        return Failed(f"{target.parent}: the disk is full. make room, then run the task again")
    return Failed(f"{target}: cannot be written: {error}. check the disk")
