"""A line of plain words is started without a shell: nobody may see a difference."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from runner.contract import Command, Connection, Result
from runner.durations import Deadline

LINES = (
    "uname -sr",
    "date -u +%Y-%m",
    "head -c 3 /dev/zero",
    "cat",
    "ls /nosuch",
    "nosuch-program --flag",
    "/nosuch/program",
    "/etc/passwd",
    "/etc",
    "kill -l",
    "echo -n a",
    "printf x",
    "test a",
    "exit 3",
    "set -e",
    "hash",
    "readonly",
    "echo  two",
    " id",
    "id ",
    "id\n",
    "a=b",
    "a=b id -u",
    "echo #",
    "ls *",
    "é",
)


def run(connection: Connection, line: str, directory: str = "") -> Result:
    return connection.run(Command(line=line, directory=directory), Deadline.after(20))


def by_shell(line: str) -> Result:
    """What the system's shell makes of a line, where the agent stands."""
    words = ["/bin/sh", "-c", line, "sh"]
    done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, cwd=Path.home(), check=False)
    return Result(done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize("line", LINES)
def test_does_what_the_shell_does(ssh: Connection, line: str) -> None:
    assert run(ssh, line) == by_shell(line)


def test_a_script_that_names_no_program_is_run_by_the_shell(ssh: Connection, tmp_path: Path) -> None:
    (tmp_path / "script").write_text('echo "$0 $1"\n')
    (tmp_path / "script").chmod(0o755)
    assert run(ssh, f"{tmp_path}/script one") == Result(0, f"{tmp_path}/script one\n".encode())


@pytest.mark.parametrize("directory", ["", "/tmp", "/"])
def test_sees_the_same_variables(ssh: Connection, directory: str) -> None:
    with_shell = run(ssh, "{ printenv; } | sort", directory).stdout.splitlines()
    plain = sorted(run(ssh, "printenv", directory).stdout.splitlines())
    assert [each for each in plain if b"SOP_COMMAND=" not in each] == sorted(
        each for each in with_shell if b"SOP_COMMAND=" not in each
    )


def test_a_signal_is_told_as_the_shell_tells_it(ssh: Connection) -> None:
    assert run(ssh, "timeout -s KILL 0.2 sleep 20").exit_code == by_shell("timeout -s KILL 0.2 sleep 20").exit_code
