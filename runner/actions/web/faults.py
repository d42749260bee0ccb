"""What goes wrong between us and a website, as data."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Cause(StrEnum):
    """Where a visit failed. Kept as words."""

    NAME = "name"
    CONNECT = "connect"
    TLS = "tls"
    TIME = "time"
    BROKEN = "broken"
    SIZE = "size"
    REDIRECT = "redirect"
    ELSEWHERE = "elsewhere"
    STATUS = "status"
    HEADER = "header"
    CONTENT = "content"
    PAGE = "page"
    OWN_NETWORK = "own_network"


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a visit failed, in words for people; `ours` when it tells about our own network, not about the site."""

    cause: Cause
    message: str
    ours: bool = False


class VisitError(Exception):
    """Carries a fault up to the function that makes it part of an answer."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        super().__init__(fault.message)


def fail(cause: Cause, message: str, *, ours: bool = False) -> VisitError:
    """Given a cause and words, return the error to raise."""
    return VisitError(Fault(cause, message, ours))
