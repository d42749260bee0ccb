"""What holds of every drawing: no arrow through a symbol, each arrow once, no label on one, nothing off the page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import combinations, pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runner.form.chart import DECISION, Chart, build_chart
from runner.form.document import lay_form
from runner.form.page import ARRIVING, LEAVING, WHOLE
from runner.form.paper import PAPERS
from runner.form.router import MOST_WAYS
from runner.form.shapes import Box
from runner.form.sheets import Arrow, Sheet

LABELS = ["Ya", "Tidak", "Disetujui", "Tidak Berjalan Normal", "Perlu perbaikan"]
ROLES = [f"r{number}" for number in range(7)]


def lay(playbook: dict[str, Any], paper: str = "a4") -> tuple[Chart, tuple[Sheet, ...]]:
    return build_chart(playbook), tuple(lay_form(playbook, PAPERS[paper])[0])


@st.composite
def playbooks(draw: st.DrawFn, most: int) -> dict[str, Any]:
    roles = ROLES[: draw(st.integers(1, 7))]
    count = draw(st.integers(1, most))
    actor = st.lists(st.sampled_from(roles), min_size=1, max_size=3, unique=True)
    steps = []
    for number in range(count):
        step: dict[str, Any] = {"id": f"s{number}", "activity": "Melakukan kegiatan " * draw(st.integers(1, 12))}
        route = st.sampled_from(["next", "end", "out", *({"step": f"s{other}"} for other in range(count))])
        decide = st.dictionaries(st.sampled_from(LABELS), route, min_size=2, max_size=4)
        if draw(st.booleans()):
            step["actor"] = draw(actor)
            if draw(st.booleans()):
                step["decide"] = {"answers": draw(decide)}
        else:
            step["tasks"] = [
                {"id": f"t{place}", "actor": draw(actor), **({"after": []} if draw(st.integers(0, 4)) == 0 else {})}
                for place in range(draw(st.integers(0, 4)))
            ]
            for task in step["tasks"]:
                if draw(st.integers(0, 4)) == 0:
                    task["decide"] = {"answers": draw(decide)}
        steps.append(step)
    return {"procedure": {"title": "T", "roles": {role: role.upper() for role in roles}}, "steps": steps}


SLOW = settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@SLOW
@given(playbooks(most=6))
def test_every_drawing_is_sound(playbook: dict[str, Any]) -> None:
    check_drawing(playbook)


@pytest.mark.heavy
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(playbooks(most=14))
def test_very_many_drawings_are_sound(playbook: dict[str, Any]) -> None:
    check_drawing(playbook)


def check_drawing(playbook: dict[str, Any]) -> None:
    chart, sheets = lay(playbook)
    assert list(_twice_or_never(chart, sheets)) == []
    for sheet in sheets:
        assert list(_through_symbols(sheet)) == []
        assert list(_on_one_another(sheet, chart)) == []
        assert list(_covered_labels(sheet)) == []
        assert list(_outside(sheet)) == []
    shown = Counter(symbol.node.id for sheet in sheets for symbol in sheet.symbols if symbol.half is None)
    assert shown == Counter(node.id for node in chart.nodes)
    for place, step in enumerate(playbook["steps"]):
        cells = [c for sheet in sheets for c in sheet.cells if (c.row, c.column) == (place, "activity")]
        assert "".join("".join(cell.lines) for cell in cells) == step["activity"]


def _twice_or_never(chart: Chart, sheets: tuple[Sheet, ...]) -> Iterator[str]:
    drawn = Counter((arrow.edge._replace(mark=""), arrow.part) for sheet in sheets for arrow in sheet.arrows)
    for edge in chart.edges:
        parts = {part: drawn[edge, part] for part in (WHOLE, LEAVING, ARRIVING)}
        if parts not in ({WHOLE: 1, LEAVING: 0, ARRIVING: 0}, {WHOLE: 0, LEAVING: 1, ARRIVING: 1}):
            yield f"{edge}: {parts}"
    yield from (f"{edge} is not declared" for edge, _ in drawn if edge not in chart.edges)


def _through_symbols(sheet: Sheet) -> Iterator[str]:
    for symbol in sheet.symbols:
        for box in symbol.boxes:
            for arrow in sheet.arrows:
                if any(_enters(symbol.node.symbol, box, one, two) for one, two in pairwise(arrow.points)):
                    yield f"{arrow.edge} passes through {symbol.node.id}"


def _enters(symbol: str, box: Box, one: tuple[float, float], two: tuple[float, float]) -> bool:
    """Whether a straight line comes into a symbol by more than its outline; a diamond's corners are free."""
    across, down = box.x + box.width / 2, box.y + box.height / 2
    x = min(max(across, min(one[0], two[0])), max(one[0], two[0]))
    y = min(max(down, min(one[1], two[1])), max(one[1], two[1]))
    apart = (abs(x - across) / (box.width / 2), abs(y - down) / (box.height / 2))
    return (sum(apart) if symbol == DECISION else max(apart) + (0.35 if symbol in ("start", "end") else 0)) < 0.98


def _on_one_another(sheet: Sheet, chart: Chart) -> Iterator[str]:
    leaving = Counter(arrow.edge.source for arrow in sheet.arrows if arrow.part != ARRIVING)
    crowded = {source for source, count in leaving.items() if count > MOST_WAYS}  # theirs share lines
    decisions = {node.id for node in chart.nodes if node.symbol == DECISION}
    for one, two in combinations(sheet.arrows, 2):
        if _may_share(one, two, decisions, crowded):
            continue
        for first in pairwise(one.points):
            for second in pairwise(two.points):
                if _lie_together(first, second):
                    yield f"{one.edge} lies on {two.edge}"


def _may_share(one: Arrow, two: Arrow, decisions: set[str], crowded: set[str]) -> bool:
    plain = one.edge.source not in decisions and not one.edge.label and not two.edge.label
    same_source = one.edge.source == two.edge.source and ARRIVING not in (one.part, two.part)
    same_target = one.edge.target == two.edge.target and LEAVING not in (one.part, two.part)
    return same_target or (same_source and (plain or one.edge.source in crowded))


def _lie_together(one: Any, two: Any) -> bool:
    """Whether two lines share more than a point."""
    for axis in (0, 1):
        other = 1 - axis
        if one[0][axis] == one[1][axis] == two[0][axis] == two[1][axis]:
            low = max(min(one[0][other], one[1][other]), min(two[0][other], two[1][other]))
            high = min(max(one[0][other], one[1][other]), max(two[0][other], two[1][other]))
            if high - low > 0.01:
                return True
    return False


def _covered_labels(sheet: Sheet) -> Iterator[str]:
    boxes = [(symbol.node.id, box) for symbol in sheet.symbols for box in symbol.boxes]
    for label in sheet.labels:
        yield from (f"{label.edge} over {name}" for name, box in boxes if label.box.overlaps(box))
    for one, two in combinations(sheet.labels, 2):
        if one.box.overlaps(two.box):
            yield f"{one.edge} over {two.edge}"


def _outside(sheet: Sheet) -> Iterator[str]:
    page = Box(-0.01, -0.01, sheet.width + 0.02, sheet.height + 0.02)
    for symbol in sheet.symbols:
        for box in symbol.boxes:
            if box.x < page.x or box.y < page.y or box.right > page.right or box.bottom > page.bottom:
                yield f"{symbol.node.id} is off the page"
    for label in sheet.labels:
        if label.box.x < page.x or label.box.right > page.right or label.box.bottom > page.bottom:
            yield f"the label {label.edge} is off the page"
    if sheet.height / sheet.scale > PAPERS["a4"].inner_height + 0.01:
        yield "the sheet is too high"
    if sheet.width / sheet.scale > PAPERS["a4"].inner_width + 0.01:
        yield "the sheet is too wide"
