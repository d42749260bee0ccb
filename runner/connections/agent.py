"""The agent: a shell that stays on the server and runs one command after the other.

It is `sh`, fed through its stdin, and lives in three parts on the server:

- the worker, which for each command opens a pipe for stdout and one for stderr, says "started" into both, forks a
  shell that reads the request and becomes the command, and says "ended" with the exit code into both;
- two relays (`cat`), which carry the pipes to the channel. They go from one pair of pipes to the other only when
  nobody holds the first any more. So the word "started" proves that no process left behind by an earlier command
  can write into the next; while it is missing, the agent gets no command and is replaced;
- the ear, which reads requests from the channel, ends a command's process group when told, and everything when
  the channel closes, as it does when this side dies.

Words to this side begin with a token that no command knows: it travels on stdin only. Each command costs one round
trip, and the server one process more than the command itself.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from math import ceil

from runner.connections.commands import (
    MARK,
    SHELL,
    TERM_GRACE,
    DirectoryRefused,
    Request,
    as_user,
    encode,
    quote,
    render_words,
)
from runner.connections.cutter import Cutter, Sink
from runner.connections.scripts import ENDING_CODE, WORKER_CODE
from runner.connections.wire import Feeds, NoSession, Wire, WireBroken
from runner.durations import Deadline
from runner.errors import Failed, TimeUp

CLEAN_LIMIT = 0.3
ANSWER_LIMIT = 2.5
UNKNOWN_SURVIVORS = "not known: the server gives no answer"
_LONGEST_LIMIT = 10**8
LARGE_STDIN = 64 * 1024
_CHUNK = 48 * 1024


class AgentLost(Exception):
    """The agent has ended, or gives no sign of life, while a command ran or before it could."""


class AgentRefused(Exception):
    """This server cannot have an agent; the message says why, and is empty where no shell answers at all."""


REFUSAL = "{ printf '%s\\n' \"${sop_t}nowhere\"; exit 1; }"


class Agent:
    """One agent on a server, for one command at a time. Raise AgentRefused when the server cannot have one, WireBroken
    when it gives no answer."""

    def __init__(self, wire: Wire, deadline: Deadline, spare: Callable[[Deadline], Wire]) -> None:
        self._wire = wire
        self._spare = spare
        token = "\x1esop:" + secrets.token_hex(12) + ":"
        self._token = token
        self._out = Cutter(token.encode())
        self._err = Cutter(token.encode())
        self._number = 1
        wire.send(encode(WORKER_CODE.replace("TOKEN", quote(token)).replace("FOLDER", secrets.token_hex(12))), deadline)
        if not self._pump_until(lambda: self._out.started == self._err.started == 1, deadline):
            raise self._explain_start()

    def is_clean(self) -> bool:
        """Whether the agent can take a command and nothing left behind by an earlier one can write into it."""
        if self._out.ended != self._number - 1 or self._out.said:
            return False
        return self._pump_until(self._has_started, Deadline.after(CLEAN_LIMIT))

    def run(self, request: Request, deadline: Deadline, take_out: Sink, take_err: Sink) -> int:
        """Run a request and return its exit code; the sinks take its output.

        Raise TimeUp when the deadline passed and the command was ended, AgentLost when its end is not known,
        DirectoryRefused, and what the sinks raise (the command is then ended).
        """
        self._out.sink, self._err.sink = take_out, take_err
        try:
            self._wire.send(self._lay_stdin(request.stdin, deadline) + self._render(request, deadline), deadline)
            finished = self._pump_until(self._has_ended, deadline)
        except TimeoutError:
            finished = False
        except BaseException:
            self._end(request.mark)
            raise
        if not finished:
            raise self._explain(request.mark)
        self._number += 1
        if "stale" in self._out.said:
            raise AgentLost("the shell that runs commands was disturbed")
        if self._out.said.pop("nowhere", None) is not None:
            raise DirectoryRefused
        return self._out.exit_code

    def close(self) -> None:
        """End the agent and, on the server, whatever it still runs."""
        self._wire.close()

    def _explain_start(self) -> Exception:
        if self._wire.alive and self._wire.at_end:
            return AgentRefused(self._out.said.get("no", ""))
        return WireBroken("its shell gives no answer")

    def _explain(self, mark: str) -> Exception:
        if not self._wire.alive:
            return WireBroken("the connection broke")
        if self._wire.at_end:
            return AgentLost("the shell that ran the command was ended")
        return TimeUp("time is up", self._end(mark))

    def _has_started(self) -> bool:
        return self._out.started == self._err.started == self._number

    def _has_ended(self) -> bool:
        return self._out.ended == self._err.ended == self._number

    def _pump_until(self, done: Callable[[], bool], deadline: Deadline) -> bool:
        return self._wire.pump_until(done, (self._out.feed, self._err.feed), deadline)

    def _end(self, mark: str) -> tuple[str, ...]:
        """End the running command's process group and return who is left, by name."""
        self._out.sink = self._err.sink = None
        code = render_end(f"sop_d={quote(self._out.folder)}; sop_recall", mark, self._token)
        answer = ask(self._wire, code, self._out, (self._out.feed, self._err.feed))
        if answer is None:
            return self._end_from_aside(code)
        self._pump_until(self._has_ended, Deadline.after(CLEAN_LIMIT))
        self._number += 1
        return parse_survivors(answer)

    def _end_from_aside(self, code: str) -> tuple[str, ...]:
        """End command and agent over another channel: the agent's own ear does not answer."""
        self.close()
        code += f"rm -rf {quote(self._out.folder)}; kill -KILL -{self._out.group}\n"
        return end_over(self._spare, code, self._token)

    def _lay_stdin(self, data: bytes, deadline: Deadline) -> bytes:
        """Put stdin into a file there; return the code that still has to do it where no second channel is allowed."""
        path = f"{quote(self._out.folder)}/i"
        if len(data) < LARGE_STDIN:
            return _render_bytes(data, path)
        try:
            wire = self._spare(deadline)
        except NoSession:
            return _render_bytes(data, path)
        try:
            wire.start(f"cat >{path}", deadline)
            wire.send(data, deadline)
            wire.finish_sending()
            wire.pump_until(lambda: False, (lambda piece: None, lambda piece: None), deadline)
            code = wire.exit_code(deadline.remaining())
        finally:
            wire.close()
        if deadline.passed:
            raise TimeoutError
        if code != 0:
            raise Failed("stdin could not be laid down on the server. is its disk full?")
        return b""

    def _render(self, request: Request, deadline: Deadline) -> bytes:
        """Return shell code that lays the request before the worker."""
        seconds = min(ceil(deadline.remaining()), _LONGEST_LIMIT) + int(TERM_GRACE) + 1
        folder = quote(self._out.folder)
        script = f"printf '%s' {quote(request.script)} >{folder}/s\n" if request.script else ""
        return encode(f"{script}printf '%s' {quote(self._render_start(request, seconds))} >{folder}/q\n")

    def _render_start(self, request: Request, seconds: int) -> str:
        """Return the code that becomes the command; its words are set before its variables, one of which may be IFS."""
        limit = f'"$sop_w" -k {int(TERM_GRACE)} {seconds}'
        words = f'{SHELL} "$sop_d/s" ' * bool(request.script) + render_words(request.words)
        if request.run_as:
            words = f"{render_words(as_user(request.run_as))} ${{sop_w:+{limit}}} {words}"
        about = f"{request.run_as or '-'} {MARK}={request.mark}"
        return (
            f'[ "$sop_n" = {self._number} ] || {{ printf "%s\\n" "${{sop_t}}stale"; exit 1; }}\n'
            f'read -r sop_x sop_c </proc/self/stat; echo "$sop_x {about}" >"$sop_d/p"\n'
            f'set -- {words}\nif [ -n "$sop_w" ]; then set -- {limit} "$@"; else set -- setsid "$@"; fi\n'
            + ('exec <"$sop_d/i"\n' if request.stdin else "")
            + f'{request.preparation}export {MARK}={request.mark}\nexec "$@"\n'
        )


def render_end(recall: str, mark: str, token: str) -> str:
    """Return shell code that ends the group that `recall` puts into $sop_p, and says who is left."""
    say = f"sop_x=$(sop_left {MARK}={mark}); printf '%s\\n' {quote(token)}\"left $sop_x\"\n"
    return f"{ENDING_CODE}\n{recall}; sop_end; {say}"


def end_over(open_wire: Callable[[Deadline], Wire], code: str, token: str) -> tuple[str, ...]:
    """Have a new channel run the code of `render_end` and return who is left, by name."""
    cutter = Cutter(token.encode())
    try:
        wire = open_wire(Deadline.after(ANSWER_LIMIT))
        wire.start("sh", Deadline.after(ANSWER_LIMIT))
        answer = ask(wire, code, cutter, (cutter.feed, lambda piece: None))
        wire.close()
    except WireBroken:
        answer = None
    return (UNKNOWN_SURVIVORS,) if answer is None else parse_survivors(answer)


def ask(wire: Wire, code: str, cutter: Cutter, feeds: Feeds) -> str | None:
    """Send code to a shell and return who it says is left; None when it gives no answer in time."""
    deadline = Deadline.after(TERM_GRACE + ANSWER_LIMIT)
    try:
        wire.send(encode(code), deadline)
    except (TimeoutError, WireBroken):
        return None
    wire.pump_until(lambda: "left" in cutter.said, feeds, deadline)
    return cutter.said.pop("left", None)


def parse_survivors(text: str) -> tuple[str, ...]:
    """Given "pid name" pieces between tabs, return "name (pid N)" for each, once."""
    pairs = [piece.strip().partition(" ") for piece in text.split("\t") if piece.strip()]
    names = {f"{''.join(c if c.isprintable() else '?' for c in name)} (pid {pid})": None for pid, _, name in pairs}
    return tuple(names)


def _render_bytes(data: bytes, path: str) -> bytes:
    pieces = [data[start : start + _CHUNK] for start in range(0, len(data), _CHUNK)]
    return b"".join(b"printf '%b' >>%b\n" % (b"".join(map(_ESCAPED.__getitem__, p)), path.encode()) for p in pieces)


def _escape(byte: int) -> bytes:
    letter = bytes((byte,))
    if letter == b"%":
        return b"%%"
    return letter if letter.isalnum() or letter in b" \n_=/.,:;@" else b"\\%03o" % byte


_ESCAPED = tuple(map(_escape, range(256)))
