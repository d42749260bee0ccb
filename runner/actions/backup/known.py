"""What the list of a full set says of plain files, as find tells of them: what is told so again is unchanged, and needs
neither be looked at nor be written line by line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path

from runner.actions.backup.zstd import ZstdFile

MOST_HELD = 32 * 1024 * 1024  # bytes of a list: some 95,000 files; of a longer one each line is noted by itself
END = b"}\n"
_PIECE = 1024 * 1024
_AT_ONCE = 4000
# A line as filelist.render_kept makes it; what find cannot tell comes last.
_PATH, _FILE, _REST = b'{"path": "', b'", "type": "file", "size": ', b', "owner": '
_MTIME, _CTIME = b', "mtime_ns": ', b', "ctime_ns": '
_TAIL = ', "mode": {}, "uid": {}, "gid": {}'


class Known:
    """The plain files of a list, and what else stands in it; without a list, nothing. Unless it is to `hold` them, it
    knows of none of them; neither of the paths that are to be kept `apart`. Raise OSError or ZstdError where the list
    is spoilt.

    A name that JSON writes otherwise than it is, with a quote or a backslash in it, is none of a plain file here: no
    two names can be taken for each other. Neither is a time of the first second of 1970.
    """

    def __init__(self, path: Path | None = None, apart: Sequence[bytes] = (), *, hold: bool = True) -> None:
        self._path = path
        self._rests: dict[bytes, bytes] = {}  # by the beginning of each line
        self._others: list[bytes] = []
        self._same: dict[bytes, bytes] = {}
        self.size = 0
        self._held = path is not None and hold and self._hold(path, tuple(_PATH + name + b'"' for name in apart))
        if not self._held:
            self._rests, self._others = {}, []

    @property
    def entries(self) -> int:
        """How many files are unchanged; `size` is how many bytes they are."""
        return len(self._same)

    def find_others(
        self, kinds: Iterable[bytes], facts: Sequence[bytes], paths: Iterable[bytes], tails: Mapping[bytes, bytes]
    ) -> Iterable[int]:
        """Given entries as find tells of them (see listing.FIND), and the tail of each kind, return the places of those
        that are not known to be so."""
        if not self._rests:
            return range(len(facts))
        numbers = _render_numbers(facts)
        columns = zip(paths, numbers, kinds, strict=True)
        begins = [b"".join((_PATH, path, _FILE, number, tails[kind])) for path, number, kind in columns]
        others = []
        for place, begin in enumerate(begins):
            rest = self._rests.pop(begin, None)
            if rest is None:
                others.append(place)
            else:
                self._same[begin] = rest
        self.size += sum(map(_size, numbers)) - sum(_size(numbers[place]) for place in others)
        return others

    def others(self) -> Iterator[bytes]:
        """The lines that are not of unchanged files, without their ends."""
        if self._path and not self._held:
            for lines in _read_lines(self._path):
                yield from lines
        yield from self._others
        yield from map(_REST.join, self._rests.items())

    def unchanged(self, ending: bytes) -> Iterator[bytes]:
        """The lines of unchanged files, many at a time, each with that ending."""
        same = map(_REST.join, self._same.items())
        while some := list(islice(same, _AT_ONCE)):
            yield ending.join([*some, b""])

    def _hold(self, path: Path, apart: tuple[bytes, ...]) -> bool:
        """Hold all lines, where they are not too many."""
        size = 0
        for lines in _read_lines(path):
            size += sum(map(len, lines))
            if size > MOST_HELD:
                return False
            for line in lines:
                begin, _, self._rests[begin] = line.partition(_REST)
        odd = [begin for begin, rest in self._rests.items() if b"\\" in begin or not rest or begin.startswith(apart)]
        self._others = [_REST.join((begin, rest)) if (rest := self._rests.pop(begin)) else begin for begin in odd]
        return True


def render_tail(mode: int, uid: int, gid: int) -> bytes:
    """What stands in a line behind the numbers of a plain file."""
    return _TAIL.format(mode, uid, gid).encode()


def _render_numbers(facts: Sequence[bytes]) -> list[bytes]:
    """Size and times as the list has them: find writes ten decimals, the last of them always 0."""
    text = b"\n".join([*facts, b""]).translate(None, b".")
    text = text.replace(b"<", _MTIME).replace(b"0>", _CTIME).replace(b"0\n", b"\n")
    return text.split(b"\n")[:-1]


def _size(numbers: bytes) -> int:
    return int(numbers[: numbers.index(b",")])


def _read_lines(path: Path) -> Iterator[list[bytes]]:
    """The lines of a list, many at a time, without their ends."""
    with ZstdFile(path) as file:
        held = b""
        while piece := file.read(_PIECE):
            *lines, held = (held + piece).split(END)
            yield lines
