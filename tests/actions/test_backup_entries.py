"""Counting an archive's entries as it passes."""

from __future__ import annotations

import io
import tarfile
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.actions.backup.entries import inspect_tar

Entries = list[tuple[str, bytes, bytes]]
NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\0/"), min_size=1, max_size=300)
KINDS = st.sampled_from([tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE])
ENTRIES = st.lists(st.tuples(NAMES, KINDS, st.binary(max_size=1500)), max_size=8)
FORMATS = st.sampled_from([tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])


def pack(entries: Entries, form: int) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form) as archive:
        for name, kind, data in entries:
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, name[::-1] if kind in (tarfile.SYMTYPE, tarfile.LNKTYPE) else ""
            info.size = len(data) if kind == tarfile.REGTYPE else 0
            info.mtime = 1.5  # in a pax header
            archive.addfile(info, io.BytesIO(data) if kind == tarfile.REGTYPE else None)
    return buffer.getvalue()


@given(ENTRIES, FORMATS)
def test_counts_as_tarfile_does(entries: Entries, form: int) -> None:
    data = pack(entries, form)
    content = inspect_tar(io.BytesIO(data))
    assert (content.size, content.entries, content.complete) == (len(data), len(entries), True), content.fault


@given(ENTRIES, FORMATS, st.data())
def test_finds_every_cut_before_the_end_mark(entries: Entries, form: int, data: st.DataObject) -> None:
    packed = pack(entries, form)
    end = len(packed.rstrip(b"\0"))
    cut = packed[: data.draw(st.integers(0, end))]
    content = inspect_tar(io.BytesIO(cut))
    assert not content.complete
    assert content.size == len(cut)


@given(st.binary(max_size=3000))
def test_takes_nothing_else_for_an_archive(noise: bytes) -> None:
    content = inspect_tar(io.BytesIO(noise))
    assert not content.complete or not noise.strip(b"\0")
    assert content.size == len(noise)


def test_finds_a_spoilt_header_in_the_middle() -> None:
    packed = bytearray(pack([("a", tarfile.REGTYPE, b"x" * 600), ("b", tarfile.REGTYPE, b"y")], tarfile.GNU_FORMAT))
    packed[1536] ^= 1
    content = inspect_tar(io.BytesIO(packed))
    assert content.entries == 1
    assert content.fault == "a header of the archive is spoilt"


def test_finds_what_follows_the_end() -> None:
    packed = pack([("a", tarfile.DIRTYPE, b"")], tarfile.GNU_FORMAT)
    assert inspect_tar(io.BytesIO(packed + packed)).fault == "something follows the end of the archive"


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
def test_reads_sizes_beyond_eight_gibibytes(form: Literal[1, 2]) -> None:
    """The data itself is not there; what is asked for is how far it would go."""
    size = 9 * 1024**3 + 1
    info = tarfile.TarInfo("large")
    info.size = size

    class Endless:
        def __init__(self) -> None:
            self.head = info.tobuf(form)
            self.left = len(self.head) + size + -size % 512

        def read(self, count: int) -> bytes:
            data = (self.head or zeros)[:count][: self.left]
            self.head = b""
            self.left -= len(data)
            return data

    zeros = bytes(1024 * 1024)
    content = inspect_tar(Endless())
    assert content.fault == "the archive ends too early"
    assert content.entries == 1
    assert content.size == len(info.tobuf(form)) + size + -size % 512
