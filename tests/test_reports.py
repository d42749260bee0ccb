"""The pages that people read and sign: complete, self-contained, honest about what nobody knows."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from runner.contract import Evidence, Outcome, Reason, Severity, Status
from runner.events import Event, Kind, outcome_to_json
from runner.form.document import render_form
from runner.inventory.people import Holding, Person
from runner.languages import translate
from runner.record import build_record
from runner.record.document import Record
from runner.record.problems import KnownProblem
from runner.reports.office import Office
from runner.reports.paper.layout import choose_layout
from runner.reports.paper.page import render_html
from runner.reports.situation import build_situation
from runner.source import load_source
from tests.pages import read_page, words

ROOT = Path(__file__).parents[1]
PLAYBOOK = load_source(ROOT / "playbooks" / "pemeliharaan-website.yml").data
OFFICE = {
    "name": "Pengadilan Negeri Contoh",
    "city": "Contoh",
    "timezone": "Asia/Jakarta",
    "letterhead": ["MAHKAMAH AGUNG REPUBLIK INDONESIA", "PENGADILAN NEGERI CONTOH"],
}
SUM = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"


FINE = Outcome(Status.OK)
RUN = "20261122-083000"
BEGAN = datetime(2026, 11, 22, 1, 30, tzinfo=UTC)
ACTORS = PLAYBOOK["supplement"]["actors"]


def named(actor: str | list[str]) -> list[str]:
    return [actor] if isinstance(actor, str) else actor


FORMS = [
    {**{key: row[key] for key in ("id", "activity", "time_limit", "outputs")}, "actors": named(ACTORS[row["id"]])}
    for row in PLAYBOOK["steps"]
]


def at(minutes: float) -> datetime:
    return BEGAN + timedelta(minutes=minutes)


def started(**data: Any) -> Event:
    plain = {"playbook": "pemeliharaan-website", "title": PLAYBOOK["procedure"]["title"], "by": "petugas"}
    return Event(
        Kind.RUN_STARTED,
        RUN,
        BEGAN,
        data={**plain, "procedure": PLAYBOOK["procedure"], "steps": FORMS, "sources": [], **data},
    )


def done(
    step: str,
    target: str | None = "pn_contoh",
    outcome: Outcome = FINE,
    *,
    attempt: int = 1,
    **finished: Any,
) -> list[Event]:
    """The events of one step on one target, with one task, two minutes long."""
    place = {"run": RUN, "step": step, "attempt": attempt, "target": target}
    task = {**place, "task": "only", "tries": 1}
    end = {"status": str(outcome.status), "used_seconds": 120, "outputs": {}, "deviations": [], **finished}
    return [
        Event(Kind.STEP_STARTED, at=at(0), data={"time_limit": "1 hari", "due": None}, **place),
        Event(Kind.TASK_STARTED, at=at(0), data={"action": "a", "item": ""}, **task),
        Event(Kind.TASK_FINISHED, at=at(2), data={"action": "a", "item": "", **outcome_to_json(outcome)}, **task),
        Event(Kind.STEP_FINISHED, at=at(2), data={"reason": None, "message": "", **end}, **place),
    ]


def answered(step: str, person: str, label: str = "", note: str = "", *, target: str | None = None) -> Event:
    words = {"role": "sekretaris", "person": person, "label": label, "method": "login", "note": note, "subject": ""}
    return Event(Kind.ANSWERED, RUN, at(3), step, 1, "only", target, "", 1, words)


def record(*events: Event | list[Event], **data: Any) -> Record:
    flat = [event for each in events for event in (each if isinstance(each, list) else [each])]
    return build_record([started(**data), *flat])


def problem(text: str = "Masa berlaku domain berakhir 12 hari lagi.", **fields: Any) -> KnownProblem:
    plain = KnownProblem(
        key="domain.expires",
        target="domain",
        severity=Severity.MAJOR,
        message=text,
        first_seen=BEGAN,
        last_seen=BEGAN,
        run=RUN,
        playbook="pemeliharaan-website",
        step="renew",
        task="due",
    )
    return replace(plain, **fields)


def render_situation(
    told: Record,
    problems: list[KnownProblem],
    office: dict[str, Any],
    people: dict[str, Person] | None = None,
    **more: Any,
) -> str:
    paper = build_situation(told, problems, Office(office, people or {}), **more)
    return render_html(paper, choose_layout(office, None, landscape=False))


def page_text(*args: Any, **options: Any) -> str:
    return words(read_page(render_situation(*args, **options)).text)


def test_every_activity_stands_verbatim_with_its_norm():
    text = page_text(record(), [], OFFICE)
    assert [s["id"] for s in PLAYBOOK["steps"] if words(s["activity"]) not in text or s["time_limit"] not in text] == []


def test_readings_stand_beside_the_wording_and_never_in_its_place():
    text = page_text(record(readings=PLAYBOOK["supplement"]["readings"]), [], OFFICE)
    assert "Masalah terselesaikan, II(DatabdiI_Back Up … embali" in text
    assert "Dibaca: Masalah terselesaikan, (Data di Back Up kembali)" in text
    assert "Pihak ke 3" in text


def test_times_are_those_of_the_office():
    assert "22 November 2026, 08.30–08.32 WIB (selama 2 menit)" in page_text(record(done("watch")), [], OFFICE)


def test_what_nobody_knows_of_a_problem_stays_blank():
    page = render_situation(record(), [problem()], OFFICE)
    assert page.count('<td class="blank"></td>') == 3
    assert problem().message in page


def test_criterion_is_the_norm_of_the_step_that_found_it():
    text = page_text(record(), [problem()], OFFICE)
    assert "Mutu baku SOP, kegiatan 4: Layanan koneksi, hosting & domain yang di perbaharui" in text


def test_criterion_of_a_step_of_another_run_stays_blank():
    page = render_situation(record(), [problem(step="elsewhere")], OFFICE)
    assert page.count('<td class="blank"></td>') == 4


def test_number_is_left_open_and_names_are_not_invented():
    deputy = Person("s", "Nama Sekretaris", (Holding("sekretaris", deputy="Plh"),), nip="19870102")
    text = page_text(record(), [], OFFICE, people={"sekretaris": deputy})
    assert "Nomor: …………" in text
    assert "Plh. Sekretaris," in text
    assert "Nama Sekretaris" in text
    assert text.count("( …………………………… )") == 2


def test_targets_are_called_as_people_call_them():
    found = done("watch", "pn_contoh", Outcome(Status.FAILED, message="tidak dapat dibuka"), status="failed")
    office = Office(OFFICE, {}, {"pn_contoh": "Website Pengadilan Negeri Contoh", "domain": "pn-contoh.go.id"})
    paper = build_situation(record(found), [problem()], office)
    text = render_html(paper, choose_layout(OFFICE, None, landscape=False))
    assert "Website Pengadilan Negeri Contoh: gagal" in text
    assert "Website Pengadilan Negeri Contoh: tidak dapat dibuka" in text
    assert "1. pn-contoh.go.id" in text
    assert "pn_contoh" not in text


def test_letterhead_is_never_guessed():
    text = page_text(record(), [], {"name": "Pengadilan Negeri Contoh"})
    assert "MAHKAMAH AGUNG" not in text


def test_evidence_is_listed_with_its_sum_and_marked_in_its_row():
    outcome = Outcome(Status.CHANGED, evidence=(Evidence("situs.sqlite.gz", SUM, 120345),))
    text = page_text(record(done("backup", outcome=outcome)), [], OFFICE)
    assert text.count("B-1") == 2
    assert f"B-1 situs.sqlite.gz 2 / pn_contoh 120 kB {SUM}" in text


def test_chain_head_and_sources_are_printed():
    sources = [{"name": "pemeliharaan-website.yml", "sha256": SUM}]
    text = page_text(record(sources=sources), [], OFFICE, head="ab" * 32)
    assert "ab" * 32 in text
    assert f"pemeliharaan-website.yml – {SUM}" in text


def test_deviations_are_not_hidden():
    text = page_text(record(done("watch", deviations=["terlambat 2 jam kerja"])), [], OFFICE)
    assert "1 pn_contoh: terlambat 2 jam kerja" in text


def test_a_second_attempt_stands_beside_the_first():
    second = done("solution", None, Outcome(Status.WAITING), attempt=2)
    text = page_text(record(done("solution", None), second), [], OFFICE)
    assert "putaran ke-1: selesai" in text
    assert "putaran ke-2: menunggu" in text


def test_who_signed_and_what_was_decided_is_told():
    acts = answered("solution", "Petugas A"), answered("solution", "Petugas C", "bersama pihak ketiga", "segera")
    text = page_text(record(done("solution", None), *acts), [], OFFICE)
    assert "ditandatangani oleh Petugas A 22 November 2026, 08.33 WIB" in text
    assert "dijawab oleh Petugas C: bersama pihak ketiga 22 November 2026, 08.33 WIB – segera" in text


def test_people_are_named_in_full():
    people = {"a": Person("a", "Nama Lengkap, S.Kom.")}
    assert "ditandatangani oleh Nama Lengkap, S.Kom." in page_text(
        record(done("solution", None), answered("solution", "a", "signed")), [], OFFICE, people=people
    )


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (True, "ya"),
        (1234567, "1.234.567"),
        (0.21, "0,21"),
        ("konten terbaru: 2026-11-19", "konten terbaru: 19 November 2026"),
        ("WEB-2026-11-19-P", "WEB-2026-11-19-P"),
        ("2026-19-39", "2026-19-39"),
        ("2026-11-22T01:30:00+00:00", "Minggu, 22 November 2026 pukul 08.30 WIB"),
        ({"name": "laporan.html", "sha256": SUM, "size": 3}, f"laporan.html (SHA-256 {SUM})"),
        (list(range(20)), "0; 1; 2; 3; 4; 5; 6; 7; … (+12)"),
        (float("nan"), "nan"),
    ],
)
def test_values_are_written_for_people(value, shown):
    text = page_text(record(done("watch", outputs={"access": value})), [], OFFICE)
    assert f"Sasaran Hasil pn_contoh {shown} C." in text


def test_a_task_that_was_not_needed_is_no_remark():
    skipped = Outcome(Status.SKIPPED, reason=Reason.CONDITION, message="its condition is false")
    assert "condition" not in page_text(record(done("troubleshoot", None, skipped)), [], OFFICE)


def test_a_thousand_targets_stay_readable():
    broken = Outcome(Status.FAILED, message="putus")
    targets = [done("watch", f"situs_{n}", broken if n == 700 else FINE) for n in range(1000)]
    page = render_situation(record(*targets), [], OFFICE)
    assert "situs_700" in page
    assert "dan 999 sasaran lain" in page
    assert len(page) < 60_000


def test_a_run_that_only_began_still_gives_a_page():
    assert "sedang berjalan" in page_text(build_record([Event(Kind.RUN_STARTED, RUN, BEGAN)]), [], {})


def render_with(text: str) -> str:
    """The page with that text in every place where text from outside can come to stand."""
    outcome = Outcome(Status.FAILED, evidence=(Evidence(text, text, 1, text),), message=text)
    outputs = {"access": {text: [text, {text: text}]}}
    steps = done("watch", text, outcome, outputs=outputs, deviations=[text], message=text)
    data = {"title": text, "by": text, "sources": [{"name": text, "sha256": text}]}
    office = {"name": text, "city": text, "letterhead": [text], "address": text, "phone": text}
    forms = [{"id": "watch", "activity": text, "time_limit": text, "outputs": [{"text": text}], "actors": ["admin"]}]
    run = record(
        steps,
        answered("watch", text, text, text, target=text),
        procedure={"roles": {"admin": text}},
        steps=forms,
        **data,
    )
    official = Person("p", text, (Holding("admin", deputy=text),), nip=text)
    found = problem(text, key=text, target=text)
    return render_situation(run, [found], office, head=text, people={"admin": official})


HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</style><script>",
    "<!--",
    "]]>",
    "{{ 7*7 }}{% include 'form.html' %}",
    "&lt;b&gt;",
    "javascript:alert(1)",
    "\u202egnp.exe",
    "a\x00b\x1b[31m",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_never_becomes_markup(text):
    page = render_with(text)
    read = read_page(page)
    assert read.tags == read_page(render_with("biasa")).tags
    assert "49" not in read.text.replace("7*7", "")
    assert not re.search("[\x00-\x08\x0b-\x1f\u202a-\u202e\u2066-\u2069]", page)


PLAIN = read_page(render_with("biasa")).tags


@settings(deadline=None)
@given(st.text(min_size=1, max_size=80))  # a long one may pass over to the next page
def test_no_text_changes_the_structure(text):
    assume(text.strip())
    assume(translate(text, "id") == text)  # our own words, as a message, are told beside the deviation of that name
    assert read_page(render_with(text)).tags == PLAIN


@pytest.mark.parametrize("page", [render_situation(record(), [problem()], OFFICE), render_form(PLAYBOOK)])
def test_page_needs_nothing_from_outside(page):
    read = read_page(page)
    assert {tag[0] for tag in read.tags} & {"script", "link", "img", "iframe", "object", "a", "base", "form"} == set()
    assert {name for name, _ in read.values} & {"src", "href", "style", "onclick", "srcset"} == set()
    assert "url(" not in page
    assert "@import" not in page


@pytest.mark.parametrize("page", [render_situation(record(), [], OFFICE), render_form(PLAYBOOK)])
def test_policy_allows_this_style_sheet_only(page):
    sheet = page[page.index("<style>") + 7 : page.index("</style>")]
    digest = base64.b64encode(hashlib.sha256(sheet.encode()).digest()).decode()
    policy = dict(pair for pair in read_page(page).values if pair[0] == "content" and "default-src" in pair[1])
    assert policy["content"].startswith(f"default-src 'none'; style-src 'sha256-{digest}'")


def test_form_gives_the_sop_back_word_for_word():
    text = words(read_page(render_form(PLAYBOOK)).text)
    form = text[: text.index("PELENGKAP PELAKSANAAN")]
    procedure = PLAYBOOK["procedure"]
    lines = [*procedure["legal_basis"], *procedure["notes"], *procedure["roles"].values(), procedure["warning"]]
    for row in PLAYBOOK["steps"]:
        lines += [row["activity"], row["time_limit"], *(each["text"] for each in (*row["inputs"], *row["outputs"]))]
    assert [line for line in lines if words(line) not in form] == []


def test_form_shows_additions_only_as_the_supplement():
    text = words(read_page(render_form(PLAYBOOK)).text)
    form, supplement = text.split("PELENGKAP PELAKSANAAN")
    for reading in PLAYBOOK["supplement"]["readings"].values():
        assert words(reading) in supplement
    assert "(Data di Back Up kembali)" not in form
    assert "cron" not in form
    assert "30 1 * * *" in supplement


def test_form_draws_symbols_only_where_the_paper_shows_them():
    assert 'class="symbol' not in render_form(PLAYBOOK)
    rows = [{"id": "a", "activity": "A", "actor": "x"}]
    rows.append({"id": "b", "activity": "B", "actor": "x", "symbol": "decision"})
    page = render_form({"procedure": {"title": "T", "roles": {"x": "X", "y": "Y"}}, "steps": rows})
    assert re.findall(r'class="symbol (\w+)', page) == ["process", "decision"]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_form_never_becomes_markup(text):
    def build(written: str) -> str:
        row = {"id": "a", "activity": written, "time_limit": written, "remark": written, "inputs": [{"text": written}]}
        procedure = {"title": written, "unit": written, "roles": {"x": written}, "notes": [written], "number": written}
        return render_form({"procedure": procedure, "steps": [row], "supplement": {"notes": [written]}})

    assert read_page(build(text)).tags == read_page(build("biasa")).tags
