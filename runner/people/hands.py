"""Handing what waits to a third party, and taking it back; the time between is told apart, and hides nothing."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from runner.calendar import Calendar
from runner.errors import refuse
from runner.events import Event, Key, Kind
from runner.people.signers import Signer
from runner.record.document import Hand, OpenRequest, Record

LONGEST_PARTY = 200


def build_handed(run: str, request: OpenRequest, signer: Signer, party: str, note: str, now: datetime) -> Event:
    """Given who hands a request to whom, return the event. Raise Refused without a name, or a note that says why."""
    if not party.strip() or len(party) > LONGEST_PARTY or not party.isprintable():
        raise refuse("--hand-to", f"a name of 1 to {LONGEST_PARTY} characters is needed", "--hand-to 'PT …'")
    if not note.strip():
        raise refuse("--note", "it is missing; handing over needs what was asked for", "--note 'tiket 123: …'")
    return _event(Kind.HANDED, run, request, signer, now, {"party": party.strip(), "note": note.strip()})


def build_taken_back(run: str, request: OpenRequest, signer: Signer, note: str, now: datetime) -> Event:
    """Given who takes a request back, return the event."""
    return _event(Kind.TAKEN_BACK, run, request, signer, now, {"note": note.strip()})


def _event(kind: Kind, run: str, request: OpenRequest, signer: Signer, now: datetime, data: dict[str, str]) -> Event:
    key = request.key
    data = {**data, "person": signer.name, "method": signer.method}
    return Event(kind, run, now, key.step, key.attempt, key.task, key.target, key.item, key.tries, data)


def check_hands(record: Record, event: Event) -> None:
    """Raise Refused where what was handed over is handed over again, or what was not is taken back."""
    hand = held_by(record.hands, event.key)
    if event.kind is Kind.HANDED and hand:
        raise refuse("--hand-to", f"it is with {hand.party} already", "--take-back first")
    if event.kind is Kind.TAKEN_BACK and not hand:
        raise refuse("--take-back", "it is with nobody else", "see 'sop status'")


def held_by(hands: Iterable[Hand], key: Key) -> Hand | None:
    """Given the waits for third parties, return the one that goes on for a request, if any."""
    return next((hand for hand in hands if hand.key == key and hand.until is None), None)


def seconds_outside(hands: Iterable[Hand], key: Key, calendar: Calendar, now: datetime) -> float:
    """Given the waits for third parties, return the working time that a request was with them until now."""
    return sum(calendar.working_seconds(h.since, h.until or now) for h in hands if h.key == key)
