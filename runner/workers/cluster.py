"""Workers on a Dask cluster: a station on each, also on those that join later or come back."""

from __future__ import annotations

import json
import logging
import os
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import SplitResult, urlsplit

from runner.errors import Refused, refuse
from runner.workers.fence import check_fence
from runner.workers.hub import Hub
from runner.workers.roster import Place, Ticket
from runner.workers.station import knock, serve

if TYPE_CHECKING:
    from distributed import Client, Future, Security

CONNECT_LIMIT = 10.0
FIRST_WORKER = 60.0
LOOK_AGAIN = 1.0
TRY_AGAIN = 10.0
SCHEDULER_PORT = 8786


class _Taken(NamedTuple):
    """A call that takes a station on: its name, what Dask says of it, and when it was made."""

    call: str
    future: Future
    at: float


@contextmanager
def open_cluster(asked: SplitResult, place: Place | None, *, confidential: bool) -> Iterator[Hub]:
    """Given the address of a scheduler, yield a hub with a station on each of its workers.

    `place` is where workers reach this machine, where that was said. Raise Refused where there is no such cluster, no
    worker comes, or secrets would cross a network as they are.
    """
    address = _find_address(asked)
    encrypted = address.scheme == "tls"
    if confidential and not encrypted and not _is_loopback(address.hostname or ""):
        raise refuse(
            "--executor",
            "this run uses secrets, and that connection is not encrypted",
            "start scheduler and workers with TLS and write tls://HOST:PORT",
        )
    own = _own_address(address)
    _find_distributed()
    client, security = _connect(address)
    tls = security.get_listen_args("client")["ssl_context"] if encrypted else None
    hub = Hub(place or Place(own), tls)
    crew = _Crew(client, hub)
    try:
        hub.open()
        crew.begin()
        try:
            yield hub
        finally:
            crew.end()
            hub.close()
    finally:
        with suppress(Exception):  # a scheduler that is gone is no reason for a run to end badly
            client.close(timeout=5)


class _Crew:
    """Sees to it that each worker of the cluster has one station."""

    def __init__(self, client: Client, hub: Hub) -> None:
        self._client = client
        self._hub = hub
        self._taken: dict[str, _Taken] = {}
        self._numbers = count(1)
        self._ended = threading.Event()
        self._why = ""

    def begin(self) -> None:
        """Take the first stations on. Raise Refused where none comes, or where calls break the fence."""
        end = time.monotonic() + FIRST_WORKER
        while not self._client.nthreads():
            if time.monotonic() > end:
                raise refuse("--executor", "the cluster has no workers", "start some: dask worker SCHEDULER:PORT")
            time.sleep(LOOK_AGAIN)
        check_fence(self._hub, lambda ticket: self._client.submit(_knock, ticket, pure=False, retries=0))
        while not self._hub.room():
            self._look()
            if not self._hub.wait(lambda: self._hub.room() > 0 or bool(self._hub.refusals), LOOK_AGAIN):
                self._note_failures()
            if self._hub.refusals or time.monotonic() > end:
                break
        if not self._hub.room():
            raise self._refusal()
        threading.Thread(target=self._keep_looking, name="crew", daemon=True).start()

    def end(self) -> None:
        """Take nobody on any more."""
        self._ended.set()

    def _keep_looking(self) -> None:
        while not self._ended.wait(LOOK_AGAIN):
            with suppress(Exception):  # a scheduler that is being restarted answers in many ways; it is asked again
                self._look()

    def _look(self) -> None:
        workers = self._client.nthreads()
        for address in self._taken.keys() - workers.keys():
            self._taken.pop(address).future.release()
        for address, threads in workers.items():
            taken = self._taken.get(address)
            if taken is None or self._is_free(taken):
                self._take(address, threads)

    def _is_free(self, taken: _Taken) -> bool:
        """Whether the call on a worker has ended, whatever Dask says of it after its scheduler was restarted."""
        over = taken.future.status != "pending" and not self._hub.has(taken.call)
        return over and time.monotonic() > taken.at + TRY_AGAIN

    def _take(self, address: str, threads: int) -> None:
        call = f"sop-{os.getpid()}-{next(self._numbers)}"
        future = self._client.submit(
            _serve,
            self._hub.ticket(call),
            threads,
            key=call,
            workers=[address],
            allow_other_workers=False,
            pure=False,
            retries=0,
        )
        self._taken[address] = _Taken(call, future, time.monotonic())

    def _note_failures(self) -> None:
        for address, taken in self._taken.items():
            if taken.future.status == "finished":
                self._why = f"the worker {address} came home: {taken.future.result(timeout=CONNECT_LIMIT)}"
            elif taken.future.status == "error":
                self._why = f"the worker {address} cannot: {taken.future.exception(timeout=CONNECT_LIMIT)}"

    def _refusal(self) -> Refused:
        why = next(iter(self._hub.refusals.values()), self._why) or f"no worker came within {FIRST_WORKER:g} s"
        return refuse("--executor", why, "see docs/workers.md")


def _serve(ticket: Ticket, seats: int) -> str:
    """What runs on a worker."""
    from distributed import get_worker
    from distributed.core import Status

    import runner.connections.ssh  # noqa: F401  # paramiko's modules cannot be imported by two threads at once

    worker = get_worker()
    return serve(ticket, seats, _tls_of_worker(), lambda: worker.status is not Status.running)


def _knock(ticket: Ticket) -> str:
    return knock(ticket, _tls_of_worker())


def _tls_of_worker() -> ssl.SSLContext | None:
    from distributed import get_worker

    worker = get_worker()
    encrypted = worker.address.startswith("tls://")
    context: ssl.SSLContext | None = worker.security.get_connection_args("worker")["ssl_context"]
    return context if encrypted else None


def _find_address(asked: SplitResult) -> SplitResult:
    """The scheduler's address: as it was asked for, or from the file in which a scheduler says where it is."""
    if asked.hostname:
        protocol = "tls" if asked.scheme == "tls" else "tcp"
        host = f"[{asked.hostname}]" if ":" in asked.hostname else asked.hostname
        return urlsplit(f"{protocol}://{host}:{asked.port or SCHEDULER_PORT}")
    try:
        return urlsplit(str(json.loads(Path(asked.path).read_text(encoding="utf-8"))["address"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        why = f"'{asked.path}' is no scheduler's file: {error}"
        raise refuse("--executor", why, "write dask://HOST:PORT, or dask:///PATH of its --scheduler-file") from error


def _own_address(address: SplitResult) -> str:
    """The address of this machine on the way to the scheduler. Raise Refused where nobody listens there."""
    try:
        with socket.create_connection((address.hostname, address.port), CONNECT_LIMIT) as probe:
            return str(probe.getsockname()[0])
    except OSError as error:
        raise _no_answer(address, str(error)) from error


def _connect(address: SplitResult) -> tuple[Client, Security]:
    from distributed import Client, Security

    security = Security()  # from Dask's own files and environment: distributed.comm.tls.…
    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # what matters of it is said in our own words
    try:
        return Client(address.geturl(), timeout=CONNECT_LIMIT, security=security, set_as_default=False), security
    except (OSError, TimeoutError, ValueError, TypeError) as error:
        raise _no_answer(address, str(error)) from error


def _no_answer(address: SplitResult, why: str) -> Refused:
    first = why.splitlines()[0] if why else "nothing"
    cure = "start one: dask scheduler. for tls:// name the files of its keys in Dask's configuration"
    return refuse("--executor", f"no scheduler answers at {address.geturl()}: {first}", cure)


def _is_loopback(host: str) -> bool:
    return host in ("localhost", "::1") or host.startswith("127.")


def _find_distributed() -> None:
    try:
        import distributed  # noqa: F401  # only whether it is there
    except ImportError:
        raise refuse(
            "--executor", "the package 'distributed' is not installed", "run: pip install 'sop-runner[dask]'"
        ) from None
