"""What a folder on a server holds: one listing by GNU find, read as it comes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from runner.errors import Failed

FILE, FOLDER, LINK, HARDLINK, OTHER = "file", "folder", "link", "hardlink", "other"
FIND = "%y %m %U %G %n %D %i %s %T@ %C@\\0%u\\0%g\\0%P\\0%l\\0"
_FIELDS = 5
TYPES = {b"f": FILE, b"d": FOLDER, b"l": LINK}


class Listed(NamedTuple):
    """An entry as the server lists it. `path` is relative to the root, which itself is "."; times are nanoseconds since
    1970, 0 where the server does not tell; `inode` is "" unless the file has further names."""

    path: bytes
    type: str
    size: int
    mtime_ns: int
    ctime_ns: int
    mode: int
    uid: int
    gid: int
    owner: str
    group: str
    link: bytes
    inode: str


class Lister:
    """Takes what find sends piece by piece, and hands on what it lists. Raise Failed where that is no listing."""

    def __init__(self, take: Callable[[Iterable[Listed]], None]) -> None:
        self._take = take
        self._rest = b""

    def feed(self, piece: bytes) -> None:
        """Take the next piece."""
        fields = (self._rest + piece).split(b"\0")
        whole = (len(fields) - 1) // _FIELDS * _FIELDS
        self._rest = b"\0".join(fields[whole:])
        try:
            self._take(map(_parse, *(fields[n:whole:_FIELDS] for n in range(_FIELDS))))
        except ValueError as error:
            raise Failed(f"the server's listing cannot be read ({error}). try again") from None

    def finish(self) -> None:
        """Raise Failed where the listing was cut off."""
        if self._rest:
            raise Failed("the server's listing was cut off. try again")


def _parse(facts: bytes, owner: bytes, group: bytes, path: bytes, link: bytes) -> Listed:
    kind, mode, uid, gid, names, device, inode, size, mtime, ctime = facts.split(b" ")
    type_ = TYPES.get(kind, OTHER)
    several = type_ == FILE and names != b"1"
    return Listed(
        path or b".",
        type_,
        int(size) if type_ == FILE else 0,
        _nanoseconds(mtime),
        _nanoseconds(ctime),
        int(mode, 8),
        int(uid),
        int(gid),
        owner.decode("utf-8", "replace"),
        group.decode("utf-8", "replace"),
        link,
        f"{device.decode()}:{inode.decode()}" if several else "",
    )


def _nanoseconds(text: bytes) -> int:
    """Find writes ten decimals."""
    return int(text[:-11] + text[-10:-1])
