"""What goes over FTP: paths in its lines, files piece by piece, and what its server refuses."""

from __future__ import annotations

import ftplib
import re
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from posixpath import basename
from typing import Any

from runner.actions.backup.ftps import PIECE, Session
from runner.actions.backup.listing import FILE, FOLDER, Listed
from runner.actions.backup.set_files import shown
from runner.errors import Failed

REFUSALS = (ftplib.error_perm, ftplib.error_temp)
BREAK = re.compile(rb"[\r\n]")


class FtpsWriter:
    """A file that is written in order; FTP knows no holes, so they are sent as zeros."""

    def __init__(self, session: Session, connection: Any) -> None:
        self._session, self._connection = session, connection
        self._at = 0

    def write(self, at: int, data: bytes) -> None:
        """Write data there."""
        self._fill(at)
        self._connection.sendall(data)
        self._at += len(data)

    def finish(self, size: int) -> None:
        """Give it its size, and hear that it has come."""
        self._fill(size)
        if isinstance(self._connection, ssl.SSLSocket):
            self._connection.unwrap()
        self.close()
        self._session.voidresp()

    def close(self) -> None:
        """Close the data connection."""
        self._connection.close()

    def _fill(self, until: int) -> None:
        while self._at < until:
            part = bytes(min(PIECE, until - self._at))
            self._connection.sendall(part)
            self._at += len(part)


@contextmanager
def worded(path: bytes) -> Iterator[None]:
    """Raise Failed, which names the path, for what the server refuses."""
    try:
        yield
    except REFUSALS as error:
        raise Failed(
            f"'{shown(path)}': the FTP server says: {error}. look at its disk, its quota and the account's rights"
        ) from None


@contextmanager
def told_why(session: Session) -> Iterator[None]:
    """Where the connection of the data breaks, raise what the server says of that on the other one."""
    try:
        yield
    except OSError:
        session.voidresp()
        raise


def is_link(found: Listed, links: Sequence[bytes]) -> bool:
    """Given an entry and the lines of LIST that are of links, whether it is one: MLSD does not say so everywhere, but
    calls it what it leads to."""
    if found.type not in (FILE, FOLDER):
        return True
    name = b" " + basename(found.path) + b" -> "
    return any(name in line for line in links)


def line_of(path: bytes) -> str:
    """Given a path, return it as FTP's lines hold it. Raise Failed where they cannot."""
    if BREAK.search(path):
        raise Failed(f"'{shown(path)}': FTP cannot name a file with a line break. use SSH")
    return path.decode("latin-1")


def is_utf8(name: bytes) -> bool:
    """Whether a name is UTF-8."""
    try:
        name.decode()
    except UnicodeDecodeError:
        return False
    return True
