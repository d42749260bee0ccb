"""Reading large files piece by piece: whole at any size, from the disk itself where the system can, and within time."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from runner.actions.backup.content import PIECE
from runner.actions.backup.memory import open_from_disk, read_pieces
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
