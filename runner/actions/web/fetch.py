"""One HTTP request under one deadline: each phase timed, every size bounded, every failure in words.

requests is not used here: its timeouts begin anew with every byte, so a dripping server holds it for ever, and it
does not tell the phases apart. The reading of HTTP itself is http.client's.
"""

from __future__ import annotations

import http.client
import re
import socket
import ssl
import time
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import SplitResult, quote, urlsplit

from runner.actions.web.faults import Cause, Fault, VisitError, fail
from runner.actions.web.lookup import Place as NetworkPlace
from runner.actions.web.lookup import Resolver, connect, look_up, system_resolver
from runner.actions.web.tls import Certificate, read_untrusted, start_session, verifying_context
from runner.actions.web.wire import PIECE, Wire, inflater, limit_waits
from runner.durations import Deadline
from runner.errors import Failed

AGENT = "Mozilla/5.0 (compatible; sop-runner)"
PHASES = ("lookup", "connect", "tls", "first_byte", "body")
PAGES = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
LARGEST_PAGE = 10 * 1024 * 1024

_HOST = re.compile(r"[a-z0-9_]([a-z0-9._-]{0,252})\Z|[0-9a-f:.]+\Z")


@dataclass(frozen=True, slots=True)
class Place:
    """A web address taken apart: host in ASCII, request target with everything odd escaped."""

    scheme: str
    host: str
    port: int
    target: str

    @property
    def authority(self) -> str:
        """What stands in the Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.scheme == "https" else 80) else f"{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Answer:
    """What one request brought; with `fault`, as far as it came.

    `timings` are seconds by phase, `phase` is the one in which it failed, `places` are all that the name leads to.
    """

    url: str
    address: str = ""
    places: tuple[NetworkPlace, ...] = ()
    status: int | None = None
    reason: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    timings: Mapping[str, float] = field(default_factory=dict)
    certificate: Certificate | None = None
    fault: Fault | None = None
    phase: str = ""

    def header(self, name: str) -> str:
        """The first header of that name, in any case; "" without one."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")


@dataclass(frozen=True, slots=True)
class Fetcher:
    """How to fetch: largest body in bytes, the authorities to trust, who looks names up, what to ask for.

    `agent` and `referer` are as whom and from where to come; a referer of "" is not sent.
    """

    limit: int = LARGEST_PAGE
    ca_file: str = ""
    resolver: Resolver = system_resolver
    accept: str = PAGES
    agent: str = AGENT
    referer: str = ""

    def fetch(self, url: str, deadline: Deadline) -> Answer:
        """Given a URL, return its answer, without following redirects. Never raises for what the site does."""
        exchange = _Exchange(url, deadline, self)
        try:
            exchange.go()
        except VisitError as error:
            return exchange.answer(error.fault)
        finally:
            exchange.close()
        return exchange.answer(None)


def parse_place(url: str) -> Place:
    """Given an absolute http(s) URL, return its place. Raise VisitError when it is none."""
    try:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        host = _ascii_host(parts)
    except ValueError:
        raise fail(Cause.REDIRECT, f"alamat {url[:200]!r} tidak sah") from None
    if parts.scheme not in ("http", "https") or not _HOST.match(host):
        raise fail(Cause.REDIRECT, f"alamat {url[:200]!r} bukan alamat http atau https")
    path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~")
    query = "?" + quote(parts.query, safe="/%:@!$&'()*+,;=~?[]") if parts.query else ""
    return Place(parts.scheme, host, port, path + query)


def _ascii_host(parts: SplitResult) -> str:
    host = (parts.hostname or "").lower()
    return host if host.isascii() else host.encode("idna").decode("ascii")


class _Exchange:
    """One request while it goes on; holds whatever is known when it breaks."""

    def __init__(self, url: str, deadline: Deadline, fetcher: Fetcher) -> None:
        self._url = url
        self._deadline = deadline
        self._fetcher = fetcher
        self._plug: socket.socket | None = None
        self._address = ""
        self._places: tuple[NetworkPlace, ...] = ()
        self._phase = ""
        self._certificate: Certificate | None = None
        self._timings: dict[str, float] = {}
        self._response: http.client.HTTPResponse | None = None
        self._body = bytearray()

    def go(self) -> None:
        place = parse_place(self._url)
        context = self._trusted() if place.scheme == "https" else None  # made before any phase is timed
        self._places = self._timed("lookup", lambda: self._look_up(place))
        plug = self._timed("connect", self._connect)
        if context:
            plug = self._timed("tls", lambda: self._secure(plug, place, context))
        response = self._timed("first_byte", lambda: self._ask(plug, place))
        self._timed("body", lambda: self._read_body(response))

    def answer(self, fault: Fault | None) -> Answer:
        response = self._response
        known = response is not None and response.headers is not None
        return Answer(
            url=self._url,
            address=self._address,
            places=self._places,
            status=response.status if response and known else None,
            reason=response.reason if response and known else "",
            headers=tuple(response.getheaders()) if response and known else (),
            body=bytes(self._body),
            timings=dict(self._timings),
            certificate=self._certificate,
            fault=fault,
            phase=self._phase if fault else "",
        )

    def close(self) -> None:
        if self._response is not None:
            self._response.close()
        if self._plug is not None:
            self._plug.close()

    def _timed(self, phase: str, act: Callable[[], Any]) -> Any:
        start, self._phase = time.monotonic(), phase
        try:
            return act()
        except VisitError:
            raise
        except TimeoutError:
            raise fail(Cause.TIME, f"jawaban tidak selesai dalam batas waktu (tahap {phase})") from None
        except (http.client.HTTPException, OSError, ValueError, zlib.error) as error:
            raise fail(Cause.BROKEN, f"sambungan putus atau jawaban rusak (tahap {phase}): {_name(error)}") from None
        finally:
            self._timings[phase] = round(time.monotonic() - start, 6)

    def _look_up(self, place: Place) -> tuple[NetworkPlace, ...]:
        return look_up(place.host, place.port, self._deadline, self._fetcher.resolver)

    def _connect(self) -> socket.socket:
        plug = self._plug = connect(self._places, self._deadline)
        self._address = str(plug.getpeername()[0])
        return plug

    def _trusted(self) -> ssl.SSLContext:
        try:
            return verifying_context(self._fetcher.ca_file)
        except OSError as error:  # ssl.SSLError is one
            raise Failed(f"ca_file: {self._fetcher.ca_file} cannot be used: {_name(error)}") from None

    def _secure(self, plug: socket.socket, place: Place, context: ssl.SSLContext) -> ssl.SSLSocket:
        peer = plug.family, plug.getpeername()
        try:
            session, self._certificate = start_session(plug, place.host, self._deadline, context)
        except VisitError as error:
            if error.fault.cause is Cause.TLS and isinstance(error.__cause__, ssl.SSLCertVerificationError):
                self._certificate = read_untrusted(connect((peer,), self._deadline), place.host, self._deadline)
            raise
        self._plug = session
        return session

    def _ask(self, plug: socket.socket, place: Place) -> http.client.HTTPResponse:
        limit_waits(plug, self._deadline)
        plug.sendall(_request(place, self._fetcher))
        response = http.client.HTTPResponse(Wire(plug, self._deadline), method="GET")  # type: ignore[arg-type]  # it only calls makefile
        self._response = response
        response.begin()
        return response

    def _read_body(self, response: http.client.HTTPResponse) -> None:
        inflate = inflater(response.getheader("Content-Encoding", ""))
        declared, received = response.length, 0
        while declared is None or received < declared:
            piece = response.read1(PIECE if declared is None else min(PIECE, declared - received))
            if not piece:
                break
            received += len(piece)
            self._body += inflate(piece, self._fetcher.limit + 1 - len(self._body))
            if len(self._body) > self._fetcher.limit or received > self._fetcher.limit:
                raise fail(Cause.SIZE, f"halaman lebih besar daripada {self._fetcher.limit} byte")
        if declared is not None and received < declared:
            raise fail(Cause.BROKEN, f"jawaban putus setelah {received} dari {declared} byte")


def _request(place: Place, fetcher: Fetcher) -> bytes:
    lines = (
        f"GET {place.target} HTTP/1.1",
        f"Host: {place.authority}",
        f"User-Agent: {fetcher.agent}",
        f"Accept: {fetcher.accept}",
        "Accept-Language: id,en;q=0.5",
        "Accept-Encoding: identity",
        "Connection: close",
        *([f"Referer: {fetcher.referer}"] if fetcher.referer else []),
    )
    return ("\r\n".join(lines) + "\r\n\r\n").encode("ascii")


def _name(error: Exception) -> str:
    return getattr(error, "strerror", None) or type(error).__name__
