"""One SSH connection to one server: opened when it is needed, and again when it broke."""

from __future__ import annotations

import threading
from concurrent.futures import Future

from runner.connections.library import paramiko
from runner.connections.login import Login
from runner.connections.opening import Opened, Opener
from runner.connections.wire import NoSession, Wire, WireBroken
from runner.durations import Deadline
from runner.errors import Unreachable

OPEN_LIMIT = 30.0


class Link:
    """The connection below all commands of one server. Safe to use from threads."""

    def __init__(self, login: Login, opener: Opener) -> None:
        self._login = login
        self._opener = opener
        self._lock = threading.Lock()
        self._turn = threading.Lock()
        self._opening: Future[Opened] | None = None
        self._opened: Opened | None = None
        self._closed = False

    def open(self, deadline: Deadline) -> Opened:
        """Return the open connection; open it where there is none or it broke. Raise Unreachable."""
        opened = self._opened
        if opened and opened.transport.is_active():
            return opened
        with self._lock:
            if self._closed:
                raise Unreachable(f"{self._login.name}: the connection was closed. open a new one")
            if self._opening is None or _is_dead(self._opening):
                self._opening = self._begin_opening()
            opening = self._opening
        try:
            return opening.result(deadline.remaining())
        except TimeoutError:
            raise Unreachable(f"{self._login.name}: no connection before the time was up. give it more time") from None

    def open_wire(self, deadline: Deadline) -> Wire:
        """Return a new channel. Raise Unreachable, NoSession where the server allows no more, or WireBroken."""
        transport = self.open(deadline).transport
        # One at a time: paramiko keeps a refusal on the transport, where another thread might find it.
        if not self._turn.acquire(timeout=deadline.remaining()):
            raise WireBroken("the server opens no session in time")
        try:
            return Wire(transport.open_session(timeout=max(0.1, deadline.remaining())))
        except paramiko.ChannelException as error:
            raise NoSession(f"the server opens no further session ({error.text})") from error
        except (paramiko.SSHException, OSError, EOFError) as error:
            raise WireBroken(f"the server opens no session: {error}") from error
        finally:
            self._turn.release()

    @property
    def is_at_rest(self) -> bool:
        """Whether nothing is being opened."""
        with self._lock:
            return self._opening is None or self._opening.done()

    def drop(self) -> None:
        """Close a connection that gives no answer; the next command opens a new one."""
        with self._lock:
            opening, self._opening, self._opened = self._opening, None, None
        if opening:
            opening.add_done_callback(_close_opened)

    def hang_up(self) -> None:
        """End the connection without waiting for what served it; `close` does that."""
        with self._lock:
            self._closed = True
            opened = self._opened
        if opened:
            opened.hang_up()

    def close(self) -> None:
        """Close the connection; one that is still being opened closes when it is open."""
        with self._lock:
            self._closed = True
        self.drop()

    def _begin_opening(self) -> Future[Opened]:
        """Open in a thread of its own: neither a name lookup nor a dripping server may hold a command's deadline."""
        opening: Future[Opened] = Future()
        threading.Thread(target=self._work, args=(opening,), name=f"open {self._login.name}", daemon=True).start()
        return opening

    def _work(self, opening: Future[Opened]) -> None:
        try:
            opened = self._opener.open(self._login, Deadline.after(OPEN_LIMIT))
        except BaseException as error:  # noqa: BLE001 - it is passed on to whoever waits
            opening.set_exception(error)
            return
        with self._lock:
            if opening is self._opening:
                self._opened = opened
        opening.set_result(opened)


def _is_dead(opening: Future[Opened]) -> bool:
    if not opening.done():
        return False
    return opening.exception() is not None or not opening.result().transport.is_active()


def _close_opened(opening: Future[Opened]) -> None:
    if opening.exception() is None:
        opening.result().close()
