"""Opens SSH connections through fabric: over jump hosts, bounded in number and time, to servers whose key is known."""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import SystemRandom
from typing import Any

import fabric
import paramiko

from runner.connections.faults import Distrust, explain, is_storm
from runner.connections.login import Keyring, Login
from runner.connections.trust import HostKey, KnownHosts, Verdict, host_name, parse_host_key
from runner.durations import Deadline
from runner.errors import Unreachable

CONNECT_LIMIT = 10.0
KEEPALIVE = 15
WINDOW = 8 * 1024 * 1024
MOST_HANDSHAKES = 5  # sshd drops some of more than 10 that have not logged in yet (MaxStartups)
ATTEMPTS = 6
_FAST_CIPHERS = ("aes128-gcm@openssh.com", "aes256-gcm@openssh.com")
# Seconds, milliseconds for TCP_USER_TIMEOUT: a link that has fallen silent is noticed, not waited on for hours.
_SILENCE = {"TCP_KEEPIDLE": 10, "TCP_KEEPALIVE": 10, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 3, "TCP_USER_TIMEOUT": 20_000}


logging.getLogger("paramiko").addHandler(logging.NullHandler())  # what it has to say is in the errors it raises


class _Connection(fabric.Connection):  # type: ignore[misc]  # fabric has no types
    """What fabric sets on itself without declaring it goes into the configuration, which all connections share: it is
    merged anew, and for a moment other threads find nothing in it."""

    inline_ssh_env = True


class Opener:
    """Opens connections; reads each private key, known_hosts file and ssh_config once. Safe to use from threads."""

    def __init__(self, known_hosts: Sequence[Path]) -> None:
        self._known_hosts = KnownHosts(known_hosts)
        self._keyring = Keyring()
        self._lock = threading.Lock()
        self._configs: dict[str, fabric.Config] = {}
        self._doors: dict[tuple[str, int], threading.BoundedSemaphore] = {}

    def open(self, login: Login, deadline: Deadline) -> fabric.Connection:
        """Return an open connection to a server whose key is known. Raise Unreachable with the reason and a cure."""
        connection = self._build(login)
        try:
            self._open_chain(connection, login, deadline)
        except BaseException as error:
            close_connection(connection)
            if isinstance(error, Exception):
                raise explain(error, connection, login) from error
            raise
        connection.transport.set_keepalive(KEEPALIVE)
        return connection

    def fetch_host_key(self, login: Login, deadline: Deadline) -> tuple[HostKey, Verdict]:
        """Return the key that a server shows, and what is known about it. Raise Unreachable."""
        connection = self._build(login)
        try:
            self._open_chain(connection, login, deadline, only_look=True)
        except Distrust as shown:
            return shown.key, shown.verdict
        except Exception as error:
            raise explain(error, connection, login) from error
        finally:
            close_connection(connection)
        raise Unreachable(f"{login.name}: it shows no host key. is {login.address} an SSH server?")

    def _build(self, login: Login) -> fabric.Connection:
        config = self._config(login.ssh_config)
        gateway = None
        for hop in filter(None, login.proxy_jump.split(",")):
            gateway = _Connection(hop.strip(), config=config, gateway=gateway or False)
        return _Connection(login.address, user=login.user, port=login.port, config=config, gateway=gateway)

    def _config(self, path: str) -> fabric.Config:
        with self._lock:
            if path not in self._configs:
                self._configs[path] = _load_config(path)
            return self._configs[path]

    def _open_chain(
        self, connection: fabric.Connection, login: Login, deadline: Deadline, *, only_look: bool = False
    ) -> None:
        gateway = connection.gateway
        if isinstance(gateway, fabric.Connection):
            hop = Login(f"{login.name} (jump host {gateway.host})", gateway.host, inner_identity=login.identity)
            try:
                self._open_chain(gateway, hop, deadline)
            except Exception as error:
                raise explain(error, gateway, hop) from error
        with self._door(connection, deadline):
            self._open_patiently(connection, login, deadline, only_look=only_look)

    @contextmanager
    def _door(self, connection: fabric.Connection, deadline: Deadline) -> Iterator[None]:
        """Wait for one's turn to open a connection to this place."""
        place = (str(connection.host), int(connection.port))
        with self._lock:
            door = self._doors.setdefault(place, threading.BoundedSemaphore(MOST_HANDSHAKES))
        if not door.acquire(timeout=deadline.remaining()):
            raise TimeoutError
        try:
            yield
        finally:
            door.release()

    def _open_patiently(
        self, connection: fabric.Connection, login: Login, deadline: Deadline, *, only_look: bool
    ) -> None:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                self._open_one(connection, login, deadline, only_look=only_look)
            except Exception as error:
                pause = SystemRandom().uniform(0.1, 0.4) * attempt
                if not is_storm(error) or attempt == ATTEMPTS or deadline.remaining() < pause:
                    raise
                connection.client.close()
                time.sleep(pause)
            else:
                return

    def _open_one(self, connection: fabric.Connection, login: Login, deadline: Deadline, *, only_look: bool) -> None:
        limit = max(0.1, min(CONNECT_LIMIT, deadline.remaining()))
        trust = _Trust(self._known_hosts, str(connection.host), int(connection.port), login, only_look=only_look)
        connection.client.set_missing_host_key_policy(trust)
        configured = connection.ssh_config.get("identityfile", [])
        connection.connect_kwargs = {
            "timeout": limit,
            "banner_timeout": limit,
            "auth_timeout": limit,
            "channel_timeout": limit,
            "transport_factory": trust.build_transport,
            "auth_strategy": self._keyring.strategy(login, str(connection.user), configured),
        }
        if not connection.gateway:
            connection.connect_kwargs["sock"] = _connect(str(connection.host), int(connection.port), limit)
        connection.open()


class _Trust(paramiko.MissingHostKeyPolicy):
    """Holds the key that a server shows against those that are known."""

    def __init__(self, known: KnownHosts, address: str, port: int, login: Login, *, only_look: bool) -> None:
        self._known = known
        self._host = host_name(address, port)
        self._login = login
        self._only_look = only_look
        self._pinned = parse_host_key(self._host, login.host_key) if login.host_key else None

    def build_transport(self, sock: Any, **options: Any) -> paramiko.Transport:
        """Return a transport that asks for a kind of host key that is known, and prefers the fastest ciphers."""
        transport = paramiko.Transport(sock, default_window_size=WINDOW, **options)
        security = transport.get_security_options()
        security.ciphers = _first(_FAST_CIPHERS, security.ciphers)
        known = (self._pinned.kind,) if self._pinned else self._known.kinds(self._host)
        # A known RSA key ("ssh-rsa") is shown under the names of its newer signatures.
        wanted = [kind for kind in security.key_types if kind in known or (kind[:3] == "rsa" and "ssh-rsa" in known)]
        security.key_types = _first(wanted, security.key_types)
        return transport

    def missing_host_key(self, client: paramiko.SSHClient, hostname: str, key: paramiko.PKey) -> None:
        """Raise Distrust unless the key is known. paramiko asks for every server, as it is given no keys itself."""
        shown = HostKey(self._host, key.get_name(), key.get_base64())
        verdict = self._known.judge(shown)
        if self._pinned and verdict is not Verdict.REVOKED:
            verdict = Verdict.KNOWN if self._pinned.key == shown.key else Verdict.CHANGED
        if self._only_look or verdict is not Verdict.KNOWN:
            raise Distrust(verdict, shown)


def close_connection(connection: fabric.Connection) -> None:
    """Close a connection and the jump hosts it came over."""
    connection.client.close()
    if isinstance(connection.gateway, fabric.Connection):
        close_connection(connection.gateway)


def _load_config(path: str) -> fabric.Config:
    """Return fabric's settings with the given ssh_config, or the user's and the system's; no file of fabric's own."""
    config = fabric.Config(lazy=True, runtime_ssh_path=str(Path(path).expanduser()) if path else None)
    try:
        config.load_ssh_config()
    except OSError as error:
        raise Unreachable(f"{path}: cannot be read: {error.strerror}. correct `ssh_config`") from error
    return config


def _connect(address: str, port: int, limit: float) -> socket.socket:
    """Return a TCP connection that sends at once and notices when the other side falls silent."""
    sock = socket.create_connection((address, port), limit)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in _SILENCE.items():
        if hasattr(socket, option):
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)
    return sock


def _first(wanted: Sequence[str], available: Sequence[str]) -> tuple[str, ...]:
    chosen = tuple(name for name in wanted if name in available)
    return (*chosen, *(name for name in available if name not in chosen))
