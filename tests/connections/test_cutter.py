from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from runner.connections.cutter import Cutter
from runner.connections.ending import parse_survivors

TOKEN = b"\x1esop:abcdef:"


@given(
    output=st.binary(max_size=200), cuts=st.lists(st.integers(1, 30), min_size=1), near=st.integers(0, len(TOKEN) - 1)
)
def test_gives_exactly_what_stands_between_the_words(output: bytes, cuts: list[int], near: int) -> None:
    output += TOKEN[:near]
    stream = b"Welcome!" + TOKEN + b"group 9\n" + output + TOKEN + b"ended 7\nlate" + TOKEN + b"left 2 x y\n"
    taken, position, turn = bytearray(), 0, 0
    cutter = Cutter(TOKEN, taken.extend)
    while position < len(stream):
        size = cuts[turn % len(cuts)]
        cutter.feed(stream[position : position + size])
        position, turn = position + size, turn + 1
    assert (bytes(taken), cutter.ended, cutter.exit_code) == (output, True, 7)
    assert cutter.said == {"group": "9", "left": "2 x y"}


def test_notes_what_else_is_said() -> None:
    cutter = Cutter(TOKEN)
    cutter.feed(b"Welcome!\n" + TOKEN + b"nowhere at all\n")
    assert cutter.said == {"nowhere": "at all"}


def test_names_survivors_once_and_printable() -> None:
    assert parse_survivors("12 sleep\t12 sleep\t13 a\x1b b\t") == ("sleep (pid 12)", "a? b (pid 13)")
    assert parse_survivors("") == ()
