"""Commands sent ahead: a link is waited for once, not once for each of them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from typing import NamedTuple

from runner.connections.agent import Agent, Job
from runner.connections.commands import Collector, Request, build_request, check_become
from runner.contract import OUTPUT_LIMIT, Command, Connection, Result
from runner.durations import Deadline

Wording = Callable[[Command], AbstractContextManager[None]]


class _Sent(NamedTuple):
    """A command that was sent ahead, and what comes of it."""

    command: Command
    request: Request
    out: Collector
    err: Collector
    job: Job

    @classmethod
    def of(cls, command: Command, limit: float) -> _Sent:
        request = build_request(command)
        out, err = Collector(command.output_limit), Collector(command.output_limit)
        return cls(command, request, out, err, Job(request, out, err, limit))


class Row:
    """A connection whose `run` takes up, in their order, the results of commands that were sent ahead. Where anything
    else is asked for, what is left of them is given up and the plain connection does it. For one thread at a time."""

    def __init__(self, plain: Connection, place: str, agent: Agent, held: ExitStack, wording: Wording) -> None:
        self._plain = plain
        self._place = place
        self._agent = agent
        self._held = held
        self._wording = wording
        self._left: deque[_Sent] = deque()

    def begin(self, commands: Sequence[Command], limits: Sequence[float], deadline: Deadline) -> None:
        """Send the commands. Raise as `Agent.run` does."""
        self._left.extend(map(_Sent.of, commands, limits))
        try:
            self._agent.begin([sent.job for sent in self._left], deadline)
        except BaseException:
            self.release()
            raise

    def release(self) -> None:
        """Give the agent back; what it still does is ended."""
        if not self._agent.is_free():
            self._agent.close()
        self._left.clear()
        self._held.close()

    def open(self, deadline: Deadline) -> None:
        """It is open."""

    def run(self, command: Command, deadline: Deadline) -> Result:
        """Return the command's result, or run it where it was not sent ahead or not begun."""
        sent = self._left.popleft() if self._left and self._left[0].command == command else None
        if sent is None or self._agent.is_dropped(sent.job):
            self.release()
            return self._plain.run(command, deadline)
        with self._wording(command):
            code = self._agent.finish(sent.job, deadline)
            return check_become(sent.request, Result(code, sent.out.content, sent.err.content), self._place)

    def read(self, path: str, deadline: Deadline, *, limit: int = OUTPUT_LIMIT) -> bytes:
        """Return a file's bytes."""
        self.release()
        return self._plain.read(path, deadline, limit=limit)

    def write(self, path: str, data: bytes, deadline: Deadline, *, mode: int = 0o600) -> None:
        """Write a file whole or not at all."""
        self.release()
        self._plain.write(path, data, deadline, mode=mode)

    def stream(self, command: Command, deadline: Deadline, sink: Callable[[bytes], None]) -> Result:
        """Run a command with its stdout handed to `sink`."""
        self.release()
        return self._plain.stream(command, deadline, sink)

    def ahead(
        self, commands: Sequence[Command], limits: Sequence[float], deadline: Deadline
    ) -> AbstractContextManager[Connection]:
        """Send other commands ahead."""
        self.release()
        return self._plain.ahead(commands, limits, deadline)

    def close(self) -> None:
        """Close the connection."""
        self.release()
        self._plain.close()
