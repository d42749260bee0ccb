"""What a person signs: the statement of an answer, and whether the answers and signatures in a journal still hold.

The statement is JSON that a person can read: which run, step, attempt and task, what was asked and answered, the hash
of what was put before the person, and the head of the journal's chain when the statement was made. It is made from the
answer's event alone, so that whoever checks the journal makes it again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from runner.errors import RunnerError
from runner.events import Event, Key, Kind
from runner.record.evidence import EvidenceStore
from runner.record.sources import load_counted_inventory, load_kept_inventory
from runner.signatures import LARGEST_SIGNATURE, PublicKey, check_signature, parse_key

FORM = "sop answer 1"
LARGEST_STATEMENT = 256 * 1024
RETURNED = "returned"
_KEPT = ("name", "sha256", "size", "media_type")

HashOf = Callable[[int], str]  # a record's number → its hash, "" where there is none
StartOf = Callable[[str], Mapping[str, Any]]  # a run → what it said at its start, nothing where it did not


def build_statement(event: Event) -> dict[str, Any]:
    """Given an answer's event, return what is signed with it."""
    data, signature = event.data, event.data["signature"]
    return {
        "form": FORM,
        "run": event.run,
        **{name: getattr(event, name) for name in ("step", "attempt", "task", "target", "item", "tries")},
        **{name: signature[name] for name in ("question",)},
        **{name: data[name] for name in ("role", "person", "acting", "label", "to", "note", "subject")},
        "evidence": [{name: each[name] for name in _KEPT} for each in data["evidence"][: signature["attached"]]],
        "made": signature["made"],
        "head": {name: signature["head"][name] for name in ("record", "sha256")},
    }


def render_statement(event: Event) -> bytes:
    """Given an answer's event, return the bytes that are signed."""
    return (json.dumps(build_statement(event), ensure_ascii=False, indent=1) + "\n").encode()


class AnswerCheck:
    """Reads a journal's records in order and says which answers do not hold."""

    def __init__(self, store: EvidenceStore, hash_of: HashOf, start_of: StartOf) -> None:
        self._store = store
        self._hash_of = hash_of
        self._start_of = start_of
        self._asked: dict[tuple[str, Key], tuple[int, Mapping[str, Any]]] = {}

    def look(self, seq: int, kind: str, body: str) -> Iterator[str]:
        """Given a record's number, kind and body, give what is wrong with it, where it is an answer."""
        if kind not in (Kind.REQUESTED, Kind.ANSWERED):
            return
        try:
            event = Event.from_json(json.loads(body))
            if event.kind is Kind.REQUESTED:
                self._asked[event.run, event.key] = (seq, event.data)
            elif event.kind is Kind.ANSWERED:
                yield from self._faults(seq, event)
        except (ValueError, TypeError, KeyError, AttributeError):  # an altered record: the chain names it
            return

    def _faults(self, seq: int, event: Event) -> Iterator[str]:
        asked_at, asked = self._asked.get((event.run, event.key), (0, {}))
        data, signature = event.data, event.data.get("signature") or {}
        if asked_at and data.get("subject", "") != asked.get("subject", ""):
            yield "the answer is to another document than was put before the person"
        if asked_at and not data.get("to") and asked.get("answers") and data["label"] not in asked["answers"]:
            yield f"the answer '{data['label']}' was none of those to choose from"
        if signature.get("kind") == "ssh":
            if not asked_at:
                yield "it was signed, and nothing was asked"
            elif signature["question"] != asked.get("question"):
                yield "what was signed is another question than was asked"
            yield from self._signature_faults(seq, asked_at, event)

    def _signature_faults(self, seq: int, asked_at: int, event: Event) -> Iterator[str]:
        signature = event.data["signature"]
        head = signature["head"]
        if not asked_at <= head["record"] < seq or self._hash_of(head["record"]) != head["sha256"]:
            yield "the signature is not of this journal: its head of the chain is not here, after the request"
        statement = self._read(signature["statement"], LARGEST_STATEMENT)
        if statement != render_statement(event):
            yield "what was signed is not what was recorded"
            return
        try:
            key = parse_key(signature["key"])
            if fault := check_signature(key, statement, self._read(signature["sha256"], LARGEST_SIGNATURE)):
                yield f"the signature does not hold: {fault}"
            if not self._is_held(key, event):
                yield f"the key {key.fingerprint} is not that of {_signer_of(event)} in the inventory that counted"
        except (ValueError, RunnerError) as error:
            yield f"the signature cannot be checked: {error}"

    def _is_held(self, key: PublicKey, event: Event) -> bool:
        """Whether the inventory that counted for an answer gives this key to who signed. Raise RunnerError or
        ValueError where it cannot be read."""
        if counted := event.data.get("inventory"):
            inventory = load_counted_inventory(counted, self._store)
        else:
            started = self._start_of(event.run)
            while parent := started.get("parent"):
                started = self._start_of(parent)
            inventory = load_kept_inventory(started, self._store)
        named = [person for person in inventory.people.values() if person.name == _signer_of(event)]
        return any(parse_key(text) == key for person in named for text in person.ssh_keys)

    def _read(self, sha256: str, most: int) -> bytes:
        """Kept content; of what is missing or too large nothing, which the check of evidence names."""
        try:
            with self._store.open(sha256) as file:
                return file.read(most + 1)
        except RunnerError:
            return b""


def _signer_of(event: Event) -> str:
    """Who made the signature: whose answer it is, or the insider who recorded the act of somebody outside."""
    return str(event.data["signature"].get("recorded_by") or event.data["person"])
