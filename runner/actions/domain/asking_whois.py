"""Asking a registry over WHOIS. python-whois speaks the protocol, over sockets of ours.

Those close what it leaves open: all its sockets together get one deadline, one size limit and a few connections, so a
server that drips, floods, or makes it ask again and again ends; a failure is never an answer; the bytes stay as they
came. It is not asked to follow a registry's referral to a registrar: the registry itself has the dates.
"""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any

from runner.actions.domain.findings import Cause, Finding, Reply, unknown
from runner.actions.domain.whois import LARGEST, understand_whois
from runner.actions.web.certificates import parse_endpoint
from runner.actions.web.faults import Cause as WebCause
from runner.actions.web.faults import VisitError
from runner.actions.web.lookup import connect, look_up
from runner.durations import Deadline

PORT = 43
MOST_CONNECTIONS = 2
IANA = "whois.iana.org"
SERVERS = {"id": "whois.id", "com": "whois.verisign-grs.com", "net": "whois.verisign-grs.com"}

_HOST = re.compile(r"(?=.{4,253}\Z)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]\Z")


class _Stop(Exception):
    """The conversation ends here, for a cause that is ours to tell."""

    def __init__(self, cause: Cause, reason: str) -> None:
        self.finding = unknown(cause, reason)
        super().__init__(reason)


@dataclass(slots=True)
class _Talk:
    """One conversation: its deadline, where port 43 stands in for another one, and what came so far."""

    deadline: Deadline
    port: int = PORT
    told_by_others: bool = False
    connections: int = 0
    received: bytearray = field(default_factory=bytearray)
    plugs: list[_Plug] = field(default_factory=list)

    def plug(self, host: str = "") -> _Plug:
        self.plugs.append(_Plug(self, host))
        return self.plugs[-1]

    def close(self) -> None:
        """Close what python-whois leaves open when it breaks off."""
        for plug in self.plugs:
            plug.close()


class _Plug:
    """What python-whois needs of a socket; with `host` it goes there, whichever one python-whois has built in."""

    def __init__(self, talk: _Talk, host: str) -> None:
        self._talk = talk
        self._host = host
        self._socket: socket.socket | None = None

    def settimeout(self, seconds: float) -> None:
        """Its timeout begins anew with every byte; the deadline holds instead."""

    def connect(self, place: tuple[str, int]) -> None:
        talk = self._talk
        talk.connections += 1
        if talk.connections > MOST_CONNECTIONS:
            raise _Stop(Cause.REFUSED, "server WHOIS merujuk terus-menerus")
        talk.received.clear()
        host = self._host or place[0]
        places = look_up(host, talk.port, talk.deadline)
        if talk.told_by_others and not all(ip_address(str(address[0])).is_global for _, address in places):
            raise _Stop(Cause.REFUSED, f"rujukan ke {host}, yang bukan alamat umum, tidak diikuti")
        self._socket = connect(places, talk.deadline)

    def send(self, data: bytes) -> int:
        self._ready().sendall(data)
        return len(data)

    def recv(self, size: int) -> bytes:
        piece = self._ready().recv(size)
        self._talk.received += piece
        if len(self._talk.received) > LARGEST:
            raise _Stop(Cause.SIZE, f"jawaban WHOIS lebih besar daripada {LARGEST} byte")
        return piece

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()

    def _ready(self) -> socket.socket:
        assert self._socket is not None
        left = self._talk.deadline.remaining()
        if left <= 0:
            raise TimeoutError
        self._socket.settimeout(left)
        return self._socket


def ask_whois(domain: str, deadline: Deadline, *, server: str = "", iana: str = IANA) -> Reply:
    """Given a domain, ask its registry's WHOIS server (or the one at `server`, host:port). Never raises.

    Which server that is, IANA's tells (`iana`, host:port), save for those that are known here.
    """
    known = server or SERVERS.get(domain.rpartition(".")[2], "")
    named = known or iana
    try:
        host, port = _endpoint(known) if known else _find_server(domain, iana, deadline)
        named = host if port == PORT else f"{host}:{port}"
        talk = _Talk(deadline, port, told_by_others=not known)
        fault = _converse(talk, domain, host)
    except (_Stop, VisitError, OSError, ValueError) as error:
        return Reply("whois", named, _explain(error))
    return Reply("whois", named, _conclude(talk, fault, domain), bytes(talk.received))


def _endpoint(server: str) -> tuple[str, int]:
    return parse_endpoint(server) if ":" in server else (server, PORT)


def _client(talk: _Talk, host: str) -> Any:
    from whois.whois import NICClient

    client = NICClient()
    client.get_socket = lambda: talk.plug(host)
    return client


def _find_server(domain: str, iana: str, deadline: Deadline) -> tuple[str, int]:
    host, port = _endpoint(iana)
    talk = _Talk(deadline.tightened(deadline.remaining() / 2), port)
    try:
        found = (_client(talk, host).findwhois_iana(domain.rpartition(".")[2]) or "").strip().lower()
    finally:
        talk.close()
    if not found:
        raise _Stop(Cause.NO_SOURCE, f"tidak ada server WHOIS untuk .{domain.rpartition('.')[2]}")
    if not _HOST.match(found):
        raise _Stop(Cause.UNREADABLE, "IANA menunjuk server WHOIS dengan nama yang tidak sah")
    return found, PORT


def _converse(talk: _Talk, domain: str, host: str) -> Exception | None:
    """Hold the conversation; return what ended it too early, if anything did."""
    try:
        _client(talk, host).whois(domain, host, 0, quiet=True, ignore_socket_errors=False)
    except (_Stop, VisitError, OSError, ValueError) as error:
        return error
    finally:
        talk.close()
    return None


def _conclude(talk: _Talk, fault: Exception | None, domain: str) -> Finding:
    if fault is None:
        return understand_whois(bytes(talk.received), domain)
    if isinstance(fault, ConnectionResetError) and talk.received:
        found = understand_whois(bytes(talk.received), domain)
        if found.expires or found.cause is Cause.THROTTLED:
            return found
    return _explain(fault)


def _explain(error: Exception) -> Finding:
    if isinstance(error, _Stop):
        return error.finding
    if isinstance(error, VisitError):
        cause = Cause.SILENT if error.fault.cause is WebCause.TIME else Cause.UNREACHABLE
        return unknown(cause, f"server WHOIS: {error.fault.message}")
    if isinstance(error, TimeoutError):
        return unknown(Cause.SILENT, "jawaban WHOIS tidak selesai dalam batas waktu")
    if isinstance(error, OSError):
        return unknown(Cause.UNREACHABLE, f"sambungan ke server WHOIS putus: {error.strerror or type(error).__name__}")
    return unknown(Cause.UNREADABLE, "server WHOIS tidak dapat dimengerti")
