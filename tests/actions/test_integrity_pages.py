"""The sets of self-made pages that are shipped: every injected one is named by its rule, no clean one alarms."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.actions.integrity.findings import TITLES, Weight
from runner.actions.integrity.hosts import defang
from runner.actions.integrity.judge import main
from runner.actions.integrity.pages import check_html
from runner.actions.integrity.words import Meaning, read_address, read_words
from tests.actions.integrity_sites import CASES

URL, OWN = "https://pn-contoh.example/", ["pn-contoh.example"]


def cases(kind: str) -> list[Path]:
    return sorted((CASES / kind).glob("*.html"))


@pytest.mark.parametrize("path", cases("injected"), ids=lambda path: path.stem)
def test_an_injected_page_is_named_by_its_rule(path: Path) -> None:
    found = check_html(path.read_text("utf-8"), URL, OWN)
    rule = path.name.partition(".")[0]
    assert rule in {each.rule for each in found if each.weight is Weight.STRONG}
    assert all(each.rule in TITLES and each.excerpt and "http" not in each.excerpt for each in found)


@pytest.mark.parametrize("path", cases("clean"), ids=lambda path: path.stem)
def test_a_clean_page_alarms_nobody(path: Path) -> None:
    assert check_html(path.read_text("utf-8"), URL, OWN) == []


def test_precision_and_recall_on_the_shipped_sets(capsys: pytest.CaptureFixture[str]) -> None:
    table: dict[str, list[int]] = {}
    for path in cases("injected"):
        rule = path.name.partition(".")[0]
        strong = {each.rule for each in check_html(path.read_text("utf-8"), URL, OWN) if each.weight is Weight.STRONG}
        row = table.setdefault(rule, [0, 0])
        row[0] += 1
        row[1] += rule in strong
    alarms = sum(bool(check_html(path.read_text("utf-8"), URL, OWN)) for path in cases("clean"))
    with capsys.disabled():
        print(f"\n{'rule':<20} pages  found")
        for rule, (pages, found) in sorted(table.items()):
            print(f"{rule:<20} {pages:>5}  {found:>5}")
        print(f"{'clean pages':<20} {len(cases('clean')):>5}  {alarms:>5} alarms")
    assert all(pages == found for pages, found in table.values())
    assert alarms == 0


def test_a_finding_names_the_line() -> None:
    page = '<title>PN</title>\n\n<div style="display:none">\n<a href="https://kebun.example/">slot gacor</a></div>'
    (finding,) = check_html(page, URL, OWN)
    assert (finding.rule, finding.line) == ("hidden_links", 4)
    assert finding.excerpt == "[display, 1] slot gacor → hxxps://kebun.example/"


def test_a_class_of_a_stylesheet_hides() -> None:
    page = '<title>PN</title><p class="q"><a href="https://kebun.example/">slot gacor</a></p>'
    assert [each.rule for each in check_html(page, URL, OWN, ".q{display:none}")] == ["hidden_links"]
    assert [each.rule for each in check_html(page, URL, OWN, "@media print{.q{display:none}}")] == ["promo_links"]


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("Slot Gacor Hari Ini", Meaning.PROMO),
        ("Terdakwa Promosi Slot Gacor Divonis", Meaning.NONE),
        ("Pengadilan Negeri Contoh: Slot Gacor, Daftar, Login", Meaning.PROMO),
        ("Sidang Slot Gacor Daftar Login Deposit Bonus New Member", Meaning.PROMO),  # a court's word as a cloak
        ("Tindak Pidana Perjudian", Meaning.NONE),
        ("Togel Online", Meaning.TOPIC),
        ("Slot waktu sidang 303", Meaning.NONE),
        ("Agenda 2024", Meaning.NONE),
        ("Burung gacor juara", Meaning.PROMO),  # alone it is a word of sellers; in prose nobody asks
        ("T0GEL62", Meaning.PROMO),
        ("Perkara Nomor 88/Pid.B/2024", Meaning.NONE),
    ],
)
def test_words_are_read_in_context(text: str, meaning: Meaning) -> None:
    assert read_words(text).meaning is meaning


def test_a_host_s_name_is_no_context() -> None:
    assert read_address("https://sidang.contoh.go.id/assets/slot-gacor/").meaning is Meaning.PROMO
    assert read_address("https://contoh.go.id/berita/sidang-slot-gacor").meaning is Meaning.NONE


HOSTILE = {
    "open tags": "<a " * 200_000,
    "nesting": "<div style='display:none'>" * 60_000,
    "rules of one class": "<style>"
    + "".join(f".a.b{i}{{c:d}}" for i in range(30_000))
    + "</style>"
    + "<p class=a>" * 20_000,
    "conditions": "<style>" + "@media(x){" * 100_000,
    "comments": "<!-- <a href=x>slot gacor</a> -->" * 20_000,
    "links": "<a href='https://a.example'>b</a>" * 40_000,
    "disguises": "<p>" + "s1ot g4c0r. " * 40_000,
    "letters apart": "<p>" + "s l o t " * 120_000,
    "one word": "<title>" + "slot-" * 300_000,
    "codes": "<script>String.fromCharCode(" + "60," * 300_000 + "</script>",
    "base64": "<script>" + "atob('" + "QUFB" * 30_000 + "');" * 3 + "</script>",
    "hexadecimal": "<script>" + "\\x3c" * 200_000 + "</script>",
    "going": "<script>" + "location='" * 100_000 + "</script>",
    "spaces": "<title>" + " " * 1_000_000 + "</title>",
    "headings": "<h1>" * 60_000,
    "references": "&#x110000;" * 100_000,
}


@pytest.mark.parametrize("markup", HOSTILE.values(), ids=HOSTILE)
def test_hostile_markup_ends_in_time(markup: str) -> None:
    start = time.process_time()
    check_html(markup, URL, OWN)
    assert time.process_time() - start < 10


def test_the_end_of_a_long_page_is_read() -> None:
    page = (
        "<title>PN</title><p>"
        + "Putusan. " * 600_000
        + (CASES / "injected/hidden_links.style-display.html").read_text()
    )
    assert "hidden_links" in {each.rule for each in check_html(page, URL, OWN)}


@given(st.text(alphabet="<>/aslotgacr01 \"'=-:;{}.#display none&\u200b\u043e", max_size=400))
def test_any_markup_is_read(text: str) -> None:
    check_html(text, URL, OWN)
    check_html(f"<style>{text}</style><p class=a style='{text}'>{text}<script>{text}</script>", URL, OWN)


@given(st.text(max_size=200))
def test_any_text_is_read(text: str) -> None:
    read_words(text)
    read_address(text)


def test_single_links_that_are_each_hidden_by_themselves_are_to_be_reviewed() -> None:
    page = "".join(
        f'<ul style="display:none"><li><a href="https://{n}.example/">{n}</a></ul>' for n in ("a1", "b2", "c3")
    )
    assert [(each.rule, each.weight) for each in check_html(page, URL, OWN)] == [("hidden_links", Weight.WEAK)]


def test_pages_in_files_are_judged(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    injected, clean = CASES / "injected/hidden_links.style-tiny.html", CASES / "clean/decision.html"
    assert main(["--url", URL, str(injected), str(clean)]) == 1
    bad, good = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert (bad["verdict"], bad["rules"], good["verdict"]) == ("indicated", ["hidden_links"], "clean")
    (tmp_path / "a.css").write_text(".q{display:none}")
    page = '<link rel="stylesheet" href="a.css"><p class="q"><a href="https://kebun.example/">slot gacor</a></p>'
    (tmp_path / "a.html").write_text(page)
    assert main([str(tmp_path / "a.html")]) == 1
    assert json.loads(capsys.readouterr().out)["rules"] == ["hidden_links"]
    assert main([str(tmp_path / "none.html")]) == 2


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Hubungi WA 0812-3456-7890 Slot Gacor", "Hubungi WA 0812… Slot Gacor"),
        ("Slot Gacor https://wa.me/6281234567890", "Slot Gacor hxxps://wa.me/6281…"),
        ("+6281234567890, (0736) 345678", "+628…, (0736…"),
        ("Terdakwa BUDI SANTOSO bin SLAMET Slot Gacor", "Terdakwa … bin … Slot Gacor"),
        ("Pemohon I: Siti Aminah binti Ahmad", "Pemohon I: … binti …"),
        ("Penggugat Joko Susilo → https://kebun.example/", "Penggugat … → hxxps://kebun.example/"),
        ("Sambutan Budi Santoso, S.H., M.H.", "…, …, M.H."),
        ("NIK 1771012345678901, NIP 19700101 199003 1 001", "NIK 1771…, NIP 1970…"),
        ("surat ke budi.s@pn-contoh.example", "surat ke …@pn-contoh.example"),
        ("Saksi Slot Gacor Maxwin", "Saksi Slot Gacor Maxwin"),
        (
            "Slot88 Gacor 777, 12 Januari 2026 12.30, 10.20.30.40",
            "Slot88 Gacor 777, 12 Januari 2026 12.30, 10.20.30.40",
        ),
    ],
)
def test_an_excerpt_names_nobody_and_keeps_what_tells(text: str, shown: str) -> None:
    assert defang(text) == shown
