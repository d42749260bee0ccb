"""A dump as its difference from an earlier one, in little memory whatever its size, and readable with plain tools.

Both are cut into segments: the earlier one every SEGMENT bytes, the later one where it says the same as the earlier one
does at its cuts. Each segment of the later one is a zstd frame that has the earlier segment as its prefix, as
`zstd --patch-from` makes and reads it; one that has no counterpart is a plain frame. They lie in a tar archive as
`aaaa.zst`, `aaab.zst` …, which are the names that `split -a 4` gives to the segments of the earlier dump.
"""

from __future__ import annotations

import hashlib
import tarfile
from collections.abc import Callable, Iterator
from string import ascii_lowercase
from typing import Any, BinaryIO, cast

from runner.actions.backup.content import PIECE, Readable
from runner.actions.backup.zstd import CompressionParameter, ZstdCompressor, ZstdDecompressor, ZstdDict, ZstdError

SEGMENT = 8 * 1024 * 1024
MARGIN = 8 * 1024 * 1024  # by how much the later dump may have grown or shrunk before a cut without missing it
LETTERS = 4
_ANCHOR, _ANCHORS, _APART = 256, 8, 32 * 1024
_SHORTEST_PREFIX = 8  # zstd takes none that is shorter
_WINDOW_LOG = 25  # prefix and segment together: at most 24 MiB
_OPTIONS = {
    int(CompressionParameter.compression_level): 3,
    int(CompressionParameter.window_log): _WINDOW_LOG,
    int(CompressionParameter.enable_long_distance_matching): 1,
    int(CompressionParameter.checksum_flag): 1,
}


class SpoiltDelta(Exception):
    """This is no delta, or not one of this earlier dump."""


def write_delta(base: Readable, later: Readable, write: Callable[[bytes], None]) -> str:
    """Given an earlier and a later dump, write the archive; return the SHA-256 (hex) of the earlier one."""
    digest, number, pending = hashlib.sha256(), 0, b""
    segments = _segments(base, digest)
    segment = next(segments, b"")
    while segment:
        following = next(segments, b"")
        pending += _read(later, SEGMENT + MARGIN - len(pending))
        cut = _find_cut(pending, following, len(segment)) if following else len(pending)
        _write_member(write, number, pending[:cut], segment)
        pending, segment, number = pending[cut:], following, number + 1
    while pending := pending or _read(later, SEGMENT):
        _write_member(write, number, pending[:SEGMENT], b"")
        pending, number = pending[SEGMENT:], number + 1
    write(bytes(2 * tarfile.BLOCKSIZE))
    return digest.hexdigest()


def read_delta(base: Readable, archive: Readable) -> Iterator[bytes]:
    """Given the earlier dump and the archive, give the later one in pieces. Raise SpoiltDelta, OSError."""
    segments = _segments(base, hashlib.sha256())
    try:
        with tarfile.open(fileobj=cast("BinaryIO", archive), mode="r|") as members:
            for number, member in enumerate(members):
                packed = members.extractfile(member) if member.size <= 2 * (SEGMENT + MARGIN) else None
                if packed is None or member.name != _name(number):
                    raise SpoiltDelta(f"{member.name!r} is not what stands at this place of a delta")
                yield _unpack(packed.read(), next(segments, b""))
    except (tarfile.TarError, ZstdError, EOFError) as error:
        raise SpoiltDelta(f"it cannot be read: {error}") from None


def _segments(stream: Readable, digest: hashlib._Hash) -> Iterator[bytes]:
    while segment := _read(stream, SEGMENT):
        digest.update(segment)
        yield segment


def _read(stream: Readable, size: int) -> bytes:
    """Read that many bytes, fewer at the end only."""
    pieces = []
    while size > 0 and (piece := stream.read(min(size, PIECE))):
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)


def _find_cut(later: bytes, following: bytes, length: int) -> int:
    """Where in the later dump the next segment of the earlier one begins: after the same length, if it is not found.

    Of several places that say the same the nearest one counts: dumps repeat themselves.
    """
    for at in range(0, min(len(following) - _ANCHOR, _ANCHORS * _APART), _APART):
        anchor, expected = following[at : at + _ANCHOR], length + at
        after, before = later.find(anchor, expected), later.rfind(anchor, at, expected + _ANCHOR - 1)
        found = [place for place in (after, before) if place >= at]
        if found:
            return min(found, key=lambda place: abs(place - expected)) - at
    return min(length, len(later))


def _write_member(write: Callable[[bytes], None], number: int, content: bytes, prefix: bytes) -> None:
    packed = ZstdCompressor(options=_OPTIONS, zstd_dict=_prefix(prefix)).compress(content, ZstdCompressor.FLUSH_FRAME)
    header = tarfile.TarInfo(_name(number))
    header.size = len(packed)
    write(header.tobuf(tarfile.USTAR_FORMAT) + packed + bytes(-len(packed) % tarfile.BLOCKSIZE))


def _unpack(packed: bytes, prefix: bytes) -> bytes:
    """One segment. Raise SpoiltDelta unless it is one whole frame of a size that a segment can have."""
    unpacker = ZstdDecompressor(zstd_dict=_prefix(prefix))
    content = unpacker.decompress(packed, SEGMENT + MARGIN + 1)
    if not unpacker.eof or unpacker.unused_data or len(content) > SEGMENT + MARGIN:
        raise SpoiltDelta("a segment of it is cut off, or larger than any can be")
    return content


def _prefix(segment: bytes) -> Any:
    return ZstdDict(segment, is_raw=True).as_prefix if len(segment) >= _SHORTEST_PREFIX else None


def _name(number: int) -> str:
    """The name of a segment, lettered as `split` does it."""
    letters = ""
    for _ in range(LETTERS):
        number, letter = divmod(number, len(ascii_lowercase))
        letters = ascii_lowercase[letter] + letters
    return f"{letters}.zst"
