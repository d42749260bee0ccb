"""The form as a whole: identity block, flow, notes, and the supplement on a page of its own; as HTML, PDF and SVG."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from markupsafe import Markup

from runner.form.chart import build_chart
from runner.form.heads import Cell, Flow
from runner.form.identity import find_heading, read_identity
from runner.form.marks import Marks, mark_labels, mark_long
from runner.form.measure import line_height
from runner.form.paper import PAD, PAPERS, Paper
from runner.form.sheets import Sheet, lay_sheets
from runner.form.supplement import read_supplement
from runner.form.svg import render_inner, render_svg
from runner.form.table import read_columns, read_over, read_rows
from runner.reports.pages import render_page

Json = Mapping[str, Any]


class Shown(NamedTuple):
    """A cell of the page: its text, the classes that place it, and what it is."""

    text: str
    place: str
    kind: str
    row: int
    column: str


def render_form(playbook: Json, *, paper: str = "a4") -> str:
    """Given a playbook's plain data (`procedure`, `steps`, `supplement`), return the form as one HTML page."""
    sheets, marks = lay_form(playbook, PAPERS[paper])
    rules: dict[str, str] = {}
    shown = [_show(number, sheet, rules) for number, sheet in enumerate(sheets, 1)]
    return render_page(
        "form.html",
        styles="form.css",
        more=_page_style(PAPERS[paper]) + "".join(f".{name}{{{rule}}}\n" for name, rule in rules.items()),
        identity=read_identity(playbook["procedure"]),
        sheets=shown,
        marks=marks,
        supplement=read_supplement(playbook),
    )


def render_flow(playbook: Json, *, paper: str = "a4") -> str:
    """Given a playbook's plain data, return the pages of its flow as one SVG file."""
    sheets, _ = lay_form(playbook, PAPERS[paper])
    return render_svg(sheets, PAPERS[paper], str(playbook["procedure"]["title"]))


def lay_form(playbook: Json, paper: Paper) -> tuple[Sequence[Sheet], Sequence[tuple[str, str]]]:
    """Given a playbook's plain data and the paper, return the flow's sheets, and the texts for which marks stand there:
    those that are too long, and labels for which there is no room."""
    procedure, steps = playbook["procedure"], playbook["steps"]
    chart = build_chart(playbook)
    labels = tuple(str(label) for label in (procedure.get("roles") or {}).values())
    columns = read_columns(procedure, steps)
    flow = Flow(find_heading(procedure, "flow"), columns, labels, read_rows(steps), chart, read_over(procedure))
    marks = Marks()
    flow = mark_long(flow, marks)
    sheets = lay_sheets(flow, paper)
    crowded = {label.edge for sheet in sheets for label in sheet.labels if not label.free}
    if crowded:
        sheets = lay_sheets(mark_labels(flow, crowded, marks), paper)
    return sheets, marks.listed()


def _show(number: int, sheet: Sheet, rules: dict[str, str]) -> Mapping[str, Any]:
    name = f"sheet-{number}"
    rules[name] = f"width:{sheet.width / sheet.scale:.2f}mm;height:{sheet.height / sheet.scale:.2f}mm"
    drawing = Markup(render_inner(sheet, f"Bagan alir, lembar {number}"))  # noqa: S704 - escaped where it is made
    return {"name": name, "drawing": drawing, "rows": list(_rows(sheet, name, rules))}


def _rows(sheet: Sheet, name: str, rules: dict[str, str]) -> Iterator[list[Shown]]:
    """Cells by row of the table; the heading's first."""
    row: list[Shown] = []
    before: tuple[int, float] | None = None
    for cell in sheet.cells:
        here = (cell.row, cell.box.y)
        if row and here != before:
            yield row
            row = []
        before = here
        if cell.lines:
            row.append(_shown(cell, sheet.scale, name, rules))
    if row:
        yield row


def _shown(cell: Cell, scale: float, sheet: str, rules: dict[str, str]) -> Shown:
    box, height = cell.box, len(cell.lines) * line_height(cell.size)
    centred = cell.kind in ("head", "lane", "number")
    top = box.y + ((box.height - height) / 2 if centred else PAD)
    across = f"left:{(box.x + PAD) / scale:.2f}mm;width:{(box.width - 2 * PAD) / scale:.2f}mm"
    down = f"top:{top / scale:.2f}mm;font-size:{cell.size / scale:.2f}pt"
    names = (_named(f"{sheet}-x", across, rules), _named(f"{sheet}-y", down, rules))
    return Shown("".join(cell.lines), " ".join(names), cell.kind, cell.row + 1, cell.column)


def _named(prefix: str, rule: str, rules: dict[str, str]) -> str:
    """The class that has this rule; a new one where there is none."""
    known = next((name for name, text in rules.items() if text == rule and name.startswith(prefix)), None)
    name = known or f"{prefix}{sum(1 for each in rules if each.startswith(prefix)) + 1}"
    rules[name] = rule
    return name


def _page_style(paper: Paper) -> str:
    margins = f"{paper.top:g}mm {paper.right:g}mm {paper.bottom:g}mm {paper.left:g}mm"
    return (
        f"@page {{ size: {paper.width:g}mm {paper.height:g}mm; margin: {margins}; }}\n"
        f"@media screen {{ body {{ width: {paper.width:g}mm; padding: {margins}; }} }}\n"
    )
