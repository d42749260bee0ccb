"""What the engine and the actions agree on."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple, Protocol
from zoneinfo import ZoneInfo

from runner.durations import Deadline, parse_limit
from runner.errors import Failed
from runner.hours import office_zone
from runner.notices import Notifier
from runner.recorder import Recorder

OUTPUT_LIMIT = 50 * 1024 * 1024


class Status(StrEnum):
    """How a task, a step or a run ended. Kept as words; `WORST_FIRST` orders them."""

    FAILED = "failed"
    TIMED_OUT = "timed_out"
    INTERRUPTED = "interrupted"
    UNREACHABLE = "unreachable"
    WAITING = "waiting"
    CHANGED = "changed"
    OK = "ok"
    SKIPPED = "skipped"


WORST_FIRST = tuple(Status)
FINISHED_WELL = frozenset({Status.OK, Status.CHANGED})


class Reason(StrEnum):
    """Why a task was skipped; the last three occur in a dry run, `blocked` also where a value is missing."""

    CONDITION = "condition"
    NOT_SELECTED = "not_selected"
    PREVIEWED = "previewed"
    NOT_CHECKED = "not_checked"
    BLOCKED = "blocked"


class Effect(StrEnum):
    """What an action does to the world: nothing, a change on a target, or something beyond our reach (a letter)."""

    READ = "read"
    CHANGE = "change"
    OUTSIDE = "outside"


class Repeat(StrEnum):
    """Whether an interrupted task may be done again: freely, after asking `probe`, or only by a person's decision."""

    SAFE = "safe"
    PROBE = "probe"
    NEVER = "never"


class Reach(StrEnum):
    """Where an action does its work: on this machine, or on the target's server over a connection."""

    CONTROLLER = "controller"
    SERVER = "server"


class Severity(StrEnum):
    """How bad a problem is."""

    MINOR = "minor"
    MAJOR = "major"
    CRITICAL = "critical"


class Evidence(NamedTuple):
    """A kept file: its name for people, SHA-256 (hex), size in bytes and media type."""

    name: str
    sha256: str
    size: int
    media_type: str = "application/octet-stream"


class Problem(NamedTuple):
    """Something wrong out there; the same fault on the same target always has the same `key`. One of the office's own
    (`office.…`) belongs to no target."""

    key: str
    severity: Severity
    message: str


class Request(NamedTuple):
    """What waits for a person: the role that must act, what is asked, the labels to choose from (none: a signature)."""

    role: str
    question: str
    answers: tuple[str, ...] = ()
    subject: str = ""  # SHA-256 of what is signed; "" where nothing is


@dataclass(frozen=True, slots=True)
class Outcome:
    """Status, outputs, evidence and problems of one task on one target.

    A deviation is "kind: detail", of a kind that `messages` knows ("late: 2026-03-25T16:30+07:00").
    """

    status: Status
    outputs: Mapping[str, Any] = field(default_factory=dict)
    evidence: tuple[Evidence, ...] = ()
    problems: tuple[Problem, ...] = ()
    message: str = ""
    reason: Reason | None = None
    deviations: tuple[str, ...] = ()
    request: Request | None = None


class Preview(NamedTuple):
    """What `run` would do, in one sentence; `diff` is a unified diff where content would change."""

    message: str
    changes: bool = True
    diff: str = ""


@dataclass(frozen=True, slots=True)
class Command:
    """A command for a target: either `line`, for the shell, with `parameters` as its $1, $2 …, or `argv`, word by word.

    `directory` is the working directory, `run_as` a user to become by `sudo -n`. Output beyond `output_limit`
    bytes (stdout and stderr each) ends the command with an error. `bulk` says that much more comes on stdout than
    commands commonly say: the shortest way for it is taken, even if it takes longer to begin.
    """

    line: str = ""
    argv: tuple[str, ...] = ()
    parameters: tuple[str, ...] = ()
    stdin: bytes = b""
    directory: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    run_as: str = ""
    output_limit: int = OUTPUT_LIMIT
    bulk: bool = False


class Result(NamedTuple):
    """How a command ended: exit code (128 + n when signal n ended it), both streams, a remark about how it ran."""

    exit_code: int
    stdout: bytes = b""
    stderr: bytes = b""
    remark: str = ""


class Connection(Protocol):
    """One way to run commands on a server. Safe to use from several threads."""

    def open(self, deadline: Deadline) -> None:
        """Connect, where that was not done yet. Raise Unreachable."""

    def run(self, command: Command, deadline: Deadline) -> Result:
        """Run the command to its end. Raise TimeUp when the deadline passes (the process group is then gone, or
        its survivors are named), Unreachable when there is no connection or it breaks, Failed when the output
        passes its limit."""

    def read(self, path: str, deadline: Deadline, *, limit: int = OUTPUT_LIMIT) -> bytes:
        """Return a file's bytes. Raise Failed when it is missing, unreadable or larger than `limit`."""

    def write(self, path: str, data: bytes, deadline: Deadline, *, mode: int = 0o600) -> None:
        """Write a file whole or not at all (temporary name, then rename)."""

    def stream(self, command: Command, deadline: Deadline, sink: Callable[[bytes], None]) -> Result:
        """Like `run`, but hand stdout to `sink` piece by piece; the result's stdout is empty and has no limit."""

    def ahead(
        self, commands: Sequence[Command], limits: Sequence[float], deadline: Deadline
    ) -> AbstractContextManager[Connection]:
        """Have commands begun one after the other, each only where the one before ended with 0, and give a connection
        whose `run` takes up their results in that order; leaving it ends what was not taken up. `deadline` is for
        handing them over, `limits` how many seconds each may take. They have neither stdin nor `run_as`."""

    def close(self) -> None:
        """End everything that still runs over this connection."""


class Call(NamedTuple):
    """One task to be done on one target; all that an action may know and use.

    `target` is the target's settings with `name` and `kind` (None in a step that runs once), `inputs` the filled
    and checked values of `with`. `connect()` gives the connection to the target's server (to this machine where
    the step runs once) and raises Unreachable. `keep(name, content, media_type)` keeps bytes, or a file by its
    path, as evidence. `directory` is a private place for temporary files that the engine removes. `notifier()`
    gives what writes to people of the inventory. `tell(text)` says how far the task is, to who watches it; nothing of
    that is recorded. `rest(seconds)` waits, with nothing open or large in hand: other targets take its place meanwhile.
    """

    target: Mapping[str, Any] | None
    inputs: Mapping[str, Any]
    deadline: Deadline
    now: datetime
    connect: Callable[[], Connection]
    keep: Callable[[str, bytes | Path, str], Evidence]
    record: Recorder
    office: Mapping[str, Any]
    directory: Path
    notifier: Callable[[], Notifier]
    run_as: str = ""
    effect: Effect = Effect.CHANGE
    tell: Callable[[str], None] = lambda text: None
    rest: Callable[[float], None] = time.sleep

    @property
    def zone(self) -> ZoneInfo:
        """The office's time zone, in which days begin and times are told."""
        return office_zone(self.office)

    @property
    def office_time(self) -> datetime:
        """Now, by the office's clock."""
        return self.now.astimezone(self.zone)

    def seconds(self, name: str) -> float:
        """Given the name of an input that is a duration, return its seconds. Raise Failed when it is none."""
        try:
            return parse_limit(self.inputs[name])
        except ValueError as error:
            raise Failed(f"{name}: {error}") from None


JsonSchema = Mapping[str, Any]

ANSWER_OUTPUTS: Mapping[str, JsonSchema] = {
    "person": {"type": "string", "description": "who did it", "examples": ["kasubbag_demo"]},
    "label": {"type": "string", "description": "the answer given", "examples": ["signed"]},
    "method": {"type": "string", "description": "how the person was told apart", "examples": ["login"]},
    "note": {"type": "string", "description": "the person's remark", "examples": ["sudah dibaca"]},
    "at": {"type": "string", "description": "when, in UTC", "examples": ["2026-11-22T03:00:00+00:00"]},
    "to": {"type": "string", "description": "the step it is returned to, where it is", "examples": ["report"]},
}


def _no_preview(call: Call) -> Preview | None:
    return None


class Action(NamedTuple):
    """An action's contract as data, beside the functions that keep it.

        `inputs` and `outputs` map a name to its JSON Schema, each with `description` and `examples`. An input is
        required unless its schema has `default` or `"optional": true`; `"secret": true` marks one that takes
        `secret('…')`. `limit` is the default time limit as written ("5m"). `targets` lists the kinds of target it
        works on ("website", "server", "service", and "" for a step that runs once). `effects` holds what a task may
        claim with `effect:` where an action's effect depends on its inputs. Exactly one of the inputs in `one_of` is
    given. `"shell": true` marks an input that is a shell line: it arrives as (line, parameters). `"names":` marks one
    that names people or roles of the inventory ("recipient"), its channels, or files of this machine. `person` tells
    that a person does it: `run` only prepares, and its outcome waits with a request. `ahead` gives the one command that
    `run` runs, where it has neither stdin nor `run_as`, and `run` fails unless that ends with 0. `modules` names what
    `run` imports when it begins, for who has time for that before.
    """

    name: str
    description: str
    inputs: Mapping[str, JsonSchema]
    outputs: Mapping[str, JsonSchema]
    effect: Effect
    repeat: Repeat
    reach: Reach
    limit: str
    run: Callable[[Call], Outcome]
    preview: Callable[[Call], Preview | None] = _no_preview
    probe: Callable[[Call], Outcome | None] | None = None
    targets: Sequence[str] = ("website", "server", "service", "")
    effects: Sequence[Effect] = ()
    one_of: Sequence[str] = ()
    person: bool = False
    example: str = ""
    ahead: Callable[[Call], Command | None] | None = None
    modules: Sequence[str] = ()

    def required(self) -> tuple[str, ...]:
        """Names of the inputs that a task must give."""
        return tuple(n for n, s in self.inputs.items() if "default" not in s and not s.get("optional"))


def worst(statuses: Sequence[Status]) -> Status:
    """Given statuses, return the worst; of none, return skipped."""
    return min(statuses, key=WORST_FIRST.index, default=Status.SKIPPED)
