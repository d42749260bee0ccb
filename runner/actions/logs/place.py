"""How far a log was read: of each of its files a fingerprint of the beginning, an offset, and one of what lies before.

Names and inodes tell nothing: files are renamed, copied, truncated and packed. What was written into them stays.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

HEAD = 256
TAIL = 128
MOST_KNOWN = 1000


@dataclass(frozen=True, slots=True)
class Known:
    """A file as it was read: the digest of its first `HEAD` bytes at most and of the last `TAIL` before `offset`.

    `raw` is the fingerprint of a packed file that was read whole ("size:hash"); `latest` tells that no file of its log
    was newer, `last` the moment of its last line, `waiting` how many bytes of an unfinished line follow, `seen` when
    it was last there. A packed file that was never unpacked has only `raw`.
    """

    path: str
    head: str = ""
    offset: int = 0
    tail: str = ""
    raw: str = ""
    latest: bool = False
    last: str = ""
    waiting: int = 0
    seen: str = ""


def digest(data: bytes) -> str:
    """Given bytes, return the first half of their SHA-256 in hex."""
    return hashlib.sha256(data).hexdigest()[:32]


def recall(outputs: Mapping[str, Any] | None) -> tuple[Known, ...]:
    """Given outputs of an earlier fetch, return its place; () where there is none."""
    names = [field.name for field in fields(Known)]
    entries = (outputs or {}).get("place") or ()
    return tuple(Known(**{name: each[name] for name in names if name in each}) for each in entries)


def render_place(known: Sequence[Known]) -> list[dict[str, Any]]:
    """The inverse of `recall`: the place as plain values, what says nothing left out."""
    return [{name: value for name, value in asdict(each).items() if value} | {"path": each.path} for each in known]


def merge(now: Sequence[Known], gone: Iterable[Known]) -> tuple[Known, ...]:
    """Given what was found and what was not, return the place: what is gone is kept a while, for it may come back."""
    return (*now, *sorted(gone, key=lambda each: each.seen, reverse=True))[:MOST_KNOWN]
