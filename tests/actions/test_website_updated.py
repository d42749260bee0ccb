from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from runner.actions.web.sections import parse_age
from runner.actions.website_updated import ACTION
from runner.calendar import Calendar
from runner.contract import Outcome, Severity, Status
from runner.errors import Failed
from tests.calls import NOW, assert_fits, make_call
from tests.web_servers import Reply, closed_port, drips, page_server, raw_server

HOME = '<title>Pengadilan Negeri Contoh</title><link rel="alternate" type="application/rss+xml" href="/rss">'
PLAIN = "<title>Pengadilan Negeri Contoh</title><p>Selamat datang</p>"
NOW_STAMP = "Sun, 22 Nov 2026 02:00:00 +0000"


def check(
    folder: Path,
    pages: Mapping[str, Reply | str],
    inputs: Mapping[str, Any] | None = None,
    limit: float = 20,
    *,
    earlier: Outcome | None = None,
    days: int = 0,
    cms: str = "",
) -> Outcome:
    with page_server(pages) as url:
        target = {"name": "pn_contoh", "kind": "website", "url": url, "cms": cms}
        now, outputs = NOW + timedelta(days=days), earlier.outputs if earlier else None
        call = make_call(ACTION, inputs, directory=folder, target=target, limit=limit, earlier=outputs, now=now)
        outcome = ACTION.run(call)
    assert outcome.status is Status.OK
    assert_fits(ACTION, outcome.outputs)
    return outcome


def rss(*dates: str, build: str = NOW_STAMP) -> str:
    items = "".join(f"<item><title>Berita</title><pubDate>{date}</pubDate></item>" for date in dates)
    return f'<?xml version="1.0"?><rss><channel><lastBuildDate>{build}</lastBuildDate>{items}</channel></rss>'


def sitemap(*dates: str) -> str:
    urls = "".join(f"<url><loc>http://x.example/{n}</loc><lastmod>{d}</lastmod></url>" for n, d in enumerate(dates))
    return f'<?xml version="1.0"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{urls}</urlset>'


def test_the_feed_s_newest_item_decides(tmp_path: Path) -> None:
    feed = rss("Wed, 18 Nov 2026 08:00:00 +0700", "Fri, 20 Nov 2026 23:30:00 +0000")
    outcome = check(tmp_path, {"/": HOME, "/rss": feed})
    outputs = outcome.outputs
    assert (outputs["updated"], outputs["newest"], outputs["age_days"]) == (True, "2026-11-21", 1)  # the day in WIB
    assert (outputs["source"], outputs["agreement"]) == ("feed", "single")
    assert outcome.problems == ()


def test_an_old_site_is_a_problem_with_its_date(tmp_path: Path) -> None:
    outcome = check(tmp_path, {"/": HOME, "/rss": rss("Fri, 02 Jan 2026 08:00:00 +0700")})
    (problem,) = outcome.problems
    assert (problem.key, problem.severity) == ("website.not_updated", Severity.MAJOR)
    assert "Jumat, 2 Januari 2026, 324 hari lalu; batasnya 7 hari" in problem.message
    assert outcome.outputs["updated"] is False


def test_a_build_date_made_now_is_not_believed(tmp_path: Path) -> None:
    outcome = check(tmp_path, {"/": HOME, "/rss": rss()})
    assert outcome.outputs["updated"] is None
    assert [p.key for p in outcome.problems] == ["website.update_unknown"]


def test_an_item_s_date_made_now_is_not_believed(tmp_path: Path) -> None:
    outputs = check(tmp_path, {"/": HOME, "/rss": rss(NOW_STAMP, "Fri, 02 Jan 2026 08:00:00 +0700")}).outputs
    assert outputs["newest"] == "2026-01-02"


def test_headers_made_now_are_not_believed(tmp_path: Path) -> None:
    outcome = check(tmp_path, {"/": Reply(PLAIN, headers={"Last-Modified": NOW_STAMP})})
    assert outcome.outputs["updated"] is None


@pytest.mark.parametrize(
    ("page", "source", "newest"),
    [
        ('<p>x</p><time datetime="2026-11-19T10:00:00+07:00">baru</time>', "markup", "2026-11-19"),
        ('<meta property="article:modified_time" content="2026-11-17">x', "markup", "2026-11-17"),
        (
            '<script type="application/ld+json">{"@graph":[{"dateModified":"2026-11-16"}]}</script>',
            "markup",
            "2026-11-16",
        ),
        ("<p>Ditulis oleh Admin pada Jum'at, 20 Nopember 2026</p>", "visible", "2026-11-20"),
        ("<div>Dipublikasikan: <b>05</b> Pebruari 2026 / 17 Syakban 1447 H</div>", "visible", "2026-02-05"),
        ("<footer>12 Agustus 2026</footer><li>12 Agust 2025 09.15 WIB</li>", "visible", "2025-08-12"),
        ("<p>Senin, 20 November 2026</p><p>3/11/2026</p>", "visible", "2026-11-03"),  # the 20th is no Monday
        ("<div>Minggu, 22 November 2026</div><p>10 November 2026</p>", "visible", "2026-11-10"),  # a clock
        ("<div>22 November 2026</div><article>Minggu, 22 November 2026</article>", "visible", "2026-11-22"),
        ("<p>Agenda 30 November 2026</p><p>1 Oktober 2026</p>", "visible", "2026-10-01"),  # the future
        ("<p>&copy; 2026</p>", "", None),
    ],
)
def test_reads_markup_before_visible_dates(tmp_path: Path, page: str, source: str, newest: str | None) -> None:
    outputs = check(tmp_path, {"/": PLAIN + page}).outputs
    assert (outputs["source"], outputs["newest"]) == (source, newest)


def test_a_sitemap_speaks_when_no_feed_does(tmp_path: Path) -> None:
    pages = {"/": PLAIN + "<p>1 Oktober 2026</p>", "/sitemap.xml": sitemap("2026-11-15", "2026-11-01T00:00:00+07:00")}
    outputs = check(tmp_path, pages).outputs
    assert (outputs["source"], outputs["newest"], outputs["agreement"]) == ("sitemap", "2026-11-15", "disagree")
    assert outputs["sources"] == {
        **dict.fromkeys(("api", "feed", "markup", "fingerprint")),
        "sitemap": "2026-11-15",
        "visible": "2026-10-01",
    }


def test_one_date_at_all_addresses_is_the_sitemap_s_own(tmp_path: Path) -> None:
    outputs = check(tmp_path, {"/": PLAIN, "/sitemap.xml": sitemap(*["2026-11-21"] * 5)}).outputs
    assert outputs["updated"] is None


def test_follows_a_sitemap_index_that_points_at_itself_once(tmp_path: Path) -> None:
    index = (
        "<sitemapindex><sitemap><loc>/sitemap.xml</loc></sitemap><sitemap><loc>/a.xml.gz</loc></sitemap>"
        "<sitemap><loc>https://elsewhere.example/b.xml</loc></sitemap></sitemapindex>"
    )
    packed = Reply(gzip.compress(sitemap("2026-11-15", "2026-11-02").encode()))
    outputs = check(tmp_path, {"/": PLAIN, "/sitemap.xml": index, "/a.xml.gz": packed}).outputs
    assert outputs["newest"] == "2026-11-15"
    assert len(outputs["visited"]) == len(set(outputs["visited"]))


@pytest.mark.parametrize(
    "feed",
    [
        '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><rss><item><pubDate>&b;</pubDate></item></rss>',
        '<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]><rss><item><pubDate>&f;</pubDate></item></rss>',
        "<rss><channel>" + "<a>" * 100_000,
        "<html><p>not a feed</p></html>",
        "no xml at all",
        '<?xml version="1.0" encoding="no-such"?><rss/>',
        "",
    ],
)
@pytest.mark.promise("Fuzzing", "a hostile feed", "tells nothing, harms nothing")
def test_a_hostile_feed_tells_nothing(tmp_path: Path, feed: str) -> None:
    assert check(tmp_path, {"/": HOME, "/rss": feed}).outputs["source"] == ""


def test_a_broken_feed_is_read_up_to_the_break(tmp_path: Path) -> None:
    feed = rss("Fri, 20 Nov 2026 08:00:00 +0700").replace("</channel>", "<item>&nbsp;</channel>")
    assert check(tmp_path, {"/": HOME, "/rss": feed}).outputs["newest"] == "2026-11-20"


def test_an_atom_feed_and_indonesian_names_are_read(tmp_path: Path) -> None:
    atom = '<feed xmlns="http://www.w3.org/2005/Atom"><updated>2026-11-22</updated><entry>{}</entry></feed>'
    for entry in ("<updated>2026-11-18T10:00:00Z</updated>", "<dc:date>Rab, 18 Nop 2026</dc:date>"):
        assert check(tmp_path, {"/": HOME, "/rss": atom.format(entry)}).outputs["newest"] == "2026-11-18"


def test_a_hoster_s_page_is_no_evidence(tmp_path: Path) -> None:
    outcome = check(tmp_path, {"/": "<title>Account Suspended</title><p>20 November 2026</p>"})
    assert outcome.outputs["updated"] is None
    assert "bukan halaman situs" in outcome.problems[0].message


def test_a_site_out_of_reach_is_unknown(tmp_path: Path) -> None:
    call = make_call(ACTION, {"url": f"http://127.0.0.1:{closed_port()}"}, directory=tmp_path)
    outcome = ACTION.run(call)
    assert [(p.key, p.severity) for p in outcome.problems] == [("website.update_unknown", Severity.MAJOR)]
    assert "koneksi ditolak" in outcome.problems[0].message


def test_a_dripping_site_ends_in_time(tmp_path: Path) -> None:
    with raw_server(drips(b"HTTP/1.1 200 OK\r\n\r\n", b"x")) as url:
        call = make_call(ACTION, {"url": url}, directory=tmp_path, limit=0.5)
        assert ACTION.run(call).outputs["updated"] is None
        assert not call.deadline.passed


@pytest.mark.parametrize("max_age", ["soon", "1 bulan", "", "0 hari kerja", "999 hari kerja"])
def test_refuses_an_age_that_is_no_duration(tmp_path: Path, max_age: str) -> None:
    call = make_call(ACTION, {"url": "http://127.0.0.1/", "max_age": max_age}, directory=tmp_path)
    with pytest.raises(Failed, match="max_age"):
        ACTION.run(call)


def posts(*moments: str) -> str:
    return json.dumps([{"link": f"/b/{n}", "date_gmt": m, "modified_gmt": m} for n, m in enumerate(moments)])


WORDPRESS = "/wp-json/wp/v2/posts?per_page=20&orderby=modified&_fields=link,date_gmt,modified_gmt"


@pytest.mark.parametrize(("home", "cms"), [(PLAIN, "wordpress"), (PLAIN + '<img src="/wp-content/uploads/a.png">', "")])
def test_the_cms_itself_is_the_strongest_source(tmp_path: Path, home: str, cms: str) -> None:
    pages = {
        "/": home + "<p>2 Oktober 2026</p>",
        "/feed/": rss("Fri, 02 Oct 2026 08:00:00 +0700"),
        WORDPRESS: posts("2026-11-19T17:30:00", "2026-11-02T01:00:00"),
    }
    outputs = check(tmp_path, pages, cms=cms).outputs
    assert (outputs["source"], outputs["newest"], outputs["updated"]) == ("api", "2026-11-20", True)  # the day in WIB
    assert (outputs["agreement"], outputs["articles"]) == ("disagree", {"7": 2, "30": 4, "90": 4})


@pytest.mark.parametrize("answer", ["{", "[1, null]", json.dumps([{"modified_gmt": "now"}]), "[" * 100_000])
def test_an_api_that_makes_no_sense_tells_nothing(tmp_path: Path, answer: str) -> None:
    assert check(tmp_path, {"/": PLAIN, WORDPRESS: answer}, cms="wordpress").outputs["source"] == ""


def test_two_sources_that_agree_are_said_to(tmp_path: Path) -> None:
    outputs = check(tmp_path, {"/": HOME + "<p>19 November 2026</p>", "/rss": rss("Fri, 20 Nov 2026 08:00:00 +0700")})
    assert outputs.outputs["agreement"] == "agree"


def test_each_section_has_its_own_limit_and_problem(tmp_path: Path) -> None:
    pages = {
        "/berita": PLAIN + "<p>13 November 2026</p>",
        "/pengumuman": PLAIN + "<p>13 November 2026</p>",
        "/maklumat": PLAIN + "<p>2 Maret 2026</p>",
        "/profil": PLAIN,
    }
    sections = [
        {"name": "berita", "pages": ["/berita"], "max_age": "5 hari kerja"},
        {"name": "pengumuman", "pages": ["/pengumuman"], "max_age": "7 hari"},
        {"name": "maklumat", "pages": ["/maklumat"], "max_age": "366 hari"},
        {"name": "profil", "pages": ["/profil"]},
    ]
    outcome = check(tmp_path, pages, {"sections": sections})
    assert [(row["section"], row["updated"], row["source"]) for row in outcome.outputs["sections"]] == [
        ("berita", True, "visible"),  # Friday the 13th is five working days before Sunday the 22nd
        ("pengumuman", False, "visible"),
        ("maklumat", True, "visible"),
        ("profil", None, ""),
    ]
    keys = [problem.key for problem in outcome.problems]
    assert keys == ["website.not_updated:pengumuman", "website.update_unknown:profil"]
    assert outcome.outputs["updated"] is False


def test_holidays_are_no_working_days() -> None:
    calendar = Calendar.from_office({"timezone": "WIB", "holidays": {"2026-11-18": "Hari jadi"}})
    assert parse_age("5 hari kerja").first_day(date(2026, 11, 22), calendar) == date(2026, 11, 12)
    assert parse_age("5 hari kerja").first_day(date(2026, 11, 20), calendar) == date(2026, 11, 12)
    assert parse_age("7 hari").first_day(date(2026, 11, 22), calendar) == date(2026, 11, 15)


def test_content_that_stays_the_same_for_too_long_is_old_and_a_change_has_its_day(tmp_path: Path) -> None:
    first = check(tmp_path, {"/": PLAIN + "<p>Pengunjung: 1.204</p>"})
    assert (first.outputs["updated"], first.outputs["source"]) == (None, "")
    same = check(tmp_path, {"/": PLAIN + "<p>Pengunjung: 9.981</p>"}, earlier=first, days=8)
    assert (same.outputs["updated"], same.outputs["source"], same.outputs["newest"]) == (False, "fingerprint", None)
    assert "tidak berubah sejak Minggu, 22 November 2026" in same.problems[0].message
    other = check(tmp_path, {"/": PLAIN + "<p>Layanan baru dibuka</p>"}, earlier=same, days=9)
    assert (other.outputs["updated"], other.outputs["newest"]) == (True, "2026-12-01")
    assert (other.outputs["source"], other.problems) == ("fingerprint", ())
    broken = check(tmp_path, {"/": Reply("", 500)}, earlier=other, days=10)
    assert broken.outputs["fingerprints"] == other.outputs["fingerprints"]


@pytest.mark.parametrize("size", [1, 200])
def test_sitemap_indexes_that_point_at_each_other_end(tmp_path: Path, size: int) -> None:
    def index(*places: str) -> str:
        rows = "".join(f"<sitemap><loc>{place}</loc></sitemap>" for place in places)
        return f"<sitemapindex>{rows}</sitemapindex>"

    others = [f"/s{number}.xml" for number in range(size)]
    pages = {"/": PLAIN, "/sitemap.xml": index(*others), **{place: index("/sitemap.xml", *others) for place in others}}
    outputs = check(tmp_path, pages).outputs
    assert outputs["updated"] is None
    assert len([url for url in outputs["visited"] if url.endswith(".xml")]) <= 6
