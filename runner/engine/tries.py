"""One task on one target until it is settled: its tries, its interruption, the person it waits for."""

from __future__ import annotations

from runner.contract import Effect, Outcome, Repeat, Request, Status
from runner.engine.acts import Act
from runner.engine.answers import answered
from runner.engine.course import Course, Pause, Strand, Tasks
from runner.events import Key
from runner.playbook import Retry

INTERRUPTED_ANSWERS = ("repeat", "done", "failed")


class Tries:
    """Settles acts; what was done is taken from the run's progress."""

    def __init__(self, course: Course) -> None:
        self._course = course
        self._progress = course.progress

    def settle(self, act: Act, retry: Retry) -> Strand[tuple[Outcome, Key]]:
        """Given the first try of a task, return the outcome of its last, and the key of that."""
        left = retry.count
        while True:
            outcome = yield from self._try(act)
            if outcome.status is Status.INTERRUPTED:
                settled = self._resolve(act, _following(act))
                if isinstance(settled, Outcome):
                    return settled, act.key
                act = settled
            elif outcome.status in retry.on and left and not self._course.dry:
                left -= 1
                act = _following(act)
                if act.key not in self._progress.finished:
                    yield Pause(retry.pause)
            elif act.key in self._progress.masked and act.action.repeat is Repeat.SAFE and not act.action.person:
                act = _following(act)  # what was masked in the record is made again
            else:
                return outcome, act.key

    def last_finished(self, key: Key, retry: Retry) -> Outcome | None:
        """Given the key of a task's first try, return the outcome of the last one that finished before."""
        last, left = None, retry.count
        while key in self._progress.finished:
            last = self._progress.finished[key]
            left -= last.status in retry.on
            done_again = last.status is Status.INTERRUPTED or key in self._progress.masked
            if not done_again and (last.status not in retry.on or left < 0):
                break
            key = key._replace(tries=key.tries + 1)
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
            outcome = self._course.check_return(act.key, answered(answer))
            return self._course.record(act.key, act.action.name, outcome, act.item)
        if act.key in self._progress.requested:
            return Outcome(Status.WAITING)
        outcome = yield act
        return self._wait(act, outcome.request) if outcome.request else outcome

    def _wait(self, act: Act, request: Request) -> Outcome:
        self._course.ask(act.key, act.action.name, request, act.item)
        return Outcome(Status.WAITING, request=request)


def _following(act: Act) -> Act:
    return act._replace(key=act.key._replace(tries=act.key.tries + 1), ahead=())
