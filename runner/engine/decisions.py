"""Decisions: by a value or by a person, with a bound on how often they may send back."""

from __future__ import annotations

from dataclasses import replace

from runner.contract import Outcome, Reason, Request, Status
from runner.engine.course import Course, Lane
from runner.engine.filling import fill, skipped
from runner.engine.scope import Scope
from runner.engine.tries import answered
from runner.events import Key
from runner.plan import PlannedStep
from runner.playbook import Decision

DECIDE = "decide"


class Decisions:
    """The decisions of one lane."""

    def __init__(self, course: Course, lane: Lane) -> None:
        self._course = course
        self._lane = lane

    def decide(self, planned: PlannedStep, key: Key, scope: Scope) -> Outcome:
        """Given a step that decides, return the outcome: its label, or that it waits for a person."""
        assert planned.decision is not None
        course, decision = self._course, planned.decision
        key = key._replace(task=DECIDE, tries=1)
        if course.dry:
            message = f"{decision.question} Every answer is looked at: {', '.join(decision.answers)}"
            return course.record(key, DECIDE, skipped(Reason.PREVIEWED, message))
        if key in course.progress.finished:
            return course.progress.finished[key]
        if planned.decision_value:
            label, refused = fill(planned.decision_value, scope)
            made = Outcome(Status.OK, outputs={"label": label}, message=f"{decision.question} {label}")
            return course.record(key, DECIDE, refused or self._checked(planned.id, decision, made))
        if key in course.progress.answers:
            made = answered(course.progress.answers[key])
            return course.record(key, DECIDE, self._checked(planned.id, decision, made))
        role = planned.deciders[0]
        request = Request(role, decision.question, tuple(decision.answers))
        self._lane.waiting = True
        course.ask(key, DECIDE, request)
        return Outcome(Status.WAITING, request=request)

    def _checked(self, step: str, decision: Decision, made: Outcome) -> Outcome:
        label = str(made.outputs.get("label"))
        route = decision.answers.get(label)
        if route is None:
            why = f"'{label}' is none of the answers: {', '.join(decision.answers)}"
        elif route.step and self._course.goes_back(step, route.step) and not self._course.may_go_back(step):
            why = f"it was sent back more than {decision.rounds} times"
        else:
            return made
        return replace(made, status=Status.FAILED, message=why)
