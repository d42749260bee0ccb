"""A way to files where there is no SSH at all: FTP over TLS, several connections at a time."""

from __future__ import annotations

import ftplib
import hashlib
import queue
import re
import ssl
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any, NamedTuple

from runner.actions.backup.building import SMALL, build_member, gathered
from runner.actions.backup.ledger import Ledger
from runner.actions.backup.listing import FILE, FOLDER, OTHER, Listed
from runner.actions.backup.packing import Packer
from runner.actions.backup.ways import not_read, wanted
from runner.durations import Deadline
from runner.errors import Failed, TimeUp, Unreachable

CONNECTIONS = 4
LONGEST_WAIT = 60.0  # for one answer
PIECE = 256 * 1024
DEEPEST = 100
_TYPES = {"file": FILE, "dir": FOLDER, "cdir": "", "pdir": ""}
_MISSING = re.compile("450|501|550")


class Host(NamedTuple):
    """Where to log in, and as whom. `certificate` is the SHA-256 (hex) of the one that it shows, where no authority
    vouches for it."""

    address: str
    port: int
    user: str
    password: str
    certificate: str = ""


class _Session(ftplib.FTP_TLS):
    """FTP over TLS whose data connections go on with the session of the first, as many servers demand."""

    def ntransfercmd(self, cmd: str, rest: int | str | None = None) -> tuple[Any, int | None]:
        """Open a data connection for a command."""
        connection, size = ftplib.FTP.ntransfercmd(self, cmd, rest)  # noqa: S321 - it is wrapped in TLS below
        assert isinstance(self.sock, ssl.SSLSocket)
        session = self.sock.session
        return self.context.wrap_socket(connection, server_hostname=self.host, session=session), size


class FtpsWay:
    """FTP over TLS; see ways.Way. Paths are bytes, carried as Latin-1."""

    note = (
        "over FTPS: times are in whole seconds, owners are not known, links are left out, hard links are stored as "
        "files of their own"
    )

    def __init__(self, host: Host, root: str, deadline: Deadline) -> None:
        self._host = host
        self._root = root
        self._deadline = deadline
        self._idle: queue.SimpleQueue[_Session] = queue.SimpleQueue()

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
        with suppress(queue.Empty):
            while True:
                self._idle.get_nowait().close()

    def _list(self, folder: bytes) -> list[Listed]:
        with self._session() as session:
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
        with self._session() as session:
            try:
                session.retrbinary(f"RETR {self._place(listed.path)}", take, PIECE)
            except ftplib.error_perm as error:
                if not self._is_there(session, listed.path):
                    return False
                raise self._refused(listed.path, error) from None
        return True

    def _is_there(self, session: _Session, path: bytes) -> bool:
        try:
            session.voidcmd("TYPE I")
            return session.size(self._place(path)) is not None
        except ftplib.error_perm:
            return False

    @contextmanager
    def _session(self) -> Iterator[_Session]:
        """Give a connection that nobody uses. Raise Unreachable, TimeUp or Failed for what goes wrong meanwhile."""
        if self._deadline.passed:
            raise TimeUp("time was up before everything had come; the next run goes on there. allow more of it")
        session: _Session | None = None
        try:
            session = self._idle_session() or self._log_in()
            yield session
            self._idle.put(session)
        except BaseException as error:  # noqa: BLE001 - it is passed on, in words where it is FTP's
            if session:
                session.close()
            raise self._explain(error) from None

    def _idle_session(self) -> _Session | None:
        try:
            return self._idle.get_nowait()
        except queue.Empty:
            return None

    def _explain(self, error: BaseException) -> BaseException:
        if isinstance(error, ftplib.error_perm):
            return Failed(f"{self._host.address}: FTPS refuses: {error}. check user and password")
        if isinstance(error, (ftplib.Error, OSError, EOFError)):
            return Unreachable(f"{self._host.address}: FTPS broke: {error}. run the task again: it goes on there")
        return error

    def _log_in(self) -> _Session:
        host = self._host
        context = ssl.create_default_context()
        if host.certificate:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # its fingerprint is held against ours
        limit = min(LONGEST_WAIT, max(1.0, self._deadline.remaining()))
        session = _Session(context=context, timeout=limit, encoding="latin-1")
        try:
            session.connect(host.address, host.port)
            session.auth()
            _check_certificate(session, host)
            session.login(host.user, host.password)
            session.prot_p()
        except BaseException:
            session.close()
            raise
        return session

    def _place(self, path: bytes) -> str:
        if b"\n" in path or b"\r" in path:
            raise not_read(self._root, f"{path!r}: FTP cannot name a file with a line break")
        root = self._root.encode("utf-8", "surrogateescape").decode("latin-1")
        return root if path == b"." else f"{root}/{path.decode('latin-1')}"

    def _refused(self, path: bytes, error: Exception) -> Exception:
        if path == b"." and _MISSING.match(str(error)):
            return not_read(self._root, "there is no such folder on the server")
        return not_read(self._root, f"{path.decode('utf-8', 'replace')}: {error}")


def _check_certificate(session: _Session, host: Host) -> None:
    assert isinstance(session.sock, ssl.SSLSocket)
    shown = hashlib.sha256(session.sock.getpeercert(binary_form=True) or b"").hexdigest()
    if host.certificate and shown != host.certificate.replace(":", "").lower():
        raise Failed(f"{host.address}: it shows another certificate: {shown}. is it the right server?")


def parse_fact_line(line: str, folder: bytes) -> Listed | None:
    """Given a line of MLSD (RFC 3659: "type=file;size=5;modify=20260131020000; name"), return the entry; None for the
    folder itself and the one above. Raise Failed where it is none."""
    facts_text, _, name = line.partition(" ")
    facts = dict(fact.lower().partition("=")[::2] for fact in facts_text.rstrip(";").split(";"))
    kind = _TYPES.get(facts.get("type", ""), OTHER)
    if not name or "type" not in facts:
        raise Failed("the server's listing cannot be read: has a name a line break, or knows it no MLSD? use SSH")
    if not kind or name in (".", ".."):
        return None
    path = name.encode("latin-1") if folder == b"." else folder + b"/" + name.encode("latin-1")
    mode = int(facts.get("unix.mode", "755" if kind == FOLDER else "644"), 8) & 0o7777
    size = int(facts.get("size", "0")) if kind == FILE else 0
    return Listed(path, kind, size, _moment(facts.get("modify", "")) * 10**9, 0, mode, 0, 0, "", "", b"", "")


def _moment(text: str) -> int:
    try:
        return int(datetime.strptime(text[:14], "%Y%m%d%H%M%S").replace(tzinfo=UTC).timestamp())
    except ValueError:
        return 0
