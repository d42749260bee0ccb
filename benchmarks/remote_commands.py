"""Measures ways to run commands in order over one SSH connection, and says which of them are sound.

    python -m benchmarks.remote_commands [ROUNDS]

Every way is given the same commands on the same OpenSSH server on 127.0.0.1, in turns, so that a busy machine slows
them all. "bare" ways are no candidates: they show what the wire costs.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from runner.connections.agents import Agents, Runner
from runner.connections.commands import MARK, READER, Request, encode, quote, render_words
from runner.connections.cutter import Cutter, Sink
from runner.connections.link import Link
from runner.connections.login import Login
from runner.connections.opening import Opener
from runner.connections.plain import PlainShell
from runner.connections.ssh import SshConnection
from runner.connections.wire import Wire
from runner.contract import Command, Result
from runner.durations import Deadline
from runner.errors import Failed, RunnerError, TimeUp
from tests.processes import find_marked
from tests.sshd import SshServer, ssh_server

TARGETS, COMMANDS, THREADS = 20, 10, 16
LONG = "sleep 8642"


class ChannelPerCommand(SshConnection):
    """A channel for each command, in it a shell that runs `timeout` and then says how it ended."""

    def __init__(self, login: Login, opener: Opener) -> None:
        super().__init__(login, opener)
        self._agents = _NoAgents(login.name, self._link, _Shell(self._link))


class ChannelAhead(SshConnection):
    """The same, with the next command's channel opened and its shell started while this one runs."""

    def __init__(self, login: Login, opener: Opener) -> None:
        super().__init__(login, opener)
        self._agents = _NoAgents(login.name, self._link, _ShellAhead(self._link))


class _NoAgents(Agents):
    """Has the same shell run every command."""

    def __init__(self, place: str, link: Link, shell: PlainShell) -> None:
        super().__init__(place, link)
        self._refusal = "benchmark"
        self._shell = shell

    def _plain_runner(self) -> tuple[Runner, str]:
        return self._shell, ""


class _Shell(PlainShell):
    def __init__(self, link: Link) -> None:
        super().__init__(link.open_wire)
        self._link = link

    def _prepare(self) -> Wire:
        wire = self._link.open_wire(Deadline.after(10))
        wire.start(f"sh -c '{READER}' sh request", Deadline.after(10))
        return wire

    def _take(self) -> Wire:
        return self._prepare()

    def run(self, request: Request, deadline: Deadline, take_out: Sink, take_err: Sink) -> int:
        wire, token = self._take(), "\x1esop:ahead:" + request.mark + ":"
        out, err = Cutter(token.encode()), Cutter(token.encode())
        out.sink, err.sink = take_out, take_err
        try:
            wire.send(_render(request, token, deadline), deadline)
            wire.finish_sending()
            if wire.pump_until(lambda: out.ended and err.ended, (out.feed, err.feed), deadline):
                return out.exit_code
        finally:
            wire.close()
        raise TimeUp("time is up", self._end(err, request, token))


class _ShellAhead(_Shell):
    def __init__(self, link: Link) -> None:
        super().__init__(link)
        self._threads = ThreadPoolExecutor(1)
        self._next: Future[Wire] | None = None

    def _take(self) -> Wire:
        wire = self._next.result() if self._next else self._prepare()
        self._next = self._threads.submit(self._prepare)
        return wire


def _render(request: Request, token: str, deadline: Deadline) -> bytes:
    """As short as it can be: it knows that the server has /proc and `timeout`."""
    words = render_words(request.words)
    if request.script:
        words = f"sh -c {quote(request.script)} sh {words}"
    code = (
        f"t={quote(token)}\n( read -r p x </proc/self/stat; printf '%s\\n' \"${{t}}group $p\" >&2\n"
        f"export {MARK}={request.mark}; exec timeout -k 2 {int(deadline.remaining()) + 3} {words} )\nc=$?\n"
        "printf '%s\\n' \"${t}ended $c\"; printf '%s\\n' \"${t}ended\" >&2\nrequest\n"
    )
    return encode(code) + request.stdin


class BareExec:
    """paramiko's exec_command: a channel for each command, no limit, no group."""

    def __init__(self, login: Login, opener: Opener) -> None:
        self._link = Link(login, opener)

    def run(self, command: Command, deadline: Deadline) -> Result:
        channel = self._link.open(deadline).transport.open_session()
        channel.exec_command(command.line)
        out = channel.makefile("rb").read()
        return Result(channel.recv_exit_status(), out)

    def close(self) -> None:
        self._link.close()


class BareShell:
    """One long-lived `sh`, lines written to its stdin, an end mark on stdout."""

    def __init__(self, login: Login, opener: Opener) -> None:
        self._link = Link(login, opener)
        self._wire: Wire | None = None
        self._ends = 0

    def run(self, command: Command, deadline: Deadline) -> Result:
        if self._wire is None:
            self._wire = self._link.open_wire(deadline)
            self._wire.start("sh", deadline)
        self._ends += 1
        end, out = f"end-{self._ends}-", bytearray()
        self._wire.send(f"( {command.line} ) </dev/null; echo {end}$?.\n".encode(), deadline)
        self._wire.pump_until(lambda: end.encode() in out and out.endswith(b".\n"), (out.extend, out.extend), deadline)
        body, _, code = bytes(out).partition(end.encode())
        return Result(int(code[:-2]), body)

    def close(self) -> None:
        self._link.close()


class Runs(Protocol):
    """What is measured."""

    def run(self, command: Command, deadline: Deadline) -> Result:
        """Run a command to its end."""

    def close(self) -> None:
        """Close the connection."""


Way = Callable[[Login, Opener], Runs]
CANDIDATES: dict[str, Way] = {
    "1 agent in Perl, private pipes": SshConnection,
    "2 channel per command, opened ahead": ChannelAhead,
    "3 channel per command under timeout": ChannelPerCommand,
}
BARE: dict[str, Callable[[Login, Opener], BareExec | BareShell]] = {
    "bare exec": BareExec,
    "bare long-lived sh": BareShell,
}


def main(rounds: int = 5) -> None:
    """Print one table."""
    with tempfile.TemporaryDirectory() as folder, ssh_server(Path(folder), options={"MaxStartups": "100"}) as server:
        ways = {**CANDIDATES, **BARE}
        single: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
        fleet: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
        for _ in range(rounds):
            for name, way in ways.items():
                single[name].append(measure_one(way, server))
                fleet[name].append(measure_fleet(way, server))
        print(f"{'way':38} {'one: ms':>9} {'CPU ms':>7}   {TARGETS} x {COMMANDS}: s {'CPU s':>6}   unsound")
        for name in ways:
            (wall, cpu), (all_wall, all_cpu) = _median(single[name]), _median(fleet[name])
            faults = ", ".join(find_faults(CANDIDATES[name], server)) or "-" if name in CANDIDATES else "(not asked)"
            print(f"{name:38} {wall * 1e3:9.2f} {cpu * 1e3:7.2f} {all_wall:13.2f} {all_cpu:6.2f}   {faults}")


def measure_one(way: Way, server: SshServer, commands: int = 60) -> tuple[float, float]:
    """Return seconds and CPU seconds of this side for one command, its connection being open."""
    with _connected(way, server) as connection:
        connection.run(Command(line="true"), Deadline.after(20))
        times, cpu = [], time.process_time()
        for number in range(commands):
            start = time.perf_counter()
            _expect(connection, number)
            times.append(time.perf_counter() - start)
        return statistics.median(times), (time.process_time() - cpu) / commands


def measure_fleet(way: Way, server: SshServer) -> tuple[float, float]:
    """Return seconds and CPU seconds of this side for ten commands on each of twenty targets, with connecting."""
    start, cpu = time.perf_counter(), time.process_time()
    opener = Opener((server.known_hosts,))
    connections = [way(Login.of(f"web{n}", server.settings), opener) for n in range(TARGETS)]
    with ThreadPoolExecutor(THREADS) as threads:
        list(threads.map(_ten, connections))
    for connection in connections:
        connection.close()
    return time.perf_counter() - start, time.process_time() - cpu


def find_faults(way: Way, server: SshServer) -> list[str]:
    """Return what of the list of remote-shell traps this way does not stand."""
    with _connected(way, server) as connection:
        return [name for name, trap in TRAPS.items() if not _stands(connection, trap)]


def _stands(connection: Runs, trap: Callable[[Runs], bool]) -> bool:
    try:
        return trap(connection) and _run(connection, "sleep 0.3; echo next").stdout == b"next\n"
    except RunnerError:
        return False


def _run(connection: Runs, line: str, seconds: float = 20, stdin: bytes = b"") -> Result:
    return connection.run(Command(line=line, stdin=stdin), Deadline.after(seconds))


def _hangs(connection: Runs, line: str) -> bool:
    try:
        _run(connection, line, 1)
    except TimeUp as error:
        return not error.survivors and not find_marked(LONG)
    return False


def _is_found_lost(connection: Runs, line: str) -> bool:
    """Whether a command that ends what runs it is told as such: 137, or that its end is not known."""
    try:
        return _run(connection, line).exit_code == 137
    except Failed:
        return True


def _ends_with(line: str, code: int) -> Callable[[Runs], bool]:
    return lambda connection: _run(connection, line).exit_code == code


def _sizes(line: str, out: int, err: int) -> Callable[[Runs], bool]:
    def check(connection: Runs) -> bool:
        result = _run(connection, line)
        return (len(result.stdout), len(result.stderr)) == (out, err)

    return check


BYTES = bytes(range(256)) * 40
TRAPS: dict[str, Callable[[Runs], bool]] = {
    "exit code": _ends_with("exit 3", 3),
    "exec": _ends_with("exec sh -c 'exit 4'", 4),
    "kill -9 0": _ends_with("kill -9 0", 137),
    "kill its parent": lambda c: _is_found_lost(c, "kill -9 $PPID; sleep 0.1"),
    "syntax error": _ends_with("if then", 2),
    "closed descriptors": _ends_with("exec >&- 2>&- <&-; exit 5", 5),
    "10 MB stderr": _sizes("yes | head -c 10000000 >&2", 0, 10_000_000),
    "5 MB both": _sizes("yes | head -c 5000000 >&2 & yes | head -c 5000000; wait", 5_000_000, 5_000_000),
    "hangs": lambda c: _hangs(c, f"{LONG} & {LONG}"),
    "hangs, ignores TERM": lambda c: _hangs(c, f"trap '' TERM; {LONG} & {LONG}; {LONG}"),
    "late writer": _sizes("(sleep 0.1; echo late; echo late >&2) & :", 0, 0),
    "late writer in a session": _sizes("setsid sh -c 'sleep 0.1; echo late; echo late >&2' & :", 0, 0),
    "200 KB command": _ends_with("# " + "x" * 200_000 + "\nexit 6", 6),
    "binary stdin and output": lambda c: _run(c, "cat", stdin=BYTES).stdout == BYTES,
}


@contextmanager
def _connected(way: Way, server: SshServer) -> Iterator[Runs]:
    connection = way(Login.of("web1", server.settings), Opener((server.known_hosts,)))
    try:
        yield connection
    finally:
        connection.close()


def _ten(connection: Runs) -> None:
    for number in range(COMMANDS):
        _expect(connection, number)


def _expect(connection: Runs, number: int) -> None:
    result = connection.run(Command(line=f"echo {number}"), Deadline.after(60))
    if (result.exit_code, result.stdout) != (0, b"%d\n" % number):
        raise AssertionError(result)


def _median(pairs: list[tuple[float, float]]) -> tuple[float, float]:
    return statistics.median(wall for wall, _ in pairs), statistics.median(cpu for _, cpu in pairs)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
