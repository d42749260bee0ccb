"""How the log of a website knows again what its own watch asked for as a visitor of planted pages would.

Such a request bears a mark of its site and day that only who keeps the record can make: nobody else passes for it.
"""

from __future__ import annotations

import hmac
import re
from datetime import date, datetime, timedelta
from urllib.parse import quote

from runner.contract import Call

WORDS = "slot gacor"
_OWN = re.compile(rb"GET /[\w/.-]*\?[\w%.-]{1,60}=" + quote(WORDS).encode() + rb"&_=([0-9a-f]{16}) HTTP/[0-9.]+")


def key_of(call: Call) -> bytes:
    """Given a call on a website, return the key that its marks are made with; empty in a dry run before any run."""
    return call.record.secret_key(f"probes/{(call.target or {}).get('name', '')}")


def build_mark(key: bytes, day: date) -> str:
    """Given a site's key and a day (UTC), return the mark, 16 hexadecimal digits; none without a key."""
    return hmac.new(key, day.isoformat().encode(), "sha256").hexdigest()[:16] if key else ""


def build_query(parameter: str, mark: str, words: str = WORDS) -> str:
    """Given a parameter's name, a mark and words, those of sellers unless others are given, return the query that asks
    for them, as a page planted for search engines would answer it."""
    return f"?{quote(parameter)}={quote(words)}&_={mark}"


def is_own(key: bytes, request: bytes, at: datetime) -> bool:
    """Given a site's key, a request as a log has it and its time, whether the site's own watch sent it; its server's
    clock may be a day off."""
    found = _OWN.fullmatch(request) if key else None
    days = (at.date() + timedelta(days=n) for n in (0, -1, 1))
    return found is not None and any(hmac.compare_digest(build_mark(key, day).encode(), found[1]) for day in days)
