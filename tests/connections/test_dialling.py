"""TCP connections begun ahead: they spare a wait, and are in nobody's way."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.connections import Connections, dialling
from runner.connections.dialling import Dialled
from runner.contract import Command
from runner.durations import Deadline
from tests.connections.conftest import target_of
from tests.sshd import SshServer


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only ssh_config that is looked into; it is not there yet."""
    path = tmp_path / "config"
    monkeypatch.setattr(dialling, "USUAL_CONFIGS", (str(path),))
    return path


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


@pytest.fixture
def dialled() -> Iterator[Dialled]:
    begun = Dialled()
    yield begun
    begun.close()


def place_of(listener: socket.socket) -> dict[str, object]:
    return {"address": "127.0.0.1", "port": listener.getsockname()[1]}


def take(dialled: Dialled, listener: socket.socket) -> socket.socket | None:
    return dialled.take("127.0.0.1", listener.getsockname()[1], 10)


def test_a_connection_is_begun_once_and_taken_once(config: Path, listener: socket.socket, dialled: Dialled) -> None:
    dialled.begin([place_of(listener), place_of(listener)])
    taken = take(dialled, listener)
    assert taken is not None
    with taken, listener.accept()[0] as other:
        taken.sendall(b"hello")
        assert other.recv(5) == b"hello"
    assert take(dialled, listener) is None
    listener.setblocking(False)
    with pytest.raises(BlockingIOError):
        listener.accept()


@pytest.mark.parametrize(
    "settings",
    [{"proxy_jump": "jump.example"}, {"ssh_config": "/etc/hosts"}, {"address": "localhost"}, {"address": ""}],
)
def test_none_is_begun_to_what_may_lie_elsewhere(
    config: Path, listener: socket.socket, dialled: Dialled, settings: dict[str, str]
) -> None:
    dialled.begin([place_of(listener) | settings])
    listener.setblocking(False)
    with pytest.raises(BlockingIOError):
        listener.accept()


@pytest.mark.parametrize(
    "text",
    [
        "Host *\n  ProxyJump gate",
        "hostname 10.0.0.1",
        " Match exec x",
        "Include work",
        "Port=2022",
        "CanonicalizeHostname yes",
    ],
)
def test_an_ssh_config_that_leads_elsewhere_is_left_to_who_reads_it(
    config: Path, listener: socket.socket, dialled: Dialled, text: str
) -> None:
    config.write_text(text)
    dialled.begin([place_of(listener)])
    assert take(dialled, listener) is None


def test_an_ssh_config_that_leads_nowhere_else_is_no_hindrance(
    config: Path, listener: socket.socket, dialled: Dialled
) -> None:
    config.write_text("Host *\n  #  Port 22\n  SendEnv LANG LC_*\n")
    dialled.begin([place_of(listener)])
    taken = take(dialled, listener)
    assert taken is not None
    taken.close()


def test_one_that_is_refused_or_old_is_not_given(
    config: Path, listener: socket.socket, dialled: Dialled, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = place_of(listener)
    dialled.begin([place])
    monkeypatch.setattr(dialling, "FRESH", 0.0)
    assert take(dialled, listener) is None
    monkeypatch.undo()
    listener.close()
    dialled.begin([place])
    assert dialled.take("127.0.0.1", int(str(place["port"])), 10) is None


def test_one_that_cannot_be_begun_is_not_given(config: Path, dialled: Dialled) -> None:
    dialled.begin([{"address": "127.255.255.255"}, {"address": "nowhere"}])
    assert not dialled._begun


def test_commands_go_over_it(config: Path, sshd: SshServer) -> None:
    connections = Connections((sshd.known_hosts,))
    target = target_of(sshd)
    with connections.expect([target], [target]):
        pass
    begun = connections._dialled._begun.copy()
    assert len(begun) == 1
    ours = begun.popitem()[1][1].getsockname()[1]
    try:
        found = connections.get(target).run(Command(line="echo $SSH_CONNECTION"), Deadline.after(20))
        assert found.stdout.split()[1] == b"%d" % ours
    finally:
        connections.close()
