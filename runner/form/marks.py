"""Texts too long for the drawing: a mark stands in their place, and the text in full below the flow."""

from __future__ import annotations

from runner.form.chart import Chart
from runner.form.heads import Flow

LONGEST_CAPTION = 110
LONGEST_LABEL = 60
LONGEST_HEADING = 120


class _Marks:
    def __init__(self) -> None:
        self.known: dict[str, str] = {}

    def mark(self, text: str, most: int) -> str:
        """The mark for a text that is longer; "" for others."""
        return self.known.setdefault(text, f"*{len(self.known) + 1})") if len(text) > most else ""

    def shorten(self, text: str, most: int) -> str:
        """The text, or its mark."""
        return self.mark(text, most) or text


def mark_long(flow: Flow) -> tuple[Flow, list[tuple[str, str]]]:
    """Given a flow, return it with marks for long texts in symbols, on arrows and above columns; and (mark, text)."""
    marks = _Marks()
    nodes = [node._replace(text=marks.shorten(node.text, LONGEST_CAPTION)) for node in flow.chart.nodes]
    edges = [edge._replace(mark=marks.mark(edge.label, LONGEST_LABEL)) for edge in flow.chart.edges]
    columns = [
        column._replace(
            heading=marks.shorten(column.heading, LONGEST_HEADING), group=marks.shorten(column.group, LONGEST_HEADING)
        )
        for column in flow.columns
    ]
    shortened = flow._replace(
        title=marks.shorten(flow.title, LONGEST_HEADING),
        columns=tuple(columns),
        lanes=tuple(marks.shorten(label, LONGEST_HEADING) for label in flow.lanes),
        chart=Chart(tuple(nodes), tuple(edges)),
    )
    return shortened, [(mark, text) for text, mark in marks.known.items()]
