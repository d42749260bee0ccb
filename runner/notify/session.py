"""smtplib's session over a socket that keeps one deadline and reads a bounded amount."""

from __future__ import annotations

import io
import re
import smtplib
import socket
from typing import Any

from runner.durations import Deadline

LARGEST_TALK = 64 * 1024  # bytes that a server may say in one session

_HOST_NAME = re.compile(r"(?=.{4,253}\Z)[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})+\Z")


class Session(smtplib.SMTP):
    """smtplib that opens nothing itself: its own timeout begins anew with every byte."""

    line: Line

    def __init__(self, plug: socket.socket, deadline: Deadline) -> None:
        super().__init__(local_hostname=own_name(plug))  # named, because smtplib would look it up without a limit
        self._deadline = deadline
        self.take(plug)

    def take(self, plug: socket.socket) -> None:
        """Go on over this socket, and forget what was said before."""
        self.line = Line(plug, self._deadline)
        self.sock = self.line  # type: ignore[assignment]  # it calls sendall, makefile and close only
        self.file = None
        self.helo_resp = self.ehlo_resp = None
        self.esmtp_features = {}
        self.does_esmtp = False


class Line:
    """What smtplib needs of a socket, under a deadline."""

    def __init__(self, plug: socket.socket, deadline: Deadline) -> None:
        self.deadline = deadline
        self.full = False
        self._plug = plug
        self._left = LARGEST_TALK

    def sendall(self, data: bytes) -> None:
        """Send all of it. Raise TimeoutError when the deadline passes."""
        self._arm()
        self._plug.sendall(data)

    def makefile(self, mode: str) -> io.BufferedReader:
        """The file that smtplib reads lines from."""
        return io.BufferedReader(_Reader(self))

    def receive(self, buffer: Any) -> int:
        """Read into a buffer. Raise TimeoutError, or OSError when the server has said too much."""
        self._arm()
        count = self._plug.recv_into(buffer, min(len(buffer), self._left))
        self._left -= count
        self.full = self._left <= 0
        if self.full:
            raise OSError("the server says too much")
        return count

    def close(self) -> None:
        """Close the socket."""
        self._plug.close()

    def _arm(self) -> None:
        left = self.deadline.remaining()
        if left <= 0:
            raise TimeoutError
        self._plug.settimeout(left)


class _Reader(io.RawIOBase):
    """The file of a line."""

    def __init__(self, line: Line) -> None:
        self._line = line

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._line.receive(buffer)


def own_name(plug: socket.socket) -> str:
    """Given a connected socket, return what this machine calls itself in EHLO, without asking anybody."""
    name = socket.gethostname()
    if _HOST_NAME.match(name):
        return name
    address = str(plug.getsockname()[0])
    return f"[IPv6:{address.partition('%')[0]}]" if ":" in address else f"[{address}]"
