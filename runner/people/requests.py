"""Finding what waits, and whether an answer to it may be taken: the reasons for which it is refused."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from runner.contract import Evidence, Status
from runner.errors import Refused, did_you_mean, refuse
from runner.expressions import parse_template
from runner.messages import readable, render_minute
from runner.plan import Plan
from runner.posts import split_roles
from runner.record.document import Answer, OpenRequest, Record
from runner.record.evidence import EvidenceStore
from runner.record.statements import RETURNED

LONGEST_NOTE = 10_000


class Act(NamedTuple):
    """What a person answers: the label, a note, the step that it is returned to ("" for none), the files put to it."""

    label: str
    note: str = ""
    to: str = ""
    evidence: tuple[Evidence, ...] = ()


class Place(NamedTuple):
    """Where an answer is wanted: a step, and what tells its requests apart ("" and None: whichever it is)."""

    step: str
    task: str = ""
    target: str | None = None
    role: str = ""

    def covers(self, request: OpenRequest) -> bool:
        """Whether a request waits at this place."""
        key = request.key
        return (
            key.step == self.step
            and self.task in ("", key.task)
            and self.target in (None, key.target)
            and (self.role in ("", request.request.role) or self.role in split_roles(request.request.role))
        )


def find_request(record: Record, place: Place, mine: Callable[[str], bool] = lambda role: False) -> OpenRequest:
    """Given a record and a place, return the request that waits there; of several that wait for different roles the one
    that is `mine`. Raise Refused, with why, unless it is one."""
    found = [request for request in record.requests if place.covers(request)]
    if not found:
        raise _nothing_waits(record, place.step, place.task)
    own = [request for request in found if mine(request.request.role)]
    if len(found) > 1 and len(own) != 1:
        names = ", ".join(dict.fromkeys(_told_apart(each, found) for each in found))
        raise refuse(record.run, f"step '{place.step}' waits for several answers", f"add one of: {names}")
    return own[0] if own and len(found) > 1 else found[0]


def _told_apart(request: OpenRequest, others: Sequence[OpenRequest]) -> str:
    words = [f"--task {request.key.task}"] if len({each.key.task for each in others}) > 1 else []
    words += [f"--target {request.key.target}"] if len({each.key.target for each in others}) > 1 else []
    words += [f"--role {request.request.role}"] if len({each.request.role for each in others}) > 1 else []
    return " ".join(words) or f"--task {request.key.task}"


def _nothing_waits(record: Record, step: str, task: str) -> Refused:
    message = f"nothing waits for a person in step '{step}'"
    waiting = {request.key.step for request in record.requests}
    answered = [each for each in record.answers if each.key.step == step and task in ("", each.key.task)]
    if cancelled := record.cancelled:
        who = f"{cancelled.person} cancelled this run on {render_minute(cancelled.at)}: {cancelled.reason}"
        return refuse(record.run, f"{message}: {who}", "begin a new one")
    if answered and step not in waiting:
        return refuse(record.run, f"{message}: {_told(answered[-1])}", "an answer stands; see 'sop show'")
    if record.status == Status.WAITING and not waiting:
        return refuse(record.run, f"{message} yet: what came before is answered", f"sop resume {record.run}")
    if record.ended and not waiting:
        return refuse(record.run, f"{message}: this run has ended ({record.status})", "see 'sop status'")
    return refuse(record.run, message, did_you_mean(step, waiting) if waiting else "see 'sop status'")


def _told(answer: Answer) -> str:
    return f"{answer.person} answered '{answer.label}' on {render_minute(answer.at)}"


def clean_note(text: str) -> str:
    """Given what a person typed, return it as it is recorded: lines of printable text."""
    return "\n".join(readable(line, " ") for line in text.split("\n")).strip()


def choose_act(plan: Plan, request: OpenRequest, answer: str | None, note: str, to: str) -> Act:
    """Given what was typed, return the act. Raise Refused where it is none of the answers, or lacks its reason."""
    note = clean_note(note)
    if len(note) > LONGEST_NOTE:
        message = f"{len(note)} characters, at most {LONGEST_NOTE} are kept"
        raise refuse("--note", message, "put it into a file, and add that with --evidence")
    if to:
        _check_return(plan, request, answer, to)
    label = RETURNED if to else _label(request, answer)
    if not note and label == RETURNED:
        raise refuse("--note", "it is missing; a return needs its reason", "--note 'what is to be corrected'")
    if not note and _gives_note(plan, request):
        raise refuse("--note", f"it is missing; it is what step '{request.key.step}' gives", "--note 'what was done'")
    return Act(label, note, to)


def _label(request: OpenRequest, answer: str | None) -> str:
    answers = request.request.answers
    if answer is None and answers:
        answer = answers[0] if len(answers) == 1 else None
    if answer is None or (answers and answer not in answers):
        given = f"'{answer}' is none of the answers" if answer else "an answer is needed"
        question = request.request.question.rstrip(".")
        raise refuse("--answer", f"{given} to: {question}", f"write one of: {', '.join(answers)}")
    return answer


def _check_return(plan: Plan, request: OpenRequest, answer: str | None, to: str) -> None:
    """Raise Refused where a step cannot be returned to: only from this one back, and only those that this run does."""
    if answer not in (None, RETURNED):
        raise refuse("--return-to", f"it was returned, and answered '{answer}'", "leave one of them out")
    chosen = {step.id: step.selected for step in plan.steps}
    earlier = plan.returnable(request.key.step)
    if to not in chosen:
        raise refuse("--return-to", f"there is no step '{to}'", did_you_mean(to, earlier))
    if to not in earlier:
        why = "does not come before it" if chosen[to] else "is not part of this run"
        raise refuse("--return-to", f"step '{to}' {why}", f"write one of: {', '.join(earlier)}")


def _gives_note(plan: Plan, request: OpenRequest) -> bool:
    """Whether an output of the step is the note of this answer."""
    step = next((each.step for each in plan.steps if each.id == request.key.step), None)
    wanted = (request.key.task, "note")
    templates = [parse_template(output.value) for output in step.outputs] if step else []
    references = [each for template in templates for one in template.expressions for each in one.references]
    return any(each.root == "tasks" and each.path[:2] == wanted for each in references)


def check_subject(record: Record, store: EvidenceStore, request: OpenRequest) -> None:
    """Raise Refused where the document that is put before the person is not what the record keeps any more."""
    subject = request.request.subject
    for kept in (kept for step in (*record.steps, *record.attempts) for kept in step.evidence):
        if kept.sha256 == subject and (fault := store.verify(kept)):
            raise refuse(kept.name, f"what is to be signed is not what was reported: {fault}", "see 'sop verify'")
