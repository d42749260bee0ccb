"""`person.do`: a person does something outside the machine and reports it; until then the run waits."""

from __future__ import annotations

from runner.actions.people.asking import build_asking
from runner.contract import Call, Request


def ask(call: Call) -> Request:
    """Given a call, return what is asked for: the work."""
    return Request(call.inputs["role"], call.inputs["question"], tuple(call.inputs["answers"]))


ACTION = build_asking(
    "person.do",
    "The holder of a role does something and reports it; the run waits until then.",
    {
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
    ask,
    asked="asked to do it",
    example="""\
- id: repair
  action: person.do
  actor: admin
  with: {question: Lakukan pemecahan masalah., answers: [mandiri, pihak ketiga]}
""",
)
