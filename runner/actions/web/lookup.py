"""Names to addresses, and addresses to connected sockets, each under a deadline."""

from __future__ import annotations

import errno
import queue
import socket
import threading
from collections.abc import Callable, Iterable
from ipaddress import ip_address
from typing import Any

from runner.actions.web.faults import Cause, VisitError, fail
from runner.durations import Deadline

MOST_ADDRESSES = 6

Address = tuple[Any, ...]
Place = tuple[socket.AddressFamily, Address]
Resolver = Callable[[str, int], Iterable[Place]]

_NO_SUCH_NAME = {socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)}
_NO_NETWORK = {errno.ENETUNREACH, errno.ENETDOWN, errno.EADDRNOTAVAIL}


def system_resolver(host: str, port: int) -> list[Place]:
    """Given a name and a port, return the places the operating system knows for it. Raise OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [(family, address) for family, _, _, _, address in found]


def look_up(host: str, port: int, deadline: Deadline, resolver: Resolver = system_resolver) -> tuple[Place, ...]:
    """Given a name, return its places, a few at most. Raise VisitError, also when the lookup does not return in time.

    getaddrinfo knows no time limit, so it runs in a thread of its own that nobody waits for. For an address nobody is
    asked.
    """
    if place := numeric_place(host, port):
        return (place,)
    answers: queue.SimpleQueue[tuple[Place, ...] | OSError | UnicodeError] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put(tuple(dict.fromkeys(resolver(host, port))))
        except (OSError, UnicodeError) as error:
            answers.put(error)

    threading.Thread(target=ask, daemon=True, name=f"lookup-{host}").start()
    try:
        answer = answers.get(timeout=max(0.001, deadline.remaining()))
    except queue.Empty:
        raise fail(Cause.NAME, f"pencarian nama {host} tidak dijawab", ours=True) from None
    if isinstance(answer, tuple):
        return answer[:MOST_ADDRESSES]
    raise _explain_lookup(host, answer)


def numeric_place(host: str, port: int) -> Place | None:
    """Given an IP address and a port, return their place; None for what is no address."""
    try:
        version = ip_address(host).version
    except ValueError:
        return None
    return (socket.AF_INET, (host, port)) if version == 4 else (socket.AF_INET6, (host, port, 0, 0))


def _explain_lookup(host: str, error: OSError | UnicodeError) -> VisitError:
    if isinstance(error, UnicodeError) or error.errno in _NO_SUCH_NAME:
        return fail(Cause.NAME, f"nama {host} tidak dikenal di DNS")
    return fail(Cause.NAME, f"nama {host} tidak dapat dicari: {error.strerror or error}", ours=True)


def connect(places: tuple[Place, ...], deadline: Deadline) -> socket.socket:
    """Given places of one site, return a socket to the first that answers. Raise VisitError when none does.

    Each place gets an even share of what is left, so that one silent address does not use up the others' time.
    """
    errors: list[OSError] = []
    for position, (family, address) in enumerate(places):
        share = deadline.remaining() / (len(places) - position)
        try:
            return _connect_one(family, address, max(0.001, share))
        except OSError as error:
            errors.append(error)
    raise _explain_connect(errors)


def _connect_one(family: socket.AddressFamily, address: Address, seconds: float) -> socket.socket:
    plug = socket.socket(family, socket.SOCK_STREAM)
    try:
        plug.settimeout(seconds)
        plug.connect(address)
    except BaseException:
        plug.close()
        raise
    return plug


def _explain_connect(errors: list[OSError]) -> VisitError:
    ours = bool(errors) and all(error.errno in _NO_NETWORK for error in errors)
    if any(isinstance(error, ConnectionRefusedError) for error in errors):
        return fail(Cause.CONNECT, "koneksi ditolak oleh server")
    if any(isinstance(error, TimeoutError) for error in errors):
        return fail(Cause.CONNECT, "server tidak menjawab permintaan koneksi")
    words = errors[-1].strerror or str(errors[-1]) if errors else "tidak ada alamat"
    return fail(Cause.CONNECT, f"tidak dapat terhubung: {words}", ours=ours)


def any_reachable(references: Iterable[str], deadline: Deadline) -> bool:
    """Given `host:port` texts, return whether at least one accepts a connection before the deadline."""
    names = list(references)
    for position, reference in enumerate(names):
        host, _, port = reference.rpartition(":")
        part = deadline.tightened(deadline.remaining() / (len(names) - position))
        try:
            connect(look_up(host.strip("[]"), int(port), part), part).close()
        except VisitError:
            continue
        return True
    return False
