"""What one lane goes through: the steps of a stretch, each as soon as all that it waits for is done.

A resumed run goes the same way again: what was done is taken from its progress, the rest is asked for.
"""

from __future__ import annotations

from collections.abc import Sequence

from runner.contract import Outcome
from runner.engine.branches import Branches, Several, Way
from runner.engine.course import Ask, Course, Lane, Move, Turn
from runner.engine.steps import StepFlow
from runner.plan import PlannedStep


class Flow:
    """One lane's way through some steps: the guide through their branches."""

    def __init__(self, course: Course, lane: Lane, steps: Sequence[PlannedStep]) -> None:
        self._course = course
        self._lane = lane
        self._steps = {planned.id: planned for planned in steps}
        self._order = course.order.among(self._steps)
        self._moves: dict[str, Move] = {}

    def go(self) -> Several[Move | None]:
        """Go through the steps; return where a decision or failure leads out of them, None for straight on."""
        way = yield from Branches(self._order, self, self._course.done).go()
        self._lane.waiting = way.waits
        return way.leaves

    def begin(self, name: str) -> Several[Way]:
        """Do the step of that id. What runs once has a lane for each step, as others may run beside it."""
        lane = self._lane if self._lane.target else Lane(None)
        way = yield from StepFlow(self._course, lane, self._steps[name]).go()
        move = way.leaves
        if move and lane.target is None:
            if not self._course.goes_back(move.source, move.to):
                self._course.follow(move)
                way = Way()
            elif move.to in self._order.before:
                self._moves[name] = move
                way = Way(back=move.to)
        if way == Way() and lane.target is None:
            self._course.done.add(name)
        return way

    def turn(self, name: str, way: Way) -> Turn | None:
        """Wait, among branches that run once, until what leads back is the next that the record has, or new to it."""
        move = way.leaves or self._moves[name]
        return None if self._lane.target else self._course.back_in_turn(self._course.key_of(move))

    def go_back(self, name: str, way: Way) -> frozenset[str]:
        """Begin a new attempt of the steps from there on."""
        return self._course.follow(self._moves.pop(name))

    def lose(self, name: str, ask: Ask, outcome: Outcome) -> None:
        """A new attempt does again what ended after its branch was left."""
