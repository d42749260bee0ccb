"""Workers that are processes of this machine: all its cores, without a cluster."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context

from runner.errors import refuse
from runner.workers.fence import check_fence
from runner.workers.hub import Hub
from runner.workers.roster import Place, Ticket
from runner.workers.station import STOPPED, knock, serve

LOOPBACK = "127.0.0.1"
START_LIMIT = 60.0


@contextmanager
def open_processes(number: int, forks: int) -> Iterator[Hub]:
    """Given how many processes, yield a hub with a station in each; together they take on `forks` targets at a time.

    Raise Refused where they do not start.
    """
    hub = Hub(Place(LOOPBACK), far=False)
    hub.open()
    pool = ProcessPoolExecutor(number, mp_context=get_context("spawn"), initializer=_ignore_interrupts)
    try:
        check_fence(hub, lambda ticket: pool.submit(knock, ticket))
        for each in range(number):
            pool.submit(_serve, hub.ticket(f"process {each + 1}"), -(-forks // number))
        if not hub.wait(lambda: hub.room() >= forks, START_LIMIT):
            raise refuse("--executor", f"{number} processes did not start within {START_LIMIT:g} s", "use fewer")
        yield hub
    finally:
        hub.close()
        pool.shutdown(wait=False, cancel_futures=True)


def _ignore_interrupts() -> None:
    """Ctrl-C reaches every process of a terminal: what is in flight may end, as it may in threads."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _serve(ticket: Ticket, seats: int) -> None:
    if serve(ticket, seats) != STOPPED:
        os._exit(1)  # the process that started this one is gone, and would be waited for
