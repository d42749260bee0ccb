"""Workers that are processes of this machine: all its cores, without a cluster.

Where it can be (Linux, and no other thread runs yet), they are forks of this process: they have everything loaded, and
begin at once. Elsewhere each is a Python of its own, which loads the same again.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

from runner.errors import refuse
from runner.workers.hub import Hub
from runner.workers.roster import Place, Ticket
from runner.workers.station import STOPPED, serve

LOOPBACK = "127.0.0.1"
START_LIMIT = 60.0
LONGEST_END = 5.0


@contextmanager
def open_processes(number: int, forks: int, modules: Collection[str]) -> Iterator[Hub]:
    """Given how many processes, yield a hub with a station in each; together they take on `forks` targets at a time.
    While it opens, they import those modules.

    Nothing begins one again: a process that is lost stays lost, and the others go on. Raise Refused where they do not
    start.
    """
    begun: list[tuple[BaseProcess, Connection]] = []
    try:
        cores = _cores(number)
        seats = -(-forks // number)
        begun += [_begin(seats, core, modules) for core in cores]  # before the hub and its thread are there
        hub = Hub(Place(LOOPBACK), far=False)
        hub.open()
        try:
            for each, (_, teller) in enumerate(begun):
                teller.send(hub.ticket(f"process {each + 1}"))
            if not hub.wait(lambda: hub.room() >= forks, START_LIMIT):
                raise refuse("--executor", f"{number} processes did not start within {START_LIMIT:g} s", "use fewer")
            yield hub
        finally:
            hub.close()
    finally:
        for process, teller in begun:
            teller.close()
            _end(process)


def _cores(number: int) -> list[int | None]:
    """The core that each of so many processes keeps to; None where they are not as many as there are cores.

    Its threads wait for each other and for servers a dozen times in each check. Where they may be, they are moved from
    core to core meanwhile, and find nothing of theirs in the caches of the next.
    """
    cores = sorted(os.sched_getaffinity(0)) if sys.platform == "linux" else []
    return [*cores] if number == len(cores) else [None] * number


def _begin(seats: int, core: int | None, modules: Collection[str]) -> tuple[BaseProcess, Connection]:
    """Start a process that waits for its ticket; return it, and what to send that by."""
    forked = sys.platform == "linux" and threading.active_count() == 1
    context = get_context("fork") if forked else get_context("spawn")
    heard, teller = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(heard, seats, core, modules, forked), daemon=True)
    process.start()
    heard.close()
    return process, teller


def _end(process: BaseProcess) -> None:
    process.join(LONGEST_END)
    if process.is_alive():
        process.kill()
        process.join(LONGEST_END)


def _work(heard: Connection, seats: int, core: int | None, modules: Collection[str], forked: bool) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):  # they reach all of a terminal, or of a service that is stopped
        signal.signal(number, signal.SIG_IGN)  # what is in flight may end: the process that began this one says when
    if core is not None:
        os.sched_setaffinity(0, {core})
    if forked:
        _let_go(heard.fileno())
    for name in modules:
        import_module(name)
    try:
        ticket: Ticket = heard.recv()
    except EOFError:
        return
    if serve(ticket, seats, far=False) != STOPPED:
        os._exit(1)  # the process that started this one is gone, and would be waited for


def _let_go(kept: int) -> None:
    """Of what a fork has open, keep its own way to hear and the standard streams: locks of files live as long as
    anybody has the file open. What was collected until now stays as it is, so that memory remains shared."""
    gc.freeze()
    for each in map(int, os.listdir("/proc/self/fd")):
        if each > 2 and each != kept:
            with suppress(OSError):  # the folder that was just listed
                os.close(each)
