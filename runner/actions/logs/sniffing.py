"""What a few lines of a log tell of its form."""

from __future__ import annotations

import re
from collections.abc import Sequence

_QUOTED = rb'"[^"\\]*(?:\\.[^"\\]*)*"'
_USUAL = re.compile(
    rb"(?P<host>\S+ )?\S+ \S+ [^\[]{0,200}\[[^\]]{20,30}\] " + _QUOTED + rb" \d{3} (?:\d+|-)"
    rb"(?P<agent> " + _QUOTED + b" " + _QUOTED + b")?"
)
_VHOST = re.compile(rb"\S+ (?:\d{1,3}(?:\.\d{1,3}){3}|[0-9A-Fa-f]*:[0-9A-Fa-f:.]+) \S+ \S")


def name_lines(lines: Sequence[bytes]) -> str:
    """Given whole lines, return the form that most have: "combined", "common", "vhost", "json"; "" for another one."""
    names = [_name(line) for line in lines if line.strip()]
    known = [name for name in names if name]
    return max(dict.fromkeys(known), key=known.count) if len(known) * 2 > len(names) else ""


def _name(line: bytes) -> str:
    if line.startswith(b"{") and line.rstrip().endswith(b"}"):
        return "json"
    match = _USUAL.match(line)
    if match is None:
        return ""
    return "common" if not match["agent"] else "vhost" if _VHOST.match(line) else "combined"
