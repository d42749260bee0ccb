"""What a request really says: attackers hide it behind one or several encodings."""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import unquote_to_bytes

ROUNDS = 4
LONGEST_TARGET = 8192

_LOG_ESCAPE = re.compile(r"\\x([0-9A-Fa-f]{2})")
_WIDE = re.compile(r"%u00([0-9A-Fa-f]{2})|%u([0-9A-Fa-f]{4})")
_OVERLONG = (
    (re.compile(r"%c0%ae|%e0%80%ae|%f0%80%80%ae", re.IGNORECASE), "."),
    (re.compile(r"%c0%af|%e0%80%af|%f0%80%80%af", re.IGNORECASE), "/"),
    (re.compile(r"%c1%9c", re.IGNORECASE), "\\\\"),
)
_COMMENT = re.compile(r"/\*!?\d{0,6}([^*]{0,200})\*/")
_SPACE = re.compile(r"[\s\x00]+")


@lru_cache(maxsize=16384)
def forms(text: str) -> tuple[str, ...]:
    """Given a request target or header, return it in lower case, raw and as each round of decoding shows it."""
    found = [text[:LONGEST_TARGET].lower()]
    current = _LOG_ESCAPE.sub(lambda match: f"%{match[1]}", text[:LONGEST_TARGET])
    for _ in range(ROUNDS):
        decoded = decode_once(current)
        found.append(_plain(decoded))
        if decoded == current:
            break
        current = decoded
    return tuple(dict.fromkeys(found))


def decode_once(text: str) -> str:
    """Given text, return it with one layer of URL encoding gone, overlong and %u forms too."""
    for pattern, plain in _OVERLONG:
        text = pattern.sub(plain, text)
    text = _WIDE.sub(lambda match: chr(int(match[1] or match[2], 16)), text)
    return unquote_to_bytes(text.encode("utf-8", "replace")).decode("utf-8", "replace")


def _plain(text: str) -> str:
    """Lower case, comments opened, every run of blanks (also + and NUL) one space."""
    return _SPACE.sub(" ", _COMMENT.sub(r" \1 ", text.replace("+", " "))).lower()
