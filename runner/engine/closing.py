"""The end of a step on one lane: its outputs, the time it used, and where it departed from the procedure."""

from __future__ import annotations

from typing import Any

from runner.contract import FINISHED_WELL, Outcome, Status, worst
from runner.engine.course import Course, Lane
from runner.engine.filling import fill
from runner.engine.scope import UNCHECKED, Scope, StepValue
from runner.events import Key, Kind
from runner.plan import PlannedStep

INCLUDE = "include"


class Closing:
    """Ends a step: says what it gave, and keeps that for later steps."""

    def __init__(self, course: Course, lane: Lane, planned: PlannedStep) -> None:
        self._course = course
        self._lane = lane
        self._planned = planned

    def finish(self, key: Key, outcomes: list[Outcome], scope: Scope, refused: Outcome | None) -> None:
        """Given a step's outcomes and what its outputs read, say how it ended; `refused` is why nothing was done.

        What still waits for a person when a step is left, because it goes back, is not waited for any more.
        """
        values = scope.tasks
        outcomes = [outcome for outcome in outcomes if outcome.status is not Status.WAITING]
        if refused and refused.reason in UNCHECKED:
            values.unchecked.update(task.id for task in self._planned.tasks)
        status = worst([outcome.status for outcome in outcomes])
        outputs, lacking = self._outputs(scope)
        only = outcomes[0] if len(outcomes) == 1 else None
        used, late = self._used(key)
        deviations = [d for outcome in outcomes for d in outcome.deviations] + late
        if status in FINISHED_WELL:
            deviations += [f"no_output: {name}" for name in lacking]
        data = {
            "status": str(status),
            "reason": str(only.reason) if only and only.reason else None,
            "message": only.message if only and (refused or status is Status.SKIPPED) else "",
            "used_seconds": used,
            "outputs": outputs,
            "deviations": deviations,
            "earlier": list(self._course.values.notes(self._lane.target)),
        }
        self._course.say_once(Kind.STEP_FINISHED, key, data)
        self._course.statuses[key.step, self._lane.name] = status
        left_open = frozenset([*lacking, "status"] if values.unchecked else lacking)
        value = StepValue(status, outputs, left_open if self._course.dry else frozenset())
        self._course.values.add(key.step, self._lane.name, value)

    def _outputs(self, scope: Scope) -> tuple[dict[str, Any], list[str]]:
        included = scope.tasks.outputs.get(INCLUDE, {})
        outputs = {name: value for name, value in included.items() if name not in ("status", "message")}
        promised = self._planned.step.include.outputs if self._planned.step.include else ()
        lacking = [name for name in promised if name not in outputs]
        for output, compiled in self._planned.outputs:
            value, refused = fill(compiled, scope)
            if refused:
                lacking.append(output.id)
            else:
                outputs[output.id] = value
        return outputs, lacking

    def _used(self, key: Key) -> tuple[float, list[str]]:
        """Seconds since the step began, and the deviation where that was beyond its norm: the due time that was given
        then holds, whatever a newer list of holidays says."""
        begun = (Kind.STEP_STARTED, key.step, key.attempt, key.target)
        started = self._course.progress.said.get(begun)
        if started is None:
            return 0.0, []
        now = self._course.now()
        due = self._course.progress.due.get(begun)
        late = [f"late: {due.isoformat(timespec='minutes')}"] if due and now > due else []
        return round((now - started).total_seconds(), 3), late
