"""What a folder on a server holds: one listing by GNU find, read as it comes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from runner.actions.backup.known import Known, render_tail
from runner.errors import Failed

FILE, FOLDER, LINK, HARDLINK, OTHER = "file", "folder", "link", "hardlink", "other"
# Owners as numbers: find asks for a name anew with each entry, which costs five times the rest of the listing.
FIND = "%y %m %U %G %n\\0%s<%T@>%C@\\0%P\\0%D:%i\\0%l\\0"
NAMES = "%U %G\\0%u\\0%g\\0"
_FIELDS = 5
_AT_ONCE = 256 * 1024
TYPES = {b"f": FILE, b"d": FOLDER, b"l": LINK}


class Listed(NamedTuple):
    """An entry as the server lists it. `path` is relative to the root, which itself is "."; times are nanoseconds since
    1970, 0 where the server does not tell; `owner` and `group` are "" where their names are not known yet, or never;
    `inode` is "" unless the file has further names."""

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


class Owner(NamedTuple):
    """What a number of an owner ("user") or of a group ("group") is called."""

    kind: str
    number: int
    name: str


class _Kind(NamedTuple):
    """What many entries have in common; `several` where they are files with further names."""

    type: str
    mode: int
    uid: int
    gid: int
    several: bool


class Lister:
    """Takes what find sends piece by piece, and hands on what it lists and is not known already. Raise Failed where
    that is no listing.

    `known` is asked for when the first entries are there. `examples` has of each pair of owner and group one entry's
    path.
    """

    def __init__(self, take: Callable[[Iterable[Listed]], None], known: Callable[[], Known] = Known) -> None:
        self._take = take
        self._known = known
        self._held: list[bytes] = []
        self._size = 0
        self._kinds: dict[bytes, _Kind] = {}
        self._tails: dict[bytes, bytes] = {}
        self.examples: dict[tuple[int, int], bytes] = {}

    def feed(self, piece: bytes) -> None:
        """Take the next piece."""
        self._held.append(piece)
        self._size += len(piece)
        if self._size >= _AT_ONCE:
            self._hand_on()

    def finish(self) -> None:
        """Hand on the rest. Raise Failed where the listing was cut off."""
        self._hand_on()
        if self._size:
            raise Failed("the server's listing was cut off. try again")

    def _hand_on(self) -> None:
        fields = b"".join(self._held).split(b"\0")
        whole = (len(fields) - 1) // _FIELDS * _FIELDS
        self._held = [b"\0".join(fields[whole:])]
        self._size = len(self._held[0])
        try:
            self._take(self._parsed(*(fields[n:whole:_FIELDS] for n in range(_FIELDS))))
        except ValueError as error:
            raise Failed(f"the server's listing cannot be read ({error}). try again") from None

    def _parsed(
        self,
        kinds: Sequence[bytes],
        facts: Sequence[bytes],
        paths: Sequence[bytes],
        inodes: Sequence[bytes],
        links: Sequence[bytes],
    ) -> Iterator[Listed]:
        for kind in set(kinds) - self._kinds.keys():
            self._learn(kind, paths[kinds.index(kind)])
        for place in self._known().find_others(kinds, facts, paths, self._tails):
            yield _build(self._kinds[kinds[place]], facts[place], paths[place], inodes[place], links[place])

    def _learn(self, text: bytes, path: bytes) -> None:
        type_, mode, uid, gid, names = text.split(b" ")
        plain, several = type_ == b"f", names != b"1"
        kind = _Kind(TYPES.get(type_, OTHER), int(mode, 8), int(uid), int(gid), plain and several)
        self._kinds[text] = kind
        self._tails[text] = render_tail(*kind[1:4]) if plain and not several else b""
        self.examples.setdefault((kind.uid, kind.gid), path)


def parse_owners(text: bytes) -> Iterator[Owner]:
    """Given what find says by NAMES, give who the numbers are. One without a name is called by its number."""
    *fields, _ = text.split(b"\0")
    for numbers, user, group in zip(fields[::3], fields[1::3], fields[2::3], strict=True):
        uid, gid = numbers.split(b" ")
        yield Owner("user", int(uid), user.decode("utf-8", "replace"))
        yield Owner("group", int(gid), group.decode("utf-8", "replace"))


def _build(kind: _Kind, facts: bytes, path: bytes, inode: bytes, link: bytes) -> Listed:
    size, _, times = facts.partition(b"<")
    mtime, _, ctime = times.partition(b">")
    return Listed(
        path or b".",
        kind.type,
        int(size) if kind.type == FILE else 0,
        _nanoseconds(mtime),
        _nanoseconds(ctime),
        kind.mode,
        kind.uid,
        kind.gid,
        "",
        "",
        link,
        inode.decode() if kind.several else "",
    )


def _nanoseconds(text: bytes) -> int:
    """Find writes ten decimals."""
    return int(text[:-11] + text[-10:-1])
