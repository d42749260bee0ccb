"""Unpacking what a server sent, with an end: a small file can unpack to more than a disk holds."""

from __future__ import annotations

import bz2
import gzip
import lzma
import shutil
import subprocess
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, NamedTuple

PIECE = 1 << 20
XZ_MEMORY = 256 * 1024**2
LONGEST_MAGIC = 6


class Unpacked(NamedTuple):
    """What came of a file: its content, and whether that is all: neither cut at the limit nor broken off."""

    size: int
    whole: bool


def has_zstd() -> bool:
    """Whether this machine can unpack zstd: Python can from 3.14 on only."""
    return shutil.which("zstd") is not None


def unpack(path: Path, target: IO[bytes], limit: int) -> Unpacked:
    """Given a file, write its content to `target`, at most `limit` bytes; one that is not packed as it is."""
    size = 0
    try:
        for piece in _pieces(path):
            target.write(piece[: limit - size])
            size += len(piece)
            if size > limit:
                return Unpacked(limit, whole=False)
    except (EOFError, OSError, zlib.error, lzma.LZMAError):
        return Unpacked(size, whole=False)
    return Unpacked(size, whole=True)


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        magic = file.read(LONGEST_MAGIC)
    if magic.startswith(b"\x28\xb5\x2f\xfd"):
        yield from _unpack_zstd(path)
    elif magic.startswith(b"\xfd7zXZ\x00"):
        yield from _unpack_xz(path)
    elif magic.startswith(b"\x1f\x8b"):
        with gzip.open(path) as packed:
            yield from iter(lambda: packed.read1(PIECE), b"")
    elif magic.startswith(b"BZh"):
        with bz2.open(path) as packed_by_blocks:
            yield from iter(lambda: packed_by_blocks.read1(PIECE), b"")
    else:
        with path.open("rb") as plain:
            yield from iter(lambda: plain.read(PIECE), b"")


def _unpack_xz(path: Path) -> Iterator[bytes]:
    unpacker = lzma.LZMADecompressor(memlimit=XZ_MEMORY)
    with path.open("rb") as source:
        while not unpacker.eof:
            data = source.read(PIECE) if unpacker.needs_input else b""
            if unpacker.needs_input and not data:
                raise EOFError
            yield unpacker.decompress(data, PIECE)


def _unpack_zstd(path: Path) -> Iterator[bytes]:
    command = [shutil.which("zstd") or "zstd", "-dcq", "--", str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:  # noqa: S603 - fixed
        while process.stdout and (piece := process.stdout.read(PIECE)):
            yield piece
        if process.wait():
            raise EOFError
