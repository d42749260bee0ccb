from __future__ import annotations

import time
from datetime import UTC, date, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.actions.web.certificates import parse_endpoint
from runner.actions.web.dates import find_dates, parse_moment
from runner.actions.web.faults import VisitError
from runner.actions.web.feeds import parse_feed
from runner.actions.web.fetch import parse_place
from runner.actions.web.pages import parse_page
from runner.actions.web.placeholders import PageKind, page_kind
from runner.actions.web.text import clean_text
from runner.actions.web.tokens import Token, tokens
from runner.actions.web.visit import is_own
from runner.messages import render_date

WIB = timezone(timedelta(hours=7))
ARTICLE = "<p>Majelis hakim membacakan putusan perkara di ruang sidang utama pengadilan negeri.</p>" * 60


@pytest.mark.parametrize(
    ("page", "kind"),
    [
        ("<title>Account Suspended</title>Contact your hosting provider for more information.", PageKind.SUSPENDED),
        ("<title>Pemberitahuan</title>Akun ini telah ditangguhkan.", PageKind.SUSPENDED),
        (
            "<title>PANDI</title>Mohon kembali di lain waktu, domain ini sedang dalam proses penyelesaian pembayaran"
            " sewa nama domain. Klik di sini untuk melakukan permohonan invoice",
            PageKind.PAYMENT,
        ),
        ("<title>Domain Expired</title>", PageKind.EXPIRED),
        ("Masa aktif domain Anda telah berakhir", PageKind.EXPIRED),
        ("<title>Apache2 Debian Default Page: It works</title>" + ARTICLE, PageKind.DEFAULT),
        ("<html><body><h1>It works!</h1></body></html>", PageKind.DEFAULT),
        ("<title>Index of /</title><a href=x>x</a>", PageKind.LISTING),
        ("<title>Maintenance</title>", PageKind.MAINTENANCE),
        ("Website ini sedang dalam perbaikan, mohon kembali lagi nanti.", PageKind.MAINTENANCE),
        ("<h1>Error establishing a database connection</h1>", PageKind.ERROR),
        ("<br><b>Fatal error</b>: Uncaught Error: x in /var/www/a.php on line 3<br>" + ARTICLE, PageKind.ERROR),
        ("<title>Error: 0 - Database</title>Error displaying the error page", PageKind.ERROR),
        ("<title>503 Service Unavailable</title>", PageKind.ERROR),
        ("<!-- nothing --><script>x</script>", PageKind.EMPTY),
    ],
)
def test_knows_pages_that_are_not_the_site(page: str, kind: PageKind) -> None:
    assert page_kind(parse_page(page), "https://pn-contoh.example/") is kind


def test_knows_a_hoster_s_page_by_its_address() -> None:
    page = parse_page("<title>x</title>" + ARTICLE)
    assert page_kind(page, "https://pn-contoh.example/cgi-sys/suspendedpage.cgi") is PageKind.SUSPENDED


@pytest.mark.parametrize(
    "title",
    [
        "Pengadilan Negeri Contoh",
        "Akun media sosial terdakwa ditangguhkan, sidang ditunda",
        "Pemeliharaan website selesai",
        "Indeks Kepuasan Masyarakat",
        "Database perkara: error 500 diperbaiki",
    ],
)
def test_a_court_may_write_about_such_things(title: str) -> None:
    text = "Hosting telah ditangguhkan. Situs ini dalam pemeliharaan. Error establishing a database connection."
    page = parse_page(f"<title>{title}</title>{ARTICLE}<p>{text}</p>")
    assert page_kind(page, "https://pn-contoh.example/") is PageKind.SITE


@pytest.mark.parametrize(
    "piece",
    ["<a ", "<!--", "<![", "<!", "&", "</", "<a href='", "<script>", "<a b=", "<?", "<a/", "<a =", "<title>x", "&#9"],
)
@pytest.mark.promise("Fuzzing", "hostile HTML", "read in time in proportion")
def test_hostile_markup_takes_time_in_proportion(piece: str) -> None:
    started = time.process_time()
    parse_page(piece * (500_000 // len(piece)))
    assert time.process_time() - started < 4


def test_one_tag_can_hold_a_megabyte_of_blanks() -> None:
    assert parse_page("<a" + " " * 1_000_000 + "=").whole == ""


@given(st.text(max_size=400))
def test_any_text_is_read(text: str) -> None:
    page = parse_page(text)
    assert clean_text(page.title, 50).isprintable()
    list(tokens("<" + text))
    list(find_dates(text))
    parse_moment(text, UTC)
    parse_feed(text.encode("utf-8", "surrogatepass"))


@given(st.binary(max_size=400))
def test_any_bytes_are_no_feed_or_one(body: bytes) -> None:
    assert isinstance(parse_feed(b"<rss>" + body).entries, tuple)


def test_reads_attributes_as_browsers_do() -> None:
    page = parse_page("<TIME DateTime = 2026-11-01>x</TIME><time datetime='2026-11-02'/><time datetime=\"a>b&amp;c\">")
    assert page.dates == ("2026-11-01", "2026-11-02", "a>b&c")


def test_scripts_and_styles_are_no_text() -> None:
    page = parse_page("<script>if (a<b) '12 Mei 2026'</script><style>p{}</style>isi<textarea>&lt;b</textarea>")
    assert page.whole.split() == ["isi"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Senin, 12 Januari 2026", "2026-01-12"),
        ("Rabu, 07 Okt 2026", "2026-10-07"),
        ("05 Nopember 2025", "2025-11-05"),
        ("02 Pebruari 2024", "2024-02-02"),
        ("Ahad, 11 Januari 2026", "2026-01-11"),
        ("Jum'at, 02 Februari 2024", "2024-02-02"),
        ("Jum`at, 02 Februari 2024", "2024-02-02"),
        ("Jum’at, 02 Februari 2024", "2024-02-02"),
        ("JUMAT 2 FEBRUARI 2024", "2024-02-02"),
        ("12 Agust 2025", "2025-08-12"),
        ("12 Ags 2025 pukul 09.15 WITA", "2025-08-12"),
        ("Rabu 01 Okt. 2025", "2025-10-01"),
        ("Terakhir Diperbarui: 14-08-2026", "2026-08-14"),
        ("12 Januari 2026 / 23 Rajab 1447 H", "2026-01-12"),
    ],
)
def test_reads_indonesian_dates(text: str, found: str) -> None:
    assert [day.isoformat() for day in find_dates(f"Ditulis oleh Admin pada {text}.")] == [found]


@pytest.mark.parametrize(
    "text",
    [
        "Selasa, 12 Januari 2026",
        "31 Februari 2026",
        "12/Pid.B/2026",
        "13/25/2026",
        "23 Rajab 1447",
        "Januari 2026",
        "12 Januari 26",
        "1/2/3/2026",
        "12 Januari 1899",
        "112 Januari 2026",
    ],
)
def test_what_is_not_surely_a_date_is_none(text: str) -> None:
    assert list(find_dates(text)) == []


@given(st.dates(date(1995, 1, 1), date(2100, 1, 1)))
def test_reads_every_day_and_its_weekday(day: date) -> None:
    assert list(find_dates(render_date(day, "id"))) == [day]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("2026-11-20", "2026-11-20"),
        ("2026-11", "2026-11-01"),
        ("2026-11-20T23:30:00Z", "2026-11-20T23:30:00+00:00"),
        ("2026-11-20T23:30:00.123+07:00", "2026-11-20T16:30:00.123000+00:00"),
        ("2026-11-20 08:00:00", "2026-11-20T01:00:00+00:00"),
        ("Fri, 20 Nov 2026 08:00:00 +0700", "2026-11-20T01:00:00+00:00"),
        ("Jum, 20 Nop 2026", "2026-11-20"),
        ("soon", None),
        ("", None),
        ("0001-01-01T00:00:00+14:00", None),
    ],
)
def test_reads_machine_dates(text: str, found: str | None) -> None:
    moment = parse_moment(text, WIB)
    assert (moment.isoformat() if moment else None) == found


def test_a_page_s_hosts_are_its_own_and_those_below() -> None:
    hosts = {"www.pn-contoh.example"}
    own = ["pn-contoh.example", "www.pn-contoh.example", "sipp.pn-contoh.example"]
    foreign = ["pn-contoh.example.evil.example", "xpn-contoh.example", "example", ""]
    assert [is_own(host, hosts) for host in own + foreign] == [True] * 3 + [False] * 4


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("http://a.example", "/"),
        ("http://a.example/a b?c d#e", "/a%20b?c%20d"),
        ("http://a.example/\r\nX: y", "/X:%20y"),
        ("http://a.example/é", "/%C3%A9"),
        ("http://a.example/%41", "/%41"),
    ],
)
def test_a_request_target_is_one_line_of_ascii(url: str, target: str) -> None:
    assert parse_place(url).target == target


@pytest.mark.parametrize(
    "url", ["ftp://a.example", "http://", "http://a b/", "http://a:99999/", "http://[::1", "x", "http://\x00/"]
)
def test_what_is_no_web_address_is_refused(url: str) -> None:
    with pytest.raises(VisitError):
        parse_place(url)


def test_hosts_are_named_in_ascii() -> None:
    places = [parse_place(url) for url in ("https://BÜCHER.example/", "http://[::1]:8080/", "http://a.example:80/")]
    assert [place.authority for place in places] == ["xn--bcher-kva.example", "[::1]:8080", "a.example"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("pn-contoh.example", ("pn-contoh.example", 443)),
        ("pn-contoh.example:8443", ("pn-contoh.example", 8443)),
        ("https://pn-contoh.example/x", ("pn-contoh.example", 443)),
        ("[::1]:443", ("::1", 443)),
        ("[::1]", ("::1", 443)),
    ],
)
def test_reads_where_a_certificate_is_shown(text: str, found: tuple[str, int]) -> None:
    assert parse_endpoint(text) == found


def test_tokens_tell_where_they_begin_and_comments_only_when_asked() -> None:
    markup = "<!-- a --><p class=b>c</p><style>d</style>"
    assert [token.text for token in tokens(markup)] == ["p", "c", "p", "style", "d", "style"]
    assert list(tokens(markup, comments=True))[:3] == [
        Token("comment", " a "),
        Token("start", "p", {"class": "b"}, 10),
        Token("text", "c", at=21),
    ]
