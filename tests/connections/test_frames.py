from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from runner.connections.frames import Unpacker, pack

TOKEN = b"\x1esop:abcdef:"


@given(
    greeting=st.binary(max_size=30),
    contents=st.lists(st.tuples(st.sampled_from("oexns"), st.binary(max_size=60)), max_size=6),
    cuts=st.lists(st.integers(1, 30), min_size=1),
)
def test_gives_each_frame_however_the_stream_is_cut(
    greeting: bytes, contents: list[tuple[str, bytes]], cuts: list[int]
) -> None:
    frames = b"".join(kind.encode() + len(content).to_bytes(4, "big") + content for kind, content in contents)
    stream = greeting + TOKEN + b"4711\n" + frames
    taken: list[tuple[str, bytes]] = []
    unpacker, position, turn = Unpacker(TOKEN, lambda kind, content: taken.append((kind, content))), 0, 0
    while position < len(stream):
        size = cuts[turn % len(cuts)]
        unpacker.feed(stream[position : position + size])
        position, turn = position + size, turn + 1
    assert (unpacker.process, taken) == ("4711", contents)


def test_stays_in_order_when_a_frame_is_refused() -> None:
    taken: list[bytes] = []

    def take(kind: str, content: bytes) -> None:
        if kind == "o":
            raise OSError("disk full")
        taken.append(content)

    unpacker = Unpacker(TOKEN, take)
    try:
        unpacker.feed(TOKEN + b"1\n" + b"o\0\0\0\1ax\0\0")
    except OSError:
        unpacker.feed(b"\0\0017")
    assert taken == [b"7"]


def test_packs_fields_with_their_sizes() -> None:
    assert pack(b"run", b"") == b"\0\0\0\x0b\0\0\0\3run\0\0\0\0"
