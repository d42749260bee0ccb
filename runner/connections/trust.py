"""Which host keys are known: known_hosts files read once, and the one that `sop inventory trust` writes."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from pathlib import Path

from runner.errors import Failed
from runner.files import write_whole

LARGEST_FILE = 16 * 1024 * 1024
USUAL_FILES = (Path("~/.ssh/known_hosts"), Path("/etc/ssh/ssh_known_hosts"))


class Verdict(StrEnum):
    """What known_hosts files say about a key that a server shows."""

    KNOWN = "known"
    UNKNOWN = "unknown"
    CHANGED = "changed"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class HostKey:
    """A server's public key. `host` is its name in known_hosts: "web1", or "[web1]:2222" on another port."""

    host: str
    kind: str
    key: str

    @property
    def fingerprint(self) -> str:
        """The SHA-256 fingerprint as ssh-keygen prints it."""
        digest = hashlib.sha256(base64.b64decode(self.key)).digest()
        return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")

    @property
    def line(self) -> str:
        """The key as a line of a known_hosts file."""
        return f"{self.host} {self.kind} {self.key}"


@dataclass(frozen=True, slots=True)
class _Entry:
    marker: str
    patterns: tuple[str, ...]
    kind: str
    key: str

    def names(self, host: str) -> bool:
        """Whether this entry is about `host`."""
        if any(p.startswith("!") and fnmatchcase(host, p[1:]) for p in self.patterns):
            return False
        return any(_matches(pattern, host) for pattern in self.patterns)


class KnownHosts:
    """The host keys of several known_hosts files, missing ones skipped. Raise Failed for one that is unreadable."""

    def __init__(self, files: Sequence[Path]) -> None:
        self._entries = tuple(entry for file in files for entry in _load_entries(file.expanduser()))

    def kinds(self, host: str) -> tuple[str, ...]:
        """The kinds of key that are known of `host`, so that the server can be asked for one of them."""
        return tuple(dict.fromkeys(entry.kind for entry in self._about(host) if not entry.marker))

    def judge(self, key: HostKey) -> Verdict:
        """Return what is known about the key that a server shows."""
        entries = self._about(key.host)
        if any(entry.marker == "@revoked" and entry.key == key.key for entry in entries):
            return Verdict.REVOKED
        plain = [entry for entry in entries if not entry.marker]
        if any(entry.key == key.key for entry in plain):
            return Verdict.KNOWN
        return Verdict.CHANGED if plain else Verdict.UNKNOWN

    def _about(self, host: str) -> list[_Entry]:
        return [entry for entry in self._entries if entry.names(host)]


def host_name(address: str, port: int) -> str:
    """Given where a server listens, return its name in known_hosts."""
    return address if port == 22 else f"[{address}]:{port}"


def parse_host_key(host: str, text: str) -> HostKey:
    """Given "type base64 [comment]", return the key. Raise ValueError if it is not one."""
    kind, key, *_ = [*text.split(), "", ""]
    if not kind or not key or not _is_base64(key):
        raise ValueError("not a public key. write it as in known_hosts: ssh-ed25519 AAAA…")
    return HostKey(host, kind, key)


def record_host_key(file: Path, key: HostKey) -> None:
    """Write a key that a person has agreed to into a known_hosts file, in place of older ones of that host."""
    file = file.expanduser()
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    old = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    kept = [line for line in old if line.split()[:1] != [key.host]]
    write_whole(file, "".join(f"{line}\n" for line in (*kept, key.line)).encode(), durable=True)


def _load_entries(file: Path) -> list[_Entry]:
    try:
        if file.stat().st_size > LARGEST_FILE:
            raise Failed(f"{file}: larger than {LARGEST_FILE} bytes. is it a known_hosts file?")
        text = file.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return []
    except OSError as error:
        raise Failed(f"{file}: cannot be read: {error.strerror}. correct its rights") from error
    return [entry for line in text.splitlines() if (entry := _parse_entry(line))]


def _parse_entry(line: str) -> _Entry | None:
    words = line.split()
    marker = words.pop(0) if words and words[0].startswith("@") else ""
    if len(words) < 3 or words[0].startswith("#"):
        return None
    return _Entry(marker, tuple(words[0].split(",")), words[1], words[2])


def _matches(pattern: str, host: str) -> bool:
    if pattern.startswith("|1|"):
        return _matches_hashed(pattern, host)
    return pattern == host or (("*" in pattern or "?" in pattern) and fnmatchcase(host, pattern.replace("[", "[[]")))


def _matches_hashed(pattern: str, host: str) -> bool:
    _, _, salt, digest = [*pattern.split("|"), "", ""][:4]
    if not _is_base64(salt) or not _is_base64(digest):
        return False
    found = hmac.new(base64.b64decode(salt), host.encode(), hashlib.sha1).digest()
    return hmac.compare_digest(found, base64.b64decode(digest))


def _is_base64(text: str) -> bool:
    try:
        base64.b64decode(text, validate=True)
    except ValueError:
        return False
    return bool(text)
