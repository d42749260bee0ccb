"""The fault matrix: one real misbehaving server for each fault, and every outcome asserted whole."""

from __future__ import annotations

import gzip
import time
import tracemalloc
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from runner.actions.web.placeholders import WORDS, PageKind
from runner.actions.website_available import ACTION
from runner.contract import Outcome, Severity, Status
from tests.calls import assert_fits, make_call
from tests.web_servers import (
    Reply,
    Talk,
    closed_port,
    drips,
    floods,
    make_authority,
    page_server,
    raw_server,
    resets,
    says,
    silent,
)

HOME = "<!doctype html><title>Pengadilan Negeri Contoh</title><main><h1>Selamat datang</h1><p>Berita</p></main>"
OK = b"HTTP/1.1 200 OK\r\n"
LIMIT = 2.0
SIZE = 1_000_000


class Fault(NamedTuple):
    """A server that misbehaves, and what must be said of it: cause, reason, the last status, and how far it came."""

    server: Callable[[Path], AbstractContextManager[str]]
    cause: str
    reason: str
    status: int | None
    failed: str = ""  # the phase
    page: str = ""


def raw(talk: Talk) -> Callable[[Path], AbstractContextManager[str]]:
    return lambda folder: raw_server(talk)


def pages(home: Reply | str, **others: Reply | str) -> Callable[[Path], AbstractContextManager[str]]:
    return lambda folder: page_server({"/": home, **{f"/{name}": each for name, each in others.items()}})


@contextmanager
def nowhere(folder: Path) -> Iterator[str]:
    yield f"http://127.0.0.1:{closed_port()}"


def secure(**made: Any) -> Callable[[Path], AbstractContextManager[str]]:
    return lambda folder: page_server({"/": HOME}, make_authority(folder).context(**made))


@contextmanager
def over_tls(talk: Talk) -> Iterator[str]:
    with raw_server(talk) as url:
        yield url.replace("http:", "https:")


def to(place: str) -> Reply:
    return Reply(status=302, headers={"Location": place})


def packed(body: bytes, encoding: str) -> Reply:
    return Reply(body, headers={"Content-Encoding": encoding})


TIME = "jawaban tidak selesai dalam batas waktu (tahap {})"
BROKEN = "sambungan putus atau jawaban rusak (tahap {}): {}"
TOO_LARGE = f"halaman lebih besar daripada {SIZE} byte"

FAULTS = {
    "refuses": Fault(nowhere, "connect", "koneksi ditolak oleh server", None, "connect"),
    "is silent": Fault(raw(silent), "time", TIME.format("first_byte"), None, "first_byte"),
    "drips headers": Fault(raw(drips(OK, b"X: y\r\n")), "time", TIME.format("first_byte"), None, "first_byte"),
    "drips its body": Fault(raw(drips(OK + b"\r\n", b"x")), "time", TIME.format("body"), 200, "body"),
    "drips chunks": Fault(
        raw(drips(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n")), "time", TIME.format("body"), 200, "body"
    ),
    "never ends": Fault(raw(floods(OK + b"\r\n", b"x" * 65536)), "size", TOO_LARGE, 200, "body"),
    "sends 50 MB": Fault(pages("x" * 50_000_000), "size", TOO_LARGE, 200, "body"),
    "sends a gzip bomb": Fault(pages(packed(gzip.compress(b" " * 50_000_000), "gzip")), "size", TOO_LARGE, 200, "body"),
    "sends a deflate bomb": Fault(
        pages(packed(zlib.compress(b" " * 50_000_000), "deflate")), "size", TOO_LARGE, 200, "body"
    ),
    "sends gzip that is none": Fault(
        pages(packed(b"halo", "gzip")), "broken", BROKEN.format("body", "error"), 200, "body"
    ),
    "sends less than it says": Fault(
        raw(says(OK + b"Content-Length: 99\r\n\r\nhalo")), "broken", "jawaban putus setelah 4 dari 99 byte", 200, "body"
    ),
    "resets": Fault(raw(resets), "broken", BROKEN.format("body", "Connection reset by peer"), 200, "body"),
    "says nothing": Fault(
        raw(says(b"")), "broken", BROKEN.format("first_byte", "RemoteDisconnected"), None, "first_byte"
    ),
    "speaks SSH": Fault(
        raw(says(b"SSH-2.0-OpenSSH_9.2\r\n")),
        "broken",
        BROKEN.format("first_byte", "BadStatusLine"),
        None,
        "first_byte",
    ),
    "has endless headers": Fault(
        raw(says(OK + b"X: y\r\n" * 500)), "broken", BROKEN.format("first_byte", "HTTPException"), None, "first_byte"
    ),
    "redirects to itself": Fault(pages(to("/")), "redirect", "pengalihan berputar-putar", 302),
    "redirects in a ring": Fault(pages(to("/a"), a=to("/b"), b=to("/a")), "redirect", "pengalihan berputar-putar", 302),
    "redirects for ever": Fault(
        pages(to("/1"), **{str(n): to(f"/{n + 1}") for n in range(1, 30)}),
        "redirect",
        "lebih dari 5 pengalihan berturut-turut",
        302,
    ),
    "redirects to others": Fault(
        pages(to("https://slot.example/")), "elsewhere", "dialihkan ke luar situs pengadilan, ke slot.example", 302
    ),
    "redirects to a file": Fault(
        pages(to("file:///etc/passwd")), "redirect", "alamat 'file:///etc/passwd' bukan alamat http atau https", 302
    ),
    "fails": Fault(pages(Reply(HOME, 500)), "status", "server menjawab dengan status 500", 500),
    "is forbidden": Fault(pages(Reply(HOME, 403)), "status", "server menjawab dengan status 403", 403),
    "speaks no TLS": Fault(
        lambda folder: over_tls(says(OK + b"\r\n")), "tls", "server menjawab tanpa TLS", None, "tls"
    ),
    "never shakes hands": Fault(
        lambda folder: over_tls(silent),
        "time",
        "server tidak menyelesaikan jabat tangan TLS dalam batas waktu",
        None,
        "tls",
    ),
    "has an expired certificate": Fault(secure(days=-3), "tls", "sertifikat sudah kedaluwarsa", None, "tls"),
    "has an early certificate": Fault(secure(age=-2), "tls", "sertifikat belum berlaku", None, "tls"),
    "has another's certificate": Fault(
        secure(name="pn-lain.example"), "tls", "sertifikat bukan untuk alamat situs ini", None, "tls"
    ),
    "has its own certificate": Fault(secure(issued=False), "tls", "sertifikat ditandatangani sendiri", None, "tls"),
}


def check(folder: Path, url: str, **inputs: Any) -> Outcome:
    authorities = {"ca_file": str(folder / "ca.crt")} if (folder / "ca.crt").exists() else {}
    target = {"name": "pn_contoh", "kind": "website", "url": url}
    given = {"tries": 1, "size_limit": SIZE, **authorities, **inputs}
    outcome = ACTION.run(make_call(ACTION, given, directory=folder, target=target, limit=LIMIT))
    assert_fits(ACTION, outcome.outputs)
    return outcome


def phases(url: str, failed: str) -> dict[str, str]:
    """The verdict of each phase of a visit that ended in `failed` ("": it came through)."""
    order = ["lookup", "connect", *(["tls"] if url.startswith("https") else []), "first_byte", "body"]
    done = order[: order.index(failed)] if failed else order
    reached = {**dict.fromkeys(done, "ok"), **({failed: "failed"} if failed else {})}
    return {phase: reached.get(phase, "not_reached") for phase in ("lookup", "connect", "tls", "first_byte", "body")}


@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_is_told_in_its_own_words(tmp_path: Path, name: str) -> None:
    fault = FAULTS[name]
    with fault.server(tmp_path) as url:
        tracemalloc.start()
        started = time.monotonic()
        outcome = check(tmp_path, url)
        seconds = time.monotonic() - started
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    outputs = outcome.outputs
    assert seconds < LIMIT
    assert peak < 120 * SIZE  # the server's own 50 MB stand in this process too
    told = {
        "status": outcome.status,
        "available": outputs["available"],
        "state": outputs["state"],
        "cause": outputs["cause"],
        "reason": outputs["reason"],
        "http_status": outputs["http_status"],
        "phases": outputs["phases"],
        "tries": [(each["cause"], each["reason"]) for each in outputs["tries"]],
        "page": outputs["page"],
        "recent": outputs["recent"],
        "problems": [tuple(problem) for problem in outcome.problems],
        "message": outcome.message,
    }
    assert told == {
        "status": Status.OK,
        "available": False,
        "state": "down",
        "cause": fault.cause,
        "reason": fault.reason,
        "http_status": fault.status,
        "phases": phases(url, fault.failed),
        "tries": [(fault.cause, fault.reason)],
        "page": fault.page,
        "recent": "0",
        "problems": [
            ("website.unavailable", Severity.CRITICAL, f"{url} tidak dapat diakses: {fault.reason}."),
        ],
        "message": fault.reason,
    }
    assert len(outputs["title"]) <= 200
    assert outputs["size"] <= SIZE + 1


CASES = sorted((Path(__file__).parents[1] / "cases" / "website.available").glob("*.html"))


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.stem)
def test_a_notice_in_place_of_the_site_is_not_available(tmp_path: Path, case: Path) -> None:
    kind = PageKind(case.stem.partition("-")[0])
    with page_server({"/": case.read_text("utf-8")}) as url:
        outcome = check(tmp_path, url)
    outputs = outcome.outputs
    assert (outputs["page"], outputs["http_status"], outputs["phases"]) == (kind, 200, phases(url, ""))
    if kind is PageKind.SITE:
        assert (outputs["available"], outcome.problems) == (True, ())
        return
    reason = f"yang tampil bukan situs, melainkan {WORDS[kind]}"
    assert (outputs["available"], outputs["cause"], outputs["reason"]) == (False, "page", reason)
    message = f"{url} tidak dapat diakses: {reason}."
    assert [tuple(problem) for problem in outcome.problems] == [("website.unavailable", Severity.CRITICAL, message)]


CHARSETS: Mapping[str, tuple[bytes, str]] = {
    "missing": (b"<title>Caf\xc3\xa9</title>isi", "text/html"),
    "lying": (b"<title>Caf\xe9</title>isi", "text/html; charset=utf-8"),
    "unknown": (b"<title>Caf\xc3\xa9</title>isi", "text/html; charset=no-such"),
    "broken": (b"<title>Caf\xc3\x28 \xff\xfe</title>isi", "text/html; charset=utf-8"),
    "not text": (b"<title>Caf</title>isi" + bytes(range(256)), "application/octet-stream; charset=zlib"),
    "half a character": ("<title>Café</title>isi".encode("utf-16")[:-1], "text/html"),
}


@pytest.mark.parametrize("name", CHARSETS)
def test_a_page_in_any_charset_is_available(tmp_path: Path, name: str) -> None:
    body, said = CHARSETS[name]
    with page_server({"/": Reply(body, headers={"Content-Type": said})}) as url:
        outcome = check(tmp_path, url)
    assert (outcome.outputs["available"], outcome.outputs["page"]) == (True, "site")
    assert outcome.outputs["title"].startswith("Caf")
    assert outcome.outputs["title"].isprintable()


def test_every_kind_of_notice_has_a_case() -> None:
    assert {case.stem.partition("-")[0] for case in CASES} == set(PageKind)
