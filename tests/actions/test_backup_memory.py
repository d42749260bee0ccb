"""Reading large files piece by piece: whole at any size, from the disk itself where the system can, and within time."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import resource
from pathlib import Path

import pytest

from runner.actions.backup.content import PIECE
from runner.actions.backup.memory import Appender, open_from_disk, read_pieces
from runner.actions.backup.verify import hash_file
from runner.durations import Deadline
from runner.errors import TimeUp

SIZES = [0, 1, 511, 4096, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE + 77]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("from_disk", [False, True])
def test_a_file_of_any_size_is_read_whole(tmp_path: Path, size: int, from_disk: bool) -> None:
    path, content = tmp_path / "part", os.urandom(size)
    path.write_bytes(content)
    assert hash_file(path, Deadline.after(60), from_disk=from_disk) == hashlib.sha256(content).hexdigest()


def test_a_file_that_becomes_shorter_while_it_is_read_ends_there(tmp_path: Path) -> None:
    path = tmp_path / "part"
    path.write_bytes(bytes(5 * PIECE))
    read = 0
    with path.open("rb") as file:
        for piece in read_pieces(file, Deadline.after(60)):
            read += len(piece)
            os.truncate(path, 2 * PIECE)
    assert PIECE <= read <= 2 * PIECE


@pytest.mark.skipif(not Path("/proc/version").exists(), reason="needs /proc")
def test_where_no_disk_lies_below_a_file_is_read_all_the_same() -> None:
    with open_from_disk(Path("/proc/version")) as file:  # it knows no reading past the system's memory
        assert file.read() == Path("/proc/version").read_bytes()


def test_a_file_that_is_not_there_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        open_from_disk(tmp_path / "part")


def test_reading_ends_when_its_time_is_up(tmp_path: Path) -> None:
    path = tmp_path / "part"
    path.write_bytes(b"content")
    with pytest.raises(TimeUp):
        hash_file(path, Deadline.after(0))


@pytest.mark.parametrize("sizes", [[0], [1], [4095, 1, 1], [PIECE + 5, 3], [3 * PIECE + 77, 4096, 1], [9] * 2000])
@pytest.mark.parametrize("before", [0, 77, 4096, 9000])
def test_what_is_appended_follows_what_was_there(tmp_path: Path, before: int, sizes: list[int]) -> None:
    path, pieces = tmp_path / "part", [os.urandom(size) for size in (before, *sizes)]
    path.write_bytes(pieces[0])
    file = Appender(path)
    for piece in pieces[1:]:
        file.append(piece)
    file.finish()
    assert file.written == path.stat().st_size
    assert path.read_bytes() == b"".join(pieces)


@pytest.mark.skipif(not hasattr(os, "O_DIRECT"), reason="the system knows no writing past its memory")
def test_a_file_system_that_refuses_to_write_past_its_memory_is_written_through_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused, write = list[int](), os.pwrite

    def pwrite(descriptor: int, data: memoryview, at: int) -> int:
        if fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_DIRECT:
            refused.append(at)
            raise OSError(errno.EINVAL, "Invalid argument")
        return write(descriptor, data, at)

    monkeypatch.setattr(os, "pwrite", pwrite)
    file = Appender(tmp_path / "part")
    for _ in range(3):
        file.append(b"x" * 5000)
    file.finish()
    assert (tmp_path / "part").read_bytes() == b"x" * 15_000
    assert len(refused) <= 1


def test_a_disk_that_fills_up_is_said_with_the_next_piece_or_the_end(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    file = Appender(tmp_path / "part")
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        file.append(bytes(200_000))
        with pytest.raises(OSError, match="too large"):
            file.append(b"more")
        file.finish()  # nothing is held any more
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert (tmp_path / "part").stat().st_size <= 100_000
