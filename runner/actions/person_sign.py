"""`person.sign`: the holder of a role signs, under the holder's own name; until then the run waits."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from runner.contract import ANSWER_OUTPUTS, Action, Call, Effect, Outcome, Preview, Reach, Repeat, Request, Status

ROLE: dict[str, Any] = {
    "type": "string",
    "optional": True,
    "description": "the role that must act; without it the task's or step's actor",
    "examples": ["kasubbag"],
}


def run(call: Call) -> Outcome:
    """Ask for the signature."""
    document = call.inputs.get("document")
    request = Request(call.inputs["role"], call.inputs["question"], ("signed", "returned"), _subject(document))
    return Outcome(Status.WAITING, request=request)


def preview(call: Call) -> Preview:
    """Say who would be asked for what."""
    return Preview(f"{call.inputs['role']} would be asked to sign: {call.inputs['question']}")


def _subject(document: Any) -> str:
    """SHA-256 of what is signed: a document's own where it names one, else of its text."""
    if document is None:
        return ""
    if isinstance(document, dict) and isinstance(document.get("sha256"), str):
        return str(document["sha256"])
    text = document if isinstance(document, str) else json.dumps(document, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


ACTION = Action(
    name="person.sign",
    description="The holder of a role signs what is put before him or her; the run waits until then.",
    inputs={
        "role": ROLE,
        "question": {
            "type": "string",
            "default": "Mohon ditandatangani.",
            "description": "what is asked of the person",
            "examples": ["Mohon laporan situasi ini diperiksa dan ditandatangani."],
        },
        "document": {
            "type": ["object", "array", "string"],
            "optional": True,
            "description": "what is signed: a kept document, to whose SHA-256 the signature is bound",
            "examples": ["{{ steps.report.report }}"],
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
- id: sign
  action: person.sign
  actor: kasubbag
  with: {document: "{{ steps.report.report }}"}
""",
)
