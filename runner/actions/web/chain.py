"""The chain of certificates that a server shows, whoever issued it, and why it is or is not to be trusted."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from runner.actions.web.faults import Cause, Fault, VisitError
from runner.actions.web.lookup import Place, connect
from runner.actions.web.tls import explain, verifying_context
from runner.actions.web.wire import limit_waits
from runner.durations import Deadline

MOST_CERTIFICATES = 20


@dataclass(frozen=True, slots=True)
class Shown:
    """What a server shows: certificates in DER as sent (`sent`) and as trusted up to the root (`verified`, empty when
    they are not), protocol and cipher; without trust, OpenSSL's `code` and the fault in words."""

    sent: tuple[bytes, ...] = ()
    verified: tuple[bytes, ...] = ()
    protocol: str = ""
    cipher: str = ""
    code: int = 0
    fault: Fault | None = None


def read_chains(places: tuple[Place, ...], host: str, deadline: Deadline, ca_file: str = "") -> list[tuple[str, Shown]]:
    """Given where a host is, return each address and what it shows, where that can be read: one that is out of reach
    takes no more than its share of the time. Raise VisitError when nothing can be read at any."""
    found: list[tuple[str, Shown]] = []
    failed: VisitError | None = None
    for number, place in enumerate(places):
        part = deadline.tightened(deadline.remaining() / (len(places) - number))
        try:
            found.append((str(place[1][0]), read_chain((place,), host, part, ca_file)))
        except VisitError as error:
            failed = failed or error
    if failed and not found:
        raise failed
    return found


def read_chain(places: tuple[Place, ...], host: str, deadline: Deadline, ca_file: str = "") -> Shown:
    """Given where a host is, return what it shows, trusted or not. Raise VisitError when nothing can be read there.

    A chain that is not trusted is read over a second connection, over which nothing is ever sent.
    """
    try:
        return _shake_hands(places, host, deadline, verifying_context(ca_file))
    except OSError as error:
        code = error.verify_code if isinstance(error, ssl.SSLCertVerificationError) else 0
        failed = explain(error)
        if failed.fault.cause is Cause.TIME:
            raise failed from error
    try:
        seen = _shake_hands(places, host, deadline, _lenient_context())
    except (OSError, VisitError):
        raise failed from None
    return Shown(seen.sent, (), seen.protocol, seen.cipher, code, failed.fault)


def _lenient_context() -> ssl.SSLContext:
    """A context that speaks with any server, to see what it shows."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    return context


def _shake_hands(places: tuple[Place, ...], host: str, deadline: Deadline, context: ssl.SSLContext) -> Shown:
    plug = connect(places, deadline)
    limit_waits(plug, deadline)
    with plug, context.wrap_socket(plug, server_hostname=host) as session:
        sent = _chain(session, "get_unverified_chain")
        verified = _chain(session, "get_verified_chain") if context.verify_mode is ssl.CERT_REQUIRED else ()
        return Shown(sent, verified, session.version() or "", (session.cipher() or ("",))[0])


def _chain(session: ssl.SSLSocket, name: str) -> tuple[bytes, ...]:
    """The chain in DER: public from Python 3.13 on, and an object's own method before."""
    ask: Any = getattr(session, name, None) or getattr(getattr(session, "_sslobj", None), name, None)
    found: Sequence[Any] = (ask() if ask else None) or ()
    leaf = session.getpeercert(binary_form=True)
    if not found:
        return (leaf,) if leaf else ()
    return tuple(each if isinstance(each, bytes) else _encode(each) for each in found[:MOST_CERTIFICATES])


def _encode(certificate: Any) -> bytes:
    import _ssl  # the encoding's number has no public name before Python 3.13

    encoded: bytes = certificate.public_bytes(_ssl.ENCODING_DER)
    return encoded
