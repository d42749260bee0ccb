"""Texts too long for the drawing: a mark stands in their place, and the text in full below the flow."""

from __future__ import annotations

from collections.abc import Collection

from runner.form.chart import Chart, Edge
from runner.form.heads import Flow

LONGEST_CAPTION = 110
LONGEST_LABEL = 60
LONGEST_HEADING = 120


class Marks:
    """Marks and the texts that they stand for."""

    def __init__(self) -> None:
        self.known: dict[str, str] = {}

    def mark(self, text: str, most: int = 0) -> str:
        """The mark for a text that is longer; "" for others."""
        return self.known.setdefault(text, f"*{len(self.known) + 1})") if len(text) > most else ""

    def shorten(self, text: str, most: int) -> str:
        """The text, or its mark."""
        return self.mark(text, most) or text

    def listed(self) -> list[tuple[str, str]]:
        """(mark, text), in the order of the marks."""
        return [(mark, text) for text, mark in self.known.items()]


def mark_long(flow: Flow, marks: Marks) -> Flow:
    """Given a flow, return it with marks for long texts in symbols, on arrows and above columns."""
    nodes = [node._replace(text=marks.shorten(node.text, LONGEST_CAPTION)) for node in flow.chart.nodes]
    edges = [edge._replace(mark=marks.mark(edge.label, LONGEST_LABEL)) for edge in flow.chart.edges]
    columns = [
        column._replace(
            heading=marks.shorten(column.heading, LONGEST_HEADING), group=marks.shorten(column.group, LONGEST_HEADING)
        )
        for column in flow.columns
    ]
    return flow._replace(
        title=marks.shorten(flow.title, LONGEST_HEADING),
        columns=tuple(columns),
        lanes=tuple(marks.shorten(label, LONGEST_HEADING) for label in flow.lanes),
        over=tuple(marks.shorten(text, LONGEST_HEADING) for text in flow.over),
        chart=Chart(tuple(nodes), tuple(edges)),
    )


def mark_labels(flow: Flow, crowded: Collection[Edge], marks: Marks) -> Flow:
    """Given a flow and the arrows whose labels found no free place, return it with marks for these."""
    edges = (edge._replace(mark=marks.mark(edge.label)) if edge in crowded else edge for edge in flow.chart.edges)
    return flow._replace(chart=flow.chart._replace(edges=tuple(edges)))
