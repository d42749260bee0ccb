"""Fetching what is new of a log: ask the server, find the new lines, say how far it was read and what is missing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from secrets import token_hex

from runner.actions.logs.answers import Piece, read_answer
from runner.actions.logs.asking import Question, build_command
from runner.actions.logs.increment import Increment, find_newest, log_of, mark_latest, write_increment
from runner.actions.logs.parts import Part, find_inside, find_known, find_parts
from runner.actions.logs.place import Known, merge
from runner.actions.logs.unpacking import has_zstd
from runner.contract import Call
from runner.errors import Failed

MARGIN = 64 * 1024**2


@dataclass(frozen=True, slots=True)
class Gap:
    """Between which moments nothing is known of a log; None where not even that is."""

    log: str
    begin: str | None
    end: str | None


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a fetch brought: the file of the increment and what it holds, the place from then on, gaps, bytes on the
    wire, and what the server said of each file."""

    path: Path
    increment: Increment
    place: tuple[Known, ...]
    gaps: tuple[Gap, ...]
    wire: int
    pieces: tuple[Piece, ...]


def ask(call: Call, question: Question) -> tuple[list[Piece], int]:
    """Given a question, put it to the server and return its answer and how many bytes came over the wire.

    Raise Failed when it has no answer of the agreed form.
    """
    path = call.directory / f"answer-{token_hex(8)}"
    limit = question.cap + MARGIN
    with path.open("wb") as file:

        def take(piece: bytes) -> None:
            if file.tell() + len(piece) > limit:
                raise Failed(f"the server sends more than {limit} bytes. see what writes into the log")
            file.write(piece)

        result = call.connect().stream(build_command(question, call.run_as), call.deadline, take)
        size = file.tell()
    try:
        return read_answer(path, question.nonce, 2 * limit), size
    except Failed as error:
        said = result.stderr.decode("utf-8", "replace").strip().splitlines()
        raise Failed(f"{error}{f'; the server says: {said[0][:200]}' if said else ''}") from None
    finally:
        path.unlink()


def build_question(call: Call, patterns: Sequence[str], known: Sequence[Known], since: int) -> Question:
    """Given a call, the log's paths and how far it was read, return what to ask the server."""
    cap = int(call.inputs["size_limit"])
    return Question(patterns, known, cap, since, token_hex(16), zstd=has_zstd())


def fetch(call: Call, patterns: Sequence[str], known: Sequence[Known], since: int) -> Fetched:
    """Given the log's paths and how far it was read, bring what is new. Raise Failed, Unreachable or TimeUp."""
    question = build_question(call, patterns, known, since)
    pieces, wire = ask(call, question)
    parts, lost, inside = _find(call, pieces, known)
    if lost:  # a rotation may have passed under the look at it
        pieces, more = ask(call, question)
        parts, lost, inside = _find(call, pieces, known)
        wire += more
    path = call.directory / f"increment-{token_hex(8)}.gz"
    written = find_newest({piece.path: piece.time for piece in pieces if piece.state != "missing"})
    increment = write_increment(path, parts, question.cap, written=written, now=call.now)
    increment.left += sum(piece.meant - piece.length for piece in pieces)
    now = _place_now(pieces, parts, known, increment, call.now)
    gaps = tuple(Gap(each.path, each.last or None, _first_after(increment)) for each in lost)
    found = {*find_known(pieces, parts, known), *inside}
    gone = [replace(each, latest=each.latest and each not in lost) for each in known if each not in found]
    return Fetched(path, increment, merge(now, gone), gaps, wire, tuple(pieces))


def _find(call: Call, pieces: Sequence[Piece], known: Sequence[Known]) -> tuple[list[Part], list[Known], list[Known]]:
    """Return the parts that may be new, what ought to be there and is not, though its log is, and what was found inside
    another file."""
    parts = find_parts(pieces, known, int(call.inputs["size_limit"]) + MARGIN, call.directory)
    found = set(find_known(pieces, parts, known))
    lost, inside = [], []
    for each in (entry for entry in known if entry.latest and entry not in found):
        looked = find_inside(parts, each)
        if looked != parts:
            parts = looked
            inside.append(each)
        elif log_of(each.path) in _readable(pieces) and not any(_is_unseen(piece) for piece in pieces):
            lost.append(each)
    return parts, lost, inside


def _is_unseen(piece: Piece) -> bool:
    """Whether a file's content is not known, because the cap was reached before: it may be the one that is missed."""
    return piece.state == "later" and piece.start == 0


def _readable(pieces: Iterable[Piece]) -> set[str]:
    return {log_of(piece.path) for piece in pieces if piece.state not in ("closed", "missing")}


def _place_now(
    pieces: Sequence[Piece], parts: Sequence[Part], known: Sequence[Known], increment: Increment, moment: datetime
) -> list[Known]:
    """What is known of the files that are there now."""
    at = moment.isoformat(timespec="seconds")
    place = list(increment.known)
    read = {each.head for each in place}
    for piece in pieces:
        raw = "" if piece.raw == "-" else piece.raw
        if piece.state == "old":
            plain = piece.head != "-"
            place.append(
                Known(piece.path, piece.head, piece.size, piece.raw, seen=at)
                if plain
                else Known(piece.path, raw=raw, seen=at)
            )
        for each in find_known([piece], (), known):
            if not each.head or each.head not in read:  # of a file with parts, they tell more
                kept = raw or each.raw if piece.state == "same" else each.raw
                place.append(replace(each, path=piece.path, raw=kept, seen=at))
                read.add(each.head)
    return mark_latest(place, {piece.path: piece.time for piece in pieces})


def _first_after(increment: Increment) -> str | None:
    return increment.first.isoformat(timespec="seconds") if increment.first else None
