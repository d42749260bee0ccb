"""What a dump of pg_dump holds, read once from beginning to end; nothing is kept but counts and names.

Rows are passed by as such: a text that looks like a heading or an end mark is not taken for one.
"""

from __future__ import annotations

import re

from runner.actions.backup.content import PIECE, Readable, SqlContent

END_OF_DUMP = b"-- PostgreSQL database dump complete"
_HEADING = re.compile(rb"-- (?P<data>Data for )?Name: (?P<name>.*); Type: (?P<type>[A-Z ]+); Schema: (?P<schema>.*); ")
_END_OF_ROWS = b"\n\\.\n"
_LONGEST_LINE = 1024 * 1024  # of what is not rows; a longer one is passed in pieces
_TABLES, _VIEWS = {b"TABLE"}, {b"VIEW", b"MATERIALIZED VIEW"}


def inspect_pgsql(stream: Readable) -> SqlContent:
    """Given a dump of pg_dump in plain SQL, return its content."""
    reader = _Reader()
    size = 0
    while piece := stream.read(PIECE):
        size += len(piece)
        reader.take(piece)
    return reader.content(size)


class _Reader:
    """Reads lines outside of rows, and passes rows until their end."""

    def __init__(self) -> None:
        self._text = b""
        self._in_rows = False
        self._announced = ""
        self._last: list[bytes] = []
        self._tables: set[str] = set()
        self._filled: set[str] = set()
        self._views: set[str] = set()

    def take(self, piece: bytes) -> None:
        """Read the next bytes."""
        self._text += piece
        while self._pass_rows() if self._in_rows else self._pass_lines():
            pass

    def content(self, size: int) -> SqlContent:
        """What was read."""
        self._note(self._text)
        said = [line for line in self._last if line not in (b"", b"--") and not line.startswith(b"\\unrestrict ")]
        complete = not self._in_rows and said[-1:] == [END_OF_DUMP]
        return SqlContent(size, frozenset(self._tables), frozenset(self._filled), frozenset(self._views), complete)

    def _pass_rows(self) -> bool:
        """Pass rows up to their end mark; return whether it was there. The text begins with the line break before."""
        end = self._text.find(_END_OF_ROWS)
        if end > 0 or (end < 0 and len(self._text) > len(_END_OF_ROWS)):
            self._filled.add(self._announced)
        if end < 0:
            self._text = self._text[-len(_END_OF_ROWS) :]
            return False
        self._text, self._in_rows, self._announced = self._text[end + len(_END_OF_ROWS) :], False, ""
        return True

    def _pass_lines(self) -> bool:
        """Read whole lines until rows begin; return whether they do."""
        start = 0
        while (end := self._text.find(b"\n", start)) >= 0:
            line = self._text[start:end]
            start = end + 1
            self._note(line)
            if self._announced and line.startswith(b"COPY ") and line.endswith(b" FROM stdin;"):
                self._text, self._in_rows = self._text[end:], True
                return True
        self._text = self._text[start:]
        if len(self._text) > _LONGEST_LINE:
            self._text = b""
        return False

    def _note(self, line: bytes) -> None:
        self._last = [*self._last[-5:], line]
        found = _HEADING.match(line)
        if not found:
            return
        schema = b"" if found["schema"] == b"public" else found["schema"] + b"."
        name = (schema + found["name"]).decode("utf-8", "replace")
        if found["data"]:
            self._announced = name if found["type"] == b"TABLE DATA" else ""
        elif found["type"] in _TABLES:
            self._tables.add(name)
        elif found["type"] in _VIEWS:
            self._views.add(name)
