"""Telegram: the bot API's sendMessage, as plain text, so that no sign in it is markup."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from runner.actions.web.text import clean_text
from runner.durations import Deadline
from runner.notices import Letter
from runner.notify.answers import Answer, Status, Way, deferred, hindered, refused, sent
from runner.notify.posting import LONGEST_WORDS, PostError, Reply, post

API = "https://api.telegram.org"
LONGEST_MESSAGE = 4096  # UTF-16 code units, as Telegram counts

_TOKEN = re.compile(r"[0-9]{1,20}:[A-Za-z0-9_-]{1,100}\Z")
_CHAT = re.compile(r"-?[0-9]{1,20}\Z|@[A-Za-z0-9_]{4,40}\Z")


def send(settings: Mapping[str, Any], letter: Letter, deadline: Deadline) -> Answer:
    """Send a letter. Telegram cannot recognise a repeat, so what may have arrived is not sent again."""
    token, chat = settings["token"].strip(), settings.get("chat") or letter.address
    if not _TOKEN.match(token):
        return refused("token bot tidak berbentuk 123456:ABC…")
    if not _CHAT.match(chat):
        return refused("id obrolan Telegram tidak sah")
    url = f"{settings.get('url', API).rstrip('/')}/bot{token}/sendMessage"
    try:
        reply = post(url, build_document(chat, letter), {}, deadline, settings.get("ca_file", ""))
    except PostError as error:
        return Answer(Status.UNKNOWN, error.answer.words) if error.delivered else error.answer
    return read_reply(reply)


def build_document(chat: str, letter: Letter) -> dict[str, Any]:
    """Given a chat and a letter, return the request, cut to what Telegram takes."""
    text = cut(f"{letter.subject}\n\n{letter.text}", LONGEST_MESSAGE)
    return {"chat_id": chat, "text": text, "link_preview_options": {"is_disabled": True}}


def cut(text: str, longest: int) -> str:
    """Given text, return at most `longest` UTF-16 code units of it, a cut shown as "…"."""
    units = text.encode("utf-16-le")
    if len(units) <= 2 * longest:
        return text
    return units[: 2 * (longest - 1)].decode("utf-16-le", "ignore") + "…"


def read_reply(reply: Reply) -> Answer:
    """Given what the API replied, return what it means. A reply that is not the API's is unknown, never success."""
    said = reply.json()
    if not isinstance(said, dict) or not isinstance(said.get("ok"), bool):
        words = f"{reply.status} {reply.reason}: jawaban bukan dari API Telegram"
        return Answer(Status.UNKNOWN, words) if 200 <= reply.status < 300 else _by_status(reply.status, words, 0)
    if said["ok"] and 200 <= reply.status < 300:
        result = said.get("result")
        number = result.get("message_id") if isinstance(result, dict) else None
        return sent(f"{reply.status} {reply.reason}".strip(), str(number) if isinstance(number, int) else "")
    words = f"{reply.status} {clean_text(str(said.get('description', '')), LONGEST_WORDS)}".strip()
    details = said.get("parameters")
    return _by_status(reply.status, words, details.get("retry_after", 0) if isinstance(details, dict) else 0)


def _by_status(status: int, words: str, wait: object) -> Answer:
    if status == 429:
        return deferred(words, wait)
    return hindered(words) if status >= 500 else refused(words)


WAY = Way(send, personal=lambda settings: "chat" not in settings, address="telegram")
