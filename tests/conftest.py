"""Guards around every test: no network beyond this machine, no home, no proxies, no agent of whoever runs them."""

from __future__ import annotations

import ipaddress
import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests.sshd import SshServer, ssh_server

for ignored in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):  # by nohup, or a shell that runs this in the background
    if signal.getsignal(ignored) is signal.SIG_IGN:
        signal.signal(ignored, signal.default_int_handler if ignored is signal.SIGINT else signal.SIG_DFL)

# A change is judged by what it changes, not by how busy the machine is; `make fuzz` searches.
_PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("same", _PATIENT, derandomize=True)
settings.register_profile("search", _PATIENT, derandomize=False, print_blob=True)
settings.load_profile(os.environ.get("SOP_EXAMPLES", "same"))

NAMESPACES = ipaddress.ip_network("10.203.0.0/16")  # network namespaces that tests make on this machine
OUTSIDE_SETTINGS = ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "SSH_AUTH_SOCK", "SOP_LANG", "NO_COLOR")


class YouWouldHaveLeftThisMachineError(AssertionError):
    """A test tried to reach another machine. Serve what it needs on 127.0.0.1, as tests/web_servers.py does."""


@pytest.fixture(autouse=True)
def guard_the_outside(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Give each test a home of its own and nothing of the outside."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache"))  # rules are compiled once
    monkeypatch.setattr(Path, "home", classmethod(lambda cls: home))
    for name in OUTSIDE_SETTINGS:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if os.environ.get(name, "").startswith("id"):
            monkeypatch.setenv(name, "C.UTF-8")  # screens are tested in English, unless a test asks for Indonesian
    connect = socket.socket.connect

    def connect_here(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and not _is_here(address[0]):
            raise YouWouldHaveLeftThisMachineError(f"a connection to {address}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", connect_here)


def _is_here(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
        return address.is_loopback or address in NAMESPACES
    except ValueError:
        return host == "localhost"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SshServer]:
    """A real SSH server that ends with the test."""
    with ssh_server(tmp_path / "sshd") as running:
        yield running
