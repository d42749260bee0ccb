"""What a request really says: attackers hide it behind one or several encodings.

A form is the same text with one more layer of encoding gone, in lower case. Decoding never adds or removes the end of
a line and never looks across a quote, so a whole block of lines decodes to the same as each of its lines alone.
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Callable
from functools import lru_cache
from urllib.parse import unquote_to_bytes

ROUNDS = 4
LONGEST_REMEMBERED = 1024  # bytes; longer texts, which attackers send, are looked at each time

_LOG_ESCAPE = re.compile(rb"\\x([0-9A-Fa-f]{2})")
_WIDE = re.compile(rb"%u00([0-9A-Fa-f]{2})|%u([0-9A-Fa-f]{4})")
_LINE_END = re.compile(rb"%0[adAD]")
_OVERLONG = re.compile(rb"%(?:c|e0%8|f0%80%8)([01])%([89ab][0-9a-f])", re.IGNORECASE)  # ASCII in more bytes than one
_ODD = re.compile(rb"%[cCeEfFuU]|%0[adAD]")  # what any of the above begins with
_COMMENT = re.compile(rb'/\*!?\d{0,6}([^*"\n]{0,200})\*/')
_FLAT = b"".join(b" " if code in b"+ \t\r\x0b\x0c\x00" else bytes([code]).lower() for code in range(256))
_BLANKS = re.compile(rb" {2,}")
_HIDES = re.compile(rb"[%+=\\*\t\r\x0b\x0c\x00]|  ")  # without any of these a text has one form
_BASE64 = re.compile(rb"=([A-Za-z0-9+/_-]{20,4096})={0,2}(?=[&\s\"']|$)", re.MULTILINE)
_TEXT = re.compile(rb"[\x09\x20-\x7e]{12,}\Z")


def decode_once(text: bytes) -> bytes:
    """Given text, return it with one layer of URL encoding gone: overlong, %u and the log's own \\x forms too."""
    if b"\\x" in text:
        text = _LOG_ESCAPE.sub(rb"%\1", text)
    if b"%" not in text:
        return text
    if _ODD.search(text):
        text = _LINE_END.sub(b"%20", _WIDE.sub(_narrow, _OVERLONG.sub(_shorten, text)))
    return unquote_to_bytes(text)


def known_forms(text: bytes) -> tuple[bytes, ...]:
    """What `forms` gives, remembered where it is short."""
    return _remembered(text) if len(text) <= LONGEST_REMEMBERED else forms(text)


def forms(text: bytes) -> tuple[bytes, ...]:
    """Given text, return it as it stands and as each round of decoding shows it, without repetition."""
    if not _HIDES.search(text):
        return (text.lower(),)
    return tuple(dict.fromkeys([*rounds(text, flatten), *[hidden for _, hidden in unpack(text)]]))


def rounds(text: bytes, shown: Callable[[bytes], bytes]) -> list[bytes]:
    """Given text, return it in lower case, and as each round of decoding leaves it, so `shown`."""
    found = [text.lower()]
    for _ in range(ROUNDS):
        before, text = text, decode_once(text)
        if text == before:
            break
        found.append(shown(text))
    return found if len(found) > 1 else [*found, shown(text)]


def unpack(text: bytes) -> list[tuple[int, bytes]]:
    """Given text, return what parameters hold in base64, and where each stands."""
    found = [(match.start(), _from_base64(match[1])) for match in _BASE64.finditer(text)] if b"=" in text else []
    return [(at, flatten(hidden)) for at, hidden in found if hidden]


_remembered = lru_cache(maxsize=4096)(forms)


def plain(text: bytes) -> bytes:
    """Given decoded text, return it in lower case, comments opened, each blank (also + and NUL) a space."""
    if b"/*" in text:
        text = _COMMENT.sub(rb" \1 ", text)
    return text.translate(_FLAT)


def flatten(text: bytes) -> bytes:
    """Given decoded text, return it plain, each run of blanks one space."""
    text = plain(text)
    return _BLANKS.sub(b" ", text) if b"  " in text else text


def _shorten(match: re.Match[bytes]) -> bytes:
    return b"%%%02x" % (int(match[1]) << 6 | int(match[2], 16) & 63)


def _narrow(match: re.Match[bytes]) -> bytes:
    code = int(match[1] or match[2], 16)
    if 0xFF01 <= code <= 0xFF5E:  # the full-width forms of ASCII, which some servers narrow
        code -= 0xFEE0
    return b"%%%02x" % code if code < 256 else chr(code).encode("utf-8", "replace")


def _from_base64(text: bytes) -> bytes | None:
    """The text behind a parameter's base64; None where there is none."""
    try:
        plain = b64decode(text.replace(b"-", b"+").replace(b"_", b"/") + b"=" * (-len(text) % 4))
    except ValueError:
        return None
    return plain if _TEXT.match(plain) else None
