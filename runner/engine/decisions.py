"""Decisions: by a value or by persons, with a bound on how often they may send back."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from runner.contract import Outcome, Reason, Request, Status
from runner.engine.answers import answered, join, with_role
from runner.engine.course import Course
from runner.engine.filling import fill, skipped
from runner.engine.scope import Scope
from runner.events import Key
from runner.inputs import Compiled
from runner.plan import PlannedStep, PlannedTask
from runner.playbook import Decision, Route
from runner.posts import say_roles

DECIDE = "decide"


class Asked(NamedTuple):
    """A decision to be made: its key, what answers it (a value, or the holders of those roles), and its task (None
    where it ends the step)."""

    key: Key
    decision: Decision
    value: Compiled | None
    roles: tuple[str, ...]
    task: PlannedTask | None = None

    @property
    def keys(self) -> tuple[Key, ...]:
        """The keys of its outcomes: one, or one for each of several who decide together."""
        return tuple(with_role(self.key, role) for role in self.roles) if len(self.roles) > 1 else (self.key,)


def ask_step(planned: PlannedStep, key: Key) -> Asked:
    """The decision at the end of a step."""
    assert planned.decision is not None
    key = key._replace(task=DECIDE, tries=1)
    return Asked(key, planned.decision, planned.decision_value, planned.deciders)


class Decisions:
    """Makes decisions."""

    def __init__(self, course: Course) -> None:
        self._course = course

    def is_made(self, asked: Asked) -> bool:
        """Whether the record has it already, or knows that it was asked for."""
        progress = self._course.progress
        return all(key in progress.finished or key in progress.requested for key in asked.keys)

    def decide(self, asked: Asked, scope: Scope) -> Outcome:
        """Given a decision, return the outcome: its label, or that it waits for a person."""
        if len(asked.keys) == 1:
            return self._one(asked, asked.key, next(iter(asked.roles), ""), scope)
        labels = [*asked.decision.answers]
        outcomes = {key: self._one(asked, key, role, scope) for key, role in zip(asked.keys, asked.roles, strict=True)}

        def rank(key: Key, label: str) -> tuple[int, int]:
            return self._severity(asked, asked.decision.answers[label]), labels.index(label)

        return join(outcomes, rank)

    def _one(self, asked: Asked, key: Key, role: str, scope: Scope) -> Outcome:
        course, decision = self._course, asked.decision
        item = role if len(asked.keys) > 1 else None
        if course.dry:
            who = say_roles(role) if role else "a value"
            labels = ", ".join(decision.answers)
            message = f"{who} would decide; every answer is looked at ({labels}): {decision.question}"
            return course.record(key, DECIDE, skipped(Reason.PREVIEWED, message), item)
        if key in course.progress.finished:
            return course.progress.finished[key]
        if asked.value:
            label, refused = fill(asked.value, scope)
            made = Outcome(Status.OK, outputs={"label": label}, message=f"{decision.question} {label}")
            return course.record(key, DECIDE, refused or self._checked(asked, made), item)
        answer = course.progress.answers.get(key)
        if answer is not None:
            made = answered(answer)
            checked = course.check_return(key, made) if "to" in made.outputs else self._checked(asked, made)
            return course.record(key, DECIDE, checked, item)
        request = Request(role, decision.question, tuple(decision.answers))
        course.ask(key, DECIDE, request, item)
        return Outcome(Status.WAITING, request=request)

    def _checked(self, asked: Asked, made: Outcome) -> Outcome:
        decision, task = asked.decision, asked.task.id if asked.task else ""
        label = str(made.outputs.get("label"))
        route = decision.answers.get(label)
        if route is None:
            why = f"'{label}' is none of the answers: {', '.join(decision.answers)}"
        elif self._goes_back(asked, route) and not self._course.may_go_back(asked.key.step, task, decision.rounds):
            why = f"it was sent back more than {decision.rounds} times"
        else:
            return made
        return replace(made, status=Status.FAILED, message=why)

    def _goes_back(self, asked: Asked, route: Route) -> bool:
        if route.kind == "task" and asked.task:
            planned = next(each for each in self._course.plan.steps if each.id == asked.key.step)
            return route.task not in planned.order.follows(asked.task.id)
        return bool(route.step) and self._course.goes_back(asked.key.step, route.step)

    def _severity(self, asked: Asked, route: Route) -> int:
        """Which of different answers counts: one that sends back, before one that ends, before one that goes on."""
        if self._goes_back(asked, route):
            return 3
        return {"out": 2, "end": 1}.get(route.kind, 0)
