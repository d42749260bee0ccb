"""Makes files of a set's members where the server runs no tar: written a batch at a time, each read back from there."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from itertools import groupby
from posixpath import dirname
from typing import Any

from runner.actions.backup.building import GATHERED, MOST_GATHERED, SMALL
from runner.actions.backup.listing import FOLDER, LINK
from runner.actions.backup.members import Member
from runner.actions.backup.set_files import Entry, shown
from runner.actions.backup.sparse import read_map
from runner.actions.restore.far import Far, Small, Writer, depth, join
from runner.errors import Failed


class FarUnpacker:
    """A receiver (see site.Receiver) into a private folder that was made for this. Links are made last."""

    def __init__(self, far: Far, folder: bytes, meter: Callable[[int], None]) -> None:
        self._far = far
        self._folder = folder
        self._meter = meter
        self._batch: list[tuple[Entry, bytes]] = []
        self._size = 0
        self._made = {folder}
        self._folders: list[Entry] = []
        self._links: list[Entry] = []
        self._large: _Large | None = None
        self._data = bytearray()
        self._sparse = False

    def begin(self, entry: Entry, member: Member) -> None:
        """A member begins."""
        self._sparse = member.sparse
        self._data = bytearray()
        if entry.size > SMALL or member.stored > SMALL:
            self.flush()
            self._make_folders([self._path(entry)])
            self._large = _Large(self._far, self._path(entry), entry, sparse=member.sparse)

    def data(self, piece: memoryview) -> None:
        """The next bytes of its data."""
        if self._large:
            self._large.write(bytes(piece))
        else:
            self._data += piece
        self._meter(len(piece))

    def end(self, entry: Entry) -> None:
        """It was read whole."""
        if self._large:
            self._large.finish()
            self._large = None
        else:
            self._add(entry, bytes(self._data))

    def whole(self, entry: Entry, member: Member, content: memoryview) -> None:
        """A member at once."""
        if entry.type == FOLDER:
            self._folders.append(entry)
        elif entry.link:
            self._links.append(entry)
        else:
            self.begin(entry, member)
            self.data(content[len(member.header) : len(member.header) + member.stored])
            self.end(entry)

    def flush(self) -> None:
        """Write what was gathered, and read it back. Raise Failed where that is something else."""
        paths = [self._path(entry) for entry, _ in self._batch]
        self._make_folders(paths)
        files = [Small(path, data, e.mode, e.mtime_ns) for path, (e, data) in zip(paths, self._batch, strict=True)]
        self._far.write_files(files)
        contents = self._far.read_files(paths, [len(data) for _, data in self._batch])
        for (entry, _), content in zip(self._batch, contents, strict=True):
            _check(entry, hashlib.sha256(content).hexdigest())
        self._batch, self._size = [], 0

    def finish(self) -> None:
        """Write the rest; then links, for nothing may be written through one; then the rights and times of folders."""
        self.flush()
        self._make_folders([join(self._path(entry), b"x") for entry in self._folders])
        for entry in self._links:
            if entry.type != LINK:
                self._copy(entry)
        links = [entry for entry in self._links if entry.type == LINK]
        self._make_folders([self._path(entry) for entry in links])
        self._far.make_links([(self._path(entry), entry.link) for entry in links])
        for some in _by_depth([(self._path(entry), entry.mode, entry.mtime_ns) for entry in self._folders]):
            self._far.set_facts(some)

    def __enter__(self) -> FarUnpacker:
        return self

    def __exit__(self, *error: object) -> None:
        """Nothing is under way."""
        if self._large:
            self._large.leave(*error)

    def _add(self, entry: Entry, data: bytes) -> None:
        content = b"".join(_filled(data, entry.size)) if self._sparse else data
        self._batch.append((entry, content))
        self._size += len(content)
        if self._size >= GATHERED or len(self._batch) >= MOST_GATHERED:
            self.flush()

    def _copy(self, entry: Entry) -> None:
        """A hard link: a file of its own, with the content of the one that it is another name of."""
        target, path = join(self._folder, entry.link), self._path(entry)
        (found,) = self._far.look([target])
        if found is None:
            raise Failed(f"'{shown(entry.path)}': '{shown(entry.link)}', whose other name it is, did not come")
        self._make_folders([path])
        with self._far.writing(path) as file:
            at = 0
            for piece in self._far.read_pieces(target):
                file.write(at, piece)
                at += len(piece)
            file.finish(at)
        self._far.set_facts([(path, entry.mode or found.mode, entry.mtime_ns or found.mtime_ns)])
        hashes = [_hash(self._far.read_pieces(each)) for each in (target, path)]
        if hashes[0] != hashes[1]:
            raise _unlike(entry)

    def _make_folders(self, paths: Sequence[bytes]) -> None:
        """Make the folders that these paths are in, the upper ones first."""
        missing: set[bytes] = set()
        for path in paths:
            above = dirname(path)
            while above not in self._made:
                self._made.add(above)
                missing.add(above)
                above = dirname(above)
        for _, some in groupby(sorted(missing, key=depth), key=depth):
            self._far.make_folders(list(some))

    def _path(self, entry: Entry) -> bytes:
        return join(self._folder, entry.path)


class _Large:
    """A file that is written piece by piece, then read back."""

    def __init__(self, far: Far, path: bytes, entry: Entry, *, sparse: bool) -> None:
        self._far, self._path, self._entry = far, path, entry
        self._open = ExitStack()
        self._file: Writer = self._open.enter_context(far.writing(path))
        self._pieces: list[tuple[int, int]] | None = None if sparse else [(0, entry.size)]
        self._waiting = b""

    def write(self, data: bytes) -> None:
        """Take the next bytes."""
        if self._pieces is None:
            self._waiting += data
            found = read_map(self._waiting)
            if found is None:
                return
            self._pieces, data = found
        while data and self._pieces:
            start, length = self._pieces.pop(0)
            part = data[:length]
            self._file.write(start, part)
            data = data[len(part) :]
            if len(part) < length:
                self._pieces.insert(0, (start + len(part), length - len(part)))

    def finish(self) -> None:
        """Give the file its size, rights and time, and read it back."""
        self._file.finish(self._entry.size)
        self._open.close()
        self._far.set_facts([(self._path, self._entry.mode, self._entry.mtime_ns)])
        _check(self._entry, _hash(self._far.read_pieces(self._path)))

    def leave(self, *error: Any) -> None:
        """Let go of a file that did not become whole."""
        self._open.__exit__(*error)


def _filled(data: bytes, size: int) -> Iterator[bytes]:
    """A small sparse file's content: its pieces, and zeros between them."""
    found = read_map(data)
    pieces, rest = found or ([], b"")
    at = 0
    for start, length in pieces:
        yield bytes(start - at)
        yield rest[:length]
        rest, at = rest[length:], start + length
    yield bytes(size - at)


def _by_depth(facts: Sequence[tuple[bytes, int, int]]) -> Iterator[list[tuple[bytes, int, int]]]:
    """The deepest first: what is done in a folder changes its time."""
    ordered = sorted(facts, key=lambda each: depth(each[0]), reverse=True)
    for _, some in groupby(ordered, key=lambda each: depth(each[0])):
        yield list(some)


def _hash(pieces: Iterator[bytes]) -> str:
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
    return digest.hexdigest()


def _check(entry: Entry, digest: str) -> None:
    if digest != entry.sha256:
        raise _unlike(entry)


def _unlike(entry: Entry) -> Failed:
    return Failed(
        f"'{shown(entry.path)}': read back from the server, it is not what was sent. look at its disk, and try again"
    )
