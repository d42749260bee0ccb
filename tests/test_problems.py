"""Open problems over all runs: one fault is one problem, open until the task that saw it sees it no more."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from runner.contract import Outcome, Severity, Status
from runner.record.journal import Journal
from runner.record.problems import KnownProblem, open_problems
from tests.event_factory import START, RunFactory, found, skipped


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with Journal.open(tmp_path / "records") as journal:
        yield journal


def day(number: int) -> datetime:
    return START + timedelta(days=number)


def observe(journal: Journal, number: int, outcome: Outcome, playbook: str = "care", **place: object) -> None:
    """One run, on that day, whose task ended so."""
    run = RunFactory(f"run{number}", playbook, day(number))
    journal.append([run.started(), run.finish(outcome=outcome, **place), run.ended()])  # type: ignore[arg-type]  # place


def keys(journal: Journal, playbook: str | None = None) -> list[tuple[str, str | None]]:
    return [(problem.key, problem.target) for problem in open_problems(journal, playbook)]


def test_no_run_has_no_problems(journal: Journal) -> None:
    assert open_problems(journal) == ()


def test_a_fault_seen_again_is_one_problem(journal: Journal) -> None:
    for number in range(3):
        observe(journal, number, found("site.down", message=f"since {number}"))
    assert open_problems(journal) == (
        KnownProblem(
            key="site.down",
            target="site",
            severity=Severity.MAJOR,
            message="site.down since 2",
            first_seen=day(0) + timedelta(seconds=2),
            last_seen=day(2) + timedelta(seconds=2),
            run="run2",
            playbook="care",
            step="check",
            task="probe",
            times=3,
        ),
    )


def test_a_fault_seen_no_more_is_closed(journal: Journal) -> None:
    observe(journal, 0, found("site.down", "tls.expiry"))
    observe(journal, 1, found("tls.expiry"))
    assert keys(journal) == [("tls.expiry", "site")]
    observe(journal, 2, Outcome(Status.OK))
    assert keys(journal) == []


def test_a_fault_that_came_back_is_first_seen_then(journal: Journal) -> None:
    for number, outcome in enumerate([found("a"), Outcome(Status.OK), found("a"), found("a")]):
        observe(journal, number, outcome)
    (problem,) = open_problems(journal)
    assert (problem.first_seen.date(), problem.last_seen.date()) == (day(2).date(), day(3).date())


@pytest.mark.parametrize(
    "outcome",
    [skipped(), *(Outcome(status) for status in (Status.FAILED, Status.TIMED_OUT, Status.UNREACHABLE, Status.WAITING))],
)
def test_what_could_not_tell_closes_nothing(journal: Journal, outcome: Outcome) -> None:
    observe(journal, 0, found("site.down"))
    observe(journal, 1, outcome)
    assert keys(journal) == [("site.down", "site")]
    observe(journal, 2, found("site.down"))
    assert open_problems(journal)[0].first_seen.date() == day(0).date()


def test_another_task_closes_nothing(journal: Journal) -> None:
    observe(journal, 0, found("site.down"))
    for number, place in enumerate([{"task": "b"}, {"step": "b"}, {"target": "b"}, {"target": None}], 1):
        observe(journal, number, Outcome(Status.OK), **place)
    observe(journal, 9, Outcome(Status.OK), playbook="other")
    assert keys(journal) == [("site.down", "site")]


def test_a_fault_that_two_tasks_see_is_one_problem(journal: Journal) -> None:
    observe(journal, 0, found("site.down", message="by a"), task="a")
    observe(journal, 1, found("site.down", message="by b"), task="b")
    (problem,) = open_problems(journal)
    assert (problem.message, problem.first_seen.date()) == ("site.down by b", day(0).date())
    observe(journal, 2, Outcome(Status.OK), task="b")
    (problem,) = open_problems(journal)
    assert problem.message == "site.down by a"


def test_a_later_try_counts(journal: Journal) -> None:
    run = RunFactory()
    journal.append([run.started(), run.finish(outcome=found("site.down")), run.finish(tries=2)])
    assert keys(journal) == []


def test_a_later_attempt_counts(journal: Journal) -> None:
    run = RunFactory()
    journal.append([run.started(), run.finish(outcome=found("site.down")), run.finish(attempt=2)])
    assert keys(journal) == []


def test_items_are_judged_together(journal: Journal) -> None:
    run = RunFactory("run0", start=day(0))
    journal.append([run.started(), *(run.finish(item=str(n), outcome=found(f"page.{n}")) for n in range(3))])
    assert keys(journal) == [("page.0", "site"), ("page.1", "site"), ("page.2", "site")]
    run = RunFactory("run1", start=day(1))
    journal.append([run.started(), run.finish(item="0", outcome=found("page.1")), run.finish(item="1")])
    assert keys(journal) == [("page.1", "site")]


def test_a_failed_task_may_report_too(journal: Journal) -> None:
    problems = found("dump.empty").problems
    observe(journal, 0, Outcome(Status.FAILED, problems=problems))
    assert keys(journal) == [("dump.empty", "site")]


def test_one_playbook_may_be_asked_for(journal: Journal) -> None:
    observe(journal, 0, found("a"))
    observe(journal, 1, found("b"), playbook="other")
    assert (keys(journal, "care"), keys(journal, "other"), keys(journal, "none")) == (
        [("a", "site")],
        [("b", "site")],
        [],
    )


def test_the_worst_come_first_then_the_oldest(journal: Journal) -> None:
    severities = [("b", Severity.MINOR), ("c", Severity.CRITICAL), ("d", Severity.MAJOR), ("a", Severity.CRITICAL)]
    for number, (key, severity) in enumerate(severities):
        observe(journal, number, found(key, severity=severity), task=key)
    assert [key for key, _ in keys(journal)] == ["c", "a", "d", "b"]


def test_a_thousand_runs_are_judged_quickly(journal: Journal) -> None:
    events = []
    for number in range(1000):
        run = RunFactory(f"run{number:04}", start=START + timedelta(hours=number))
        events.append(run.started())
        for target in range(10):
            outcome = found("site.slow") if target % 2 else Outcome(Status.OK)
            events.append(run.finish(target=f"site{target}", outcome=outcome))
    journal.append(events)
    began = time.monotonic()
    problems = open_problems(journal)
    assert time.monotonic() - began < 1
    assert [problem.target for problem in problems] == [f"site{target}" for target in range(1, 10, 2)]
    assert {problem.last_seen - problem.first_seen for problem in problems} == {timedelta(hours=999)}
