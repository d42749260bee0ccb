"""Volumes are read back from their disk while they are written: every byte, and again where anything touched them."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from runner.actions.backup.ledger import Ledger
from runner.actions.backup.manifest import Piece
from runner.actions.backup.reading_back import PIECE, STEP, ReadBack, note_read_back, was_read_back
from runner.actions.backup.verdict import NotAccepted
from runner.actions.backup.verify import verify_piece
from runner.actions.backup.volumes import Job, Volumes
from runner.durations import Deadline
from runner.errors import TimeUp

MIB = 1024 * 1024


@pytest.fixture
def reader() -> Iterator[ReadBack]:
    with closing(ReadBack()) as made:
        yield made


def minute() -> Deadline:
    return Deadline.after(60)


def noted(path: Path) -> str:
    """Note a file as read back, once its last change is no longer of this moment; return its hash."""
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    deadline = minute()
    while not was_read_back(path, digest):
        assert not deadline.passed
        note_read_back(path.parent, {path.name: digest})
    return digest


def store(volumes: Volumes, size: int = 300_000, *, ends: bool = False) -> None:
    volumes.store(Job(bytearray(os.urandom(size)), size, (), open=False, ends=ends))


@pytest.mark.parametrize("steps", [[0], [1], [4095, 4097], [STEP, 1], [STEP - 1, 2, PIECE], [STEP + 77, STEP, 5]])
def test_every_byte_is_read_however_it_was_written(tmp_path: Path, reader: ReadBack, steps: list[int]) -> None:
    path, whole = tmp_path / "p0000.tar.zst", hashlib.sha256()
    with path.open("wb") as file:
        for size in steps:
            data = os.urandom(size)
            whole.update(data)
            file.write(data)
            file.flush()
            reader.follow(path, file.tell())
    reader.follow(path, path.stat().st_size, whole=True)
    assert reader.finish(minute()) == {path.name: whole.hexdigest()}


def test_what_is_not_what_was_written_is_not_accepted(tmp_path: Path) -> None:
    """A volume's byte turns while a later one is written."""
    with closing(Ledger(tmp_path / "ledger.sqlite")) as ledger, closing(Volumes(tmp_path, ledger)) as volumes:
        store(volumes)
        store(volumes)  # what came before is on the disk now
        with (tmp_path / "p0000.tar.zst").open("r+b") as file:
            file.seek(1000)
            byte = file.read(1)[0]
            file.seek(1000)
            file.write(bytes([byte ^ 1]))
        store(volumes, ends=True)
        store(volumes)
        with pytest.raises(NotAccepted, match=r"p0000\.tar\.zst: its bytes are not those that were written"):
            volumes.finish(minute())


def test_what_an_earlier_try_wrote_is_read_back_too(tmp_path: Path) -> None:
    with closing(Ledger(tmp_path / "ledger.sqlite")) as ledger, closing(Volumes(tmp_path, ledger)) as volumes:
        store(volumes, ends=True)
        store(volumes)
    with closing(Ledger(tmp_path / "ledger.sqlite")) as ledger, closing(Volumes(tmp_path, ledger)) as volumes:
        store(volumes)
        made = volumes.finish(minute())
    assert [volume.sha256 for volume in made] == [
        hashlib.sha256((tmp_path / volume.file).read_bytes()).hexdigest() for volume in made
    ]
    assert len(made) == 2


def test_a_volume_that_is_gone_is_not_accepted(tmp_path: Path, reader: ReadBack) -> None:
    with pytest.raises(FileNotFoundError):  # noqa: PT012 - said at whichever comes after the reading
        reader.follow(tmp_path / "p0000.tar.zst", 10, whole=True)
        reader.finish(minute())


def test_waits_no_longer_than_it_may(tmp_path: Path, reader: ReadBack) -> None:
    os.mkfifo(tmp_path / "p0000.tar.zst")  # a disk that does not answer
    reader.follow(tmp_path / "p0000.tar.zst", 10, whole=True)
    with pytest.raises(TimeUp, match="longer than the task"):
        reader.finish(Deadline.after(0.05))
    os.close(os.open(tmp_path / "p0000.tar.zst", os.O_WRONLY))


def test_what_was_read_back_is_not_read_once_more(tmp_path: Path) -> None:
    path = tmp_path / "p0000.tar.zst"
    path.write_bytes(b"content")
    piece = Piece(path, path.name, hashlib.sha256(b"content").hexdigest(), 7, None)
    with pytest.raises(TimeUp):
        verify_piece(path, piece, tmp_path, Deadline.after(0))
    noted(path)
    verify_piece(path, piece, tmp_path, Deadline.after(0))


def test_what_was_touched_since_is_read_once_more(tmp_path: Path) -> None:
    """Written to, its time put back; replaced by its like; noted with another hash; the note cut off or gone."""
    path, note = tmp_path / "p0000.tar.zst", tmp_path / "read-back.json"
    path.write_bytes(b"content")
    digest, found = noted(path), path.stat()
    path.write_bytes(b"Content")
    os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns))
    assert not was_read_back(path, digest)
    digest = noted(path)
    path.rename(tmp_path / "other")
    path.write_bytes(b"Content")
    assert not was_read_back(path, digest)
    digest = noted(path)
    assert not was_read_back(path, digest[::-1])
    note.write_bytes(note.read_bytes()[:-9])
    assert not was_read_back(path, digest)
    note.unlink()
    assert not was_read_back(path, digest)
