"""Whatever a command writes, however it ends: what came out is what it wrote, and the next command is unharmed."""

from __future__ import annotations

import hashlib
import signal
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runner.connections.commands import quote
from runner.contract import OUTPUT_LIMIT, Command, Connection, Result
from runner.durations import Deadline

SIGNALS = ("TERM", "KILL", "INT", "HUP", "QUIT", "USR1", "ALRM", "PIPE", "ABRT")
# What the wire itself says: a token's beginning, frames of each kind, an agent's and a shell's words.
NASTY = (b"\x1esop:", b"o\0\0\0\x05", b"x\0\0\0\x010", b"s\0\0\0\0", b"TOKEN1\n", b"ended 0\n", b"group 1\n", b"\r\n")
LATE = "(while kill -0 $$ 2>/dev/null; do sleep 0.02; done; sleep 0.1; echo late; echo late >&2) &"
MUCH = st.builds(bytes.__mul__, st.binary(min_size=1, max_size=20), st.integers(100, 200))
PIECES = st.one_of(st.binary(max_size=100), st.sampled_from(NASTY), MUCH)
RELAXED = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
relaxed = settings(max_examples=40, deadline=None, suppress_health_check=RELAXED)


@dataclass(frozen=True)
class Script:
    """What a command does: it writes pieces to its streams (1 or 2) in this order, then exits with a code, or sends
    itself a signal; so many shells stand around it, each quoted for the next; and perhaps it leaves a writer behind."""

    pieces: Sequence[tuple[int, bytes]]
    ending: int | str
    depth: int
    leaves: bool

    @property
    def line(self) -> str:
        late = [LATE] if self.leaves else []
        ending = f"exit {self.ending}" if isinstance(self.ending, int) else f"kill -{self.ending} $$"
        line = "\n".join([*late, *(_print(stream, piece) for stream, piece in self.pieces), ending])
        for _ in range(self.depth):
            line = f"exec sh -c {quote(line)}"
        return line

    @property
    def result(self) -> Result:
        """How it must end."""
        code = self.ending if isinstance(self.ending, int) else 128 + signal.Signals[f"SIG{self.ending}"].value
        out, err = (b"".join(piece for to, piece in self.pieces if to == stream) for stream in (1, 2))
        return Result(code, out, err)


def _print(stream: int, piece: bytes) -> str:
    """A line of shell that writes these bytes: printf takes them in octal."""
    return f"printf '{''.join(f'{chr(92)}{byte:03o}' for byte in piece)}' >&{stream}"


SCRIPTS = st.builds(
    Script,
    pieces=st.lists(st.tuples(st.sampled_from([1, 2]), PIECES), max_size=5),
    ending=st.one_of(st.just(0), st.integers(0, 255), st.sampled_from(SIGNALS)),
    depth=st.integers(0, 3),
    leaves=st.booleans(),
)


def run(connection: Connection, script: Script) -> Result:
    return connection.run(Command(line=script.line), Deadline.after(60))


@relaxed
@given(scripts=st.lists(SCRIPTS, min_size=1, max_size=4))
def test_one_after_the_other(connection: Connection, scripts: list[Script]) -> None:
    assert [run(connection, script) for script in scripts] == [script.result for script in scripts]
    assert connection.run(Command(line="echo next"), Deadline.after(60)) == Result(0, b"next\n")


@relaxed
@given(scripts=st.lists(SCRIPTS, min_size=2, max_size=5))
def test_sent_ahead(connection: Connection, scripts: list[Script]) -> None:
    commands = [Command(line=script.line) for script in scripts]
    with connection.ahead(commands, [60.0] * len(commands), Deadline.after(60)) as row:
        found = [row.run(command, Deadline.after(60)) for command in commands]
    assert found == [script.result for script in scripts]
    assert connection.run(Command(line="echo next"), Deadline.after(60)) == Result(0, b"next\n")


@settings(max_examples=15, deadline=None, suppress_health_check=RELAXED)
@given(scripts=st.lists(SCRIPTS, min_size=4, max_size=8))
def test_several_at_a_time(connection: Connection, scripts: list[Script]) -> None:
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(lambda script: run(connection, script), scripts))
    assert found == [script.result for script in scripts]


@relaxed
@given(data=st.binary(max_size=20_000), script=SCRIPTS)
def test_stdin_that_is_read_in_part_or_not_at_all(connection: Connection, data: bytes, script: Script) -> None:
    head = connection.run(Command(line="head -c 10; cat >/dev/null", stdin=data), Deadline.after(60))
    unread = connection.run(Command(line=script.line, stdin=data), Deadline.after(60))
    assert (head.stdout, unread) == (data[:10], script.result)


# Writes a stream that is known from its seed to stdout and stderr in turn, in pieces of changing size.
WRITER = """import hashlib, os, sys
size, seed = int(sys.argv[1]), sys.argv[2].encode()
sums, left, n = {1: hashlib.sha256(), 2: hashlib.sha256()}, {1: size, 2: size}, 0
block = b''.join(hashlib.sha256(seed + b'%d' % i).digest() for i in range(4096))
while left[1] or left[2]:
    to = 1 + n % 2
    piece = block[n % 977 :][: min(left[to], 1 + n * 7919 % 120_000)]
    sums[to].update(piece)
    left[to] -= len(piece)
    while piece:
        piece = piece[os.write(to, piece) :]
    n += 1
open(sys.argv[3], 'w').write(sums[1].hexdigest() + sums[2].hexdigest())
sys.exit(size % 251)
"""


@pytest.mark.heavy
@pytest.mark.parametrize("size", [65_537, 3_000_001, OUTPUT_LIMIT - 1, OUTPUT_LIMIT])
def test_sizes_up_to_the_limit(connection: Connection, size: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    sums = tmp_path_factory.mktemp("sums") / "sums"
    words = ("python3", "-c", WRITER, str(size), str(size), str(sums))
    result = connection.run(Command(argv=words), Deadline.after(300))
    found = [hashlib.sha256(stream).hexdigest() for stream in (result.stdout, result.stderr)]
    assert (result.exit_code, len(result.stdout), len(result.stderr)) == (size % 251, size, size)
    assert "".join(found) == sums.read_text()
    assert connection.run(Command(line="echo next"), Deadline.after(60)) == Result(0, b"next\n")


@pytest.mark.heavy
def test_fifty_megabytes_go_in_and_come_back(connection: Connection) -> None:
    data = hashlib.shake_256(b"seed").digest(OUTPUT_LIMIT)
    result = connection.run(Command(argv=("cat",), stdin=data), Deadline.after(300))
    assert (result.exit_code, len(result.stdout), result.stdout == data) == (0, OUTPUT_LIMIT, True)
    assert connection.run(Command(line="echo next"), Deadline.after(60)) == Result(0, b"next\n")
