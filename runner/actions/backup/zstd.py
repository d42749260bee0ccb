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
    "ZstdCompressor",
    "ZstdDecompressor",
    "ZstdDict",
    "ZstdError",
    "ZstdFile",
    "build_compressor",
]
LEVEL = 3
_CHECKSUM = int(CompressionParameter.checksum_flag)


def build_compressor(level: int = LEVEL) -> ZstdCompressor:
    """Return a compressor whose frames carry a checksum of their content."""
    return ZstdCompressor(options={int(CompressionParameter.compression_level): level, _CHECKSUM: 1})
