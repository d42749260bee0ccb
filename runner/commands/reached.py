"""Which servers a plan reaches."""

from __future__ import annotations

from runner.contract import Reach
from runner.inventory import Target
from runner.plan import Plan


def servers_of(plan: Plan) -> set[Target]:
    """The servers that a plan's selected steps reach."""
    found = {plan.inventory.server_of(t) for step in plan.steps if step.selected for t in step.targets if t}
    for step in plan.steps:
        found |= servers_of(step.child) if step.selected and step.child else set()
    return {server for server in found if server}


def first_servers(plan: Plan, forks: int) -> set[Target]:
    """The servers that a plan surely reaches at once, with its first task, and over no jump host."""
    step = next((step for step in plan.steps if step.selected), None)
    if step is None or not step.tasks or step.when or step.tasks[0].when:
        return set()
    at_once = step.targets[:forks] if step.tasks[0].action.reach is Reach.SERVER else ()
    found = {server for target in at_once if target and (server := plan.inventory.server_of(target))}
    return {server for server in found if "jump" not in server.settings}
