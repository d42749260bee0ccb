"""What only SSH connections must stand: dying links, strict servers, and agents that are tampered with."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from runner.connections import Connections
from runner.contract import Command, Connection, Result
from runner.durations import Deadline
from runner.errors import Failed, TimeUp, Unreachable
from tests.connections.conftest import Target, target_of
from tests.processes import await_end, await_start, find_marked
from tests.relay import relay_to
from tests.sshd import SshServer, ssh_server

LONG = f"sleep 97{os.getpid()}"
# From inside a command: its parent is the agent, whose other child is the watcher.
AGENT = "$PPID"
WATCHER = "$(pgrep -x perl -P $PPID)"


def run(connection: Connection, line: str, *, seconds: float = 20, **rest: Any) -> Result:
    return connection.run(Command(line=line, **rest), Deadline.after(seconds))


def warm(connections: Connections, target: Target) -> Connection:
    connection = connections.get(target)
    assert run(connection, "true") == Result(0)
    return connection


def test_all_commands_share_one_connection(ssh: Connection) -> None:
    assert len({run(ssh, "echo $SSH_CONNECTION").stdout for _ in range(5)}) == 1


def test_what_is_open_needs_no_time_to_start(ssh: Connection) -> None:
    ssh.open(Deadline.after(20))
    assert run(ssh, "echo at once", seconds=1) == Result(0, b"at once\n")


def test_importing_loads_no_ssh() -> None:
    code = "import sys, runner.connections; sys.exit('paramiko' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    ("line", "error"), [(f"kill -STOP {AGENT}; {LONG}", TimeUp), (f"kill -9 {AGENT}; {LONG}", Failed)]
)
@pytest.mark.promise("Network", "a server whose answers are tampered with", "told, no wrong result")
def test_stands_an_agent_that_is_tampered_with(ssh: Connection, line: str, error: type[Exception]) -> None:
    run(ssh, "true")
    with pytest.raises(error):
        run(ssh, line, seconds=1)
    await_end(LONG)
    assert run(ssh, "echo next") == Result(0, b"next\n")


@pytest.mark.promise("Network", "the watcher on the server is stopped", "the limit still holds")
def test_stands_a_watcher_that_is_stopped(ssh: Connection) -> None:
    with pytest.raises(TimeUp) as caught:
        run(ssh, f"kill -STOP {WATCHER}; {LONG}", seconds=1)
    assert (caught.value.survivors, find_marked(LONG)) == ((), [])
    assert run(ssh, "echo next") == Result(0, b"next\n")


def test_a_watcher_that_was_killed_is_replaced(ssh: Connection) -> None:
    assert run(ssh, f"kill -KILL {WATCHER}; echo on") == Result(0, b"on\n")
    assert run(ssh, f"echo {WATCHER}").stdout.strip().isdigit()
    with pytest.raises(Failed):
        run(ssh, f"kill -9 {AGENT}; {LONG}")
    await_end(LONG)


@pytest.mark.heavy
@pytest.mark.promise("Network", "this machine dies in the middle of a command", "the command ends at its limit")
def test_the_limit_holds_when_the_agent_is_stopped_and_the_controller_killed(sshd: SshServer) -> None:
    controller = start_controller(sshd, target_of(sshd), f"kill -STOP {AGENT}; {LONG}", seconds=3)
    await_start(LONG)
    controller.send_signal(signal.SIGKILL)
    controller.wait(10)
    await_end(LONG, seconds=12)


@pytest.mark.promise("Network", "the server drops the connection between two commands", "connects again")
def test_reconnects_after_the_server_dropped_it(sshd: SshServer, connections: Connections) -> None:
    connection = warm(connections, target_of(sshd))
    with pytest.raises(Unreachable, match="broke"):
        run(connection, f"kill -9 $(ps -o ppid= -p {AGENT})")
    assert run(connection, "echo again") == Result(0, b"again\n")


@pytest.mark.promise("Network", "the link goes silent in the middle of a command", "unreachable within its limit")
def test_a_silent_link_holds_no_command(sshd: SshServer, tmp_path: Path) -> None:
    with relay_to(sshd.port) as relay:
        known = tmp_path / "known_hosts"
        known.write_text(f"[127.0.0.1]:{relay.port} {sshd.host_key()}\n")
        connections = Connections((known,))
        connection = warm(connections, target_of(sshd, port=relay.port))
        relay.fall_silent()
        start = time.monotonic()
        with pytest.raises(TimeUp) as caught:
            run(connection, LONG, seconds=0.5)
        assert time.monotonic() - start < 9
        assert "not known" in caught.value.survivors[0]
        connections.close()


@pytest.mark.promise("Network", "this machine dies while much comes from a server", "the command there ends")
def test_a_stream_ends_with_the_controller(sshd: SshServer) -> None:
    line = f"yes # {LONG}"
    controller = start_controller(sshd, target_of(sshd), line, seconds=60, bulk=True)
    await_start(LONG)
    controller.send_signal(signal.SIGKILL)
    controller.wait(10)
    await_end(LONG, seconds=12)


def start_controller(
    sshd: SshServer, target: Target, line: str, *, seconds: float, bulk: bool = False
) -> subprocess.Popen[bytes]:
    """Start a process of its own that runs one command, of which it takes in what comes if that is much."""
    how, sink = ("stream", ", len") if bulk else ("run", "")
    code = (
        "from pathlib import Path; from runner.connections import Connections; from runner.contract import Command;"
        "from runner.durations import Deadline; from tests.connections.conftest import Target;"
        f"c = Connections((Path({str(sshd.known_hosts)!r}),));"
        f"c = c.get(Target({target.name!r}, {dict(target.settings)!r}));"
        f"c.{how}(Command(line={line!r}, bulk={bulk}), Deadline.after({seconds}){sink})"
    )
    return subprocess.Popen([sys.executable, "-c", code])


@pytest.mark.promise("Network", "sop is killed in the middle of a remote command", "the remote command ends")
def test_ends_the_command_when_the_controller_is_killed(sshd: SshServer) -> None:
    for kind in ("ssh", "local"):
        controller = start_controller(sshd, target_of(sshd, connection=kind), LONG + "; " + LONG, seconds=60)
        await_start(LONG)
        await_start(LONG)
        controller.send_signal(signal.SIGKILL)
        controller.wait(10)
        await_end(LONG)


@pytest.mark.parametrize("most", ["1", "2"])
@pytest.mark.promise("Network", "MaxSessions is reached", "does with fewer")
def test_makes_do_with_few_sessions(tmp_path: Path, most: str) -> None:
    with ssh_server(tmp_path / "strict", options={"MaxSessions": most}) as server:
        connections = Connections((server.known_hosts,))
        connection = warm(connections, target_of(server))
        results: list[Result] = []
        threads = [
            threading.Thread(target=lambda: results.append(run(connection, "sleep 0.1; echo x"))) for _ in range(6)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert results == [Result(0, b"x\n")] * 6
        assert run(connection, "wc -c", stdin=bytes(200_000)).stdout == b"200000\n"
        pieces: list[bytes] = []
        connection.stream(Command(line="yes | head -c 300000", bulk=True), Deadline.after(20), pieces.append)
        assert b"".join(pieces) == b"y\n" * 150_000
        with pytest.raises(TimeUp):
            run(connection, LONG, seconds=0.3)
        assert find_marked(LONG) == []
        connections.close()


@pytest.mark.promise("Network", "MaxStartups is reached", "tries again until all are in")
def test_many_connections_at_once_storm_no_server(tmp_path: Path) -> None:
    with ssh_server(tmp_path / "shy", options={"MaxStartups": "2:80:4"}) as server:
        connections = Connections((server.known_hosts,))
        targets = [Target(f"web{n}", dict(server.settings)) for n in range(12)]
        seen: list[object] = []

        def ping(target: Target) -> None:
            try:
                seen.append(connections.ping(target, Deadline.after(30)) > 0)
            except Unreachable as error:
                seen.append(error)

        threads = [threading.Thread(target=ping, args=(target,)) for target in targets]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert seen == [True] * 12
        connections.close()


def test_only_so_many_connections_stay_open(
    sshd: SshServer, connections: Connections, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runner.connections.MOST_OPEN", 2)
    monkeypatch.setattr("runner.connections.REST", 0.0)
    targets = [Target(f"web{n}", dict(sshd.settings)) for n in range(4)]
    first = [run(connections.get(target), "echo $SSH_CONNECTION").stdout for target in targets]
    again = [run(connections.get(target), "echo $SSH_CONNECTION").stdout for target in reversed(targets)]
    assert len(set(first)) == 4
    assert [old == new for old, new in zip(reversed(first), again, strict=True)] == [True, True, False, False]


def test_a_connection_at_work_stays_open(
    sshd: SshServer, connections: Connections, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("runner.connections.MOST_OPEN", 1)
    monkeypatch.setattr("runner.connections.REST", 0.0)
    targets = [Target(f"web{n}", dict(sshd.settings)) for n in range(3)]
    found: list[Result] = []
    busy = connections.get(targets[0])
    line = f"touch {tmp_path}/begun; while [ ! -e {tmp_path}/end ]; do sleep 0.02; done; echo done"
    thread = threading.Thread(target=lambda: found.append(run(busy, line)))
    thread.start()
    while not (tmp_path / "begun").exists():
        time.sleep(0.01)
    for target in targets[1:]:
        assert run(connections.get(target), "true") == Result(0)
    (tmp_path / "end").touch()
    thread.join(20)
    assert found == [Result(0, b"done\n")]


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A folder with the programs that a server has, apart from what a test takes away or puts in."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ["sh", "perl", "cat", "rm", "sleep", "grep", "timeout", "setsid", "ps", "echo", "true", "head", "yes"]:
        found = subprocess.run(["which", name], capture_output=True, text=True, check=True).stdout.strip()
        (folder / name).symlink_to(found)
    return folder


def test_bash_as_shell_serves_as_well(tmp_path: Path, programs: Path) -> None:
    (programs / "sh").unlink()
    (programs / "sh").symlink_to("/bin/bash")
    with ssh_server(tmp_path / "s", options={"SetEnv": f"SHLVL=2 PATH={programs}"}) as server:
        connections = Connections((server.known_hosts,))
        connection = warm(connections, target_of(server))
        assert [run(connection, f"echo {n}; exit {n}") for n in range(70)] == [
            Result(n, b"%d\n" % n) for n in range(70)
        ]
        assert run(connection, "cat", stdin=bytes(range(256))).stdout == bytes(range(256))
        with pytest.raises(TimeUp) as caught:
            run(connection, f"{LONG} & {LONG}", seconds=0.3)
        assert (caught.value.survivors, find_marked(LONG)) == ((), [])
        assert run(connection, "(sleep 0.2; echo late) & echo next").stdout == b"next\n"
        assert run(connection, "sleep 0.3; echo last") == Result(0, b"last\n")
        connections.close()


@pytest.mark.parametrize("missing", [["perl"], ["perl", "timeout"], ["perl", "timeout", "setsid"]])
@pytest.mark.promise("Network", "a server without Perl or /proc", "a shell for each command, and it is said")
def test_falls_back_to_a_shell_for_each_command(tmp_path: Path, programs: Path, missing: list[str]) -> None:
    for name in missing:
        (programs / name).unlink()
    with ssh_server(tmp_path / "s", options={"SetEnv": f"SHLVL=2 PATH={programs}"}) as server:
        connections = Connections((server.known_hosts,))
        connection = connections.get(target_of(server))
        result = run(
            connection, 'echo "$1$A"; cat; exit 3', parameters=("x'y",), stdin=b"\0in", environment={"A": "b\nc"}
        )
        assert (result.exit_code, result.stdout) == (3, b"x'yb\nc\n\0in")
        assert "a shell of its own: it has no Perl or no /proc" in result.remark
        with pytest.raises(TimeUp) as caught:
            run(connection, f"{LONG} & {LONG}; {LONG}", seconds=1)
        assert (caught.value.survivors, find_marked(LONG)) == ((), [])
        assert run(connection, "(sleep 0.2; echo late) & echo next").stdout == b"next\n"
        with pytest.raises(Failed, match="cannot be entered"):
            run(connection, "pwd", directory="/no/such/place")
        connections.close()


@pytest.mark.promise("Network", "a restricted login shell", "bare commands, and it is said")
def test_a_restricted_shell_gets_bare_commands(tmp_path: Path) -> None:
    (tmp_path / "only").write_text(
        '#!/bin/sh\ncase $SSH_ORIGINAL_COMMAND in sh*|exec*) exit 1 ;; esac\neval "$SSH_ORIGINAL_COMMAND"\n'
    )
    (tmp_path / "only").chmod(0o755)
    with ssh_server(tmp_path / "s", options={"ForceCommand": str(tmp_path / "only")}) as server:
        connections = Connections((server.known_hosts,))
        connection = connections.get(target_of(server))
        result = run(connection, 'echo "$1"; cat; exit 3', parameters=("$(id)",), stdin=b"in")
        assert (result.exit_code, result.stdout) == (3, b"$(id)\nin")
        assert "restricted" in result.remark
        with pytest.raises(Failed, match="restricted"):
            run(connection, "true", directory="/")
        with pytest.raises(TimeUp) as caught:
            run(connection, "sleep 2", seconds=0.5)
        assert "not known" in caught.value.survivors[0]
        connections.close()


def forced(folder: Path, code: str) -> dict[str, str]:
    """Options of a server that does this, in a shell, whatever is asked for."""
    program = folder / "forced"
    program.write_text(f"#!/bin/sh\n{code}\n")
    program.chmod(0o755)
    return {"ForceCommand": str(program)}


@pytest.mark.parametrize("code", ["echo welcome", "head -c 20"])
@pytest.mark.promise("Network", "a login that does something of its own instead of a command", "failed, never done")
def test_a_command_that_is_not_done_never_went_well(tmp_path: Path, code: str) -> None:
    with ssh_server(tmp_path / "s", options=forced(tmp_path, code)) as server:
        connections = Connections((server.known_hosts,))
        connection = connections.get(target_of(server))
        for _ in range(2):
            with pytest.raises(Failed, match="no command that it is asked for"):
                run(connection, "touch done")
        connections.close()


@pytest.mark.parametrize("missing", [[], ["perl"]])
@pytest.mark.promise(
    "Network", "a login shell that greets and warns", "no word of it in what a command says, or streams"
)
def test_what_a_login_shell_says_belongs_to_no_command(tmp_path: Path, programs: Path, missing: list[str]) -> None:
    for name in missing:
        (programs / name).unlink()
    talk = f'printf "welcome \\036sop:"; echo beware >&2; PATH={programs} exec sh -c "$SSH_ORIGINAL_COMMAND"'
    with ssh_server(tmp_path / "s", options=forced(tmp_path, talk)) as server:
        connections = Connections((server.known_hosts,))
        connection = warm(connections, target_of(server)) if not missing else connections.get(target_of(server))
        for bulk in (False, True):
            pieces: list[bytes] = []
            command = Command(line="head -c 300000 /dev/zero; echo err >&2", bulk=bulk)
            result = connection.stream(command, Deadline.after(20), pieces.append)
            assert (result.exit_code, b"".join(pieces), result.stderr) == (0, bytes(300_000), b"err\n")
        connections.close()


def test_a_login_that_may_open_a_hundred_files_has_commands_sent_ahead(tmp_path: Path) -> None:
    code = 'ulimit -n 100; exec sh -c "$SSH_ORIGINAL_COMMAND"'  # as cPanel's fork bomb protection has it
    commands = [Command(line=f"echo {number}") for number in range(60)]
    with ssh_server(tmp_path / "s", options=forced(tmp_path, code)) as server:
        connections = Connections((server.known_hosts,))
        connection = warm(connections, target_of(server))
        with connection.ahead(commands, [20.0] * len(commands), Deadline.after(20)) as row:
            said = [row.run(command, Deadline.after(20)).stdout for command in commands]
        assert said == [b"%d\n" % number for number in range(60)]
        connections.close()


def test_leaves_nothing_on_the_server(sshd: SshServer, connections: Connections) -> None:
    connection = warm(connections, target_of(sshd))
    processes = run(connection, f"echo {AGENT} {WATCHER}").stdout.decode().split()
    assert len(processes) == 2
    connections.close()
    end = time.monotonic() + 5
    while any(Path("/proc", process).exists() for process in processes):
        assert time.monotonic() < end
        time.sleep(0.02)
