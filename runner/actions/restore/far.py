"""What a restore needs of a server where no command can be run: acts on files, many at a time, paths as bytes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from itertools import groupby
from typing import NamedTuple, Protocol

from runner.actions.backup.listing import FOLDER, Listed
from runner.actions.backup.set_files import Entry

PRIVATE = 0o700
Pair = tuple[bytes, bytes]


class Small(NamedTuple):
    """A file that is written at once."""

    path: bytes
    content: bytes
    mode: int
    mtime_ns: int


class Writer(Protocol):
    """A file that is written piece by piece, in order."""

    def write(self, at: int, data: bytes) -> None:
        """Write data there; what lies between it and what was written before is zeros."""

    def finish(self, size: int) -> None:
        """Give it its size."""


class Far(Protocol):
    """A server's files. All raise Failed where the server refuses, Unreachable or TimeUp. Links are never followed,
    but on the way to the root."""

    @property
    def note(self) -> str:
        """What this way cannot do."""

    def cannot(self, entry: Entry) -> bool:
        """Whether no such entry can be made."""

    def find_root(self, path: bytes) -> bytes:
        """The real path of a folder that may not be there. Raise Failed where the one above is not there either."""

    def look(self, paths: Sequence[bytes]) -> list[Listed | None]:
        """What stands under these names; None for nothing."""

    def list_folders(self, paths: Sequence[bytes]) -> list[Listed]:
        """What is in these folders, under whole paths."""

    def make_folders(self, paths: Sequence[bytes]) -> None:
        """Make folders that only the account may enter, none of them in another one of them."""

    def write_files(self, files: Sequence[Small]) -> None:
        """Write new files."""

    def writing(self, path: bytes) -> AbstractContextManager[Writer]:
        """Write a new file piece by piece."""

    def make_links(self, links: Sequence[Pair]) -> None:
        """Make symbolic links: each a path and where it leads."""

    def set_facts(self, facts: Sequence[tuple[bytes, int, int]]) -> None:
        """Set mode and time (ns) of files or folders, as far as the server lets us."""

    def read_files(self, paths: Sequence[bytes], sizes: Sequence[int]) -> list[bytes]:
        """The content of small files, as it is there."""

    def read_pieces(self, path: bytes) -> Iterator[bytes]:
        """The content of a file, as it is there."""

    def rename(self, pairs: Sequence[Pair]) -> None:
        """Rename to names that nothing has."""

    def keep(self, pairs: Sequence[Pair]) -> None:
        """Give files their second name; the first one stays where the server can do that."""

    def replace(self, pairs: Sequence[Pair]) -> None:
        """Rename to names that `keep` was done for."""

    def remove(self, paths: Sequence[bytes]) -> None:
        """Remove files and links."""

    def remove_folders(self, paths: Sequence[bytes]) -> None:
        """Remove empty folders, none of them in another one of them."""

    def free(self, folder: bytes) -> int | None:
        """How many bytes are free there; None where the server does not tell."""

    def close(self) -> None:
        """Let go of the server."""


def join(folder: bytes, name: bytes) -> bytes:
    """Given a folder and a path in it, return the whole path."""
    return folder if name == b"." else folder.rstrip(b"/") + b"/" + name


def depth(path: bytes) -> int:
    """How deep a path is."""
    return path.count(b"/")


def remove_tree(far: Far, path: bytes) -> None:
    """Remove a folder with all that is in it, where it is there; what a link leads to stays."""
    (found,) = far.look([path])
    level = [path] if found and found.type == FOLDER else []
    if found and not level:
        far.remove([path])
    folders: list[bytes] = []
    while level:
        folders += level
        entries = far.list_folders(level)
        far.remove([each.path for each in entries if each.type != FOLDER])
        level = [each.path for each in entries if each.type == FOLDER]
    for _, some in groupby(sorted(folders, key=depth, reverse=True), key=depth):
        far.remove_folders(list(some))
