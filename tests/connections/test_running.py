"""The whole list of what a sound way to run commands must pass, over SSH and on this machine."""

from __future__ import annotations

import hashlib
import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runner.connections import Connections
from runner.contract import Command, Connection, Result
from runner.durations import Deadline
from runner.errors import Failed, TimeUp, Unreachable
from tests.connections.conftest import target_of
from tests.processes import await_end, find_marked
from tests.sshd import SshServer

LONG = f"sleep 98{os.getpid()}"  # told apart from the sleeps of other runs

NASTY = (
    "x; touch pwned $(id)",
    "`touch pwned`",
    "two\nlines\n",
    "",
    "-n",
    "--help",
    "'",
    "\"'\\'\"",
    "$HOME ${IFS} *",
    "\\n\\0\\",
    "tab\tand bell\a",
    "é Ž 漢字 🙂",
    "\x1esop:",
    "\x81\x88\udcff",
    "%s%n%d",
    "!history",
)


def run(connection: Connection, line: str, *parameters: str, seconds: float = 20, **rest: Any) -> Result:
    return connection.run(Command(line=line, parameters=parameters, **rest), Deadline.after(seconds))


def test_gives_exit_code_and_both_streams(connection: Connection) -> None:
    assert run(connection, "echo out; echo err >&2; exit 3") == Result(3, b"out\n", b"err\n")


def test_commands_run_one_after_the_other(connection: Connection) -> None:
    assert [run(connection, f"echo {n}; echo e{n} >&2").stdout for n in range(150)] == [b"%d\n" % n for n in range(150)]


@pytest.mark.parametrize(
    ("line", "exit_code"),
    [
        ("exec sh -c 'exit 7'", 7),
        ("kill -9 $$", 137),
        ("kill -TERM $$", 143),
        ("kill -9 0", 137),
        ("if then fi", 2),
        ("echo 'unclosed", 2),
        ("no_such_program_here", 127),
        ("/", 126),
        ("exit 255", 255),
        ("exec >&- 2>&- <&-; exit 4", 4),
    ],
)
def test_ends_as_the_command_ended(connection: Connection, line: str, exit_code: int) -> None:
    assert run(connection, line).exit_code == exit_code
    assert run(connection, "echo next") == Result(0, b"next\n")


@pytest.mark.parametrize("value", NASTY)
@pytest.mark.promise("Text from outside", "a value with shell words in a command, at each place", "stays one word")
def test_values_are_never_code(connection: Connection, value: str, tmp_path: Path) -> None:
    sent = value.encode("utf-8", "surrogateescape")
    assert run(connection, 'printf %s "$1"', value, directory=str(tmp_path)).stdout == sent
    assert connection.run(Command(argv=("printf", "%s", value)), Deadline.after(9)).stdout == sent
    assert run(connection, 'printf %s "$V"', environment={"V": value}).stdout == sent
    assert list(tmp_path.iterdir()) == []


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])), max_size=5))
def test_any_text_arrives_as_it_is(connection: Connection, values: list[str]) -> None:
    result = run(connection, 'for one; do printf "%s\\037" "$one"; done; cat', *values, stdin=repr(values).encode())
    expected = "".join(value + "\037" for value in values) + repr(values)
    assert result.stdout == expected.encode()


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=3000))
def test_any_bytes_go_in_and_out(connection: Connection, data: bytes) -> None:
    assert run(connection, "cat; cat /dev/null", stdin=data).stdout == data


def test_carries_large_stdin(connection: Connection) -> None:
    data = os.urandom(3_000_000)
    assert run(connection, "cat", stdin=data).stdout == data


def test_stdin_may_be_ignored(connection: Connection) -> None:
    assert run(connection, "echo done", stdin=bytes(500_000)) == Result(0, b"done\n")
    assert run(connection, "cat") == Result(0)


@pytest.mark.parametrize(
    "command", [Command(line="a\0b"), Command(argv=("echo", "\0")), Command(line="x", parameters=("\0",))]
)
def test_refuses_nul(connection: Connection, command: Command) -> None:
    with pytest.raises(Failed, match="NUL"):
        connection.run(command, Deadline.after(5))


def test_refuses_a_value_that_no_system_takes(connection: Connection) -> None:
    with pytest.raises(Failed, match="stdin"):
        run(connection, "true", "x" * 200_000)


def test_runs_a_long_line(connection: Connection) -> None:
    line = "# " + "x" * 200_000 + '\necho "$#" "$1"; exit 5'
    assert run(connection, line, "a b") == Result(5, b"1 a b\n")


@pytest.mark.promise("Network", "10 MB of stderr", "kept whole; nothing blocks")
def test_carries_much_on_stderr(connection: Connection) -> None:
    result = run(connection, "yes error | head -c 10000000 >&2; echo end")
    assert (len(result.stderr), result.stdout) == (10_000_000, b"end\n")


def test_carries_much_on_both(connection: Connection) -> None:
    result = run(connection, "yes e | head -c 5000000 >&2 & yes o | head -c 5000000; wait")
    assert (len(result.stdout), len(result.stderr)) == (5_000_000, 5_000_000)


def test_output_is_exact(connection: Connection, tmp_path: Path) -> None:
    (tmp_path / "data").write_bytes(os.urandom(2_000_000))
    result = run(connection, 'cat "$1"', str(tmp_path / "data"))
    assert hashlib.sha256(result.stdout).digest() == hashlib.sha256((tmp_path / "data").read_bytes()).digest()


@pytest.mark.promise("Network", "a command that never stops writing", "ended at 50 MB, said so")
def test_ends_a_command_that_writes_too_much(connection: Connection) -> None:
    with pytest.raises(Failed, match="100000 bytes"):
        run(connection, "exec yes sop-too-much", output_limit=100_000)
    await_end("sop-too-much")
    assert run(connection, "echo next") == Result(0, b"next\n")


def test_output_up_to_the_limit_is_fine(connection: Connection) -> None:
    assert len(run(connection, "yes | head -c 100000", output_limit=100_000).stdout) == 100_000


@pytest.mark.parametrize("trap", ["", "trap '' TERM; "])
@pytest.mark.promise(
    "Network", "a command that hangs and ignores TERM", "ended with its process group, or the survivor is named"
)
def test_ends_what_hangs(connection: Connection, trap: str) -> None:
    with pytest.raises(TimeUp) as caught:
        run(connection, f"{trap}{LONG} & {LONG}; {LONG}", seconds=0.3)
    assert caught.value.survivors == ()
    assert find_marked(LONG) == []
    assert run(connection, "echo next") == Result(0, b"next\n")


def test_ends_what_stopped_itself(connection: Connection) -> None:
    with pytest.raises(TimeUp) as caught:
        run(connection, "kill -STOP 0", seconds=0.3)
    assert caught.value.survivors == ()
    assert run(connection, "echo next") == Result(0, b"next\n")


@pytest.mark.promise(
    "Network", "ten commands that hang on one connection", "ten timed out, none left, an eleventh works"
)
def test_ends_ten_that_hang_and_runs_an_eleventh(ssh: Connection) -> None:
    seen = []
    for _ in range(10):
        with pytest.raises(TimeUp) as caught:
            run(ssh, f"{LONG}; {LONG}", seconds=1)
        seen.append(caught.value.survivors)
    assert seen == [()] * 10
    assert find_marked(LONG) == []
    assert run(ssh, "echo eleventh") == Result(0, b"eleventh\n")


def test_ends_ten_that_hang_at_once(connection: Connection) -> None:
    ends: list[object] = []

    def hang() -> None:
        try:
            ends.append(run(connection, f"{LONG}; {LONG}", seconds=1))
        except TimeUp as error:
            ends.append(error.survivors)

    threads = [threading.Thread(target=hang) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ends == [()] * 10
    assert find_marked(LONG) == []
    assert run(connection, "echo eleventh") == Result(0, b"eleventh\n")


def test_names_a_child_that_left(connection: Connection) -> None:
    with pytest.raises(TimeUp) as caught:
        run(connection, f"setsid sleep 3 </dev/null >/dev/null 2>&1 & {LONG}", seconds=0.5)
    (survivor,) = caught.value.survivors
    assert survivor.startswith("sleep (pid ")
    os.kill(int(survivor.split()[2].rstrip(")")), 9)


@pytest.mark.parametrize("leave", ["sh -c '{}' &", "setsid sh -c '{}' &"])
def test_late_writers_reach_no_other_command(connection: Connection, leave: str) -> None:
    late = "while echo late && echo late >&2; do sleep 0.02; done"
    start = time.monotonic()
    assert run(connection, leave.format(late) + " sleep 0.1; exit 6").exit_code == 6
    for number in range(3):
        assert run(connection, f"sleep 0.1; echo {number}; echo e >&2") == Result(0, b"%d\n" % number, b"e\n")
    assert time.monotonic() - start < 8
    await_end("echo late")


def test_what_is_left_running_lives_on(connection: Connection, tmp_path: Path) -> None:
    line = 'sh -c \'sleep 0.3; echo alive >"$1/left"\' sh "$1" >/dev/null 2>&1 & echo started'
    assert run(connection, line, str(tmp_path)) == Result(0, b"started\n")
    end = time.monotonic() + 5
    while not (tmp_path / "left").exists():
        assert time.monotonic() < end
        time.sleep(0.02)


def ignored(status: bytes) -> int:
    """The signals that a process ignores, as bits."""
    return int(status.split(b"SigIgn:")[1].split()[0], 16)


def test_inherits_nothing_by_accident(connection: Connection) -> None:
    assert run(connection, "ls /proc/self/fd").stdout.split() == [b"0", b"1", b"2", b"3"]  # 3: the folder that ls reads
    own = ignored(Path("/proc/self/status").read_bytes())  # what these tests were started with is no accident
    theirs = run(connection, "cat /proc/self/status").stdout
    assert ignored(theirs) & ~own == 0
    assert ignored(theirs) & (1 << signal.SIGPIPE - 1 | 1 << signal.SIGXFSZ - 1) == 0
    assert b"SigBlk:\t0000000000000000" in theirs
    assert b"sop_" not in run(connection, "env").stdout


def test_leaves_no_state_to_the_next(connection: Connection) -> None:
    run(
        connection,
        "cd /; umask 0; export LEFT=1; set -x; left() { :; }",
        environment={"ALSO": "1", "PATH": "/bin:/usr/bin"},
    )
    assert run(connection, 'echo "$LEFT$ALSO"; umask; pwd').stdout != b"\n0000\n/\n"
    assert run(connection, 'echo "$LEFT$ALSO"').stdout == b"\n"


def test_enters_the_directory(connection: Connection, tmp_path: Path) -> None:
    place = tmp_path / "a b'c"
    place.mkdir()
    assert run(connection, "pwd", directory=str(place)).stdout.decode() == f"{place}\n"
    with pytest.raises(Failed, match="cannot be entered"):
        run(connection, "pwd", directory=str(tmp_path / "missing"))
    assert run(connection, "echo next") == Result(0, b"next\n")


def test_sets_the_environment(connection: Connection) -> None:
    values = {"A": "1\n2", "B": "'x'", "sop_t": "mine", "IFS": ",", "LC_ALL": "C"}
    assert run(connection, 'env | grep -c .; printf %s "$A|$B|$sop_t"', environment=values).stdout.endswith(
        b"1\n2|'x'|mine"
    )
    with pytest.raises(Failed, match="cannot be set"):
        run(connection, "true", environment={"A=B": "x"})


@pytest.mark.promise("Secrets", "a secret in the environment or on standard input", "on no command line of any process")
def test_environment_and_stdin_stand_on_no_command_line(connection: Connection) -> None:
    secret = "tell-nobody-9"
    line = "cat /proc/[0-9]*/cmdline | tr '\\0' ' '"
    result = run(connection, line, environment={"PASSWORD": secret}, stdin=secret.encode())
    assert secret.encode() not in result.stdout
    assert result.exit_code == 0


def test_becomes_another_user(connection: Connection, become: str, folder: Path) -> None:
    result = run(
        connection,
        'id -un; pwd; echo "$A"; cat; exit 3',
        run_as=become,
        directory=str(folder),
        environment={"A": "it's\nso"},
        stdin=b"in\0put",
    )
    assert result == Result(3, f"{become}\n{folder}\nit's\nso\nin\0put".encode())


def test_ends_what_another_user_runs(connection: Connection, become: str) -> None:
    with pytest.raises(TimeUp) as caught:
        run(connection, f"{LONG}; {LONG}", seconds=0.5, run_as=become)
    assert caught.value.survivors == ()
    assert find_marked(LONG) == []


@pytest.mark.promise("Network", "sudo that asks for a password", "failed at once with words")
def test_says_when_it_cannot_become(connection: Connection, become: str) -> None:
    with pytest.raises(Failed, match="cannot become 'no_such_user'"):
        run(connection, "id", run_as="no_such_user")
    with pytest.raises(Failed, match="cannot be entered"):
        run(connection, "id", run_as=become, directory="/no/such/place")


@pytest.fixture(params=[False, True], ids=["little", "bulk"])
def bulk(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


def test_streams_and_cuts_nothing(connection: Connection, bulk: bool) -> None:
    pieces: list[bytes] = []
    line = "cat; yes abcdefg | head -c 8000000; echo e >&2; exit 3"
    command = Command(line=line, stdin=bytes(3_000_000), bulk=bulk)
    result = connection.stream(command, Deadline.after(20), pieces.append)
    assert result == Result(3, b"", b"e\n")
    assert b"".join(pieces) == bytes(3_000_000) + b"abcdefg\n" * 1_000_000


def test_streams_while_the_command_runs(connection: Connection, bulk: bool) -> None:
    arrived: list[float] = []
    start = time.monotonic()
    command = Command(line="echo a; sleep 0.8", bulk=bulk)
    connection.stream(command, Deadline.after(20), lambda _: arrived.append(time.monotonic() - start))
    assert arrived[0] < 0.7


def test_the_limit_ends_a_stream(connection: Connection, bulk: bool) -> None:
    with pytest.raises(TimeUp) as caught:
        connection.stream(Command(line=f"echo a; {LONG}", bulk=bulk), Deadline.after(1), lambda piece: None)
    assert caught.value.survivors == ()
    assert find_marked(LONG) == []
    assert run(connection, "echo next") == Result(0, b"next\n")


def test_a_failing_sink_ends_the_command(connection: Connection, bulk: bool) -> None:
    def fail(_: bytes) -> None:
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        connection.stream(Command(line="yes sop-sink-fails", bulk=bulk), Deadline.after(20), fail)
    await_end("sop-sink-fails")
    assert run(connection, "echo next") == Result(0, b"next\n")


def test_reads_and_writes_files(connection: Connection, tmp_path: Path) -> None:
    data, path = os.urandom(300_000), str(tmp_path / "-a 'b'")
    connection.write(path, data, Deadline.after(20), mode=0o640)
    assert connection.read(path, Deadline.after(20)) == data
    assert Path(path).stat().st_mode & 0o777 == 0o640
    connection.write(path, b"", Deadline.after(20))
    assert (connection.read(path, Deadline.after(20)), os.listdir(tmp_path)) == (b"", ["-a 'b'"])


def test_says_why_a_file_cannot_be_read_or_written(connection: Connection, tmp_path: Path) -> None:
    with pytest.raises(Failed, match="missing"):
        connection.read(str(tmp_path / "missing"), Deadline.after(9))
    (tmp_path / "big").write_bytes(bytes(2000))
    with pytest.raises(Failed, match="larger than 1000 bytes"):
        connection.read(str(tmp_path / "big"), Deadline.after(9), limit=1000)
    with pytest.raises(Failed, match="directory"):
        connection.write(str(tmp_path), b"x", Deadline.after(9))
    assert os.listdir(tmp_path) == ["big"]


def test_two_threads_do_not_mix(connection: Connection) -> None:
    wrong: list[object] = []

    def work(name: str) -> None:
        for number in range(15):
            result = run(connection, 'printf "%s %s" "$1" "$2"; echo "$1" >&2', name, str(number))
            if result != Result(0, f"{name} {number}".encode(), f"{name}\n".encode()):
                wrong.append(result)

    threads = [threading.Thread(target=work, args=(f"t{n}",)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_closing_ends_what_runs(connections: Connections, sshd: SshServer) -> None:
    for kind in ("local", "ssh"):
        connection = connections.get(target_of(sshd, connection=kind))
        thread = threading.Thread(target=_run_quietly, args=(connection, LONG))
        thread.start()
        end = time.monotonic() + 5
        while not find_marked(LONG):
            assert time.monotonic() < end
            time.sleep(0.02)
        connections.close()
        thread.join(10)
        await_end(LONG)
        assert not thread.is_alive()


def _run_quietly(connection: Connection, line: str) -> None:
    try:
        run(connection, line)
    except (Failed, Unreachable):
        return
