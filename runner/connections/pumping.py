"""Feeds a local process and takes its output until it ends, not until everyone has let go of its pipes."""

from __future__ import annotations

import os
import selectors
import subprocess
from collections.abc import Callable
from contextlib import ExitStack
from typing import IO

from runner.durations import Deadline

PIECE = 256 * 1024
MOST_IN_PIPE = 1024 * 1024  # what a command may have written before it ended; later writers are cut
_STEP = 0.05

Sinks = tuple[Callable[[bytes], None], Callable[[bytes], None]]


def pump(process: subprocess.Popen[bytes], stdin: bytes, sinks: Sinks, deadline: Deadline) -> bool:
    """Carry stdin, stdout and stderr until the process ends; False when the deadline passes before."""
    assert process.stdout
    assert process.stderr
    outputs = {process.stdout: sinks[0], process.stderr: sinks[1]}
    with selectors.DefaultSelector() as selector, ExitStack() as stack:
        for pipe in outputs:
            os.set_blocking(pipe.fileno(), False)
            selector.register(pipe, selectors.EVENT_READ)
        feeder = _Feeder(process.stdin, stdin) if process.stdin else None
        if feeder:
            selector.register(feeder.pipe, selectors.EVENT_WRITE)
        step = _watch_end(process, selector, stack)
        while process.poll() is None:
            if deadline.passed:
                return False
            for key, _ in selector.select(min(step, deadline.remaining())):
                if key.fileobj in outputs:
                    pipe = key.fileobj
                    if not _take(pipe, outputs[pipe]):
                        selector.unregister(pipe)
                elif feeder and key.fileobj is feeder.pipe and not feeder.feed():
                    selector.unregister(feeder.pipe)
                    feeder.pipe.close()
        for pipe, sink in outputs.items():
            _drain(pipe, sink)
    return True


class _Feeder:
    """Writes to a process as fast as it reads."""

    def __init__(self, pipe: IO[bytes], data: bytes) -> None:
        self.pipe = pipe
        self._rest = memoryview(data)
        os.set_blocking(pipe.fileno(), False)

    def feed(self) -> bool:
        """Write the next piece; False when all is written or nobody reads."""
        try:
            self._rest = self._rest[os.write(self.pipe.fileno(), self._rest[:PIECE]) :]
        except BlockingIOError:
            return True
        except BrokenPipeError:
            return False
        return len(self._rest) > 0


def _watch_end(process: subprocess.Popen[bytes], selector: selectors.BaseSelector, stack: ExitStack) -> float:
    """Let the selector wake when the process ends; where the system cannot tell (macOS), look every few moments."""
    if not hasattr(os, "pidfd_open"):
        return _STEP
    try:
        handle = os.pidfd_open(process.pid)
    except OSError:
        return _STEP
    stack.callback(os.close, handle)
    selector.register(handle, selectors.EVENT_READ)
    return 3600.0


def _take(pipe: IO[bytes], sink: Callable[[bytes], None]) -> int:
    """Hand over one piece; return its size, 0 at the end."""
    try:
        piece = os.read(pipe.fileno(), PIECE)
    except BlockingIOError:
        return -1
    if piece:
        sink(piece)
    return len(piece)


def _drain(pipe: IO[bytes], sink: Callable[[bytes], None]) -> None:
    left = MOST_IN_PIPE
    while left > 0 and (size := _take(pipe, sink)) > 0:
        left -= size
