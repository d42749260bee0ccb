"""What `sop run` and `sop plan` share: a playbook bound to what was asked for, and the lists of what it would touch."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from runner.binding import Bound, Documents, bind
from runner.commands.clock import take_clock
from runner.commands.execute import Options, earlier_values
from runner.commands.options import find_inventories, parse_extra, parse_names
from runner.plan import Plan, Selection
from runner.record.journal import open_journal


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
    said: dict[str, Any] = {"limit": selection.limit, "only": list(only), "from": selection.start, "variables": extra}
    if asked.get("scheduled"):
        said["scheduled"] = True
    return bound, Options(asked["records"], asked["forks"], said, explicit_steps(said, bound.plan))


def explicit_steps(said: Mapping[str, Any], plan: Plan) -> frozenset[str]:
    """The steps that somebody asked for by name, so that they run though no problem is open."""
    if said.get("scheduled"):
        return frozenset()
    after = plan.playbook.after_problems
    return frozenset(said["only"]) | (after if said["from"] in after else frozenset())


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
