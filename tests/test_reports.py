"""The pages that people read and sign: complete, self-contained, honest about what nobody knows."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.reports.form import render_form
from runner.reports.situation import Holder, render_situation
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
PROBLEM = {
    "key": "domain.expires",
    "severity": "major",
    "target": "domain",
    "message": "Masa berlaku domain berakhir 12 hari lagi.",
    "since": "2026-11-22T01:36:00+00:00",
}
SUM = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"


@dataclass
class FakeRecord:
    """A record with a document, as `runner.record` gives one."""

    started: dict[str, Any]
    body: dict[str, Any]

    def document(self) -> dict[str, Any]:
        return self.body


def task(**fields: Any) -> dict[str, Any]:
    plain = {"id": "a", "action": "website.available", "item": "", "try": 1, "status": "ok", "reason": None}
    times = {"started": "2026-11-22T01:30:00+00:00", "ended": "2026-11-22T01:32:00+00:00"}
    return {**plain, **times, "outputs": {}, "evidence": [], "message": "", **fields}


def target(name: str | None = "pn_contoh", *tasks: dict[str, Any], **fields: Any) -> dict[str, Any]:
    plain = {"target": name, "status": "ok", "used_seconds": 120, "outputs": {}, "deviations": []}
    return {**plain, "tasks": list(tasks) or [task()], **fields}


def step(name: str, *targets: dict[str, Any], attempt: int = 1) -> dict[str, Any]:
    return {"id": name, "status": "ok", "attempt": attempt, "time_limit": "1 hari", "targets": list(targets)}


def record(*steps: dict[str, Any], **started: Any) -> FakeRecord:
    actors = PLAYBOOK["supplement"]["actors"]
    forms = [
        {**{key: row[key] for key in ("id", "activity", "time_limit", "outputs")}, "actor": actors[row["id"]]}
        for row in PLAYBOOK["steps"]
    ]
    begun = {"title": PLAYBOOK["procedure"]["title"], "by": "petugas", "roles": PLAYBOOK["procedure"]["roles"]}
    body = {"run": "r-1", "playbook": "pemeliharaan-website", "status": "ok", "exit_code": 0, "problems": []}
    times = {"started": "2026-11-22T01:30:00+00:00", "ended": None}
    return FakeRecord({**begun, "steps": forms, "sources": [], **started}, {**body, **times, "steps": list(steps)})


def page_text(*args: Any, **options: Any) -> str:
    return words(read_page(render_situation(*args, **options)).text)


def test_every_activity_stands_verbatim_with_its_norm():
    text = page_text(record(), [], OFFICE)
    assert [s["id"] for s in PLAYBOOK["steps"] if words(s["activity"]) not in text or s["time_limit"] not in text] == []


def test_times_are_those_of_the_office():
    assert "22 November 2026, 08.30–08.32 WIB (waktu kerja 2 menit)" in page_text(
        record(step("watch", target())), [], OFFICE
    )


def test_unknown_parts_of_a_problem_stay_blank():
    page = render_situation(record(), [PROBLEM], OFFICE)
    assert page.count('<td class="blank"></td>') == 4
    assert PROBLEM["message"] in page


def test_known_parts_of_a_problem_are_shown():
    known = {**PROBLEM, "criterion": "Paling lambat 30 hari sebelum berakhir", "advice": "Perpanjang sekarang"}
    page = render_situation(record(), [known], OFFICE)
    assert page.count('<td class="blank"></td>') == 2
    assert "Paling lambat 30 hari sebelum berakhir" in page


def test_number_is_left_open_and_names_are_not_invented():
    text = page_text(record(), [], OFFICE, people={"sekretaris": Holder("Nama Sekretaris", "19870102", "Plh")})
    assert "Nomor: …………" in text
    assert "Plh. Sekretaris" in text
    assert "Nama Sekretaris" in text
    assert text.count("( …………………………… )") == 2


def test_letterhead_is_never_guessed():
    text = page_text(record(), [], {"name": "Pengadilan Negeri Contoh"})
    assert "MAHKAMAH AGUNG" not in text


def test_evidence_is_listed_with_its_sum_and_marked_in_its_row():
    kept = {"name": "situs.sqlite.gz", "sha256": SUM, "size": 120345, "media_type": "application/gzip"}
    text = page_text(record(step("backup", target("pn_contoh", task(evidence=[kept])))), [], OFFICE)
    assert text.count("B-1") == 2
    assert f"B-1 situs.sqlite.gz 2 / pn_contoh 120 kB {SUM}" in text


def test_chain_head_and_sources_are_printed():
    sources = [{"name": "pemeliharaan-website.yml", "sha256": SUM}]
    text = page_text(record(sources=sources), [], OFFICE, head="ab" * 32)
    assert "ab" * 32 in text
    assert f"pemeliharaan-website.yml – {SUM}" in text


def test_deviations_are_not_hidden():
    text = page_text(record(step("watch", target(deviations=["terlambat 2 jam kerja"]))), [], OFFICE)
    assert "1 pn_contoh: terlambat 2 jam kerja" in text


def test_a_second_attempt_stands_beside_the_first():
    steps = (step("solution", target(None)), step("solution", target(None, status="waiting"), attempt=2))
    text = page_text(record(*steps), [], OFFICE)
    assert "putaran ke-1: selesai" in text
    assert "putaran ke-2: menunggu" in text


def test_who_signed_and_what_was_decided_is_told():
    signed = task(action="person.sign", outputs={"person": "Petugas A", "label": "", "note": ""})
    decided = task(action="person.decide", outputs={"person": "Petugas C", "label": "bersama pihak ketiga"})
    text = page_text(record(step("solution", target(None, signed, decided))), [], OFFICE)
    assert "ditandatangani oleh Petugas A" in text
    assert "diputuskan oleh Petugas C: bersama pihak ketiga" in text


def test_a_thousand_targets_stay_readable():
    targets = [target(f"situs_{n}", status="failed" if n == 700 else "ok") for n in range(1000)]
    page = render_situation(record(step("watch", *targets)), [], OFFICE)
    assert "situs_700" in page
    assert "dan 999 sasaran lain" in page
    assert len(page) < 60_000


def test_a_run_without_steps_still_gives_a_page():
    body = {"run": "r", "playbook": "p", "status": None, "started": None, "ended": None, "steps": [], "problems": []}
    assert "sedang berjalan" in page_text(FakeRecord({}, body), [], {})


def test_english_has_every_heading():
    text = page_text(record(step("watch", target())), [PROBLEM], OFFICE, language="en")
    assert "IT MANAGEMENT REPORT" in text
    assert "Recommendation" in text
    assert "Rekomendasi" not in text


def render_with(text: str) -> str:
    kept = {"name": text, "sha256": text, "size": 1, "media_type": text}
    tasks = [task(outputs={"person": text, "label": text}, evidence=[kept], message=text, status="failed")]
    outputs = {"access": {text: [text, {text: text}]}}
    steps = [step("watch", target(text, *tasks, outputs=outputs, deviations=[text]))]
    problem = dict.fromkeys(("key", "severity", "target", "message", "criterion", "cause", "effect", "advice"), text)
    started = {"title": text, "by": text, "sources": [{"name": text, "sha256": text}]}
    office = {"name": text, "city": text, "letterhead": [text], "address": text, "phone": text}
    roles = dict.fromkeys(PLAYBOOK["procedure"]["roles"], text)
    people = {"admin": Holder(text, text, text)}
    return render_situation(record(*steps, roles=roles, **started), [problem], office, head=text, people=people)


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


@given(st.text(min_size=1).filter(lambda text: text.strip()))
def test_no_text_changes_the_structure(text):
    assert read_page(render_with(text)).tags == read_page(render_with("biasa")).tags


@pytest.mark.parametrize("page", [render_situation(record(), [PROBLEM], OFFICE), render_form(PLAYBOOK)])
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
    rows = [{"id": "a", "activity": "A", "actor": "x"}, {"id": "b", "activity": "B", "actor": "x", "decide": {}}]
    page = render_form({"procedure": {"title": "T", "roles": {"x": "X", "y": "Y"}}, "steps": rows})
    assert re.findall(r'class="symbol (\w+)', page) == ["process", "decision"]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_form_never_becomes_markup(text):
    def build(written: str) -> str:
        row = {"id": "a", "activity": written, "time_limit": written, "remark": written, "inputs": [{"text": written}]}
        procedure = {"title": written, "unit": written, "roles": {"x": written}, "notes": [written], "number": written}
        return render_form({"procedure": procedure, "steps": [row], "supplement": {"notes": [written]}})

    assert read_page(build(text)).tags == read_page(build("biasa")).tags
