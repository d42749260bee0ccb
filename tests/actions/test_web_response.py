"""Answers over HTTP/1, whole, odd and cut anywhere: read as http.client reads them."""

from __future__ import annotations

import http.client
import re
from io import BufferedReader, BytesIO

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from runner.actions.web.response import Malformed, Response

HEAD = b"HTTP/1.1 200 OK\r\nServer: nginx\r\nContent-Length: 5\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n"
ANSWERS = [
    HEAD + b"\r\nhello",
    HEAD + b"\r\nhel",
    HEAD + b"\r\nhello, and more",
    HEAD.replace(b"\r\n", b"\n") + b"\nhello",
    b"HTTP/1.0 200\r\n\r\nuntil the end",
    b"HTTP/0.9 200 OK\r\n\r\n",
    b"HTTP/1.1 100 Continue\r\nA: b\r\n\r\n" * 3 + HEAD + b"\r\nhello",
    b"HTTP/1.1 204 No Content\r\n\r\nnothing",
    b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n",
    CHUNKED + b"5\r\nhello\r\n6;a=b\r\n world\r\n0\r\nExpires: never\r\n\r\nmore",
    CHUNKED + b"5\r\nhello\r\n",
    CHUNKED + b"5\r\nhel",
    CHUNKED + b"0\r\n",
    CHUNKED + b"five\r\nhello\r\n0\r\n\r\n",
    CHUNKED[:-2] + b"Content-Length: 2\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: five\r\n\r\nhello",
    b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello",
    b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 5\r\n\r\nhello",
    b"HTTP/1.1 200 OK\r\nA: one\r\nA:two\r\n  three\r\n\tfour\r\na : b\r\n\r\nhello",
    b"HTTP/1.1 200 OK\r\n folded: first\r\nB: 1\r\n\r\nhello",
    b"HTTP/1.1 200 OK\r\nA: 1\r\nno header\r\nContent-Length: 2\r\n\r\nhello",
    b"HTTP/1.1 200 OK\r\nN\xc3\xa1me: 1\r\nB: 2\r\n\r\nhello",
    b"HTTP/1.1 200 OK\r\nA: caf\xe9 \xe2\x82\xac\r\nEmpty:\r\n\r\nhello",
    b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 99 + b"\r\nhello",
    b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 100 + b"\r\nhello",
    b"HTTP/1.1 200 OK\r\nA: " + b"a" * 65536 + b"\r\n\r\nhello",
    b"HTTP/1.1 " + b"2" * 70000,
    b"HTTP/1.1 99 Low\r\n\r\n",
    b"HTTP/1.1 1000 High\r\n\r\n",
    b"HTTP/1.1 OK\r\n\r\n",
    b"HTTP/2 200 OK\r\n\r\n",
    b"SSH-2.0-OpenSSH_9.2\r\n",
    b"\r\n\r\n",
    b"",
]


class _Wire:
    """What http.client takes for a socket."""

    def __init__(self, sent: bytes) -> None:
        self._sent = sent

    def makefile(self, mode: str) -> BufferedReader:
        """The answer as a file."""
        return BufferedReader(BytesIO(self._sent))


def read_ours(sent: bytes) -> tuple[object, ...]:
    """Status, reason, headers, body and fault of an answer."""
    response = Response(_Wire(sent).makefile("rb"))
    body, fault = b"", ""
    try:
        response.begin()
        left = response.length
        while piece := response.read(4 if left is None else min(4, left - len(body))):
            body += piece
    except Malformed as error:
        fault = error.strerror
    headers = [(name, " ".join(value.split())) for name, value in response.headers]
    return response.status, response.reason, headers, body, fault


def read_by_http_client(sent: bytes) -> tuple[object, ...]:
    """The same, as http.client has it."""
    response = http.client.HTTPResponse(_Wire(sent), method="GET")  # type: ignore[arg-type]  # it only calls makefile
    body, fault, headers = b"", "", list[tuple[str, str]]()
    try:
        response.begin()
        headers = [(name, " ".join(value.split())) for name, value in response.getheaders()]
        while piece := response.read1(4):
            body += piece
    except (http.client.HTTPException, ValueError) as error:
        fault = type(error).__name__
    known = response.headers is not None
    return response.status if known else None, response.reason if known else "", headers, body, fault


@pytest.mark.parametrize("sent", ANSWERS)
def test_an_answer_is_read_as_by_http_client(sent: bytes) -> None:
    assert read_ours(sent) == read_by_http_client(sent)


@settings(derandomize=True, deadline=None)  # http.client's oddities are not all of them kept
@given(st.sampled_from(ANSWERS[:24]), st.data())
def test_an_answer_that_is_cut_or_spoilt_is_read_as_by_http_client(sent: bytes, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(sent)))
    middle = data.draw(st.binary(max_size=3) | st.sampled_from([b"\r\n", b"\n", b": ", b" ", b"\t", b";"]))
    spoilt = sent[:place] + middle + sent[place + data.draw(st.integers(0, 3)) :]
    cut = spoilt[: data.draw(st.integers(0, len(spoilt)))]
    for each in (spoilt, cut):
        assume(not re.search(rb"\r(?!\n)", each))  # which ends a line of an e-mail, and no other
        assert read_ours(each) == read_by_http_client(each)


def test_headers_of_one_name_are_joined() -> None:
    response = Response(_Wire(b"HTTP/1.1 200 OK\r\nA: 1\r\na: 2\r\n\r\n").makefile("rb"))
    response.begin()
    assert (response.header("A"), response.header("b")) == ("1, 2", "")
