from __future__ import annotations

import gzip
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from runner.actions.web.availability import ask
from runner.actions.web.available_keys import CAUSES, PAGES
from runner.actions.web.demands import Demand
from runner.actions.web.faults import Cause
from runner.actions.web.fetch import Fetcher
from runner.actions.web.lookup import Place, look_up, system_resolver
from runner.actions.web.placeholders import PageKind
from runner.actions.website_available import ACTION
from runner.contract import Outcome, Severity, Status
from runner.durations import Deadline
from runner.errors import Failed
from tests.calls import assert_fits, make_call, read_evidence
from tests.web_servers import (
    Reply,
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


def check(folder: Path, url: str, inputs: Mapping[str, Any] | None = None, limit: float = 20.0) -> Outcome:
    target = {"name": "pn_contoh", "kind": "website", "url": url}
    given = {"tries": 1, **(inputs or {})}
    outcome = ACTION.run(make_call(ACTION, given, directory=folder, target=target, limit=limit))
    assert outcome.status is Status.OK
    assert_fits(ACTION, outcome.outputs)
    return outcome


def assert_down(outcome: Outcome, cause: Cause, words: str) -> None:
    assert (outcome.outputs["available"], outcome.outputs["cause"]) == (False, cause)
    assert words in outcome.outputs["reason"]
    assert [(p.key, p.severity) for p in outcome.problems] == [("website.unavailable", Severity.CRITICAL)]


def test_tells_all_about_a_site_that_is_up(tmp_path: Path) -> None:
    with page_server({"/": HOME}) as url:
        outcome = check(tmp_path, url, {"must_contain": ["Selamat datang"]})
        outputs = outcome.outputs
    assert outcome.problems == ()
    assert (outputs["available"], outputs["cause"], outputs["reason"]) == (True, "", "")
    assert (outputs["http_status"], outputs["title"], outputs["page"]) == (200, "Pengadilan Negeri Contoh", "site")
    assert (outputs["address"], outputs["size"], outputs["final_url"]) == ("127.0.0.1", len(HOME), url)
    assert outputs["timings"]["tls"] is None
    assert outputs["response_seconds"] == pytest.approx(sum(v for v in outputs["timings"].values() if v), abs=1e-4)


def test_keeps_the_answer_as_evidence(tmp_path: Path) -> None:
    body = HOME + "x" * 300 * 1024
    with page_server({"/": body}) as url:
        call = make_call(ACTION, {"url": url, "keep": "always"}, directory=tmp_path)
        outcome = ACTION.run(call)
    (evidence,) = outcome.evidence
    head, _, kept = read_evidence(call, evidence).partition(b"\r\n\r\n")
    assert (evidence.name, evidence.media_type) == ("response.http", "message/http")
    assert b"HTTP 200 OK" in head
    assert b"Content-Length: " in head
    assert kept == body.encode()[: 256 * 1024]


@pytest.mark.parametrize(
    ("reply", "inputs", "cause", "words"),
    [
        (Reply(HOME, 500), {}, Cause.STATUS, "status 500"),
        (Reply(HOME, 404), {}, Cause.STATUS, "status 404"),
        (Reply(HOME), {"statuses": [204]}, Cause.STATUS, "status 200"),
        (Reply(HOME), {"must_contain": ["Selamat jalan"]}, Cause.CONTENT, "tidak memuat teks 'Selamat jalan'"),
        (Reply(HOME), {"must_not_contain": ["Berita"]}, Cause.CONTENT, "memuat teks terlarang 'Berita'"),
        (Reply("<title>Account Suspended</title>"), {}, Cause.PAGE, "penangguhan"),
        (Reply("<title>Welcome to nginx!</title>"), {}, Cause.PAGE, "halaman bawaan server"),
        (Reply("<p>Situs ini sedang dalam pemeliharaan.</p>"), {}, Cause.PAGE, "halaman pemeliharaan"),
        (Reply(""), {}, Cause.PAGE, "halaman kosong"),
        (Reply(HOME + "x" * 5000), {"size_limit": 2048}, Cause.SIZE, "lebih besar daripada 2048 byte"),
        (Reply(HOME, headers={"Content-Encoding": "br"}), {}, Cause.BROKEN, "'br' yang tidak diminta"),
        (Reply(HOME, headers={"Content-Encoding": "gzip"}), {}, Cause.BROKEN, "tahap body"),
    ],
)
def test_is_not_available_when_the_answer_is_wrong(
    tmp_path: Path, reply: Reply, inputs: dict[str, Any], cause: Cause, words: str
) -> None:
    with page_server({"/": reply}) as url:
        assert_down(check(tmp_path, url, inputs), cause, words)


def test_reads_a_page_compressed_unasked(tmp_path: Path) -> None:
    with page_server({"/": Reply(gzip.compress(HOME.encode()), headers={"Content-Encoding": "gzip"})}) as url:
        assert check(tmp_path, url).outputs["title"] == "Pengadilan Negeri Contoh"


@pytest.mark.promise("Limits", "a compressed bomb for a page", "stopped at the size limit")
def test_stops_a_compressed_bomb_at_the_size_limit(tmp_path: Path) -> None:
    bomb = gzip.compress(b" " * 50_000_000)
    with page_server({"/": Reply(bomb, headers={"Content-Encoding": "gzip"})}) as url:
        outcome = check(tmp_path, url, {"size_limit": 1_000_000})
    assert_down(outcome, Cause.SIZE, "1000000 byte")
    assert outcome.outputs["size"] <= 1_000_001


def test_does_not_know_when_it_is_throttled(tmp_path: Path) -> None:
    with page_server({"/": Reply(HOME, 429)}) as url:
        outcome = check(tmp_path, url)
    assert outcome.outputs["available"] is None
    assert [p.key for p in outcome.problems] == ["website.unknown"]


BROKEN = {
    "drips a body": (drips(b"HTTP/1.1 200 OK\r\n\r\n", b"x"), Cause.TIME, "tahap body"),
    "drips headers": (drips(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"), Cause.TIME, "tahap first_byte"),
    "drips one header": (drips(b"HTTP/1.1 200 OK\r\nX: ", b"y"), Cause.TIME, "tahap first_byte"),
    "drips chunks": (
        drips(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
        Cause.TIME,
        "body",
    ),
    "repeats 100 Continue": (drips(b"", b"HTTP/1.1 100 Continue\r\n\r\n"), Cause.TIME, "tahap first_byte"),
    "is silent": (silent, Cause.TIME, "tahap first_byte"),
}
WRONG = {
    "resets": (resets, Cause.BROKEN, "tahap body"),
    "sends too little": (says(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nhalo"), Cause.BROKEN, "4 dari 99 byte"),
    "breaks a chunk": (says(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"), Cause.BROKEN, "body"),
    "says nothing": (says(b""), Cause.BROKEN, "tahap first_byte"),
    "speaks no HTTP": (says(b"SSH-2.0-OpenSSH_9.2\r\n"), Cause.BROKEN, "tahap first_byte"),
    "has endless headers": (says(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 500), Cause.BROKEN, "tahap first_byte"),
    "has a huge header": (says(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 90_000), Cause.BROKEN, "tahap first_byte"),
    "lies about length": (says(b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n" + HOME.encode()), None, ""),
    "floods": (floods(b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 65536), Cause.SIZE, "lebih besar"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_slow_server_cannot_hold_the_limit(tmp_path: Path, name: str) -> None:
    talk, cause, words = BROKEN[name]
    with raw_server(talk) as url:
        started = time.monotonic()
        outcome = check(tmp_path, url, limit=0.5)
        assert time.monotonic() - started < 0.5
    assert_down(outcome, cause, words)


@pytest.mark.parametrize("name", WRONG)
def test_says_how_an_answer_is_broken(tmp_path: Path, name: str) -> None:
    talk, cause, words = WRONG[name]
    with raw_server(talk) as url:
        outcome = check(tmp_path, url, {"size_limit": 1_000_000})
    if cause is None:
        assert outcome.outputs["available"] is True
    else:
        assert_down(outcome, cause, words)


def test_within_ends_a_visit_before_the_limit(tmp_path: Path) -> None:
    with raw_server(silent) as url:
        started = time.monotonic()
        assert_down(check(tmp_path, url, {"within": "0.3s"}), Cause.TIME, "batas waktu")
        assert time.monotonic() - started < 1


def test_a_refused_connection_is_the_site_s_fault(tmp_path: Path) -> None:
    assert_down(check(tmp_path, f"http://127.0.0.1:{closed_port()}"), Cause.CONNECT, "ditolak")


def test_is_unknown_when_the_references_are_out_of_reach_too(tmp_path: Path) -> None:
    outcome = check(tmp_path, f"http://127.0.0.1:{closed_port()}", {"references": [f"127.0.0.1:{closed_port()}"]})
    assert (outcome.outputs["available"], outcome.outputs["cause"]) == (None, "own_network")
    assert [(p.key, p.severity) for p in outcome.problems] == [("office.network", Severity.MAJOR)]


def test_is_down_when_a_reference_answers(tmp_path: Path) -> None:
    with raw_server(silent) as reference:
        references = [f"127.0.0.1:{closed_port()}", reference.removeprefix("http://")]
        outcome = check(tmp_path, f"http://127.0.0.1:{closed_port()}", {"references": references})
    assert_down(outcome, Cause.CONNECT, "ditolak")


def test_a_lookup_that_never_answers_is_left_behind() -> None:
    never = Deadline.after(5)

    def hangs(host: str, port: int) -> list[Place]:
        time.sleep(never.remaining())
        return []

    started = time.monotonic()
    visited, verdict = ask(
        "http://pn-contoh.example/", Demand(hosts=[]), Deadline.after(0.2), Fetcher(resolver=hangs), Deadline.after(0.3)
    )
    assert time.monotonic() - started < 1
    assert verdict.available is None
    assert verdict.fault is not None
    assert "tidak dijawab" in verdict.fault.message
    assert visited.last.timings.keys() == {"lookup"}


def test_tries_the_next_address_when_one_is_dead() -> None:
    with page_server({"/": HOME}) as url:
        dead, port = closed_port(), int(url.rpartition(":")[2])

        def two(host: str, _: int) -> list[Place]:
            return [*system_resolver("127.0.0.1", dead), *system_resolver("127.0.0.1", port)]

        answer = Fetcher(resolver=two).fetch(f"http://pn-contoh.example:{port}/", Deadline.after(5))
    assert answer.status == 200


def test_looks_up_an_address_without_asking_anyone() -> None:
    assert look_up("127.0.0.1", 80, Deadline.after(5))[0][1] == ("127.0.0.1", 80)


def test_follows_redirects_at_home(tmp_path: Path) -> None:
    pages: dict[str, Reply | str] = {
        "/": Reply(status=301, headers={"Location": "/id/"}),
        "/id/": Reply(status=302, headers={"Location": "beranda?a=b c"}),
        "/id/beranda?a=b%20c": HOME,
    }
    with page_server(pages) as url:
        outputs = check(tmp_path, url).outputs
    assert outputs["available"] is True
    assert outputs["redirects"] == [f"{url}/id/", f"{url}/id/beranda?a=b c"]
    assert outputs["title"] == "Pengadilan Negeri Contoh"


@pytest.mark.parametrize(
    ("location", "cause", "words"),
    [
        ("https://slot.example/", Cause.ELSEWHERE, "ke luar situs pengadilan, ke slot.example"),
        ("//127.0.0.2/", Cause.ELSEWHERE, "127.0.0.2"),
        ("http://127.0.0.1.evil.example/", Cause.ELSEWHERE, "evil.example"),
        ("file:///etc/passwd", Cause.REDIRECT, "bukan alamat http"),
        ("javascript:alert(1)", Cause.REDIRECT, "bukan alamat http"),
        ("http://[::1", Cause.REDIRECT, "tidak sah"),
        ("/", Cause.REDIRECT, "berputar-putar"),
        ("/?x=1", Cause.REDIRECT, "lebih dari 2 pengalihan"),
    ],
)
def test_does_not_follow_where_it_should_not(tmp_path: Path, location: str, cause: Cause, words: str) -> None:
    pages: dict[str, Reply | str] = {"/": Reply(status=302, headers={"Location": location})}
    pages |= {f"/?x={n}": Reply(status=302, headers={"Location": f"/?x={n + 1}"}) for n in range(9)}
    with page_server(pages) as url:
        assert_down(check(tmp_path, f"{url}/", {"redirects": 2}), cause, words)


def test_further_hosts_can_be_the_court_s_own(tmp_path: Path) -> None:
    with page_server({"/": HOME}) as other:
        away = other.replace("127.0.0.1", "127.0.0.2").replace("http://", "")
        with page_server({"/": Reply(status=302, headers={"Location": f"http://{away}/"})}) as url:
            outcome = check(tmp_path, url, {"hosts": ["127.0.0.2"]})
    assert_down(outcome, Cause.CONNECT, "ditolak")  # it was followed: nothing listens on 127.0.0.2


def test_reads_the_certificate_s_days(tmp_path: Path) -> None:
    authority = make_authority(tmp_path)
    with page_server({"/": HOME}, authority.context(days=40)) as url:
        outcome = check(tmp_path, url, {"ca_file": str(authority.ca_file)})
    outputs = outcome.outputs
    assert outputs["available"] is True
    assert outputs["timings"]["tls"] > 0
    assert outputs["certificate_expires"] is not None


@pytest.mark.parametrize(
    ("made", "words"),
    [
        ({"days": -3}, "sudah kedaluwarsa"),
        ({"name": "pn-lain.example"}, "bukan untuk"),
        ({"issued": False}, "ditandatangani sendiri"),
        ({"age": -2}, "belum berlaku"),
    ],
)
def test_says_why_a_certificate_is_not_trusted(tmp_path: Path, made: dict[str, Any], words: str) -> None:
    authority = make_authority(tmp_path)
    with page_server({"/": HOME}, authority.context(**made)) as url:
        outcome = check(tmp_path, url, {"ca_file": str(authority.ca_file)})
    assert_down(outcome, Cause.TLS, words)
    assert outcome.outputs["http_status"] is None
    assert outcome.outputs["certificate_days_left"] is not None


def test_says_that_an_authority_is_unknown(tmp_path: Path) -> None:
    with page_server({"/": HOME}, make_authority(tmp_path).context()) as url:
        assert_down(check(tmp_path, url), Cause.TLS, "penerbit sertifikat tidak dikenal")


def test_says_that_a_server_speaks_no_tls(tmp_path: Path) -> None:
    with page_server({"/": HOME}) as url:
        assert_down(check(tmp_path, url.replace("http:", "https:")), Cause.TLS, "tanpa TLS")


def test_a_silent_handshake_ends_in_time(tmp_path: Path) -> None:
    with raw_server(silent) as url:
        started = time.monotonic()
        outcome = check(tmp_path, url.replace("http:", "https:"), limit=0.5)
        assert time.monotonic() - started < 0.5
    assert_down(outcome, Cause.TIME, "jabat tangan TLS")


def test_text_from_outside_is_cleaned_and_cut(tmp_path: Path) -> None:
    title = "Peng\x1b[31madilan\u202e&#x1b;\n  Negeri " + "a" * 500
    head = "HTTP/1.1 200 OK\r\nServer: x\x07" + "y" * 300
    with raw_server(says(f"{head}\r\n\r\n<title>{title}</title>x".encode())) as url:
        outputs = check(tmp_path, url).outputs
    assert outputs["title"].startswith("Peng [31madilan Negeri a")
    assert len(outputs["title"]) == 200
    assert len(outputs["server"]) == 100
    assert (outputs["title"] + outputs["server"]).isprintable()


@pytest.mark.parametrize("charset", ["windows-1252", "ISO-8859-1", "no-such", "zlib", "punycode", "utf-16"])
def test_any_charset_is_read(tmp_path: Path, charset: str) -> None:
    reply = Reply(b"<title>Caf\xe9 Negeri</title>isi", headers={"Content-Type": f"text/html; charset={charset}"})
    with page_server({"/": reply}) as url:
        assert check(tmp_path, url).outputs["available"] is True


@pytest.mark.parametrize("url", [None, "pn-contoh.example", "ftp://pn-contoh.example/"])
def test_refuses_what_is_no_web_address(tmp_path: Path, url: str | None) -> None:
    call = make_call(ACTION, {"url": url} if url else {}, directory=tmp_path)
    with pytest.raises(Failed, match="no web address"):
        ACTION.run(call)


def test_refuses_a_within_that_is_no_duration(tmp_path: Path) -> None:
    call = make_call(ACTION, {"url": "http://127.0.0.1/", "within": "soon"}, directory=tmp_path)
    with pytest.raises(Failed, match="within: 'soon'"):
        ACTION.run(call)


def test_declares_every_cause_and_kind_of_page() -> None:
    assert set(CAUSES) == set(Cause)
    assert set(PAGES) == set(PageKind)
