"""`sop problems`: the register of problems; what is open, and what a person accepts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import click

from runner.commands.clock import take_clock
from runner.commands.options import format_option, inventory_option, records_option
from runner.contract import Severity
from runner.errors import refuse
from runner.languages import translate
from runner.record.evidence import EvidenceStore
from runner.record.journal import Journal, open_journal
from runner.record.problems import KnownProblem, State, find_problem, problems, unsolved_problems
from runner.record.register import problem_document, register_document
from runner.screen import print_json, show, show_paged, width
from runner.screen.register import render_problem, render_register

ACTIVE = frozenset({State.OPEN, State.HANDLED})
_FILE = click.Path(path_type=Path)


def mark_options(function: Callable[..., int]) -> Callable[..., int]:
    """Which problem is meant, why, and who says so."""
    for option in reversed(
        (
            click.argument("key"),
            click.option("--reason", default="", help="Why; it goes into the record."),
            click.option("--target", default=None, help="The target, where several have it."),
            click.option("--evidence", "files", multiple=True, type=_FILE, help="A file that shows why; repeatable."),
            click.option("--paper", type=_FILE, help="The scan of a paper that the person signed."),
            click.option("--person", default="", help="Who it is: with --paper needed, else it must be this login's."),
            inventory_option(),
            records_option(),
        )
    ):
        function = option(function)
    return function


@click.group("problems", invoke_without_command=True)
@click.option("--all", "every", is_flag=True, help="Also those that were accepted or are solved.")
@click.option(
    "--state",
    "states",
    multiple=True,
    type=click.Choice([str(each) for each in State]),
    help="Only in this state; repeatable.",
)
@click.option("--severity", type=click.Choice([str(each) for each in Severity]), help="Only as bad as this, or worse.")
@click.option("--target", default=None, help="Only on this target.")
@click.option("--playbook", default=None, help="Only found by this playbook.")
@records_option()
@format_option()
@click.pass_context
def command(
    context: click.Context,
    every: bool,
    states: Sequence[str],
    severity: str | None,
    target: str | None,
    playbook: str | None,
    records: Path,
    form: str,
) -> int:
    """Show the problems that are open or in somebody's hands, the worst first."""
    if context.invoked_subcommand:
        return 0
    wanted = frozenset(State) if every else frozenset(map(State, states)) or ACTIVE
    journal = open_journal(records)
    known = _known(journal, playbook, solved=State.SOLVED in wanted) if journal else ()
    known = tuple(each for each in known if _fits(each, severity, target))
    found = [each for each in known if each.state in wanted]
    if form == "json":
        print_json(register_document(found))
    elif found:
        show_paged(render_register(found, width()) + translate(_left_out(known, wanted)))
    else:
        show_paged(translate("no problem is open" + _left_out(known, wanted)))
    return 0


@command.command("show", short_help="one problem, with its past and what solved it")
@click.argument("key")
@click.option("--target", default=None, help="The target, where several have it.")
@records_option()
@format_option()
def show_problem(key: str, target: str | None, records: Path, form: str) -> int:
    """Show the problem KEY: evidence, who has it in hand, past occurrences, and what solved them."""
    from runner.record.solutions import find_solutions

    journal = Journal.open(records, create=False)
    problem = find_problem(problems(journal, now=take_clock().now()), key, target)
    if form == "json":
        print_json(problem_document(problem))
        return 0
    store = EvidenceStore(records)
    lost = [fault for each in problem.evidence if (fault := store.verify(each))]
    show_paged("\n".join(render_problem(problem, find_solutions(journal, problem), lost, width())))
    return 0


@command.command("accept", short_help="live with a problem, with a reason and a name")
@mark_options
@click.option("--until", default="", help="The last day (2026-12-31); without it, until the problem is gone.")
def accept(key: str, reason: str, until: str, target: str | None, records: Path, **asked: object) -> int:
    """Accept the problem KEY in your own name, with a reason: nobody is asked to solve it until it is gone.

    With --until it is accepted up to that day, also where it comes and goes. What grows worse is open again.
    """
    from runner.commands.marking import mark_problem, parse_last_day

    journal = Journal.open(records, create=False)
    problem = find_problem(unsolved_problems(journal, now=take_clock().now()), key, target)
    mark = mark_problem(journal, problem, State.ACCEPTED, reason, parse_last_day(until), **asked)  # type: ignore[arg-type]  # click
    held = f" until {until}" if until else " until it is gone"
    show(f"{mark.person}: {problem.key} is accepted{held}, recorded")
    return 0


@command.command("reopen", short_help="take an acceptance back")
@mark_options
def reopen(key: str, reason: str, target: str | None, records: Path, **asked: object) -> int:
    """Take back, in your own name and with a reason, that the problem KEY was accepted."""
    from runner.commands.marking import mark_problem

    journal = Journal.open(records, create=False)
    problem = find_problem(unsolved_problems(journal, now=take_clock().now()), key, target)
    if problem.state is not State.ACCEPTED:
        raise refuse(key, f"it is not accepted but {problem.state}", "see 'sop problems show'")
    mark = mark_problem(journal, problem, State.OPEN, reason, None, **asked)  # type: ignore[arg-type]  # click
    show(f"{mark.person}: {problem.key} is open again, recorded")
    return 0


def _known(journal: Journal, playbook: str | None, *, solved: bool) -> tuple[KnownProblem, ...]:
    now = take_clock().now()
    return problems(journal, playbook=playbook, now=now) if solved else unsolved_problems(journal, playbook, now=now)


def _fits(problem: KnownProblem, severity: str | None, target: str | None) -> bool:
    order = list(Severity)
    grave = severity is None or order.index(problem.severity) >= order.index(Severity(severity))
    return grave and target in (None, problem.target)


def _left_out(known: Sequence[KnownProblem], wanted: frozenset[State]) -> str:
    accepted = sum(each.state is State.ACCEPTED for each in known)
    return f"\n{accepted} accepted: sop problems --state accepted" if accepted and State.ACCEPTED not in wanted else ""
