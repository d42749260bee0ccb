"""What a channel's server said to one try, and whether another one makes sense."""

from __future__ import annotations

import math
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from runner.actions.web.faults import Cause, VisitError
from runner.durations import Deadline
from runner.notices import Letter

LONGEST_WAIT = 86400.0


class Status(StrEnum):
    """How a try ended. Kept as words."""

    SENT = "sent"
    DEFERRED = "deferred"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Answer:
    """How one try ended, in the server's words or ours; `id` is the message's there.

    What is deferred is tried again as long as there is time, but not within `wait` seconds. What is not `final` is
    tried again a few times.
    """

    status: Status
    words: str
    id: str = ""
    wait: float = 0.0
    final: bool = True


@dataclass(frozen=True, slots=True)
class Way:
    """A kind of channel: how it sends, given its settings with secrets filled in, and whether each person gets a
    letter of their own there; then `address` names the key of the person that holds the address.
    """

    send: Callable[[Mapping[str, Any], Letter, Deadline], Answer]
    personal: Callable[[Mapping[str, Any]], bool]
    address: str = ""


def sent(words: str, identity: str = "") -> Answer:
    """The answer of a server that took the message."""
    return Answer(Status.SENT, words, identity)


def refused(words: str) -> Answer:
    """The answer that will not change."""
    return Answer(Status.FAILED, words)


def hindered(words: str) -> Answer:
    """The answer that another try may change."""
    return Answer(Status.FAILED, words, final=False)


def deferred(words: str, wait: object = 0.0) -> Answer:
    """The answer of a server that asks for later; `wait` is what it said in seconds, whatever it said."""
    return Answer(Status.DEFERRED, words, wait=parse_wait(wait), final=False)


def unreached(error: VisitError) -> Answer:
    """Given why there is no connection, return the answer: what TLS itself refuses will not change by itself."""
    strict = error.fault.cause is Cause.TLS and isinstance(error.__cause__, ssl.SSLError)
    lost = isinstance(error.__cause__, ssl.SSLEOFError)
    return (refused if strict and not lost else hindered)(error.fault.message)


def parse_wait(value: object) -> float:
    """Given seconds as a server wrote them, return them, at most a day; 0 for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return 0.0
    try:
        seconds = float(value if not isinstance(value, str) else value[:20])
    except (ValueError, OverflowError):
        return 0.0
    return min(max(seconds, 0.0), LONGEST_WAIT) if math.isfinite(seconds) else 0.0
