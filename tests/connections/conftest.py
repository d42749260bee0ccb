from __future__ import annotations

import getpass
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from runner.connections import Connections
from runner.contract import Command, Connection
from runner.durations import Deadline
from tests.sshd import SshServer, ssh_server


@dataclass(frozen=True)
class Target:
    """What an inventory would give for a server."""

    name: str
    settings: dict[str, Any] = field(default_factory=dict)


def target_of(server: SshServer, **changes: Any) -> Target:
    return Target(server.name, {**server.settings, **changes})


_SUDO = """#!/bin/sh
# Stands in for sudo where the tests may not become anyone: the same words, a scrubbed environment, the same user.
[ "$1 $2 $4" = "-n -u --" ] || { echo "sudo: usage" >&2; exit 1; }
id "$3" >/dev/null 2>&1 || { echo "sudo: unknown user $3" >&2; exit 1; }
shift 4; exec env -i PATH="$PATH" "$@"
"""


@pytest.fixture(scope="session")
def become(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The user whom `run_as` can become: another one where sudo allows it, else oneself by a stand-in for sudo."""
    try:
        allowed = (
            subprocess.run(["sudo", "-n", "-u", "nobody", "true"], capture_output=True, timeout=10).returncode == 0
        )
    except FileNotFoundError:
        allowed = False
    if allowed:
        yield "nobody"
        return
    folder = tmp_path_factory.mktemp("sudo")
    (folder / "sudo").write_text(_SUDO)
    (folder / "sudo").chmod(0o755)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
        yield getpass.getuser()


@pytest.fixture(scope="session")
def sshd(tmp_path_factory: pytest.TempPathFactory, become: str) -> Iterator[SshServer]:
    path = os.environ["PATH"]
    with ssh_server(tmp_path_factory.mktemp("sshd"), options={"SetEnv": f'SHLVL=2 "PATH={path}"'}) as server:
        yield server


@pytest.fixture
def connections(sshd: SshServer) -> Iterator[Connections]:
    opened = Connections((sshd.known_hosts,))
    yield opened
    opened.close()


@pytest.fixture
def ssh(connections: Connections, sshd: SshServer) -> Connection:
    return connections.get(target_of(sshd))


@pytest.fixture(params=["local", "ssh"])
def connection(request: pytest.FixtureRequest, connections: Connections, sshd: SshServer) -> Connection:
    found = connections.get(target_of(sshd, connection=request.param))
    found.run(Command(argv=("true",)), Deadline.after(20))  # what follows counts without connecting
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that other users may enter, for commands that become one."""
    for parent in [tmp_path, *tmp_path.parents]:
        if os.stat(parent).st_uid == os.geteuid() and parent != Path("/"):
            parent.chmod(parent.stat().st_mode | 0o011)
    return tmp_path
