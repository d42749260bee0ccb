"""Mail servers on 127.0.0.1: aiosmtpd for what works, its answers chosen by the test; raw sockets stand elsewhere."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

USER, PASSWORD = "it@pn-contoh.example", "rahasia-surel-91"


@dataclass
class Mailbox:
    """What a mail server took, and how it answers: `rcpt` and `data` give a reply instead of taking (None: take)."""

    rcpt: Callable[[str], str | None] = lambda address: None
    data: Callable[[], str | None] = lambda: None
    port: int = 0
    taken: list[tuple[str, EmailMessage]] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    encrypted: list[bool] = field(default_factory=list)
    logged_in: list[bool] = field(default_factory=list)

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: Any) -> str:  # noqa: N802  # aiosmtpd's name
        self.asked.append(address)
        reply = self.rcpt(address)
        if reply is None:
            envelope.rcpt_tos.append(address)
        return reply or "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802  # aiosmtpd's name
        reply = self.data()
        if reply is not None:
            return reply
        content = envelope.content
        assert isinstance(content, bytes)
        self.raw.append(content)
        self.encrypted.append(session.ssl is not None)
        self.logged_in.append(session.authenticated is True)
        message = message_from_bytes(content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        self.taken += [(address, message) for address in envelope.rcpt_tos]
        return "250 2.0.0 Ok: queued as 4F2C"


class _Controller(Controller):
    """A controller on a free port, which it notes before its first visit to itself."""

    def _trigger_server(self) -> None:
        assert self.server is not None
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


def check_password(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
    """Let one user in."""
    known = isinstance(data, LoginPassword) and (data.login, data.password) == (USER.encode(), PASSWORD.encode())
    return AuthResult(success=known, handled=False)


@contextmanager
def mail_server(
    mailbox: Mailbox | None = None,
    *,
    starttls: ssl.SSLContext | None = None,
    tls: ssl.SSLContext | None = None,
    login: bool = False,
) -> Iterator[Mailbox]:
    """Run a mail server on a port of 127.0.0.1 until the block ends; yield what it takes, with the port."""
    box = mailbox or Mailbox()
    # aiosmtpd takes only STARTTLS for TLS: with TLS from the start it may not require a login, only offer it.
    more: dict[str, Any] = {"authenticator": check_password, "auth_require_tls": tls is None} if login else {}
    more["auth_required"] = login and tls is None
    controller = _Controller(
        box,
        hostname="127.0.0.1",
        port=0,
        server_hostname="uji.example",
        ssl_context=tls,
        tls_context=starttls,
        require_starttls=starttls is not None,
        ident="uji",
        **more,
    )
    controller.start()
    box.port = controller.port
    try:
        yield box
    finally:
        controller.stop(no_assert=True)
