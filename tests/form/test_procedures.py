"""Real SOPs of Indonesian offices: printed back with nothing lost, and run to each of their ends."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from runner.form.document import render_flow, render_form
from runner.reports.pdf import render_pdf
from tests.form.procedures import (
    NAMES,
    Rehearsed,
    flow_texts,
    load,
    place_of,
    read_drawing,
    read_paper,
    squeeze,
    steps_done,
    text_of,
    texts_of,
)
from tests.pages import read_page


def test_there_are_at_least_five() -> None:
    assert len(NAMES) >= 5


@pytest.mark.parametrize("paper", ["a4", "f4"])
@pytest.mark.parametrize("name", NAMES)
def test_symbols_and_arrows_are_those_of_the_paper(name: str, paper: str) -> None:
    shown = read_paper(name)
    symbols, arrows = read_drawing(render_flow(load(name).source.data, paper=paper))
    assert sorted(symbols) == sorted(shown.symbols)
    assert arrows == sorted(shown.arrows)


@pytest.mark.parametrize("name", NAMES)
def test_html_has_every_word(name: str) -> None:
    data = load(name).source.data
    text = squeeze(read_page(render_form(data)).text)
    assert [each for each in texts_of(data) if squeeze(each) not in text] == []


@pytest.mark.parametrize("name", NAMES)
def test_svg_has_every_word_of_the_flow(name: str) -> None:
    data = load(name).source.data
    text = squeeze(text_of(render_flow(data)))
    assert [each for each in flow_texts(data) if squeeze(each) not in text] == []


@pytest.mark.parametrize("name", ["bps-043-pemeliharaan-server", "bps-343-pengaduan"])
def test_pdf_has_every_word(name: str, tmp_path: Path) -> None:
    assert shutil.which("pdftotext"), "pdftotext is missing: apt-get install poppler-utils"
    data = load(name).source.data
    (tmp_path / "form.pdf").write_bytes(render_pdf(render_form(data)))
    done = subprocess.run(["pdftotext", "-raw", "form.pdf", "-"], cwd=tmp_path, capture_output=True, check=True)
    text = squeeze(done.stdout.decode())
    assert [each for each in texts_of(data) if squeeze(each) not in text] == []


CASES = [(name, number) for name in NAMES for number in range(len(read_paper(name).runs))]


@pytest.mark.parametrize(("name", "number"), CASES)
def test_a_run_with_these_answers_takes_these_steps(name: str, number: int) -> None:
    answers, steps = read_paper(name).runs[number]
    left = {place: [*labels] for place, labels in answers.items()}
    events = Rehearsed(load(name)).perform(
        lambda event: left[place_of(event)].pop(0) if place_of(event) in left else event.data["answers"][0]
    )
    assert steps_done(events) == steps
    assert [place for place, labels in left.items() if labels] == []
    assert events[-1].data["status"] == "ok"


@pytest.mark.parametrize("name", NAMES)
def test_the_runs_take_every_answer_of_every_decision(name: str) -> None:
    given = {
        (place, label) for answers, _ in read_paper(name).runs for place, labels in answers.items() for label in labels
    }
    wanted = set()
    for step in load(name).steps:
        for task in step.tasks:
            wanted |= {(f"{step.id}.{task.id}", label) for label in (task.decision.answers if task.decision else ())}
        wanted |= {(step.id, label) for label in (step.decision.answers if step.decision else ())}
    assert wanted <= given


@pytest.mark.parametrize("name", NAMES)
def test_a_dry_run_looks_at_every_step(name: str) -> None:
    lab = Rehearsed(load(name))
    lab.run(dry=True)
    assert {event.step for event in lab.events if event.step} == {step.id for step in load(name).steps}
