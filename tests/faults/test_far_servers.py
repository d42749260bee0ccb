"""Servers that are far away, full, talkative, or that let nobody in before the password is changed: real sshd."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from runner.connections import Connections
from runner.contract import Command
from runner.durations import Deadline
from runner.errors import Failed
from runner.record.journal import Journal
from tests.connections.conftest import target_of
from tests.sshd import SshServer, ssh_server, start_ssh_server

pytestmark = [pytest.mark.heavy, pytest.mark.timeout(300)]

ROOT = Path(__file__).parents[2]
PLAYBOOK = """
procedure: {title: T}
steps:
  - id: one
    activity: a
    targets: servers
    on_failure: continue
    on_unreachable: continue
    tasks:
      - {id: first, action: command.run, effect: read, with: {argv: [echo, satu]}}
      - {id: work, action: command.run, on_failure: continue, RUN_AS with: {command: "WORK"}}
      - {id: last, action: command.run, effect: read, always: true, with: {argv: [echo, akhir]}}
"""


def run_there(folder: Path, settings: Mapping[str, Any], known_hosts: str, work: str, run_as: str = "") -> Any:
    """Run three tasks on a server; return the exit code, each task's outcome by its id, and what was said."""
    playbook = PLAYBOOK.replace("WORK", work).replace("RUN_AS", f"run_as: {run_as}," if run_as else "")
    (folder / "p.yml").write_text(playbook)
    (folder / "inventory.yml").write_text(json.dumps({"servers": {"s": dict(settings)}}))
    (folder / "home" / ".ssh").mkdir(parents=True, exist_ok=True)
    (folder / "home" / ".ssh" / "known_hosts").write_text(known_hosts)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "HOME": str(folder / "home")}
    command = [sys.executable, "-m", "runner", "run", "p.yml", "--format", "json"]
    done = subprocess.run(
        command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=200, check=False
    )
    told = done.stderr.decode()
    assert "Traceback" not in told, told
    assert Journal.open(folder / "records", create=False).verify() == []
    tasks = json.loads(done.stdout)["steps"][0]["targets"][0]["tasks"]
    return done.returncode, {task["id"]: task for task in tasks}, told


@contextmanager
def slow_link(port: int, seconds: float) -> Iterator[int]:
    """The port of a link to that port of this machine on which an answer takes so many seconds longer."""
    program = ROOT / "benchmarks" / "slow_link.py"
    words = [sys.executable, str(program), str(seconds), f"127.0.0.1:{port}"]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as link:
        assert link.stdout
        try:
            yield int(link.stdout.readline())
        finally:
            link.terminate()


@pytest.mark.promise("Network", "an answer takes two seconds longer", "all is done")
def test_a_link_with_a_latency_of_two_seconds(tmp_path: Path) -> None:
    with ssh_server(tmp_path / "s") as server, slow_link(server.port, 2.0) as port:
        known = f"[127.0.0.1]:{port} {server.host_key()}\n"
        code, tasks, told = run_there(tmp_path, {**server.settings, "port": port}, known, "echo dua; echo err >&2")
    assert code == 0, (tasks, told)
    assert tasks["work"]["outputs"]["stdout"] == "dua\n"
    assert tasks["work"]["outputs"]["stderr"] == "err\n"


@pytest.mark.promise("Network", "a shell that prints a motd before each command", "no word of it in any output")
def test_a_shell_that_prints_a_motd(tmp_path: Path) -> None:
    greeting = tmp_path / "greeting"
    text = "echo '*** Selamat datang di server PN Contoh ***'; echo 'dilarang masuk' >&2"
    greeting.write_text(f'#!/bin/sh\n{text}\nexec /bin/sh -c "$SSH_ORIGINAL_COMMAND"\n')
    greeting.chmod(0o755)
    with ssh_server(tmp_path / "s", options={"ForceCommand": str(greeting)}) as server:
        known = server.known_hosts.read_text()
        code, tasks, told = run_there(tmp_path, server.settings, known, "echo dua; echo err >&2; exit 3")
    assert code == 2, told
    assert (tasks["first"]["outputs"]["stdout"], tasks["work"]["outputs"]["stdout"]) == ("satu\n", "dua\n")
    assert tasks["work"]["outputs"]["stderr"] == "err\n"
    assert tasks["work"]["outputs"]["exit_code"] == 3


FULL = 'mkdir -p "$1" && mount -t tmpfs -o size=64k none "$1" && shift && exec "$@"'


@pytest.mark.promise("Network", "the target's disk is full", "told in the server's words; nothing half-written is left")
def test_a_full_disk_on_the_target(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root may give a server a disk of its own (unshare --mount)")
    full = tmp_path / "full"
    before = ("unshare", "--mount", "sh", "-c", FULL, "sh", str(full))
    server = start_ssh_server(tmp_path / "s", before=before)
    try:
        work = f"head -c 200000 /dev/zero > {full}/data || exit 9"
        known = server.known_hosts.read_text()
        code, tasks, told = run_there(tmp_path, server.settings, known, work)
        assert code == 2, told
        assert "No space left on device" in tasks["work"]["message"] + tasks["work"]["outputs"]["stderr"]
        assert tasks["last"]["status"] == "ok"
        connections = Connections((server.known_hosts,))
        connection = connections.get(target_of(server))
        with pytest.raises(Failed, match=r"No space left|full"):
            connection.write(f"{full}/whole", b"x" * 100_000, Deadline.after(20))
        left = connection.run(Command(line=f"ls -A {full}"), Deadline.after(20)).stdout.split()
        connections.close()
        assert left == [b"data"]
    finally:
        server.stop()


USERS = """
mount -t tmpfs -o mode=755 none /mnt
for each in passwd shadow group; do cp -p "/etc/$each" "/mnt/$each"; done
echo "kadaluarsa:x:64321:64321::/mnt:/bin/sh" >> /mnt/passwd
echo "kadaluarsa:*:$1:0:90:7:::" >> /mnt/shadow
echo "kadaluarsa:x:64321:" >> /mnt/group
for each in passwd shadow group; do mount --bind "/mnt/$each" "/etc/$each"; done
install -m 644 "$2" /mnt/authorized_keys
shift 2; exec "$@"
"""


@contextmanager
def server_with_passwords(folder: Path, changed: int) -> Iterator[SshServer]:
    """A server with PAM whose user `kadaluarsa` changed the password on that day since 1970 (0: must change it)."""
    before = ("unshare", "--mount", "sh", "-c", USERS, "sh", str(changed), str(folder / "authorized_keys"))
    options = {"UsePAM": "yes", "AuthorizedKeysFile": "/mnt/authorized_keys"}
    server = start_ssh_server(folder, before=before, options=options)
    try:
        yield server
    finally:
        server.stop()


@pytest.mark.promise("Network", "the password has expired ({case})", "told in the server's words, at once")
@pytest.mark.parametrize("changed", [pytest.param(0, id="it must be changed"), pytest.param(10_000, id="long ago")])
def test_an_expired_password(tmp_path: Path, changed: int) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root may give an account that is not there (unshare --mount)")
    with server_with_passwords(tmp_path / "there", changed) as server:
        settings = {**server.settings, "user": "kadaluarsa"}
        code, tasks, told = run_there(tmp_path, settings, server.known_hosts.read_text(), "echo dua")
    said = json.dumps(tasks) + told
    assert code in (2, 4), said
    assert tasks["first"]["status"] in ("failed", "unreachable"), tasks["first"]
    assert "expired" in tasks["first"]["message"], said


@pytest.mark.promise(
    "Network", "sudo that asks for a password, over SSH", "failed at once with words; the rest is done"
)
def test_sudo_that_asks(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root may give an account that is not there (unshare --mount)")
    with server_with_passwords(tmp_path / "there", 90_000) as server:
        settings = {**server.settings, "user": "kadaluarsa"}
        code, tasks, told = run_there(tmp_path, settings, server.known_hosts.read_text(), "id", run_as="root")
    assert code == 2, told
    assert tasks["work"]["status"] == "failed"
    assert "cannot become 'root'" in tasks["work"]["message"], tasks["work"]
    assert "password" in tasks["work"]["message"]
    assert tasks["last"]["status"] == "ok"


@pytest.mark.promise("SSH", "this machine has an SSH agent and the server asks for it", "it is not forwarded")
def test_the_agent_is_not_forwarded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = ["ssh-agent", "-D", "-a", str(tmp_path / "agent")]
    with subprocess.Popen(words, stdout=subprocess.PIPE) as agent:
        try:
            assert agent.stdout
            agent.stdout.readline()
            monkeypatch.setenv("SSH_AUTH_SOCK", str(tmp_path / "agent"))
            with ssh_server(tmp_path / "s", options={"AllowAgentForwarding": "yes"}) as server:
                known, work = server.known_hosts.read_text(), "echo [$SSH_AUTH_SOCK]"
                code, tasks, told = run_there(tmp_path, server.settings, known, work)
        finally:
            agent.terminate()
    assert code == 0, told
    assert tasks["work"]["outputs"]["stdout"] == "[]\n"
