"""The agent: a program that stays on the server and runs one command after the other.

It is written in Perl, which nearly every server has, and asks for no module of it. For each command it starts the
command itself and nothing else, in a process group of its own, with pipes of its own. It alone reads those pipes, and
lets go of them when the command has ended: no process left behind can write into the next command's output. What it
sends are frames, so no output can be taken for the agent's words. Requests are data, not code.

Each command costs one round trip. A second process on the server, the watcher, ends the command when the agent is
gone, as it is when this side dies, and when the limit passes without anyone ending it.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from math import ceil

from runner.connections.commands import (
    READER,
    SHELL,
    TERM_GRACE,
    DirectoryRefused,
    Request,
    as_user,
    encode,
    quote,
)
from runner.connections.cutter import Sink
from runner.connections.ending import ANSWER_LIMIT, AgentLost, end_over, parse_survivors, render_end
from runner.connections.frames import Unpacker, pack
from runner.connections.scripts import AGENT_CODE, AGENT_LINE
from runner.connections.wire import Wire, WireBroken
from runner.durations import Deadline
from runner.errors import TimeUp

END_LIMIT = 0.3
_LONGEST_LIMIT = 10**8


class AgentRefused(Exception):
    """This server cannot have an agent."""


class Agent:
    """One agent on a server, for one command at a time. Raise AgentRefused when the server cannot have one, WireBroken
    when it gives no answer."""

    def __init__(self, wire: Wire, deadline: Deadline, spare: Callable[[Deadline], Wire]) -> None:
        self._wire = wire
        self._spare = spare
        self._token = "\x1esop:" + secrets.token_hex(12) + ":"
        self._unpacker = Unpacker(self._token.encode(), self._take)
        self._sinks: dict[str, Sink] = {}
        self._exit_code: int | None = 0
        self._refused = False
        self._left = ""
        self._left_is_whole = False
        program = encode(AGENT_CODE.replace("TOKEN", self._token.replace(":", "\\x3a")))
        wire.start(AGENT_LINE.replace("SIZE", str(len(program))), deadline)
        wire.send(program, deadline)
        if not self._pump_until(lambda: self._unpacker.process != "", deadline):
            if wire.alive and wire.at_end:
                raise AgentRefused
            raise WireBroken("its shell gives no answer")

    def is_free(self) -> bool:
        """Whether the agent lives and can take a command."""
        return self._exit_code is not None and not self._wire.at_end

    def run(self, request: Request, deadline: Deadline, take_out: Sink, take_err: Sink) -> int:
        """Run a request and return its exit code; the sinks take its output.

        Raise TimeUp when the deadline passed and the command was ended, AgentLost when its end is not known,
        DirectoryRefused, and what the sinks raise (the command is then ended).
        """
        self._sinks = {"o": take_out, "e": take_err}
        self._exit_code, self._refused = None, False
        try:
            self._wire.send(_render(request, deadline), deadline)
            finished = self._pump_until(self._has_ended, deadline)
        except TimeoutError:
            raise TimeUp("time is up", self._end_from_aside(request)) from None
        except BaseException:
            self._end(request)
            raise
        if not finished:
            raise self._explain(request)
        if self._refused:
            raise DirectoryRefused
        assert self._exit_code is not None
        return self._exit_code

    def close(self) -> None:
        """End the agent and, on the server, whatever it still runs."""
        self._wire.close()

    def _take(self, kind: str, content: bytes) -> None:
        if kind in self._sinks:
            self._sinks[kind](content)
        elif kind == "x":
            self._exit_code, self._sinks = int(content), {}
        elif kind == "n":
            self._exit_code, self._refused = 1, True
        elif kind == "s":
            self._left += content.decode("utf-8", "replace")
            self._left_is_whole = not content

    def _explain(self, request: Request) -> Exception:
        if not self._wire.alive:
            return WireBroken("the connection broke")
        if self._wire.at_end:
            return AgentLost("the agent that ran the command was ended")
        return TimeUp("time is up", self._end(request))

    def _has_ended(self) -> bool:
        return self._exit_code is not None

    def _pump_until(self, done: Callable[[], bool], deadline: Deadline) -> bool:
        return self._wire.pump_until(done, (self._unpacker.feed, _ignore), deadline)

    def _end(self, request: Request) -> tuple[str, ...]:
        """End the running command's process group and return who is left, by name."""
        self._sinks, self._left, self._left_is_whole = {}, "", False
        deadline = Deadline.after(TERM_GRACE + ANSWER_LIMIT)
        try:
            self._wire.send(pack(b"end", encode(request.mark), encode(request.run_as)), deadline)
        except (TimeoutError, WireBroken):
            return self._end_from_aside(request)
        if not self._pump_until(lambda: self._left_is_whole, deadline):
            return self._end_from_aside(request)
        self._pump_until(self._has_ended, Deadline.after(END_LIMIT))
        return parse_survivors(self._left)

    def _end_from_aside(self, request: Request) -> tuple[str, ...]:
        """End agent and command over another channel: the agent does not answer."""
        self.close()
        recall = (
            f"sop_u={quote(request.run_as)}; sop_m={request.mark_setting}; sop_p=$(sop_lead)\n"
            f"kill -KILL {self._unpacker.process}"
        )
        return end_over(self._spare, render_end(recall, request.mark, self._token), self._token)


def _ignore(piece: bytes) -> None:
    """Do nothing: on stderr, a login shell may say something."""


def _render(request: Request, deadline: Deadline) -> bytes:
    """Return the frame that asks for a command, and its stdin."""
    seconds = min(ceil(deadline.remaining()), _LONGEST_LIMIT) + int(TERM_GRACE) + 1
    words, stdin = request.words, request.stdin
    if request.script:  # too long for a word: the shell reads it from stdin; nothing of its reading stays behind
        words = (SHELL, "-c", READER, "sh", request.mark, *words)
        stdin = encode(f"unset c l n\n{request.script}\n{request.mark}\n") + stdin
    if request.run_as:
        words = (*as_user(request.run_as), *words)
    variables = [text for pair in request.environment.items() for text in pair]
    texts = (str(seconds), request.directory, str(len(request.environment)), request.mark, request.run_as)
    return pack(b"run", *map(encode, (*texts, str(len(stdin)), *variables, *words))) + stdin
