from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.actions.content.crawl import Crawl, Crawler
from runner.actions.content.facts import contrast, read_facts
from runner.actions.content.rules import SHIPPED, load_rules
from runner.actions.content.scoring import holds, score_given
from runner.actions.web.fetch import Fetcher
from runner.actions.website_content import ACTION
from runner.contract import Outcome, Severity, Status
from runner.durations import Deadline
from runner.errors import Failed
from tests.calls import assert_fits, make_call, read_evidence
from tests.web_servers import Reply, closed_port, drips, page_server, raw_server

CASES = Path(__file__).parent.parent / "cases"
HEAD = '<html lang="id"><head><title>{0}</title><meta name="viewport" content="width=device-width"></head><body>'
SKIP = '<a href="#isi">Langsung ke isi</a>'
HOME = HEAD.format("Pengadilan Negeri Contoh") + SKIP + (
    "<h1>Pengadilan Negeri Contoh</h1><h2>Berita</h2>"
    '<a href="/profil/struktur-organisasi">Struktur Organisasi</a><a href="/tugas-pokok">Tugas Pokok dan Fungsi</a>'
    '<a href="/ptsp">PTSP</a><a href="/lkjip">LKjIP</a><a href="/berita/satu">Berita satu</a>'
    '<a href="https://sipp.pn-contoh.example/">SIPP</a><a href="https://ecourt.mahkamahagung.go.id/">e-Court</a>'
    '<img src="/kop.png" alt="Gedung pengadilan dari depan"><form><label for="q">Cari</label><input id="q"></form>'
)  # fmt: skip


def page(title: str, text: str = "Uraian.") -> str:
    return HEAD.format(title) + SKIP + f"<h1>{title}</h1><p>{text}</p></body></html>"


PAGES: dict[str, Reply | str] = {
    "/": HOME,
    "/profil/struktur-organisasi": page("Struktur Organisasi"),
    "/tugas-pokok": page("Tugas Pokok", "Tugas pengadilan. Fungsi pengadilan. Wilayah hukum pengadilan. " * 9),
    "/ptsp": page("PTSP", "Jenis layanan dan maklumat."),
    "/lkjip": page("LKjIP")
    + '<a href="/files/lkjip-2025.pdf">LKjIP Tahun 2025</a><a href="/files/dipa-2024.pdf">DIPA 2024</a>',
    "/berita/satu": page("Berita satu"),
}


def score(folder: Path, pages: Mapping[str, Reply | str], inputs: Mapping[str, Any] | None = None) -> Outcome:
    with page_server(pages) as url:
        return score_at(folder, url, inputs)


def score_at(folder: Path, url: str, inputs: Mapping[str, Any] | None = None, limit: float = 60) -> Outcome:
    target = {"name": "pn_contoh", "kind": "website", "url": url}
    call = make_call(ACTION, {"pause": 0, **(inputs or {})}, directory=folder, target=target, limit=limit)
    outcome = ACTION.run(call)
    assert outcome.status is Status.OK
    assert_fits(ACTION, outcome.outputs)
    assert b'"W01"' in read_evidence(call, outcome.evidence[0]) or "rules" in call.inputs
    return outcome


def points(outcome: Outcome) -> dict[str, int | None]:
    return {row["id"]: row["points"] for row in outcome.outputs["scores"]}


def test_each_obligation_has_its_rule() -> None:
    assert [rule.id for rule in load_rules()] == [f"W{number:02}" for number in range(1, 60)]
    assert all(rule.basis and rule.title for rule in load_rules())


def test_a_site_is_scored_rule_by_rule(tmp_path: Path) -> None:
    outcome = score(tmp_path, PAGES)
    found = points(outcome)
    assert [found[name] for name in ("W01", "W02", "W17", "W40", "W41", "W43", "W44", "W46")] == [2] * 8
    assert (found["W32"], found["W21"], found["W28"]) == (1, 1, 1)  # a part of it; too old; two of six
    assert (found["W23"], found["W47"], found["W56"]) == (0, 0, 0)
    assert (found["W36"], found["W58"]) == (None, None)
    evidence = {row["id"]: row["evidence"] for row in outcome.outputs["scores"]}
    assert evidence["W23"] == "halaman tidak ditemukan pada 6 halaman yang dibaca"
    assert "standar" in evidence["W32"]
    assert "kompensasi" in evidence["W32"]
    assert evidence["W21"].endswith("tahun termuda 2024")
    assert outcome.outputs["complete"]
    assert re.fullmatch(r"\d+ dari \d+ angka \(\d+,\d persen\); \d+ dari 59 butir belum diketahui\.", outcome.message)


def test_what_is_not_kept_is_a_minor_problem_and_unknown_is_one(tmp_path: Path) -> None:
    outcome = score(tmp_path, PAGES)
    found = {problem.key: problem for problem in outcome.problems}
    assert found["website.content.W23"].severity is Severity.MINOR
    assert "SK KMA 2-144" in found["website.content.W23"].message
    assert "W36" in found["website.content_unknown"].message
    assert "website.content.W01" not in found


def test_unknown_is_never_zero(tmp_path: Path) -> None:
    few = points(score(tmp_path, PAGES, {"budget": 1}))
    assert few["W02"] is None  # its link was seen, its page not read
    assert few["W23"] is None  # it may lie on a page that was not read
    gone = score_at(tmp_path, f"http://127.0.0.1:{closed_port()}").outputs
    assert (gone["points"], gone["highest"], gone["percent"], gone["unknown"]) == (0, 0, None, 59)


@pytest.mark.parametrize("case", ["suspended-cpanel", "payment-registry", "expired-hosting", "maintenance-joomla"])
def test_a_notice_in_place_of_the_site_is_no_site_without_content(tmp_path: Path, case: str) -> None:
    notice = (CASES / "website.available" / f"{case}.html").read_text("utf-8")
    outcome = score(tmp_path, {"/": notice}, {"values": {"certificate_days": 30}})
    assert {name: value for name, value in points(outcome).items() if value is not None} == {"W48": 2}
    (problem,) = outcome.problems
    assert problem.key == "website.content_unknown"
    assert "tidak dapat dinilai" in problem.message
    assert "yang tampil bukan situs" in problem.message


def test_values_of_other_tasks_are_scored(tmp_path: Path) -> None:
    values = {"updated": True, "certificate_days": 5, "integrity": "review", "changes": 2, "availability": "banyak"}
    found = points(score(tmp_path, PAGES, {"values": values}))
    assert [found[name] for name in ("W36", "W48", "W54", "W53", "W50", "W51")] == [2, 1, 1, 0, None, None]


def test_robots_txt_is_kept(tmp_path: Path) -> None:
    closed = {**PAGES, "/robots.txt": "User-agent: *\nDisallow: /profil/\n"}
    outcome = score(tmp_path, closed)
    assert points(outcome)["W02"] is None
    assert not any("/profil/" in url for url in outcome.outputs["pages"])
    broken = score(tmp_path, {**PAGES, "/robots.txt": Reply("", 503)}).outputs
    assert (broken["pages"], broken["unknown"]) == ([], 59)


def test_only_the_own_host_is_visited_and_wanted_pages_first(tmp_path: Path) -> None:
    news = "".join(f'<a href="/berita/{n}">Berita {n}</a>' for n in range(40))
    many = {
        **PAGES,
        "/": HOME.replace("<h2>", news + "<h2>"),
        **{f"/berita/{n}": page(f"Berita {n}") for n in range(40)},
    }
    outputs = score(tmp_path, many, {"budget": 5}).outputs
    read = [urlsplit(url).path.strip("/") for url in outputs["pages"]]
    assert read == ["", "profil/struktur-organisasi", "tugas-pokok", "ptsp", "lkjip"]
    assert not outputs["complete"]


def test_a_pause_lies_between_pages(tmp_path: Path) -> None:
    pauses: list[float] = []
    with page_server({**PAGES, "/robots.txt": "User-agent: *\nCrawl-delay: 2\n"}) as url:
        crawler = Crawler(["127.0.0.1"], Fetcher(), Deadline.after(30), 4, 0.5, ["ptsp"], wait=pauses.append)
        assert len(crawler.crawl(url).pages) == 4
    assert pauses == [2.0, 2.0, 2.0]


def test_access_for_all_is_checked(tmp_path: Path) -> None:
    bad = (
        '<html><title>x</title><h1>a</h1><h1>b</h1><h4>c</h4><img src="IMG_1.jpg">'
        '<img src="a" alt="Dokumentasi 12 Mei 2025">'
        '<input name="q"><p style="color:#999;background:#fff">pudar</p><p>Lorem ipsum dolor</p>'
        '<a href="/tidak-ada">x</a>'
    )
    found = points(score(tmp_path, {"/": bad}))
    names = ("W38", "W39", "W40", "W41", "W42", "W43", "W44", "W45", "W46")
    assert {name: found[name] for name in names} == dict.fromkeys(names, 0)


def test_a_rule_that_does_not_concern_the_court_is_not_scored(tmp_path: Path) -> None:
    rules = tmp_path / "r.yml"
    rules.write_text('rules:\n- {id: A, title: T, basis: B, not_applicable: tidak ada, links: [["sipp"]]}\n')
    outputs = score(tmp_path, PAGES, {"rules": str(rules)}).outputs
    assert (outputs["scores"][0]["applies"], outputs["highest"], outputs["unknown"]) == (False, 0, 0)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("rules:\n- {id: A, title: T, basis: B}\n", ":2:3"),
        ("rules:\n- id: W1\n  title: T\n  basis: B\n  page: {wrds: [ab]}\n", ":5:10"),
        ("rules:\n- {id: A, title: T, basis: B, links: []}\n", ":2:"),
        ("rules:\n- {id: A, title: T, basis: B, own: {name: colour}}\n", "colour"),
        (
            "rules:\n- {id: A, title: T, basis: B, links: [[ab]]}\n- {id: A, title: T, basis: B, links: [[ab]]}\n",
            ":3:8",
        ),
        ("rules: [", "r.yml:2:1"),
    ],
)
def test_mistakes_in_the_rules_are_told_with_their_place(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "r.yml").write_text(text)
    with pytest.raises(Failed, match=re.escape(words)):
        load_rules(tmp_path / "r.yml")


def test_a_missing_file_of_rules_is_told(tmp_path: Path) -> None:
    with pytest.raises(Failed, match="cannot be read"):
        load_rules(tmp_path / "none.yml")


def test_a_changed_copy_of_the_shipped_rules_is_read(tmp_path: Path) -> None:
    copy = tmp_path / "kewajiban.yml"
    copy.write_text(SHIPPED.read_text("utf-8").replace("pt-bengkulu.go.id", "pt-contoh.go.id"), "utf-8")
    assert len(load_rules(copy)) == 59


@pytest.mark.parametrize(
    ("asks", "value", "expected"),
    [
        ({"name": "x", "at_least": 14, "half": 3}, 14, 2),
        ({"name": "x", "at_least": 14, "half": 3}, 3, 1),
        ({"name": "x", "at_least": 14, "half": 3}, 2, 0),
        ({"name": "x", "at_most": 0, "half": 2}, 2, 1),
        ({"name": "x", "at_most": 0}, 1, 0),
        ({"name": "x", "is": True}, False, 0),
        ({"name": "x", "is": True}, None, None),
        ({"name": "x", "at_least": 1}, True, None),
    ],
)
def test_given_values_are_compared(asks: Mapping[str, Any], value: Any, expected: int | None) -> None:
    assert score_given(asks, {"x": value}).points == expected


def test_words_are_found_whole() -> None:
    assert holds("unduh sop di sini", "sop")
    assert not holds("sopan santun", "sop")
    assert holds("(ikm)", "IKM")


def test_contrast_is_as_wcag_says() -> None:
    assert round(contrast((0, 0, 0), (255, 255, 255)), 1) == 21.0
    assert contrast((119, 119, 119), (255, 255, 255)) < 4.5 < contrast((118, 118, 118), (255, 255, 255))


LOOP = {"/": Reply("", 302, {"Location": "/"})}
DEEP = {f"/{n}": f'<title>{n}</title><a href="/{n + 1}">lanjut</a>' for n in range(400)}


@pytest.mark.parametrize(
    "pages",
    [
        LOOP,
        {"/": Reply(b"\xff\xfe\x00" * 9999)},
        {"/": Reply("<a href='http://[::1'>x</a><a href='//:99999/'>y</a><a href='?a=1'>z</a>" * 100)},
        {"/": HOME, "/robots.txt": "Disallow: /\n" * 20_000},
        {"/": Reply("<a href=x" * 100_000)},
        {"/": Reply("<h1>" * 100_000)},
        {"/": '<a href="/1">x</a>', **DEEP},
    ],
)
def test_bad_input_ends(tmp_path: Path, pages: Mapping[str, Reply | str]) -> None:
    start = time.monotonic()
    assert len(score(tmp_path, pages, {"budget": 30}).outputs["pages"]) <= 30
    assert time.monotonic() - start < 30


def test_a_dripping_site_is_left_in_time(tmp_path: Path) -> None:
    with raw_server(drips(b"HTTP/1.1 200 OK\r\n\r\n", b"a")) as url:
        assert score_at(tmp_path, url, {"within": "1s"}).outputs["unknown"] == 59


def test_one_page_that_never_ends_leaves_time_for_the_others() -> None:
    answer = '<a href="/tetes">a</a><a href="/berita">b</a>'

    def talk(plug: socket.socket, stopping: threading.Event) -> None:
        asked = plug.recv(65536)
        plug.sendall(f"HTTP/1.1 {404 if b'robots' in asked else 200} OK\r\n\r\n{answer}".encode())
        if b"/tetes" in asked:
            stopping.wait()

    with raw_server(talk) as url:
        crawler = Crawler({"127.0.0.1"}, Fetcher(), Deadline.after(20), 9, 0.0, ["tetes"], longest=0.3)
        found = crawler.crawl(url + "/")
    assert [page.url.rpartition("/")[2] for page in found.pages] == ["", "berita"]
    assert "batas waktu" in found.faults[0]


@given(st.text(alphabet="<>/ahrefimgltinpu 01=\"'#:;style", max_size=300))
def test_any_markup_is_read(text: str) -> None:
    read_facts(text, "https://pn-contoh.example/")


def test_a_crawl_without_pages_knows_nothing() -> None:
    assert not Crawl().near_is_whole
