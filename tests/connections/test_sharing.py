"""Lines that were sent ahead may share a shell: nobody may see a difference."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runner.connections import Connections
from runner.connections.commands import build_request
from runner.connections.sharing import may_share
from runner.contract import Command, Connection, Result
from runner.errors import Failed, TimeUp
from tests.connections.conftest import target_of
from tests.connections.test_row import LONG, assert_limit_ends, within
from tests.processes import await_end, await_start
from tests.relay import relay_to
from tests.sshd import SshServer

SHARED = (
    "uname -sr",
    "df -P / | tail -n 1",
    "test -d /etc && echo there",
    "printf '%s\\n' one two three | sort",
    "awk '{print $1}' /etc/hostname",
    'printf "%s-" "$1" $2 "$HOME"',
    "[ -d /etc ] || exit 3",
    "ls /nosuch 2>/dev/null; echo more >&2",
    "nosuch-program --flag",
    "kill -9 0",
    " id -u ;",
)
ALONE = (
    "sleep 100 &",
    "sh -c 'sleep 100 &'",
    "echo $$",
    "echo $PPID",
    "sh -c 'kill $PPID'",
    "echo $(id)",
    "echo `id`",
    "if true; then id; fi",
    "then",
    "(id)",
    "{ id; }",
    "! id",
    "echo a ) ; ( echo b",
    "echo 'open",
    'echo "open',
    "echo a\necho b",
    "a |",
    "a | | b",
    "; a",
    "# a",
    "[[ a",
    "a ;; b",
    "cat <<x",
    "é",
    "",
)


def shares(line: str, *parameters: str) -> bool:
    return may_share(build_request(Command(line=line, parameters=parameters)))


@pytest.mark.parametrize("line", SHARED)
def test_a_line_of_simple_commands_may_share(line: str) -> None:
    assert shares(line)


@pytest.mark.parametrize("line", ALONE)
def test_what_could_meet_the_shell_itself_or_break_its_code_stands_alone(line: str) -> None:
    assert not shares(line)


@pytest.mark.parametrize(
    "command",
    [
        Command(line="id", directory="/"),
        Command(line="id", environment={"A": "b"}),
        Command(line="id", stdin=b"x"),
        Command(line="id", run_as="root"),
        Command(argv=("id",)),
        Command(line="id " + "x" * 1000),
        Command(line="# " + "x" * 200_000),
    ],
)
def test_what_needs_more_than_a_line_stands_alone(command: Command) -> None:
    assert not may_share(build_request(command))


SIMPLE = (
    "echo out",
    "echo error >&2",
    "ls /nosuch",
    "nosuch-program",
    "/etc/passwd",
    "cat",
    "head -c 70000 /dev/zero",
    "true",
    "false",
    "exit 3",
    "cd /etc",
    "pwd",
    "umask 0",
    "A=1",
    "export A=2",
    'printf "%s-" "$A" "$1" $2',
    "printf '%s %s' one",
    "set -e",
    "set -u",
    'echo "$Nothing"',
    "exec ls /etc/hostname",
    "exec 2>/dev/null",
    "read -r a",
    "return 4",
    "kill -9 0",
    "timeout -s KILL 0.01 sleep 20",
)
PIPELINES = st.sampled_from([*SIMPLE, *(f"{line} | wc -c" for line in SIMPLE if "kill" not in line)])
LINES = st.builds(
    lambda first, others: first + "".join(f" {joint} {other}" for joint, other in others),
    PIPELINES,
    st.lists(st.tuples(st.sampled_from(["&&", "||", ";"]), PIPELINES), max_size=3),
)
PARAMETERS = st.lists(
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=9), max_size=2
)
COMMANDS = st.builds(lambda line, words: Command(line=line, parameters=tuple(words)), LINES, PARAMETERS)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(commands=st.lists(COMMANDS, min_size=2, max_size=5))
def test_shared_and_alone_a_line_does_the_same(ssh: Connection, commands: list[Command]) -> None:
    assert all(shares(command.line, *command.parameters) for command in commands)
    with ssh.ahead(commands, [60.0] * len(commands), within(60)) as row:
        found = [row.run(command, within(60)) for command in commands]
    assert found == [ssh.run(command, within(60)) for command in commands]


def test_more_than_share_at_most_run_in_their_order(ssh: Connection) -> None:
    commands = [Command(line=f"echo {number}; echo e{number} >&2") for number in range(75)]
    with ssh.ahead(commands, [20.0] * 75, within()) as row:
        found = [row.run(command, within()) for command in commands]
    assert found == [Result(0, b"%d\n" % number, b"e%d\n" % number) for number in range(75)]


def test_much_output_of_each_is_its_own(ssh: Connection) -> None:
    lines = [f"head -c {size} /dev/zero; yes {size} | head -c {size} >&2" for size in (1, 65_536, 3_000_000)]
    commands = [Command(line=line) for line in lines]
    with ssh.ahead(commands, [20.0] * 3, within()) as row:
        found = [row.run(command, within()) for command in commands]
    assert [(len(each.stdout), len(each.stderr)) for each in found] == [(1, 1), (65_536,) * 2, (3_000_000,) * 2]


def test_a_late_writer_reaches_no_other_line(ssh: Connection) -> None:
    late = f"setsid -f sh -c 'while echo late {os.getpid()}; do sleep 0.02; done'"
    lines = [f"{late}; echo one", "sleep 0.2; echo two", "sleep 0.2; echo three"]
    assert all(map(shares, lines))
    commands = [Command(line=line) for line in lines]
    with ssh.ahead(commands, [20.0] * 3, within()) as row:
        found = [row.run(command, within()).stdout for command in commands]
    assert found[0].replace(b"late %d\n" % os.getpid(), b"") == b"one\n"
    assert found[1:] == [b"two\n", b"three\n"]
    await_end(f"late {os.getpid()}")


def hang(tmp_path: Path) -> list[Command]:
    lines = ["echo one", f"trap '' TERM; {LONG}; {LONG}", f"touch {tmp_path}/ran"]
    assert all(map(shares, lines))
    return [Command(line=line) for line in lines]


def test_a_limit_ends_the_line_and_those_behind_it(ssh: Connection, tmp_path: Path) -> None:
    assert_limit_ends(ssh, hang(tmp_path))
    assert not (tmp_path / "ran").exists()


def test_names_a_program_that_left_the_shell(ssh: Connection) -> None:
    commands = [Command(line="true"), Command(line=f"setsid -f {LONG} >/dev/null 2>&1; {LONG}")]
    with ssh.ahead(commands, [20.0] * 2, within()) as row:
        row.run(commands[0], within())
        with pytest.raises(TimeUp) as caught:
            row.run(commands[1], within(1))
    (survivor,) = caught.value.survivors
    os.kill(int(survivor.split()[2].rstrip(")")), signal.SIGKILL)


def test_when_the_agent_is_killed_all_ends(ssh: Connection, tmp_path: Path) -> None:
    commands = hang(tmp_path)
    with ssh.ahead(commands, [20.0] * 3, within()) as row:
        assert row.run(commands[0], within()).stdout == b"one\n"
        shell = parent_of(await_start(LONG))
        while b"perl" not in Path(f"/proc/{shell}/cmdline").read_bytes():
            shell = parent_of(shell)
        os.kill(shell, signal.SIGKILL)
        with pytest.raises(Failed, match="not known"):
            row.run(commands[1], within())
    await_end(LONG)
    assert not (tmp_path / "ran").exists()


def parent_of(process: int) -> int:
    """The parent of a process that runs."""
    return int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])


@pytest.mark.heavy
def test_each_line_has_its_own_limit_on_a_dead_link(sshd: SshServer, tmp_path: Path) -> None:
    with relay_to(sshd.port) as relay:
        known = tmp_path / "known_hosts"
        known.write_text(f"[127.0.0.1]:{relay.port} {sshd.host_key()}\n")
        connections = Connections((known,))
        connection = connections.get(target_of(sshd, port=relay.port))
        commands = [Command(line="sleep 2"), *hang(tmp_path)]
        with connection.ahead(commands, [600.0, 600.0, 1.0, 600.0], within(600)):
            await_start(LONG)
            relay.fall_silent()
            await_end(LONG, seconds=20)
            assert not (tmp_path / "ran").exists()
            connections.close()
