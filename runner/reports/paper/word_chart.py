"""A chart as Word's own kind of picture, which an office can restyle."""

from __future__ import annotations

from typing import Any, NamedTuple

from docx.opc.constants import RELATIONSHIP_TYPE
from docx.opc.packuri import PackURI
from docx.opc.part import Part
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls
from docx.shared import Mm

from runner.reports.pages import render_part
from runner.reports.paper.drawing import COLOURS, NO_DATA, UNKNOWN
from runner.reports.paper.model import Chart
from runner.reports.values import clean

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.drawingml.chart+xml"
HEIGHT = 55.0
_FRAME = """
<w:drawing {spaces}><wp:inline distT="0" distB="0" distL="0" distR="0"><wp:extent cx="{width}" cy="{height}"/>
<wp:docPr id="{number}" name=""/><wp:cNvGraphicFramePr/>
<a:graphic><a:graphicData uri="http://schemas.openxmlformats.org/drawingml/2006/chart">
<c:chart r:id="{relation}"/></a:graphicData></a:graphic></wp:inline></w:drawing>
"""


class Bars(NamedTuple):
    """A row of bars with its colour as RRGGBB."""

    name: str
    values: list[float | None]
    colour: str


def add_chart(document: Any, paragraph: Any, chart: Chart, number: int, width: float) -> None:
    """Given an empty paragraph, put the chart there, `width` mm wide; it is the document's picture of that number."""
    page = render_part(
        "chart.xml",
        series=_rows(chart),
        labels=chart.labels,
        top=chart.top,
        format=f'0"{chart.unit}"' if chart.unit else "0",
    )
    name = PackURI(f"/word/charts/chart{number}.xml")
    part = Part(name, MEDIA_TYPE, page.encode(), document.part.package)
    relation = document.part.relate_to(part, RELATIONSHIP_TYPE.CHART)
    spaces = nsdecls("w", "wp", "a", "r", "c")
    size = {"width": int(Mm(width)), "height": int(Mm(HEIGHT))}
    frame: Any = parse_xml(_FRAME.format(spaces=spaces, number=number, relation=relation, **size))
    said = frame[0].find("{*}docPr")
    said.set("name", clean(chart.title))
    said.set("descr", clean(chart.said))
    paragraph.add_run()._r.append(frame)


def _rows(chart: Chart) -> list[Bars]:
    rows = [
        Bars(series.name, list(series.values), COLOURS[place % len(COLOURS)].lstrip("#"))
        for place, series in enumerate(chart.series)
    ]
    unknown = [any(series.values[place] is None for series in chart.series) for place in range(len(chart.labels))]
    if any(unknown):
        values = [chart.top if each else None for each in unknown]
        rows.append(Bars(NO_DATA, values, UNKNOWN.lstrip("#")))
    return rows
