"""A TCP relay on 127.0.0.1 that can fall silent, as a link does whose other end was unplugged."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class Relay:
    """Carries bytes between its own port and another until it is told to be silent, or `most` bytes went that way."""

    def __init__(self, port: int, most: int | None = None) -> None:
        self._to = port
        self._most = most
        self.carried = 0
        self._silent = threading.Event()
        self._sockets: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def fall_silent(self) -> None:
        """Pass nothing on any more, and close nothing."""
        self._silent.set()

    def close(self) -> None:
        """End all connections."""
        for sock in (self._listener, *self._sockets):
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                inner, _ = self._listener.accept()
                outer = socket.create_connection(("127.0.0.1", self._to))
                self._sockets += [inner, outer]
                threading.Thread(target=self._carry, args=(inner, outer, True), daemon=True).start()
                threading.Thread(target=self._carry, args=(outer, inner, False), daemon=True).start()

    def _carry(self, source: socket.socket, sink: socket.socket, counts: bool) -> None:
        with suppress(OSError):
            while piece := source.recv(65536):
                self.carried += len(piece) if counts else 0
                if counts and self._most is not None and self.carried >= self._most:
                    self.close()
                    return
                if not self._silent.is_set():
                    sink.sendall(piece)
            sink.shutdown(socket.SHUT_WR)


@contextmanager
def relay_to(port: int, most: int | None = None) -> Iterator[Relay]:
    """Run a relay to a port of 127.0.0.1 until the block ends, or `most` bytes went to it."""
    relay = Relay(port, most)
    try:
        yield relay
    finally:
        relay.close()
