"""A server's files over FTP with TLS, several connections at a time. Paths are bytes, carried as Latin-1."""

from __future__ import annotations

import ftplib
import io
import re
import ssl
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from posixpath import dirname
from typing import TypeVar

from runner.actions.backup.ftps import CONNECTIONS, PIECE, Host, Sessions, parse_fact_line
from runner.actions.backup.listing import FOLDER, HARDLINK, LINK, Listed
from runner.actions.backup.set_files import Entry, shown
from runner.actions.restore.far import PRIVATE, Pair, Small
from runner.actions.restore.ftps_lines import BREAK, REFUSALS, FtpsWriter, is_link, is_utf8, line_of, told_why, worded
from runner.durations import Deadline
from runner.errors import Failed

Given = TypeVar("Given")
Made = TypeVar("Made")

_MODES, _TIMES = "modes", "times"
_SAID = {
    _MODES: "the server refused to set modes, or some of them",
    _TIMES: "the server refused to set times, or some of them",
}
_NOTE = (
    "over FTPS: times are in whole seconds, links are left out, hard links become files of their own; owners are not "
    "set"
)
_UNKNOWN = re.compile("50[0-4]")
_LIST = "LIST "
_LINKED = re.compile(r"l\S+\s")


class FtpsFar:
    """FTP over TLS; see far.Far. Its listings tell what is a link by MLSD's types, and by LIST where those do not."""

    def __init__(self, host: Host, deadline: Deadline) -> None:
        self._sessions = Sessions(host, deadline)
        self._utf8 = True
        self._refused: set[str] = set()
        self._unknown: set[str] = set()

    @property
    def note(self) -> str:
        """What FTP cannot do at all, and what this server refused."""
        refused = [said for what, said in _SAID.items() if what in self._refused]
        return "; ".join([_NOTE, *refused])

    def cannot(self, entry: Entry) -> bool:
        """FTP makes no links, and its lines hold no names with line breaks; a server whose names are UTF-8 (RFC 2640)
        gives others another name."""
        names = entry.path + (entry.link if entry.type == HARDLINK else b"")
        return entry.type == LINK or bool(BREAK.search(names)) or (self._utf8 and not is_utf8(names))

    def find_root(self, path: bytes) -> bytes:
        """The folder as it was given: FTP tells no real path, so it must not be a link."""
        self._utf8 = self._takes_utf8()
        root = self._absolute(path.rstrip(b"/") or b"/")
        (found,) = self.look([root])
        if found and found.type == LINK:
            raise Failed(f"{shown(root)}: it is a link. name the folder itself that it leads to")
        if not found and not self._is_folder(dirname(root) or b"."):
            raise Failed(f"{shown(root)}: the folder above it is not there. make it, or name another root")
        return root

    def look(self, paths: Sequence[bytes]) -> list[Listed | None]:
        """What stands under these names, by the listings of the folders that they are in."""
        above = sorted({dirname(path) for path in paths})
        listings = dict(zip(above, self._over(self._list_or_nothing, above), strict=True))
        found = {each.path: each for listing in listings.values() for each in listing or ()}
        unseen = {path for path in paths if path == b"/" or listings[dirname(path)] is None}
        return [self._as_folder(path) if path in unseen else found.get(path) for path in paths]

    def list_folders(self, paths: Sequence[bytes]) -> list[Listed]:
        """What is in these folders."""
        return [each for found in self._over(self._list, paths) for each in found]

    def make_folders(self, paths: Sequence[bytes]) -> None:
        """Make folders, private where the server lets us."""
        self._over(lambda path: self._tell(path, f"MKD {line_of(path)}"), paths)
        self._over(lambda path: self._set_mode(path, PRIVATE), paths)

    def write_files(self, files: Sequence[Small]) -> None:
        """Write new files."""
        self._over(self._write, files)

    @contextmanager
    def writing(self, path: bytes) -> Iterator[FtpsWriter]:
        """Write a new file piece by piece, over a connection of its own."""
        with self._sessions.take() as session, worded(path), told_why(session):
            session.voidcmd("TYPE I")
            writer = FtpsWriter(session, session.transfercmd(f"STOR {line_of(path)}"))
            try:
                yield writer
            finally:
                writer.close()

    def make_links(self, links: Sequence[Pair]) -> None:
        """There is none that could be made."""
        if links:
            raise Failed(f"'{shown(links[0][0])}': FTP makes no links. use SSH")

    def set_facts(self, facts: Sequence[tuple[bytes, int, int]]) -> None:
        """Set mode and time, as far as the server lets us."""
        self._over(lambda each: self._set_facts(*each), facts)

    def read_files(self, paths: Sequence[bytes], sizes: Sequence[int]) -> list[bytes]:
        """The content of small files."""
        return self._over(lambda path: b"".join(self._retrieve(path)), paths)

    def read_pieces(self, path: bytes) -> Iterator[bytes]:
        """The content of a file."""
        with self._sessions.take() as session, worded(path):
            session.voidcmd("TYPE I")
            with session.transfercmd(f"RETR {line_of(path)}") as connection:
                while piece := connection.recv(PIECE):
                    yield piece
                if isinstance(connection, ssl.SSLSocket):
                    connection.unwrap()
            session.voidresp()

    def rename(self, pairs: Sequence[Pair]) -> None:
        """Rename to free names."""
        self._over(self._rename, pairs)

    def keep(self, pairs: Sequence[Pair]) -> None:
        """Another name: FTP knows no second one."""
        self.rename(pairs)

    def replace(self, pairs: Sequence[Pair]) -> None:
        """Rename; nothing has that name any more."""
        self.rename(pairs)

    def remove(self, paths: Sequence[bytes]) -> None:
        """Remove files."""
        self._over(lambda path: self._tell(path, f"DELE {line_of(path)}"), paths)

    def remove_folders(self, paths: Sequence[bytes]) -> None:
        """Remove empty folders."""
        self._over(lambda path: self._tell(path, f"RMD {line_of(path)}"), paths)

    def free(self, folder: bytes) -> int | None:
        """FTP does not tell."""
        return None

    def close(self) -> None:
        """Log out."""
        self._sessions.close()

    def _over(self, act: Callable[[Given], Made], each: Sequence[Given]) -> list[Made]:
        """Act on each, several at a time. Raise what the first of them raised."""
        if len(each) < 2:
            return [act(one) for one in each]
        with ThreadPoolExecutor(CONNECTIONS) as pool:
            return list(pool.map(act, each))

    def _list(self, folder: bytes) -> list[Listed]:
        lines: list[str] = []
        long: list[str] = []
        with self._sessions.take() as session, worded(folder):
            session.retrlines(f"MLSD {line_of(folder)}", lines.append)
            session.retrlines(_LIST + line_of(folder), long.append)
        links = [line.encode("latin-1") for line in long if _LINKED.match(line)]
        found = [each for line in lines if (each := parse_fact_line(line, folder.rstrip(b"/")))]
        return [each._replace(type=LINK) if is_link(each, links) else each for each in found]

    def _list_or_nothing(self, folder: bytes) -> list[Listed] | None:
        try:
            return self._list(folder)
        except Failed:
            return None

    def _is_folder(self, path: bytes) -> bool:
        try:
            self._list(path)
        except Failed:
            return False
        return True

    def _absolute(self, path: bytes) -> bytes:
        if path.startswith(b"/"):
            return path
        with self._sessions.take() as session:
            return session.pwd().encode("latin-1").rstrip(b"/") + b"/" + path

    def _takes_utf8(self) -> bool:
        with self._sessions.take() as session:
            try:
                return "UTF8" in session.sendcmd("FEAT").upper()
            except REFUSALS:
                return False

    def _as_folder(self, path: bytes) -> Listed | None:
        """A folder where the one above it cannot be listed, such as the root of all."""
        return Listed(path, FOLDER, 0, 0, 0, 0o755, 0, 0, "", "", b"", "") if self._is_folder(path) else None

    def _write(self, file: Small) -> None:
        with self._sessions.take() as session, worded(file.path), told_why(session):
            session.storbinary(f"STOR {line_of(file.path)}", io.BytesIO(file.content), PIECE)
        self._set_facts(file.path, file.mode, file.mtime_ns)

    def _retrieve(self, path: bytes) -> list[bytes]:
        pieces: list[bytes] = []
        with self._sessions.take() as session, worded(path):
            session.retrbinary(f"RETR {line_of(path)}", pieces.append, PIECE)
        return pieces

    def _rename(self, pair: Pair) -> None:
        with self._sessions.take() as session, worded(pair[0]):
            session.rename(line_of(pair[0]), line_of(pair[1]))

    def _set_facts(self, path: bytes, mode: int, mtime_ns: int) -> None:
        self._set_mode(path, mode)
        moment = datetime.fromtimestamp(mtime_ns // 10**9, UTC)
        self._try(_TIMES, path, f"MFMT {moment:%Y%m%d%H%M%S} {line_of(path)}")

    def _set_mode(self, path: bytes, mode: int) -> None:
        self._try(_MODES, path, f"SITE CHMOD {mode & 0o7777:o} {line_of(path)}")

    def _try(self, what: str, path: bytes, line: str) -> None:
        """Have something done that many servers do not know."""
        if what in self._unknown:
            return
        with self._sessions.take() as session, worded(path):
            try:
                session.voidcmd(line)
            except ftplib.error_perm as error:
                self._refused.add(what)
                if _UNKNOWN.match(str(error)):
                    self._unknown.add(what)

    def _tell(self, path: bytes, line: str) -> None:
        with self._sessions.take() as session, worded(path):
            session.voidcmd(line)
