"""Answers as events: built from who answers what, signed by SSH where it is asked for, recorded once."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from runner.contract import Evidence
from runner.errors import Failed, refuse
from runner.events import Event, Kind
from runner.people.hands import check_hands
from runner.people.requests import Act, Place, find_request
from runner.people.signers import Signer
from runner.record import build_record
from runner.record.document import OpenRequest
from runner.record.evidence import EvidenceStore
from runner.record.folder import gate, make_folder
from runner.record.journal import Journal
from runner.record.statements import FORM, LARGEST_STATEMENT, build_statement, render_statement
from runner.signatures import LARGEST_SIGNATURE, check_signature, parse_key

LONGEST_JOURNAL = 2**62
_DIFFERS = "it was made for another answer: {name} is {found!r} there, and {wanted!r} here"


class Head(NamedTuple):
    """The last record of the chain when a statement was made, and when that was."""

    record: int
    sha256: str
    made: str


def build_answer(run: str, request: OpenRequest, signer: Signer, act: Act, now: datetime) -> Event:
    """Given who answers a request with what, return the event, without deviations and signature."""
    key = request.key
    data = {
        "role": signer.role,
        "person": signer.name,
        "acting": signer.acting,
        "decree": signer.decree,
        "label": act.label,
        "to": act.to,
        "method": signer.method,
        "note": act.note,
        "subject": request.request.subject,
        "evidence": [each._asdict() for each in act.evidence],
        "deviations": [],
        "signature": dict(signer.proof),
        "at": now.isoformat(),
    }
    return Event(Kind.ANSWERED, run, now, key.step, key.attempt, key.task, key.target, key.item, key.tries, data)


def state(event: Event, question: str, head: Head) -> Event:
    """Given an answer, return it with what its statement needs besides."""
    more = {
        "question": question,
        "made": head.made,
        "head": {"record": head.record, "sha256": head.sha256},
        "attached": len(event.data["evidence"]),
    }
    return replace(event, data={**event.data, "signature": {**event.data["signature"], **more}})


def add_signature(event: Event, signature: bytes, store: EvidenceStore) -> Event:
    """Given an answer whose statement was signed, return it with both kept. Raise Refused where it does not hold."""
    statement, key = render_statement(event), parse_key(event.data["signature"]["key"])
    if fault := check_signature(key, statement, signature):
        raise refuse("--signature", f"it does not hold: {fault}", "sign the statement that --to-sign writes")
    name = f"{event.step}-{event.task}"
    text = store.keep(f"{name}.txt", statement, "text/plain")
    kept = store.keep(f"{name}.txt.sig", signature, "text/plain")
    data = event.data
    proof = {**data["signature"], "statement": text.sha256, "sha256": kept.sha256}
    return replace(event, data={**data, "signature": proof, "evidence": [*data["evidence"], *_plain(text, kept)]})


def _plain(*evidence: Evidence) -> list[dict[str, Any]]:
    return [each._asdict() for each in evidence]


def read_statement(path: Path) -> dict[str, Any]:
    """Given the file that --to-sign wrote, return what it says. Raise Refused where it is no such statement."""
    try:
        found = json.loads(read_bounded(path, LARGEST_STATEMENT))
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or found.get("form") != FORM:
        raise refuse(str(path), "it is no statement of an answer", "sign the file that --to-sign writes, as it is")
    return found


def head_of(found: Mapping[str, Any]) -> Head:
    """Given a statement, return the head that it names. Raise Refused where it names none."""
    head = found.get("head")
    record = head.get("record") if isinstance(head, dict) else None
    if not isinstance(head, dict) or not isinstance(record, int):
        raise refuse(
            "--signature", "'head' is not that of a chain", "make a new statement with --to-sign, and sign that"
        )
    return Head(record, str(head.get("sha256")), str(found.get("made")))


def attached(found: Mapping[str, Any]) -> tuple[Evidence, ...]:
    """Given a statement, return the files that it names. Raise Refused where they cannot be told."""
    written = found.get("evidence")
    forms = {"name": str, "sha256": str, "size": int, "media_type": str}
    listed: list[Any] = written if isinstance(written, list) else [written]
    for each in listed:
        if not isinstance(each, dict) or {name: type(value) for name, value in each.items()} != forms:
            raise refuse("--signature", "its list of evidence cannot be read", "make a new statement with --to-sign")
    return tuple(Evidence(**each) for each in listed)


def check_stated(found: Mapping[str, Any], event: Event) -> None:
    """Raise Refused, naming what differs, where a statement that was signed is not that of this answer."""
    wanted = json.loads(json.dumps(build_statement(event)))
    for name, value in wanted.items():
        if found.get(name) != value:
            message = _DIFFERS.format(name=f"'{name}'", found=found.get(name), wanted=value)
            raise refuse("--signature", message[:500], "make a new statement with --to-sign, and sign that")


def check_head(journal: Journal, request_at: int, head: Head) -> None:
    """Raise Refused where a statement's head is not in this journal, at or after the request."""
    if not request_at <= head.record < LONGEST_JOURNAL or journal.hash_of(head.record) != head.sha256:
        message = "it was made for another journal, or before this was asked"
        raise refuse("--signature", message, "make a new statement with --to-sign, and sign that")


def read_bounded(path: Path, most: int = LARGEST_SIGNATURE) -> bytes:
    """Given a small file, return its bytes. Raise Failed where it is none, cannot be read, or is larger than `most`."""
    try:
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
            data = file.read(most + 1)
    except OSError as error:
        raise Failed(f"{path}: {error.strerror}. check the path") from error
    if len(data) > most:
        raise Failed(f"{path}: larger than {most} bytes. name the file that was meant")
    return data


def record_once(journal: Journal, event: Event, request: OpenRequest) -> None:
    """Record what was made of a request, unless someone else acted on it meanwhile: then raise Refused."""
    folder = journal.records / "evidence"
    make_folder(folder)
    with gate(folder):
        record = build_record(journal.events(event.run))
        if request not in record.requests:
            find_request(record, Place(request.key.step, request.key.task, request.key.target, request.request.role))
            raise refuse(event.run, "what is asked has changed meanwhile", "see 'sop status'")
        check_hands(record, event)
        journal.append([event])
