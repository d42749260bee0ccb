"""The door of zstd: the standard library's from Python 3.14 on, else `backports.zstd`, which has the same interface."""

from __future__ import annotations

import sys

if sys.version_info >= (3, 14):
    from compression.zstd import (
        CompressionParameter,
        ZstdCompressor,
        ZstdDecompressor,
        ZstdDict,
        ZstdError,
        ZstdFile,
    )
else:
    from backports.zstd import CompressionParameter, ZstdCompressor, ZstdDecompressor, ZstdDict, ZstdError, ZstdFile

__all__ = [
    "CompressionParameter",
    "FramePacker",
    "ZstdCompressor",
    "ZstdDecompressor",
    "ZstdDict",
    "ZstdError",
    "ZstdFile",
    "build_compressor",
]
LEVEL = 3
SAMPLES, SAMPLE = 16, 4096  # so many, of so many bytes each
LEAST_SAVED = 0.04
_CHECKSUM = int(CompressionParameter.checksum_flag)


def build_compressor(level: int = LEVEL) -> ZstdCompressor:
    """Return a compressor whose frames carry a checksum of their content."""
    return ZstdCompressor(options={int(CompressionParameter.compression_level): level, _CHECKSUM: 1})


class FramePacker:
    """Packs pieces into frames of their own. One whose samples hardly shrink, as photographs and archives do not, is
    searched less for what repeats: that would take most of the time, and find nothing."""

    def __init__(self) -> None:
        self._usual = build_compressor()
        self._quick = build_compressor(1)

    def pack(self, content: memoryview) -> bytes:
        """Return the frame that holds this content."""
        step = len(content) // SAMPLES + 1
        sample = b"".join(content[at : at + SAMPLE] for at in range(step // 2, len(content), step))
        least = len(sample) * (1 - LEAST_SAVED)
        return _pack(self._quick if len(_pack(self._quick, sample)) > least else self._usual, content)


def _pack(compressor: ZstdCompressor, content: bytes | memoryview) -> bytes:
    compressor.set_pledged_input_size(len(content))
    return compressor.compress(content, ZstdCompressor.FLUSH_FRAME)
