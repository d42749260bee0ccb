"""What was learned about a domain, from whichever source, and why nothing was."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum


class Cause(StrEnum):
    """Why a source told nothing. Kept as words."""

    THROTTLED = "throttled"
    REFUSED = "refused"
    SILENT = "silent"
    UNREACHABLE = "unreachable"
    UNREADABLE = "unreadable"
    SIZE = "size"
    NO_SOURCE = "no_source"
    CONTRADICTORY = "contradictory"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one answer says. `registered` is None where it does not surely say it; then `cause` and `reason` tell why.

    `wait` is how many seconds the source asks to be left alone. `dnssec` is None where nothing is said of it.
    """

    registered: bool | None
    expires: date | None = None
    created: date | None = None
    registrar: str = ""
    statuses: tuple[str, ...] = ()
    name_servers: tuple[str, ...] = ()
    dnssec: bool | None = None
    cause: Cause | None = None
    reason: str = ""
    wait: float | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """What asking one source brought: the finding, the raw answer (b"" without one) and who answered."""

    source: str
    server: str
    finding: Finding
    raw: bytes = b""
    media_type: str = field(default="text/plain")


def unknown(cause: Cause, reason: str, wait: float | None = None) -> Finding:
    """Given why, return the finding that tells nothing."""
    return Finding(None, cause=cause, reason=reason, wait=wait)
