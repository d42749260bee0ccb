"""Puts members of a set into a folder of a server, by that server's own tar, a few MiB at a time.

The folder is one that was made for this and that nobody else may enter. What arrives there was held against the set's
list and hashes on this side: tar is given no member that the list does not name.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from io import BytesIO
from typing import NamedTuple

from runner.actions.backup.listing import FOLDER
from runner.actions.backup.members import BLOCK, Member
from runner.actions.backup.set_files import Entry, shown
from runner.actions.backup.sparse import read_map
from runner.actions.backup.verdict import complaint
from runner.contract import Command, Connection
from runner.durations import Deadline
from runner.errors import Failed

BATCH = 24 * 1024 * 1024  # starting a program for each takes time; two of them are in memory at a time
LARGE = 8 * 1024 * 1024  # a larger file is written in pieces of this size
_END = bytes(2 * BLOCK)
_UNPACK = 'umask 022; cd -- "$1" && exec env LC_ALL=C tar --extract --preserve-permissions --file=-'
# Makes a file as long as what is written already, so that a piece sent again is not in it twice; then adds the piece.
APPEND = """umask 077
cd -- "$1" || exit 1
case $2 in */*) mkdir -p -- "./${2%/*}" || exit 1;; esac
truncate -s "$3" -- "./$2" && exec cat >> "./$2"
"""
_FINISH = """cd -- "$1" || exit 1
truncate -s "$3" -- "./$2" && chmod "$4" -- "./$2" && touch -d "@$5" -- "./$2" || exit 1
[ "$(id -u)" != 0 ] || chown -h -- "$6:$7" "./$2"
"""


class Place(NamedTuple):
    """A folder on a server to unpack into, and for whom."""

    connection: Connection
    folder: str
    deadline: Deadline
    run_as: str = ""

    def do(self, line: str, parameters: Sequence[str], what: str, stdin: bytes = b"") -> bytes:
        """Run a line there, its parameters after the folder; return what it says. Raise Failed, which names `what`."""
        command = Command(line=line, parameters=(self.folder, *parameters), stdin=stdin, run_as=self.run_as)
        result = self.connection.run(command, self.deadline)
        if result.exit_code != 0:
            raise Failed(f"{what}: cannot be written there: {complaint(result.stderr)}. look at the server's disk")
        return result.stdout


class Unpacker:
    """A sink (see set_reading.Sink) that unpacks what it is given, one batch there while the next is read here.

    Use it as `with Unpacker(place) as unpacker`, and `finish` it: folders get their rights at the end.
    """

    def __init__(self, place: Place, meter: Callable[[int], None] = lambda size: None) -> None:
        """Given where to unpack to, and what is told the size of each entry that was taken."""
        self._place = place
        self._meter = meter
        self._batch = BytesIO()
        self._folders: list[bytes] = []
        self._sender = ThreadPoolExecutor(max_workers=1, thread_name_prefix="unpacking")
        self._sending: Future[bytes] | None = None
        self._large: _Large | None = None
        self._member: Member | None = None

    def begin(self, entry: Entry, member: Member) -> None:
        """A member begins."""
        self._member = member
        if member.stored > LARGE or not member.header:
            self.flush()
            self._await()
            self._large = _Large(self._place, entry, member)
        else:
            self._batch.write(member.header)

    def data(self, piece: memoryview) -> None:
        """The next bytes of its data."""
        if self._large:
            self._large.write(piece)
        else:
            self._batch.write(piece)
        self._meter(len(piece))

    def end(self, entry: Entry) -> None:
        """It was read whole."""
        assert self._member is not None
        if self._large:
            self._large.finish()
            self._large = None
        else:
            self._batch.write(bytes(self._member.padding))
        if self._batch.tell() >= BATCH:
            self.flush()

    def whole(self, entry: Entry, member: Member, content: memoryview) -> None:
        """A member at once."""
        if member.type == FOLDER:
            self._folders.append(member.header)
        else:
            self._batch.write(content)
        self._meter(entry.size)
        if self._batch.tell() >= BATCH:
            self.flush()

    def flush(self) -> None:
        """Have what was gathered unpacked, once what was before it is. Raise Failed where that was not."""
        self._await()
        if self._batch.tell():
            self._batch.write(_END)
            self._sending = self._sender.submit(self._place.do, _UNPACK, (), "the files", self._batch.getvalue())
        self._batch = BytesIO()

    def finish(self) -> None:
        """Unpack the rest, then the folders: one that nobody may write into would have stopped its own files."""
        self.flush()
        for header in self._folders:
            self._batch.write(header)
            if self._batch.tell() >= BATCH:
                self.flush()
        self._folders = []
        self.flush()
        self._await()

    def __enter__(self) -> Unpacker:
        return self

    def __exit__(self, *error: object) -> None:
        """Wait for what is under way there."""
        self._sender.shutdown(cancel_futures=True)

    def _await(self) -> None:
        if self._sending:
            self._sending.result()
        self._sending = None


class _Large:
    """A file that is written piece by piece."""

    def __init__(self, place: Place, entry: Entry, member: Member) -> None:
        self._place = place
        self._entry = entry
        self._name = entry.path.decode("utf-8", "surrogateescape")
        self._sparse = member.sparse
        self._map = b""
        self._pieces: list[tuple[int, int]] = [] if member.sparse else [(0, member.stored)]
        self._waiting = bytearray()
        self._at = 0

    def write(self, data: memoryview) -> None:
        """Take the next bytes."""
        self._waiting += data
        if self._sparse and not self._pieces:
            found = read_map(bytes(self._waiting))
            if found is None:
                return
            self._pieces, rest = found
            self._waiting = bytearray(rest)
            self._at = self._pieces[0][0] if self._pieces else 0
        if len(self._waiting) >= LARGE:
            self._send()

    def finish(self) -> None:
        """Write the rest; then give the file its size, rights, time and, as root, its owner."""
        self._send()
        entry = self._entry
        seconds, rest = divmod(entry.mtime_ns, 10**9)
        words = (self._name, str(entry.size), f"{entry.mode & 0o7777:o}", f"{seconds}.{rest:09d}")
        self._place.do(_FINISH, (*words, entry.owner, entry.group), self._shown())

    def _send(self) -> None:
        while self._waiting:
            start, length = self._pieces[0]
            size = min(len(self._waiting), start + length - self._at, LARGE)
            self._place.do(APPEND, (self._name, str(self._at)), self._shown(), bytes(self._waiting[:size]))
            del self._waiting[:size]
            self._at += size
            if self._at == start + length:
                self._pieces.pop(0)
                self._at = self._pieces[0][0] if self._pieces else 0

    def _shown(self) -> str:
        return f"'{shown(self._entry.path)}'"
