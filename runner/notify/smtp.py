"""Mail over SMTP: one plain-text mail to one person, over a way that is encrypted off this machine."""

from __future__ import annotations

import re
import smtplib
import socket
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from email import policy
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Any

from runner.actions.web.faults import VisitError
from runner.actions.web.lookup import connect, look_up
from runner.actions.web.text import clean_text
from runner.actions.web.tls import start_session, verifying_context
from runner.durations import Deadline
from runner.inventory.channels import MAIL_ADDRESS, is_loopback
from runner.notices import Letter
from runner.notify.answers import Answer, Status, Way, deferred, hindered, refused, sent, unreached
from runner.notify.session import LARGEST_TALK, Session

PORTS = {"starttls": 587, "tls": 465, "none": 25}
LONGEST_WORDS = 200
LONGEST_GOODBYE = 2.0

_ADDRESS = re.compile(MAIL_ADDRESS)


def send(settings: Mapping[str, Any], letter: Letter, deadline: Deadline) -> Answer:
    """Send a letter to one address. What was cut off after the text may have arrived; a repeat has the same id."""
    security = settings.get("security", "starttls")
    if security == "none" and not is_loopback(settings["host"]):
        return refused("kanal tanpa enkripsi hanya untuk komputer ini sendiri, sehingga pesan tidak dikirim")
    try:
        mail = build_mail(settings["from"], letter)
        verifying_context(settings.get("ca_file", ""))
    except (ValueError, MessageError):
        return refused("alamat surel pengirim atau penerima tidak dapat dipakai")
    except OSError as error:
        return refused(f"berkas otoritas sertifikat tidak dapat dipakai: {error.strerror}")
    talk = _Talk(settings, security, deadline)
    try:
        talk.begin()
        return talk.deliver(mail)
    except VisitError as error:
        return unreached(error)
    except _NotSaidError as error:
        return refused(str(error))
    except smtplib.SMTPResponseException as error:
        return _by_code(error.smtp_code, error.smtp_error)
    except (smtplib.SMTPException, OSError, ValueError) as error:
        return talk.explain(error)
    finally:
        talk.end()


def build_mail(sender: str, letter: Letter) -> EmailMessage:
    """Given the sender's address and a letter, return the mail. Raise ValueError for an address that is none."""
    origin, goal = parse_address(sender), parse_address(letter.address)
    mail = EmailMessage(policy=policy.SMTP)
    mail["From"] = origin
    mail["To"] = Address(clean_text(" ".join(letter.names), 120), addr_spec=goal.addr_spec)
    mail["Subject"] = letter.subject
    mail["Date"] = format_datetime(datetime.now(UTC))
    mail["Message-ID"] = f"<{letter.id}@{origin.domain}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(letter.text, cte="quoted-printable")
    mail["Content-Language"] = "id"
    return mail


def parse_address(text: str) -> Address:
    """Given a mail address, return it with its domain in ASCII. Raise ValueError when it cannot be sent to."""
    if not _ADDRESS.match(text) or len(text) > 254:
        raise ValueError("not a mail address")
    local, _, domain = text.rpartition("@")
    return Address(addr_spec=f"{local.encode('ascii').decode()}@{domain.encode('idna').decode('ascii')}")


class _NotSaidError(Exception):
    """The server does not offer what the channel needs."""


class _Talk:
    """One session with a mail server."""

    def __init__(self, settings: Mapping[str, Any], security: str, deadline: Deadline) -> None:
        self._settings = settings
        self._security = security
        self._deadline = deadline
        self._plug: socket.socket | None = None
        self._session: Session | None = None
        self._told = False

    def begin(self) -> None:
        host = self._settings["host"]
        port = self._settings.get("port", PORTS[self._security])
        self._plug = connect(look_up(host, port, self._deadline), self._deadline)
        if self._security == "tls":
            self._secure()
        session = self._session = Session(self._plug, self._deadline)
        _expect(session.getreply(), 220)
        session.ehlo_or_helo_if_needed()
        if self._security == "starttls":
            self._upgrade(session)
        if "user" in self._settings:
            self._log_in(session)

    def deliver(self, mail: EmailMessage) -> Answer:
        session = self._session
        assert session is not None
        _expect(session.mail(mail["From"].addresses[0].addr_spec), 250)
        _expect(session.rcpt(mail["To"].addresses[0].addr_spec), 250, 251)
        self._told = True
        code, words = session.data(mail.as_bytes())
        self._told = False
        return sent(_render(code, words), mail["Message-ID"]) if code == 250 else _by_code(code, words)

    def explain(self, error: Exception) -> Answer:
        """What an interruption means: after the text was given, nobody knows whether it arrived."""
        session = self._session
        if session is not None and session.line.full:
            words = f"server mengirim lebih dari {LARGEST_TALK} byte"
        elif self._deadline.passed or isinstance(error, TimeoutError):
            words = "server tidak menjawab dalam batas waktu"
        elif isinstance(error, smtplib.SMTPServerDisconnected | OSError):
            words = "sambungan diputus oleh server"
        else:
            words = f"percakapan dengan server tidak dapat dilanjutkan ({type(error).__name__})"
        return Answer(Status.UNKNOWN, words, final=False) if self._told else hindered(words)

    def end(self) -> None:
        """Say goodbye, but do not wait for long; what was taken is taken."""
        if self._session is not None:
            self._session.line.deadline = self._deadline.tightened(LONGEST_GOODBYE)
            with suppress(smtplib.SMTPException, OSError, ValueError):
                self._session.quit()
            self._session.close()
        if self._plug is not None:
            self._plug.close()

    def _secure(self) -> None:
        assert self._plug is not None
        context = verifying_context(self._settings.get("ca_file", ""))
        self._plug, _ = start_session(self._plug, self._settings["host"].strip("[]"), self._deadline, context)

    def _upgrade(self, session: Session) -> None:
        if not session.has_extn("starttls"):
            raise _NotSaidError("server tidak menawarkan STARTTLS, dan pesan tidak dikirim tanpa enkripsi")
        _expect(session.docmd("STARTTLS"), 220)
        self._secure()
        assert self._plug is not None
        session.take(self._plug)
        session.ehlo_or_helo_if_needed()

    def _log_in(self, session: Session) -> None:
        if not session.has_extn("auth"):
            raise _NotSaidError("server tidak menawarkan autentikasi")
        try:
            session.login(self._settings["user"], self._settings["password"])
        except UnicodeEncodeError:
            raise _NotSaidError("nama pengguna atau kata sandi memuat huruf di luar ASCII") from None


def _expect(reply: tuple[int, bytes], *codes: int) -> None:
    if reply[0] not in codes:
        raise smtplib.SMTPResponseException(*reply)


def _by_code(code: int, words: bytes | str) -> Answer:
    """What a reply means that is not the one hoped for: 4xx is later (greylisting), anything else is no."""
    said = _render(code, words)
    if not 400 <= code < 600:
        return hindered(f"jawaban server tidak sesuai dengan SMTP: {said}")
    return deferred(said) if code < 500 else refused(said)


def _render(code: int, words: bytes | str) -> str:
    text = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
    return clean_text(f"{code} {text}", LONGEST_WORDS)


WAY = Way(send, personal=lambda settings: True, address="email")
