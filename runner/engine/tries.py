"""One task on one target until it is settled: its tries, its interruption, the person it waits for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runner.contract import Effect, Evidence, Outcome, Repeat, Request, Status
from runner.engine.acts import Act
from runner.engine.course import Course, Lane, Pause, Tasks
from runner.events import Key
from runner.playbook import Retry

INTERRUPTED_ANSWERS = ("repeat", "done", "failed")


class Tries:
    """Settles acts of one lane; what was done is taken from its progress."""

    def __init__(self, course: Course, lane: Lane) -> None:
        self._course = course
        self._progress = course.progress
        self._lane = lane

    def settle(self, act: Act, retry: Retry) -> Tasks:
        """Given the first try of a task, return the outcome of its last."""
        left = retry.count
        while True:
            outcome = yield from self._try(act)
            if outcome.status is Status.INTERRUPTED:
                settled = self._resolve(act, _following(act))
                if isinstance(settled, Outcome):
                    return settled
                act = settled
            elif outcome.status in retry.on and left and not self._course.dry:
                left -= 1
                act = _following(act)
                if act.key not in self._progress.finished:
                    yield Pause(retry.pause)
            elif act.key in self._progress.masked and act.action.repeat is Repeat.SAFE and not act.action.person:
                act = _following(act)  # what was masked in the record is made again
            else:
                return outcome

    def last_finished(self, key: Key) -> Outcome | None:
        """Given the key of a task's first try, return the outcome of the last one that finished before."""
        last = None
        while key in self._progress.finished:
            last, key = self._progress.finished[key], key._replace(tries=key.tries + 1)
        return last

    def _try(self, act: Act) -> Tasks:
        if act.key in self._progress.finished:
            return self._progress.finished[act.key]
        if act.action.person:
            return (yield from self._person(act))
        if act.key in self._progress.claimed:
            cut_off = Outcome(Status.INTERRUPTED, message="the run was cut off while this was being done")
            return self._course.record(act.key, act.action.name, cut_off, act.item)
        return (yield act)

    def _resolve(self, act: Act, following: Act) -> Outcome | Act:
        """What was in flight when the run was cut off: do it again, look whether it was done, or ask a person."""
        if act.effect is Effect.READ or act.action.repeat is Repeat.SAFE:
            return following
        if act.action.repeat is Repeat.PROBE:
            return following._replace(mode="probe")
        answer = self._progress.answers.get(act.key)
        if answer is None:
            question = f"'{act.key.task}' was cut off and is not repeated unseen. Was it done?"
            return self._wait(act, Request("", question, INTERRUPTED_ANSWERS))
        if answer["label"] == "repeat":
            return following
        status = Status.OK if answer["label"] == "done" else Status.FAILED
        outcome = Outcome(status, message=f"{answer['person']}: {answer['label']}. {answer['note']}".strip())
        return self._course.record(following.key, act.action.name, outcome, act.item)

    def _person(self, act: Act) -> Tasks:
        answer = self._progress.answers.get(act.key)
        if answer is not None:
            return self._course.record(act.key, act.action.name, answered(answer), act.item)
        if act.key in self._progress.requested:
            self._lane.waiting = True
            return Outcome(Status.WAITING)
        outcome = yield act
        return self._wait(act, outcome.request) if outcome.request else outcome

    def _wait(self, act: Act, request: Request) -> Outcome:
        self._lane.waiting = True
        self._course.ask(act.key, act.action.name, request, act.item)
        return Outcome(Status.WAITING, request=request)


def _following(act: Act) -> Act:
    return act._replace(key=act.key._replace(tries=act.key.tries + 1))


def answered(answer: Mapping[str, Any]) -> Outcome:
    """Given a person's answer as recorded, return the outcome of what was asked."""
    outputs = {name: answer[name] for name in ("person", "label", "method", "note", "at")}
    return Outcome(
        Status.OK,
        outputs=outputs,
        evidence=tuple(Evidence(**each) for each in answer.get("evidence") or ()),
        deviations=tuple(answer.get("deviations") or ()),
        message=f"{answer['person']}: {answer['label']}",
    )
