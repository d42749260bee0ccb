from __future__ import annotations

import gzip
import html
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote_plus

import pytest

from runner.actions.website_integrity import ACTION
from runner.contract import Outcome, Severity, Status
from runner.recorders import DryRecorder
from tests.actions.integrity_sites import CASES, FARM, HOME, PAGE, PAGES, SELLING, Visit, site, sitemap, visitor_server
from tests.calls import assert_fits, make_call, read_evidence
from tests.web_servers import Reply, closed_port, drips, raw_server


def look(
    folder: Path,
    answer: Callable[[Visit], Reply | str | None],
    inputs: Mapping[str, Any] | None = None,
    **more: Any,
) -> Outcome:
    with visitor_server(answer) as url:
        return look_at(folder, url, inputs, **more)


def look_at(folder: Path, url: str, inputs: Mapping[str, Any] | None = None, **more: Any) -> Outcome:
    target = {"name": "pn_contoh", "kind": "website", "url": url}
    outcome = ACTION.run(make_call(ACTION, inputs, directory=folder, target=target, **{"limit": 60, **more}))
    assert outcome.status is Status.OK
    assert_fits(ACTION, outcome.outputs)
    return outcome


def test_a_clean_site_full_of_criminal_reports_is_clean(tmp_path: Path) -> None:
    outcome = look(tmp_path, site({"/sitemap.xml": sitemap("/", "/berita", "/berita/vonis-bandar-togel")}))
    assert (outcome.outputs["verdict"], outcome.outputs["findings"], outcome.problems) == ("clean", [], ())
    assert outcome.outputs["summary"] == "Bersih."
    assert outcome.outputs["addresses"] == 3


def test_a_hidden_block_is_indicated_with_its_line(tmp_path: Path) -> None:
    page = (CASES / "injected/hidden_links.style-offscreen.html").read_text("utf-8")
    outcome = look(tmp_path, site({"/": page.replace("https://pn-contoh.example/", "/")}), {"sample": 0})
    assert outcome.outputs["verdict"] == "indicated"
    (problem,) = outcome.problems
    assert (problem.key, problem.severity) == ("website.integrity.hidden_links", Severity.CRITICAL)
    assert "hxxps://slot-gacor.kebun0.example/" in problem.message
    assert [each.name for each in outcome.evidence] == ["integrity.json", "page-1.html.txt"]
    assert outcome.evidence[1].media_type == "text/plain"


def test_a_class_hidden_by_the_site_s_stylesheet_is_seen(tmp_path: Path) -> None:
    pages = site({"/": HOME + FARM, "/media/site.css": ".kop{position:absolute;left:-5000px}"})
    assert "hidden_links" in look(tmp_path, pages, {"sample": 0}).outputs["rules"]


def for_robots(page: str | Reply, path: str = "/") -> Callable[[Visit], Reply | str | None]:
    return lambda visit: page if visit.is_robot and visit.path == path else site()(visit)


def from_search(page: str | Reply) -> Callable[[Visit], Reply | str | None]:
    return lambda visit: page if "google." in visit.referer and visit.path == "/" else site()(visit)


AWAY = Reply("", 302, {"Location": "https://kebun.example/masuk"})


CANONICAL = HOME.replace('rel="canonical" href="/"', 'rel="canonical" href="https://kebun.example/"')


def for_phones(page: str | Reply) -> Callable[[Visit], Reply | str | None]:
    return lambda visit: page if "Mobile" in visit.agent and visit.referer and visit.path == "/" else site()(visit)


def for_inspection(page: str | Reply) -> Callable[[Visit], Reply | str | None]:
    return lambda visit: page if "Google-InspectionTool" in visit.agent and visit.path == "/" else site()(visit)


@pytest.mark.parametrize(
    ("answer", "rules", "view"),
    [
        (for_robots(SELLING), {"cloaked_title", "promo_title"}, "search_engine"),
        (for_robots(HOME + FARM), {"cloaked_links", "promo_links"}, "search_engine"),
        (for_robots(CANONICAL), {"cloaked_canonical", "offsite_canonical"}, "search_engine"),
        (for_robots(HOME.replace('lang="id"', 'lang="ja"')), {"cloaked_language"}, "search_engine"),
        (for_robots(SELLING, "/berita/3-selebgram-promosi-slot88-diadili"), {"cloaked_page"}, "search_engine"),
        (for_robots(AWAY), {"cloaked_redirect"}, "search_engine"),
        (from_search(AWAY), {"cloaked_redirect"}, "from_search"),
        (from_search(SELLING), {"cloaked_title"}, "from_search"),
        (for_phones(AWAY), {"cloaked_redirect"}, "mobile"),
        (for_inspection(SELLING), {"cloaked_title"}, "search_inspection"),
    ],
)
def test_what_only_some_are_shown_is_cloaking(
    tmp_path: Path, answer: Callable[[Visit], Reply | str | None], rules: set[str], view: str
) -> None:
    outputs = look(tmp_path, answer, {"pages": ["/berita/3-selebgram-promosi-slot88-diadili"], "sample": 0}).outputs
    assert outputs["verdict"] == "indicated"
    assert rules <= set(outputs["rules"])
    assert view in {each["view"] for each in outputs["findings"] if each["rule"] in rules}


def test_what_changes_by_chance_is_no_cloak(tmp_path: Path) -> None:
    count = iter(range(10_000))

    def answer(visit: Visit) -> Reply | str | None:
        number = next(count)
        chance = f'<p id="n{number}">{number}</p><a href="/berita">Berita {number}</a>'
        return HOME.replace("</main>", chance + "</main>") if visit.path == "/" else site()(visit)

    assert look(tmp_path, answer).outputs["verdict"] == "clean"


def test_a_page_that_only_search_engines_get_is_named(tmp_path: Path) -> None:
    def answer(visit: Visit) -> Reply | str | None:
        return SELLING if visit.path == "/arsip/lama" and visit.is_robot else site({"/sitemap.xml": listed})(visit)

    listed = sitemap("/arsip/lama")
    assert {"cloaked_page", "promo_title"} <= set(look(tmp_path, answer).outputs["rules"])


def test_a_doorway_by_query_is_found_by_the_sitemap_and_by_its_parameter(tmp_path: Path) -> None:
    listed = site({"/sitemap.xml": sitemap("/?tamu=naga88"), "/?tamu=naga88": SELLING})
    assert "query_doorway" in look(tmp_path / "a", listed).outputs["rules"]
    kit = lambda visit: SELLING if "tunnel=" in visit.target else site()(visit)  # noqa: E731  # one visit, one answer
    assert "query_doorway" in look(tmp_path / "b", kit).outputs["rules"]


def test_a_first_dry_run_asks_for_nothing_that_the_log_would_tell_as_an_attack(tmp_path: Path) -> None:
    asked: list[str] = []

    def answer(visit: Visit) -> Reply | str | None:
        asked.append(visit.target)
        return site()(visit)

    with visitor_server(answer) as url:
        target = {"name": "pn_contoh", "kind": "website", "url": url}
        call = make_call(ACTION, {}, directory=tmp_path, target=target, limit=60)
        outcome = ACTION.run(call._replace(record=DryRecorder(None, "p", "pn_contoh")))
    assert len(asked) > 5
    assert [target for target in asked if "=slot" in target.lower()] == []
    assert "pintu masuk dengan parameter: tidak diminta dalam uji coba pertama" in outcome.outputs["unseen"]


def test_a_search_page_that_repeats_the_question_is_no_doorway(tmp_path: Path) -> None:
    def answer(visit: Visit) -> Reply | str | None:
        asked = html.escape(unquote_plus(visit.target.partition("=")[2]))
        return PAGE.format(f"Hasil pencarian: {asked}") if "=" in visit.target else site()(visit)

    assert look(tmp_path, answer).outputs["verdict"] == "clean"


@pytest.fixture(autouse=True)
def folders(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / name).mkdir()


def test_a_random_path_must_be_missing(tmp_path: Path) -> None:
    everything = lambda visit: site()(visit) or PAGE.format("Apa Saja")  # noqa: E731  # one visit, one answer
    outcome = look(tmp_path, everything)
    assert (outcome.outputs["verdict"], outcome.outputs["rules"]) == ("review", ["random_path"])


@pytest.mark.parametrize(
    ("changed", "rule", "verdict"),
    [
        ({"/robots.txt": "Sitemap: https://kebun.example/sitemap.xml\n"}, "robots_sitemap", "indicated"),
        ({"/sitemap.xml": sitemap(*(f"/slot-gacor-{i}" for i in range(9)))}, "sitemap_words", "indicated"),
        ({"/sitemap.xml": sitemap("https://kebun.example/a")}, "sitemap_hosts", "indicated"),
        ({"/": "<title>Account Suspended</title>Contact your hosting provider."}, "not_the_site", "review"),
        ({"/": AWAY}, "page_redirect", "indicated"),
    ],
)
def test_what_stands_beside_the_pages_is_watched(
    tmp_path: Path, changed: Mapping[str, Reply | str], rule: str, verdict: str
) -> None:
    outputs = look(tmp_path, site(changed), {"sample": 0}).outputs
    assert (rule in outputs["rules"], outputs["verdict"]) == (True, verdict)


def test_a_burst_of_the_sitemap_is_told(tmp_path: Path) -> None:
    before = look(tmp_path, site({"/sitemap.xml": sitemap(*(f"/b/{i}" for i in range(100)))}), {"sample": 0}).outputs
    grown = site({"/sitemap.xml": sitemap(*(f"/b/{i}" for i in range(400)))})
    burst = look(tmp_path, grown, {"sample": 0}, earlier=before)
    assert burst.outputs["rules"] == ["sitemap_burst"]
    again = look(tmp_path, grown, {"sample": 0}, earlier=burst.outputs)
    assert (again.outputs["rules"], again.outputs["baseline"]["addresses"]) == (["sitemap_burst"], 100)
    accepted = [{"key": burst.problems[0].key, "person": "Petugas A", "reason": "arsip lama"}]
    assert look(tmp_path, grown, {"sample": 0}, earlier=again.outputs, accepted=accepted).outputs["rules"] == []


def test_a_sitemap_that_grows_by_and_by_does_not_burst(tmp_path: Path) -> None:
    outputs: Mapping[str, Any] | None = None
    for count in (100, 140, 190, 250):
        pages = site({"/sitemap.xml": sitemap(*(f"/b/{i}" for i in range(count)))})
        outputs = look(tmp_path, pages, {"sample": 0}, earlier=outputs).outputs
        assert (outputs["rules"], outputs["baseline"]["addresses"]) == ([], count)


CHANGED = HOME.replace("<title>Pengadilan Negeri Contoh", "<title>PN Contoh Kelas II") + (
    '<script src="https://hitung.contoh.example/a.js"></script><meta name="google-site-verification" content="abc">'
)


def test_a_change_stays_one_until_a_named_person_accepts_it(tmp_path: Path) -> None:
    first = look(tmp_path, site(), {"sample": 0}).outputs
    second = look(tmp_path, site({"/": CHANGED}), {"sample": 0}, earlier=first)
    assert second.outputs["verdict"] == "review"
    assert [each["kind"] for each in second.outputs["changes"]] == ["script_hosts", "verifications", "title"]
    third = look(tmp_path, site({"/": CHANGED}), {"sample": 0}, earlier=second.outputs)
    assert [each.key for each in third.problems] == [each.key for each in second.problems]
    accepted = [{"key": each.key, "person": "Petugas A", "reason": "situs baru"} for each in third.problems]
    for_a_time = [{**each, "until": "2026-12-01T00:00:00+00:00"} for each in accepted]
    waiting = look(tmp_path, site({"/": CHANGED}), {"sample": 0}, earlier=third.outputs, accepted=for_a_time)
    assert waiting.outputs["changes"] == third.outputs["changes"]
    fourth = look(tmp_path, site({"/": CHANGED}), {"sample": 0}, earlier=third.outputs, accepted=accepted)
    assert (fourth.outputs["verdict"], fourth.problems) == ("clean", ())
    assert {each["person"] for each in fourth.outputs["consents"]} == {"Petugas A: situs baru"}
    fifth = look(tmp_path, site({"/": CHANGED}), {"sample": 0}, earlier=fourth.outputs)
    assert (fifth.outputs["verdict"], fifth.outputs["consents"]) == ("clean", [])


GOOGLE = {"/google0123456789abcdef.html": "google-site-verification: google0123456789abcdef.html"}
BING = {"/BingSiteAuth.xml": '<?xml version="1.0"?><users><user>5F2A</user></users>'}
YANDEX = {"/yandex_0a1b2c3d.html": "<html><body>Verification: 0a1b2c3d</body></html>"}


@pytest.mark.parametrize(
    ("planted", "mark"),
    [
        ({**GOOGLE, "/sitemap.xml": sitemap("/google0123456789abcdef.html")}, "google0123456789abcdef.html"),
        (
            {**GOOGLE, "/robots.txt": "User-agent: *\nAllow: /google0123456789abcdef.html\n"},
            "google0123456789abcdef.html",
        ),
        ({**YANDEX, "/": HOME + '<a href="/yandex_0a1b2c3d.html">x</a>'}, "yandex_0a1b2c3d.html"),
        (BING, "BingSiteAuth.xml: 5F2A"),
        ({"/": HOME + '<meta name="naver-site-verification" content="5e3f">'}, "5e3f"),
    ],
)
def test_a_new_mark_of_an_owner_is_a_change(tmp_path: Path, planted: dict[str, str], mark: str) -> None:
    first = look(tmp_path, site(), {"sample": 0}).outputs
    assert first["baseline"]["verifications"] == []
    outcome = look(tmp_path, site(planted), {"sample": 0}, earlier=first)
    told = [each["value"] for each in outcome.outputs["changes"] if each["kind"] == "verifications"]
    assert told == [mark]


def test_a_known_mark_is_asked_for_again_and_another_owner_is_told(tmp_path: Path) -> None:
    named = {**BING, **GOOGLE, "/sitemap.xml": sitemap("/google0123456789abcdef.html")}
    first = look(tmp_path, site(named), {"sample": 0}).outputs
    assert first["baseline"]["verifications"] == ["BingSiteAuth.xml: 5F2A", "google0123456789abcdef.html"]
    two = BING["/BingSiteAuth.xml"].replace("</user>", "</user><user>66</user>")
    other = {**GOOGLE, "/BingSiteAuth.xml": two}
    second = look(tmp_path, site(other), {"sample": 0}, earlier=first).outputs
    assert [each["value"] for each in second["changes"]] == ["BingSiteAuth.xml: 5F2A, 66"]


def test_a_site_that_answers_everything_has_no_marks(tmp_path: Path) -> None:
    everything = lambda visit: site()(visit) or HOME.replace("Berita", visit.path)  # noqa: E731  # one visit
    outputs = look(tmp_path, everything, {"sample": 0}).outputs
    assert (outputs["baseline"]["verifications"], outputs["rules"]) == ([], ["random_path"])


def test_what_is_not_seen_is_never_clean(tmp_path: Path) -> None:
    refused = lambda visit: Reply("Forbidden", 403) if visit.is_robot else site()(visit)  # noqa: E731  # one visit
    outcome = look(tmp_path, refused, {"sample": 0})
    assert outcome.outputs["verdict"] == "unknown"
    assert [problem.key for problem in outcome.problems] == ["website.integrity_unknown"]
    gone = look_at(tmp_path, f"http://127.0.0.1:{closed_port()}/")
    assert (gone.outputs["verdict"], gone.outputs["baseline"]["title"]) == ("unknown", None)


BOMB = gzip.compress(b"<p>slot</p>" * 3_000_000)
DEEP = (
    b'<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "'
    + b"x" * 1000
    + b'"><!ENTITY b "&a;&a;&a;&a;">]><urlset>&b;</urlset>'
)
INDEX = "<sitemapindex>" + "".join(f"<sitemap><loc>/{n}.xml</loc></sitemap>" for n in "ab") + "</sitemapindex>"


@pytest.mark.parametrize(
    ("changed", "verdict"),
    [
        ({"/": Reply(BOMB, headers={"Content-Encoding": "gzip"})}, "unknown"),
        ({"/": Reply(zlib.compress(b"x" * 30_000_000), headers={"Content-Encoding": "deflate"})}, "unknown"),
        ({"/": Reply(HOME.encode("utf-16"), headers={"Content-Type": "text/html; charset=utf-8"})}, "clean"),
        ({"/": Reply(HOME, headers={"Content-Type": "text/html; charset=unheard-of"})}, "clean"),
        ({"/": Reply("", 302, {"Location": "/"})}, "unknown"),
        ({"/sitemap.xml": Reply(DEEP)}, "clean"),
        ({"/sitemap.xml": INDEX, "/a.xml": INDEX, "/b.xml": INDEX}, "clean"),
        ({"/": Reply(b"<p>" * 160_000)}, "review"),
        ({"/robots.txt": Reply(b"Sitemap:" * 500_000)}, "clean"),
    ],
)
def test_bad_input_ends_with_its_own_words(tmp_path: Path, changed: Mapping[str, Reply | str], verdict: str) -> None:
    outputs = look(tmp_path, site(changed), {"sample": 0, "size_limit": 6 * 1024 * 1024, "within": "40s"}).outputs
    assert outputs["verdict"] == verdict
    assert bool(outputs["unseen"]) == (verdict != "clean")


def test_a_dripping_site_is_left_in_time(tmp_path: Path) -> None:
    with raw_server(drips(b"HTTP/1.1 200 OK\r\n\r\n<title>P", b"<p>")) as url:
        outputs = look_at(tmp_path, url, {"within": "1s"}).outputs
    assert outputs["verdict"] == "unknown"


def test_the_findings_are_kept_as_evidence(tmp_path: Path) -> None:
    with visitor_server(site({"/": SELLING})) as url:
        call = make_call(ACTION, {"sample": 0}, directory=tmp_path, target={"name": "x", "kind": "website", "url": url})
        outcome = ACTION.run(call)
    assert b'"promo_title"' in read_evidence(call, outcome.evidence[0])
    assert read_evidence(call, outcome.evidence[1]).startswith(b"browser http://127.0.0.1")


def test_hosts_of_the_court_are_not_foreign(tmp_path: Path) -> None:
    page = HOME.replace('rel="canonical" href="/"', 'rel="canonical" href="https://pn-lama.example/"')
    assert look(tmp_path, site({"/": page}), {"sample": 0}).outputs["verdict"] == "indicated"
    ours = look(tmp_path, site({"/": page}), {"sample": 0, "hosts": ["pn-lama.example"]})
    assert ours.outputs["verdict"] == "clean"


def test_the_pages_of_the_set_are_whole() -> None:
    assert set(PAGES) == {"/", "/berita", "/robots.txt", "/sitemap.xml", "/media/site.css"}
