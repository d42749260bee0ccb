"""`sop run`: carry out a playbook."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from runner.binding import Bound, Documents, bind
from runner.commands.clock import take_clock
from runner.commands.execute import Options, carry_out, earlier_values
from runner.commands.options import find_inventories, parse_extra, parse_names, selection_options
from runner.commands.plan import rehearse_and_show
from runner.errors import RunnerError
from runner.plan import Plan, Selection
from runner.record.document import Record
from runner.record.journal import open_journal
from runner.screen import print_json, show
from runner.screen.watching import Screen


@click.command("run")
@click.argument("playbook", type=click.Path(path_type=Path))
@selection_options
@click.option("-C", "--check", "dry", is_flag=True, help="A dry run, as sop plan.")
@click.option("-D", "--diff", is_flag=True, help="With --check: show what would change in files.")
def command(playbook: Path, dry: bool, diff: bool, **asked: Any) -> int:
    """Carry out a playbook."""
    bound, options = prepare(playbook, **asked)
    if asked["list_steps"] or asked["list_targets"]:
        return show_lists(bound.plan, steps=asked["list_steps"], targets=asked["list_targets"])
    if dry:
        return rehearse_and_show(bound, options, form=asked["form"], verbose=asked["verbose"], diff=diff)
    with Screen.for_run(bound.plan, form=asked["form"], verbose=asked["verbose"]) as screen:
        record = carry_out(bound, options, screen.listen, stopping=screen.say_stopping)
    return finish(record, screen, form=asked["form"], records=options.records)


def prepare(playbook: Path, **asked: Any) -> tuple[Bound, Options]:
    """Given a request's options, return the bound plan and what a run needs besides."""
    extra = parse_extra(asked["extra"])
    only = parse_names(asked["only"])
    selection = Selection(asked["limit"], only, asked["start"], extra)
    journal = open_journal(asked["records"])
    find = earlier_values(journal, playbook.stem)
    bound = bind(
        Documents(playbook, find_inventories(asked["inventories"])),
        selection,
        now=take_clock().now(),
        earlier=lambda step, target: find(step, target) is not None,
    )
    said = {"limit": selection.limit, "only": list(only), "from": selection.start, "variables": extra}
    return bound, Options(asked["records"], asked["forks"], said, explicit_steps(said, bound.plan))


def explicit_steps(said: Mapping[str, Any], plan: Plan) -> frozenset[str]:
    """The steps that were asked for by name, so that they run though no problem is open."""
    after = plan.playbook.after_problems
    return frozenset(said["only"]) | (after if said["from"] in after else frozenset())


def finish(record: Record, screen: Screen, *, form: str, records: Path) -> int:
    """Show how a run ended and return its exit code."""
    if form == "text":
        screen.show_record(record, records)
        return record.exit_code
    try:
        print_json(record.document())
    except RunnerError as error:
        show(f"{error}: sop show {record.run} --format json", err=True)
    return record.exit_code


def show_lists(plan: Plan, *, steps: bool, targets: bool) -> int:
    """Name the steps, the targets, or both."""
    for step in plan.steps:
        if not step.selected:
            continue
        reached = ", ".join(target.name for target in step.targets if target)
        if steps:
            click.echo(f"{step.id}: {reached}" if targets and reached else step.id)
    if targets and not steps:
        names = dict.fromkeys(t.name for s in plan.steps if s.selected for t in s.targets if t)
        click.echo("".join(f"{name}\n" for name in names), nl=False)  # at once: each echo is flushed
    return 0
