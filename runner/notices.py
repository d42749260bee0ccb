"""Messages to people: what is asked for, the letters that this gives, and what became of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from runner.durations import Deadline


@dataclass(frozen=True, slots=True)
class Notice:
    """What to say: to people or roles of the inventory, over some of its channels (none named: all), by a template."""

    to: tuple[str, ...]
    template: str
    values: Mapping[str, Any] = field(default_factory=dict)
    channels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Letter:
    """One message on one channel, as plain text.

    `recipient` is a person's short name in the inventory, "" where the channel leads to all of them together; `names`
    are the full names. `address` is the person's on that channel. The same task of the same run gives the same `id`
    each time, so that a repeat can be recognised. With a `fault` the letter cannot go out.
    """

    channel: str
    recipient: str
    names: tuple[str, ...]
    address: str
    subject: str
    text: str
    id: str
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of a letter: "sent", "deferred" (the server asked for later), "failed" or "unknown" (it may have
    arrived). `answer` is what the server said, or what hindered, `id` what the message can be found by there.
    """

    channel: str
    recipient: str
    status: str
    attempts: int
    answer: str
    id: str


class Notifier(Protocol):
    """Writes to people of the inventory over its channels, and nowhere else. Hands out no secret."""

    def write(self, notice: Notice) -> Sequence[Letter]:
        """Given a notice, return its letters. Raise Failed for a recipient, channel or template that is not there."""

    def send(self, letters: Sequence[Letter], deadline: Deadline) -> Sequence[Delivery]:
        """Send letters and return what became of each, before the deadline. Never raises for what a channel does."""
