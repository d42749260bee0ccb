"""Reads what a set holds, frame by frame: each member held against the set's list, each content against its hash."""

from __future__ import annotations

import gzip
import hashlib
import json
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import groupby
from typing import BinaryIO, NamedTuple, Protocol

from runner.actions.backup.content import PIECE
from runner.actions.backup.listing import FILE, HARDLINK, LINK
from runner.actions.backup.members import Member, MemberReader, NoArchive
from runner.actions.backup.memory import keep_freed_memory
from runner.actions.backup.roster import Frame, Roster
from runner.actions.backup.set_files import Entry, check_path, refused, shown
from runner.actions.backup.sets import BackupSet, spoilt
from runner.actions.backup.sparse import ContentHash, hash_of
from runner.actions.backup.zstd import ZstdDecompressor, ZstdError
from runner.durations import Deadline
from runner.errors import Failed, TimeUp

GZIP = b"\x1f\x8b"


class Sink(Protocol):
    """Takes the members that were asked for, one after the other."""

    def begin(self, entry: Entry, member: Member) -> None:
        """A member begins."""

    def data(self, piece: memoryview) -> None:
        """The next bytes of its data, as they stand in the archive."""

    def end(self, entry: Entry) -> None:
        """It was read whole, and is what the list says."""

    def whole(self, entry: Entry, member: Member, content: memoryview) -> None:
        """A member that was read at once and is what the list says: header, data and padding."""


class Lost(NamedTuple):
    """A frame that cannot be read, and why."""

    frame: Frame
    why: str


def read_entries(chain: Mapping[str, BackupSet], roster: Roster, sink: Sink, deadline: Deadline) -> None:
    """Given a set with all it needs and what is wanted of it, hand that to `sink` in the order in which it lies.

    Raise NotAccepted, naming it, at a member that is spoilt, that the list describes differently, or that is missing.
    """

    def give_up(lost: Lost) -> None:
        raise spoilt(chain[lost.frame.home].folder, f"{lost.frame.part} rusak", f"{lost.frame.part}: {lost.why}")

    read_through(chain, roster, sink, deadline, give_up)
    for entry in roster.unseen(1):
        raise refused(chain[entry.home], entry.path, "stands in its list, but in none of its parts")


def read_through(
    chain: Mapping[str, BackupSet],
    roster: Roster,
    sink: Sink,
    deadline: Deadline,
    on_lost: Callable[[Lost], None],
) -> None:
    """Like `read_entries`, but a frame that cannot be read is handed to `on_lost` and passed over."""
    keep_freed_memory()
    last = next(iter(chain))
    for (home, part), frames in groupby(roster.frames(last), key=lambda frame: (frame.home, frame.part)):
        found = chain.get(home)
        if found is None or not found.holds(part):
            on_lost(Lost(next(frames), "it is named in the list, but is not part of the set"))
            continue
        with _open(found, part) as file:
            for frame in frames:
                judge = _Judge(found, roster.entries_in(frame), sink)
                try:
                    _read_frames(file, frame, judge, deadline)
                except (ZstdError, zlib.error, EOFError, OSError):
                    on_lost(Lost(frame, f"it cannot be read, or does not decompress, at byte {frame.start}"))
                except _Unlike as error:
                    on_lost(Lost(frame, str(error)))
                roster.mark_seen(judge.seen)
    for entry in roster.sliced():
        frame = Frame(entry.home, entry.part, entry.frame, 1)
        try:
            _read_slices(chain, entry, sink, deadline)
            roster.mark_seen([entry.path])
        except (ZstdError, zlib.error, EOFError, OSError):
            on_lost(Lost(frame, f"'{shown(entry.path)}' cannot be read, or does not decompress"))
        except _Unlike as error:
            on_lost(Lost(frame, str(error)))


def _read_slices(chain: Mapping[str, BackupSet], entry: Entry, sink: Sink, deadline: Deadline) -> None:
    """Read a file whose content lies in several members, each the first of its part but for the first slice."""
    member = Member(entry.path, FILE, entry.size, entry.size, entry.mtime_ns, b"", sparse=False, header=b"")
    digest = hashlib.sha256()
    sink.begin(entry, member)

    def take(piece: memoryview) -> None:
        digest.update(piece)
        sink.data(piece)

    for number, each in enumerate(json.loads(entry.slices)):
        found = chain[entry.home]
        if not found.holds(each["part"]):
            raise _Unlike(f"'{shown(entry.path)}' lacks a slice: {each['part']} is not part of the set")
        slice_ = _Slice(each["name"].encode(), each["bytes"], take)
        with _open(found, each["part"]) as file:
            file.seek(0 if number else entry.frame)
            reader = MemberReader(slice_)
            for data in _unpack(file, deadline):
                _feed(reader, data)
                if slice_.left <= 0:
                    break
                if reader.ended:
                    raise _Unlike(f"'{shown(entry.path)}' lacks a slice in {each['part']}")
    if digest.hexdigest() != entry.sha256:
        raise _Unlike(f"'{shown(entry.path)}' has not the content that was backed up")
    sink.end(entry)


class _Slice:
    """Takes the data of the one member of that name."""

    def __init__(self, name: bytes, size: int, take: Callable[[memoryview], None]) -> None:
        self._name = name
        self._take = take
        self._meant = False
        self.left = size

    def begin(self, member: Member) -> None:
        """A member begins."""
        self._meant = member.path == self._name
        if self._meant and member.stored != self.left:
            raise _Unlike(f"the slice {shown(self._name)} has another size than its list says")

    def data(self, piece: memoryview) -> None:
        """The next bytes of its data."""
        if self._meant:
            self._take(piece)
            self.left -= len(piece)


class _Unlike(Exception):
    """A member is not what the list says."""


class _Judge:
    """Holds members against what the list says lies in a frame, on their way to the sink."""

    def __init__(self, found: BackupSet, entries: Iterable[Entry], sink: Sink) -> None:
        self._found = found
        self._sink = sink
        self.left = {entry.path: entry for entry in entries}
        self.seen: set[bytes] = set()
        self._entry: Entry | None = None
        self._data = 0
        self._hash: ContentHash = hashlib.sha256()

    def whole(self, member: Member, content: memoryview) -> None:
        """A member that has come at once."""
        entry = self._meet(member)
        if entry is None:
            return
        digest = hash_of(member)
        if entry.type == FILE:
            digest.update(content[len(member.header) : len(member.header) + member.stored])
        self._confirm(entry, digest)
        self._sink.whole(entry, member, content)

    def begin(self, member: Member) -> None:
        """A member begins: one that is not wanted is passed over."""
        self._entry, self._data = self._meet(member), member.stored
        if self._entry:
            self._hash = hash_of(member)
            self._sink.begin(self._entry, member)

    def data(self, piece: memoryview) -> None:
        """The next bytes of its data."""
        self._data -= len(piece)
        if self._entry is None:
            return
        self._hash.update(piece)
        self._sink.data(piece)
        if not self._data:
            self._confirm(self._entry, self._hash)
            self._sink.end(self._entry)
            self._entry = None

    def _meet(self, member: Member) -> Entry | None:
        entry = self.left.get(member.path) or self.left.get(check_path(self._found, member.path))
        if entry is None:
            if member.path in self.seen:
                raise _Unlike(f"'{shown(member.path)}' is in it twice")
            return None
        facts = (member.type, member.size if member.type == FILE else 0)
        link = member.link if member.type in (LINK, HARDLINK) else b""
        if facts != (entry.type, entry.size if entry.type == FILE else 0) or link != entry.link:
            raise _Unlike(f"'{shown(entry.path)}' is not what its list says: {member.type}, {member.size} bytes")
        return entry

    def _confirm(self, entry: Entry, digest: ContentHash) -> None:
        if entry.type == FILE and digest.hexdigest() != entry.sha256:
            raise _Unlike(f"'{shown(entry.path)}' has not the content that was backed up")
        del self.left[entry.path]
        self.seen.add(entry.path)


def _read_frames(file: BinaryIO, frame: Frame, judge: _Judge, deadline: Deadline) -> None:
    """Read from a frame on until all that begins in it has come: what is larger goes on in the next ones."""
    reader = MemberReader(judge, whole=judge.whole)
    file.seek(frame.start)
    for piece in _unpack(file, deadline):
        _feed(reader, piece)
        if not judge.left:
            return
        if reader.ended:
            break
    raise _Unlike(f"it lacks {len(judge.left)} of what its list names from byte {frame.start} on")


def _feed(reader: MemberReader, piece: bytes) -> None:
    try:
        reader.feed(piece)
    except NoArchive as error:
        raise _Unlike(str(error).partition(". ")[0]) from None


def _unpack(file: BinaryIO, deadline: Deadline) -> Iterator[bytes]:
    """The content from here on, packed by zstd or gzip; in pieces that stay small however well it was packed."""
    head = file.read(2)
    file.seek(-len(head), 1)
    pieces = _from_gzip(file) if head == GZIP else _from_zstd(file)
    for piece in pieces:
        if deadline.passed:
            raise TimeUp("reading the stored files took longer than the task's limit")
        yield piece
    raise EOFError


def _from_gzip(file: BinaryIO) -> Iterator[bytes]:
    with gzip.GzipFile(fileobj=file) as plain:
        while piece := plain.read(PIECE):
            yield piece


def _from_zstd(file: BinaryIO) -> Iterator[bytes]:
    unpacker, rest = ZstdDecompressor(), b""
    while True:
        data = b""
        if unpacker.needs_input:
            data, rest = rest or file.read(PIECE), b""
            if not data:
                return
        yield unpacker.decompress(data, PIECE)
        if unpacker.eof:
            unpacker, rest = ZstdDecompressor(), unpacker.unused_data


def _open(found: BackupSet, part: str) -> BinaryIO:
    try:
        return found.open(part)
    except OSError as error:
        raise Failed(f"{found.file(part)}: cannot be read: {error.strerror}. check the disk") from None
