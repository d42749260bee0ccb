"""Commands sent ahead: each begins only where the one before ended with 0, and nothing of them stays behind."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from runner.connections import Connections
from runner.contract import Command, Connection, Result
from runner.durations import Deadline
from runner.errors import Failed, TimeUp
from tests.connections.conftest import target_of
from tests.processes import await_end, await_start
from tests.sshd import SshServer, ssh_server

LONG = f"sleep 96{os.getpid()}"


def within(seconds: float = 20) -> Deadline:
    return Deadline.after(seconds)


def lines(*texts: str) -> list[Command]:
    return [Command(line=text) for text in texts]


def await_file(path: Path) -> None:
    end = time.monotonic() + 10
    while not path.exists():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.fixture
def ssh(connections: Connections, sshd: SshServer) -> Connection:
    return connections.get(target_of(sshd))


def test_each_result_is_its_commands_own(connection: Connection) -> None:
    commands = [
        *lines("echo one; echo err >&2", 'printf "a\\0b"'),
        Command(argv=("printf", "%s", "$(id) 'x'")),
        Command(line='echo "$1 $A"; pwd', parameters=("p\n",), environment={"A": "v"}, directory="/usr"),
    ]
    with connection.ahead(commands, [20.0] * len(commands), within()) as row:
        assert [row.run(command, within()) for command in commands] == [
            Result(0, b"one\n", b"err\n"),
            Result(0, b"a\0b"),
            Result(0, b"$(id) 'x'"),
            Result(0, b"p\n v\n/usr\n"),
        ]
    assert connection.run(Command(line="echo next"), within()) == Result(0, b"next\n")


def test_a_command_begins_before_the_result_of_the_one_before_is_taken(ssh: Connection, tmp_path: Path) -> None:
    commands = lines("echo one", f"echo two; touch {tmp_path}/begun")
    with ssh.ahead(commands, [20.0] * len(commands), within()) as row:
        await_file(tmp_path / "begun")
        assert [row.run(command, within()).stdout for command in commands] == [b"one\n", b"two\n"]


@pytest.mark.parametrize(
    "failing", [Command(line="exit 3"), Command(line="kill -9 $$"), Command(line="pwd", directory="/no")]
)
def test_nothing_begins_behind_one_that_failed(ssh: Connection, tmp_path: Path, failing: Command) -> None:
    commands = [*lines("true"), failing, *lines(f"echo ran >> {tmp_path}/ran", "echo last")]
    with ssh.ahead(commands, [20.0] * len(commands), within()) as row:
        assert row.run(commands[0], within()) == Result(0)
        if failing.directory:
            with pytest.raises(Failed, match="cannot be entered"):
                row.run(failing, within())
        else:
            assert row.run(failing, within()).exit_code in (3, 137)
        assert row.run(Command(line="sleep 0.1; echo other"), within()) == Result(0, b"other\n")
        assert not (tmp_path / "ran").exists()
        assert row.run(commands[2], within()) == Result(0)
        assert row.run(commands[3], within()) == Result(0, b"last\n")
    assert (tmp_path / "ran").read_text() == "ran\n"


def assert_limit_ends(ssh: Connection, commands: Sequence[Command]) -> None:
    """The first of a row says "one", the second hangs: its limit ends it whole, and the connection is as before."""
    with ssh.ahead(commands, [20.0] * len(commands), within()) as row:
        assert row.run(commands[0], within()).stdout == b"one\n"
        with pytest.raises(TimeUp) as caught:
            row.run(commands[1], within(0.5))
        assert caught.value.survivors == ()
    await_end(LONG)
    assert ssh.run(Command(line="echo next"), within()) == Result(0, b"next\n")


def test_a_limit_ends_the_command_and_those_behind_it(ssh: Connection, tmp_path: Path) -> None:
    assert_limit_ends(ssh, lines("echo one", f"{LONG} & {LONG}", f"touch {tmp_path}/ran"))
    assert not (tmp_path / "ran").exists()


def test_what_is_not_taken_up_is_ended(ssh: Connection, tmp_path: Path) -> None:
    commands = lines("echo one", LONG, f"touch {tmp_path}/ran")
    with ssh.ahead(commands, [20.0] * len(commands), within()) as row:
        assert row.run(commands[0], within()).stdout == b"one\n"
        await_start(LONG)
    await_end(LONG)
    assert ssh.run(Command(line="echo next"), within()) == Result(0, b"next\n")
    assert not (tmp_path / "ran").exists()


def test_too_much_output_is_told_of_the_command_that_wrote_it(ssh: Connection, tmp_path: Path) -> None:
    commands = [*lines("echo one"), Command(line="yes", output_limit=1000), *lines(f"touch {tmp_path}/ran")]
    with ssh.ahead(commands, [20.0] * len(commands), within()) as row:
        assert row.run(commands[0], within()).stdout == b"one\n"
        with pytest.raises(Failed, match="more than 1000 bytes"):
            row.run(commands[1], within())
    assert ssh.run(Command(line="echo next"), within()) == Result(0, b"next\n")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("options", [{"MaxSessions": "1"}, {"SetEnv": "PATH=/nowhere"}])
def test_goes_one_by_one_where_it_must(tmp_path: Path, options: dict[str, str]) -> None:
    with ssh_server(tmp_path / "s", options=options) as server:
        connections = Connections((server.known_hosts,))
        connection = connections.get(target_of(server))
        commands: list[Any] = lines("echo one", "exit 4", "echo three")
        with connection.ahead(commands, [20.0] * len(commands), within()) as row:
            found = [row.run(command, within()) for command in commands]
        assert [(each.exit_code, each.stdout) for each in found] == [(0, b"one\n"), (4, b""), (0, b"three\n")]
        connections.close()
