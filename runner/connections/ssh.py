"""Commands on a server over one SSH connection that lasts for the whole run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from weakref import WeakSet

from runner.connections.agent import Agent
from runner.connections.agents import Agents
from runner.connections.commands import (
    Collector,
    DirectoryRefused,
    OutputTooLong,
    Request,
    build_request,
    check_become,
    check_command,
    no_directory,
    read_file,
    too_long,
    write_file,
)
from runner.connections.conversing import WireConversation
from runner.connections.cutter import Sink
from runner.connections.ending import UNKNOWN_SURVIVORS, AgentLost
from runner.connections.link import Link
from runner.connections.login import Login
from runner.connections.opening import Opener
from runner.connections.row import Row
from runner.connections.wire import NoSession, Wire, WireBroken
from runner.contract import OUTPUT_LIMIT, Command, Connection, Result
from runner.durations import Deadline
from runner.errors import Failed, TimeUp, Unreachable


class SshConnection:
    """One server. The connection opens with the first command, and again when it broke. Safe to use from threads."""

    def __init__(self, login: Login, opener: Opener) -> None:
        self._place = login.name
        self._link = Link(login, opener)
        self._agents = Agents(self._place, self._link)
        self._conversations: WeakSet[Wire] = WeakSet()

    def run(self, command: Command, deadline: Deadline) -> Result:
        """Run the command to its end, as contract.Connection says."""
        out = Collector(command.output_limit)
        result = self._run(command, deadline, out)
        return Result(result.exit_code, out.content, result.stderr, result.remark)

    def stream(self, command: Command, deadline: Deadline, sink: Callable[[bytes], None]) -> Result:
        """Like `run`, with stdout handed to `sink` as it comes."""
        return self._run(command, deadline, sink)

    def read(self, path: str, deadline: Deadline, *, limit: int = OUTPUT_LIMIT) -> bytes:
        """Return a file's bytes."""
        return read_file(self.run, self._place, path, deadline, limit)

    def write(self, path: str, data: bytes, deadline: Deadline, *, mode: int = 0o600) -> None:
        """Write a file whole or not at all."""
        write_file(self.run, self._place, path, data, deadline, mode)

    def converse(self, subsystem: str, deadline: Deadline) -> WireConversation:
        """Begin to talk with a subsystem of the server. Raise Failed where it has none, Unreachable or TimeUp."""
        try:
            wire = self._link.open_wire(deadline)
            self._conversations.add(wire)
            wire.start_subsystem(subsystem, deadline)
        except TimeoutError:
            raise TimeUp(f"{self._place}: time is up") from None
        except WireBroken as error:
            raise Failed(f"{self._place}: it has no {subsystem}: {error}. switch it on in its sshd_config") from error
        return WireConversation(wire, self._place)

    def open(self, deadline: Deadline) -> None:
        """Open the connection and start the shell behind it now. Raise Unreachable."""
        self._link.open(deadline)
        if self._agents.started:
            return
        try:
            with self._agents.take(deadline):
                return
        except NoSession as error:
            if not self._agents.make_do_with_fewer():
                raise Unreachable(f"{self._place}: {error}. allow one in its sshd_config") from error
        except TimeUp as error:
            raise Unreachable(f"{self._place}: {error}. give it more time") from error
        except WireBroken as error:
            raise Unreachable(f"{self._place}: {error}. see its sshd's log") from error

    def rest(self) -> bool:
        """Close the connection where nothing is done over it; return whether that is so. It opens again when needed."""
        talks = any(not wire.at_end for wire in [*self._conversations])
        if talks or not self._link.is_at_rest or not self._agents.rest():
            return False
        self._link.drop()
        return True

    def hang_up(self) -> None:
        """Begin to close the connection: nothing goes over it any more."""
        self._link.hang_up()

    def close(self) -> None:
        """End the agents, and with them whatever they still run, and the connection."""
        self._agents.close()
        self._link.close()

    @contextmanager
    def ahead(self, commands: Sequence[Command], limits: Sequence[float], deadline: Deadline) -> Iterator[Connection]:
        """Send commands ahead, as contract.Connection says."""
        row = self._begin_row(commands, limits, deadline)
        try:
            yield row or self
        finally:
            if row:
                row.release()

    def _begin_row(self, commands: Sequence[Command], limits: Sequence[float], deadline: Deadline) -> Row | None:
        """Send the commands to an agent; None where there is none, or it cannot take them just now."""
        with ExitStack() as stack:
            try:
                for command in commands:
                    check_command(command, self._place)
                agent, _ = stack.enter_context(self._agents.take(deadline))
                if isinstance(agent, Agent):
                    row = Row(self, self._place, agent, stack.pop_all(), self._in_words)
                    row.begin(commands, limits, deadline)
                    return row
            except (TimeUp, Failed, Unreachable, WireBroken, AgentLost):
                return None  # the first command meets the same, and says it
        return None

    def _run(self, command: Command, deadline: Deadline, take_out: Sink) -> Result:
        check_command(command, self._place)
        request = build_request(command)
        err = Collector(command.output_limit)
        with self._in_words(command):
            code, remark = self._serve(request, deadline, take_out, err, bulk=command.bulk)
            return check_become(request, Result(code, b"", err.content, remark), self._place)

    @contextmanager
    def _in_words(self, command: Command) -> Iterator[None]:
        """Turn what running a command raises into errors for people."""
        try:
            yield
        except OutputTooLong:
            raise too_long(self._place, command) from None
        except DirectoryRefused:
            raise no_directory(self._place, command) from None
        except AgentLost as error:
            raise Failed(f"{self._place}: {error}; how the command ended is not known. look there") from error
        except WireBroken as error:
            raise Unreachable(f"{self._place}: {error}; how the command ended is not known. look there") from error
        except TimeUp as error:
            if UNKNOWN_SURVIVORS in error.survivors:
                self._link.drop()
            raise TimeUp(f"{self._place}: {error}", error.survivors) from error

    def _serve(
        self, request: Request, deadline: Deadline, take_out: Sink, take_err: Sink, *, bulk: bool
    ) -> tuple[int, str]:
        while True:
            try:
                with self._agents.take(deadline, bulk=bulk) as (runner, remark):
                    return runner.run(request, deadline, take_out, take_err), remark
            except NoSession:
                if not self._agents.make_do_with_fewer():
                    raise
