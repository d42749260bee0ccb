"""What a frame holds comes out of it again, and photographs are not searched long for what they do not have."""

from __future__ import annotations

from random import Random

import pytest

from runner.actions.backup.zstd import FramePacker, ZstdDecompressor

MIB = 1024 * 1024
NOISE = Random(3).randbytes(4 * MIB)
TEXT = b"".join(b"Putusan nomor %d tahun %d\n" % (n, 2000 + n % 26) for n in range(100_000))


@pytest.mark.parametrize(
    ("content", "most"),
    [
        (NOISE, 1.001),
        (TEXT, 0.2),
        (TEXT[:MIB] + NOISE[:MIB], 0.6),
        (NOISE[: 3 * MIB] + TEXT[:MIB], 0.8),
        (NOISE[: 2 * MIB] * 2, 1.001),
        (bytes(8 * MIB), 0.01),
        (bytes(1024), 0.1),
        (NOISE[:1], 20.0),
        (b"", 20.0),
    ],
)
def test_a_frame_gives_back_what_it_was_given(content: bytes, most: float) -> None:
    packer = FramePacker()
    for _ in range(2):  # each frame stands on its own
        frame = packer.pack(memoryview(content))
        reader = ZstdDecompressor()
        assert reader.decompress(frame) == content
        assert (reader.eof, reader.unused_data) == (True, b"")
        assert len(frame) <= most * max(1, len(content))
