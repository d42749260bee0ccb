"""The register of problems: who has one in hand, what a person accepted, what solved it, and what it was before."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.contract import Outcome, Severity, Status
from runner.events import Event, Key
from runner.record import problems as register
from runner.record.journal import Journal
from runner.record.locks import Locks
from runner.record.marks import Mark, State
from runner.record.period import Period
from runner.record.problems import KnownProblem, open_problems, problems, unheld, unsolved_problems
from runner.record.recalling import accepted_problems
from runner.record.unfinished import find_holder
from tests.event_factory import START, RunFactory, found

DOWN = ("site.down", "site")


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with Journal.open(tmp_path / "records") as journal:
        yield journal


def day(number: float) -> datetime:
    return START + timedelta(days=number)


def observe(journal: Journal, number: int, outcome: Outcome | None = None, **place: object) -> None:
    """One run, on that day, whose watching task ended so."""
    run = RunFactory(f"watch{number}", start=day(number))
    journal.append([run.started(), run.finish(outcome=outcome, **place), run.ended()])  # type: ignore[arg-type]  # place


def taken(run: RunFactory, *faults: tuple[str, str | None], at: datetime) -> list[Event]:
    return [Mark(key, target, State.HANDLED, run.run, at).event() for key, target in faults or (DOWN,)]


def take_up(journal: Journal, number: float, name: str = "solve") -> RunFactory:
    """A run that took the problem up on that day and waits for the secretary."""
    run = RunFactory(name, start=day(number))
    journal.append([run.started(["solution"]), *taken(run, at=day(number)), run.step_started("solution", None)])
    journal.append([run.requested(step="solution"), run.ended(Status.WAITING, 3)])
    return run


def finish(journal: Journal, run: RunFactory) -> None:
    journal.append([run.answered(step="solution"), run.resumed(), run.finish("sign", "solution", None)])
    journal.append([run.step_finished("solution", None), run.ended()])


def accept(journal: Journal, number: float, **fields: object) -> None:
    mark = Mark("site.down", "site", State.ACCEPTED, "watch0", day(number), "Siti", "siti", reason="pindah hosting")
    journal.append([mark._replace(**fields).event()])  # type: ignore[arg-type]  # fields


def only(journal: Journal, now: datetime | None = None) -> KnownProblem:
    (problem,) = problems(journal, now=now)
    return problem


def test_what_a_run_takes_up_is_in_its_hands(journal: Journal) -> None:
    observe(journal, 0, found("site.down"))
    take_up(journal, 1)
    problem = only(journal)
    assert problem.state is State.HANDLED
    assert problem.holder is not None
    assert (problem.holder.run, problem.holder.step, problem.holder.roles) == ("solve", "solution", ("sekretaris",))
    assert problem.holder.since == day(1)
    assert unheld(journal, day(2)) == ()
    assert [each.state for each in open_problems(journal)] == [State.HANDLED]


def test_a_run_that_has_many_in_hand_is_read_once(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"site.fault{number}" for number in range(50)]
    observe(journal, 0, found(*names))
    run = RunFactory("solve", start=day(1))
    marks = [taken(run, (name, "site"), at=day(1 + number / 1000))[0] for number, name in enumerate(names)]
    journal.append([run.started(["solution"]), *marks, run.step_started("solution", None)])
    journal.append([run.requested(step="solution"), run.ended(Status.WAITING, 3)])
    asked = []
    monkeypatch.setattr(register, "find_holder", lambda *given: asked.append(given) or find_holder(*given))
    known = problems(journal)
    assert sorted(each.holder.since for each in known if each.holder) == [mark.at for mark in marks]
    assert len(asked) == 1


def test_what_others_found_meanwhile_is_in_nobody_s_hands(journal: Journal) -> None:
    observe(journal, 0, found("site.down"))
    take_up(journal, 1)
    observe(journal, 2, found("site.down", "tls.expiry"))
    assert unheld(journal, day(3)) == (("tls.expiry", "site"),)


def test_at_the_end_of_its_run_a_problem_is_open_until_its_watcher_sees_it_no_more(journal: Journal) -> None:
    observe(journal, 0, found("site.down"))
    finish(journal, take_up(journal, 1))
    assert only(journal).state is State.OPEN
    assert unheld(journal, day(2)) == (DOWN,)
    observe(journal, 2, Outcome(Status.UNREACHABLE))
    assert only(journal).state is State.OPEN
    observe(journal, 3)
    problem = only(journal)
    assert (problem.state, problem.solved_by, problem.gone_in) == (State.SOLVED, "solve", "watch3")
    assert problem.solved_at == day(3) + timedelta(seconds=2)
    assert open_problems(journal) == ()


def test_what_is_gone_while_it_is_in_hand_is_solved(journal: Journal) -> None:
    observe(journal, 0, found("site.down"))
    take_up(journal, 1)
    observe(journal, 2)
    assert (only(journal).state, only(journal).solved_by) == (State.SOLVED, "solve")


def test_what_went_by_itself_was_solved_by_nobody(journal: Journal) -> None:
    observe(journal, 0, found("site.down"))
    observe(journal, 1)
    assert (only(journal).state, only(journal).solved_by) == (State.SOLVED, "")


def test_a_run_that_was_cut_off_holds_nothing_unless_its_process_lives(journal: Journal) -> None:
    observe(journal, 0, found("site.down"))
    run = RunFactory("cut", start=day(1))
    journal.append([run.started(), *taken(run, at=day(1)), run.step_started()])
    assert only(journal).state is State.OPEN
    with Locks(journal.records).acquire("cut", "care", [("check", None)], "budi"):
        assert only(journal).state is State.HANDLED
    assert only(journal).state is State.OPEN


def test_one_that_returns_is_linked_to_its_past(journal: Journal) -> None:
    observe(journal, 0, found("site.down"))
    finish(journal, take_up(journal, 1))
    observe(journal, 2)
    for number in (5, 6):
        observe(journal, number, found("site.down"))
    problem = only(journal)
    assert (problem.state, problem.first_seen.date(), problem.times) == (State.OPEN, day(5).date(), 2)
    (past,) = problem.earlier
    assert (past.first_seen.date(), past.solved_at.date(), past.times) == (day(0).date(), day(2).date(), 1)
    assert (past.solved_by, past.gone_in) == ("solve", "watch2")
    assert open_problems(journal) == (problem,)


def test_what_a_person_accepted_is_accepted_until_it_is_gone(journal: Journal) -> None:
    observe(journal, 0, found("site.down"))
    accept(journal, 1)
    problem = only(journal)
    assert problem.state is State.ACCEPTED
    assert problem.accepted is not None
    assert (problem.accepted.person, problem.accepted.reason) == ("Siti", "pindah hosting")
    assert open_problems(journal) == ()
    assert unheld(journal, day(2)) == ()
    observe(journal, 2)
    observe(journal, 3, found("site.down"))
    assert only(journal).state is State.OPEN, "another occurrence was not accepted"


def test_an_acceptance_until_a_day_holds_over_recurrences_and_ends_then(journal: Journal) -> None:
    observe(journal, 0, found("site.down"))
    accept(journal, 1, until=day(10))
    observe(journal, 2)
    observe(journal, 3, found("site.down"))
    assert only(journal, day(9)).state is State.ACCEPTED
    assert only(journal, day(10)).state is State.OPEN
    assert only(journal).state is State.ACCEPTED, "judged at the last record, whatever the clock says now"


def test_what_grew_worse_is_not_accepted(journal: Journal) -> None:
    observe(journal, 0, found("site.down", severity=Severity.MINOR))
    accept(journal, 1, severity=Severity.MINOR)
    assert only(journal).state is State.ACCEPTED
    observe(journal, 2, found("site.down", severity=Severity.CRITICAL))
    assert only(journal).state is State.OPEN


def test_what_was_opened_again_is_open(journal: Journal) -> None:
    observe(journal, 0, found("site.down"))
    accept(journal, 1)
    accept(journal, 2, state=State.OPEN)
    assert only(journal).state is State.OPEN
    accept(journal, 3)
    assert only(journal).state is State.ACCEPTED


def test_a_task_recalls_what_people_accepted_of_its_own_problems(journal: Journal) -> None:
    seen = found("site.down")
    observe(journal, 0, replace(seen, outputs={"hash": "first"}))
    observe(journal, 1, replace(seen, outputs={"hash": "second"}))
    accept(journal, 2, run="watch1", reason="pembaruan sah")
    observe(journal, 3, found("other"), task="other")
    key = Key("check", 1, "probe", "site", "", 1)
    (accepted,) = accepted_problems(journal, "care", key)
    assert (accepted["key"], accepted["person"], accepted["reason"]) == ("site.down", "Siti", "pembaruan sah")
    assert (accepted["run"], accepted["outputs"]) == ("watch1", {"hash": "second"})
    for other in (key._replace(task="other"), key._replace(target="site2"), key._replace(step="x")):
        assert accepted_problems(journal, "care", other) == []
    assert accepted_problems(journal, "another", key) == []
    accept(journal, 4, run="watch1", state=State.OPEN)
    assert accepted_problems(journal, "care", key) == []


def test_marks_do_not_change_the_run_that_they_name(journal: Journal) -> None:
    from runner.record import build_record

    observe(journal, 0, found("site.down"))
    before = build_record(journal.events("watch0"))
    accept(journal, 1)
    assert build_record(journal.events("watch0")) == before
    assert journal.verify() == []


def test_a_period_has_what_was_there_at_some_time_in_it(journal: Journal) -> None:
    observe(journal, 0, found("a", "b"))
    observe(journal, 2, found("b", "c"))
    observe(journal, 4, found("d"))

    def keys(first: float, last: float) -> list[tuple[str, State]]:
        return [(problem.key, problem.state) for problem in problems(journal, Period(day(first), day(last)))]

    assert keys(-2, -1) == []
    assert keys(0, 1) == [("a", State.SOLVED), ("b", State.SOLVED)]
    assert keys(3, 4) == [("b", State.SOLVED), ("c", State.SOLVED)]
    assert keys(5, 6) == [("d", State.OPEN)]


def test_items_that_could_not_tell_end_nothing(journal: Journal) -> None:
    observe(journal, 0, found("page.1"), item="1")
    run = RunFactory("later", start=day(1))
    unreachable = Outcome(Status.UNREACHABLE)
    journal.append([run.started(), run.finish(item="0"), run.finish(item="1", outcome=unreachable), run.ended()])
    assert only(journal).state is State.OPEN
    run = RunFactory("mixed", start=day(2))
    journal.append([run.started(), run.finish(item="0", outcome=found("page.0"))])
    journal.append([run.finish(item="1", outcome=unreachable), run.ended()])
    assert [problem.key for problem in open_problems(journal)] == ["page.1", "page.0"]
    run = RunFactory("tried", start=day(3))
    journal.append([run.started(), run.finish(item="0"), run.finish(item="1", outcome=unreachable)])
    journal.append([run.finish(item="1", tries=2), run.ended()])
    assert open_problems(journal) == ()


_OUTCOMES = st.sampled_from(
    [Outcome(Status.OK), found("a"), found("b"), found("a", "b"), Outcome(Status.FAILED), Outcome(Status.UNREACHABLE)]
)


_PLACES = (st.sampled_from(["one", "two"]), st.sampled_from(["x", "y"]), st.sampled_from(["", "0", "1"]))


@settings(max_examples=25, deadline=None)
@given(seen=st.lists(st.tuples(*_PLACES, _OUTCOMES), max_size=14))
def test_what_is_open_is_what_the_whole_register_says_and_each_outcome_counts(
    seen: list[tuple[str, str, str, Outcome]],
) -> None:
    with tempfile.TemporaryDirectory() as folder, Journal.open(Path(folder) / "records") as journal:
        there: dict[tuple[str, str], set[str]] = {}
        for number, (task, target, item, outcome) in enumerate(seen):
            observe(journal, number, outcome, task=task, target=target, item=item)
            if outcome.status is Status.OK:
                there[task, target] = {problem.key for problem in outcome.problems}
        expected = {(key, target) for (_, target), keys in there.items() for key in keys}
        every = problems(journal)
        assert {(problem.key, problem.target) for problem in every if problem.state is State.OPEN} == expected
        assert unsolved_problems(journal) == tuple(problem for problem in every if problem.state is State.OPEN)
        times = sum(problem.times + sum(past.times for past in problem.earlier) for problem in every)
        assert times == sum(len(outcome.problems) for *_, outcome in seen)


def test_names_with_markup_are_names(journal: Journal) -> None:
    hostile = "<script>alert('x')</script>\x1b[31m"
    observe(journal, 0, found(hostile, message=hostile), target=hostile)
    (problem,) = open_problems(journal)
    assert (problem.key, problem.target) == (hostile, hostile)


@pytest.mark.parametrize("together", [True, False])
def test_five_thousand_problems_in_a_month_are_told_quickly(journal: Journal, together: bool) -> None:
    names = [f"page.{number:04}" for number in range(5000)]
    events: list[Event] = []
    for number in range(4):
        run = RunFactory(f"run{number}", start=day(7 * number))
        if together:
            outcomes = [run.finish(outcome=found(*names))]
        else:
            outcomes = [run.finish(target=name, outcome=found("site.down")) for name in names]
        events += [run.started(), *outcomes, run.ended()]
    run = RunFactory("solve", start=day(29))
    faults = [(name, "site") for name in names] if together else [("site.down", name) for name in names]
    events += [run.started(), *taken(run, *faults, at=day(29)), run.requested(), run.ended(Status.WAITING, 3)]
    journal.append(events)
    began = time.process_time()
    found_now = problems(journal, Period(day(0), day(31)))
    took = time.process_time() - began
    assert len(found_now) == 5000
    assert {(problem.state, problem.times) for problem in found_now} == {(State.HANDLED, 4)}
    assert took < 4, os.getloadavg()
