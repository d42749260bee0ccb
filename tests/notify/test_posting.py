"""Webhook and Telegram against servers on loopback: what each answer means, and that none of them holds us."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.durations import Deadline
from runner.notices import Letter
from runner.notify import telegram, webhook
from runner.notify.answers import LONGEST_WAIT, Answer, Status, parse_wait
from runner.notify.posting import Reply as RawReply
from runner.notify.telegram import cut, read_reply
from tests.post_servers import Reply, post_server
from tests.web_servers import closed_port, drips, floods, make_authority, raw_server, resets, says, silent

TOKEN = "123456:AAbbCC-dd_ee"
LETTER = Letter(
    channel="ruang",
    recipient="",
    names=("Budi Santoso, S.Kom.", "Sari"),
    address="",
    subject="Backup <b>selesai</b>",
    text="Yth. Budi\n\n*Selesai* [x](http://x) ✓\n",
    id="0123456789abcdef",
)


def hook(url: str, seconds: float = 5.0, **more: Any) -> Answer:
    return webhook.send({"kind": "webhook", "url": url, **more}, LETTER, Deadline.after(seconds))


def bot(url: str, seconds: float = 5.0, letter: Letter = LETTER, **more: Any) -> Answer:
    given = {"kind": "telegram", "token": TOKEN, "chat": "-100123", "url": url, **more}
    return telegram.send(given, letter, Deadline.after(seconds))


def test_a_webhook_gets_json_with_headers_and_an_id() -> None:
    with post_server(lambda n: Reply(200, "ok")) as server:
        answer = hook(server.url + "/it?x=1", headers={"Authorization": "Bearer rahasia"})
    (post,) = server.posts
    assert answer == Answer(Status.SENT, "200 OK ok", LETTER.id)
    assert post.path == "/it?x=1"
    assert post.headers["Authorization"] == "Bearer rahasia"
    assert post.headers["Idempotency-Key"] == LETTER.id
    assert post.headers["Content-Type"] == "application/json; charset=utf-8"
    assert post.document == {
        "id": LETTER.id,
        "subject": LETTER.subject,
        "text": f"{LETTER.subject}\n\n{LETTER.text}",
        "to": ["Budi Santoso, S.Kom.", "Sari"],
    }


def test_a_webhook_over_tls_is_checked(tmp_path: Path) -> None:
    authority = make_authority(tmp_path)
    with post_server(lambda n: Reply(204, ""), authority.context()) as server:
        assert hook(server.url, ca_file=str(authority.ca_file)).status is Status.SENT
        untrusted = hook(server.url)
    assert (untrusted.status, untrusted.final) == (Status.FAILED, True)
    assert "sertifikat" in untrusted.words
    assert len(server.posts) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(status: int) -> None:
    with (
        post_server(lambda n: Reply()) as other,
        post_server(lambda n: Reply(status, "", {"Location": other.url})) as server,
    ):
        answer = hook(server.url, headers={"Authorization": "Bearer rahasia"})
    assert (answer.status, answer.final) == (Status.FAILED, True)
    assert "pengalihan" in answer.words
    assert other.posts == []


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 413])
def test_a_refusal_is_final(status: int) -> None:
    with post_server(lambda n: Reply(status, "tidak boleh")) as server:
        answer = hook(server.url)
    assert (answer.status, answer.final) == (Status.FAILED, True)
    assert answer.words.startswith(f"{status} ")
    assert answer.words.endswith("tidak boleh")


@pytest.mark.parametrize("status", [408, 425, 500, 502, 504])
def test_a_faulty_server_is_worth_another_try(status: int) -> None:
    with post_server(lambda n: Reply(status, "")) as server:
        answer = hook(server.url)
    assert (answer.status, answer.final) == (Status.FAILED, False)


@pytest.mark.parametrize(("status", "after", "wait"), [(429, "7", 7.0), (503, "120", 120.0), (429, "besok", 0.0)])
def test_later_is_later(status: int, after: str, wait: float) -> None:
    with post_server(lambda n: Reply(status, "", {"Retry-After": after})) as server:
        answer = hook(server.url)
    assert (answer.status, answer.wait, answer.final) == (Status.DEFERRED, wait, False)


BEGIN = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize(
    "talk",
    [silent, drips(BEGIN, b"X"), floods(BEGIN, b"A: b\r\n")],
    ids=["silent", "drips header", "headers without end"],
)
@pytest.mark.parametrize("kind", [hook, bot])
def test_a_slow_server_is_left_when_time_is_up(talk: Any, kind: Any) -> None:
    with raw_server(talk) as url:
        begin = time.monotonic()
        answer = kind(url, seconds=0.4)
        took = time.monotonic() - begin
    assert took < 1.5
    assert answer.status is (Status.FAILED if kind is hook else Status.UNKNOWN)


def test_what_was_taken_is_taken_though_the_rest_of_the_answer_drips() -> None:
    with raw_server(drips(BEGIN + b"Content-Length: 9999\r\n\r\n", b"x")) as url:
        assert hook(url, seconds=0.4).status is Status.SENT
        assert bot(url, seconds=0.4).status is Status.UNKNOWN
    with raw_server(resets) as url:
        assert (hook(url).status, bot(url).status) == (Status.SENT, Status.UNKNOWN)


def test_a_body_without_end_is_cut_off() -> None:
    with raw_server(floods(BEGIN + b"\r\n", b"x" * 65536)) as url:
        assert hook(url).status is Status.SENT


@pytest.mark.parametrize("talk", [says(b"garbage\r\n\r\n"), says(b"")], ids=["garbage", "nothing"])
def test_broken_answers_are_no_success(talk: Any) -> None:
    with raw_server(talk) as url:
        assert hook(url).status is Status.FAILED
        assert bot(url).status is Status.UNKNOWN


@pytest.mark.parametrize("kind", [hook, bot])
def test_nobody_listens(kind: Any) -> None:
    answer = kind(f"http://127.0.0.1:{closed_port()}")
    assert answer == Answer(Status.FAILED, "koneksi ditolak oleh server", final=False)


@pytest.mark.parametrize(
    "url", ["http://chat.example/x", "ftp://127.0.0.1/", "", "http://[x", "https://a b/", "javascript:x"]
)
def test_an_unsafe_address_is_not_tried(url: str) -> None:
    answer = hook(url)
    assert (answer.status, answer.final) == (Status.FAILED, True)


@pytest.mark.parametrize("value", ["a\r\nHost: x", "a\nb", "é", "\0"])
def test_no_header_is_added_by_a_value(value: str) -> None:
    with post_server(lambda n: Reply()) as server:
        answer = hook(server.url, headers={"X-Token": value})
    assert (answer.status, answer.final) == (Status.FAILED, True)
    assert server.posts == []


def test_own_headers_cannot_be_replaced() -> None:
    with post_server(lambda n: Reply()) as server:
        assert hook(server.url, headers={"content-length": "1", "HOST": "x"}).status is Status.SENT
    assert server.posts[0].headers["Host"] in server.url


def test_a_bot_sends_plain_text() -> None:
    with post_server(lambda n: Reply(200, {"ok": True, "result": {"message_id": 42}})) as server:
        answer = bot(server.url)
    (post,) = server.posts
    assert answer == Answer(Status.SENT, "200 OK", "42")
    assert post.path == f"/bot{TOKEN}/sendMessage"
    assert post.document["chat_id"] == "-100123"
    assert post.document["text"] == f"{LETTER.subject}\n\n{LETTER.text}"
    assert "parse_mode" not in post.document


def test_without_a_chat_it_goes_to_the_person() -> None:
    with post_server(lambda n: Reply(200, {"ok": True, "result": {}})) as server:
        given = {"kind": "telegram", "token": TOKEN, "url": server.url}
        assert telegram.send(given, replace(LETTER, address="777"), Deadline.after(5)).status is Status.SENT
    assert server.posts[0].document["chat_id"] == "777"


@pytest.mark.parametrize("token", ["", "abc", "1:a/../x", "1:a\nb", "1:a?x"])
def test_a_token_that_is_none_is_not_tried(token: str) -> None:
    with post_server(lambda n: Reply()) as server:
        assert bot(server.url, token=token) == Answer(Status.FAILED, "token bot tidak berbentuk 123456:ABC…")
    assert server.posts == []


@pytest.mark.parametrize("chat", ["budi", "1 2", "-", "@a", "1\n2"])
def test_a_chat_that_is_none_is_not_tried(chat: str) -> None:
    assert bot("http://127.0.0.1:9", chat=chat).words == "id obrolan Telegram tidak sah"


def no(code: int, words: str, **more: Any) -> dict[str, Any]:
    return {"ok": False, "error_code": code, "description": words, **more}


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (429, no(429, "Too Many Requests", parameters={"retry_after": 5}), (Status.DEFERRED, False, 5.0)),
        (429, "<html>", (Status.DEFERRED, False, 0.0)),
        (400, no(400, "Bad Request: chat not found"), (Status.FAILED, True, 0.0)),
        (401, no(401, "Unauthorized"), (Status.FAILED, True, 0.0)),
        (403, no(403, "Forbidden: bot was blocked by the user"), (Status.FAILED, True, 0.0)),
        (302, "", (Status.FAILED, True, 0.0)),
        (500, no(500, "Internal"), (Status.FAILED, False, 0.0)),
        (502, "<html>Bad Gateway", (Status.FAILED, False, 0.0)),
        (200, "<html>Internet Positif", (Status.UNKNOWN, True, 0.0)),
        (200, [], (Status.UNKNOWN, True, 0.0)),
        (200, no(400, "x"), (Status.FAILED, True, 0.0)),
    ],
)
def test_what_the_api_says(status: int, body: Any, expected: tuple[Status, bool, float]) -> None:
    with post_server(lambda n: Reply(status, body)) as server:
        answer = bot(server.url)
    assert (answer.status, answer.final, answer.wait) == expected
    assert TOKEN not in answer.words


KEYS = st.sampled_from(["ok", "result", "message_id", "description", "parameters", "retry_after"])
PLAIN = st.none() | st.booleans() | st.text() | st.floats()


@given(st.integers(100, 599), st.recursive(PLAIN, lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner)))
def test_any_json_has_a_meaning(status: int, document: Any) -> None:
    answer = read_reply(RawReply(status, "x", "", json.dumps(document).encode()))
    assert answer.status is not Status.SENT or (document["ok"] is True and status < 300)


@given(st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.lists(st.integers())))
def test_any_wait_is_bounded(value: Any) -> None:
    assert 0.0 <= parse_wait(value) <= LONGEST_WAIT


@given(st.text(max_size=50), st.integers(1, 40))
def test_a_cut_text_fits_and_is_whole(text: str, longest: int) -> None:
    result = cut(text, longest)
    assert len(result.encode("utf-16-le")) <= 2 * longest
    assert result == text or (result.endswith("…") and text.startswith(result[:-1]))
