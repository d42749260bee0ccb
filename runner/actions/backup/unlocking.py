"""Reads the files of an encrypted set with the key that a person gives: decrypted on the way, never onto a disk.

The key is the content of an identity file as age-keygen writes it, or the secret key from the sealed envelope.
"""

from __future__ import annotations

import errno
import io
import os
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Thread
from typing import Any, BinaryIO, cast

from runner.actions.backup.content import PIECE
from runner.actions.backup.manifest import AGE
from runner.contract import JsonSchema
from runner.errors import Failed
from runner.secrets import SecretReference, resolve_secret

LONGEST_KEYS = 20
_BLOCKS_KEPT = 3
KEY: Mapping[str, JsonSchema] = {
    "key_file": {
        "description": "For an encrypted set: path, on this machine, of the file with a secret key of age, as "
        "age-keygen or ssh-keygen writes it; nobody else may read that file, and nothing of it is kept",
        "type": "string",
        "optional": True,
        "examples": ["~/kunci.txt"],
    },
    "key": {
        "description": "The secret key itself, such as the one from the sealed envelope, instead of `key_file`",
        "type": "string",
        "optional": True,
        "secret": True,
        "examples": ["{{ secret('backup_key') }}"],
    },
}


class NotDecrypted(OSError):
    """A file does not decrypt to its end: it was altered, or cut off."""

    def __init__(self, path: Path) -> None:
        super().__init__(errno.EIO, "it does not decrypt: it was altered or cut off", str(path))


def read_keys(inputs: Mapping[str, Any]) -> tuple[Any, ...]:
    """Given a call's inputs (see KEY), return the keys in them, none where none is given. Raise Failed; what was given
    is never said."""
    place, text = str(inputs.get("key_file") or ""), str(inputs.get("key") or "")
    if place:
        text = resolve_secret("key_file", SecretReference("file", (place,)))
    return _parse_keys(text) if text.strip() else ()


def open_stored(path: Path, keys: Sequence[Any] = ()) -> BinaryIO:
    """Given a file of a set, open its content; one that is encrypted can only be read forward.

    Raise OSError; Failed where no key is given for it, or none that fits.
    """
    if path.suffix != AGE:
        return path.open("rb")
    if not keys:
        raise locked(path.parent.name)
    return cast("BinaryIO", _Unlocked(path, keys))


def locked(name: str) -> Failed:
    """Given the name of an encrypted set, return the error to raise where nobody gave a key."""
    return Failed(
        f"{name}: it is encrypted, so it cannot be read without a key. give one by key_file, or restore it as its "
        "PULIHKAN.txt says"
    )


def _parse_keys(text: str) -> tuple[Any, ...]:
    try:
        import pyrage
    except ImportError:
        raise Failed("reading an encrypted set needs pyrage. run: pip install 'sop-runner[age]'") from None
    try:
        if "PRIVATE KEY-----" in text:
            return (pyrage.ssh.Identity.from_buffer(text.strip().encode() + b"\n"),)
        lines = [line.strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
        if 0 < len(lines) <= LONGEST_KEYS:
            return tuple(pyrage.x25519.Identity.from_str(line) for line in lines)
    except pyrage.IdentityError:
        pass
    raise Failed("the key given is no secret key of age (AGE-SECRET-KEY-1…). give the file that age-keygen wrote")


class _Unlocked(io.RawIOBase):
    """The content of an encrypted file, decrypted by a thread as far as it is read; one can go back a little."""

    def __init__(self, path: Path, keys: Sequence[Any]) -> None:
        self._path = path
        self._fault: Exception | None = None
        self._at = self._end = 0
        self._blocks: deque[tuple[int, bytes]] = deque(maxlen=_BLOCKS_KEPT)
        stored = path.open("rb")
        read_end, write_end = os.pipe()
        self._plain = os.fdopen(read_end, "rb", buffering=PIECE)
        self._thread = Thread(target=self._decrypt, args=(stored, write_end, keys), name="decrypting", daemon=True)
        self._thread.start()

    def _decrypt(self, stored: BinaryIO, write_end: int, keys: Sequence[Any]) -> None:
        import pyrage

        try:
            with stored, os.fdopen(write_end, "wb", buffering=PIECE) as pipe:
                pyrage.decrypt_io(stored, pipe, list(keys))
        except (OSError, ValueError, pyrage.DecryptError) as error:
            self._fault = error

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Forward, and back by what a reader may have read too much."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read some bytes, none at the end. Raise NotDecrypted, Failed where no key fits."""
        while self._at >= self._end:
            if not self._fetch():
                return 0
        start, block = next(each for each in reversed(self._blocks) if each[0] <= self._at)
        some = memoryview(block)[self._at - start :][: len(buffer)]
        buffer[: len(some)] = some
        self._at += len(some)
        return len(some)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go on elsewhere. Raise UnsupportedOperation where that is too far back."""
        target = offset + (self._at if whence == os.SEEK_CUR else 0)
        if whence == os.SEEK_END or target < (self._blocks[0][0] if self._blocks else 0):
            raise io.UnsupportedOperation("an encrypted file is read forward only")
        self._at = target
        return target

    def tell(self) -> int:
        """Where the next byte is read."""
        return self._at

    def close(self) -> None:
        """Let go of it; a thread that still decrypts ends at its next write."""
        if not self.closed:
            self._plain.close()
            self._thread.join()
        super().close()

    def _fetch(self) -> bool:
        block = self._plain.read(PIECE)
        if block:
            self._blocks.append((self._end, block))
            self._end += len(block)
            return True
        self._thread.join()
        if self._fault:
            raise self._explain(self._fault)
        return False

    def _explain(self, fault: Exception) -> Exception:
        if "No matching keys" in str(fault):
            return Failed(f"{self._path.parent.name}: the key given does not open it. give one of those it is for")
        return NotDecrypted(self._path)
