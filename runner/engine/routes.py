"""Where it goes on: after a failure, after no connection, and after a decision."""

from __future__ import annotations

from runner.contract import Outcome, Status
from runner.engine.course import Course, Lane, Move
from runner.events import Key, Kind
from runner.plan import PlannedStep
from runner.playbook import Conduct

STOPPING = (Status.FAILED, Status.TIMED_OUT, Status.INTERRUPTED)


class Routes:
    """The ways of one lane."""

    def __init__(self, course: Course, lane: Lane) -> None:
        self._course = course
        self._lane = lane

    def take(self, conduct: Conduct, key: Key, outcome: Outcome) -> None:
        """Stop the lane, or lead it elsewhere, as `on_failure` and `on_unreachable` say."""
        lane, course = self._lane, self._course
        if outcome.status is Status.UNREACHABLE:
            route = conduct.on_unreachable
            lane.unreachable = route.kind != "continue"
        elif outcome.status in STOPPING:
            route = conduct.on_failure
        else:
            return
        if route.kind == "continue" or lane.stopped or course.halted:
            return
        lane.stopped, lane.stopped_in = f"'{key.task or key.step}' is {outcome.status}", key.step
        lane.leads_to = route.step
        if lane.target is None and not route.step:
            course.halted = lane.stopped

    def leave(self, planned: PlannedStep, decided: Outcome | None) -> Move | None:
        """Where a step leads: what a failure in it asked for, else what was decided."""
        to, why = self._lane.leads_to, self._lane.stopped
        if to:
            self._lane.leads_to = ""
            return self._lead(planned, to, why)
        if decided is None or decided.status is not Status.OK or planned.decision is None:
            return None
        route = planned.decision.answers[str(decided.outputs["label"])]
        return None if route.kind == "next" else Move(planned.id, route.step or route.kind, decided.message)

    def _lead(self, planned: PlannedStep, to: str, why: str) -> Move | None:
        """Lead on from a failure: a new attempt for all, or forward, alone where other targets go their own way."""
        course, lane = self._course, self._lane
        back = course.goes_back(planned.id, to)
        if back and not course.dry and not course.may_go_back(planned.id):
            course.halted = why if lane.target is None else course.halted
            return None
        lane.stopped = ""
        if course.dry:  # every way is looked at, one after the other
            return None
        if back or lane.target is None:
            return Move(planned.id, to, why)
        lane.skip_until = to
        key = Key(planned.id, course.attempts.get(planned.id, 1), "", lane.name, "", 0)
        course.say_once(Kind.MOVED, key, {"to": to, "back": False, "why": why})
        return None
