"""Connections to servers: one for each, for the whole run.

Importing this does not load paramiko; the first SSH connection does.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from runner.connections.dialling import Dialled
from runner.connections.local import LocalConnection
from runner.connections.trust import USUAL_FILES, HostKey, Verdict, record_host_key
from runner.contract import Command, Connection
from runner.durations import Deadline
from runner.errors import Failed

if TYPE_CHECKING:
    from runner.connections.opening import Opener
    from runner.connections.ssh import SshConnection

__all__ = ["Connections", "HostKey", "Server", "Verdict", "open_connections", "record_host_key"]


MOST_OPEN = 500  # each has a thread of paramiko's and a descriptor, which are as a rule a thousand at most
REST = 5.0


class Server(Protocol):
    """A server of the inventory. Its settings: `connection` (local or ssh), `address`, `port`, `user`, `identity`,
    `password`, `proxy_jump` (hops between commas), `ssh_config` (a file), `host_key` ("type base64")."""

    @property
    def name(self) -> str:
        """Its name in the inventory."""

    @property
    def settings(self) -> Mapping[str, Any]:
        """What the inventory says about it."""


class Connections:
    """All connections of a run. Safe to use from threads."""

    def __init__(self, known_hosts: Sequence[Path]) -> None:
        self._known_hosts = known_hosts
        self._lock = threading.Lock()
        self._dialled = Dialled()
        self._opener: Opener | None = None
        self._connections: dict[str, SshConnection | LocalConnection] = {}
        self._used: dict[str, tuple[float, SshConnection]] = {}  # the one that was not asked for longest first

    def get(self, server: Server | None) -> Connection:
        """Return the one connection to a server; None means this machine. It opens with its first command."""
        name = server.name if server else ""
        with self._lock:
            if name not in self._connections:
                self._connections[name] = self._build(server)
            found = self._connections[name]
            if not isinstance(found, LocalConnection):
                self._note_use(name, found)
            return found

    def _note_use(self, name: str, connection: SshConnection) -> None:
        """Close the connection that was not asked for longest, where too many are open; it opens again when needed."""
        now = time.monotonic()
        self._used.pop(name, None)
        self._used[name] = now, connection
        while len(self._used) > MOST_OPEN:
            oldest, (asked_for, other) = next(iter(self._used.items()))
            if now - asked_for <= REST:
                return
            del self._used[oldest]
            if not other.rest():
                self._used[oldest] = now, other

    @contextmanager
    def expect(self, servers: Iterable[Server], first: Iterable[Server] = ()) -> Iterator[None]:
        """Load what SSH needs beside the block, where one of these servers is reached over it. To the `first` of them,
        which are needed at once, a connection is begun already.

        The block should wait for the disk rather than import: paramiko's modules import each other in a circle,
        which two threads at once would break.
        """
        self._dialled.begin(each.settings for each in first if each.settings.get("connection") != "local")
        loading = threading.Thread(target=_load_ssh, name="load-ssh", daemon=True)
        if any(server.settings.get("connection") != "local" for server in servers):
            loading.start()
        try:
            yield
        finally:
            if loading.ident:
                loading.join()

    def ping(self, server: Server, deadline: Deadline) -> float:
        """Run `true` there and return the seconds it took with connecting. Raise Unreachable, TimeUp or Failed."""
        start = time.monotonic()
        result = self.get(server).run(Command(argv=("true",)), deadline)
        if result.exit_code:
            raise Failed(f"{server.name}: connects, but runs no commands. check the user's shell")
        return time.monotonic() - start

    def fetch_host_key(self, server: Server, deadline: Deadline) -> tuple[HostKey, Verdict]:
        """Return the key that a server shows, for a person to judge, and what is known about it. Raise Unreachable."""
        from runner.connections.login import Login

        with self._lock:
            opener = self._open_opener()
        return opener.fetch_host_key(Login.of(server.name, server.settings), deadline)

    def close(self) -> None:
        """End everything that still runs over these connections."""
        self._dialled.close()
        with self._lock:
            connections = list(self._connections.values())
            self._connections.clear()
        for connection in connections:
            connection.hang_up()  # all of them, before the end of any is waited for
        for connection in connections:
            connection.close()

    def _build(self, server: Server | None) -> SshConnection | LocalConnection:
        if server is None or server.settings.get("connection") == "local":
            return LocalConnection(server.name if server else "this machine")
        from runner.connections.login import Login
        from runner.connections.ssh import SshConnection

        return SshConnection(Login.of(server.name, server.settings), self._open_opener())

    def _open_opener(self) -> Opener:
        from runner.connections.opening import Opener

        if self._opener is None:
            self._opener = Opener(self._known_hosts, self._dialled)
        return self._opener


def _load_ssh() -> None:
    import runner.connections.ssh  # noqa: F401  # for its effect: it takes as long as opening the record


def open_connections(*, trusted: Path | None = None, known_hosts: Sequence[Path] = USUAL_FILES) -> Connections:
    """Return the connections of a run. `trusted` is the known_hosts file that `sop inventory trust` writes,
    `known_hosts` those that are read beside it."""
    return Connections(((trusted,) if trusted else ()) + tuple(known_hosts))
