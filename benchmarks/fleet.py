"""Many SSH servers on this machine: OpenSSH on addresses of 127.0.0.0/8, near or at the end of a slow link."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from measuring import ROOT

sys.path.insert(0, str(ROOT))
from tests.sshd import SshServer, ssh_server

MOST_ADDRESSES = 15  # of one sshd, beside 127.0.0.1: it listens on sixteen at most
OPTIONS = {"MaxStartups": "1000", "MaxSessions": "100"}


@dataclass(frozen=True, slots=True)
class Host:
    """A target: where it is reached, as whom and with which key, and the host key that it must show."""

    name: str
    address: str
    port: int
    user: str
    identity: Path
    host_key: str

    @property
    def known(self) -> str:
        """Its line in a known_hosts file."""
        return f"[{self.address}]:{self.port} {self.host_key}"


@contextmanager
def fleet(folder: Path, number: int, *, delay: float = 0.0) -> Iterator[Sequence[Host]]:
    """Run SSH servers for that many targets; one key opens all. `delay` is the time there and back, in seconds."""
    with ExitStack() as stack:
        hosts: list[Host] = []
        for index in range(-(-number // MOST_ADDRESSES)):
            addresses = [f"127.0.{index + 1}.{last + 1}" for last in range(min(MOST_ADDRESSES, number - len(hosts)))]
            further = "".join(f"\nListenAddress {address}" for address in addresses)  # beside 127.0.0.1
            options = {**OPTIONS, "LogLevel": f"ERROR{further}"}
            server = stack.enter_context(ssh_server(folder / f"sshd{index:02d}", f"sshd{index:02d}", options))
            hosts += _hosts(server, addresses, hosts[0].identity if hosts else server.identity, len(hosts))
        if delay:
            hosts = stack.enter_context(_far_away(hosts, delay))
        yield hosts


def _hosts(server: SshServer, addresses: Sequence[str], identity: Path, first: int) -> Iterator[Host]:
    (server.directory / "authorized_keys").write_bytes(identity.with_suffix(".pub").read_bytes())
    for index, address in enumerate(addresses, first):
        yield Host(f"server{index:03d}", address, server.port, server.user, identity, server.host_key())


@contextmanager
def _far_away(hosts: Sequence[Host], delay: float) -> Iterator[list[Host]]:
    """The same hosts, each at the end of a link of that length."""
    words = [f"{host.address}:{host.port}" for host in hosts]
    argv = [sys.executable, str(Path(__file__).with_name("slow_link.py")), str(delay), *words]
    link = subprocess.Popen(argv, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True)
    try:
        assert link.stdout
        ports = [int(link.stdout.readline()) for _ in hosts]
        yield [
            Host(host.name, host.address, port, host.user, host.identity, host.host_key)
            for host, port in zip(hosts, ports, strict=True)
        ]
    finally:
        link.kill()
        link.communicate()


def write_known_hosts(file: Path, hosts: Sequence[Host]) -> Path:
    """Write one known_hosts file for all hosts and return its path."""
    file.write_text("".join(f"{host.known}\n" for host in hosts))
    return file
