"""A way to files where there is no SSH at all: FTP over TLS, several connections at a time."""

from __future__ import annotations

import ftplib
import re
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

from runner.actions.backup.building import SMALL, build_member, gathered
from runner.actions.backup.ftps import CONNECTIONS, PIECE, Host, Session, Sessions, parse_fact_line
from runner.actions.backup.ledger import Ledger
from runner.actions.backup.listing import FOLDER, Listed, Owner
from runner.actions.backup.packing import Packer
from runner.actions.backup.ways import not_read, wanted
from runner.durations import Deadline
from runner.errors import Failed

DEEPEST = 100
_MISSING = re.compile("450|501|550")


class FtpsWay:
    """FTP over TLS; see ways.Way. Paths are bytes, carried as Latin-1."""

    note = (
        "over FTPS: times are in whole seconds, owners are not known, links are left out, hard links are stored as "
        "files of their own"
    )

    def __init__(self, host: Host, root: str, deadline: Deadline) -> None:
        self._root = root
        self._sessions = Sessions(host, deadline)

    def list_files(self, take: Callable[[Iterable[Listed]], None]) -> None:
        """Hand over all that the folder holds."""
        level = [b"."]
        take([Listed(b".", FOLDER, 0, 0, 0, 0o755, 0, 0, "", "", b"", "")])
        with ThreadPoolExecutor(CONNECTIONS) as pool:
            for _ in range(DEEPEST):
                found = list(pool.map(self._list, level))
                for entries in found:
                    take(entries)
                level = [each.path for entries in found for each in entries if each.type == FOLDER]
                if not level:
                    return
        raise Failed(f"{self._root}: its folders are more than {DEEPEST} deep. do links lead in a circle?")

    def find_owners(self) -> Iterable[Owner]:
        """Nobody tells."""
        return ()

    def fetch_files(self, ledger: Ledger, packer: Packer) -> list[bytes]:
        """Have everything come that is wanted; return what is not as it was listed."""
        for batch in gathered(wanted(ledger)):
            if batch[0].size > SMALL:
                self._stream(batch[0], packer)
            else:
                self._fetch(batch, packer)
        packer.flush()
        later: list[Listed] = []
        self.list_files(later.extend)
        return ledger.differing(later)

    def close(self) -> None:
        """Log out."""
        self._sessions.close()

    def _list(self, folder: bytes) -> list[Listed]:
        with self._sessions.take() as session:
            lines: list[str] = []
            try:
                session.retrlines(f"MLSD {self._place(folder)}", lines.append)
            except ftplib.error_perm as error:
                if folder != b"." and _MISSING.match(str(error)):
                    return []
                raise self._refused(folder, error) from None
        return [listed for line in lines if (listed := parse_fact_line(line, folder))]

    def _fetch(self, entries: Sequence[Listed], packer: Packer) -> None:
        """Have small files come, several at a time, and store them and folders in order."""
        packer.expect({each.path: each for each in entries})
        with ThreadPoolExecutor(CONNECTIONS) as pool:
            contents = list(pool.map(self._read, entries))
        for each, content in zip(entries, contents, strict=True):
            if content is not None:
                packer.begin(build_member(each, size=len(content)))
                packer.data(memoryview(content))

    def _read(self, listed: Listed) -> bytes | None:
        """A small file; None where it is gone."""
        pieces: list[bytes] = []
        if listed.type == FOLDER or self._retrieve(listed, pieces.append):
            return b"".join(pieces)
        return None

    def _stream(self, listed: Listed, packer: Packer) -> None:
        """A large file, as it comes; what lacks of its size is zeros, and the file is told to have changed."""
        left = listed.size
        packer.expect({listed.path: listed})

        def take(piece: bytes) -> None:
            nonlocal left
            if left == listed.size:
                packer.begin(build_member(listed, size=listed.size))
            part = piece[:left]
            packer.data(memoryview(part))
            left -= len(part)

        if self._retrieve(listed, take):
            while left:
                take(bytes(min(left, PIECE)))

    def _retrieve(self, listed: Listed, take: Callable[[bytes], None]) -> bool:
        with self._sessions.take() as session:
            try:
                session.retrbinary(f"RETR {self._place(listed.path)}", take, PIECE)
            except ftplib.error_perm as error:
                if not self._is_there(session, listed.path):
                    return False
                raise self._refused(listed.path, error) from None
        return True

    def _is_there(self, session: Session, path: bytes) -> bool:
        try:
            session.voidcmd("TYPE I")
            return session.size(self._place(path)) is not None
        except ftplib.error_perm:
            return False

    def _place(self, path: bytes) -> str:
        if b"\n" in path or b"\r" in path:
            raise not_read(self._root, f"{path!r}: FTP cannot name a file with a line break")
        root = self._root.encode("utf-8", "surrogateescape").decode("latin-1")
        return root if path == b"." else f"{root}/{path.decode('latin-1')}"

    def _refused(self, path: bytes, error: Exception) -> Exception:
        if path == b"." and _MISSING.match(str(error)):
            return not_read(self._root, "there is no such folder on the server")
        return not_read(self._root, f"{path.decode('utf-8', 'replace')}: {error}")
