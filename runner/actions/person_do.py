"""`person.do`: a person does something outside the machine and reports it; until then the run waits."""

from __future__ import annotations

from runner.actions.person_sign import ROLE
from runner.contract import ANSWER_OUTPUTS, Action, Call, Effect, Outcome, Preview, Reach, Repeat, Request, Status


def run(call: Call) -> Outcome:
    """Ask for the work."""
    answers = tuple(call.inputs["answers"])
    return Outcome(Status.WAITING, request=Request(call.inputs["role"], call.inputs["question"], answers))


def preview(call: Call) -> Preview:
    """Say who would be asked for what."""
    return Preview(f"{call.inputs['role']} would be asked: {call.inputs['question']}")


ACTION = Action(
    name="person.do",
    description="The holder of a role does something and reports it; the run waits until then.",
    inputs={
        "role": ROLE,
        "question": {
            "type": "string",
            "description": "what is to be done",
            "examples": ["Lakukan pemecahan masalah, lalu catat hasilnya."],
        },
        "answers": {
            "type": "array",
            "minItems": 1,
            "items": {"type": "string"},
            "default": ["done"],
            "description": "the labels to choose from",
            "examples": [["mandiri", "pihak ketiga"]],
        },
    },
    outputs=ANSWER_OUTPUTS,
    effect=Effect.OUTSIDE,
    repeat=Repeat.SAFE,
    reach=Reach.CONTROLLER,
    limit="1m",
    run=run,
    preview=preview,
    targets=("",),
    person=True,
    example="""\
- id: repair
  action: person.do
  actor: admin
  with: {question: Lakukan pemecahan masalah., answers: [mandiri, pihak ketiga]}
""",
)
