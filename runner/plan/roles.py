"""Who acts: the roles that a playbook names, and whether somebody holds them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from runner.contract import Action
from runner.errors import Mistake, did_you_mean
from runner.inventory import Inventory
from runner.playbook import Playbook, Step, Task, Where


class Roles:
    """The roles of one playbook on one day; mistakes are added to `mistakes`."""

    def __init__(self, playbook: Playbook, inventory: Inventory, today: date, mistakes: list[Mistake]) -> None:
        self._source = playbook.source
        self._names: Mapping[str, str] = playbook.procedure.get("roles", {})
        self._supplement = {step: _tuple(actors) for step, actors in playbook.supplement.get("actors", {}).items()}
        self._inventory = inventory
        self._today = today
        self._mistakes = mistakes

    def acting(self, step: Step) -> tuple[str, ...]:
        """The roles that carry out a step: those on the form, else those of the supplement."""
        return step.actors or self._supplement.get(step.id, ())

    def check(self) -> None:
        """Note the roles of the supplement that the procedure does not have."""
        for step, actors in self._supplement.items():
            for role in actors:
                self.check_role(role, ("supplement", "actors", step))

    def check_role(self, role: str, where: Where) -> bool:
        """Note a role that the procedure does not have; return whether it has it."""
        if role in self._names:
            return True
        cure = did_you_mean(role, self._names) or "add it to procedure: roles:"
        self._mistakes.append(self._source.mistake(where, f"there is no role '{role}'", cure))
        return False

    def check_holder(self, role: str, where: Where) -> None:
        """Note that nobody is named to act, or that nobody holds the role today."""
        if not role:
            self._mistakes.append(self._source.mistake(where, "nobody is named to act here", "write role: or actor:"))
        elif self.check_role(role, where) and not self._inventory.holders(role, self._today):
            message = f"nobody holds the role '{role}' on {self._today.isoformat()}"
            cure = "add a person with this role under people: in the inventory"
            self._mistakes.append(self._source.mistake(where, message, cure))

    def check_task(self, step: Step, task: Task, action: Action) -> str:
        """Return the role that must act in a task that waits for a person, and check it; "" for other tasks."""
        if "role" not in action.inputs:
            return ""
        if "role" in task.inputs:
            role, where = str(task.inputs["role"]), (*task.where, "with", "role")
        elif task.actors:
            role, where = task.actors[0], (*task.where, "actor")
        else:
            role, where = self._first(step), self._place(step, (*task.where, "action"))
        self.check_holder(role, where)
        return role

    def check_decision(self, step: Step) -> None:
        """Check the role that must decide, where a step's decision waits for a person."""
        decision = step.decision
        if decision is None or decision.value:
            return
        role = decision.actor or self._first(step)
        where = (*step.where, "decide")
        named = decision.actor and decision.actor not in step.actors
        self.check_holder(role, (*where, "actor") if named else self._place(step, where))

    def _first(self, step: Step) -> str:
        return next(iter(self.acting(step)), "")

    def _place(self, step: Step, otherwise: Where) -> Where:
        """Where a step's own actors are written."""
        if step.actors:
            return (*step.where, "actor")
        return ("supplement", "actors", step.id) if step.id in self._supplement else otherwise


def _tuple(actors: Any) -> tuple[str, ...]:
    return (actors,) if isinstance(actors, str) else tuple(actors or ())
