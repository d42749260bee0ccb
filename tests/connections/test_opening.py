"""Why a connection does not come about, in words; and the ways on which it does."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runner.connections import Connections, record_host_key
from runner.contract import Command
from runner.durations import Deadline
from runner.errors import Unreachable
from tests.connections.conftest import Target, target_of
from tests.sshd import SshServer, free_port, make_key, ssh_server


def refusal(known_hosts: Path, target: Target, seconds: float = 10) -> str:
    """Return what is said when a command cannot reach its target."""
    connections = Connections((known_hosts,))
    try:
        with pytest.raises(Unreachable) as caught:
            connections.get(target).run(Command(argv=("true",)), Deadline.after(seconds))
    finally:
        connections.close()
    return str(caught.value)


@pytest.mark.promise(
    "SSH", "a host key that nobody trusted", "refused with its fingerprint and the command that trusts it"
)
def test_an_unknown_host_key_is_refused_with_its_fingerprint(sshd: SshServer, tmp_path: Path) -> None:
    said = refusal(tmp_path / "none", target_of(sshd))
    shown = subprocess.run(["ssh-keygen", "-lf", sshd.directory / "host_key.pub"], capture_output=True, text=True)
    assert shown.stdout.split()[1] in said
    assert "not known" in said
    assert "sop inventory trust web1" in said


@pytest.mark.promise("SSH", "the host key changed", "refused, nothing is sent")
def test_a_changed_host_key_is_refused(sshd: SshServer, tmp_path: Path) -> None:
    make_key(tmp_path / "other")
    known = tmp_path / "known_hosts"
    known.write_text(f"[127.0.0.1]:{sshd.port} {(tmp_path / 'other.pub').read_text()}")
    said = refusal(known, target_of(sshd))
    assert "another key is known" in said
    assert "sop inventory trust web1" in said


@pytest.mark.promise("SSH", "a revoked host key", "refused")
def test_a_revoked_host_key_is_refused(sshd: SshServer, tmp_path: Path) -> None:
    known = tmp_path / "known_hosts"
    known.write_text(f"{sshd.known_hosts.read_text()}@revoked * {sshd.host_key()}\n")
    assert "revoked" in refusal(known, target_of(sshd))


@pytest.mark.promise("Network", "the key is refused", "unreachable; what was tried is said")
def test_a_refused_login_says_what_was_tried(sshd: SshServer, tmp_path: Path) -> None:
    make_key(tmp_path / "stranger")
    said = refusal(sshd.known_hosts, target_of(sshd, identity=str(tmp_path / "stranger"), password="secret"))
    assert f"refuses user '{sshd.user}' (tried a key ssh-ed25519, the password)" in said
    assert "secret" not in said
    assert "no key and no password" in refusal(sshd.known_hosts, target_of(sshd, identity=""))


@pytest.mark.promise("Network", "a private key that cannot be read", "named with the cure")
def test_a_key_that_cannot_be_used_is_named(sshd: SshServer, tmp_path: Path) -> None:
    make_key(tmp_path / "locked", passphrase="long enough")
    (tmp_path / "text").write_text("hello")
    assert "no key and no password" in refusal(sshd.known_hosts, target_of(sshd, identity=str(tmp_path / "locked")))
    assert "is not a private key" in refusal(sshd.known_hosts, target_of(sshd, identity=str(tmp_path / "text")))
    assert "cannot be read: No such file" in refusal(sshd.known_hosts, target_of(sshd, identity=str(tmp_path / "no")))


@pytest.mark.promise("Network", "nothing listens, or no name resolves", "unreachable, which of them is said")
def test_says_that_nothing_listens_or_nothing_resolves(sshd: SshServer) -> None:
    assert "refuses connections" in refusal(sshd.known_hosts, target_of(sshd, port=free_port()))
    assert "does not resolve" in refusal(sshd.known_hosts, target_of(sshd, address="nowhere.invalid"))


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.mark.promise("Network", "a banner that never comes", "unreachable within the limit")
def test_a_server_that_says_nothing_holds_nobody(sshd: SshServer, silent_port: int) -> None:
    start = time.monotonic()
    assert "no connection before the time was up" in refusal(sshd.known_hosts, target_of(sshd, port=silent_port), 0.5)
    assert time.monotonic() - start < 2


def test_goes_over_a_jump_host(sshd: SshServer, tmp_path: Path) -> None:
    with ssh_server(tmp_path / "inner", "inner") as inner:
        known = tmp_path / "known_hosts"
        known.write_text(sshd.known_hosts.read_text() + inner.known_hosts.read_text())
        (tmp_path / "config").write_text(
            f"Host gate\n HostName 127.0.0.1\n Port {sshd.port}\n IdentityFile {sshd.identity}\n User {sshd.user}\n"
            f"Host hidden\n HostName 127.0.0.1\n Port {inner.port}\n IdentityFile {inner.identity}\n ProxyJump gate\n"
        )
        settings: dict[str, Any] = {"ssh_config": str(tmp_path / "config")}
        configured = Target("hidden", settings)
        named = Target("also", {**inner.settings, **settings, "proxy_jump": "gate"})
        connections = Connections((known,))
        for target in (configured, named):
            result = connections.get(target).run(Command(line="echo $SSH_CONNECTION"), Deadline.after(20))
            assert result.stdout.split()[3] == str(inner.port).encode()
        connections.close()
        said = refusal(inner.known_hosts, configured)
        assert "hidden (jump host 127.0.0.1)" in said
        assert "not known" in said


def test_uses_the_agent_for_a_key_with_a_passphrase(sshd: SshServer, tmp_path: Path, monkeypatch: Any) -> None:
    locked = tmp_path / "locked"
    locked.write_bytes(sshd.identity.read_bytes())
    locked.chmod(0o600)
    subprocess.run(["ssh-keygen", "-q", "-p", "-N", "long enough", "-f", locked], check=True)
    agent = subprocess.Popen(["ssh-agent", "-D", "-a", tmp_path / "agent"], stdout=subprocess.DEVNULL)
    try:
        monkeypatch.setenv("SSH_AUTH_SOCK", str(tmp_path / "agent"))
        while not (tmp_path / "agent").exists():
            time.sleep(0.01)
        subprocess.run(["ssh-add", "-q", sshd.identity], check=True)
        connections = Connections((sshd.known_hosts,))
        assert connections.ping(target_of(sshd, identity=str(locked)), Deadline.after(20)) > 0
        connections.close()
    finally:
        agent.terminate()
        agent.wait(10)


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa", "rsa"])
def test_logs_in_with_every_kind_of_key(sshd: SshServer, tmp_path: Path, kind: str) -> None:
    key, known = tmp_path / "key", sshd.directory / "authorized_keys"
    subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", "", "-f", key], check=True)
    before = known.read_bytes()
    known.write_bytes(before + key.with_suffix(".pub").read_bytes())
    connections = Connections((sshd.known_hosts,))
    try:
        assert connections.ping(target_of(sshd, identity=str(key)), Deadline.after(20)) > 0
    finally:
        known.write_bytes(before)
        connections.close()


@pytest.mark.promise("SSH", "another key than the one pinned in the inventory", "refused")
def test_a_pinned_host_key_is_all_that_counts(sshd: SshServer, tmp_path: Path) -> None:
    make_key(tmp_path / "other")
    connections = Connections(())
    assert connections.ping(target_of(sshd, host_key=sshd.host_key()), Deadline.after(20)) > 0
    connections.close()
    assert "another key" in refusal(sshd.known_hosts, target_of(sshd, host_key=(tmp_path / "other.pub").read_text()))


def test_a_person_can_trust_a_host_key(sshd: SshServer, tmp_path: Path) -> None:
    trusted = tmp_path / "folder" / "known_hosts"
    target = target_of(sshd)
    key, verdict = Connections((trusted,)).fetch_host_key(target, Deadline.after(20))
    assert (key.line, verdict) == (f"[127.0.0.1]:{sshd.port} {sshd.host_key()}", "unknown")
    make_key(tmp_path / "other")
    trusted.parent.mkdir()
    trusted.write_text(f"other ssh-ed25519 AAAA\n[127.0.0.1]:{sshd.port} {(tmp_path / 'other.pub').read_text()}")
    assert Connections((trusted,)).fetch_host_key(target, Deadline.after(20))[1] == "changed"
    record_host_key(trusted, key)
    assert trusted.read_text() == f"other ssh-ed25519 AAAA\n{key.line}\n"
    assert os.stat(trusted).st_mode & 0o777 == 0o600
    connections = Connections((trusted,))
    assert connections.fetch_host_key(target, Deadline.after(20))[1] == "known"
    assert connections.ping(target, Deadline.after(20)) > 0
    connections.close()
