"""The pages about services: dates, money and responsibility from register and journal; calendar, CSV, memo, PDF."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from icalendar import Calendar as Agenda

from runner.actions.service_calendar import ACTION
from runner.cli import group
from runner.contract import Outcome, Status
from runner.errors import Refused
from runner.events import Event, Kind, outcome_to_json
from runner.inventory import Inventory, parse_inventory
from runner.inventory.documents import Document
from runner.record.journal import Journal
from runner.reports import pdf
from runner.reports.agenda import render_agenda
from runner.reports.bundle import render_all, render_kind
from runner.reports.cash import build_tables, find_entries, list_months, render_csv
from runner.reports.facts import Facts, gather_facts
from runner.reports.memo import render_memo
from runner.reports.services import render_services
from tests.calls import assert_fits, make_call, read_evidence
from tests.pages import read_page, words
from tests.web_servers import Reply, page_server

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
TEXT = """\
office: {name: Pengadilan Negeri Contoh, timezone: Asia/Jakarta, letterhead: [PENGADILAN NEGERI CONTOH]}
people:
  budi: {name: "Budi & Rekan", roles: [{role: admin}]}
  sari: {name: Sari Dewi, nip: "198701022010121001", position: Kepala Subbagian, roles: [{role: kasubbag}]}
services:
  domain:
    {kind: domain, name: pn-contoh.example, provider: Penyedia A, expires: 2026-12-10, period: 1 tahun, price: 50000,
     tax: 11, budget: {mak: MAK-1, dipa: DIPA-1}, responsible: budi}
  hosting:
    {kind: hosting, name: "<b>Paket</b>", expires: 2027-01-31, period: 1 tahun, notice: 30 hari, price: 1500000,
     budget: {mak: MAK-2}, responsible: sari}
  vpn: {kind: licence, name: VPN, expires: 2026-12-15, period: 1 bulan, price: 10.5, currency: USD}
  lapsed: {kind: connection, name: Internet, expires: 2026-11-20, price: 100, budget: {mak: MAK-2}}
  paid:
    {kind: domain, name: lunas.example, expires: 2026-12-01, period: 1 tahun, price: 7, budget: {mak: MAK-1},
     renewal: {expires: 2027-12-01, invoice: {number: I-1, date: 2026-11-19, amount: 8},
     payment: {date: 2026-11-22, amount: 8}}}
  unknown: {kind: certificate, name: x.example}
"""


@pytest.fixture
def inventory() -> Inventory:
    return parse_inventory([Document("a.yml", TEXT)])


@pytest.fixture
def facts(inventory: Inventory) -> Facts:
    return gather_facts(inventory, None, NOW)


def record(records: Path, target: str, action: str, outputs: dict[str, Any]) -> Journal:
    journal = Journal.open(records)
    place: dict[str, Any] = {"run": "r-1", "step": "renew", "attempt": 1, "target": target}
    done = {"action": action, "item": "", **outcome_to_json(Outcome(Status.OK, outputs=outputs))}
    started = Event(Kind.RUN_STARTED, "r-1", NOW, data={"playbook": "p", "title": "P", "steps": [], "sources": []})
    task = Event(Kind.TASK_FINISHED, at=NOW, data=done, task=action.replace(".", "_"), tries=1, **place)
    journal.append([started, task])
    return journal


def test_the_most_urgent_comes_first(facts: Facts) -> None:
    assert [(fact.service.name, fact.stage) for fact in facts.services] == [
        ("lapsed", "expired"),
        ("domain", "due"),
        ("hosting", "due"),
        ("unknown", "unknown"),
        ("paid", "arranged"),
        ("vpn", "later"),
    ]


def test_the_page_shows_dates_money_and_responsibility(facts: Facts) -> None:
    text = words(read_page(render_services(facts)).text)
    for part in (
        "Nama domain pn-contoh.example",
        "10 Desember 2026",
        "17 hari",
        "lewat 3 hari",
        "Rp55.500,00",
        "MAK-1",
        "Budi & Rekan",
        "Tahun anggaran berakhir lebih dahulu.",
        "Rp1.555.600,00",
        "Belum ada harga: sertifikat x.example",
        "belum diperiksa",
    ):
        assert part in text


def test_on_a_phone_every_cell_of_a_table_keeps_its_heading(facts: Facts) -> None:
    page = render_services(facts)
    heads = re.search(r'<table class="list">.*?</thead>', page, re.DOTALL)
    assert heads
    labels = re.findall(r"<th[^>]*>([^<]*)</th>", heads[0])[1:]
    for row in re.findall(r'<tr>\s*<td class="no">.*?</tr>', page, re.DOTALL):
        assert re.findall(r'data-label="([^"]*)"', row) == labels
    assert "max-width: 60rem" in page
    assert not re.search(r"table\.(?:list|papers) \.\w+ \{ width: [\d.]+mm", page)


def test_an_office_without_a_name_gets_no_empty_letterhead() -> None:
    page = render_services(
        gather_facts(parse_inventory([Document("a.yml", "services: {a: {kind: domain}}")]), None, NOW)
    )
    assert '<header class="office">' not in page


def test_text_from_the_register_is_only_text(facts: Facts) -> None:
    page = render_services(facts) + render_memo(facts)
    assert "<b>Paket" not in page
    assert "&lt;b&gt;Paket" in page


def test_an_office_without_services_gets_a_page_and_no_memo() -> None:
    facts = gather_facts(parse_inventory([Document("a.yml", "office: {name: PN}")]), None, NOW)
    assert "Belum ada layanan yang dicatat." in render_services(facts)
    assert render_memo(facts) == ""
    assert Agenda.from_ical(render_agenda(facts)).walk("VEVENT") == []


def test_what_was_seen_outside_counts_before_the_register(inventory: Inventory, tmp_path: Path) -> None:
    told = {"seen": "2027-12-10", "seen_on": "2026-11-20", "expires": "2027-12-10"}
    journal = record(tmp_path, "domain", "service.due", told)
    facts = gather_facts(inventory, journal, NOW)
    found = next(fact for fact in facts.services if fact.service.name == "domain")
    assert (found.expires, found.seen, found.stage) == (date(2027, 12, 10), True, "later")
    assert journal.head() in render_services(facts)


def test_what_was_seen_long_ago_counts_no_more(inventory: Inventory, tmp_path: Path) -> None:
    told = {"seen": "2027-12-10", "seen_on": "2026-10-20", "expires": "2027-12-10"}
    facts = gather_facts(inventory, record(tmp_path, "domain", "service.due", told), NOW)
    assert next(fact for fact in facts.services if fact.service.name == "domain").expires == date(2026, 12, 10)


def test_what_a_renewal_lacked_is_shown(inventory: Inventory, tmp_path: Path) -> None:
    outputs = {"stage": "waiting", "renewed": False, "missing": ["berkas pembayaran belum dicatat"]}
    facts = gather_facts(inventory, record(tmp_path, "paid", "service.renewed", outputs), NOW)
    assert "berkas pembayaran belum dicatat" in render_services(facts)


def test_money_stands_in_the_month_and_budget_year_that_pays_it(facts: Facts) -> None:
    entries = [(f"{e.month:%Y-%m}", e.fact.service.name, e.amount, e.basis) for e in find_entries(facts)]
    assert ("2026-11", "lapsed", 100.0, "perkiraan") in entries
    assert ("2026-12", "domain", 55500.0, "perkiraan") in entries
    assert ("2026-12", "hosting", 1500000.0, "perkiraan") in entries  # it ends in January: this year's money
    assert [month for month, name, *_ in entries if name == "vpn"] == [
        f"{m:%Y-%m}" for m in list_months(date(2026, 12, 1))[:11]
    ]
    assert not [name for _, name, *_ in entries if name in ("paid", "unknown")]


def test_currencies_are_never_added_up(facts: Facts) -> None:
    tables = build_tables(find_entries(facts), facts.today)
    assert [(table.currency, [*table.lines], table.totals[-1]) for table in tables] == [
        ("IDR", ["MAK-1", "MAK-2"], 1555600.0),
        ("USD", ["belum ditetapkan"], 11 * 10.5),
    ]
    assert all(len(table.rows) == 12 for table in tables)


def test_csv_is_for_spreadsheets_and_holds_no_formula() -> None:
    service = '{kind: hosting, name: x, provider: "=1+1", expires: 2026-12-10, price: 5, budget: {mak: "@SUM"}}'
    text = f"services: {{a: {service}}}"
    found = render_csv(find_entries(gather_facts(parse_inventory([Document("a.yml", text)]), None, NOW)))
    rows = list(csv.reader(io.StringIO(found.removeprefix("\ufeff")), delimiter=";"))
    assert rows[1] == ["2026-12", "'@SUM", "", "hosting (x)", "'=1+1", "2026-12-10", "IDR", "5,00", "perkiraan"]


def test_the_calendar_holds_every_date_once_and_keeps_its_ids(facts: Facts) -> None:
    agenda = Agenda.from_ical(render_agenda(facts))
    events = {str(event["SUMMARY"]): event for event in agenda.walk("VEVENT")}
    assert events["Berakhir: nama domain pn-contoh.example"]["DTSTART"].dt == date(2026, 12, 10)
    assert events["Tahun anggaran berakhir; perpanjang hosting (<b>Paket</b>) sebelum ini"]["DTSTART"].dt == date(
        2026, 12, 31
    )
    assert events["Batas pemberitahuan: hosting (<b>Paket</b>)"]["DTSTART"].dt == date(2027, 1, 1)
    ids = [str(event["UID"]) for event in events.values()]
    assert len(ids) == len(set(ids))
    later = Agenda.from_ical(render_agenda(gather_facts(parse_inventory([Document("a.yml", TEXT)]), None, NOW)))
    assert sorted(str(event["UID"]) for event in later.walk("VEVENT")) == sorted(ids)
    assert len(events["Berakhir: nama domain pn-contoh.example"].walk("VALARM")) == 4


def test_the_memo_asks_for_what_is_to_be_paid_soon_and_invents_no_number(facts: Facts) -> None:
    text = words(read_page(render_memo(facts)).text)
    assert "Nomor: ……" in text
    assert "Tanggal : ……" in text
    assert "Sari Dewi NIP 198701022010121001" in text
    assert "Rp1.555.600,00" in text
    assert "lunas.example" not in text
    assert "VPN" not in text


def test_the_action_keeps_all_four(tmp_path: Path, inventory: Inventory) -> None:
    kinds = ("services", "services.ics", "services.csv", "services.memo")
    reports = {kind: render_kind(kind, inventory, None, NOW) for kind in kinds}
    call = make_call(ACTION, directory=tmp_path, reports=reports)
    outcome = ACTION.run(call)
    assert_fits(ACTION, outcome.outputs)
    assert [each.name for each in outcome.evidence] == [
        "daftar-layanan.html",
        "layanan.ics",
        "kebutuhan-dana.csv",
        "konsep-nota-dinas.html",
    ]
    assert read_evidence(call, outcome.evidence[1]).startswith(b"BEGIN:VCALENDAR")
    quiet = ACTION.run(make_call(ACTION, directory=tmp_path, reports={**reports, "services.memo": b""}))
    assert quiet.outputs["memo"] is None
    assert_fits(ACTION, quiet.outputs)


def test_the_pages_as_pdf_are_read_by_others(facts: Facts, tmp_path: Path) -> None:
    files = render_all(facts, pdf=True)
    (tmp_path / "a.pdf").write_bytes(files["daftar-layanan.pdf"])
    told = subprocess.run(["pdftotext", tmp_path / "a.pdf", "-"], capture_output=True, check=True)
    text = words(told.stdout.decode())
    assert "Masa Berlaku dan Penanggung Jawab" in text
    assert "Rp55.500,00" in text
    assert "Halaman 1 dari 3" in text


def test_without_weasyprint_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "weasyprint", None)
    with pytest.raises(Refused, match=r"WeasyPrint is not installed. run: pip install 'sop-runner\[pdf\]'"):
        pdf.render_pdf("<p>x</p>")


def test_a_page_fetches_nothing(tmp_path: Path) -> None:
    """A style that arrived would make many pages of one line."""
    style = "p { font-size: 300pt }"
    (tmp_path / "a.css").write_text(style)
    with page_server({"/a.css": Reply(style, headers={"Content-Type": "text/css"})}) as url:
        for link in (f"{url}/a.css", (tmp_path / "a.css").as_uri(), f"data:text/css,{style}"):
            page = f'<link rel="stylesheet" href="{link}"><p>{"contoh " * 30}</p>'
            (tmp_path / "a.pdf").write_bytes(pdf.render_pdf(page))
            told = subprocess.run(["pdfinfo", tmp_path / "a.pdf"], capture_output=True, check=True, text=True)
            assert re.search(r"^Pages: +1$", told.stdout, re.MULTILINE)


def test_the_command_writes_the_files_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "inventory.yml").write_text(TEXT)
    options = ["-i", str(tmp_path / "inventory.yml"), "--records", str(tmp_path / "none"), "-o", str(tmp_path / "out")]
    result = CliRunner().invoke(group, ["report", "services", *options, "--format", "json"])
    assert result.exit_code == 0, result.output
    told = json.loads(result.output)
    assert sorted(told["files"]) == [
        "daftar-layanan.html",
        "kebutuhan-dana.csv",
        "konsep-nota-dinas.html",
        "layanan.ics",
    ]
    assert all(Path(path).stat().st_size for path in told["files"].values())
    assert {each["name"]: each["stage"] for each in told["services"]}["unknown"] == "unknown"


DAYS = st.dates(date(1989, 12, 1), date(2200, 2, 1)).map(date.isoformat)
NUMBERS = st.one_of(st.integers(0, 10**15), st.floats(0, 1e15))
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30)
PAPER = st.fixed_dictionaries(
    {"number": TEXTS, "date": DAYS, "amount": NUMBERS}, optional={"due": DAYS, "currency": st.just("USD")}
)
PERIOD = {"price": NUMBERS, "tax": st.integers(0, 100), "currency": st.sampled_from(["IDR", "USD"]), "invoice": PAPER}
HOSTILE = st.fixed_dictionaries(
    {"kind": st.sampled_from(["domain", "hosting", "certificate"])},
    optional={
        "name": TEXTS,
        "provider": TEXTS,
        "expires": DAYS,
        "started": DAYS,
        "observed": DAYS,
        "period": st.sampled_from(["1 hari", "1 bulan", "999 tahun"]),
        "notice": st.sampled_from(["30 hari", "999 tahun"]),
        "budget": st.fixed_dictionaries({"mak": TEXTS}),
        "renewal": st.fixed_dictionaries({"expires": DAYS}, optional={**PERIOD, "payment": PAPER}),
        "history": st.lists(st.fixed_dictionaries({"started": DAYS, "expires": DAYS}, optional=PERIOD), max_size=2),
        **PERIOD,
    },
)


@given(st.lists(HOSTILE, min_size=1, max_size=2))
@settings(deadline=None, max_examples=150)
def test_whatever_the_register_accepts_can_be_reported(services: list[dict[str, Any]]) -> None:
    named = {f"s{number}": service for number, service in enumerate(services)}
    try:
        inventory = parse_inventory([Document("a.yml", json.dumps({"services": named}))])
    except Refused:
        return
    files = render_all(gather_facts(inventory, None, NOW))
    assert Agenda.from_ical(files["layanan.ics"]).walk("VCALENDAR")
    assert files["daftar-layanan.html"].rstrip().endswith(b"</html>")
