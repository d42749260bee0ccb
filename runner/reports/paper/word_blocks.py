"""The blocks of a paper as a DOCX document's paragraphs, tables and charts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from runner.reports.paper.layout import Layout
from runner.reports.paper.model import (
    Bullets,
    Chart,
    Heading,
    Line,
    Look,
    Pairs,
    Paper,
    Sheet,
    Signatures,
    Table,
    Together,
    cell,
    is_whole,
)
from runner.reports.paper.word_chart import add_chart
from runner.reports.paper.word_styles import restart_numbers
from runner.reports.paper.word_tables import Box, Row, add_rule_below, add_table, spell

STYLES = {
    Look.PLAIN: "Normal",
    Look.STRONG: "Tegas",
    Look.NOTE: "Catatan",
    Look.CODE: "Kode",
    Look.BODY: "Isi Surat",
    Look.CENTER: "Tengah",
    Look.RIGHT: "Kanan",
}
SIGNING = {"line": "TandaTangan", "space": "TandaTangan", "named": "TandaTanganNama"}
SIGNATURE_HEIGHT = 20.0


class Writer:
    """Writes a paper's blocks to a document, one after the other."""

    def __init__(self, document: Any, layout: Layout) -> None:
        self._document = document
        self._layout = layout
        self._follows = False  # whether the next block belongs on the same page
        self._inner = False  # whether this block is to stand on one page
        self._charts = 0
        self._write: dict[str, Callable[[Any], None]] = {
            "line": self._line,
            "heading": self._heading,
            "bullets": self._bullets,
            "pairs": self._pairs,
            "sheet": self._sheet,
            "table": self._table,
            "chart": self._chart,
            "signatures": self._signatures,
            "together": self._group,
        }

    def write(self, paper: Paper) -> None:
        """Write the whole paper."""
        for line in paper.letterhead.lines[:-1]:
            self._say(line, "Kop")
        for line in paper.letterhead.lines[-1:]:
            self._say(line, "Kop Satuan Kerja")
        for line in paper.letterhead.contacts:
            self._say(line, "Kop Alamat")
        if paper.letterhead.lines:
            add_rule_below(self._document.paragraphs[-1])
            self._say("", "Kop Alamat")
        if paper.title:
            self._say(paper.title, "Title")
        if paper.subtitle:
            self._say(paper.subtitle, "Subjudul")
        if paper.numbered:
            self._say("Nomor: ……………………………………", "Nomor")
        for block in paper.blocks:
            self._write[block.kind](block)
        self._say(f"Kepala rantai catatan (sop verify --head): {paper.head or '……'}", "Rantai")

    def _say(self, text: str, style: str) -> Any:
        paragraph = self._document.add_paragraph(spell(text), style)
        if self._follows:
            paragraph.paragraph_format.keep_with_next = True
        return paragraph

    def _add(self, widths: Sequence[float], rows: Sequence[Row], *, ruled: bool, whole: bool = False) -> None:
        """Add a table; `whole` keeps its rows on one page."""
        whole = whole or self._inner
        kept = [replace(row, together=True) for row in rows] if whole else list(rows)
        if kept and not self._follows:
            kept[-1] = replace(kept[-1], together=False)
        add_table(self._document, widths, kept, ruled=ruled)

    def _line(self, block: Line) -> None:
        self._say(block.text, STYLES[block.look])

    def _heading(self, block: Heading) -> None:
        paragraph = self._say("", f"Heading {block.level}")
        if block.new_page:
            paragraph.paragraph_format.page_break_before = True
        paragraph.add_run(spell(block.text))

    def _bullets(self, block: Bullets) -> None:
        style = "List Number" if block.numbered else "List Bullet"
        paragraphs = [self._say(item, style) for item in block.items]
        if block.numbered and paragraphs:
            restart_numbers(self._document, paragraphs)

    def _pairs(self, block: Pairs) -> None:
        widths = self._widths((42, 4, None))
        rows = [Row([Box(cell(text), "SelSurat") for text in (name, ":", value)]) for name, value in block.rows]
        self._add(widths, rows, ruled=False)
        if block.ruled:
            add_rule_below(self._document.paragraphs[-1], "single")

    def _sheet(self, block: Sheet) -> None:
        rows = [
            Row(
                [Box(cell(name), "SelTegas", shaded=True), Box(lines, "SelFormulir")],
                whole=is_whole([lines]),
                height=0 if lines else 12,
            )
            for name, lines in block.rows
        ]
        self._add(self._widths((34, None)), rows, ruled=True)

    def _table(self, block: Table) -> None:
        widths = [self._layout.inner * width / 1000 for width in block.widths]
        rows = _heads(block)
        for each in block.rows:
            boxes = [Box(lines, align=column.align) for lines, column in zip(each, block.columns, strict=True)]
            rows.append(Row(boxes, whole=is_whole(each)))
        self._add(widths, rows, ruled=True)

    def _chart(self, block: Chart) -> None:
        self._charts += 1
        self._say(block.title, "Caption").paragraph_format.keep_with_next = True
        add_chart(self._document, self._say("", "Tengah"), block, self._charts, self._layout.inner)

    def _signatures(self, block: Signatures) -> None:
        rows = [
            Row(
                [Box(cell(text), SIGNING[kind], "center") for text in texts],
                height=SIGNATURE_HEIGHT if kind == "space" else 0,
            )
            for kind, texts in block.rows
        ]
        self._add(self._widths((None,) * len(block.blocks)), rows, ruled=False, whole=True)

    def _group(self, block: Together) -> None:
        """All but the last block keep to the one after them; the last keeps its own rows together."""
        outer = self._follows
        for number, inner in enumerate(block.blocks, 1):
            self._follows = outer or number < len(block.blocks)
            self._inner = True
            self._write[inner.kind](inner)
        self._follows, self._inner = outer, False

    def _widths(self, given: Sequence[float | None]) -> list[float]:
        """Columns in mm; those without a width share what is left."""
        left = self._layout.inner - sum(width or 0 for width in given)
        share = left / max(1, sum(width is None for width in given))
        return [share if width is None else width for width in given]


def _heads(block: Table) -> list[Row]:
    """The head of a table, in one line or two."""
    merge = "restart" if block.grouped else ""
    first = [
        Box(cell(title), "SelTegas", "center", span, "" if grouped else merge, shaded=True)
        for title, span, grouped in block.heads
    ]
    if not block.grouped:
        return [Row(first, head=True)]
    below = [
        Box(
            cell(column.title) if column.group else (),
            "SelTegas",
            "center",
            1,
            "" if column.group else "continue",
            True,
        )
        for column in block.columns
    ]
    return [Row(first, head=True), Row(below, head=True)]
