"""`person.sign`: the holder of a role signs, under the holder's own name; until then the run waits."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from runner.actions.people.asking import build_asking
from runner.contract import Call, Request


def ask(call: Call) -> Request:
    """Given a call, return what is asked for: the signature."""
    subject = _subject(call.inputs.get("document"))
    return Request(call.inputs["role"], call.inputs["question"], ("signed", "returned"), subject)


def _subject(document: Any) -> str:
    """SHA-256 of what is signed: a document's own where it names one, else of its text."""
    if document is None:
        return ""
    if isinstance(document, dict) and isinstance(document.get("sha256"), str):
        return str(document["sha256"])
    text = document if isinstance(document, str) else json.dumps(document, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


ACTION = build_asking(
    "person.sign",
    "The holder of a role signs what is put before him or her; the run waits until then.",
    {
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
    ask,
    asked="asked to sign",
    example="""\
- id: sign
  action: person.sign
  actor: kasubbag
  with: {document: "{{ steps.report.report }}"}
""",
)
