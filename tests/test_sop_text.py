"""The shipped playbook holds the SOP's text word for word: nothing left out, nothing added, nothing mended."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from runner.form.supplement import find_written
from runner.source import load_source

ROOT = Path(__file__).parents[1]
PLAYBOOK = load_source(ROOT / "playbooks" / "pemeliharaan-website.yml").data
TEXT = (Path(__file__).parent / "cases" / "sop" / "pemeliharaan-website.txt").read_text("utf-8")
PROCEDURE: Mapping[str, Any] = PLAYBOOK["procedure"]
STEPS: list[Mapping[str, Any]] = PLAYBOOK["steps"]
NOTES_BEGIN = TEXT.index("Keterangan:")
FLOW_BEGIN = TEXT.index("\n1. Memonitoring")
MISSING = "…"

# What is left of the drawn lanes, arrows and column lines, row by row, as the reading has it.
DRAWN = ["", r"\4", "v", "|v", "v", "|", "Q<", "|v", "yTN\\"]


def squeeze(text: str) -> str:
    """Text without white space and without the mark of missing letters; a hyphen at a line's end stays."""
    return re.sub(r"\s+", "", text).replace(MISSING, "")


def rows() -> list[str]:
    """The nine rows of the flow's table as they stand in the text, each without its number."""
    table = TEXT[FLOW_BEGIN:NOTES_BEGIN]
    starts = [match.start() for match in re.finditer(r"^ ?[1-9]\. ", table, re.MULTILINE)]
    return [re.sub(r"^\s*\d\.", "", table[a:b]) for a, b in zip(starts, [*starts[1:], len(table)], strict=True)]


def cells(step: Mapping[str, Any]) -> list[str]:
    """All verbatim texts of a step."""
    texts = [each["text"] for each in (*step["inputs"], *step["outputs"])]
    return [step["activity"], step["time_limit"], *texts]


def reads_in_order(cell: str, row: str) -> bool:
    """Whether the cell is what is left of the row when other columns' words are passed over."""
    states = {0}
    wanted = squeeze(cell)
    for word in row.split():
        states |= {at + len(word) for at in states if wanted.startswith(word, at)}
    return len(wanted) in states


def texts_of(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from texts_of(part)
    elif isinstance(value, list):
        for part in value:
            yield from texts_of(part)


def identity_lines() -> list[str]:
    return [text for key, value in PROCEDURE.items() if key != "roles" for text in texts_of(value)]


def test_text_has_nine_rows():
    assert len(rows()) == len(STEPS) == len(DRAWN) == 9


@pytest.mark.parametrize("line", identity_lines())
def test_identity_line_stands_in_the_text(line):
    assert squeeze(line) in squeeze(TEXT)


@pytest.mark.parametrize("number", range(9))
def test_every_cell_stands_in_its_row(number):
    row = rows()[number]
    assert [cell for cell in cells(STEPS[number]) if not reads_in_order(cell, row)] == []


@pytest.mark.parametrize("number", range(9))
def test_no_letter_of_a_row_is_lost_or_added(number):
    in_playbook = Counter(squeeze("".join(cells(STEPS[number])) + DRAWN[number]))
    assert in_playbook == Counter(squeeze(rows()[number]))


def test_identity_block_is_complete():
    drawn = ["1.2.3.4.5.6.7.", "-" * 9, "vv'"]  # numbers and bullets
    in_playbook = "".join([*identity_lines(), *drawn]).replace(PROCEDURE["unit"], "", 1)
    heads = TEXT[: TEXT.index("Pelaksana Mutu Baku")] + TEXT[NOTES_BEGIN:]
    assert Counter(squeeze(in_playbook)) == Counter(squeeze(heads))


def test_roles_are_the_column_headings():
    heading = TEXT[TEXT.index("Pelaksana Mutu Baku") : FLOW_BEGIN]
    assert [label for label in PROCEDURE["roles"].values() if not reads_in_order(label, heading)] == []


def test_number_is_not_invented():
    assert PROCEDURE["number"] is None


def test_the_damaged_place_keeps_its_damage():
    solved = STEPS[8]["activity"]
    assert solved == "Masalah terselesaikan, II(DatabdiI_Back Up … embali"
    assert PLAYBOOK["supplement"]["readings"]["steps.solved.activity"].endswith("(Data di Back Up kembali)")


def test_every_reading_names_a_place_that_says_something_else():
    readings = PLAYBOOK["supplement"]["readings"]
    assert [place for place, reading in readings.items() if find_written(PLAYBOOK, place) in ("", reading)] == []


def test_every_step_whose_lane_is_lost_has_its_actor_in_the_supplement():
    assert [step["id"] for step in STEPS if "actor" in step] == []
    assert list(PLAYBOOK["supplement"]["actors"]) == [step["id"] for step in STEPS]


def test_the_related_procedure_claims_no_text():
    related = load_source(ROOT / "playbooks" / "pembaharuan-konten.yml").data
    assert related["procedure"]["title"] in PROCEDURE["related"]
    assert [text for key, text in related["procedure"].items() if key != "title" and text] == []
    assert all(step["activity"].startswith("(Tambahan pengadilan, bukan bunyi SOP)") for step in related["steps"])
