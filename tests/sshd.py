"""A real OpenSSH server on 127.0.0.1 with keys of its own; it ends itself when the test process dies."""

from __future__ import annotations

import getpass
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

# The shell holds the server as its child and ends it when this end of its stdin closes, however the tests end.
_KEEPER = '"$@" & read -r nothing; kill "$!"; wait "$!"'
_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class SshServer:
    """A running server: where it listens, who may log in with which key, and what its host key is."""

    name: str
    port: int
    directory: Path
    keeper: subprocess.Popen[bytes]
    address: str = "127.0.0.1"
    user: str = field(default_factory=getpass.getuser)

    @property
    def identity(self) -> Path:
        """The private key that may log in."""
        return self.directory / "user_key"

    @property
    def known_hosts(self) -> Path:
        """A known_hosts file with this server's key."""
        return self.directory / "known_hosts"

    @property
    def settings(self) -> Mapping[str, Any]:
        """What an inventory says about this server."""
        return {"address": self.address, "port": self.port, "user": self.user, "identity": str(self.identity)}

    def host_key(self) -> str:
        """The server's public key as "type base64"."""
        return " ".join((self.directory / "host_key.pub").read_text().split()[:2])

    def stop(self) -> None:
        """End the server and all its sessions. Harmless when it has ended."""
        if self.keeper.poll() is None:
            os.killpg(self.keeper.pid, signal.SIGKILL)
        self.keeper.wait(10)
        if self.keeper.stdin:
            self.keeper.stdin.close()


@contextmanager
def ssh_server(directory: Path, name: str = "web1", options: Mapping[str, str] | None = None) -> Iterator[SshServer]:
    """Given an empty folder and options of sshd_config, run a server until the block ends."""
    server = start_ssh_server(directory, name, options)
    try:
        yield server
    finally:
        server.stop()


def start_ssh_server(
    directory: Path,
    name: str = "web1",
    options: Mapping[str, str] | None = None,
    *,
    address: str = "127.0.0.1",
    port: int = 0,
    before: Sequence[str] = (),
) -> SshServer:
    """Like `ssh_server`, for the caller to stop; in a folder that had one, with its keys. `before` are words before the
    program, such as those that enter a network namespace, where `address` and `port` may be chosen."""
    program = shutil.which("sshd", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
    if program is None:
        raise AssertionError("these tests need an SSH server. apt-get install openssh-server")
    directory.mkdir(parents=True, exist_ok=True)
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    for key in ("host_key", "user_key"):
        if not (directory / key).exists():
            make_key(directory / key)
    shutil.copy(directory / "user_key.pub", directory / "authorized_keys")
    for _ in range(_ATTEMPTS):
        where = {"ListenAddress": address, "Port": str(port or free_port())}
        server = _start([*before, program], directory, name, {**where, **(options or {})})
        if _is_listening(server):
            return server
        server.stop()
    raise AssertionError(f"sshd does not start: {(directory / 'log').read_text()[-2000:]}")


def make_key(path: Path, passphrase: str = "") -> None:
    """Make an ed25519 key pair at `path` and `path`.pub."""
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", passphrase, "-C", "test", "-f", str(path)]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)


def _start(program: Sequence[str], directory: Path, name: str, options: Mapping[str, str]) -> SshServer:
    (directory / "sshd_config").write_text(_configuration(directory, options))
    command = [*program, "-D", "-e", "-f", str(directory / "sshd_config")]
    with (directory / "log").open("ab") as log:
        keeper = subprocess.Popen(
            ["/bin/sh", "-c", _KEEPER, "sh", *command],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    key = (directory / "host_key.pub").read_text()
    address, port = options["ListenAddress"], int(options["Port"])
    (directory / "known_hosts").write_text(f"[{address}]:{port} {' '.join(key.split()[:2])}\n")
    return SshServer(name, port, directory, keeper, address)


def _configuration(directory: Path, options: Mapping[str, str]) -> str:
    settings = {
        "HostKey": str(directory / "host_key"),
        "AuthorizedKeysFile": str(directory / "authorized_keys"),
        "PidFile": "none",
        "StrictModes": "no",
        "UsePAM": "no",
        "PasswordAuthentication": "no",
        "KbdInteractiveAuthentication": "no",
        "PermitRootLogin": "yes",
        "MaxStartups": "10:30:100",
        "MaxSessions": "10",
        "SetEnv": "SHLVL=2",  # or bash as login shell would read this machine's ~/.bashrc for each channel
        **options,
    }
    return "".join(f"{key} {value}\n" for key, value in settings.items())


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _is_listening(server: SshServer) -> bool:
    end = time.monotonic() + 10
    while time.monotonic() < end and server.keeper.poll() is None:
        try:
            with socket.create_connection((server.address, server.port), 1) as probe:
                return probe.recv(4) == b"SSH-"
        except OSError:
            time.sleep(0.01)
    return False
