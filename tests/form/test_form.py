"""The form as a document: what the source has and how, long texts, blanks, hostile text, lints, and the command."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from runner.cli import run
from runner.errors import Mistake
from runner.form.chart import Edge, build_chart
from runner.form.document import lay_form, render_flow, render_form
from runner.form.identity import read_identity
from runner.form.lints import check_form, check_numbers
from runner.form.measure import measure, wrap
from runner.form.paper import PAPERS
from runner.playbook.reading import load_playbook
from runner.source import parse_source
from tests.form.procedures import squeeze
from tests.pages import read_page


def make(steps: list[dict[str, Any]], **procedure: Any) -> dict[str, Any]:
    roles = {"a": "Admin", "b": "Kasubbag", "c": "Sekretaris"}
    rows = [{"id": f"s{number}", "activity": f"Kegiatan {number}", **step} for number, step in enumerate(steps)]
    return {"procedure": {"title": "SOP", "roles": roles, **procedure}, "steps": rows}


def arrows(playbook: dict[str, Any]) -> list[str]:
    return [
        f"{edge.source}>{edge.target}{':' if edge.label else ''}{edge.label}" for edge in build_chart(playbook).edges
    ]


def test_steps_follow_one_another() -> None:
    assert arrows(make([{"actor": "a"}, {"actor": "b"}])) == ["s0>s1"]


def test_an_arrow_passes_by_what_is_not_drawn() -> None:
    tasks = [{"id": "t", "action": "command.run"}]
    assert arrows(make([{"actor": "a"}, {"tasks": tasks}, {"actor": "b"}])) == ["s0>s2"]


def test_answers_lead_where_they_say() -> None:
    answers = {"ya": "next", "tidak": {"step": "s0"}, "batal": "end", "lain": {"out": "SOP Lain"}}
    playbook = make([{"actor": "a"}, {"actor": "b", "decide": {"answers": answers}}, {"actor": "c", "symbol": "end"}])
    assert arrows(playbook) == ["s0>s1", "s1>s0:tidak", "s1>s1/end:batal", "s1>s1/out/SOP Lain:lain", "s1>s2:ya"]


def test_fork_and_join() -> None:
    fork = {"tasks": [{"id": "x", "actor": "a", "after": []}, {"id": "y", "actor": "b", "after": []}]}
    assert arrows(make([{"actor": "c"}, fork, {"actor": "c"}])) == ["s0>s1.x", "s0>s1.y", "s1.x>s2", "s1.y>s2"]


def test_nothing_leaves_an_end_and_drawn_arrows_replace_those_of_the_course() -> None:
    steps = [{"actor": "a", "arrows": [{"to": {"step": "s2"}, "label": "Selesai"}]}, {"actor": "b", "symbol": "end"}]
    assert arrows(make([*steps, {"actor": "c", "arrows": []}, {"actor": "c"}])) == ["s0>s2:Selesai"]


def test_a_decision_without_lane_of_its_own_is_that_of_the_last_task() -> None:
    step = {
        "tasks": [{"id": "sign", "actor": "b", "symbol": "decision"}],
        "decide": {"answers": {"ya": "next", "tidak": "end"}, "value": "{{ tasks.sign.label }}"},
    }
    assert arrows(make([step, {"actor": "a"}])) == ["s0.sign>s0.sign/end:tidak", "s0.sign>s1:ya"]


def test_blank_places_stay_blank_and_what_is_not_there_is_not_shown() -> None:
    identity = read_identity({"title": "T", "number": "", "made": None, "related": [], "warning": None})
    assert identity.heads == (("Nomor SOP", ""),)
    assert [(left and left.heading, right) for left, right in identity.pairs] == [("Keterkaitan", None)]


def test_headings_give_wording_and_order_and_fields_stand_where_they_belong() -> None:
    procedure = {
        "title": "T",
        "number": "1",
        "made": "2 Januari",
        "headings": {"made": "Tgl.", "number": "No."},
        "fields": [{"heading": "Revisi ke", "text": "00/2", "after": "made"}, {"heading": "Halaman", "text": "1"}],
    }
    heads = [("Tgl.", "2 Januari"), ("Revisi ke", "00/2"), ("No.", "1"), ("Halaman", "1")]
    assert list(read_identity(procedure).heads) == heads


def test_items_with_marks_of_their_own_get_no_others() -> None:
    pair = read_identity({"title": "T", "legal_basis": ["1. A", "2. B"], "qualifications": ["S1", "D3"]}).pairs[0]
    assert [part and part.manner for part in pair] == ["", "listed"]


@pytest.mark.parametrize("paper", ["a4", "f4"])
def test_a_text_of_twenty_pages_is_paged_and_whole(paper: str) -> None:
    long = " ".join(f"kata{number}" for number in range(9000))
    playbook = make([{"actor": "a"}, {"actor": "b", "activity": long, "remark": "Catatan"}, {"actor": "a"}])
    sheets, _ = lay_form(playbook, PAPERS[paper])
    assert 5 < len(sheets) < 60
    assert max(sheet.height / sheet.scale for sheet in sheets) <= PAPERS[paper].inner_height
    cells = [cell for sheet in sheets for cell in sheet.cells if (cell.row, cell.column) == (1, "activity")]
    assert "".join("".join(cell.lines) for cell in cells) == long


def test_long_texts_in_symbols_labels_and_headings_stand_below_the_flow() -> None:
    long = "Apakah laporan ini sudah lengkap dan benar menurut ketentuan? " * 40
    answers = {"ya " * 60: "next", "tidak": {"step": "s0"}}
    playbook = make([{"actor": "a"}, {"actor": "b", "decide": {"question": long, "answers": answers}}, {"actor": "a"}])
    playbook["procedure"]["roles"]["c"] = "Kepala Subbagian " * 30
    sheets, marks = lay_form(playbook, PAPERS["a4"])
    assert len(sheets) == 1
    assert [text for _, text in marks] == [long, "ya " * 60, "Kepala Subbagian " * 30]
    text = squeeze(read_page(render_form(playbook)).text)
    assert all(squeeze(each) in text for _, each in marks)
    assert 'data-label="' + ("ya " * 60).strip() in render_flow(playbook).replace(" &#10;", "")


def test_sixty_rows_have_connectors_in_pairs_and_no_arrow_over_a_page() -> None:
    steps = [{"actor": "abc"[number % 3]} for number in range(60)]
    steps[50]["decide"] = {"answers": {"ya": "next", "tidak": {"step": "s2"}}}
    sheets, _ = lay_form(make(steps), PAPERS["a4"])
    halves = [(arrow.connector, arrow.part) for sheet in sheets for arrow in sheet.arrows if arrow.connector]
    numbers = {number for number, _ in halves}
    assert len(sheets) > 3
    assert sorted(halves) == sorted((number, part) for number in numbers for part in ("leaving", "arriving"))
    assert all(0 <= y <= sheet.height for sheet in sheets for arrow in sheet.arrows for _, y in arrow.points)


def test_a_decision_with_twenty_answers_is_drawn_in_bounded_time() -> None:
    answers = {f"pilihan {number}": {"step": f"s{number}"} for number in range(1, 21)}
    steps = [{"actor": "a", "decide": {"answers": answers}}, *({"actor": "abc"[number % 3]} for number in range(20))]
    sheets, _ = lay_form(make(steps), PAPERS["a4"])
    drawn = [arrow.edge.label for sheet in sheets for arrow in sheet.arrows if arrow.part != "arriving"]
    assert sorted(filter(None, drawn)) == sorted(answers)


def test_thirty_lanes_fit_on_the_sheet() -> None:
    roles = {f"r{number}": f"Pejabat {number}" for number in range(30)}
    steps = [{"id": f"s{number}", "activity": "Kegiatan", "actor": f"r{number}"} for number in range(30)]
    sheets, _ = lay_form({"procedure": {"title": "T", "roles": roles}, "steps": steps}, PAPERS["a4"])
    assert all(sheet.width / sheet.scale <= PAPERS["a4"].inner_width + 0.01 for sheet in sheets)


def test_more_tasks_than_fit_on_a_page_go_on_on_the_next() -> None:
    tasks = [{"id": f"t{number}", "actor": "a"} for number in range(40)]
    sheets, _ = lay_form(make([{"tasks": tasks}]), PAPERS["a4"])
    assert sum(1 for sheet in sheets for symbol in sheet.symbols if symbol.half is None) == 40
    assert max(sheet.scale for sheet in sheets) < 1.2


def test_the_same_labels_in_other_lanes_and_rows_stay_apart() -> None:
    step = {"actor": "a", "activity": "Sama", "decide": {"answers": {"Ya": "next", "Tidak": {"step": "s0"}}}}
    playbook = make([{**step}, {**step}, {**step, "decide": {"answers": {"Ya": "end", "Tidak": {"step": "s0"}}}}])
    drawing = ElementTree.fromstring(render_flow(playbook).encode())
    labels = [g.get("data-label") for g in drawing.iter("{http://www.w3.org/2000/svg}g") if g.get("class") == "label"]
    assert sorted(filter(None, labels)) == ["Tidak"] * 3 + ["Ya"] * 3


def test_further_columns_numbers_and_headings_stand_as_written() -> None:
    columns = [
        {"is": "number", "heading": "No.", "number": "1"},
        {"is": "activity", "heading": "Uraian", "number": "2"},
        {"is": "actors", "heading": "Aktor", "number": ["3", "4", "5"]},
        {"is": "risk", "heading": "Risiko", "under": "Mutu Buku", "number": "6"},
    ]
    steps = [
        {"actor": "a", "number": "a)", "heading": "A. Persiapan", "cells": {"risk": "Data hilang"}},
        {"actor": "b", "number": None},
    ]
    sheets, _ = lay_form(make(steps, columns=columns), PAPERS["a4"])
    texts = ["".join(cell.lines) for cell in sheets[0].cells if cell.lines]
    head = ["No.", "Uraian", "Aktor", "Admin", "Kasubbag", "Sekretaris", "Mutu Buku", "Risiko", *"123456"]
    assert texts == [*head, "A. Persiapan", "a)", "Kegiatan 0", "Data hilang", "Kegiatan 1"]


@pytest.mark.promise("Text from outside", "hostile text on the printed form", "never markup")
def test_hostile_text_never_becomes_markup() -> None:
    text = '<script>"&\x00\u202e]]>'
    steps = [{"actor": "a", "caption": text}, {"actor": "b", "decide": {"answers": {text: "next", "x": "end"}}}]
    playbook = make([*steps, {"actor": "a"}], columns=[{"is": "activity", "heading": text}, {"is": "actors"}])
    drawing = render_flow(playbook)
    assert ElementTree.fromstring(drawing.encode()) is not None
    for page in (drawing, render_form(playbook)):
        assert "<script" not in page
        assert not re.search("[\x00-\x08\u202a-\u202e]", page)


def test_lines_are_the_text_again_and_none_is_too_wide() -> None:
    text = "  Melaksanakan\n\npemeliharaan(perangkat)https://panjang.example/alamat?tanpa=spasi serta — 日本語 é\n"
    lines = wrap(text, 20.0, 8.0)
    assert "".join(lines) == text
    assert max(measure(line.rstrip(), 8.0) for line in lines) <= 20.0


def test_widths_are_those_of_the_font() -> None:
    ttfont = pytest.importorskip("fontTools.ttLib", reason="fontTools comes with weasyprint: pip install '.[test]'")
    font = ttfont.TTFont("/usr/share/fonts/truetype/liberation/LiberationSans-Regular.ttf")
    glyphs, advances, units = font.getBestCmap(), font["hmtx"], font["head"].unitsPerEm
    for char in map(chr, range(32, 127)):
        true = advances[glyphs[ord(char)]][0] / units * 10 * 25.4 / 72
        assert measure(char, 10.0) == pytest.approx(true * 1.03, rel=0.01)


LINTED = """
procedure:
  title: SOP
  roles: {a: A, b: B}
  legal_basis:
    - Keputusan KMA Nomor 1-144/KMA/SK/I/2011 tentang Pedoman Pelayanan Informasi di Pengadilan
    - PP Nomor 53 Tahun 2010 yang diganti dengan PP Nomor 94 Tahun 2021
steps:
  - {id: one, number: "1", activity: Memantau secara berkala, actor: a, time_limit: 1 hari, outputs: [{id: x, text: X}]}
  - {id: two, number: "1", activity: Memeriksa, actor: a, decide: {answers: {"": next, tidak: {step: one}}}}
  - {id: three, number: "3", activity: Menyimpan, actor: a, arrows: []}
  - {id: four, number: "4", activity: Selesai, actor: a, symbol: end}
  - {id: five, number: "5", activity: Tanpa pelaksana}
"""


def test_what_is_weak_in_the_form_is_told_with_its_place() -> None:
    found = [(note.line, note.message) for note in check_form(parse_source(LINTED, "x.yml"))]
    assert found == [
        (4, "the performer 'b' has no symbol in the flow"),
        (
            6,
            "outdated legal basis: replaced by SK KMA Nomor 2-144/KMA/SK/VIII/2022 tentang Standar Pelayanan Informasi "
            "Publik di Pengadilan (SK KMA Nomor 2-144/KMA/SK/VIII/2022, konsiderans huruf a dan b)",
        ),
        (9, "no symbol shows where the flow starts"),
        (9, 'activity 1 is a standing duty ("berkala"), and no period is set'),
        (10, "activities 1, 3, 4, 5: no output"),
        (10, "activities 1, 3, 4, 5: no time norm (waktu)"),
        (10, "the decision 'two' has 1 way out without a label"),
        (10, "the number '1' stands twice"),
        (11, "dead end: no arrow leaves 'three'"),
        (13, "activity 5: the form shows no performer"),
    ]


def test_performers_that_the_court_added_are_not_asked_for_again() -> None:
    text = LINTED + "supplement: {actors: {five: a}}\n"
    [note] = [note for note in check_form(parse_source(text, "x.yml")) if "no performer" in note.message]
    assert note.cure == "supplement: actors: names them"


def test_two_procedures_with_one_number_are_told() -> None:
    text = "procedure: {title: T, number: SOP/1}\nsteps: [{id: a, activity: A}]\n"
    notes = check_numbers([parse_source(text, "a.yml"), parse_source(text, "b.yml")])
    assert notes == [
        Mistake("b.yml", 1, 31, "the number 'SOP/1' is also that of a.yml", "each SOP has a number of its own")
    ]


@pytest.mark.parametrize(
    ("procedure", "step", "message"),
    [
        ("columns: [{is: activity}, {is: actors}]", "remark: x", "the form has no column for this"),
        ("columns: [{is: activity}]", "actor: a", "no column shows the performers of procedure: roles:"),
        ("number: '1'", "cells: {risk: x}", "there is no further column 'risk'"),
        ("number: '1'", "arrows: [{to: {step: nowhere}}]", "there is no step 'nowhere'"),
        ("number: '1'", "arrows: [{to: {step: one, task: t}}]", "step 'one' has no task 't'"),
    ],
)
def test_what_the_print_could_not_show_is_refused(procedure: str, step: str, message: str) -> None:
    text = f"procedure: {{title: T, roles: {{a: A}}, {procedure}}}\nsteps: [{{id: one, activity: A, {step}}}]\n"
    mistakes: list[Mistake] = []
    load_playbook(Path("x.yml"), mistakes, {"x.yml": text})
    assert [mistake.message for mistake in mistakes] == [message]


def test_the_command_writes_what_the_name_says_and_tells_what_is_weak(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "x.yml").write_text(LINTED, encoding="utf-8")
    for name, begins in (("a.html", b"<!DOCTYPE html>"), ("a.svg", b"<?xml"), ("a.pdf", b"%PDF")):
        assert run(["print", str(tmp_path / "x.yml"), "--out", str(tmp_path / name), "--paper", "F4"]) == 0
        assert "outdated legal basis" in capsys.readouterr().err
        assert (tmp_path / name).read_bytes().startswith(begins)


def test_edges_of_a_chart_are_named_once() -> None:
    chart = build_chart(make([{"actor": "a", "decide": {"answers": {"x": "next", "y": "next"}}}, {"actor": "b"}]))
    assert chart.edges == (Edge("s0", "s1", "x"), Edge("s0", "s1", "y"))


def test_headings_over_performers_stand_above_theirs() -> None:
    groups = [{"heading": "Bidang A", "roles": ["a", "b"]}]
    sheets, _ = lay_form(make([{"actor": "a"}], groups=groups), PAPERS["a4"])
    lanes = {"".join(cell.lines): cell.box for cell in sheets[0].cells if cell.kind == "lane"}
    over, first, second, alone = (lanes[name] for name in ("Bidang A", "Admin", "Kasubbag", "Sekretaris"))
    assert (over.x, over.right) == (first.x, pytest.approx(second.right))
    assert over.bottom == pytest.approx(first.y) == pytest.approx(second.y)
    assert (alone.y, alone.bottom) == (over.y, pytest.approx(first.bottom))


def test_one_of_several_is_drawn_with_dashes_in_all_their_lanes() -> None:
    playbook = make([{"actor": {"any_of": ["a", "b"]}}, {"actor": ["a", "b"]}])
    assert [(node.lanes, node.either) for node in build_chart(playbook).nodes] == [((0, 1), True), ((0, 1), False)]
    assert render_flow(playbook).count("stroke-dasharray") == 1


def test_words_joined_by_a_slash_break_there() -> None:
    assert wrap("Darurat/Rujukan", 12.0, 7.0) == ["Darurat/", "Rujukan"]
    assert wrap("s/d 1/2", 30.0, 7.0) == ["s/d 1/2"]


def test_a_number_of_a_column_may_be_written_as_one() -> None:
    columns = [{"is": "activity", "heading": "Uraian", "number": 1}, {"is": "actors", "heading": "P", "number": ["2"]}]
    assert ">1</tspan>" in render_flow(make([{"actor": "a"}], columns=columns))


def test_a_text_that_goes_on_on_the_next_page_has_a_mark_below_it() -> None:
    long = {"activity": " ".join(f"Kalimat nomor {number}." for number in range(900)), "actor": "a"}
    sheets, _ = lay_form(make([long, {"actor": "b"}]), PAPERS["a4"])
    assert [len(sheet.turns) for sheet in sheets] == [1] * (len(sheets) - 1) + [0]
    assert all(y <= sheet.height for sheet in sheets for _, y in sheet.turns)
    assert render_flow(make([long])).count('class="goes-on"') == len(sheets) - 1


@pytest.mark.parametrize(
    ("title", "step", "told"),
    [
        ("Laporan Bulanan", {"activity": "Menyusun laporan triwulan"}, ["title says 'Bulanan', and activity 1 'lap"]),
        ("Laporan Bulanan", {"activity": "Menyusun Laporan Perkara Bulanan dari laporan harian"}, []),
        ("Laporan Triwulanan", {"activity": "a", "outputs": [{"id": "o", "text": "Laporan triwulan"}]}, []),
        ("Laporan", {"activity": "Menyusun laporan tahunan"}, []),
        ("SOP", {"activity": "a", "time_limit": {"text": "5 minit", "means": "5 menit"}}, ["'5 minit' cannot be read"]),
        ("SOP", {"activity": "a", "time_limit": {"text": "5 menit", "means": "5 menit"}}, []),
    ],
)
def test_norms_and_periods_that_do_not_fit_are_told(title: str, step: dict[str, Any], told: list[str]) -> None:
    data = make([{"actor": "a", **step}], title=title)
    text = json.dumps(data)
    found = [str(each) for each in check_form(parse_source(text, "p.yml"))]
    weak = [each for each in found if "title says" in each or "cannot be read" in each]
    assert [part in each for part, each in zip(told, weak, strict=True)] == [True] * len(told)


@pytest.mark.parametrize(("scheduled", "told"), [([["a"]], 1), ([["a"], ["b"]], 0), ([], 0)])
def test_a_schedule_that_never_begins_what_problems_start_is_told(scheduled: list[list[str]], told: int) -> None:
    data = make([{"id": "a", "actor": "a"}, {"id": "b", "actor": "a"}])
    entries = [{"steps": steps, "cron": "0 8 * * *"} for steps in scheduled]
    data["supplement"] = {**(data.get("supplement") or {}), "schedule": entries, "after": {"problems": ["b"]}}
    found = [str(each) for each in check_form(parse_source(json.dumps(data), "p.yml"))]
    assert len([each for each in found if "problems start 'b', but no schedule begins it" in each]) == told


def test_a_form_without_a_column_of_outputs_lacks_none() -> None:
    columns = [{"is": "activity", "heading": "Kegiatan"}, {"is": "actors", "heading": "Pelaksana"}]
    found = [
        str(each) for each in check_form(parse_source(json.dumps(make([{"actor": "a"}], columns=columns)), "p.yml"))
    ]
    assert [each for each in found if "no output" in each] == []


def test_words_of_headings_and_of_other_procedures_are_whole_though_lanes_are_many() -> None:
    roles = {f"r{number}": f"Pelaksana {number}" for number in range(14)}
    groups = [{"heading": "Kesekretariatan", "roles": ["r3"]}]
    answers = {"ya": "next", "lain": {"out": "SOP Penyelesaian"}}
    steps = [{"actor": "r2", "decide": {"answers": answers}}, {"actor": "r13", "symbol": "end"}]
    sheets, _ = lay_form(make(steps, roles=roles, groups=groups), PAPERS["a4"])
    lines = [line.strip() for sheet in sheets for cell in sheet.cells for line in cell.lines]
    lines += [line.strip() for sheet in sheets for symbol in sheet.symbols for line in symbol.size.lines]
    assert {"Kesekretariatan", "Penyelesaian"} <= {*lines}
