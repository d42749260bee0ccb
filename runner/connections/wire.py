"""A channel of an SSH connection whose every wait has an end."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from runner.durations import Deadline

if TYPE_CHECKING:
    import paramiko

MOST_AT_ONCE = 1 << 21  # more needs more memory; with less, paramiko moves what is left of its buffer more often
PIECE = 32 * 1024  # as much as a packet carries
STALL = 0.02

Feeds = tuple[Callable[[bytes], None], Callable[[bytes], None]]


class WireBroken(Exception):
    """The connection below a channel is gone."""


class NoSession(WireBroken):
    """The server allows no further channel on this connection (MaxSessions)."""


class _Bell(threading.Event):
    """Rings when either stream has something. Their own `clear` is ignored: one of two may still hold data."""

    def clear(self) -> None:
        """Do nothing: it is a stream that asks."""

    def rest(self) -> None:
        """Stop ringing."""
        super().clear()


class Wire:
    """One channel: send bytes, take what came on stdout and stderr, wait for more. For one thread at a time."""

    def __init__(self, channel: paramiko.Channel) -> None:
        self._channel = channel
        self._bell = _Bell()
        channel.in_buffer.set_event(self._bell)
        channel.in_stderr_buffer.set_event(self._bell)

    def start(self, line: str, deadline: Deadline) -> None:
        """Have the server run `line`. Raise WireBroken when it refuses, TimeoutError when it does not answer."""
        self._ask(self._channel.exec_command, line, deadline)

    def start_subsystem(self, name: str, deadline: Deadline) -> None:
        """Have the server run a subsystem. Raise as `start` does."""
        self._ask(self._channel.invoke_subsystem, name, deadline)

    def _ask(self, ask: Callable[[str], None], what: str, deadline: Deadline) -> None:
        # paramiko waits for the answer without an end of its own; closing the channel ends that wait.
        alarm = threading.Timer(deadline.remaining(), self._channel.close)
        alarm.daemon = True
        alarm.start()
        try:
            ask(what)
        except Exception as error:  # paramiko raises here whatever ended its thread
            if deadline.passed:
                raise TimeoutError from error
            raise WireBroken(f"the server does not start a command: {error}") from error
        finally:
            alarm.cancel()

    def send(self, data: bytes, deadline: Deadline, feeds: Feeds | None = None) -> None:
        """Send all of `data`, and hand over meanwhile what comes: a command that answers while it reads would else wait
        for us, as we for it. What nobody is there to read any more is dropped. Raise TimeoutError when the server does
        not take it before the deadline."""
        start = 0
        try:
            while start < len(data):
                start += self._send_some(data[start : start + PIECE], deadline)
                if feeds and start < len(data):
                    self._pump(feeds)
        except TimeoutError:
            raise
        except (OSError, EOFError) as error:
            if not (self.alive and self.at_end):
                raise WireBroken("the connection broke while sending") from error

    def _send_some(self, data: bytes, deadline: Deadline) -> int:
        """Send what the server takes just now, which may be nothing; return how much. Raise TimeoutError."""
        self._channel.settimeout(min(STALL, max(0.01, deadline.remaining())))
        try:
            return self._channel.send(data)
        except TimeoutError:
            if deadline.passed:
                raise
            return 0

    def finish_sending(self) -> None:
        """Close the server's end of stdin."""
        try:
            self._channel.shutdown_write()
        except (OSError, EOFError) as error:
            raise WireBroken("the connection broke while sending") from error

    def pump_until(self, done: Callable[[], bool], feeds: Feeds, deadline: Deadline, *, gathering: float = 0.0) -> bool:
        """Hand over what comes on stdout and stderr until `done`; False when the channel or the time ends before.

        For so many seconds it is let gather: each taking has paramiko's thread and this one wait for each other.
        """
        while not done():
            more = self._pump(feeds)
            if done():
                return True
            if not more or not self._bell.wait(deadline.remaining()):
                return False
            if gathering:
                time.sleep(gathering)
        return True

    def _pump(self, feeds: Feeds) -> bool:
        """Hand over what has come so far; return whether more may come."""
        self._bell.rest()
        more = not self.at_end
        while self._channel.recv_ready():
            feeds[0](self._channel.recv(MOST_AT_ONCE))
        while self._channel.recv_stderr_ready():
            feeds[1](self._channel.recv_stderr(MOST_AT_ONCE))
        return more

    @property
    def at_end(self) -> bool:
        """Whether the channel carries nothing more."""
        return bool(self._channel.closed or self._channel.eof_received)

    @property
    def alive(self) -> bool:
        """Whether the connection below still stands."""
        transport = self._channel.get_transport()
        return bool(transport and transport.is_active())

    def exit_code(self, seconds: float) -> int | None:
        """Wait for how the command ended; None when a signal ended it, and when nobody knows."""
        self._channel.status_event.wait(seconds)
        code = self._channel.exit_status
        return code if code >= 0 else None

    def close(self) -> None:
        """Close the channel. The server's side sees the end of its stdin."""
        try:
            self._channel.close()
        except (OSError, EOFError):
            return
