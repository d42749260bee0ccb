"""Logs of a real server: real logrotate, real OpenSSH, real runs that are killed between fetch and scan."""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runner.cli import run
from runner.connections import Connections
from runner.contract import Connection
from tests.actions.log_rotation import Office, Server
from tests.connections.conftest import target_of
from tests.sshd import SshServer, ssh_server

PAUSE = "if [ -e {{ vars.pause }} ]; then echo >{{ vars.pause }}; sleep 60; fi"
ROTATIONS = {
    "create": "create",
    "copytruncate": "copytruncate",
    "compress": "create\ncompress",
    "delaycompress": "create\ncompress\ndelaycompress",
    "dateext": "create\ndateext\ndateformat -%Y%m%d-%s",
    "dateext and compress": "create\ndateext\ndateformat .%Y-%m-%d-%s\nextension .log\ncompress",
    "zstd": "copytruncate\ncompress\ncompresscmd /usr/bin/zstd\nuncompresscmd /usr/bin/unzstd\ncompressext .zst\n"
    "compressoptions -q",
}


@pytest.fixture(scope="module")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshServer]:
    with ssh_server(tmp_path_factory.mktemp("sshd")) as running:
        yield running


@pytest.fixture
def connection(sshd: SshServer) -> Iterator[Connection]:
    connections = Connections((sshd.known_hosts,))
    yield connections.get(target_of(sshd))
    connections.close()


def rotate(folder: Path, rules: str) -> None:
    """Let logrotate rotate the log in a folder now."""
    program = shutil.which("logrotate", path=os.environ["PATH"] + ":/usr/sbin:/sbin")
    assert program, "this test needs logrotate. apt-get install logrotate"
    rule = folder.parent / "logrotate.conf"
    rule.write_text(f'"{folder}/access.log" {{\nrotate 30\nmissingok\n{rules}\n}}\n')
    rule.chmod(0o600)
    command = [program, "--force", "--state", str(folder.parent / "state"), str(rule)]
    subprocess.run(command, check=True, capture_output=True)
    for path in folder.iterdir():  # days pass in a moment here: a name with this second in it would stand twice
        path.rename(path.with_name(re.sub(r"(?<=-)(\d{9})(\d)(?!\d)", rf"\g<1>{secrets.randbelow(10**6)}", path.name)))


@pytest.mark.parametrize("rules", ROTATIONS.values(), ids=ROTATIONS)
def test_each_line_is_counted_once_whatever_logrotate_does(tmp_path: Path, connection: Connection, rules: str) -> None:
    server = Server(tmp_path / "log")
    server.touch = lambda path: None  # type: ignore[method-assign]  # logrotate's own times
    office = Office(tmp_path / "office", str(server.log), lambda: connection)
    for day in range(6):
        server.write(3 + 5 * day)
        if day != 2:  # a day without a run
            assert office.work().outputs["gap"] is None
        server.write(2)
        if day % 2:
            server.write_half()
            office.work()
            server.write(1)
        rotate(server.folder, rules)
        if day == 3:
            office.fetch()  # and the scan never came
    office.work()
    assert len(list(server.folder.iterdir())) == 7
    assert office.counted == Counter(server.written)


@pytest.fixture
def court(tmp_path: Path, sshd: SshServer, monkeypatch: pytest.MonkeyPatch) -> Server:
    """A working folder with a site on a real server, whose log is fetched and scanned, a pause between the two."""
    (Path(os.environ["HOME"]) / ".ssh").mkdir(mode=0o700)
    (Path(os.environ["HOME"]) / ".ssh" / "known_hosts").write_text(sshd.known_hosts.read_text())
    server = Server(tmp_path / "log")
    inventory = {
        "office": {"name": "Pengadilan Negeri Contoh"},
        "servers": {"web1": dict(sshd.settings)},
        "websites": {"pn": {"url": "http://127.0.0.1:1", "server": "web1", "access_log": str(server.log)}},
        "vars": {"pause": str(tmp_path / "pause")},
    }
    tasks = [
        {"id": "fetch", "action": "logs.fetch", "with": {"stale_after": "366 hari", "since": "366 hari"}},
        {"id": "pause", "action": "command.run", "effect": "read", "with": {"command": PAUSE}},
        {"id": "scan", "action": "logs.scan", "with": {"increment": "{{ tasks.fetch.increment }}"}},
    ]
    step = {"id": "visitors", "activity": "a", "targets": "websites", "tasks": tasks}
    (tmp_path / "inventory.yml").write_text(json.dumps(inventory))
    (tmp_path / "playbook.yml").write_text(json.dumps({"procedure": {"title": "T"}, "steps": [step]}))
    monkeypatch.chdir(tmp_path)
    return server


def run_json(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict[str, Any]]:
    code = run([*words, "--format", "json"])
    return code, json.loads(capsys.readouterr().out)


def outputs_of(document: dict[str, Any], task: str) -> dict[str, Any]:
    ((found,),) = [
        [each for each in target["tasks"] if each["id"] == task] for target in document["steps"][0]["targets"]
    ]
    outputs: dict[str, Any] = found["outputs"]
    return outputs


def kill_after_fetch(folder: Path) -> None:
    """Begin a run, and kill it with -9 when its fetch is on the record and its scan has not begun."""
    pause = folder / "pause"
    pause.touch()
    command = [sys.executable, "-m", "runner", "run", "playbook.yml"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    deadline = time.monotonic() + 40
    while not pause.stat().st_size:
        assert process.poll() is None, "the run has ended before the scan"
        assert time.monotonic() < deadline
        time.sleep(0.05)  # nothing tells when another process has come to a place
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    pause.unlink()


@pytest.mark.promise("Power cut", "killed between fetching and scanning a log", "no line lost or counted twice")
def test_a_run_killed_before_its_scan_loses_no_line_and_counts_none_twice(
    court: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its lines come again in the next run; when it is resumed after that one, they are refused."""
    court.write(7)
    code, first = run_json(capsys, "run", "playbook.yml")
    court.write(5)
    court.rename(pack="gz")
    kill_after_fetch(tmp_path)
    court.write(4)
    _, planned = run_json(capsys, "plan", "playbook.yml")
    _, second = run_json(capsys, "run", "playbook.yml")
    stale = next(each["run"] for each in history(capsys) if each["status"] == "interrupted")
    _, late = run_json(capsys, "resume", stale)
    court.write(1)
    _, third = run_json(capsys, "run", "playbook.yml")
    assert code == 0
    assert [outputs_of(each, "scan")["lines"] for each in (first, second, third)] == [7, 9, 1]
    assert outputs_of(planned, "scan")["lines"] == 9
    assert "newer run" in json.dumps(late)
    assert outputs_of(second, "fetch")["increment"]["after"] == outputs_of(first, "fetch")["increment"]["id"]


def history(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    runs: list[dict[str, Any]] = run_json(capsys, "history")[1]["runs"]
    return runs
