"""Webhook: a JSON document to one address, for all recipients together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runner.actions.web.text import clean_text
from runner.durations import Deadline
from runner.notices import Letter
from runner.notify.answers import Answer, Way, sent
from runner.notify.posting import LONGEST_WORDS, PostError, Reply, judge, post


def send(settings: Mapping[str, Any], letter: Letter, deadline: Deadline) -> Answer:
    """Send a letter; the same `id`, also as Idempotency-Key, lets the receiver recognise a repeat."""
    headers = {"Idempotency-Key": letter.id, **settings.get("headers", {})}
    try:
        reply = post(settings["url"], build_document(letter), headers, deadline, settings.get("ca_file", ""))
    except PostError as error:
        return error.answer
    words = describe(reply)
    return judge(reply, words) or sent(words, letter.id)


def build_document(letter: Letter) -> dict[str, Any]:
    """Given a letter, return the document. `text` is the whole message, as chat rooms show it."""
    return {
        "id": letter.id,
        "subject": letter.subject,
        "text": f"{letter.subject}\n\n{letter.text}",
        "to": list(letter.names),
    }


def describe(reply: Reply) -> str:
    """Given a reply, return it on one line."""
    shown = clean_text(reply.body[:2000].decode("utf-8", "replace"), LONGEST_WORDS)
    return f"{reply.status} {reply.reason} {shown}".strip()


WAY = Way(send, personal=lambda settings: False)
