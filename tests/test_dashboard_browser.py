"""The dashboard in a real browser: readable at every width, usable without a mouse, and never stale in silence."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from runner.contract import Outcome, Severity, Status
from runner.events import Event, Kind
from runner.record import build_record
from runner.record.problems import KnownProblem
from runner.reports.dashboard import FOLDER, INDEX, gather, render_dashboard
from runner.reports.dashboard.writing import write_pages
from runner.reports.office import Office
from runner.reports.paper.layout import choose_layout
from runner.reports.paper.page import render_html
from runner.reports.situation import build_situation
from tests.offices import OfficeRecord, at, fine, renewals, usual_days, wrong

AXE = Path(__file__).parent / "cases" / "axe" / "axe.min.js"
MONDAY, TUESDAY = date(2026, 11, 23), date(2026, 11, 24)
NOW = at(TUESDAY, 14)
LONG = "Situs tidak dapat dibuka: " + "sangat-panjang-tanpa-spasi/" * 12
WIDTHS = (360, 1280, 1920)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    program = shutil.which("chromium") or shutil.which("google-chrome")
    assert program, "the tests need a browser: apt-get install chromium"
    with sync_playwright() as driver:
        arguments = ["--no-sandbox", "--disable-background-networking"]
        browser = driver.chromium.launch(executable_path=program, args=arguments)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pages of an office with all there can be: every state, every kind of row."""
    base = tmp_path_factory.mktemp("dashboard")
    office = OfficeRecord(base / "office", sites=6, titles={"pn_006": "Website Pengadilan " + "Negeri " * 12})
    bad: dict[tuple[str, str], Any] = {
        ("watch", "pn_002"): lambda day: wrong("watch", day, Severity.CRITICAL, LONG),
        ("watch", "pn_003"): lambda day: wrong("watch", day, Severity.MAJOR, "Isi situs sudah lama."),
        ("watch", "pn_006"): lambda day: wrong("watch", day, Severity.MINOR, "Lambat."),
        ("backup", "pn_004"): lambda day: {"database": Outcome(Status.UNREACHABLE, message="no route")},
        ("visitors", "pn_005"): lambda day: None if day == TUESDAY else fine("visitors", day),
    }
    usual_days(office, MONDAY, TUESDAY, bad)
    renewals(office, TUESDAY)
    office.ask(at(TUESDAY, 10), at(TUESDAY, 10, 5), "kasubbag", "forward", "pass_on", "Teruskan?", "working_time")
    office.ask(
        at(TUESDAY, 9), at(date(2026, 11, 25), 16, 30), "admin", "report", "submit", "Ajukan?", "days_by_close: 1"
    )
    office.write()
    write_pages(base / "papan", render_dashboard(gather(office.journal, NOW), 900))
    return base / "papan"


def open_page(
    browser: Browser, path: Path, *, width: int = 1280, now: datetime = NOW, scheme: Any = "light", script: bool = True
) -> Page:
    """A page as somebody sees it whose clock says `now`; it may ask for nothing but files beside it."""
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, java_script_enabled=script
    )
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: asked.append(f"console: {message.text}"))
    if script:
        page.clock.install(time=now)
    page.goto(path.as_uri())
    assert [each for each in asked if each != path.as_uri()] == []
    return page


@pytest.mark.parametrize(
    ("name", "width", "scheme"),
    [(INDEX, 360, "light"), (INDEX, 1280, "dark"), (INDEX, 1920, "light"), (f"{FOLDER}/pn_002.html", 1280, "light")],
)
def test_axe_finds_nothing(browser: Browser, folder: Path, name: str, width: int, scheme: str) -> None:
    page = open_page(browser, folder / name, width=width, scheme=scheme)
    found = page.evaluate(AXE.read_text() + "; axe.run(document, {resultTypes: ['violations']})")
    told = [(each["id"], [node["html"][:120] for node in each["nodes"]][:3]) for each in found["violations"]]
    assert told == []
    assert len(found["passes"]) > 15, "axe looked at something"
    page.context.close()


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_hangs_over_the_edge_or_is_cut(browser: Browser, folder: Path, width: int) -> None:
    for name in (INDEX, f"{FOLDER}/pn_002.html", f"{FOLDER}/pn_006.html"):
        page = open_page(browser, folder / name, width=width)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        over = page.evaluate(
            """() => [...document.querySelectorAll('main *')].filter(e => e.offsetParent && !e.closest('thead') &&
                e.getBoundingClientRect().right > innerWidth + 1).map(e => e.outerHTML.slice(0, 80))"""
        )
        assert over == []
        cut = page.evaluate(
            "() => [...document.querySelectorAll('td, th[scope=row]')].filter(e => e.scrollWidth > e.clientWidth + 1"
            " && getComputedStyle(e).display !== 'none').map(e => e.outerHTML.slice(0, 80))"
        )
        assert cut == []
        page.context.close()


def test_on_a_phone_a_table_is_still_a_table_for_those_who_hear_it(browser: Browser, folder: Path) -> None:
    page = open_page(browser, folder / INDEX, width=360)
    table = page.get_by_role("table", name="Kritis (1)")
    assert table.get_by_role("columnheader").all_inner_texts()[0] == "Situs"
    assert table.get_by_role("rowheader").all_inner_texts() == ["Website PN Contoh 002"]
    assert table.get_by_role("cell").count() == 7
    page.context.close()


def test_the_page_has_a_language_landmarks_and_headings_in_order(browser: Browser, folder: Path) -> None:
    page = open_page(browser, folder / INDEX)
    assert page.evaluate("document.documentElement.lang") == "id"
    assert page.get_by_role("banner").count() == page.get_by_role("main").count() == 1
    assert page.get_by_role("contentinfo").count() == 1
    levels = page.evaluate("[...document.querySelectorAll('h1,h2,h3')].map(h => h.tagName)")
    assert levels == ["H1", *["H2"] * 6]
    page.context.close()


def test_no_state_is_told_by_its_colour_alone(browser: Browser, folder: Path) -> None:
    page = open_page(browser, folder / INDEX)
    badges = page.locator(".badge")
    assert badges.count() > 6
    for text in badges.all_inner_texts():
        assert text.split(" ", 1)[1] in ("Kritis", "Berat", "Tidak diketahui", "Ringan", "Baik")
    page.context.close()


def test_a_keyboard_is_enough(browser: Browser, folder: Path) -> None:
    page = open_page(browser, folder / INDEX)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Langsung ke isi"
    assert page.evaluate("document.activeElement.getBoundingClientRect().left") >= 0
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "pause"
    page.keyboard.press("Space")
    assert page.locator("#pause").get_attribute("aria-pressed") == "true"
    page.keyboard.press("Tab")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    page.wait_for_url("**/situs/pn_002.html")
    page.get_by_role("link", name="Kembali ke semua situs").press("Enter")
    page.wait_for_url("**/index.html")
    page.context.close()


def test_an_old_page_says_that_it_is_old_and_that_nothing_is_known(browser: Browser, folder: Path) -> None:
    for minutes, text in ((29, ""), (31, "31 menit"), (60 * 72, "3 hari")):
        page = open_page(browser, folder / INDEX, now=NOW + timedelta(minutes=minutes))
        banner = page.get_by_role("alert")
        assert banner.is_visible() is bool(text)
        if text:
            said = f"Data lama: halaman ini dibuat {text} yang lalu. Keadaan sekarang tidak diketahui."
            assert banner.inner_text() == said
            fine_one = page.locator("main .badge.ok").first
            assert fine_one.evaluate("e => getComputedStyle(e).textDecorationLine") == "line-through"
        page.context.close()


def test_a_page_that_stays_open_grows_old_on_the_screen(browser: Browser, folder: Path) -> None:
    page = open_page(browser, folder / INDEX)
    page.locator("#pause").click()
    assert page.get_by_role("alert").is_hidden()
    page.clock.run_for(31 * 60 * 1000)
    assert page.get_by_role("alert").is_visible()
    page.context.close()


def test_the_screen_renews_itself_unless_somebody_reads(browser: Browser, folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "papan")
    index = tmp_path / "papan" / INDEX
    page = open_page(browser, index)
    index.write_text(index.read_text().replace("Papan pantau website Pengadilan", "Papan baru Pengadilan"))
    page.locator("#pause").click()
    page.clock.run_for(16 * 60 * 1000)
    assert page.locator("h1").inner_text().startswith("Papan pantau website")
    page.locator("#pause").click()
    with page.expect_navigation():
        page.clock.run_for(16 * 60 * 1000)
    assert page.locator("h1").inner_text().startswith("Papan baru")
    page.context.close()


def test_without_scripts_everything_is_there_and_the_page_renews_itself(browser: Browser, folder: Path) -> None:
    page = open_page(browser, folder / INDEX, script=False)
    assert page.get_by_role("table", name="Kritis (1)").is_visible()
    assert page.locator("#pause").is_hidden()
    assert '<noscript><meta http-equiv="refresh" content="900"></noscript>' in (folder / INDEX).read_text()
    page.context.close()


def test_a_report_can_be_read_on_a_phone(browser: Browser, tmp_path: Path) -> None:
    problem = KnownProblem("domain.expires", "domain", Severity.MAJOR, LONG, NOW, NOW, "run", "website", "renew", "due")
    record = build_record([Event(Kind.RUN_STARTED, "run", NOW, data={"playbook": "website", "title": "Pemeliharaan"})])
    paper = build_situation(record, [problem], Office({"name": "Pengadilan Negeri Contoh"}))
    (tmp_path / "laporan.html").write_text(render_html(paper, choose_layout({}, None, landscape=False)))
    page = open_page(browser, tmp_path / "laporan.html", width=360)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    widths = page.evaluate(
        "[...document.querySelectorAll('.pairs td:last-child, .sheet td')].map(e => e.getBoundingClientRect().width)"
    )
    assert len(widths) > 8
    assert min(widths) > 180, "the words stand beside their names, not letter below letter"
    page.context.close()
