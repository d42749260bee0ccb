"""The volumes of a backup of files: complete tar archives, each a row of zstd frames that decompress on their own.

Frames begin with a member's header, or go on with the data of one that is larger than a frame. What is damaged costs
the files of its own frames.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple

from runner.actions.backup.ledger import Arrived, Frame, Ledger
from runner.actions.backup.listing import HARDLINK, Listed
from runner.actions.backup.members import BLOCK, Member
from runner.actions.backup.memory import Appender
from runner.actions.backup.reading_back import ReadBack, note_read_back
from runner.actions.backup.storage import FULL
from runner.actions.backup.verdict import spoilt_bytes
from runner.actions.backup.zstd import FramePacker
from runner.durations import Deadline
from runner.errors import Failed

END_OF_ARCHIVE = bytes(2 * BLOCK)


class Span(NamedTuple):
    """A member, or a part of one, that lies in a frame; `last` where it ends there, with the hash of all its data (hex,
    of files)."""

    member: Member
    listed: Listed
    last: bool
    sha256: str = ""
    slices: str = ""


class Job(NamedTuple):
    """What becomes a frame: its content (so many bytes of a buffer), the members in it, and what follows it: more of
    the same member (`open`), or the end of the volume (`ends`)."""

    content: bytearray
    size: int
    spans: Sequence[Span]
    open: bool
    ends: bool


class Volume(NamedTuple):
    """A finished volume: its file's name, SHA-256 (hex), size as stored and once decompressed, and its members."""

    file: str
    sha256: str
    bytes: int
    content_bytes: int
    members: int


def volume_name(number: int) -> str:
    """Given a volume's number from 0, return its file's name."""
    return f"p{number:04d}.tar.zst"


class Volumes:
    """Writes frames into the volumes of a folder, behind those that an earlier try wrote whole. Raise Failed."""

    def __init__(self, folder: Path, ledger: Ledger) -> None:
        self._folder = folder
        self._ledger = ledger
        self._frames = FramePacker()
        self._read_back = ReadBack()
        self._begun: tuple[int, int] | None = None  # volume and frame where the member begins that is being stored
        self._file: Appender | None = None
        self.number, self._size, self._sum, self._sums = self._resume()
        for number in self._sums:
            path = folder / volume_name(number)
            self._read_back.follow(path, path.stat().st_size, whole=True)

    @property
    def used(self) -> int:
        """How much the volume to go on with holds already, in bytes before compression."""
        return sum(frame.content for frame in self._ledger.frames() if frame.volume == self.number)

    def store(self, job: Job) -> None:
        """Compress, write and note one frame."""
        members = [stored for span in job.spans if (stored := self._place(span))]
        with memoryview(job.content) as buffer, buffer[: job.size] as content:
            self._append(content, members, open_=job.open)
        if job.ends:
            self._end_volume(open_=job.open)

    def finish(self, deadline: Deadline) -> list[Volume]:
        """End the last volume, and return all of them, read back from the disk. Raise NotAccepted where one is not what
        was written, TimeUp."""
        if self._size:
            self._end_volume(open_=False)
        try:
            found = self._read_back.finish(deadline)
        except OSError as error:
            raise self._explain(error) from None
        for number, digest in self._sums.items():
            if found[volume_name(number)] != digest:
                raise spoilt_bytes(self._folder / volume_name(number))
        note_read_back(self._folder, found)
        by_volume = groupby(self._ledger.frames(), attrgetter("volume"))
        return [self._volume(number, list(frames)) for number, frames in by_volume]

    def close(self) -> None:
        """Let go of the files, whatever became of them."""
        self._read_back.close()
        if self._file:
            with suppress(OSError):  # a full disk
                self._file.finish()
            self._file.close()
            self._file = None

    def _place(self, span: Span) -> Arrived | None:
        """Note where a member begins; return it when it ends here."""
        member, listed = span.member, span.listed
        if self._begun is None:
            self._begun = (self.number, self._size)
        if not span.last:
            return None
        (volume, frame), self._begun = self._begun, None
        size, mtime = (listed.size, listed.mtime_ns) if member.type == HARDLINK else (member.size, member.mtime_ns)
        return Arrived(listed, member.type, size, mtime, member.link, span.sha256, volume, frame, span.slices)

    def _append(self, content: memoryview, members: Sequence[Arrived], *, open_: bool) -> None:
        start = self._size
        with self._writing() as file:
            packed = self._frames.pack(content)
            file.append(packed)
            self._read_back.follow(self._path, file.written)
        self._size += len(packed)
        self._sum.update(packed)
        digest = self._sum.copy().digest()
        self._ledger.add_frame(
            Frame(self.number, start, self._size - start, len(content), len(members), open_, digest), members
        )

    def _end_volume(self, *, open_: bool) -> None:
        self._append(memoryview(END_OF_ARCHIVE), (), open_=open_)
        with self._writing() as file:
            file.finish()
            self._read_back.follow(self._path, self._size, whole=True)
        self._sums[self.number] = self._sum.hexdigest()
        self.number, self._size, self._sum, self._file = self.number + 1, 0, hashlib.sha256(), None

    @property
    def _path(self) -> Path:
        return self._folder / volume_name(self.number)

    @contextmanager
    def _writing(self) -> Iterator[Appender]:
        """Give the volume to go on with. Raise Failed where its disk takes no more."""
        try:
            self._file = self._file or Appender(self._path)
            yield self._file
        except OSError as error:
            raise self._explain(error) from None

    def _volume(self, number: int, frames: Sequence[Frame]) -> Volume:
        size, content, members = (sum(getattr(frame, what) for frame in frames) for what in _COUNTED)
        return Volume(volume_name(number), self._sums[number], size, content, members)

    def _resume(self) -> tuple[int, int, hashlib._Hash, dict[int, str]]:
        """Keep what an earlier try wrote whole, and no more of it; return the volume to go on with, where, and what was
        hashed of it and of those before."""
        keep, running, sums = (0, 0), hashlib.sha256(), dict[int, str]()
        kept = (*keep, running.copy(), sums)
        for frame in self._ledger.frames():
            running.update(self._read(frame))
            if running.digest() != frame.sha256:
                break
            if ends := frame.content == len(END_OF_ARCHIVE) and not frame.members:
                sums = {**sums, frame.volume: running.hexdigest()}
                running = hashlib.sha256()
            if not frame.open:
                keep = (frame.volume + 1, 0) if ends else (frame.volume, frame.start + frame.length)
                kept = (*keep, running.copy(), sums)
        self._cut(*keep)
        return kept

    def _cut(self, number: int, size: int) -> None:
        """Remove what stands behind the last frame that is kept."""
        self._ledger.forget_from(number, size)
        name = volume_name(number)
        for path in self._folder.glob("p*.tar.zst"):
            if path.name > name or (path.name == name and not size):
                path.unlink()
        if size:
            os.truncate(self._folder / name, size)

    def _read(self, frame: Frame) -> bytes:
        """A frame as it is on the disk: after a power cut, perhaps not as it was written."""
        try:
            with (self._folder / volume_name(frame.volume)).open("rb") as file:
                file.seek(frame.start)
                return file.read(frame.length)
        except OSError:
            return b""

    def _explain(self, error: OSError) -> Failed:
        if error.errno in FULL:
            return Failed(
                f"{self._folder.parent}: the disk is full. make room, then run the task again: it goes on where it was"
            )
        return Failed(f"{self._folder}: cannot be written: {error.strerror}. check the destination's disk")


_COUNTED = ("length", "content", "members")
