"""An account of this machine that may only use SFTP: the server's own program, and no shell."""

from __future__ import annotations

import select
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from runner.contract import Command, Result
from runner.durations import Deadline
from runner.errors import Unreachable
from tests.calls import LocalConnection

PLACES = ("/usr/lib/openssh", "/usr/libexec/openssh", "/usr/lib/ssh", "/usr/libexec")


class SftpHere(LocalConnection):
    """Talks with sftp-server; `on_send` is told the number of each sending before it goes out."""

    on_send: Callable[[int], None]
    talks: list[_Talk]

    def __init__(self, on_send: Callable[[int], None] = lambda number: None) -> None:
        object.__setattr__(self, "on_send", on_send)
        object.__setattr__(self, "talks", [])

    def run(self, command: Command, deadline: Deadline) -> Result:
        """There is no shell."""
        return Result(1, b"", b"This service allows sftp connections only.")

    def converse(self, subsystem: str, deadline: Deadline) -> _Talk:
        """Begin to talk."""
        talk = _Talk(self)
        self.talks.append(talk)
        return talk

    @property
    def count(self) -> int:
        """How often something was sent."""
        return sum(talk.sent for talk in self.talks)

    def cut(self) -> None:
        """Break the connection."""
        for talk in self.talks:
            talk.process.kill()

    def close(self) -> None:
        """End its servers."""
        for talk in self.talks:
            talk.process.kill()
            talk.process.communicate()


@contextmanager
def sftp_here(on_send: Callable[[int], None] = lambda number: None) -> Iterator[SftpHere]:
    """Give such an account until the block ends."""
    here = SftpHere(on_send)
    try:
        yield here
    finally:
        here.close()


class _Talk:
    def __init__(self, owner: SftpHere) -> None:
        program = next(path for place in PLACES if (path := Path(place) / "sftp-server").exists())
        self._owner = owner
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
        self.sent = 0

    def send(self, data: bytes, deadline: Deadline) -> None:
        self._owner.on_send(self._owner.count + 1)
        self.sent += 1
        assert self.process.stdin
        try:
            self.process.stdin.write(data)
        except OSError:
            raise Unreachable("here: the connection broke. try again") from None

    def receive(self, deadline: Deadline) -> bytes:
        assert self.process.stdout
        ready, _, _ = select.select([self.process.stdout], [], [], deadline.remaining())
        piece = self.process.stdout.read(65536) if ready else b""
        if not piece:
            raise Unreachable("here: the connection broke. try again")
        return piece
