"""TCP connections begun ahead: while this side still loads what speaks SSH, the servers' sshd get ready."""

from __future__ import annotations

import re
import select
import socket
import threading
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

USUAL_CONFIGS = ("~/.ssh/config", "/etc/ssh/ssh_config")
FRESH = 10.0  # seconds: an sshd that waits for a login closes after 30 to 120
_LEADS_ELSEWHERE = re.compile(r"(?im)^\s*(hostname|port|proxy\w+|match|include|canonical\w+)\b")
_USUAL_PORT = 22


class Dialled:
    """Connections by host and port, until they are taken. Safe to use from threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._begun: dict[tuple[str, int], tuple[float, socket.socket]] = {}

    def begin(self, logins: Iterable[Mapping[str, Any]]) -> None:
        """Begin to connect, without waiting for anything, as servers' settings say it: to those whose address is a
        number, and where no jump host and no ssh_config can lead elsewhere."""
        direct = [each for each in logins if not each.get("proxy_jump") and not each.get("ssh_config")]
        if not direct or any(map(_leads_elsewhere, USUAL_CONFIGS)):
            return
        for settings in direct:
            if settings.get("address"):
                self._dial(str(settings["address"]), int(settings.get("port") or _USUAL_PORT))

    def take(self, host: str, port: int, limit: float) -> socket.socket | None:
        """Return the connection to that place, once it stands; None where there is none. `limit` is in seconds."""
        with self._lock:
            begun, sock = self._begun.pop((host, port), (0.0, None))
        if sock is None:
            return None
        if time.monotonic() - begun < FRESH and _stands(sock, limit):
            return sock
        sock.close()
        return None

    def close(self) -> None:
        """Close what nobody took."""
        with self._lock:
            left, self._begun = self._begun, {}
        for _, sock in left.values():
            sock.close()

    def _dial(self, host: str, port: int) -> None:
        with suppress(OSError), self._lock:  # whoever needs the connection meets the same, and says it
            if (host, port) not in self._begun:
                self._begun[host, port] = time.monotonic(), _begin(host, port)


def _begin(host: str, port: int) -> socket.socket:
    """Return a connection to an address in figures, in the making. Raise OSError."""
    flags = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=flags)[0]
    sock = socket.socket(family, kind, protocol)
    try:
        sock.setblocking(False)
        with suppress(BlockingIOError):  # it is on its way
            sock.connect(address)
    except BaseException:
        sock.close()
        raise
    return sock


def _stands(sock: socket.socket, limit: float) -> bool:
    poller = select.poll()
    poller.register(sock, select.POLLOUT)
    return bool(poller.poll(limit * 1000)) and not sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)


def _leads_elsewhere(path: str) -> bool:
    """Whether an ssh_config may lead to another place than the address."""
    try:
        return bool(_LEADS_ELSEWHERE.search(Path(path).expanduser().read_text(errors="replace")))
    except FileNotFoundError:
        return False
    except (OSError, RuntimeError):
        return True
