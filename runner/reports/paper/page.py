"""A paper as one self-contained HTML page, which is also what its PDF is made from."""

from __future__ import annotations

from dataclasses import asdict
from string import hexdigits

from runner.reports.pages import render_page
from runner.reports.paper.drawing import HEIGHT, WIDTH, draw
from runner.reports.paper.layout import Layout
from runner.reports.paper.model import Paper, Table, flatten, foot_of, is_whole

ANCHORS = {"left": "start", "center": "middle", "right": "end"}
_SHEET = """
@page {{
  size: {width}mm {height}mm; margin: {top}mm {right}mm {bottom}mm {left}mm;
  @bottom-left {{ content: "{foot}"; font: 7.5pt Arial, "Liberation Sans", sans-serif; }}
}}
@media screen and (min-width: 50.01rem) {{
  body {{ width: {width}mm; max-width: 100%; padding: {top}mm {right}mm {bottom}mm {left}mm; }}
}}
"""


def render_html(paper: Paper, layout: Layout) -> str:
    """Given a paper and its sheet, return the page: everything escaped, nothing fetched, nothing executed."""
    return render_page(
        "paper.html",
        styles="paper.css",
        more=_sheet(paper, layout) + _widths(paper),
        paper=paper,
        draw=draw,
        is_whole=is_whole,
        anchors=ANCHORS,
        picture=(WIDTH, HEIGHT),
    )


def _sheet(paper: Paper, layout: Layout) -> str:
    """The rules of this sheet of paper; at its foot stands the beginning of the chain's head."""
    foot = foot_of(paper) if set(paper.head) <= {*hexdigits, ":"} else ""
    return _SHEET.format(foot=foot, **asdict(layout))


def _widths(paper: Paper) -> str:
    """A rule for each width that a column of the paper has; an attribute would be refused by the page's policy."""
    widths = {width for block in flatten(paper.blocks) if isinstance(block, Table) for width in block.widths}
    return "".join(f".w{width} {{ width: {width / 10}%; }}\n" for width in sorted(widths))
