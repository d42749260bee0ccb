"""Commands on a server over one SSH connection that lasts for the whole run."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager
from typing import Protocol

from runner.connections.agent import Agent, AgentRefused
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
from runner.connections.plain import BareChannel, PlainShell, has_shell
from runner.connections.row import Row
from runner.connections.wire import NoSession, WireBroken
from runner.contract import OUTPUT_LIMIT, Command, Connection, Result
from runner.durations import Deadline
from runner.errors import Failed, TimeUp, Unreachable

MOST_AGENTS = 4  # sshd allows 10 sessions on a connection; some servers fewer, which is found out
AGENT_LIMIT = 10.0


class Runner(Protocol):
    """What can run a request: an agent, or a plainer way."""

    def run(self, request: Request, deadline: Deadline, take_out: Sink, take_err: Sink) -> int:
        """Run a request and return its exit code."""


class SshConnection:
    """One server. The connection opens with the first command, and again when it broke. Safe to use from threads."""

    def __init__(self, login: Login, opener: Opener) -> None:
        self._place = login.name
        self._link = Link(login, opener)
        self._lock = threading.Condition()
        self._idle: list[Agent] = []
        self._busy: set[Agent] = set()
        self._working = 0
        self._most = MOST_AGENTS
        self._refusal: str | None = None
        self._closed = False

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
            wire.start_subsystem(subsystem, deadline)
        except TimeoutError:
            raise TimeUp(f"{self._place}: time is up") from None
        except WireBroken as error:
            raise Failed(f"{self._place}: it has no {subsystem}: {error}. switch it on in its sshd_config") from error
        return WireConversation(wire, self._place)

    def open(self, deadline: Deadline) -> None:
        """Open the connection and start the shell behind it now. Raise Unreachable."""
        self._link.open(deadline)
        if self._idle or self._busy or self._refusal is not None:
            return
        try:
            with self._turn(deadline), self._runner(deadline):
                return
        except NoSession as error:
            if not self._make_do_with_fewer():
                raise Unreachable(f"{self._place}: {error}. allow one in its sshd_config") from error
        except TimeUp as error:
            raise Unreachable(f"{self._place}: {error}. give it more time") from error
        except WireBroken as error:
            raise Unreachable(f"{self._place}: {error}. see its sshd's log") from error

    def close(self) -> None:
        """End the agents, and with them whatever they still run, and the connection."""
        with self._lock:
            self._closed = True
            agents = [*self._idle, *self._busy]
            self._idle.clear()
        for agent in agents:
            agent.close()
        self._link.close()

    @contextmanager
    def ahead(self, commands: Sequence[Command], deadline: Deadline, longest: float) -> Iterator[Connection]:
        """Send commands ahead, as contract.Connection says."""
        row = self._begin_row(commands, deadline, longest)
        try:
            yield row or self
        finally:
            if row:
                row.release()

    def _begin_row(self, commands: Sequence[Command], deadline: Deadline, longest: float) -> Row | None:
        """Send the commands to an agent; None where there is none, or it cannot take them just now."""
        with ExitStack() as stack:
            try:
                for command in commands:
                    check_command(command, self._place)
                stack.enter_context(self._turn(deadline))
                agent, _ = stack.enter_context(self._runner(deadline))
                if isinstance(agent, Agent):
                    row = Row(self, self._place, agent, stack.pop_all(), self._in_words)
                    row.begin(commands, deadline, longest)
                    return row
            except (TimeUp, Failed, Unreachable, WireBroken, AgentLost):
                return None  # the first command meets the same, and says it
        return None

    def _run(self, command: Command, deadline: Deadline, take_out: Sink) -> Result:
        check_command(command, self._place)
        request = build_request(command)
        err = Collector(command.output_limit)
        with self._in_words(command):
            code, remark = self._serve(request, deadline, take_out, err)
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

    def _serve(self, request: Request, deadline: Deadline, take_out: Sink, take_err: Sink) -> tuple[int, str]:
        while True:
            try:
                with self._turn(deadline), self._runner(deadline) as (runner, remark):
                    return runner.run(request, deadline, take_out, take_err), remark
            except NoSession:
                if not self._make_do_with_fewer():
                    raise

    def _make_do_with_fewer(self) -> bool:
        """The server allows fewer sessions: remember that; False when not even one is allowed."""
        with self._lock:
            fewer = len(self._idle) + len(self._busy)
            self._most = max(1, min(self._most, fewer))
            return fewer > 0

    @contextmanager
    def _turn(self, deadline: Deadline) -> Iterator[None]:
        """Wait until fewer commands run here than agents may."""
        with self._lock:
            if not self._lock.wait_for(lambda: self._working < self._most or self._closed, deadline.remaining()):
                raise TimeUp("time was up while other commands ran there; the command did not start")
            self._working += 1
        try:
            yield
        finally:
            with self._lock:
                self._working -= 1
                self._lock.notify()

    @contextmanager
    def _runner(self, deadline: Deadline) -> Iterator[tuple[Runner, str]]:
        """Give an agent that nothing disturbs, or the plainest way with a remark about it."""
        self._link.open(deadline)
        agent = self._take_agent(deadline)
        if agent is None:
            yield self._plain_runner()
            return
        keep = False
        try:
            yield agent, ""
            keep = True
        except (TimeUp, DirectoryRefused, OutputTooLong):
            keep = True
            raise
        finally:
            self._give_back(agent, keep=keep)

    def _plain_runner(self) -> tuple[Runner, str]:
        if self._refusal:
            return PlainShell(self._link.open_wire), f"each command in a shell of its own: {self._refusal}"
        return BareChannel(self._link.open_wire, self._place), "its shell is restricted: commands cannot be ended there"

    def _take_agent(self, deadline: Deadline) -> Agent | None:
        while agent := self._pop_idle():
            if agent.is_free():
                return agent
            self._give_back(agent, keep=False)
        if self._refusal is not None:
            return None
        try:
            agent = self._start_agent(deadline)
        except AgentRefused:
            self._refusal = "it has no Perl or no /proc" if has_shell(self._link.open_wire, deadline) else ""
            return None
        with self._lock:
            self._busy.add(agent)
        return agent

    def _pop_idle(self) -> Agent | None:
        with self._lock:
            if self._closed:
                raise Unreachable(f"{self._place}: the connection was closed. open a new one")
            if not self._idle:
                return None
            agent = self._idle.pop()
            self._busy.add(agent)
            return agent

    def _give_back(self, agent: Agent, *, keep: bool) -> None:
        with self._lock:
            self._busy.discard(agent)
            keep = keep and not self._closed
            if keep:
                self._idle.append(agent)
        if not keep:
            agent.close()

    def _start_agent(self, deadline: Deadline) -> Agent:
        """Start an agent. That has a limit of its own; when the command's is shorter, the next one finds the agent."""
        starting: Future[Agent] = Future()
        name = f"agent on {self._place}"
        threading.Thread(target=self._work, args=(starting,), name=name, daemon=True).start()
        try:
            return starting.result(deadline.remaining())
        except TimeoutError:
            starting.add_done_callback(self._keep_late)
            raise TimeUp("time was up before its shell had started; the command did not start") from None
        except NoSession:
            raise
        except WireBroken as error:
            raise Unreachable(f"{self._place}: {error}. the command did not start; try again") from error

    def _work(self, starting: Future[Agent]) -> None:
        limit = Deadline.after(AGENT_LIMIT)
        try:
            starting.set_result(self._build_agent(limit))
        except TimeoutError:
            starting.set_exception(WireBroken("its shell gives no answer"))
        except BaseException as error:  # noqa: BLE001 - it is passed on to whoever waits
            starting.set_exception(error)

    def _build_agent(self, deadline: Deadline) -> Agent:
        wire = self._link.open_wire(deadline)
        try:
            return Agent(wire, deadline, self._link.open_wire)
        except BaseException:
            wire.close()
            raise

    def _keep_late(self, starting: Future[Agent]) -> None:
        if starting.exception() is None:
            self._give_back(starting.result(), keep=True)
