"""TLS: verified sessions, what a failed one means in words, and the certificate's dates."""

from __future__ import annotations

import functools
import socket
import ssl
import threading
from dataclasses import dataclass
from datetime import UTC, datetime

from runner.actions.web.faults import Cause, VisitError, fail
from runner.actions.web.wire import limit_waits
from runner.durations import Deadline

_VERDICTS = {
    9: "sertifikat belum berlaku",
    10: "sertifikat sudah kedaluwarsa",
    18: "sertifikat ditandatangani sendiri",
    19: "rantai sertifikat berakhir pada sertifikat yang ditandatangani sendiri",
    20: "penerbit sertifikat tidak dikenal atau rantai sertifikat tidak lengkap",
    21: "rantai sertifikat tidak lengkap",
    23: "sertifikat telah dicabut",
    26: "sertifikat bukan untuk server web",
    62: "sertifikat bukan untuk nama situs ini",
    64: "sertifikat bukan untuk alamat situs ini",
    66: "kunci sertifikat terlalu lemah",
    67: "kunci penerbit sertifikat terlalu lemah",
    68: "tanda tangan sertifikat memakai algoritma yang terlalu lemah",
}
_REASONS = {
    "WRONG_VERSION_NUMBER": "server menjawab tanpa TLS",
    "HTTP_REQUEST": "server menjawab tanpa TLS",
    "UNSUPPORTED_PROTOCOL": "server hanya menawarkan versi TLS yang usang",
    "TLSV1_ALERT_PROTOCOL_VERSION": "server menolak versi TLS ini",
    "EXCESSIVE_MESSAGE_SIZE": "rantai sertifikat terlalu besar untuk dibaca",
    "EXCESSIVE MESSAGE SIZE": "rantai sertifikat terlalu besar untuk dibaca",
    "NO_CERTIFICATE_RETURNED": "server tidak menunjukkan sertifikat",
}


@dataclass(frozen=True, slots=True)
class Certificate:
    """The site's own certificate: when it expires, and whether the chain was trusted."""

    expires: datetime
    trusted: bool


_MAKING = threading.Lock()


def verifying_context(ca_file: str = "") -> ssl.SSLContext:
    """Return a context that trusts this machine's authorities, or those of `ca_file` only.

    It is made once, however many threads ask for it: loading the authorities costs 26 ms of CPU, a session with them
    ready 1 ms. Raise OSError when the file cannot be used.
    """
    with _MAKING:
        return _make_context(ca_file)


@functools.cache
def _make_context(ca_file: str) -> ssl.SSLContext:
    if ca_file:
        return ssl.create_default_context(cafile=ca_file)
    context = ssl.create_default_context()
    paths = ssl.get_default_verify_paths()
    if not paths.cafile and not paths.capath:
        import certifi  # some Pythons for macOS come without authorities of their own

        context.load_verify_locations(certifi.where())
    return context


def start_session(
    plug: socket.socket, host: str, deadline: Deadline, context: ssl.SSLContext
) -> tuple[ssl.SSLSocket, Certificate]:
    """Given a connected socket, return the verified TLS session over it and its certificate. Raise VisitError."""
    limit_waits(plug, deadline)
    name = host.encode() if host.isascii() else host  # for text Python loads Unicode's rules for names
    try:
        session = context.wrap_socket(plug, server_hostname=name)
    except OSError as error:  # ssl.SSLError is one
        raise explain(error) from error
    return session, _certificate(session)


def _certificate(session: ssl.SSLSocket) -> Certificate:
    peer = session.getpeercert() or {}
    seconds = ssl.cert_time_to_seconds(str(peer["notAfter"]))
    return Certificate(datetime.fromtimestamp(seconds, UTC), trusted=True)


def read_untrusted(plug: socket.socket, host: str, deadline: Deadline) -> Certificate | None:
    """Given a connected socket, return the certificate shown there, whoever issued it; None when there is none.

    Nothing is ever sent over such a session.
    """
    from cryptography import x509

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    limit_waits(plug, deadline)
    try:
        with context.wrap_socket(plug, server_hostname=host) as session:
            encoded = session.getpeercert(binary_form=True)
        if encoded is None:
            return None
        return Certificate(x509.load_der_x509_certificate(encoded).not_valid_after_utc, trusted=False)
    except (OSError, ValueError):
        return None


def explain(error: OSError) -> VisitError:
    """Given why a handshake failed, return the error that says so in words."""
    if isinstance(error, ssl.SSLCertVerificationError):
        words = _VERDICTS.get(error.verify_code, f"sertifikat tidak dipercaya: {error.verify_message}")
        return fail(Cause.TLS, words)
    if isinstance(error, TimeoutError):
        return fail(Cause.TIME, "server tidak menyelesaikan jabat tangan TLS dalam batas waktu")
    if isinstance(error, ssl.SSLError) and error.reason:
        return fail(Cause.TLS, _REASONS.get(error.reason, f"sambungan TLS gagal: {error.reason}"))
    return fail(Cause.TLS, "server memutus sambungan saat jabat tangan TLS")
