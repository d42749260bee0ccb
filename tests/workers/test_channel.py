"""Messages between two ends of a real connection."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.workers.channel import PIECE, Broken, Channel, Content

Talk = Callable[[Channel, Channel], Awaitable[Any]]


def talk(between: Talk) -> Any:
    """Let two channels, the ends of one connection, talk; return what that gives."""

    async def both() -> Any:
        ends = [Channel(*await asyncio.open_connection(sock=each)) for each in socket.socketpair()]
        try:
            return await between(*ends)
        finally:
            for end in ends:
                end.close()

    return asyncio.run(both())


def carry(*contents: Content) -> list[bytes]:
    """Send contents at the same time, and return what arrives, in the order in which it was sent."""

    async def between(one: Channel, other: Channel) -> list[bytes]:
        sending = asyncio.gather(*(one.send({"n": n}, content) for n, content in enumerate(contents)))
        found = {}
        for _ in contents:
            message = await other.receive(30)
            assert message.content is not None
            with message.content as content:
                found[message.head["n"]] = content.read()
        await sending
        return [found[n] for n in range(len(contents))]

    found: list[bytes] = talk(between)
    return found


def answer_to(sent: bytes) -> Any:
    """What a channel makes of bytes that are no messages."""

    async def between(one: Channel, other: Channel) -> Any:
        one._writer.write(sent)
        one._writer.close()
        return await other.receive(30)

    return talk(between)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.binary(max_size=3000), min_size=1, max_size=4), st.integers(1, 3))
def test_whatever_is_sent_arrives(contents: list[bytes], times: int) -> None:
    first = contents[0] * (times * PIECE // max(1, len(contents[0])) + 1)
    assert carry(first, *contents[1:]) == [first, *contents[1:]]


def test_files_arrive_whole_however_large(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    one.write_bytes(bytes(range(256)) * 80_000)  # 20 MB: more than is kept in memory
    other.write_bytes(b"")
    assert carry(one, other) == [one.read_bytes(), b""]


def test_a_head_is_any_json_values() -> None:
    head = {"text": "Ketua Pengadilan \u2028 \0", "deep": [[{"a": None}], 1.5, True]}

    async def between(one: Channel, other: Channel) -> Any:
        await one.send(head)
        return (await other.receive(30)).head

    assert talk(between) == head


def test_content_that_was_altered_is_refused() -> None:
    piece, head = b"\1\0\0\0\1\0\0\0\2ok", json.dumps({"content": 1, "sha256": "0" * 64, "size": 2}).encode()
    with pytest.raises(Broken, match="what arrived is not what was sent"):
        answer_to(piece + b"\0\0\0\0\0" + len(head).to_bytes(4, "big") + head)


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"GET / HTTP/1.0\r\n\r\n",
        b"\0\0\0\0\0\0\0\0\2[]",
        b"\0\0\0\0\0\0\0\0\3nah",
        b"\0\0\0\0\0\xff\xff\xff\xff",
        b"\0\0",
    ],
)
def test_nonsense_breaks_a_channel(sent: bytes) -> None:
    with pytest.raises(Broken):
        answer_to(sent)


def test_silence_breaks_a_channel() -> None:
    async def between(one: Channel, other: Channel) -> Any:
        return await other.receive(0.05)

    with pytest.raises(Broken, match="nothing was heard of it"):
        talk(between)
