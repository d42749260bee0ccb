"""Reports as a viewer and an office suite show them: nothing cut, nothing over something else, no warning."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import NamedTuple

import pytest

from runner.inventory import parse_inventory
from runner.inventory.documents import Document
from runner.reports.making import office_of, tell_term
from runner.reports.paper.layout import choose_layout
from runner.reports.paper.model import Paper
from runner.reports.paper.page import render_html
from runner.reports.paper.word import render_docx
from runner.reports.pdf import render_pdf
from runner.reports.periodic.it import build_it
from runner.reports.periodic.terms import parse_term
from tests.months import INVENTORY, Month

PAGE = re.compile(r'<page width="([\d.]+)" height="([\d.]+)">(.*?)</page>', re.DOTALL)
WORD = re.compile(r'<word xMin="([-\d.]+)" yMin="([-\d.]+)" xMax="([-\d.]+)" yMax="([-\d.]+)">(.*?)</word>')
NO_JAVA = "Warning: failed to launch javaldx - java may not function correctly"  # of the machine, not of the document
LONG = "Paragraf panjang tentang permasalahan website pengadilan, lengkap dengan rinciannya. " * 800  # over 20 pages


class Word(NamedTuple):
    """A word where a viewer draws it, in points."""

    left: float
    top: float
    right: float
    bottom: float
    text: str


def october(tmp_path: Path, count: int) -> Paper:
    """The month's report with that many problems; the third is twenty pages long, the last ends with SELESAI."""
    office = office_of(parse_inventory([Document("kantor.yml", INVENTORY)]))
    told = tell_term(Month(tmp_path / "records").write(), parse_term("2026-10"), office)
    (base,) = told.problems
    problems = [
        replace(
            base,
            key=f"website.fault_{number:04}",
            target=f"situs_pengadilan_negeri_dengan_nama_yang_panjang_{number:04}",
            message=(LONG if number == 2 else "Tidak dapat diakses sejak pagi. " * (1 + number % 9)) + "SELESAI",
        )
        for number in range(count)
    ]
    return build_it(replace(told, problems=problems))


def read_pages(path: Path) -> Iterator[tuple[float, float, list[Word]]]:
    """Given a PDF, give each page's width, height and words."""
    told = subprocess.run(["pdftotext", "-bbox", str(path), "-"], capture_output=True, text=True, check=True).stdout
    for width, height, inner in PAGE.findall(told):
        words = [Word(*map(float, found[:4]), unescape(found[4])) for found in WORD.findall(inner)]
        yield float(width), float(height), words


def overlapping(words: list[Word]) -> Iterator[tuple[Word, Word]]:
    """Words that are drawn over each other by more than a hair."""
    ordered = sorted(words, key=lambda word: word.top)
    for place, one in enumerate(ordered):
        for other in ordered[place + 1 :]:
            if other.top > one.bottom - 3:
                break
            if min(one.right, other.right) - max(one.left, other.left) > 2:
                yield one, other


def check_pages(path: Path, count: int) -> None:
    """Nothing lies outside the sheet or over something else, and every problem is there to its end."""
    text = []
    for width, height, words in read_pages(path):
        assert [word for word in words if word.left < 20 or word.right > width - 20 or word.bottom > height] == []
        assert list(overlapping(words)) == []
        text += [word.text for word in words]
    joined = "".join(text)
    assert [n for n in range(count) if f"website.fault_{n:04}" not in joined] == []
    assert joined.count("SELESAI") == count
    assert joined.count("Rekomendasi") >= count


def open_in_office(path: Path) -> Path:
    """Given a DOCX, return the PDF that LibreOffice makes of it; it must have nothing to say."""
    profile = (path.parent / "profile").as_uri()
    words = ["soffice", f"-env:UserInstallation={profile}", "--headless", "--convert-to", "pdf"]
    done = subprocess.run(
        [*words, "--outdir", str(path.parent / "office"), str(path)], capture_output=True, text=True, check=True
    )
    assert [line for line in done.stderr.splitlines() if line not in ("", NO_JAVA)] == []
    return path.parent / "office" / f"{path.stem}.pdf"


@pytest.mark.heavy
@pytest.mark.parametrize("count", [1, 500])
@pytest.mark.parametrize("size", ["A4", "F4"])
def test_a_report_is_whole_in_a_viewer_and_in_an_office_suite(tmp_path: Path, count: int, size: str) -> None:
    paper, layout = october(tmp_path, count), choose_layout({}, size, landscape=False)
    (tmp_path / "page.pdf").write_bytes(render_pdf(render_html(paper, layout)))
    check_pages(tmp_path / "page.pdf", count)
    (tmp_path / "paper.docx").write_bytes(render_docx(paper, layout))
    check_pages(open_in_office(tmp_path / "paper.docx"), count)
