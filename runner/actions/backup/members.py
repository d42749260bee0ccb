"""Reads an archive as it comes from a server, member by member, without waiting for its end."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol

from runner.actions.backup.listing import FILE, FOLDER, HARDLINK, LINK
from runner.errors import Failed

BLOCK = 512
LARGEST_RECORDS = 4 * 1024 * 1024  # of one member: long names, access lists
_TYPES = {b"0": FILE, b"\0": FILE, b"7": FILE, b"1": HARDLINK, b"2": LINK, b"5": FOLDER}
_BELONGS_TO_NEXT = frozenset(b"xgLK")
_ZEROS = bytes(BLOCK)


class Member(NamedTuple):
    """A member's headers (`header`, as they came) and what they say. `stored` is how many bytes of data follow, `size`
    that of the file: fewer are stored of a sparse one."""

    path: bytes
    type: str
    size: int
    stored: int
    mtime_ns: int
    link: bytes
    sparse: bool
    header: bytes

    @property
    def padding(self) -> int:
        """How many zeros follow the data."""
        return -self.stored % BLOCK


class Taker(Protocol):
    """Takes members one after the other."""

    def begin(self, member: Member) -> None:
        """A member begins."""

    def data(self, piece: memoryview) -> None:
        """The next bytes of its data; the padding is not handed over."""


class NoArchive(Failed):
    """What is read is no archive, or holds what none of ours does."""


class MemberReader:
    """Takes an archive piece by piece; with `several`, more of them may follow. Raise NoArchive where it is none.

    A member that has come whole goes to `whole`, where that is given.
    """

    def __init__(
        self, taker: Taker, *, several: bool = False, whole: Callable[[Member, memoryview], None] | None = None
    ) -> None:
        self._taker = taker
        self._whole = whole
        self._several = several
        self._rest = b""
        self._data = 0
        self._skip = 0
        self.ended = False

    def feed(self, piece: bytes) -> None:
        """Take the next piece."""
        content = self._rest + piece if self._rest else piece
        view, at = memoryview(content), 0
        while at < len(content) and not (self.ended and not self._several):
            if self._data or self._skip:
                at = self._pass(view, at)
                continue
            found = _read_headers(content, at)
            if found is None:
                break
            member, at = found
            self.ended = member is None
            end = at + member.stored + member.padding if member else at
            if member and self._whole and end <= len(content):
                self._whole(member, view[at - len(member.header) : end])
                at = end
            elif member:
                self._taker.begin(member)
                self._data, self._skip = member.stored, member.padding
        self._rest = b"" if self.ended and not self._several else content[at:]

    def _pass(self, view: memoryview, at: int) -> int:
        """Hand on what there is of the data, and pass the padding; return where to go on."""
        if self._data:
            end = min(at + self._data, len(view))
            self._taker.data(view[at:end])
            self._data -= end - at
            return end
        end = min(at + self._skip, len(view))
        self._skip -= end - at
        return end


def _read_headers(content: bytes, start: int) -> tuple[Member | None, int] | None:
    """The member whose headers begin at `start`, and where its data begins; no member at the end mark; None where not
    all of the headers have come."""
    records: dict[bytes, bytes] = {}
    at = start
    while len(content) >= at + BLOCK:
        kind = content[at + 156]
        if content[at + 257 : at + 262] != b"ustar":
            if content[at : at + BLOCK] == _ZEROS and at == start:
                return None, at + BLOCK
            raise NoArchive("what the server sends is no archive: a header is spoilt. try again")
        size = _number(content[at + 124 : at + 136])
        if kind not in _BELONGS_TO_NEXT:
            return _build(content, start, at, size, records), at + BLOCK
        if size > LARGEST_RECORDS:
            raise NoArchive("what the server sends is no archive: a header is larger than any can be. try again")
        body = content[at + BLOCK : at + BLOCK + size]
        at += BLOCK + size + -size % BLOCK
        if len(content) < at:
            return None
        records |= _parse_records(body) if kind == ord("x") else _long_name(kind, body)
    return None


def _build(content: bytes, start: int, at: int, size: int, records: dict[bytes, bytes]) -> Member:
    kind = _TYPES.get(content[at + 156 : at + 157])
    stored = int(records[b"size"]) if b"size" in records else size
    path = records.get(b"GNU.sparse.name") or records.get(b"path") or _plain_name(content, at)
    if kind is None:
        raise NoArchive(
            f"the archive holds a device or a pipe: {path[:80]!r}. nothing of that kind is kept or restored"
        )
    sparse = b"GNU.sparse.realsize" in records
    header = content[start : at + BLOCK]
    return Member(
        _clean(path),
        kind,
        int(records[b"GNU.sparse.realsize"]) if sparse else (stored if kind == FILE else 0),
        stored if kind == FILE else 0,
        _nanoseconds(records[b"mtime"]) if b"mtime" in records else _number(content[at + 136 : at + 148]) * 10**9,
        _link(kind, records.get(b"linkpath") or content[at + 157 : at + 257].partition(b"\0")[0]),
        sparse,
        header,
    )


def _plain_name(content: bytes, at: int) -> bytes:
    name = content[at : at + 100].partition(b"\0")[0]
    prefix = content[at + 345 : at + 500].partition(b"\0")[0] if content[at + 263 : at + 265] == b"00" else b""
    return prefix + b"/" + name if prefix else name


def _clean(path: bytes) -> bytes:
    return path.removeprefix(b"./").rstrip(b"/") or b"."


def _link(kind: str, link: bytes) -> bytes:
    return _clean(link) if kind == HARDLINK else link if kind == LINK else b""


def _number(field: bytes) -> int:
    if field[0] & 0x80:
        return int.from_bytes(field[1:], "big")
    try:
        return int(field.strip(b" \0") or b"0", 8)
    except ValueError:
        raise NoArchive("what the server sends is no archive: a header is spoilt. try again") from None


def _parse_records(body: bytes) -> dict[bytes, bytes]:
    found: dict[bytes, bytes] = {}
    at = 0
    while at < len(body):
        length = body[at : at + 20].partition(b" ")[0]
        if not length.isdigit() or int(length) <= len(length) + 1:
            raise NoArchive("what the server sends is no archive: a record is spoilt. try again")
        name, _, value = body[at + len(length) + 1 : at + int(length) - 1].partition(b"=")
        found[name] = value
        at += int(length)
    return found


def _long_name(kind: int, body: bytes) -> dict[bytes, bytes]:
    """GNU's own form, which BusyBox writes."""
    return {ord("L"): {b"path": body.rstrip(b"\0")}, ord("K"): {b"linkpath": body.rstrip(b"\0")}}.get(kind, {})


def _nanoseconds(text: bytes) -> int:
    seconds, _, fraction = text.partition(b".")
    return int(seconds) * 10**9 + int((fraction + b"000000000")[:9]) * (-1 if seconds.startswith(b"-") else 1)
