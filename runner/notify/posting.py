"""One HTTP POST of JSON under one deadline: no redirect is followed, no proxy asked, every size bounded."""

from __future__ import annotations

import http.client
import json
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from runner.actions.web.faults import VisitError
from runner.actions.web.fetch import Place, parse_place
from runner.actions.web.lookup import connect, look_up
from runner.actions.web.text import clean_text
from runner.actions.web.tls import start_session, verifying_context
from runner.actions.web.wire import Wire
from runner.durations import Deadline
from runner.inventory.channels import is_safe
from runner.notify.answers import Answer, deferred, hindered, refused, unreached

LARGEST_REPLY = 64 * 1024
LONGEST_WORDS = 200

_VALUE = re.compile(r"[ -~]*\Z")
_LATER = frozenset({429, 503})
_AGAIN = frozenset({408, 425})


@dataclass(frozen=True, slots=True)
class Reply:
    """What a server answered."""

    status: int
    reason: str
    retry_after: str
    body: bytes

    def json(self) -> Any:
        """The body as JSON; None where it is none."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None


class PostError(Exception):
    """Why there was no reply; `delivered` tells that the request may have arrived all the same."""

    def __init__(self, answer: Answer, *, delivered: bool = False) -> None:
        self.answer = answer
        self.delivered = delivered
        super().__init__(answer.words)


def post(url: str, document: Any, headers: Mapping[str, str], deadline: Deadline, ca_file: str = "") -> Reply:
    """Given a URL and a JSON document, send it and return the reply, whatever its status. Raise PostError."""
    if not is_safe(url):
        raise PostError(refused("alamat tidak memakai https, sehingga pesan tidak dikirim"))
    try:
        place = parse_place(url)
    except VisitError:
        raise PostError(refused("alamat kanal tidak sah")) from None
    request = _request(place, json.dumps(document, ensure_ascii=False).encode(), headers)
    plug = _open(place, deadline, ca_file)
    try:
        plug.settimeout(max(0.001, deadline.remaining()))
        plug.sendall(request)
        return _read(plug, deadline)
    except TimeoutError:
        raise PostError(hindered("server tidak menjawab dalam batas waktu"), delivered=True) from None
    except (http.client.HTTPException, OSError, ValueError) as error:
        words = f"sambungan putus atau jawaban rusak: {getattr(error, 'strerror', None) or type(error).__name__}"
        raise PostError(hindered(words), delivered=True) from None
    finally:
        plug.close()


def _open(place: Place, deadline: Deadline, ca_file: str) -> socket.socket:
    plug: socket.socket | None = None
    try:
        plug = connect(look_up(place.host, place.port, deadline), deadline)
        if place.scheme == "https":
            plug, _ = start_session(plug, place.host, deadline, verifying_context(ca_file))
    except VisitError as error:
        if plug is not None:
            plug.close()
        raise PostError(unreached(error)) from None
    except OSError as error:
        if plug is not None:
            plug.close()
        raise PostError(refused(f"berkas otoritas sertifikat tidak dapat dipakai: {error.strerror}")) from None
    return plug


def _request(place: Place, body: bytes, headers: Mapping[str, str]) -> bytes:
    own = {
        "Host": place.authority,
        "User-Agent": "sop-runner",
        "Accept": "application/json",
        "Content-Type": "application/json; charset=utf-8",
        "Content-Length": str(len(body)),
        "Connection": "close",
    }
    known = {name.lower() for name in own}
    own.update({name: value for name, value in headers.items() if name.lower() not in known})
    if not all(_VALUE.match(value) for value in own.values()):
        raise PostError(refused("nilai header memuat karakter yang tidak boleh ada di dalamnya"))
    lines = [f"POST {place.target} HTTP/1.1", *(f"{name}: {value}" for name, value in own.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("ascii") + body


def _read(plug: socket.socket, deadline: Deadline) -> Reply:
    wire: Any = Wire(plug, deadline)  # all that http.client does with it is makefile
    response = http.client.HTTPResponse(wire, method="POST")
    try:
        response.begin()
        try:
            body = response.read(LARGEST_REPLY)
        except (http.client.HTTPException, OSError, ValueError):
            body = b""  # the status is what counts
        after = response.getheader("Retry-After", "")
        return Reply(response.status, clean_text(response.reason, 60), after, body)
    finally:
        response.close()


def judge(reply: Reply, words: str) -> Answer | None:
    """Given a reply and its words for people, return the answer that its status gives; None for success."""
    if 200 <= reply.status < 300:
        return None
    if reply.status in _LATER:
        return deferred(words, reply.retry_after)
    if 300 <= reply.status < 400:
        return refused(f"{words}: pengalihan tidak diikuti")
    return (hindered if reply.status >= 500 or reply.status in _AGAIN else refused)(words)
