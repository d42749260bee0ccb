"""Tables of a DOCX document, written as its XML: the library's own way takes minutes for a thousand rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from docx.oxml import OxmlElement
from docx.oxml.ns import qn

from runner.reports.paper.model import Align, Cell, Look
from runner.reports.values import clean

TWIPS = 1440 / 25.4  # in a millimetre
SHADE = "EEEEEE"
LOOKS = {Look.STRONG: "SelTegas", Look.NOTE: "SelCatatan", Look.CODE: "Kode"}


@dataclass(frozen=True, slots=True)
class Box:
    """A cell: its lines, `style` by its id, how many columns it spans, and whether it `merge`s with the row above."""

    lines: Cell
    style: str = "Sel"
    align: Align = "left"
    span: int = 1
    merge: str = ""
    shaded: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """A row; `head` is repeated on each page, `whole` never cut by one, `height` in mm is the least it takes."""

    boxes: Sequence[Box]
    head: bool = False
    whole: bool = True
    height: float = 0
    together: bool = False


def add_table(document: Any, widths: Sequence[float], rows: Sequence[Row], *, ruled: bool) -> None:
    """Given the columns' widths in mm, add a table; `ruled` draws its lines. A little space follows it."""
    table = _new("w:tbl")
    table.append(_properties(widths, ruled=ruled))
    table.append(_new("w:tblGrid", *(_new("w:gridCol", w=_twips(width)) for width in widths)))
    for row in rows:
        table.append(_row(row, widths))
    body = document.element.body
    body.insert(len(body) - 1, table)  # before the section's properties
    space = document.add_paragraph("", "Kop Alamat")
    space.paragraph_format.keep_with_next = bool(rows) and rows[-1].together


def spell(text: str) -> str:
    """Given text from anywhere, return it as a document can hold it; a tab, which would jump there, is a space."""
    return clean(text).replace("\t", " ")


def add_rule_below(paragraph: Any, kind: str = "double") -> None:
    """Draw a line below a paragraph."""
    border = _new("w:pBdr", _new("w:bottom", val=kind, sz="6", space="4", color="000000"))
    paragraph._p.get_or_add_pPr().insert_element_before(
        border, "w:shd", "w:tabs", "w:suppressAutoHyphens", "w:spacing", "w:ind", "w:jc", "w:rPr", "w:sectPr"
    )


def _new(tag: str, *children: Any, **values: str) -> Any:
    element = OxmlElement(tag)
    for name, value in values.items():
        element.set(qn(f"w:{name}"), value)
    for child in children:
        element.append(child)
    return element


def _twips(millimetres: float) -> str:
    return str(round(millimetres * TWIPS))


def _properties(widths: Sequence[float], *, ruled: bool) -> Any:
    kind = "single" if ruled else "nil"
    sides = ("top", "left", "bottom", "right", "insideH", "insideV")
    margins = (("top", 0.6), ("left", 1.2), ("bottom", 0.6), ("right", 1.2))
    return _new(
        "w:tblPr",
        _new("w:tblW", w=_twips(sum(widths)), type="dxa"),
        _new("w:tblBorders", *(_new(f"w:{side}", val=kind, sz="4", space="0", color="000000") for side in sides)),
        _new("w:tblLayout", type="fixed"),
        _new("w:tblCellMar", *(_new(f"w:{side}", w=_twips(size), type="dxa") for side, size in margins)),
    )


def _row(row: Row, widths: Sequence[float]) -> Any:
    settings = _new("w:trPr")
    if row.whole:
        settings.append(_new("w:cantSplit"))
    if row.height:
        settings.append(_new("w:trHeight", val=_twips(row.height), hRule="atLeast"))
    if row.head:
        settings.append(_new("w:tblHeader"))
    element, place = _new("w:tr", settings), 0
    for box in row.boxes:
        element.append(_box(box, sum(widths[place : place + box.span]), together=row.together or row.head))
        place += box.span
    return element


def _box(box: Box, width: float, *, together: bool) -> Any:
    settings = _new("w:tcPr", _new("w:tcW", w=_twips(width), type="dxa"))
    if box.span > 1:
        settings.append(_new("w:gridSpan", val=str(box.span)))
    if box.merge:
        settings.append(_new("w:vMerge", val=box.merge))
    if box.shaded:
        settings.append(_new("w:shd", val="clear", color="auto", fill=SHADE))
        settings.append(_new("w:vAlign", val="center"))
    element = _new("w:tc", settings)
    for line in box.lines:
        style = LOOKS.get(line.look, box.style)
        element.append(_paragraph(line.text, style, box.align, together=together))
    if not box.lines:
        element.append(_paragraph("", box.style, box.align, together=together))
    return element


def _paragraph(text: str, style: str, align: Align, *, together: bool) -> Any:
    settings = _new("w:pPr", _new("w:pStyle", val=style))
    if together:
        settings.append(_new("w:keepNext"))
    if align != "left":
        settings.append(_new("w:jc", val=align))
    element = _new("w:p", settings)
    for number, part in enumerate(spell(text).split("\n")):
        words = _new("w:t")
        words.text = part
        words.set(qn("xml:space"), "preserve")
        run = _new("w:r", *([_new("w:br")] if number else []), words)
        if text:
            element.append(run)
    return element
