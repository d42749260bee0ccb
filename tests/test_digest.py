"""What is left out of a run's digest is nothing that its summary tells."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from runner.contract import Call, Evidence, Outcome, Problem, Severity, Status
from runner.engine.course import Pause
from runner.events import Kind
from runner.record import build_record
from runner.record.digest import digest
from runner.record.document import Record
from runner.record.journal import Journal
from runner.screen.summary import render_closing, render_summary
from tests.lab import NOW, RUN, Lab, fail, key_of, ok
from tests.test_resuming import CHILD, STEPS, unanswered


def found(call: Call) -> Outcome:
    problem = Problem("site.down", Severity.MAJOR, "it is down")
    return Outcome(Status.OK, problems=(problem,), deviations=("late: 1",), evidence=(Evidence("a.log", "0" * 64, 3),))


@pytest.fixture
def lab(monkeypatch: pytest.MonkeyPatch) -> Lab:
    """A run with retries, failures, problems, an unreachable server, a person's answer and a way back."""
    monkeypatch.setattr("runner.engine.tries.Pause", lambda seconds: Pause(0.0))
    lab = Lab(STEPS, others={"child.yml": CHILD}, broken=frozenset({"s2"}))
    lab.does["one.b@s1"] = lambda call: fail(call) if key_of(call).tries == 1 else ok(value=[call.inputs["give"]])(call)
    lab.does["one.d@s1"] = found
    lab.run()
    while unanswered(lab.events):
        asked = unanswered(lab.events)[-1]
        answer = {"role": "admin", "person": "Siti", "label": "signed", "method": "login", "note": "", "subject": ""}
        given = replace(asked, kind=Kind.ANSWERED, data={**answer, "at": NOW.isoformat()})
        lab.run(resume=[*lab.events, given])
    return lab


def told(record: Record) -> list[object]:
    """What a run's end is told by."""
    shown = [render_summary(record, Path("records"), width) for width in (80, 160)]
    return [*shown, render_closing(record, Path("records")), record.exit_code, record.requests, record.problems]


def test_every_summary_is_the_same(lab: Lab, tmp_path: Path) -> None:
    """However far the run came: from each of its events, as if it had been cut off there."""
    events = [event for event in lab.events if event.run == RUN]
    with Journal.open(tmp_path) as journal:
        for number, event in enumerate(events, 1):
            journal.append([event])
            assert told(build_record(digest(journal, RUN))) == told(build_record(events[:number])), event


def test_what_went_well_is_left_out(tmp_path: Path) -> None:
    lab = Lab(
        "  - {id: one, activity: a, targets: servers, tasks: [{id: a, action: lab.read}, {id: b, action: lab.change}]}"
    )
    lab.does["one.b@s2"] = fail
    lab.run()
    with Journal.open(tmp_path) as journal:
        journal.append([event for event in lab.events if event.run == RUN])
        left = [(event.task, event.target) for event in digest(journal, RUN) if event.task]
    assert left == [("b", "s2"), ("b", "s2")]
