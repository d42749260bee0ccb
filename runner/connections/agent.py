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
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
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
from runner.connections.sharing import MOST_SHARED, may_share, render_shared
from runner.connections.wire import Wire, WireBroken
from runner.durations import Deadline
from runner.errors import TimeUp

END_LIMIT = 0.3
_LONGEST_LIMIT = 10**8


class AgentRefused(Exception):
    """This server cannot have an agent."""


class Job:
    """A request, who takes its output, and in how many seconds its server ends it (0: in the caller's); its exit code
    once it has ended."""

    def __init__(self, request: Request, take_out: Sink, take_err: Sink, limit: float = 0.0) -> None:
        self.request = request
        self.limit = limit
        self.exit_code: int | None = None
        self.refused = False
        self.fault: Exception | None = None
        self._sinks = {"o": take_out, "e": take_err}

    def take(self, kind: str, content: bytes) -> None:
        """Hand output to its sink; what that raises is kept for who waits for this job, and the rest let go."""
        try:
            if kind in self._sinks:
                self._sinks[kind](content)
        except Exception as error:  # noqa: BLE001 - it is raised where the job is waited for
            self.fault = error
            self.mute()

    def mute(self) -> None:
        """Let go of all output that still comes."""
        self._sinks = {}


class Agent:
    """One agent on a server, for one command at a time. Raise AgentRefused when the server cannot have one, WireBroken
    when it gives no answer."""

    def __init__(self, wire: Wire, deadline: Deadline, spare: Callable[[Deadline], Wire]) -> None:
        self._wire = wire
        self._spare = spare
        self._token = "\x1esop:" + secrets.token_hex(12) + ":"
        self._unpacker = Unpacker(self._token.encode(), self._take)
        self._jobs: deque[Job] = deque()  # in their order on the server, the first of them running
        self._unclear = False
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
        return not self._jobs and not self._unclear and not self._wire.at_end

    def run(self, request: Request, deadline: Deadline, take_out: Sink, take_err: Sink) -> int:
        """Run a request and return its exit code; the sinks take its output.

        Raise TimeUp when the deadline passed and the command was ended, AgentLost when its end is not known,
        DirectoryRefused, and what the sinks raise (the command is then ended).
        """
        job = Job(request, take_out, take_err)
        self.begin([job], deadline)
        return self.finish(job, deadline)

    def begin(self, jobs: Sequence[Job], deadline: Deadline) -> None:
        """Hand over requests that are to run one after the other, each only where the one before ended with 0; none but
        the first may have a stdin. Each may take
        its own limit, or what is left of the deadline. Raise as `run` does."""
        self._jobs.extend(jobs)
        left = deadline.remaining()
        frames = [_render_group(group, left, b"and" if n else b"run") for n, group in enumerate(_grouped(jobs))]
        try:
            self._wire.send(b"".join(frames), deadline, (self._unpacker.feed, _ignore))
        except TimeoutError:
            raise TimeUp("time is up", self._end_from_aside(jobs[0].request)) from None
        except BaseException:
            self._end(jobs[0].request)
            raise

    def finish(self, job: Job, deadline: Deadline) -> int:
        """Wait for the first job that has not been waited for; return its exit code. Raise as `run` does."""
        try:
            finished = self._pump_until(lambda: job.exit_code is not None or job.fault is not None, deadline)
        except BaseException:
            self._end(job.request)
            raise
        if job.fault:
            if job.exit_code is None:
                self._end(job.request)
            raise job.fault
        if not finished:
            raise self._explain(job.request)
        if job.refused:
            raise DirectoryRefused
        assert job.exit_code is not None
        return job.exit_code

    def is_dropped(self, job: Job) -> bool:
        """Whether a job was not begun, because one before it did not end with 0."""
        return job.exit_code is None and job not in self._jobs

    def close(self) -> None:
        """End the agent and, on the server, whatever it still runs."""
        self._wire.close()

    def _take(self, kind: str, content: bytes) -> None:
        if kind == "s":
            self._left += content.decode("utf-8", "replace")
            self._left_is_whole = not content
        elif not self._jobs:
            return
        elif kind in "oe":
            self._jobs[0].take(kind, content)
        else:
            self._take_end(self._jobs.popleft(), kind, content)

    def _take_end(self, job: Job, kind: str, content: bytes) -> None:
        job.refused = kind == "n"
        job.exit_code = 1 if job.refused else int(content)
        if job.exit_code:
            self._jobs.clear()  # the agent has dropped them too

    def _explain(self, request: Request) -> Exception:
        if not self._wire.alive:
            return WireBroken("the connection broke")
        if self._wire.at_end:
            return AgentLost("the agent that ran the command was ended")
        return TimeUp("time is up", self._end(request))

    def _pump_until(self, done: Callable[[], bool], deadline: Deadline) -> bool:
        return self._wire.pump_until(done, (self._unpacker.feed, _ignore), deadline)

    def _end(self, request: Request) -> tuple[str, ...]:
        """End the running command's process group, drop what waits behind it, and return who is left, by name."""
        self._unclear = len(self._jobs) > 1  # the next one may have begun meanwhile
        jobs, self._left, self._left_is_whole = [*self._jobs], "", False
        for job in jobs:
            job.mute()
        deadline = Deadline.after(TERM_GRACE + ANSWER_LIMIT)
        try:
            self._wire.send(pack(b"end", encode(request.mark), encode(request.run_as)), deadline)
        except (TimeoutError, WireBroken):
            return self._end_from_aside(request)
        if not self._pump_until(lambda: self._left_is_whole, deadline):
            return self._end_from_aside(request)
        self._pump_until(lambda: not jobs or jobs[0] not in self._jobs, Deadline.after(END_LIMIT))
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


def _grouped(jobs: Sequence[Job]) -> list[list[Job]]:
    """Put neighbours that may share a shell together; the others stand alone."""
    groups: list[list[Job]] = []
    open_one = False
    for job in jobs:
        shares = may_share(job.request)
        if shares and open_one and len(groups[-1]) < MOST_SHARED:
            groups[-1].append(job)
        else:
            groups.append([job])
        open_one = shares
    return groups


def _render_group(jobs: Sequence[Job], left: float, kind: bytes) -> bytes:
    """Return the frame that asks for these commands; those that share a shell share its mark."""
    limits = [job.limit or left for job in jobs]
    if len(jobs) == 1:
        return _render(jobs[0].request, limits, kind)
    mark = jobs[0].request.mark
    for job in jobs:
        job.request = replace(job.request, mark=mark)
    words = (SHELL, "-c", render_shared([job.request for job in jobs]), "sh")
    return _render(Request(words, mark), limits, kind, shared=len(jobs))


def _render(request: Request, limits: Sequence[float], kind: bytes, *, shared: int = 0) -> bytes:
    """Return the frame that asks for a command, or for so many that share it, each with its limit, and its stdin."""
    seconds = " ".join(str(min(ceil(limit), _LONGEST_LIMIT) + int(TERM_GRACE) + 1) for limit in limits)
    words, stdin = request.words, request.stdin
    if request.script:  # too long for a word: the shell reads it from stdin; nothing of its reading stays behind
        words = (SHELL, "-c", READER, "sh", request.mark, *words)
        stdin = encode(f"unset c l n\n{request.script}\n{request.mark}\n") + stdin
    if request.run_as:
        words = (*as_user(request.run_as), *words)
    variables = [text for pair in request.environment.items() for text in pair]
    numbers = str(len(request.environment)), str(shared)
    texts = (seconds, request.directory, *numbers, request.mark, request.run_as, str(len(stdin)))
    return pack(kind, *map(encode, (*texts, *variables, *words))) + stdin
