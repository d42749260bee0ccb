"""Mail through real servers on loopback: aiosmtpd for those that work, raw sockets for those that misbehave."""

from __future__ import annotations

import socket
import ssl
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.durations import Deadline
from runner.notices import Letter
from runner.notify.answers import Answer, Status
from runner.notify.session import LARGEST_TALK
from runner.notify.smtp import build_mail, send
from tests.mail_servers import PASSWORD, USER, Mailbox, mail_server
from tests.web_servers import Authority, closed_port, make_authority, raw_server, silent

LETTER = Letter(
    channel="mail",
    recipient="budi",
    names=("Budi Santoso, S.Kom.",),
    address="budi@pn-contoh.example",
    subject="Masa berlaku nama domain berakhir – segera",
    text="Yth. Budi,\n\n.titik di awal baris\n" + "kata panjang ✓ " * 100 + "\n",
    id="0123456789abcdef",
)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def context(authority: Authority) -> ssl.SSLContext:
    return authority.context()


def settings(port: int, **more: Any) -> dict[str, Any]:
    return {
        "kind": "smtp",
        "host": "127.0.0.1",
        "port": port,
        "from": "it@pn-contoh.example",
        "security": "none",
        **more,
    }


def attempt(given: dict[str, Any], letter: Letter = LETTER, seconds: float = 5.0) -> Answer:
    return send(given, letter, Deadline.after(seconds))


def test_sends_over_starttls_with_a_password(authority: Authority, context: ssl.SSLContext) -> None:
    with mail_server(starttls=context, login=True) as box:
        answer = attempt(
            settings(box.port, security="starttls", user=USER, password=PASSWORD, ca_file=str(authority.ca_file))
        )
    assert answer == Answer(Status.SENT, "250 2.0.0 Ok: queued as 4F2C", "<0123456789abcdef@pn-contoh.example>")
    ((address, mail),) = box.taken
    assert box.encrypted == box.logged_in == [True]
    assert address == "budi@pn-contoh.example"
    assert mail["To"].addresses[0].display_name == "Budi Santoso, S.Kom."
    assert mail["Subject"] == LETTER.subject
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail.get_content().replace("\r\n", "\n") == LETTER.text


def test_sends_over_tls_from_the_start_with_a_password(authority: Authority, context: ssl.SSLContext) -> None:
    with mail_server(tls=context, login=True) as box:
        given = settings(box.port, security="tls", user=USER, password=PASSWORD, ca_file=str(authority.ca_file))
        assert attempt(given).status is Status.SENT
    assert box.logged_in == [True]


def test_a_mail_is_plain_text_in_seven_bits_and_short_lines() -> None:
    with mail_server() as box:
        assert attempt(settings(box.port)).status is Status.SENT
    (raw,) = box.raw
    assert raw.isascii()
    assert max(map(len, raw.splitlines())) <= 78
    assert box.taken[0][1].get_content_type() == "text/plain"
    assert box.taken[0][1].get_content_charset() == "utf-8"


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_wrong_password_is_final(authority: Authority, context: ssl.SSLContext, security: str) -> None:
    contexts = {"starttls": context} if security == "starttls" else {"tls": context}
    with mail_server(login=True, **contexts) as box:
        given = settings(box.port, security=security, user=USER, password="salah", ca_file=str(authority.ca_file))
        answer = attempt(given)
    assert (answer.status, answer.final) == (Status.FAILED, True)
    assert answer.words.startswith("535 ")
    assert box.taken == []


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_certificate_that_is_not_trusted_ends_it_before_the_password(context: ssl.SSLContext, security: str) -> None:
    contexts = {"starttls": context} if security == "starttls" else {"tls": context}
    with mail_server(login=True, **contexts) as box:
        answer = attempt(settings(box.port, security=security, user=USER, password=PASSWORD))
    assert (answer.status, answer.final) == (Status.FAILED, True)
    assert "sertifikat" in answer.words
    assert box.asked == []


def test_a_server_without_starttls_is_given_nothing() -> None:
    with mail_server() as box:
        answer = attempt(settings(box.port, security="starttls"))
    assert (answer.status, answer.final) == (Status.FAILED, True)
    assert "STARTTLS" in answer.words
    assert box.asked == []


def test_starttls_forgets_what_was_slipped_in_before_it(authority: Authority, context: ssl.SSLContext) -> None:
    """A man in the middle adds replies to the one that allows TLS; none of them may count inside it."""

    def talk(plug: socket.socket, stopping: Any) -> None:
        plug.sendall(b"220 uji\r\n")
        plug.recv(1000)
        plug.sendall(b"250-uji\r\n250 STARTTLS\r\n")
        plug.recv(1000)
        plug.sendall(b"220 go\r\n250-uji\r\n250 AUTH PLAIN\r\n235 in\r\n250 ok\r\n250 ok\r\n354 go\r\n250 taken\r\n")
        with context.wrap_socket(plug, server_side=True) as inner:
            for _ in ("EHLO", "HELO"):
                inner.recv(1000)
                inner.sendall(b"421 not now\r\n")

    with raw_server(talk) as url:
        answer = attempt(settings(port_of(url), security="starttls", ca_file=str(authority.ca_file)))
    assert answer.status is Status.DEFERRED
    assert answer.words.startswith("421")


def test_a_server_without_authentication_is_final() -> None:
    with mail_server() as box:
        answer = attempt(settings(box.port, user=USER, password=PASSWORD))
    assert answer == Answer(Status.FAILED, "server tidak menawarkan autentikasi")


@pytest.mark.parametrize("reply", ["450 4.2.0 Greylisted, try again in 300 s", "451 4.7.1 Please try again later"])
def test_greylisting_is_deferred(reply: str) -> None:
    with mail_server(Mailbox(rcpt=lambda address: reply)) as box:
        answer = attempt(settings(box.port))
    assert answer == Answer(Status.DEFERRED, reply, final=False)


@pytest.mark.parametrize(
    "box", [Mailbox(rcpt=lambda address: "550 5.1.1 No such user"), Mailbox(data=lambda: "554 spam")]
)
def test_a_refusal_is_final_and_in_the_servers_words(box: Mailbox) -> None:
    with mail_server(box):
        answer = attempt(settings(box.port))
    assert (answer.status, answer.final) == (Status.FAILED, True)
    assert answer.words in ("550 5.1.1 No such user", "554 spam")


@pytest.mark.promise("Cron's world", "mail that cannot be sent: nobody listens", "said in words")
def test_nobody_listens() -> None:
    answer = attempt(settings(closed_port()))
    assert answer == Answer(Status.FAILED, "koneksi ditolak oleh server", final=False)


def port_of(url: str) -> int:
    return int(url.rpartition(":")[2])


def banner(text: bytes, pause: float) -> Any:
    def talk(plug: socket.socket, stopping: Any) -> None:
        while not stopping.wait(pause):
            plug.sendall(text)

    return talk


@pytest.mark.parametrize(
    "talk", [silent, banner(b"2", 0.05), banner(b"220-x\r\n", 0.05)], ids=["silent", "drips bytes", "drips lines"]
)
@pytest.mark.parametrize("security", ["none", "starttls", "tls"])
@pytest.mark.promise("Cron's world", "mail that cannot be sent: its server says nothing", "left when time is up")
def test_a_slow_server_is_left_when_time_is_up(talk: Any, security: str) -> None:
    with raw_server(talk) as url:
        begin = time.monotonic()
        answer = attempt(settings(port_of(url), security=security), seconds=0.4)
        took = time.monotonic() - begin
    assert took < 1.5
    assert answer.status is Status.FAILED
    if security != "tls":  # what is no TLS at all is told at the first byte
        assert answer == Answer(Status.FAILED, "server tidak menjawab dalam batas waktu", final=False)


def test_a_server_that_never_stops_talking_is_cut_off() -> None:
    with raw_server(banner(b"220-" + b"x" * 1000 + b"\r\n", 0)) as url:
        answer = attempt(settings(port_of(url)))
    assert answer == Answer(Status.FAILED, f"server mengirim lebih dari {LARGEST_TALK} byte", final=False)


def test_a_line_without_end_is_cut_off() -> None:
    with raw_server(banner(b"2" * 5000, 0)) as url:
        assert attempt(settings(port_of(url))).status is Status.FAILED


def script(*replies: bytes) -> Any:
    """Say the first reply, then one after each thing heard, then close."""

    def talk(plug: socket.socket, stopping: Any) -> None:
        for reply in replies:
            plug.sendall(reply)
            plug.recv(65536)

    return talk


def test_cut_off_after_the_text_is_unknown_and_worth_another_try() -> None:
    talk = script(b"220 uji\r\n", b"250 uji\r\n", b"250 ok\r\n", b"250 ok\r\n", b"354 go\r\n")
    with raw_server(talk) as url:
        answer = attempt(settings(port_of(url)))
    assert answer == Answer(Status.UNKNOWN, "sambungan diputus oleh server", final=False)


@pytest.mark.parametrize("reply", [b"\xff\xfe\x00", b"HTTP/1.1 400 Bad Request", b"220", b"999 x", b"-20 x"])
def test_what_is_no_mail_server_is_no_success(reply: bytes) -> None:
    with raw_server(script(reply + b"\r\n")) as url:
        assert attempt(settings(port_of(url)), seconds=1).status is Status.FAILED


def test_answers_are_one_clean_short_line() -> None:
    reply = "550-\x1b[31mMerah\r\n550 " + "x" * 490
    with raw_server(script(b"220 uji\r\n", b"250 uji\r\n", b"250 ok\r\n", reply.encode() + b"\r\n")) as url:
        words = attempt(settings(port_of(url))).words
    assert words.startswith("550 [31mMerah xxx")
    assert len(words) == 200


def test_the_way_must_be_encrypted_off_this_machine() -> None:
    answer = attempt({**settings(25), "host": "mail.pn-contoh.example"})
    assert answer.final
    assert "tanpa enkripsi" in answer.words


def test_authorities_that_cannot_be_read_are_said(tmp_path: Path) -> None:
    answer = attempt(settings(closed_port(), security="tls", ca_file=str(tmp_path / "none.pem")))
    assert (answer.status, answer.final) == (Status.FAILED, True)
    assert "otoritas" in answer.words


ADDRESSES = [
    "",
    "budi",
    "a b@c",
    "a@b\nBcc: x@y",
    "a@b>",
    "a@b,c@d",
    "bénd@x.example",
    "a@" + "x" * 300,
    "a@b..c",
    "@b",
]


@pytest.mark.parametrize("address", ADDRESSES)
def test_an_address_that_is_none_is_not_tried(address: str) -> None:
    with mail_server() as box:
        answer = attempt(settings(box.port), replace(LETTER, address=address))
    assert (answer.status, answer.final) == (Status.FAILED, True)
    assert box.asked == []


def test_a_domain_in_another_script_is_written_in_ascii() -> None:
    mail = build_mail("it@pn-contoh.example", replace(LETTER, address="budi@bücher.example"))
    assert mail["To"].addresses[0].addr_spec == "budi@xn--bcher-kva.example"


@given(name=st.text(max_size=60), subject=st.text(alphabet=st.characters(exclude_characters="\r\n"), max_size=60))
def test_no_name_or_subject_adds_a_header(name: str, subject: str) -> None:
    from runner.actions.web.text import clean_text

    letter = replace(LETTER, names=(name,), subject=clean_text(subject, 150) or "x")
    head = build_mail("it@pn-contoh.example", letter).as_bytes().partition(b"\r\n\r\n")[0]
    names = {line.partition(b":")[0] for line in head.split(b"\r\n") if line[:1] not in b" \t"}
    assert names == {
        *(b"From", b"To", b"Subject", b"Date", b"Message-ID", b"Auto-Submitted", b"Content-Language"),
        *(b"MIME-Version", b"Content-Type", b"Content-Transfer-Encoding"),
    }


@pytest.fixture(autouse=True)
def no_lookup_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """smtplib would ask for the machine's full name, which may take as long as it likes."""

    def refuse(*words: object) -> str:
        raise AssertionError("a name was looked up without a limit")

    monkeypatch.setattr(socket, "getfqdn", refuse)
    monkeypatch.setattr(socket, "gethostbyname", refuse)
