"""Cuts a shell's stream into what belongs to the command and what the shell says about it."""

from __future__ import annotations

from collections.abc import Callable

LONGEST_WORDS = 64 * 1024
FIRST = b"\x1e"

Sink = Callable[[bytes], None]


class Cutter:
    """Given a stream piece by piece, hand a command's bytes to `sink` and note what the shell says.

    The shell's words are lines that begin with `token`. Bytes that come before it names the command's `group`, and
    after `ended`, belong to nobody: a login shell's greeting, or what the command's leftovers write.
    """

    def __init__(self, token: bytes, sink: Sink | None = None) -> None:
        self._token = token
        self._rest = b""
        self._wanted = sink
        self._sink: Sink | None = None
        self.ended = False
        self.exit_code = 0
        self.said: dict[str, str] = {}

    def feed(self, piece: bytes) -> None:
        """Take the next piece of the stream. Whatever the sink raises is passed on; the stream stays in order."""
        data, self._rest = self._rest + piece, b""
        position = 0
        while (found := data.find(self._token, position)) >= 0:
            end = data.find(b"\n", found)
            if end < 0 and len(data) - found < LONGEST_WORDS:
                self._rest = data[found:]
                self._pass_on(data[position:found])
                return
            self._pass_on(data[position:found])
            self._note(data[found + len(self._token) : end].decode("utf-8", "replace"))
            position = end + 1
        self._keep_what_may_be_a_token(data[position:])

    def _keep_what_may_be_a_token(self, data: bytes) -> None:
        start = data.find(FIRST, max(0, len(data) - len(self._token) + 1))
        while start >= 0 and not self._token.startswith(data[start:]):
            start = data.find(FIRST, start + 1)
        if start >= 0:
            self._rest, data = data[start:], data[:start]
        self._pass_on(data)

    def _pass_on(self, data: bytes) -> None:
        if data and self._sink:
            self._sink(data)

    def _note(self, words: str) -> None:
        word, _, rest = words.partition(" ")
        if word == "ended":
            self.ended, self.exit_code, self._sink = True, int(rest or 0), None
            return
        self.said[word] = rest
        if word == "group":
            self._sink = self._wanted
