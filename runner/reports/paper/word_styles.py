"""The styles, the sheet and the foot of a DOCX document."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from docx.enum.section import WD_ORIENT
from docx.enum.style import WD_STYLE_TYPE
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_TAB_ALIGNMENT
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt, RGBColor

from runner.reports.paper.layout import Layout

FONT = "Arial"
MONO = "Courier New"
BLACK = RGBColor(0, 0, 0)
HEADINGS = {"Heading 1": 11.5, "Heading 2": 11, "Heading 3": 10.5}
# name: points, bold, italic, alignment, space after in points
OWN = {
    "Kop": (12, True, False, WD_ALIGN_PARAGRAPH.CENTER, 0),
    "Kop Satuan Kerja": (14, True, False, WD_ALIGN_PARAGRAPH.CENTER, 0),
    "Kop Alamat": (9, False, False, WD_ALIGN_PARAGRAPH.CENTER, 0),
    "Subjudul": (11, True, False, WD_ALIGN_PARAGRAPH.CENTER, 0),
    "Nomor": (11, False, False, WD_ALIGN_PARAGRAPH.CENTER, 8),
    "Catatan": (9, False, True, None, 4),
    "Rantai": (7.5, False, False, None, 0),
    "Kode": (7, False, False, None, 0),
    "Isi Surat": (11, False, False, WD_ALIGN_PARAGRAPH.JUSTIFY, 6),
    "Tegas": (11, True, False, None, 0),
    "Tengah": (11, False, False, WD_ALIGN_PARAGRAPH.CENTER, 0),
    "Kanan": (11, False, False, WD_ALIGN_PARAGRAPH.RIGHT, 0),
    "Sel Surat": (11, False, False, None, 0),
    "Sel": (8.5, False, False, None, 0),
    "Sel Tegas": (8.5, True, False, None, 0),
    "Sel Catatan": (8, False, True, None, 0),
    "Sel Formulir": (9.5, False, False, None, 0),
    "Tanda Tangan Nama": (11, True, False, WD_ALIGN_PARAGRAPH.CENTER, 0),
    "Tanda Tangan": (11, False, False, WD_ALIGN_PARAGRAPH.CENTER, 0),
}


def set_styles(document: Any) -> None:
    """Set fonts and spaces of the usual styles, and add those that official papers need."""
    styles = document.styles
    _set_language(styles)
    _set(styles["Normal"], 11, bold=False, italic=False, align=None, after=4)
    _set(styles["Title"], 14, bold=True, italic=False, align=WD_ALIGN_PARAGRAPH.CENTER, after=0)
    _drop_border(styles["Title"])
    for name, points in HEADINGS.items():
        _set(styles[name], points, bold=True, italic=False, align=None, after=4)
        styles[name].paragraph_format.space_before = Pt(12)
        styles[name].paragraph_format.keep_with_next = True
    for name in ("List Number", "List Bullet", "Caption", "Footer"):
        _set(styles[name], 9 if name in ("Caption", "Footer") else 11, bold=name == "Caption", italic=False, after=2)
    for name, (points, bold, italic, align, after) in OWN.items():
        own = styles.add_style(name, WD_STYLE_TYPE.PARAGRAPH)
        own.base_style = styles["Normal"]
        _set(own, points, bold=bold, italic=italic, align=align, after=after)
    styles["Isi Surat"].paragraph_format.first_line_indent = Mm(10)
    styles["Kode"].font.name = MONO


def set_layout(document: Any, layout: Layout, foot: str) -> None:
    """Set the sheet and its margins, and the foot: how to check the record, and "Halaman x dari y"."""
    section = document.sections[0]
    section.orientation = WD_ORIENT.LANDSCAPE if layout.width > layout.height else WD_ORIENT.PORTRAIT
    section.page_width, section.page_height = Mm(layout.width), Mm(layout.height)
    section.top_margin, section.bottom_margin = Mm(layout.top), Mm(layout.bottom)
    section.left_margin, section.right_margin = Mm(layout.left), Mm(layout.right)
    section.header_distance = section.footer_distance = Mm(max(5, layout.bottom / 2))
    paragraph = section.footer.paragraphs[0]
    document.styles["Footer"].paragraph_format.tab_stops.clear_all()
    paragraph.paragraph_format.tab_stops.add_tab_stop(Mm(layout.inner), WD_TAB_ALIGNMENT.RIGHT)
    paragraph.add_run(f"{foot}\tHalaman ")
    _add_field(paragraph, "PAGE")
    paragraph.add_run(" dari ")
    _add_field(paragraph, "NUMPAGES")


def restart_numbers(document: Any, paragraphs: Sequence[Any]) -> None:
    """Let the numbered paragraphs of a list begin with 1."""
    numbering = document.part.numbering_part.element
    usual = document.styles["List Number"].element.pPr.numPr.numId.val
    number = numbering.add_num(numbering.num_having_numId(usual).abstractNumId.val)
    number.add_lvlOverride(ilvl=0).add_startOverride(1)
    for paragraph in paragraphs:
        paragraph._p.get_or_add_pPr().get_or_add_numPr().get_or_add_numId().val = number.numId


def _set(style: Any, points: float, *, bold: bool, italic: bool, align: Any = None, after: float) -> None:
    font, shape = style.font, style.paragraph_format
    font.name, font.size, font.bold, font.italic, font.color.rgb = FONT, Pt(points), bold, italic, BLACK
    fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
    for name in ("asciiTheme", "hAnsiTheme", "eastAsiaTheme", "cstheme"):
        fonts.attrib.pop(qn(f"w:{name}"), None)
    for name in ("ascii", "hAnsi", "eastAsia", "cs"):
        fonts.set(qn(f"w:{name}"), FONT)
    shape.alignment, shape.space_before, shape.space_after = align, Pt(0), Pt(after)
    shape.line_spacing = 1.1


def _drop_border(style: Any) -> None:
    for border in style.element.pPr.findall(qn("w:pBdr")):
        style.element.pPr.remove(border)


def _set_language(styles: Any) -> None:
    for language in styles.element.iter(qn("w:lang")):
        language.set(qn("w:val"), "id-ID")


def _add_field(paragraph: Any, name: str) -> None:
    """A number that the word processor fills in."""
    field = OxmlElement("w:fldSimple")
    field.set(qn("w:instr"), name)
    run, text = OxmlElement("w:r"), OxmlElement("w:t")
    text.text = "1"
    run.append(text)
    field.append(run)
    paragraph._p.append(field)
