"""Who acts: the roles that a playbook names, and whether somebody holds them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from runner.contract import Action
from runner.errors import Mistake, did_you_mean
from runner.inventory import Inventory
from runner.playbook import Playbook, Step, Task, Where
from runner.playbook.escalation import parse_rung
from runner.posts import join_roles, say_roles, split_roles


class Roles:
    """The roles of one playbook on one day; mistakes are added to `mistakes`."""

    def __init__(self, playbook: Playbook, inventory: Inventory, today: date, mistakes: list[Mistake]) -> None:
        self._source = playbook.source
        self._names: Mapping[str, str] = playbook.procedure.get("roles", {})
        self._supplement = {step: _tuple(actors) for step, actors in playbook.supplement.get("actors", {}).items()}
        self._outside: Sequence[str] = playbook.supplement.get("outside", ())
        self._inventory = inventory
        self._today = today
        self._mistakes = mistakes

    def acting(self, step: Step) -> tuple[str, ...]:
        """The roles that carry out a step: those on the form, else those of the supplement."""
        return step.actors or self._supplement.get(step.id, ())

    def check(self) -> None:
        """Note the roles of the supplement that the procedure does not have."""
        for place, role in enumerate(self._outside):
            self.check_role(role, ("supplement", "outside", place))
        for step, actors in self._supplement.items():
            for role in actors:
                self.check_role(role, ("supplement", "actors", step))

    def check_ladder(self, ladder: Sequence[Mapping[str, Any]]) -> None:
        """Note of the rungs of `supplement.escalation` a time, role or channel that is none."""
        for place, written in enumerate(ladder):
            where = ("supplement", "escalation", place)
            try:
                rung = parse_rung(written, place + 1)
            except ValueError as error:
                at = "before" if "before" in written else "overdue"
                self._mistakes.append(self._source.mistake((*where, at), str(error)))
                continue
            for role in rung.roles:
                if role in self._inventory.roles or self.check_role(role, (*where, "to")):
                    self._check_held(role, (*where, "to"))
            known = self._inventory.channels
            for name in (name for name in rung.channels if name not in known):
                cure = did_you_mean(name, known) or "define it under channels: in the inventory"
                self._mistakes.append(self._source.mistake((*where, "channels"), f"there is no channel '{name}'", cure))

    def check_role(self, role: str, where: Where) -> bool:
        """Note a role that the procedure does not have; return whether it has it."""
        unknown = [each for each in split_roles(role) if each not in self._names]
        for each in unknown:
            cure = did_you_mean(each, self._names) or "add it to procedure: roles:"
            self._mistakes.append(self._source.mistake(where, f"there is no role '{each}'", cure))
        return not unknown

    def check_holder(self, role: str, where: Where) -> None:
        """Note that nobody is named to act, or that nobody holds the role today."""
        if not role:
            self._mistakes.append(self._source.mistake(where, "nobody is named to act here", "write role: or actor:"))
        elif self.check_role(role, where):
            self._check_held(role, where)

    def _check_held(self, role: str, where: Where) -> None:
        if not self._is_outside(role) and not self._is_held(role):
            message = f"nobody holds the role '{say_roles(role)}' on {self._today.isoformat()}"
            cure = "add a person with this role under people: in the inventory"
            self._mistakes.append(self._source.mistake(where, message, cure))

    def check_task(self, step: Step, task: Task, action: Action) -> tuple[str, ...]:
        """Return the roles that must act in a task that waits for people, and check them; none for other tasks."""
        if "role" not in action.inputs:
            return ()
        if "role" in task.inputs:
            roles: tuple[str, ...] = (str(task.inputs["role"]),)
            where: Where = (*task.where, "with", "role")
        else:
            roles, where = self._named(step, task, (*task.where, "action"))
        for role in roles:
            self.check_holder(role, where)
        return roles

    def check_decision(self, step: Step, task: Task | None = None) -> tuple[str, ...]:
        """Return the roles that must decide, where a decision waits for people, and check them."""
        decision = task.decision if task else step.decision
        if decision is None or decision.value:
            return ()
        where = (*(task.where if task else step.where), "decide")
        own = [task.actors] if task else [step.actors, step.actors[:1]]
        if decision.actors:
            roles = decision.actors
            place = self._place(step, where, task) if roles in own else (*where, "actor")
        else:
            roles, place = self._named(step, task, where)
        for role in roles:
            self.check_holder(role, place)
        return roles

    def _named(self, step: Step, task: Task | None, otherwise: Where) -> tuple[tuple[str, ...], Where]:
        """The actors of a task, else the first of its step's, and where they are written."""
        if task and task.actors:
            return task.actors, (*task.where, "actor")
        return (self._first(step),), self._place(step, otherwise)

    def _is_held(self, role: str) -> bool:
        return bool(self._inventory.holders(role, self._today))

    def _is_outside(self, role: str) -> bool:
        return all(each in self._outside for each in split_roles(role))

    def _first(self, step: Step) -> str:
        return next(iter(self.acting(step)), "")

    def _place(self, step: Step, otherwise: Where, task: Task | None = None) -> Where:
        """Where the actors of a task, or else of its step, are written."""
        if task and task.actors:
            return (*task.where, "actor")
        if step.actors:
            return (*step.where, "actor")
        return ("supplement", "actors", step.id) if step.id in self._supplement else otherwise


def _tuple(actors: Any) -> tuple[str, ...]:
    if isinstance(actors, Mapping):
        return (join_roles(actors["any_of"]),)
    return (actors,) if isinstance(actors, str) else tuple(actors or ())
