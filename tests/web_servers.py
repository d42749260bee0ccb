"""Web servers on 127.0.0.1: http.server for pages, raw sockets for broken bytes, TLS with own authorities."""

from __future__ import annotations

import http.server
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

Talk = Callable[[socket.socket, threading.Event], None]


@dataclass(frozen=True, slots=True)
class Reply:
    """What a page server answers at a path."""

    body: bytes | str = b""
    status: int = 200
    headers: Mapping[str, str] | None = None


NOT_THERE = Reply("<title>404</title>tidak ada", 404)


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers as `get` and `post` do, with whole replies, and says nothing of what it is asked."""

    def get(self) -> None:
        """Answer a GET."""
        self.send(NOT_THERE)

    def post(self) -> None:
        """Answer a POST."""
        self.send(NOT_THERE)

    def do_GET(self) -> None:
        self.get()

    def do_POST(self) -> None:
        self.post()

    def send(self, reply: Reply | str) -> None:
        """Answer with a page."""
        reply = reply if isinstance(reply, Reply) else Reply(reply)
        body = reply.body.encode() if isinstance(reply.body, str) else reply.body
        self.send_response(reply.status)
        headers = {"Content-Type": "text/html; charset=utf-8", "Content-Length": str(len(body))}
        for name, value in (headers | dict(reply.headers or {})).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words: object) -> None:
        """Say nothing."""


class Server(http.server.ThreadingHTTPServer):
    """Serves each client in a thread of its own."""

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that leaves is no news."""


@contextmanager
def serve(handler: type[Handler], context: ssl.SSLContext | None = None) -> Iterator[str]:
    """Let a handler answer on a port of its own and yield the base URL, http://127.0.0.1:port."""
    server = Server(("127.0.0.1", 0), handler)
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"{'https' if context else 'http'}://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def page_server(pages: Mapping[str, Reply | str], context: ssl.SSLContext | None = None) -> Iterator[str]:
    """Serve `pages` by path (others: 404) as they are when asked for, and yield the base URL."""

    class Pages(Handler):
        def get(self) -> None:
            self.send(pages.get(self.path, NOT_THERE))

    with serve(Pages, context) as url:
        yield url


@contextmanager
def raw_server(talk: Talk) -> Iterator[str]:
    """Answer every connection with `talk(connection, stopping)` in a thread of its own; yield http://127.0.0.1:port."""
    listener = socket.create_server(("127.0.0.1", 0))
    stopping = threading.Event()
    threads: list[threading.Thread] = []

    def answer(plug: socket.socket) -> None:
        with plug:
            try:
                talk(plug, stopping)
            except OSError:
                return

    def accept() -> None:
        while True:
            try:
                plug, _ = listener.accept()
            except OSError:
                return
            if stopping.is_set():
                plug.close()
                return
            threads.append(threading.Thread(target=answer, args=(plug,)))
            threads[-1].start()

    accepting = threading.Thread(target=accept)
    accepting.start()
    port = listener.getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        stopping.set()
        with socket.create_connection(("127.0.0.1", port)):
            accepting.join()
        listener.close()
        for thread in threads:
            thread.join()


def says(answer: bytes) -> Talk:
    """Read a request, send `answer`, close."""

    def talk(plug: socket.socket, stopping: threading.Event) -> None:
        plug.recv(65536)
        plug.sendall(answer)

    return talk


def drips(begin: bytes, drop: bytes, pause: float = 0.02) -> Talk:
    """Read a request, send `begin`, then `drop` again and again for ever."""

    def talk(plug: socket.socket, stopping: threading.Event) -> None:
        plug.recv(65536)
        plug.sendall(begin)
        while not stopping.wait(pause):
            plug.sendall(drop)

    return talk


def floods(begin: bytes, piece: bytes) -> Talk:
    """Read a request, send `begin`, then `piece` as fast as it goes, without end."""
    return drips(begin, piece, 0)


def silent(plug: socket.socket, stopping: threading.Event) -> None:
    """Accept, and never say anything."""
    stopping.wait()


def resets(plug: socket.socket, stopping: threading.Event) -> None:
    """Read a request, begin an answer, break the connection."""
    plug.recv(65536)
    plug.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n<title>Pengad")
    plug.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")


def closed_port() -> int:
    """Return a port of 127.0.0.1 where nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as plug:
        return int(plug.getsockname()[1])


@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate authority made for a test; `ca_file` holds its certificate."""

    ca_file: Path
    folder: Path

    def context(self, *, days: int = 60, age: int = 1, name: str = "127.0.0.1", issued: bool = True) -> ssl.SSLContext:
        """Return a server's context: a certificate for `name` that runs out in `days`; not `issued`: self-signed."""
        stem = self.folder / f"{name}-{days}-{issued}"
        certificate, key = stem.with_suffix(".crt"), stem.with_suffix(".key")
        self._write(certificate, key, name, datetime.now(UTC) + timedelta(days=days), age, issued)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        return context

    def _write(self, certificate: Path, key_file: Path, name: str, end: datetime, age: int, issued: bool) -> None:

        signer = serialization.load_pem_private_key((self.folder / "ca.key").read_bytes(), None)
        issuer = x509.load_pem_x509_certificate(self.ca_file.read_bytes()).subject
        key = ec.generate_private_key(ec.SECP256R1())
        own = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        try:
            shown: x509.GeneralName = x509.IPAddress(ip_address(name))
        except ValueError:
            shown = x509.DNSName(name)
        body = (
            x509.CertificateBuilder()
            .subject_name(own)
            .issuer_name(issuer if issued else own)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(min(datetime.now(UTC), end) - timedelta(days=age))
            .not_valid_after(end)
            .add_extension(x509.SubjectAlternativeName([shown]), critical=False)
        )
        signed = body.sign(signer if issued else key, _sha256())  # type: ignore[arg-type]  # the key is ours, an EC one
        certificate.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
        key_file.write_bytes(_private(key))


def make_authority(folder: Path) -> Authority:
    """Make a certificate authority in `folder`."""

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Test authority")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime.now(UTC) - timedelta(days=1000))
        .not_valid_after(datetime.now(UTC) + timedelta(days=1000))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, _sha256())
    )
    (folder / "ca.key").write_bytes(_private(key))
    (folder / "ca.crt").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return Authority(folder / "ca.crt", folder)


def _private(key: object) -> bytes:

    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _sha256() -> hashes.SHA256:

    return hashes.SHA256()
