"""Sheets as SVG: lines, symbols and arrows, and where there is no table of text beside them, the texts too."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from xml.sax.saxutils import escape, quoteattr

from runner.form.chart import CONNECTOR, Edge
from runner.form.heads import Cell
from runner.form.measure import MILLIMETRES_PER_POINT, line_height
from runner.form.page import Symbol
from runner.form.paper import NOTE, PAD, Paper
from runner.form.shapes import TIP, Box, outline
from runner.form.sheets import Arrow, Label, Sheet
from runner.reports.values import clean

FONT = "Arial, 'Liberation Sans', Helvetica, sans-serif"
_THIN, _LINE = 0.2, 0.35
_HEAD_LONG, _HEAD_WIDE = 1.9, 1.3
_EDGE = 0.3  # around a drawing, so that its outermost lines are whole
_GAP_BETWEEN_SHEETS = 6.0


def render_svg(sheets: Sequence[Sheet], paper: Paper, title: str) -> str:
    """Given sheets, return one SVG file: all sheets below one another, each whole."""
    tops = [number * (paper.height + _GAP_BETWEEN_SHEETS) for number in range(len(sheets))]
    height = tops[-1] + paper.height if sheets else paper.height
    parts = [
        '<?xml version="1.0" encoding="UTF-8"?>\n',
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{paper.width:g}mm" height="{height:g}mm" '
        f'viewBox="0 0 {paper.width:g} {height:g}" xml:lang="id" font-family="{FONT}">\n',
        f"<title>{_text(title)}</title>\n",
    ]
    for number, (sheet, top) in enumerate(zip(sheets, tops, strict=True), 1):
        parts.append(f'<g class="sheet" data-sheet="{number}" transform="translate(0 {top:g})">\n')
        parts.append(f'<rect width="{paper.width:g}" height="{paper.height:g}" fill="#fff"/>\n')
        place = f"translate({paper.left:g} {paper.top:g}) scale({1 / sheet.scale:.5f})"
        parts.append(f'<g transform="{place}">\n{render_drawing(sheet)}')
        parts += [_cell(cell) for cell in sheet.cells]
        parts.append("</g>\n</g>\n")
    return "".join([*parts, "</svg>\n"])


def render_inner(sheet: Sheet, name: str) -> str:
    """Given a sheet, return its drawing as an SVG element for a page whose texts stand in a table above it."""
    width, height = (size / sheet.scale + 2 * _EDGE for size in (sheet.width, sheet.height))
    edge = _EDGE * sheet.scale
    return (
        f'<svg class="drawing" xmlns="http://www.w3.org/2000/svg" role="img" aria-label={_quoted(name)} '
        f'width="{width:.2f}mm" height="{height:.2f}mm" viewBox="{-edge:.3f} {-edge:.3f} {sheet.width + 2 * edge:.3f} '
        f'{sheet.height + 2 * edge:.3f}" '
        f'font-family="{FONT}">\n{render_drawing(sheet)}</svg>'
    )


def render_drawing(sheet: Sheet) -> str:
    """Given a sheet, return the table's lines, the symbols, the arrows and their labels."""
    shaded = "".join(_shade(cell.box) for cell in sheet.cells if cell.kind in ("head", "lane"))
    rules = "".join(f"M{x1:.2f} {y1:.2f}L{x2:.2f} {y2:.2f}" for (x1, y1), (x2, y2) in sheet.rules)
    return "".join(
        [
            shaded,
            f'<path class="rules" d="{rules}" fill="none" stroke="#000" stroke-width="{_THIN}"/>\n',
            *(_turn(x, y) for x, y in sheet.turns),
            *(_symbol(symbol, sheet) for symbol in sheet.symbols),
            *(_arrow(arrow) for arrow in sheet.arrows),
            *(_label(label) for label in sheet.labels),
        ]
    )


def _turn(x: float, y: float) -> str:
    return f'<path class="goes-on" d="M{x:.2f} {y:.2f}l-1.2 -1.2h2.4z"/>\n'


def _shade(box: Box) -> str:
    return f'<rect x="{box.x:.2f}" y="{box.y:.2f}" width="{box.width:.2f}" height="{box.height:.2f}" fill="#eee"/>\n'


def _symbol(symbol: Symbol, sheet: Sheet) -> str:
    node, boxes = symbol.node, symbol.boxes
    number = sheet.numbers.get(node.id)
    bars = "".join(_bar(one, two) for one, two in pairwise(boxes))
    shapes = "".join(f'<path d="{outline(node.symbol, box)}"/>' for box in boxes)
    lines = (str(number),) if number else symbol.size.lines
    dashes = ' stroke-dasharray="1.2 0.8"' if node.either else ""
    kind = "over-page" if number else node.symbol
    return (
        f'<g class="symbol {kind}" data-id={_quoted(node.id)} data-row="{node.row + 1}" '
        f'data-lanes="{" ".join(str(lane + 1) for lane in node.lanes)}">'
        f'<g fill="#fff" stroke="#000" stroke-width="{_LINE}"{dashes}>{bars}{shapes}</g>'
        f"{_lines(_middle(_body(node.symbol, boxes[0]), lines), lines, NOTE, 'middle') if lines else ''}</g>\n"
    )


def _bar(one: Box, two: Box) -> str:
    y = one.y + one.height / 2
    return f'<path d="M{one.right:.2f} {y - 0.4:.2f}H{two.x:.2f}M{one.right:.2f} {y + 0.4:.2f}H{two.x:.2f}"/>'


def _body(symbol: str, box: Box) -> Box:
    """The part of a symbol that its text is set in: not a connector's tip."""
    return box._replace(height=box.height - TIP / 2) if symbol == CONNECTOR else box


def _middle(box: Box, lines: Sequence[str]) -> tuple[float, float]:
    """Where the first line of text in the middle of a box begins: its centre, its top."""
    return box.x + box.width / 2, box.y + (box.height - len(lines) * line_height(NOTE)) / 2


def _arrow(arrow: Arrow) -> str:
    (x0, y0), (x1, y1) = arrow.points[-2:]
    length = max(abs(x1 - x0) + abs(y1 - y0), 0.01)
    dx, dy = (x1 - x0) / length, (y1 - y0) / length
    back = (x1 - dx * _HEAD_LONG, y1 - dy * _HEAD_LONG)
    wing = _HEAD_WIDE / 2
    line = "L".join(f"{x:.2f} {y:.2f}" for x, y in (*arrow.points[:-1], (x1 - dx, y1 - dy)))
    head = "L".join(
        f"{x:.2f} {y:.2f}"
        for x, y in ((x1, y1), (back[0] - dy * wing, back[1] + dx * wing), (back[0] + dy * wing, back[1] - dx * wing))
    )
    connector = f' data-connector="{arrow.connector}"' if arrow.connector else ""
    return (
        f'<g class="arrow" {_attributes(arrow.edge)} data-part="{arrow.part}"{connector}>'
        f'<path class="line" d="M{line}" fill="none" stroke="#000" stroke-width="{_LINE}"/>'
        f'<path class="tip" d="M{head}Z"/></g>\n'
    )


def _label(label: Label) -> str:
    box = label.box
    halo = _shade(box).replace("#eee", "#fff")
    return (
        f'<g class="label" {_attributes(label.edge)}>{halo.rstrip()}'
        f"{_lines((box.x + box.width / 2, box.y), label.lines, NOTE, 'middle')}</g>\n"
    )


def _attributes(edge: Edge) -> str:
    source, target, label = map(_quoted, edge[:3])
    return f"data-from={source} data-to={target} data-label={label}"


def _cell(cell: Cell) -> str:
    if not cell.lines:
        return ""
    box, size = cell.box, cell.size
    heading = cell.kind in ("head", "lane", "number")
    middle = heading or cell.kind == "centre"
    x = box.x + box.width / 2 if middle else box.x + PAD
    y = box.y + (box.height - len(cell.lines) * line_height(size)) / 2 if heading else box.y + PAD
    weight = ' font-weight="bold"' if cell.kind in ("head", "lane", "heading", "title") else ""
    return _lines((x, y), cell.lines, size, "middle" if middle else "start", weight + _place_of(cell)) + "\n"


def _place_of(cell: Cell) -> str:
    place = f' data-row="{cell.row + 1}" data-column={_quoted(cell.column)}' if cell.column else ""
    return f' class="{cell.kind}"{place}'


def _lines(at: tuple[float, float], lines: Sequence[str], size: float, anchor: str, more: str = "") -> str:
    """Lines of text; together they are the text, each with the space that ends it."""
    return (
        f'<text xml:space="preserve" font-size="{size * MILLIMETRES_PER_POINT:.3f}" text-anchor="{anchor}"{more}>'
        f"{''.join(_spans(at, lines, size, anchor))}</text>"
    )


def _spans(at: tuple[float, float], lines: Sequence[str], size: float, anchor: str) -> Iterator[str]:
    x, y = at
    for number, line in enumerate(lines):
        base = y + line_height(size) * (number + 0.78)
        shown = line.rstrip()
        rest = line[len(shown) :]
        yield f'<tspan x="{x:.2f}" y="{base:.2f}">{_text(shown)}</tspan>{_text(rest)}'


def _text(text: str) -> str:
    return escape(clean(text))


def _quoted(text: str) -> str:
    return quoteattr(clean(text))
