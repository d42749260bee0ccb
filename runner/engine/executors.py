"""Where tasks run: threads here. Anything with `submit()` that gives a future serves as well."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Any, Protocol, TypeVar

Value = TypeVar("Value")


class Executor(Protocol):
    """What the engine needs of an executor: `concurrent.futures`' submit."""

    def submit(self, function: Callable[..., Value], /, *arguments: Any) -> Future[Value]:
        """Run the function elsewhere and return its future."""


class Threads:
    """An executor of daemon threads that starts one whenever none is idle.

    A thread that never returns (a stuck name lookup) holds up neither later work nor the end of the program, as
    a `ThreadPoolExecutor`, which joins its threads at exit, would.
    """

    def __init__(self) -> None:
        self._work: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._idle = 0
        self._started = 0

    def submit(self, function: Callable[..., Value], /, *arguments: Any) -> Future[Value]:
        """Run the function in a thread and return its future."""
        future: Future[Value] = Future()

        def work() -> None:
            try:
                future.set_result(function(*arguments))
            except BaseException as error:  # noqa: BLE001  # the future carries it to whoever waits
                future.set_exception(error)

        with self._lock:
            start = self._idle == 0
            if start:
                self._started += 1
            else:
                self._idle -= 1
        self._work.put(work)
        if start:
            threading.Thread(target=self._serve, name=f"task-{self._started}", daemon=True).start()
        return future

    def close(self) -> None:
        """Let idle threads end."""
        with self._lock:
            idle, self._idle = self._idle, 0
        for _ in range(idle):
            self._work.put(None)

    def _serve(self) -> None:
        while (work := self._work.get()) is not None:
            work()
            with self._lock:
                self._idle += 1
