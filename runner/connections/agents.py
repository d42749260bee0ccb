"""The agents of one connection: as many commands at a time as the server allows sessions, an agent for each of them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Protocol

from runner.connections.agent import Agent, AgentRefused
from runner.connections.commands import DirectoryRefused, OutputTooLong, Request
from runner.connections.cutter import Sink
from runner.connections.link import Link
from runner.connections.plain import BareChannel, NoCommands, PlainShell, has_shell, obeys
from runner.connections.wire import NoSession, WireBroken
from runner.durations import Deadline
from runner.errors import TimeUp, Unreachable

MOST_AGENTS = 4  # sshd allows 10 sessions on a connection; some servers fewer, which is found out
AGENT_LIMIT = 10.0
GATHERING = 0.002  # seconds


class Runner(Protocol):
    """What can run a request: an agent, or a plainer way."""

    def run(self, request: Request, deadline: Deadline, take_out: Sink, take_err: Sink) -> int:
        """Run a request and return its exit code."""


class PastAgent:
    """Runs a request in a channel of its own; by the agent where the server allows none beside that one's."""

    def __init__(self, plain: PlainShell, agent: Runner) -> None:
        self._plain = plain
        self._agent = agent

    def run(self, request: Request, deadline: Deadline, take_out: Sink, take_err: Sink) -> int:
        """Run a request and return its exit code; as `Agent.run`."""
        try:
            return self._plain.run(request, deadline, take_out, take_err)
        except NoSession:
            return self._agent.run(request, deadline, take_out, take_err)


class Agents:
    """What runs commands over one link. Safe to use from threads."""

    def __init__(self, place: str, link: Link) -> None:
        self._place = place
        self._link = link
        self._lock = threading.Condition()
        self._idle: list[Agent] = []
        self._busy: set[Agent] = set()
        self._working = 0
        self._most = MOST_AGENTS
        self._plainest: tuple[Runner, str] | None = None  # known once an agent was refused
        self._closed = False

    @property
    def started(self) -> bool:
        """Whether there is an agent, or it is known that there can be none."""
        return bool(self._idle or self._busy or self._plainest)

    @contextmanager
    def take(self, deadline: Deadline, *, bulk: bool = False) -> Iterator[tuple[Runner, str]]:
        """Give what runs a command, with a remark about it: an agent that nothing disturbs, or the plainest way.

        Where its output is `bulk`, that goes past the agent, which would copy all of it. Raise NoSession where the
        server allows no further one just now, WireBroken, TimeUp or Unreachable.
        """
        with self._turn(deadline), self._runner(deadline) as (runner, remark):
            past = bulk and isinstance(runner, Agent)
            yield PastAgent(PlainShell(self._link.open_wire, GATHERING), runner) if past else runner, remark

    def rest(self) -> bool:
        """Dismiss the agents where nothing is done; return whether that is so."""
        with self._lock:
            if self._working or self._busy:
                return False
            agents = [*self._idle]
            self._idle.clear()
        for agent in agents:
            agent.close()
        return True

    def close(self) -> None:
        """End the agents, and with them whatever they still run."""
        with self._lock:
            self._closed = True
            agents = [*self._idle, *self._busy]
            self._idle.clear()
        for agent in agents:
            agent.close()

    def make_do_with_fewer(self) -> bool:
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
            assert self._plainest
            yield self._plainest
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

    def _find_plainest(self, deadline: Deadline) -> tuple[Runner, str]:
        """Give what runs commands where there can be no agent, with a remark about it."""
        open_wire = self._link.open_wire
        if has_shell(open_wire, deadline):
            return PlainShell(open_wire), "each command in a shell of its own: it has no Perl or no /proc"
        if obeys(open_wire, deadline):
            return BareChannel(open_wire, self._place), "its shell is restricted: commands cannot be ended there"
        return NoCommands(self._place), ""

    def _take_agent(self, deadline: Deadline) -> Agent | None:
        while agent := self._pop_idle():
            if agent.is_free():
                return agent
            self._give_back(agent, keep=False)
        if self._plainest:
            return None
        try:
            agent = self._start_agent(deadline)
        except AgentRefused:
            self._plainest = self._find_plainest(deadline)
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
        try:
            if deadline.remaining() > AGENT_LIMIT:
                return self._build_agent()
            return self._start_aside(deadline)
        except NoSession:
            raise
        except WireBroken as error:
            raise Unreachable(f"{self._place}: {error}. the command did not start; try again") from error

    def _start_aside(self, deadline: Deadline) -> Agent:
        starting: Future[Agent] = Future()
        name = f"agent on {self._place}"
        threading.Thread(target=self._work, args=(starting,), name=name, daemon=True).start()
        try:
            return starting.result(deadline.remaining())
        except TimeoutError:
            starting.add_done_callback(self._keep_late)
            raise TimeUp("time was up before its shell had started; the command did not start") from None

    def _work(self, starting: Future[Agent]) -> None:
        try:
            starting.set_result(self._build_agent())
        except BaseException as error:  # noqa: BLE001 - it is passed on to whoever waits
            starting.set_exception(error)

    def _build_agent(self) -> Agent:
        limit = Deadline.after(AGENT_LIMIT)
        wire = self._link.open_wire(limit)
        try:
            return Agent(wire, limit, self._link.open_wire)
        except TimeoutError as error:
            wire.close()
            raise WireBroken("its shell gives no answer") from error
        except BaseException:
            wire.close()
            raise

    def _keep_late(self, starting: Future[Agent]) -> None:
        if starting.exception() is None:
            self._give_back(starting.result(), keep=True)
