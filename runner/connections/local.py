"""Commands on this machine, each in a session and process group of its own."""

from __future__ import annotations

import os
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import BinaryIO

from runner.connections.commands import (
    MARK,
    SHELL,
    Collector,
    DirectoryRefused,
    OutputTooLong,
    Request,
    as_user,
    build_request,
    check_become,
    check_command,
    encode,
    no_directory,
    read_file,
    too_long,
    write_file,
)
from runner.connections.guard import Guard
from runner.connections.processes import end_group
from runner.connections.pumping import pump
from runner.contract import OUTPUT_LIMIT, Command, Connection, Result
from runner.durations import Deadline
from runner.errors import TimeUp, Unreachable

IN_A_PIPE = 64 * 1024


class LocalConnection:
    """This machine. Safe to use from threads. A guard ends what runs when this process dies."""

    def __init__(self, place: str = "this machine") -> None:
        self._place = place
        self._lock = threading.Lock()
        self._running: dict[int, Request] = {}
        self._guard: Guard | None = None
        self._closed = False

    def open(self, deadline: Deadline) -> None:
        """This machine is always there."""

    def run(self, command: Command, deadline: Deadline) -> Result:
        """Run the command to its end, as contract.Connection says."""
        out = Collector(command.output_limit)
        result = self._run(command, deadline, out)
        return Result(result.exit_code, out.content, result.stderr)

    def stream(self, command: Command, deadline: Deadline, sink: Callable[[bytes], None]) -> Result:
        """Like `run`, with stdout handed to `sink` as it comes."""
        return self._run(command, deadline, sink)

    def read(self, path: str, deadline: Deadline, *, limit: int = OUTPUT_LIMIT) -> bytes:
        """Return a file's bytes."""
        return read_file(self.run, self._place, path, deadline, limit)

    def write(self, path: str, data: bytes, deadline: Deadline, *, mode: int = 0o600) -> None:
        """Write a file whole or not at all."""
        write_file(self.run, self._place, path, data, deadline, mode)

    @contextmanager
    def ahead(self, commands: Sequence[Command], limits: Sequence[float], deadline: Deadline) -> Iterator[Connection]:
        """Nothing is sent ahead: there is no link to wait for."""
        yield self

    def hang_up(self) -> None:
        """There is no link to end."""

    def close(self) -> None:
        """End every command that still runs."""
        with self._lock:
            self._closed = True
            running = dict(self._running)
            guard, self._guard = self._guard, None
        for group, request in running.items():
            end_group(group, request)
        if guard:
            guard.close()

    def _run(self, command: Command, deadline: Deadline, take_out: Callable[[bytes], None]) -> Result:
        check_command(command, self._place)
        request = build_request(command)
        err = Collector(command.output_limit)
        try:
            with _scripted(request) as words:
                code = self._serve(command, request, words, deadline, (take_out, err))
            return check_become(request, Result(code, b"", err.content), self._place)
        except OutputTooLong:
            raise too_long(self._place, command) from None
        except DirectoryRefused:
            raise no_directory(self._place, command) from None
        except _NotStarted as error:
            return Result(error.exit_code, b"", encode(f"{error}\n"))

    def _serve(
        self,
        command: Command,
        request: Request,
        words: tuple[str, ...],
        deadline: Deadline,
        sinks: tuple[Callable[[bytes], None], Callable[[bytes], None]],
    ) -> int:
        with self._started(command, request, words) as process:
            try:
                finished = pump(process, request.stdin, sinks, deadline)
            except BaseException:
                end_group(process.pid, request, process)
                raise
            if not finished:
                raise TimeUp(f"{self._place}: time is up", end_group(process.pid, request, process))
            return process.returncode if process.returncode >= 0 else 128 - process.returncode

    @contextmanager
    def _started(self, command: Command, request: Request, words: tuple[str, ...]) -> Iterator[subprocess.Popen[bytes]]:
        """Give the started process; there is no moment in which the guard would not end it."""
        with ExitStack() as stack:
            guard = self._alert()
            with guard.watching(request.mark_setting):
                process = stack.enter_context(_started(command, request, words))
                stack.enter_context(guard.watching(process.pid))
            with self._lock:
                closed = self._closed
                self._running[process.pid] = request
            stack.callback(self._running.pop, process.pid)
            if closed:
                end_group(process.pid, request)
                raise self._was_closed()
            yield process

    def _alert(self) -> Guard:
        with self._lock:
            if self._closed:
                raise self._was_closed()
            if self._guard is None:
                self._guard = Guard()
            return self._guard

    def _was_closed(self) -> Unreachable:
        return Unreachable(f"{self._place}: the connection was closed. open a new one")


class _NotStarted(Exception):
    """A program could not be started, for a reason that a shell would answer with an exit code."""

    def __init__(self, exit_code: int, message: str) -> None:
        self.exit_code = exit_code
        super().__init__(message)


@contextmanager
def _scripted(request: Request) -> Iterator[tuple[str, ...]]:
    """Give the words to start; a line too long for a word stands in a file meanwhile."""
    if request.run_as:
        yield (*as_user(request.run_as), *request.words)
    elif request.script:
        with tempfile.NamedTemporaryFile(prefix="sop-") as file:
            file.write(encode(request.script))
            file.flush()
            yield (SHELL, file.name, *request.words)
    else:
        yield request.words


@contextmanager
def _started(command: Command, request: Request, words: tuple[str, ...]) -> Iterator[subprocess.Popen[bytes]]:
    """Give the started process, and let go of its pipes in the end; waiting for its end is others' business."""
    process = _start(command, request, words)
    try:
        yield process
    finally:
        process.poll()
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe:
                pipe.close()


def _start(command: Command, request: Request, words: tuple[str, ...]) -> subprocess.Popen[bytes]:
    directory = None if request.run_as else command.directory or None
    if directory is not None and not (os.path.isdir(directory) and os.access(directory, os.X_OK)):
        raise DirectoryRefused
    try:
        with _stdin(request.stdin) as stdin:
            return subprocess.Popen(  # noqa: S603 - running commands is what this is for; they are words, not text
                [encode(word) for word in words],
                stdin=stdin,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                cwd=directory,
                env=None if request.run_as else {**os.environ, **command.environment, MARK: request.mark},
                bufsize=0,
                start_new_session=True,
            )
    except FileNotFoundError:
        raise _NotStarted(127, f"{words[0]}: not found") from None
    except OSError as error:
        raise _NotStarted(126, f"{words[0]}: {error.strerror}") from error


@contextmanager
def _stdin(data: bytes) -> Iterator[int | BinaryIO]:
    """Give what a process reads: more than a pipe holds lies in a file in memory, where the system has such, so that it
    need not wait for us at each 64 KiB."""
    if len(data) <= IN_A_PIPE or not hasattr(os, "memfd_create"):
        yield subprocess.PIPE if data else subprocess.DEVNULL
        return
    with os.fdopen(os.memfd_create("stdin"), "w+b") as file:
        file.write(data)
        file.seek(0)
        yield file
