"""The certificate that a place on the network shows right now, trusted or not."""

from __future__ import annotations

from runner.actions.web.faults import Cause, VisitError, fail
from runner.actions.web.lookup import connect, look_up
from runner.actions.web.tls import Certificate, read_untrusted
from runner.durations import Deadline

HTTPS = 443


def parse_endpoint(text: str) -> tuple[str, int]:
    """Given "host", "host:port" or an https URL, return host and port. Raise ValueError."""
    bare = text.removeprefix("https://").partition("/")[0]
    host, colon, port = bare.rpartition(":")
    if not colon or bare.endswith("]"):
        host, port = bare, str(HTTPS)
    if not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise ValueError(f"{text!r} is not host:port")
    return host.strip("[]"), int(port)


def observe_certificate(host: str, port: int, deadline: Deadline) -> Certificate:
    """Given a place, return the certificate shown there. Raise VisitError when there is none."""
    with connect(look_up(host, port, deadline), deadline) as plug:
        certificate = read_untrusted(plug, host, deadline)
    if certificate is None:
        raise fail(Cause.TLS, f"{host}:{port} tidak menunjukkan sertifikat")
    return certificate


__all__ = ["Certificate", "VisitError", "observe_certificate", "parse_endpoint"]
