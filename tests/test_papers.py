"""One paper, three forms: nothing lost or cut between them, nothing from outside becomes markup, same bytes twice."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import docx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.reports.lists import MOST_ROWS, build_list, say_left_out
from runner.reports.paper.layout import choose_layout
from runner.reports.paper.model import (
    Block,
    Bullets,
    Chart,
    Column,
    Heading,
    Letterhead,
    Line,
    Look,
    Pairs,
    Paper,
    Series,
    Sheet,
    Signature,
    Signatures,
    Table,
    Together,
    cell,
)
from runner.reports.paper.page import render_html
from runner.reports.paper.word import render_docx
from runner.reports.pdf import render_pdf
from tests.pages import read_page, words

HEAD = "ab12" * 16
AS_OF = datetime(2026, 10, 31, 16, 30, tzinfo=ZoneInfo("Asia/Jakarta"))
PORTRAIT = choose_layout({}, None, landscape=False)
HOSTILE = ["<script>alert(1)</script>", "]]><w:p/>", "\u202egnp.exe", "a\x00b\x1b[31m", "\ufffe\uffff", "{{ 7*7 }}"]


def blocks(text: str = "biasa") -> list[Block]:
    table = Table(
        (Column(text, 1, "center"), Column("Baik", 2, group=text), Column("Tidak", 2, group=text)),
        [[cell(text), cell(Line(text, Look.CODE)), ()], [cell("2"), (), cell(text, text)]],
    )
    chart = Chart(text, [text, "2"], [Series(text, [None, 99.5])], "%", 100, text)
    place = Signature(text, text, text, text, text)
    return [
        Pairs([(text, text)], ruled=True),
        Heading(text),
        Line(text, Look.BODY),
        Bullets([text], numbered=True),
        Bullets([text]),
        table,
        chart,
        Sheet([(text, cell(text)), (text, ())]),
        Together([Heading(text, 2), Signatures([place, Signature("", "", "", "", "")])]),
    ]


def paper(text: str = "biasa", inner: list[Block] | None = None) -> Paper:
    inner = blocks(text) if inner is None else inner
    return Paper("coba", text, text, Letterhead([text, text], [text]), inner, AS_OF, HEAD)


def read_docx(content: bytes) -> str:
    """All text of a document's body, in order."""
    body = docx.Document(io.BytesIO(content)).element.body
    return words(" ".join(node.text or "" for node in body.iter("{*}t")))


def structure(content: bytes) -> list[str]:
    tags = [str(node.tag) for node in docx.Document(io.BytesIO(content)).element.body.iter()]
    return [tag for tag in tags if not tag.endswith(("}br", "}tab"))]


PLAIN = structure(render_docx(paper(), PORTRAIT))


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_from_outside_becomes_markup(text: str) -> None:
    assert read_page(render_html(paper(text), PORTRAIT)).tags == read_page(render_html(paper(), PORTRAIT)).tags
    assert structure(render_docx(paper(text), PORTRAIT)) == PLAIN


def test_what_is_left_out_of_a_list_is_said() -> None:
    table, told = build_list((Column("No", 1),), [(cell("x"),)] * 1_734)
    assert isinstance(table, Table)
    assert len(table.rows) == MOST_ROWS
    assert isinstance(told, Line)
    assert told.text.startswith("… dan 1.234 baris lain;")
    assert say_left_out(4_500, "permasalahan").text.startswith("… dan 4.500 permasalahan lain;")


def test_the_foot_bears_the_head_with_its_number() -> None:
    numbered = replace(paper(), head=f"816:{HEAD}")
    for form in (render_html(numbered, PORTRAIT), render_docx(numbered, PORTRAIT)):
        text = (
            form
            if isinstance(form, str)
            else "".join(p.text for p in docx.Document(io.BytesIO(form)).sections[0].footer.paragraphs)
        )
        assert "Rantai catatan 816:ab12ab12ab12" in text


@settings(max_examples=25, deadline=None)
@given(st.text(min_size=1, max_size=80).filter(lambda text: text.strip() and "\n" not in text))
def test_any_text_gives_a_document_that_opens(text: str) -> None:
    assert structure(render_docx(paper(text), PORTRAIT)) == PLAIN


def test_all_forms_say_the_same() -> None:
    text = "Kalimat yang ada di semua bentuk."
    page = words(read_page(render_html(paper(text), PORTRAIT)).text)
    document = read_docx(render_docx(paper(text), PORTRAIT))
    assert document.count(text) >= 17
    assert HEAD in page
    assert HEAD in document
    assert "Nomor: …………" in page
    assert "Nomor: …………" in document


def test_the_same_paper_is_the_same_bytes() -> None:
    page = render_html(paper(), PORTRAIT)
    assert render_docx(paper(), PORTRAIT) == render_docx(paper(), PORTRAIT)
    assert render_pdf(page) == render_pdf(page)


def test_a_document_bears_the_time_of_the_record_and_not_of_the_clock() -> None:
    content = render_docx(paper(), PORTRAIT)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(2026, 10, 31, 9, 30, 0)}
    told = docx.Document(io.BytesIO(content)).core_properties
    assert told.created == told.modified
    assert told.identifier == HEAD


def test_the_head_of_a_table_is_repeated_and_numbers_are_fields() -> None:
    content = render_docx(paper(), PORTRAIT)
    document = docx.Document(io.BytesIO(content))
    assert len(list(document.element.body.iter("{*}tblHeader"))) == 2
    foot = document.sections[0].footer._element
    fields = [node.get(node.nsmap and f"{{{node.nsmap['w']}}}instr") for node in foot.iter("{*}fldSimple")]
    assert fields == ["PAGE", "NUMPAGES"]
    assert [each.style.name for each in document.paragraphs if each.style.name.startswith("Heading")] == [
        "Heading 1",
        "Heading 2",
    ]


@pytest.mark.parametrize(("size", "landscape", "width"), [("A4", False, 210), ("F4", False, 215), ("F4", True, 330)])
def test_sheets_are_a4_and_f4(size: str, landscape: bool, width: int) -> None:
    layout = choose_layout({"paper": {"margins": {"left": 25}}}, size, landscape=landscape)
    section = docx.Document(io.BytesIO(render_docx(paper(), layout))).sections[0]
    assert round(section.page_width.mm) == width
    assert round(section.left_margin.mm) == 25
    assert f"size: {width}mm" in render_html(paper(), layout)


def test_a_picture_tells_what_it_shows_and_what_nobody_knows() -> None:
    page = render_html(paper("Ketersediaan"), PORTRAIT)
    assert 'role="img" aria-label="Ketersediaan"' in page
    assert "tidak ada data" in page
    with zipfile.ZipFile(io.BytesIO(render_docx(paper("Ketersediaan"), PORTRAIT))) as archive:
        chart = archive.read("word/charts/chart1.xml").decode()
    assert "tidak ada data" in chart
    assert "99.5" in chart
