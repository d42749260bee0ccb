"""`sop run`: carry out a playbook."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from runner.commands.execute import carry_out
from runner.commands.options import executor_option, selection_options
from runner.commands.plan import rehearse_and_show
from runner.commands.preparing import prepare, show_lists
from runner.errors import RunnerError
from runner.record.document import Record
from runner.screen import print_json, show
from runner.screen.watching import Screen


@click.command("run")
@click.argument("playbook", type=click.Path(path_type=Path, readable=False))
@selection_options
@executor_option()
@click.option("-C", "--check", "dry", is_flag=True, help="A dry run, as sop plan.")
@click.option("-D", "--diff", is_flag=True, help="With --check: show what would change in files.")
@click.option("--scheduled", is_flag=True, hidden=True)  # what follows problems then waits for some
def command(playbook: Path, dry: bool, diff: bool, executor: str, **asked: Any) -> int:
    """Carry out a playbook."""
    bound, options = prepare(playbook, **asked)
    if asked["list_steps"] or asked["list_targets"]:
        return show_lists(bound.plan, steps=asked["list_steps"], targets=asked["list_targets"])
    if dry:
        return rehearse_and_show(bound, options, form=asked["form"], verbose=asked["verbose"], diff=diff)
    with Screen.for_run(bound.plan, form=asked["form"], verbose=asked["verbose"]) as screen:
        whole, options = asked["form"] == "json", options.with_executor(executor)
        record = carry_out(bound, options, screen.listen, stopping=screen.say_stopping, tell=screen.tell, whole=whole)
    return finish(record, screen, form=asked["form"], records=options.records)


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
