"""Text from outside: decoded without trust, cleaned of what steers a terminal, cut."""

from __future__ import annotations

import codecs
import re

from runner.actions.web.fetch import Answer

LONGEST_PARSED = 2 * 1024 * 1024

# Only these: Python also knows charsets whose decoding is slow or not text at all.
_CHARSET = re.compile(r"utf-?8|utf-?16(le|be)?|(us-)?ascii|(iso-?8859|windows|cp)-?\d{1,4}(-\d{1,2})?|latin-?1\Z", re.I)
_DECLARED = re.compile(r"[cC](?i:harset)\s*=\s*[\"']?([\w.:-]{1,40})")
_STEERING = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]+")
_SPACE = re.compile(r"\s+")
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def clean_text(text: str, longest: int) -> str:
    """Given text from outside, return it on one line without control and direction signs, cut to `longest`."""
    line = _SPACE.sub(" ", _STEERING.sub(" ", text)).strip()
    return line if len(line) <= longest else line[: longest - 1].rstrip() + "…"


def decode_body(answer: Answer) -> str:
    """Given an answer, return its body as text: by byte order mark, header, then markup; what lies is replaced."""
    body = answer.body[:LONGEST_PARSED]
    for mark, name in _MARKS:
        if body.startswith(mark):
            return body.decode(name, "replace")
    declared = _DECLARED.search(answer.header("Content-Type")) or _DECLARED.search(body[:2048].decode("latin-1"))
    name = declared[1] if declared and _CHARSET.match(declared[1]) else "utf-8"
    try:
        return body.decode(name, "replace")
    except LookupError:
        return body.decode("utf-8", "replace")
