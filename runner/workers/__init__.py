"""Where acts are done: threads here, processes of this machine, or the workers of a Dask cluster."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import parse_qs, urlsplit

from runner.engine.executors import Executor, Threads
from runner.errors import refuse
from runner.plan import Plan

if TYPE_CHECKING:
    from runner.workers.hub import Hub
    from runner.workers.roster import Place

THREADS = "threads"
MOST_PROCESSES = 64
_FORMS = "write threads, processes:4, dask://HOST:PORT or tls://HOST:PORT"


class Staff(NamedTuple):
    """An executor, how many targets it can take on at a time just now, and how long an act may wait for its turn."""

    executor: Executor
    room: Callable[[], int] = lambda: sys.maxsize
    patience: float = 0.0


@contextmanager
def open_staff(asked: str, plan: Plan, *, forks: int, confidential: bool) -> Iterator[Staff]:
    """Given `--executor` and what is to be done, yield who does acts until the block ends.

    `confidential` tells that acts may hold secrets. Raise Refused for what cannot be had.
    """
    scheme = asked.partition(":")[0]
    if asked == THREADS:
        threads = Threads()
        yield Staff(threads)
        threads.close()
    elif scheme == "processes":
        from runner.workers.processes import open_processes

        with open_processes(_number(asked), forks, _modules_of(plan)) as hub:
            yield _staff(hub)
    elif scheme in ("dask", "tcp", "tls"):
        from runner.workers.cluster import open_cluster

        url = urlsplit(asked)
        with open_cluster(url, _place(asked, url.query), confidential=confidential) as hub:
            yield _staff(hub)
    else:
        raise refuse("--executor", f"'{asked}' is none", _FORMS)


def _modules_of(plan: Plan) -> frozenset[str]:
    """What the actions of a plan import when they begin."""
    tasks = [task for step in plan.steps if step.selected for task in step.tasks]
    return frozenset(name for task in tasks for name in task.action.modules)


def _staff(hub: Hub) -> Staff:
    from runner.workers.hub import PATIENCE

    return Staff(hub, hub.room, PATIENCE)


def _number(asked: str) -> int:
    _, colon, text = asked.partition(":")
    if not colon:
        return min(os.cpu_count() or 1, MOST_PROCESSES)
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= MOST_PROCESSES):
        raise refuse("--executor", f"'{asked}' does not say how many", f"write a number from 1 to {MOST_PROCESSES}")
    return int(text)


def _place(asked: str, query: str) -> Place | None:
    """Where workers reach this machine, as `?here=HOST:PORT` says it; None where nothing was said."""
    from runner.workers.roster import Place

    if not query:
        return None
    here = parse_qs(query).get("here", [""])[0]
    host, _, port = here.rpartition(":")
    if not host or not port.isdigit() or int(port) > 65535:
        raise refuse("--executor", f"'{asked}' does not say where workers reach this machine", "write ?here=HOST:PORT")
    return Place("", int(port), known_as=host.strip("[]"))
