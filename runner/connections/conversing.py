"""Two-way talk with a subsystem of an SSH server, such as its SFTP."""

from __future__ import annotations

from runner.connections.wire import Wire, WireBroken
from runner.durations import Deadline
from runner.errors import TimeUp, Unreachable


class WireConversation:
    """A channel to a subsystem."""

    def __init__(self, wire: Wire, place: str) -> None:
        self._wire = wire
        self._place = place

    def send(self, data: bytes, deadline: Deadline) -> None:
        """Send all of the data. Raise Unreachable or TimeUp."""
        try:
            self._wire.send(data, deadline)
        except TimeoutError:
            raise TimeUp(f"{self._place}: time is up") from None
        except WireBroken as error:
            raise Unreachable(f"{self._place}: {error}. try again") from error

    def receive(self, deadline: Deadline) -> bytes:
        """Return what comes next. Raise Unreachable when the other side has ended it, or TimeUp."""
        pieces: list[bytes] = []
        if self._wire.pump_until(lambda: bool(pieces), (pieces.append, lambda piece: None), deadline):
            return b"".join(pieces)
        if deadline.passed:
            raise TimeUp(f"{self._place}: time is up")
        raise Unreachable(f"{self._place}: the connection broke. try again")

    def close(self) -> None:
        """Close the channel."""
        self._wire.close()
