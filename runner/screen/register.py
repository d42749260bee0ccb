"""The register of problems on a terminal: a table with what is to be known of each, and one problem in full."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from runner.languages import translate
from runner.messages import render_minute
from runner.posts import say_roles
from runner.record.problems import KnownProblem, Past, State
from runner.record.solutions import Solution
from runner.screen.tables import coloured, named, one_line, printable, render_table, tell

HEADERS = ("severity", "state", "target", "since", "key")


def render_register(problems: Sequence[KnownProblem], width: int) -> str:
    """Given problems, return them as a table at most `width` columns wide, each with its message and what goes on."""
    rows = [
        [
            coloured(problem.severity),
            named(problem.state),
            printable(problem.target or ""),
            render_minute(problem.first_seen),
            printable(problem.key),
        ]
        for problem in problems
    ]
    return render_table(HEADERS, rows, width, [translate("\n".join(_notes(problem))) for problem in problems])


def render_problem(
    problem: KnownProblem, solutions: Sequence[Solution], lost: Sequence[str], width: int
) -> Iterator[str]:
    """Given a problem, what solved it before, and what is wrong with its evidence, give its lines."""
    where = f" on {printable(problem.target)}" if problem.target else ""
    yield translate(f"{printable(problem.key)}{where}: {coloured(problem.severity)}, {named(problem.state)}")
    yield from tell(printable(problem.message), width)
    times = f"{problem.times} time{'s' if problem.times > 1 else ''}"
    seen = f"seen {times}, first {render_minute(problem.first_seen)}, last {render_minute(problem.last_seen)}"
    yield from tell(f"{seen}, by {problem.step}/{problem.task} of run {problem.run}", width)
    yield from (line for note in _standing(problem) for line in tell(note, width))
    for each in problem.evidence:
        yield from (*tell(f"evidence: {printable(each.name)}", width), f"    {each.sha256}")
    yield from (line for fault in lost for line in tell(f"! {one_line(fault)}", width))
    for past in problem.earlier:
        yield from tell(f"before: {_past(past)}", width)
    for solution in solutions:
        yield from (line for told in _solution(solution) for line in tell(told, width, indent="    "))


def _notes(problem: KnownProblem) -> Iterator[str]:
    yield one_line(problem.message)
    yield from _standing(problem)
    if problem.earlier:
        count = len(problem.earlier)
        yield f"it was there {count} time{'s' if count > 1 else ''} before, last {_past(problem.earlier[0])}"


def _standing(problem: KnownProblem) -> Iterator[str]:
    if holder := problem.holder:
        waits = f", waits for {printable(', '.join(map(say_roles, holder.roles)))}" if holder.roles else ""
        yield f"in hand since {render_minute(holder.since)}: run {holder.run}, step {holder.step or '-'}{waits}"
    if accepted := problem.accepted:
        until = f" until {render_minute(accepted.until)}" if accepted.until else ""
        yield f"accepted by {one_line(accepted.person)}{until}: {one_line(accepted.reason)}"
    if problem.state is State.SOLVED and problem.solved_at:
        by = f"by run {problem.solved_by}" if problem.solved_by else "by itself"
        yield f"gone since {render_minute(problem.solved_at)}, {by}; run {problem.gone_in} saw it no more"


def _past(past: Past) -> str:
    by = f"solved by run {past.solved_by}" if past.solved_by else "gone by itself"
    return f"from {render_minute(past.first_seen)} to {render_minute(past.solved_at)}, {by}"


def _solution(solution: Solution) -> Iterator[str]:
    yield f"what solved it on {render_minute(solution.solved_at)} (sop show {solution.run}):"
    for remark in solution.remarks:
        yield f"    {remark.step}, {one_line(remark.person)}: {one_line(remark.note)}"
    if solution.changes:
        yield f"    changed by: {printable(', '.join(solution.changes))}"
