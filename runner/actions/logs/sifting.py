"""Takes out of a block, before it is cut into columns, the lines that could meet a rule: a few in a hundred.

One pass over the bytes looks for the anchors of all rules and for what could hide one. A text that stands in nearly
every line (`;` in agents, `https://` in referers) but is asked for in requests is looked for in requests only.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from runner.actions.logs.anchors import Anchor, any_of
from runner.actions.logs.matcher import load_matcher

# What could hide an anchor beside %, which is met so often that it is looked for apart: escapes of the log, comments,
# base64, a quote within a text, blanks of other kinds, and a line that is JSON.
_HIDING = (rb"\\x", rb"/\*", rb"=[A-Za-z0-9+/_-]{20}", rb'\\"', rb"[\t\x0b\x0c\x00]|\r[^\n]", rb"\n\{")
_IN_REQUEST = rb'\] "[^"\n]*(?:%s)'

# Of ordinary lines what stands behind their requests: a text in it must be looked for in requests only.
_ORDINARY = b"""\
" 200 512 "-" "mozilla/5.0 (windows nt 10.0; win64; x64) applewebkit/537.36 (khtml, like gecko) chrome/126.0.0.0"
" 200 512 "https://pn-contoh.go.id/index.php/berita?id=1&x=2" "mozilla/5.0 (linux; android 14; sm-a155f build/up1a; wv)"
" 200 512 "http://l.facebook.com/?u=x" "mozilla/5.0 (compatible; googlebot/2.1; +http://www.google.com/bot.html)"
"""


class LineSieve:
    """Finds the lines that hold an anchor, or what could hide one. `dumped` is what `dump` gave before."""

    def __init__(self, anchors: Iterable[Anchor], dumped: Sequence[bytes] = ()) -> None:
        anywhere, in_request = line_patterns(anchors)
        # Each with its own matcher: together they take half as long again.
        both = zip(([*anywhere, *_HIDING], in_request), dumped or (b"", b""), strict=True)
        self._matchers = [load_matcher(patterns, dump) for patterns, dump in both]

    def dump(self) -> list[bytes]:
        """What makes another one of the same anchors at once."""
        return [matcher.dump() for matcher in self._matchers]

    def sift(self, block: bytes) -> bytes:
        """Given whole lines, return those that could meet a rule, in their order."""
        starts = set(lines_with(b"%", block))
        for matcher in self._matchers:
            starts.update(matcher.lines(block))
        if block.startswith(b"{"):
            starts.add(0)
        return b"".join([block[start : block.find(b"\n", start) + 1 or None] for start in sorted(starts)])


def line_patterns(anchors: Iterable[Anchor]) -> tuple[list[bytes], list[bytes]]:
    """Given anchors, return patterns of which one is found in every line with a field that holds an anchor in plain:
    those looked for anywhere, and those looked for in requests."""
    found: set[bytes] = set()
    common: set[bytes] = set()
    for anchor in anchors:
        if anchor.then:
            found.add(_pair(anchor))
            continue
        often = {text for text in anchor.texts if anchor.field == "request" and text in _ORDINARY}
        common |= often
        if rare := sorted(set(anchor.texts) - often):
            found.add(_any_in_line(anchor.field, rare))
    return sorted(found), [_IN_REQUEST % _any_in_line("request", sorted(common))] if common else []


def _pair(anchor: Anchor) -> bytes:
    """Two texts of a field stand between the same quotes."""
    first, then = (_any_in_line(anchor.field, each) for each in (anchor.texts, anchor.then))
    return rb'%s(?:%s)[^"\n]*(?:%s)' % (rb'\] "' if anchor.begins else b"", first, then)


def _any_in_line(field: str, texts: Iterable[bytes]) -> bytes:
    return b"|".join(_in_line(field, text) for text in texts)


def _in_line(field: str, text: bytes) -> bytes:
    """What finds a text of a field in a line. A log writes a quote with a backslash before it."""
    if field == "status":
        return b'" %s ' % text
    front, back = (b"[ +]" if side else b"" for side in (text.startswith(b" "), text.endswith(b" ")))
    return front + any_of([text.strip(b" ") or b" "], b"[ +]").replace(b'"', rb'\\"') + back


def lines_with(text: bytes, block: bytes) -> Iterator[int]:
    """Where the lines begin that hold the text, in order."""
    at = block.find(text)
    while at >= 0:
        yield block.rfind(b"\n", 0, at) + 1
        end = block.find(b"\n", at)
        at = block.find(text, end) if end >= 0 else -1
