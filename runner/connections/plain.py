"""The plain ways to run a command, a channel for each, for servers that cannot have an agent."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from math import ceil

from runner.connections.commands import (
    MARK,
    READER,
    TERM_GRACE,
    DirectoryRefused,
    Request,
    as_user,
    encode,
    quote,
    render_preparation,
    render_words,
)
from runner.connections.cutter import Cutter, Sink
from runner.connections.ending import AgentLost, end_over, render_end
from runner.connections.wire import Wire, WireBroken
from runner.durations import Deadline
from runner.errors import Failed, TimeUp

EXIT_LIMIT = 2.0
_LONGEST_LIMIT = 10**8

OpenWire = Callable[[Deadline], Wire]


def has_shell(open_wire: OpenWire, deadline: Deadline) -> bool:
    """Whether the server starts a shell that reads code from stdin. Raise WireBroken when it gives no answer."""
    cutter = Cutter(b"\x1esop:here:")
    wire = open_wire(deadline)
    try:
        wire.start("sh", deadline)
        wire.send(b"printf '\\036sop:here:%s\\n' yes\n", deadline)
        found = wire.pump_until(lambda: "yes" in cutter.said, (cutter.feed, _ignore), deadline)
        if found or (wire.at_end and wire.alive):
            return found
    except TimeoutError:
        pass
    finally:
        wire.close()
    raise WireBroken("its shell gives no answer")


def obeys(open_wire: OpenWire, deadline: Deadline) -> bool:
    """Whether the server tries what it is asked for: one that answers well to a name that no program has does not."""
    wire = open_wire(deadline)
    try:
        wire.start(f"sop-{secrets.token_hex(8)}", deadline)
        wire.finish_sending()
        wire.pump_until(lambda: False, (_ignore, _ignore), deadline)
        return wire.exit_code(EXIT_LIMIT) != 0
    except TimeoutError:
        raise WireBroken("its shell gives no answer") from None
    finally:
        wire.close()


class PlainShell:
    """Runs each request in a channel and a shell of its own. What it says may gather for so many seconds."""

    def __init__(self, open_wire: OpenWire, gathering: float = 0.0) -> None:
        self._open_wire = open_wire
        self._gathering = gathering

    def run(self, request: Request, deadline: Deadline, take_out: Sink, take_err: Sink) -> int:
        """Run a request and return its exit code; as `Agent.run`."""
        token = "\x1esop:" + secrets.token_hex(12) + ":"
        out, err = Cutter(token.encode(), take_out), Cutter(token.encode(), take_err)
        wire = self._open_wire(deadline)
        try:
            wire.start(f"sh -c '{READER}' sh {request.mark}", deadline)
            wire.send(_render(request, token, deadline), deadline, (out.feed, err.feed))
            wire.finish_sending()
            feeds = (out.feed, err.feed)
            finished = wire.pump_until(lambda: out.ended and err.ended, feeds, deadline, gathering=self._gathering)
            problem = None if finished else _explain(wire)
        except TimeoutError:
            finished, problem = False, None
        except BaseException:
            self._end(err, request, token)
            raise
        finally:
            wire.close()
        if not finished:
            raise problem or TimeUp("time is up", self._end(err, request, token))
        if "nowhere" in out.said:
            raise DirectoryRefused
        return out.exit_code

    def _end(self, err: Cutter, request: Request, token: str) -> tuple[str, ...]:
        group = err.said.get("group", "").strip()
        mark = f"{MARK}={request.mark}"
        recall = f"sop_p={quote(group)}; sop_u={quote(request.run_as)}; sop_m={mark}"
        return end_over(self._open_wire, render_end(recall, request.mark, token), token)


class BareChannel:
    """Hands each command to whatever the server starts: no variables, no end of a process group."""

    def __init__(self, open_wire: OpenWire, place: str) -> None:
        self._open_wire = open_wire
        self._place = place

    def run(self, request: Request, deadline: Deadline, take_out: Sink, take_err: Sink) -> int:
        """Run a request and return its exit code; as `Agent.run`, but what runs too long can only be left alone."""
        line = self._line(request)
        wire = self._open_wire(deadline)
        try:
            wire.start(line, deadline)
            wire.send(request.stdin, deadline, (take_out, take_err))
            wire.finish_sending()
            finished = not wire.pump_until(lambda: False, (take_out, take_err), deadline) and wire.at_end
            code = wire.exit_code(EXIT_LIMIT) if finished else None
            alive = wire.alive
        except TimeoutError:
            finished, code, alive = False, None, True
        finally:
            wire.close()
        if not finished:
            raise TimeUp("time is up", ("not known: the server lets no command be ended",))
        if code is None:
            raise AgentLost("a signal ended the command") if alive else WireBroken("the connection broke")
        return code

    def _line(self, request: Request) -> str:
        if request.run_as or request.directory or request.environment or request.script:
            raise Failed(f"{self._place}: its shell is restricted: no run_as, directory or variables. leave them out")
        if request.words[:2] == ("/bin/sh", "-c") and len(request.words) == 4:
            return request.words[2]
        if request.words[:2] == ("/bin/sh", "-c"):
            return f"set -- {render_words(request.words[4:])}\n{request.words[2]}"
        return render_words(request.words)


class NoCommands:
    """Refuses every command: the server would do something else instead, and tell that it went well."""

    def __init__(self, place: str) -> None:
        self._place = place

    def run(self, request: Request, deadline: Deadline, take_out: Sink, take_err: Sink) -> int:
        """Raise Failed."""
        raise Failed(f"{self._place}: it does no command that it is asked for. allow commands for this login")


def _explain(wire: Wire) -> Exception | None:
    if not wire.alive:
        return WireBroken("the connection broke")
    return AgentLost("the shell that ran the command was ended") if wire.at_end else None


def _ignore(piece: bytes) -> None:
    """Do nothing: nobody asked for this."""


def _render(request: Request, token: str, deadline: Deadline) -> bytes:
    if request.script:
        raise Failed("a line of more than 100 KB needs an agent on the server. write it to a file first")
    seconds = min(ceil(deadline.remaining()), _LONGEST_LIMIT) + int(TERM_GRACE) + 1
    words = render_words((*as_user(request.run_as), *request.words) if request.run_as else request.words)
    preparation = render_preparation(request.directory, request.environment, _REFUSAL)
    limit = f"timeout -k {int(TERM_GRACE)} {seconds}"
    code = (
        f"sop_t={quote(token)}\n{_CHOICE}( {_TELL_GROUP}set -- {words}\n"
        f'case $sop_w in timeout) set -- {limit} "$@" ;; setsid) set -- setsid "$@" ;; esac\n'
        f'{preparation}export {MARK}={request.mark}\nexec "$@" )\n{_TELL_END}{request.mark}\n'
    )
    return encode(code) + request.stdin


_REFUSAL = "{ printf '%s\\n' \"${sop_t}nowhere\"; exit 1; }"
_CHOICE = """if command -v timeout >/dev/null && timeout -k 1 9 true 2>/dev/null; then sop_w=timeout
elif command -v setsid >/dev/null; then sop_w=setsid
else sop_w=; fi
"""
# Without timeout and setsid the group is the one that sshd made for the channel.
_TELL_GROUP = """sop_p=$(exec sh -c 'echo "$PPID"'); [ -n "$sop_w" ] || sop_p=$(ps -o pgid= -p "$$")
for sop_o in 1 2; do printf '%s\\n' "${sop_t}group $sop_p" >&$sop_o; done
"""
_TELL_END = """sop_c=$?
printf '%s\\n' "${sop_t}ended $sop_c"; printf '%s\\n' "${sop_t}ended" >&2
exit "$sop_c"
"""
