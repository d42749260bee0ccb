"""`sop plan`: a dry run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from runner.binding import Bound
from runner.commands.execute import Options, rehearse
from runner.commands.options import selection_options
from runner.commands.preparing import prepare, show_lists
from runner.screen import print_json
from runner.screen.watching import Screen


@click.command("plan")
@click.argument("playbook", type=click.Path(path_type=Path, readable=False))
@selection_options
@click.option("-D", "--diff", is_flag=True, help="Show what would change in files.")
def command(playbook: Path, diff: bool, **asked: Any) -> int:
    """A dry run: execute what only reads, preview what changes, and say what could not be checked."""
    bound, options = prepare(playbook, **asked)
    if asked["list_steps"] or asked["list_targets"]:
        return show_lists(bound.plan, steps=asked["list_steps"], targets=asked["list_targets"])
    return rehearse_and_show(bound, options, form=asked["form"], verbose=asked["verbose"], diff=diff)


def rehearse_and_show(bound: Bound, options: Options, *, form: str, verbose: int, diff: bool) -> int:
    """Make the dry run, show what it found, and return its exit code."""
    with Screen.for_rehearsal(bound.plan, form=form, verbose=verbose) as screen:
        record, _ = rehearse(bound, options, screen.listen, stopping=screen.say_stopping)
    if form == "json":
        print_json(record.document())
    else:
        screen.show_rehearsal(record, diff=diff)
    return record.exit_code
