"""The rows of a dump, table by table: how many, and a sum of their hashes that does not hang on their order.

So a dump of the restored database is held against the one that was kept, whatever else stands in the two.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from typing import NamedTuple

from runner.actions.backup.content import PIECE, Readable

_INSERT = re.compile(rb"INSERT INTO `(?P<name>(?:[^`]|``)+)` (?:\([^)]*\) )?VALUES(?P<rest>.*)", re.DOTALL)
_COPY = re.compile(rb"COPY (?P<name>.+?) (?:\(.*\) )?FROM stdin;")
_OWNED = re.compile(rb'(?:ALTER .* OWNER TO|(?:GRANT|REVOKE) .* (?:TO|FROM)) (?P<role>"(?:[^"]|"")+"|\w+)(?: .*)?;')
_END_OF_COPY = b"\\."
_SUM = 1 << 256


class Rows(NamedTuple):
    """A table's rows: how many lines they are in the dump, and the sum of the lines' hashes."""

    lines: int
    hashes: int


def read_rows(dump: Readable, form: str) -> dict[str, Rows]:
    """Given a dump ("sql" or "pgsql"), return its tables' rows, by the name as the dump writes it; empty ones not."""
    found: dict[str, Rows] = {}
    pairs = _copied(dump) if form == "pgsql" else _inserted(dump)
    for table, line in pairs:
        lines, total = found.get(table, Rows(0, 0))
        digest = int.from_bytes(hashlib.sha256(line).digest(), "big")
        found[table] = Rows(lines + 1, (total + digest) % _SUM)
    return found


def read_roles(dump: Readable) -> set[str]:
    """Given a dump of pg_dump, return the roles that it gives something to, as SQL writes them."""
    roles: set[str] = set()
    rows = False
    for line in _lines(dump):
        if rows or _COPY.fullmatch(line):
            rows = line != _END_OF_COPY
        elif match := _OWNED.fullmatch(line):
            roles.add(match["role"].decode("utf-8", "replace"))
    return roles - {"PUBLIC"}


def _inserted(dump: Readable) -> Iterator[tuple[str, bytes]]:
    """The rows of INSERT statements: each on a line of its own, or all of a statement on its one line."""
    table = ""
    for line in _lines(dump):
        match = _INSERT.match(line) if line.startswith(b"INSERT INTO `") else None
        if match:
            table = match["name"].decode("utf-8", "replace")
        row = match["rest"].strip() if match else line
        if table and row.startswith(b"("):
            yield table, row.rstrip(b",;")
        if row.endswith(b";"):
            table = ""


def _copied(dump: Readable) -> Iterator[tuple[str, bytes]]:
    table = ""
    for line in _lines(dump):
        if table and line == _END_OF_COPY:
            table = ""
        elif table:
            yield table, line
        elif match := _COPY.fullmatch(line):
            table = match["name"].decode("utf-8", "replace")


def _lines(dump: Readable) -> Iterator[bytes]:
    rest: list[bytes] = []
    while piece := dump.read(PIECE):
        *lines, last = piece.split(b"\n")
        for line in lines:
            yield b"".join([*rest, line]) if rest else line
            rest = []
        rest.append(last)
    yield b"".join(rest)
