"""Links that are slow, lossy, cut or dead: a server in a network namespace of its own, nft between."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest

from runner.record.journal import Journal
from tests.sshd import SshServer, start_ssh_server

pytestmark = [pytest.mark.heavy, pytest.mark.timeout(400)]

ROOT = Path(__file__).parents[2]
SLOW = f"sleep 97{os.getpid()}"  # told apart from the sleeps of other tests
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
      - {id: slow, action: command.run, effect: read, time_limit: LIMIT, RETRY
         with: {command: "touch FOLDER/begun; WORK"}}
      - {id: last, action: command.run, effect: read, always: true, time_limit: 6s, with: {argv: [echo, akhir]}}
"""


class Far:
    """A server behind a link that a test can spoil; `run` does three tasks there."""

    def __init__(self, folder: Path, number: int) -> None:
        self.folder = folder
        self.space, self.link = f"sop{number}", f"sopv{number}"
        self.net = f"10.203.{number % 250}"
        self._undo = ExitStack()
        self._call("ip", "netns", "add", self.space)
        self._undo.callback(self._call, "ip", "netns", "del", self.space)
        self._call("ip", "link", "add", self.link, "type", "veth", "peer", "name", "eth0", "netns", self.space)
        self._call("ip", "addr", "add", f"{self.net}.1/24", "dev", self.link)
        self._call("ip", "link", "set", self.link, "up")
        self._inside("ip", "addr", "add", f"{self.net}.2/24", "dev", "eth0")
        self._inside("ip", "link", "set", "eth0", "up")
        self.server = self.start()
        self._undo.callback(lambda: self.server.stop())

    def start(self) -> SshServer:
        """Start the server, again with the same key."""
        into = ("ip", "netns", "exec", self.space)
        return start_ssh_server(self.folder / "sshd", address=f"{self.net}.2", port=2222, before=into)

    def filter(self, verdict: str) -> None:
        """What becomes from now on of all that comes to the server or leaves it, in nft's words."""
        self.mend()
        chains = (f"chain {hook} {{ type filter hook {hook} priority 0; {verdict}; }};" for hook in ("input", "output"))
        self._inside("nft", f"table ip f {{ {' '.join(chains)} }}")

    def lose(self, share: int) -> None:
        """Lose so many per cent of all packets that come to the server."""
        self.filter(f"numgen random mod 100 < {share} drop" if share < 100 else "drop")

    def mend(self) -> None:
        self._inside("nft", "add table ip f; delete table ip f")

    def reset(self) -> None:
        """Answer all that comes to the server with a reset, as long as a firewall is loaded anew."""
        self.filter("meta l4proto tcp reject with tcp reset")
        time.sleep(1.0)
        self.mend()

    def power_off(self) -> None:
        """End all that runs on the server at once."""
        self.filter("drop")
        told = subprocess.run(["ip", "netns", "pids", self.space], capture_output=True, text=True, check=True).stdout
        for process in told.split():
            with suppress(ProcessLookupError):
                os.kill(int(process), signal.SIGKILL)
        self.server.stop()
        self.mend()

    def left(self) -> list[str]:
        """Processes of the slow task that are left on the server."""
        return subprocess.run(["pgrep", "-f", SLOW], capture_output=True, text=True, check=False).stdout.split()

    def begin(self, work: str = "echo dua", retry: str = "", limit: str = "6s") -> subprocess.Popen[bytes]:
        """Start the run; `work` is what its slow task does, within `limit`."""
        text = PLAYBOOK.replace("WORK", work).replace("RETRY", retry).replace("FOLDER", str(self.folder))
        text = text.replace("LIMIT", limit)
        (self.folder / "p.yml").write_text(text)
        inventory: dict[str, Any] = {"servers": {"s": dict(self.server.settings)}}
        (self.folder / "inventory.yml").write_text(json.dumps(inventory))
        home = self.folder / "home"
        (home / ".ssh").mkdir(parents=True, exist_ok=True)
        (home / ".ssh" / "known_hosts").write_text(self.server.known_hosts.read_text())
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "HOME": str(home)}
        command = [sys.executable, "-m", "runner", "run", "p.yml", "--format", "json"]
        (self.folder / "begun").unlink(missing_ok=True)
        with (self.folder / "out").open("wb") as out, (self.folder / "err").open("wb") as err:
            return subprocess.Popen(command, cwd=self.folder, env=environment, stdout=out, stderr=err)

    def end(self, process: subprocess.Popen[bytes], within: float = 150) -> dict[str, Any]:
        """Wait for the run, and return each task's outcome; the record must be whole."""
        process.wait(within)
        told = (self.folder / "err").read_text()
        assert "Traceback" not in told, told
        document = json.loads((self.folder / "out").read_text())
        assert Journal.open(self.folder / "records", create=False).verify() == []
        return {task["id"]: task for task in document["steps"][0]["targets"][0]["tasks"]}

    def await_slow(self) -> None:
        """Wait until the slow task is at work."""
        deadline = time.monotonic() + 60
        while not (self.folder / "begun").exists():
            assert time.monotonic() < deadline, (self.folder / "err").read_text()
            time.sleep(0.05)

    def close(self) -> None:
        self._undo.close()

    def _inside(self, *words: str) -> None:
        self._call("ip", "netns", "exec", self.space, *words)

    def _call(self, *words: str) -> None:
        done = subprocess.run(words, capture_output=True, text=True, timeout=30, check=False)
        assert done.returncode == 0, f"{' '.join(words)}: {done.stderr}"


NUMBERS = iter(range(os.getpid() % 200, 10_000))


@pytest.fixture
def far(tmp_path: Path) -> Iterator[Far]:
    made = Far(tmp_path, next(NUMBERS))
    try:
        yield made
    finally:
        made.close()


def statuses(tasks: dict[str, Any]) -> list[str]:
    return [tasks[name]["status"] for name in ("first", "slow", "last")]


def works_again(far: Far) -> None:
    """Over a sound link the next run does all."""
    far.mend()
    assert statuses(far.end(far.begin())) == ["ok", "ok", "ok"]
    assert far.left() == []


@pytest.mark.promise("Network", "30 % of all packets are lost", "it ends, done or with words; the next run works")
def test_a_lossy_link(far: Far) -> None:
    far.lose(30)
    tasks = far.end(far.begin())
    for task in tasks.values():
        assert task["status"] == "ok" or task["message"], task
    works_again(far)


@pytest.mark.promise(
    "Network", "the connection is reset in mid-command", "unreachable with words; what follows connects anew"
)
def test_a_reset_in_mid_command(far: Far) -> None:
    process = far.begin(SLOW)
    far.await_slow()
    far.reset()
    tasks = far.end(process)
    assert tasks["slow"]["status"] in ("unreachable", "timed_out"), tasks["slow"]
    assert tasks["slow"]["message"]
    works_again(far)


@pytest.mark.promise("Network", "a black hole in mid-command", "ended within the limits; nothing is left on the server")
def test_a_black_hole_in_mid_command(far: Far) -> None:
    process = far.begin(SLOW)
    far.await_slow()
    far.lose(100)
    began = time.monotonic()
    tasks = far.end(process)
    assert time.monotonic() - began < 120
    assert tasks["slow"]["status"] in ("timed_out", "unreachable")
    assert tasks["slow"]["message"]
    works_again(far)


@pytest.mark.promise(
    "Network", "a link that died between two commands (half-open)", "unreachable within the limit, with words"
)
def test_a_dead_link_is_found_by_the_next_command(far: Far) -> None:
    process = far.begin("sleep 2; echo dua")
    far.await_slow()
    time.sleep(0.5)
    far.lose(100)
    tasks = far.end(process)
    assert tasks["last"]["status"] in ("timed_out", "unreachable")
    assert tasks["last"]["message"]
    works_again(far)


@pytest.mark.promise(
    "Network", "half-open for an hour under a command that has two", "found out within a minute, not in an hour"
)
def test_a_half_open_link_is_not_waited_for(far: Far) -> None:
    process = far.begin(SLOW, limit="2h")
    far.await_slow()
    far.lose(100)
    began = time.monotonic()
    tasks = far.end(process, within=200)
    assert time.monotonic() - began < 120  # about 35 s; nobody sends anything, so TCP's own probes find it out
    assert tasks["slow"]["status"] == "unreachable"
    assert tasks["slow"]["message"]
    far.mend()
    far.server.stop()  # the server cannot know: there the command goes on to its limit
    far.server = far.start()
    subprocess.run(["pkill", "-f", SLOW], check=False)
    works_again(far)


@pytest.mark.promise("Network", "the target is rebooted in mid-command", "tried again as written, then done")
def test_a_reboot_in_mid_command(far: Far) -> None:
    retry = "retry: {count: 3, pause: 1s, on: [unreachable]},"
    process = far.begin("test -e FOLDER/again || { touch FOLDER/again; " + SLOW + "; }; echo dua", retry)
    far.await_slow()
    deadline = time.monotonic() + 20
    while not (far.folder / "again").exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    far.power_off()
    far.server = far.start()
    tasks = far.end(process)
    assert statuses(tasks) == ["ok", "ok", "ok"], tasks
    assert far.left() == []
