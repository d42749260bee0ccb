"""FTP over TLS: sessions that several threads share, and lines of listings (RFC 3659)."""

from __future__ import annotations

import ftplib
import hashlib
import queue
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any, NamedTuple

from runner.actions.backup.listing import FILE, FOLDER, OTHER, Listed
from runner.durations import Deadline
from runner.errors import Failed, TimeUp, Unreachable

CONNECTIONS = 4
LONGEST_WAIT = 60.0  # for one answer
PIECE = 256 * 1024
_TYPES = {"file": FILE, "dir": FOLDER, "cdir": "", "pdir": ""}


class Host(NamedTuple):
    """Where to log in, and as whom. `certificate` is the SHA-256 (hex) of the one that it shows, where no authority
    vouches for it."""

    address: str
    port: int
    user: str
    password: str
    certificate: str = ""


class Session(ftplib.FTP_TLS):
    """FTP over TLS whose data connections go on with the session of the first, as many servers demand."""

    def ntransfercmd(self, cmd: str, rest: int | str | None = None) -> tuple[Any, int | None]:
        """Open a data connection for a command."""
        connection, size = ftplib.FTP.ntransfercmd(self, cmd, rest)  # noqa: S321 - it is wrapped in TLS below
        assert isinstance(self.sock, ssl.SSLSocket)
        session = self.sock.session
        return self.context.wrap_socket(connection, server_hostname=self.host, session=session), size


class Sessions:
    """Connections to an FTP server, each for one thread at a time. Close it after use."""

    def __init__(self, host: Host, deadline: Deadline) -> None:
        self._host = host
        self._deadline = deadline
        self._idle: queue.SimpleQueue[Session] = queue.SimpleQueue()

    @contextmanager
    def take(self) -> Iterator[Session]:
        """Give a connection that nobody uses. Raise Unreachable, TimeUp or Failed for what goes wrong meanwhile."""
        if self._deadline.passed:
            raise TimeUp("time was up before everything had come; the next run goes on there. allow more of it")
        session: Session | None = None
        try:
            session = self._idle_session() or self._log_in()
            yield session
            self._idle.put(session)
        except BaseException as error:  # noqa: BLE001 - it is passed on, in words where it is FTP's
            if session:
                session.close()
            raise self._explain(error) from None

    def close(self) -> None:
        """Log out."""
        with suppress(queue.Empty):
            while True:
                self._idle.get_nowait().close()

    def _idle_session(self) -> Session | None:
        try:
            return self._idle.get_nowait()
        except queue.Empty:
            return None

    def _explain(self, error: BaseException) -> BaseException:
        if isinstance(error, ftplib.error_perm):
            return Failed(f"{self._host.address}: FTPS refuses: {error}. check user and password")
        if isinstance(error, (ftplib.Error, OSError, EOFError)):
            return Unreachable(f"{self._host.address}: FTPS broke: {error}. run the task again: it goes on there")
        return error

    def _log_in(self) -> Session:
        host = self._host
        context = ssl.create_default_context()
        if host.certificate:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # its fingerprint is held against ours
        limit = min(LONGEST_WAIT, max(1.0, self._deadline.remaining()))
        session = Session(context=context, timeout=limit, encoding="latin-1")
        try:
            session.connect(host.address, host.port)
            session.auth()
            _check_certificate(session, host)
            session.login(host.user, host.password)
            session.prot_p()
        except BaseException:
            session.close()
            raise
        return session


def _check_certificate(session: Session, host: Host) -> None:
    assert isinstance(session.sock, ssl.SSLSocket)
    shown = hashlib.sha256(session.sock.getpeercert(binary_form=True) or b"").hexdigest()
    if host.certificate and shown != host.certificate.replace(":", "").lower():
        raise Failed(f"{host.address}: it shows another certificate: {shown}. is it the right server?")


def parse_fact_line(line: str, folder: bytes) -> Listed | None:
    """Given a line of MLSD (RFC 3659: "type=file;size=5;modify=20260131020000; name"), return the entry; None for the
    folder itself and the one above. Raise Failed where it is none."""
    facts_text, _, name = line.partition(" ")
    facts = dict(fact.lower().partition("=")[::2] for fact in facts_text.rstrip(";").split(";"))
    kind = _TYPES.get(facts.get("type", ""), OTHER)
    if not name or "type" not in facts:
        raise Failed("the server's listing cannot be read: has a name a line break, or knows it no MLSD? use SSH")
    if not kind or name in (".", ".."):
        return None
    path = name.encode("latin-1") if folder == b"." else folder + b"/" + name.encode("latin-1")
    mode = int(facts.get("unix.mode", "755" if kind == FOLDER else "644"), 8) & 0o7777
    size = int(facts.get("size", "0")) if kind == FILE else 0
    return Listed(path, kind, size, _moment(facts.get("modify", "")) * 10**9, 0, mode, 0, 0, "", "", b"", "")


def _moment(text: str) -> int:
    try:
        return int(datetime.strptime(text[:14], "%Y%m%d%H%M%S").replace(tzinfo=UTC).timestamp())
    except ValueError:
        return 0


def host_of(given: Mapping[str, Any]) -> Host:
    """Given what the input `ftps` holds, return it."""
    return Host(**{"port": 21, **given})
