"""Where it goes on: after a failure, after no connection, and after a decision."""

from __future__ import annotations

from runner.contract import Outcome, Status
from runner.engine.course import Course, Lane, Move
from runner.events import Key
from runner.plan import PlannedStep
from runner.playbook import DEFAULT_ROUNDS, Conduct

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

    def decided(self, planned: PlannedStep, outcome: Outcome | None) -> Move | None:
        """Where the answer to a step's decision leads; None for straight on."""
        if outcome is None or outcome.status is not Status.OK or planned.decision is None:
            return None
        if outcome.outputs.get("to"):
            return Move(planned.id, str(outcome.outputs["to"]), reason_of(outcome))
        route = planned.decision.answers[str(outcome.outputs["label"])]
        move = Move(planned.id, route.step or route.kind, outcome.message, entry=route.task)
        return None if route.kind == "next" else move

    def failed(self, planned: PlannedStep) -> Move | None:
        """Where a failure in the step leads: to a new attempt for all, or forward, alone where other targets go their
        own way; None where it leads nowhere."""
        course, lane = self._course, self._lane
        to, why, lane.leads_to = lane.leads_to, lane.stopped, ""
        if not to:
            return None
        back = course.goes_back(planned.id, to)
        rounds = planned.decision.rounds if planned.decision else DEFAULT_ROUNDS
        if back and not course.dry and not course.may_go_back(planned.id, rounds=rounds):
            course.halted = why if lane.target is None else course.halted
            return None
        lane.stopped = ""
        if course.dry:  # every way is looked at, one after the other
            return None
        if back or lane.target is None:
            return Move(planned.id, to, why)
        lane.passed.add(planned.id, to, course.order.follows(planned.id) - course.again(to))
        key = Key(planned.id, course.attempts.get(planned.id, 1), "", lane.name, "", 0)
        course.move_once(key, {"to": to, "back": False, "why": why, "again": []})
        return None


def reason_of(outcome: Outcome) -> str:
    """Why something was returned, as its person wrote."""
    return f"{outcome.message}. {outcome.outputs.get('note') or ''}".rstrip(". ")
