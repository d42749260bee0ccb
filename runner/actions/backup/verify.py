"""Reads a stored part again: its bytes are those that were written, and they are still a whole copy."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from runner.actions.backup.content import Readable, inspect_sql, inspect_sqlite
from runner.actions.backup.entries import inspect_tar
from runner.actions.backup.manifest import Piece
from runner.actions.backup.memory import open_from_disk, read_pieces
from runner.actions.backup.pgsql import inspect_pgsql
from runner.actions.backup.plain import Hashed, plain_content
from runner.actions.backup.reading_back import was_read_back
from runner.actions.backup.verdict import spoilt_bytes, spoilt_file
from runner.durations import Deadline
from runner.errors import Failed

_DUMPS = {"sql": inspect_sql, "pgsql": inspect_pgsql}


def verify_part(path: Path, part: Mapping[str, Any], sets: Path, deadline: Deadline, keys: Sequence[Any] = ()) -> None:
    """Given where a part lies, the folder of its target's sets, and keys where it is encrypted, hold it against what
    was recorded of it.

    Raise NotAccepted, Failed or TimeUp.
    """
    try:
        if path.stat().st_size != part["bytes"] or hash_file(path, deadline) != part["sha256"]:
            raise spoilt_bytes(path)
        with plain_content(path, part, sets, deadline, keys) as plain:
            _check_content(path, part, plain)
    except FileNotFoundError:
        raise spoilt_file(path, "berkasnya tidak ada", "the file is not there") from None
    except OSError as error:
        raise Failed(f"{path}: cannot be read: {error.strerror}. check the disk") from None


def verify_piece(path: Path, piece: Piece, sets: Path, deadline: Deadline) -> None:
    """Given where a file of a set lies, read it from the disk and hold it against what was written.

    Raise NotAccepted, Failed or TimeUp.

    Of a volume, which was read member by member as it came, the bytes count; what was read back while it was written is
    read once more where anything has touched it since. A dump is read for its end mark too.
    """
    if piece.part and piece.part["kind"] == "database":
        verify_part(path, piece.part, sets, deadline)
    elif not was_read_back(path, piece.sha256):
        check_bytes(path, piece, deadline)


def check_bytes(path: Path, piece: Piece, deadline: Deadline) -> None:
    """Read a file of a set from the disk and hold its bytes against those written. Raise as `verify_piece` does."""
    try:
        if path.stat().st_size != piece.bytes or hash_file(path, deadline, from_disk=True) != piece.sha256:
            raise spoilt_bytes(path)
    except FileNotFoundError:
        raise spoilt_file(path, "berkasnya tidak ada", "the file is not there") from None
    except OSError as error:
        raise Failed(f"{path}: cannot be read: {error.strerror}. check the disk") from None


def hash_file(path: Path, deadline: Deadline, *, from_disk: bool = False) -> str:
    """Given a file, return its SHA-256 (hex); `from_disk` not of what the system still has of it in memory. Raise
    OSError or TimeUp."""
    digest = hashlib.sha256()
    with open_from_disk(path) if from_disk else path.open("rb") as file:
        for piece in read_pieces(file, deadline):
            digest.update(piece)
    return digest.hexdigest()


def _check_content(path: Path, part: Mapping[str, Any], stream: Readable) -> None:
    plain = Hashed(stream)
    if part["format"] == "tar":
        archive = inspect_tar(plain)
        size, whole = archive.size, archive.complete and archive.entries == part["entries"]
    elif part["format"] in _DUMPS:
        dump = _DUMPS[part["format"]](plain)
        size, whole = dump.size, dump.complete and sorted(dump.tables) == sorted(part["tables"])
    else:
        database = inspect_sqlite(plain)
        size, whole = database.size, database.complete
    same = plain.sha256 == part.get("content_sha256", plain.sha256)
    if size != part["content_bytes"] or not (whole and same):
        raise spoilt_file(path, "isinya tidak lengkap", "its content is not whole")
