"""Gathers members into frames and volumes, and has them stored in a thread of its own."""

from __future__ import annotations

import hashlib
import json
import queue
import tarfile
import threading
from collections.abc import Callable, Mapping

from runner.actions.backup.listing import FILE, Listed
from runner.actions.backup.members import BLOCK, Member
from runner.actions.backup.memory import keep_freed_memory
from runner.actions.backup.sparse import ContentHash, hash_of
from runner.actions.backup.volumes import Job, Span, volume_name
from runner.errors import Failed

FRAME = 4 * 1024 * 1024
LARGEST_FRAME = 2 * FRAME
BUFFERS = 3
SLICES = "SOP-BAGIAN"
_SLICE_ROOM = 64 * 1024
_HEADER_ROOM = 64 * 1024


class Packer:
    """Takes members (see members.Taker) and hands frames to `store` in order. Raise what `store` raised.

    `limit` is how much a volume holds, in bytes before compression: a larger file is stored in slices, which `cat` puts
    together again. `used` is what the volume to go on with holds already; `meter` is told how much came with each
    frame, and may wait.
    """

    def __init__(
        self,
        store: Callable[[Job], None],
        limit: int,
        *,
        number: int = 0,
        used: int = 0,
        meter: Callable[[int], None] = lambda size: None,
    ) -> None:
        keep_freed_memory()
        self._storing = Storing(store)
        self._meter = meter
        self._limit = limit
        self._number, self._used = number, used
        self._expected: Mapping[bytes, Listed] = {}
        self._content = self._storing.take_buffer()
        self._spans: list[Span] = []
        self._size = 0
        self._current: tuple[Member, Listed] | None = None
        self._left = 0  # of the member's data
        self._hash: ContentHash = hashlib.sha256()  # of its data: here, since the thread that packs has the most to do
        self._split = False
        self._slices: Slices | None = None
        self.arrived: set[bytes] = set()
        self.too_sparse: list[Listed] = []

    def expect(self, listed: Mapping[bytes, Listed]) -> None:
        """From now on these come, by path."""
        self._expected, self.arrived = listed, set()

    def begin(self, member: Member) -> None:
        """A member begins."""
        listed = self._expected.get(member.path)
        if listed is None:
            raise Failed(f"the server sends what was not asked for: {member.path[:80]!r}. try again")
        self.arrived.add(member.path)
        whole = len(member.header) + member.stored + -member.stored % BLOCK
        large = whole > self._limit
        if large and member.sparse:
            self.too_sparse.append(listed)
            self._current, self._left = None, member.stored
            return
        if self._used and (large or self._used + whole > self._limit):
            self._flush(ends=True)
        elif self._size and self._size + whole > LARGEST_FRAME:
            self._flush()
        self._current, self._left, self._split = (member, listed), member.stored, False
        self._hash = hash_of(member)
        self._slices = Slices(member, self._limit - _SLICE_ROOM) if large else None
        self._add(self._slices.begin(self._number) if self._slices else member.header)
        if not member.stored:
            self._end()

    def whole(self, member: Member, piece: memoryview) -> None:
        """A member with its data and padding, all in one piece."""
        listed = self._expected.get(member.path)
        if listed is None or len(piece) > min(self._limit, FRAME):
            self.begin(member)
            self.data(piece[len(member.header) : len(member.header) + member.stored])
            return
        self.arrived.add(member.path)
        if self._used and self._used + len(piece) > self._limit:
            self._flush(ends=True)
        elif self._size + len(piece) > LARGEST_FRAME:
            self._flush()
        content = hash_of(member)
        content.update(piece[len(member.header) : len(member.header) + member.stored])
        self._spans.append(Span(member, listed, True, _render(content, member)))
        self._add(piece)
        if self._size >= FRAME:
            self._flush()

    def data(self, piece: memoryview) -> None:
        """The next bytes of its data."""
        if self._current is None:
            return
        while piece:
            room = self._left if self._size + self._left <= LARGEST_FRAME else max(FRAME - self._size, BLOCK)
            part = piece[: min(room, self._slices.left)] if self._slices else piece[:room]
            piece = piece[len(part) :]
            self._add(part)
            self._hash.update(part)
            self._left -= len(part)
            if self._slices:
                self._slices.left -= len(part)
            self._after_part()

    def flush(self) -> None:
        """Store what was gathered, and wait until it is."""
        if self._size:
            self._flush()
        self._storing.wait()

    def close(self) -> None:
        """End the thread, whatever became of it."""
        self._storing.close()

    def _after_part(self) -> None:
        if not self._left:
            self._end()
        elif self._slices and not self._slices.left:
            self._note(last=False)
            self._add(self._slices.padding())
            self._flush(ends=True, open_=True)
            self._add(self._slices.begin(self._number))
        elif self._size >= FRAME and self._size + self._left > LARGEST_FRAME:
            self._note(last=False)
            self._flush(open_=True)
            self._split = True

    def _end(self) -> None:
        assert self._current is not None
        self._note(last=True)
        self._add(self._slices.padding() if self._slices else bytes(-self._current[0].stored % BLOCK))
        if self._split or self._slices or self._size >= FRAME:
            self._flush()

    def _note(self, *, last: bool) -> None:
        """This member, or a part of it, came into this frame."""
        assert self._current is not None
        slices = self._slices.render() if self._slices and last else ""
        digest = _render(self._hash, self._current[0]) if last else ""
        self._spans.append(Span(*self._current, last, digest, slices))

    def _add(self, piece: bytes | memoryview) -> None:
        end = self._size + len(piece)
        if end > len(self._content):
            self._content.extend(bytes(end - len(self._content)))
        with memoryview(self._content) as content:
            content[self._size : end] = piece
        self._size = end
        self._used += len(piece)

    def _flush(self, *, open_: bool = False, ends: bool = False) -> None:
        self._storing.put(Job(self._content, self._size, self._spans, open_, ends))
        self._meter(self._size)
        self._content, self._spans, self._size = self._storing.take_buffer(), [], 0
        if ends:
            self._number, self._used = self._number + 1, 0


def _render(content: ContentHash, member: Member) -> str:
    return content.hexdigest() if member.type == FILE else ""


class Slices:
    """A file larger than a volume, stored as several members, one in each."""

    def __init__(self, member: Member, length: int) -> None:
        self._name = f"{SLICES}/{hashlib.sha256(member.path).hexdigest()[:16]}"
        self._length = length
        self._to_come = member.stored
        self._made: list[dict[str, object]] = []
        self.left = 0

    def begin(self, volume: int) -> bytes:
        """The header of the next slice, which stands in that volume."""
        self.left = min(self._length, self._to_come)
        self._to_come -= self.left
        name = f"{self._name}.{len(self._made):04d}"
        self._made.append({"name": name, "part": volume_name(volume), "bytes": self.left})
        header = tarfile.TarInfo(name)
        header.size = self.left
        return header.tobuf(tarfile.USTAR_FORMAT if self.left < 8**11 else tarfile.GNU_FORMAT)

    def padding(self) -> bytes:
        """What follows the slice's data."""
        return bytes(-int(str(self._made[-1]["bytes"])) % BLOCK)

    def render(self) -> str:
        """The slices, as the list of files names them."""
        return json.dumps(self._made)


class Storing:
    """Has jobs done in order by a thread of its own, a few ahead at most. Their content lies in buffers that are used
    again and again: new memory for each frame would cost as much as packing it."""

    def __init__(self, store: Callable[[Job], None]) -> None:
        self._store = store
        self._jobs: queue.Queue[Job | None] = queue.Queue(BUFFERS)
        self._free: queue.SimpleQueue[bytearray] = queue.SimpleQueue()
        for _ in range(BUFFERS):
            self._free.put(bytearray(LARGEST_FRAME + _HEADER_ROOM))
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._work, name="backup volumes", daemon=True)
        self._thread.start()

    def take_buffer(self) -> bytearray:
        """Return a buffer that nobody uses; it comes back when its job is done."""
        return self._free.get()

    def put(self, job: Job) -> None:
        """Have a job done when those before it are. Raise what one of them raised."""
        self._check()
        self._jobs.put(job)

    def wait(self) -> None:
        """Wait until all are done. Raise what one of them raised."""
        self._jobs.join()
        self._check()

    def close(self) -> None:
        """End the thread."""
        self._jobs.put(None)
        self._thread.join()

    def _check(self) -> None:
        if self._error is not None:
            raise self._error

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            try:
                if self._error is None:
                    self._store(job)
            except BaseException as error:  # noqa: BLE001 - it is passed on to whoever puts the next job or waits
                self._error = error
            finally:
                self._free.put(job.content)
                self._jobs.task_done()
