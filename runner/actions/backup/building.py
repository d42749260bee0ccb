"""Makes members of an archive from files that come one by one, where the server sends no archive."""

from __future__ import annotations

import tarfile
from collections.abc import Iterable, Iterator, Sequence

from runner.actions.backup.listing import FILE, FOLDER, LINK, Listed
from runner.actions.backup.members import Member

SMALL = 1024 * 1024  # read whole; a larger file is read piece by piece
GATHERED = 8 * 1024 * 1024
MOST_GATHERED = 500
_TYPES = {FILE: tarfile.REGTYPE, FOLDER: tarfile.DIRTYPE, LINK: tarfile.SYMTYPE}


def build_member(listed: Listed, *, size: int = 0, mtime_ns: int = 0, link: bytes = b"") -> Member:
    """Given an entry, and of a file the size of what follows, return the member; times are kept in whole seconds."""
    info = tarfile.TarInfo(listed.path.decode("utf-8", "surrogateescape"))
    info.type, info.mode, info.uid, info.gid = _TYPES[listed.type], listed.mode, listed.uid, listed.gid
    info.uname, info.gname, info.size = listed.owner, listed.group, size
    seconds = (mtime_ns or listed.mtime_ns) // 10**9
    info.mtime, info.linkname = seconds, link.decode("utf-8", "surrogateescape")
    header = info.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")
    return Member(listed.path, listed.type, size, size, seconds * 10**9, link, sparse=False, header=header)


def gathered(entries: Iterable[Listed]) -> Iterator[Sequence[Listed]]:
    """Give entries in order: small ones together, as many as may be fetched at a time, each large one alone."""
    batch: list[Listed] = []
    size = 0
    for listed in entries:
        large = listed.size > SMALL
        if batch and (large or len(batch) >= MOST_GATHERED or size + listed.size > GATHERED):
            yield batch
            batch, size = [], 0
        batch.append(listed)
        size += listed.size
        if large:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
