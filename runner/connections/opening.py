"""Opens SSH connections: over jump hosts, bounded in number and time, to servers whose key is known."""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from random import SystemRandom
from typing import Any, NamedTuple

from runner.connections.dialling import Dialled
from runner.connections.faults import Distrust, explain, is_storm
from runner.connections.library import paramiko
from runner.connections.login import Keyring, Login
from runner.connections.places import Place, Places
from runner.connections.trust import HostKey, KnownHosts, Verdict, host_name, parse_host_key
from runner.connections.wire import PIECE
from runner.durations import Deadline
from runner.errors import Unreachable

CONNECT_LIMIT = 10.0
KEEPALIVE = 15
LOOK_UP = 5.0  # how often paramiko's thread wakes to see whether to keep alive; its ten times a second add up
WINDOW = 8 * 1024 * 1024
AHEAD = 3 * PIECE
MOST_HANDSHAKES = 5  # sshd drops some of more than 10 that have not logged in yet (MaxStartups)
ATTEMPTS = 6
_FAST_CIPHERS = ("aes128-gcm@openssh.com", "aes256-gcm@openssh.com")
# Seconds, milliseconds for TCP_USER_TIMEOUT: a link that has fallen silent is noticed, not waited on for hours.
_SILENCE = {"TCP_KEEPIDLE": 10, "TCP_KEEPALIVE": 10, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 3, "TCP_USER_TIMEOUT": 20_000}


logging.getLogger("paramiko").addHandler(logging.NullHandler())  # what it has to say is in the errors it raises


class Opened(NamedTuple):
    """An open connection, and the one to the jump host that it goes over."""

    transport: paramiko.Transport
    jump: Opened | None = None

    def hang_up(self) -> None:
        """End the connection; paramiko's thread wakes and ends."""
        if isinstance(self.transport.sock, socket.socket):
            with suppress(OSError):
                self.transport.sock.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """Close the connection and those it goes over."""
        self.hang_up()
        self.transport.close()
        if self.jump:
            self.jump.close()


class Opener:
    """Opens connections; reads each private key, known_hosts file and ssh_config once. Safe to use from threads."""

    def __init__(self, known_hosts: Sequence[Path], dialled: Dialled | None = None) -> None:
        self._known_hosts = KnownHosts(known_hosts)
        self._dialled = dialled or Dialled()
        self._keyring = Keyring()
        self._places = Places()
        self._lock = threading.Lock()
        self._doors: dict[tuple[str, int], threading.BoundedSemaphore] = {}

    def open(self, login: Login, deadline: Deadline) -> Opened:
        """Return an open connection to a server whose key is known. Raise Unreachable with the reason and a cure."""
        place = self._places.find(login)
        try:
            opened = self._open(place, login, deadline)
        except Exception as error:
            raise explain(error, place, login) from error
        opened.transport.set_keepalive(KEEPALIVE)
        opened.transport.sock.settimeout(LOOK_UP)
        return opened

    def fetch_host_key(self, login: Login, deadline: Deadline) -> tuple[HostKey, Verdict]:
        """Return the key that a server shows, and what is known about it. Raise Unreachable."""
        place = self._places.find(login)
        try:
            self._open(place, login, deadline, only_look=True).close()
        except Distrust as shown:
            return shown.key, shown.verdict
        except Exception as error:
            raise explain(error, place, login) from error
        raise Unreachable(f"{login.name}: it shows no host key. is {login.address} an SSH server?")

    def _open(self, place: Place, login: Login, deadline: Deadline, *, only_look: bool = False) -> Opened:
        jump = self._open_jump(place.jump, login, deadline) if place.jump else None
        try:
            with self._door(place, deadline):
                return Opened(self._open_patiently(place, jump, login, deadline, only_look=only_look), jump)
        except BaseException:
            if jump:
                jump.close()
            raise

    def _open_jump(self, place: Place, login: Login, deadline: Deadline) -> Opened:
        hop = Login(f"{login.name} (jump host {place.host})", place.host, inner_identity=login.identity)
        try:
            return self._open(place, hop, deadline)
        except Exception as error:
            raise explain(error, place, hop) from error

    @contextmanager
    def _door(self, place: Place, deadline: Deadline) -> Iterator[None]:
        """Wait for one's turn to open a connection to this place."""
        with self._lock:
            door = self._doors.setdefault((place.host, place.port), threading.BoundedSemaphore(MOST_HANDSHAKES))
        if not door.acquire(timeout=deadline.remaining()):
            raise TimeoutError
        try:
            yield
        finally:
            door.release()

    def _open_patiently(
        self, place: Place, jump: Opened | None, login: Login, deadline: Deadline, *, only_look: bool
    ) -> paramiko.Transport:
        attempt = 1
        while True:
            try:
                return self._open_one(place, jump, login, deadline, only_look=only_look)
            except Exception as error:
                pause = SystemRandom().uniform(0.1, 0.4) * attempt
                if not is_storm(error) or attempt == ATTEMPTS or deadline.remaining() < pause:
                    raise
                time.sleep(pause)
                attempt += 1

    def _open_one(
        self, place: Place, jump: Opened | None, login: Login, deadline: Deadline, *, only_look: bool
    ) -> paramiko.Transport:
        limit = max(0.1, min(CONNECT_LIMIT, deadline.remaining()))
        trust = _Trust(self._known_hosts, place, login, only_look=only_look)
        strategy = self._keyring.strategy(login, place.user, place.identities)
        transport = trust.build_transport(self._reach(place, jump, limit))
        transport.banner_timeout = transport.auth_timeout = transport.channel_timeout = limit
        try:
            transport.start_client(timeout=limit)
            trust.check(transport.get_remote_server_key())
            strategy.authenticate(transport)
        except BaseException:
            transport.close()
            raise
        return transport

    def _reach(self, place: Place, jump: Opened | None, limit: float) -> Any:
        """Return a socket, or what serves as one, to that place."""
        if jump:
            return jump.transport.open_channel("direct-tcpip", (place.host, place.port), ("", 0), timeout=limit)
        if place.command:
            return paramiko.ProxyCommand(place.command)
        begun = self._dialled.take(place.host, place.port, limit)
        return _prepare(begun or socket.create_connection((place.host, place.port), limit), limit)


class _Trust:
    """Holds the key that a server shows against those that are known."""

    def __init__(self, known: KnownHosts, place: Place, login: Login, *, only_look: bool) -> None:
        self._known = known
        self._host = host_name(place.host, place.port)
        self._only_look = only_look
        self._pinned = parse_host_key(self._host, login.host_key) if login.host_key else None

    def build_transport(self, sock: Any) -> paramiko.Transport:
        """Return a transport that asks for a kind of host key that is known, and prefers the fastest ciphers."""
        transport = paramiko.Transport(sock, default_window_size=WINDOW)
        security = transport.get_security_options()
        security.ciphers = _first(_FAST_CIPHERS, security.ciphers)
        known = (self._pinned.kind,) if self._pinned else self._known.kinds(self._host)
        # A known RSA key ("ssh-rsa") is shown under the names of its newer signatures.
        wanted = [kind for kind in security.key_types if kind in known or (kind[:3] == "rsa" and "ssh-rsa" in known)]
        security.key_types = _first(wanted, security.key_types)
        return transport

    def check(self, key: paramiko.PKey) -> None:
        """Given the key that the server shows, raise Distrust unless it is known."""
        shown = HostKey(self._host, key.get_name(), key.get_base64())
        verdict = self._known.judge(shown)
        if self._pinned and verdict is not Verdict.REVOKED:
            verdict = Verdict.KNOWN if self._pinned.key == shown.key else Verdict.CHANGED
        if self._only_look or verdict is not Verdict.KNOWN:
            raise Distrust(verdict, shown)


class _ReadingAhead(socket.socket):
    """A socket that takes all that is there at once: paramiko asks for each packet in two pieces. For one reader."""

    _ahead = b""
    _at = 0

    def recv(self, size: int, flags: int = 0) -> bytes:
        """Return what was taken already, or take more."""
        if self._at == len(self._ahead):
            self._ahead, self._at = super().recv(max(size, AHEAD), flags), 0
        taken = self._ahead[self._at : self._at + size]
        self._at += len(taken)
        return taken


def _prepare(connection: socket.socket, limit: float) -> socket.socket:
    """Given a TCP connection, return it as one that sends at once and notices when the other side falls silent."""
    sock = _ReadingAhead(fileno=connection.detach())
    sock.settimeout(limit)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in _SILENCE.items():
        if hasattr(socket, option):
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)
    return sock


def _first(wanted: Sequence[str], available: Sequence[str]) -> tuple[str, ...]:
    chosen = tuple(name for name in wanted if name in available)
    return (*chosen, *(name for name in available if name not in chosen))
