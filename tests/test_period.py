"""What the journal tells of a period: exact at its edges, whatever the order in which it was written."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.contract import Outcome, Status
from runner.events import Kind
from runner.record.chain import FORM
from runner.record.journal import Journal
from runner.record.period import Period, events_in, outcomes_in, runs_in, sightings_in
from tests.event_factory import START, RunFactory, found

HOUR = timedelta(hours=1)
WIB = timezone(timedelta(hours=7))


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with Journal.open(tmp_path / "records") as journal:
        yield journal


def hourly(journal: Journal, count: int) -> None:
    for number in range(count):
        run = RunFactory(f"run{number}", "care" if number % 2 else "renewal", START + number * HOUR)
        journal.append(run.whole(found("site.down") if number % 3 else None))


def test_an_empty_journal_has_no_period(journal: Journal) -> None:
    period = Period(START, START + HOUR)
    assert runs_in(journal, period) == ()
    assert list(events_in(journal, period)) == list(sightings_in(journal, period)) == []


def test_runs_belong_to_the_period_in_which_they_began(journal: Journal) -> None:
    hourly(journal, 6)
    period = Period(START + 2 * HOUR, START + 4 * HOUR)
    assert [run.run for run in runs_in(journal, period)] == ["run2", "run3"]
    assert [run.run for run in runs_in(journal, period, "care")] == ["run3"]
    local = Period(period.since.astimezone(WIB), period.until.astimezone(WIB))
    assert runs_in(journal, local) == runs_in(journal, period)


def test_the_first_moment_belongs_to_a_period_and_the_last_does_not(journal: Journal) -> None:
    event = RunFactory("one").started()
    journal.append([replace(event, at=START), RunFactory("two", start=START + HOUR - timedelta(seconds=1)).started()])
    assert [run.run for run in runs_in(journal, Period(START, START + HOUR))] == ["one"]
    assert [event.run for event in events_in(journal, Period(START, START + HOUR))] == ["one"]


def test_outcomes_are_found_by_playbook_step_and_task(journal: Journal) -> None:
    run = RunFactory()
    journal.append([run.started(), run.finish("a"), run.finish("b"), run.finish("a", step="backup"), run.ended()])
    period = Period(START, START + HOUR)
    assert [(e.step, e.task) for e in outcomes_in(journal, period, step="check")] == [("check", "a"), ("check", "b")]
    assert [(e.step, e.task) for e in outcomes_in(journal, period, task="a")] == [("check", "a"), ("backup", "a")]
    assert list(outcomes_in(journal, period, playbook="other")) == []
    assert [e.kind for e in events_in(journal, period, Kind.RUN_ENDED)] == [Kind.RUN_ENDED]


def test_sightings_tell_an_outcome_in_short(journal: Journal) -> None:
    hourly(journal, 2)
    first, second = sightings_in(journal, Period(START, START + 2 * HOUR), task="probe")
    assert (first.run, first.playbook, first.status, first.problems) == ("run0", "renewal", Status.OK, ())
    assert (second.target, second.problems, second.at) == ("site", ("site.down",), START + HOUR + timedelta(seconds=4))


@settings(max_examples=60, deadline=None)
@given(
    minutes=st.lists(st.integers(0, 600), min_size=1, max_size=12),
    since=st.integers(-10, 610),
    length=st.integers(1, 300),
)
@pytest.mark.promise("Clock", "the clock is set back and forward", "each report has all of its events")
def test_whatever_the_clock_did_a_period_has_all_of_its_events(minutes: list[int], since: int, length: int) -> None:
    with tempfile.TemporaryDirectory() as folder, Journal.open(Path(folder) / "records") as journal:
        events = []
        for number, minute in enumerate(minutes):
            at = START + timedelta(minutes=minute)
            run = RunFactory(f"run{number}")
            events += [replace(event, at=at) for event in (run.started(), run.finish(), run.ended())]
        journal.append(events)
        period = Period(START + timedelta(minutes=since), START + timedelta(minutes=since + length))
        expected = [event for event in events if period.since <= event.at < period.until]
        assert list(events_in(journal, period)) == expected
        assert [run.run for run in runs_in(journal, period)] == [e.run for e in expected if e.kind is Kind.RUN_STARTED]


def test_a_journal_of_the_first_format_is_brought_up_and_stays_whole(tmp_path: Path) -> None:
    records = tmp_path / "records"
    with Journal.open(records) as journal:
        hourly(journal, 4)
        head = journal.head()
    with closing(sqlite3.connect(journal.path, isolation_level=None)) as connection:
        for name in ("reports", "turns_by_time", "final_ends", "asked", "marks"):
            connection.execute(f"DROP INDEX {name}")
        connection.execute("DROP INDEX run_turns")
        connection.execute("CREATE INDEX run_turns ON events (run) WHERE kind IN ('run_resumed', 'run_ended')")
        connection.execute("CREATE INDEX reports ON events (playbook, step, task, target) WHERE problems IS NOT NULL")
        connection.execute("PRAGMA user_version = 1")
    assert Journal(records).verify(head=head) == []
    with Journal.open(records, create=False) as journal:
        assert journal.verify(head=head) == []
        assert len(runs_in(journal, Period(START, START + 9 * HOUR))) == 4
        with journal.reading() as connection:
            assert connection.execute("PRAGMA user_version").fetchone() == (FORM.version,)
        journal.append([RunFactory("new", start=datetime(2026, 12, 1, tzinfo=UTC)).finish(outcome=Outcome(Status.OK))])
