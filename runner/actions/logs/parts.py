"""What of a server's answer is new: pieces held against what is known, what came twice dropped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from runner.actions.logs.answers import Piece
from runner.actions.logs.place import HEAD, TAIL, Known, digest
from runner.actions.logs.unpacking import unpack


@dataclass(frozen=True, slots=True)
class Part:
    """A file with what came of it: `content` begins at `base` of the file, what is new in it at `begin` of the content.

    `whole`: it goes to the file's end; `packed` files do not grow. `entry` is what was known of it. `skip` is what was
    read before, in another file (an archive into which logs are gathered).
    """

    piece: Piece
    content: bytes
    base: int
    begin: int
    entry: Known | None
    whole: bool
    raw: str = ""
    skip: tuple[int, int] = (0, 0)

    @property
    def end(self) -> int:
        """How far its content goes, in bytes of the file."""
        return self.base + len(self.content)


def find_parts(pieces: Iterable[Piece], known: Sequence[Known], limit: int, directory: Path) -> list[Part]:
    """Given the pieces of an answer and what is known, return the parts that may hold something new, in their order.

    Packed ones are unpacked in `directory`, at most `limit` bytes of each.
    """
    parts = []
    for piece in pieces:
        if piece.state == "rest":
            found = _rest(piece, known)
        elif piece.state in ("whole", "packed") and (piece.content or piece.length == 0):
            found = _from_start(piece, known, limit, directory)
        else:
            found = None
        if found:
            parts.append(found)
    return _without_copies(parts)


def find_known(pieces: Iterable[Piece], parts: Iterable[Part], known: Sequence[Known]) -> list[Known]:
    """Given an answer, return which entries of what is known are still there, in whatever file."""
    found = [part.entry for part in parts if part.entry]
    for piece in pieces:
        if piece.state in ("same", "rest", "later"):
            offset = piece.start + (0 if piece.state == "same" else TAIL)
            found += [each for each in known if _is_meant(each, piece, offset)]
    return list(dict.fromkeys(found))


def _is_meant(entry: Known, piece: Piece, offset: int) -> bool:
    by_head = piece.head != "-" and (entry.head, entry.offset) == (piece.head, offset)
    return by_head or (piece.raw != "-" and entry.raw == piece.raw)


def _rest(piece: Piece, known: Sequence[Known]) -> Part | None:
    """None where the file was replaced between the look at it and the reading: it comes again the next time."""
    before = piece.content[:TAIL]
    offset = piece.start + TAIL
    entry = next((each for each in known if each.head == piece.head and each.offset == offset), None)
    if entry is None or digest(before) != entry.tail:
        return None
    whole = len(piece.content) <= piece.length and not piece.cut
    raw = "" if piece.raw == "-" or not whole else piece.raw
    return Part(piece, piece.content, piece.start, TAIL, entry, whole, raw)


def _from_start(piece: Piece, known: Sequence[Known], limit: int, directory: Path) -> Part | None:
    content, whole, raw = piece.content, not piece.cut, "" if piece.raw == "-" else piece.raw
    if piece.state == "packed":
        source, target = directory / "packed", directory / "unpacked"
        source.write_bytes(content)
        with target.open("wb") as file:
            whole = unpack(source, file, limit).whole
        content = target.read_bytes()
        raw = raw if whole else ""
        source.unlink()
        target.unlink()
    entry = max((each for each in known if _fits(each, content)), key=lambda each: each.offset, default=None)
    if entry is None and any(_is_shorter(content, each) for each in known):
        return None
    return Part(piece, content, 0, entry.offset if entry else 0, entry, whole, raw)


def _fits(entry: Known, content: bytes) -> bool:
    """Whether a file with this content is the one that was read up to the entry's offset."""
    end = entry.offset
    return (
        0 < end <= len(content)
        and digest(content[: min(HEAD, end)]) == entry.head
        and digest(content[max(0, end - TAIL) : end]) == entry.tail
    )


def _is_shorter(content: bytes, entry: Known) -> bool:
    return HEAD <= len(content) < entry.offset and digest(content[:HEAD]) == entry.head


def _without_copies(parts: Sequence[Part]) -> list[Part]:
    """Of parts of the same file under several names (a copy, a half-packed one) keep the longest."""
    longest: dict[object, Part] = {}
    for part in parts:
        key = part.entry or digest(part.content[:HEAD])
        other = longest.get(key)
        if other is None or (part.end > other.end and _continues(part, other)):
            longest[key] = part
        elif not _continues(other, part):
            longest[(key, part.piece.path)] = part
    kept = {id(part) for part in longest.values()}
    return [part for part in parts if id(part) in kept]


def _continues(longer: Part, shorter: Part) -> bool:
    """Whether the longer of two parts of a file that begin alike holds all of the shorter."""
    if longer.entry or shorter.entry:
        return True
    return longer.content.startswith(shorter.content)


def find_inside(parts: Sequence[Part], lost: Known) -> list[Part]:
    """Given an entry whose file is gone, look for its content inside others; what was read of it is then skipped."""
    for number, part in enumerate(parts):
        at = _place_inside(part.content, part.begin, lost) if part.skip == (0, 0) else -1
        if at >= 0:
            return [*parts[:number], replace(part, skip=(at, at + lost.offset)), *parts[number + 1 :]]
    return list(parts)


def _place_inside(content: bytes, begin: int, lost: Known) -> int:
    at, size = begin, min(HEAD, lost.offset)
    while 0 < lost.offset <= len(content) - at:
        if digest(content[at : at + size]) == lost.head and _fits(lost, content[at : at + lost.offset]):
            return at
        at = content.find(b"\n", at) + 1
        if not at:
            break
    return -1
