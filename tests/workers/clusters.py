"""A real Dask cluster on 127.0.0.1: a scheduler and workers as processes, which a test may kill and start again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

# The shell, with all that it starts, ends when this end of its stdin closes, however the tests end.
_KEEPER = '"$@" </dev/null & read -r nothing; kill -KILL 0'
_AGAIN = 'while :; do "$@"; sleep 0.2; done'  # as systemd does with Restart=always
_START_LIMIT = 60.0


@dataclass(slots=True)
class Kept:
    """A program that ends with the tests, held by its keeper."""

    keeper: subprocess.Popen[str]

    def kill(self) -> None:
        """End it at once, as a machine that loses its power."""
        assert self.keeper.stdin is not None
        self.keeper.stdin.close()
        self.keeper.wait(30)


@dataclass(slots=True)
class Cluster:
    """A scheduler and its workers. `options` are words for both."""

    folder: Path
    host: str
    port: int
    scheduler: Kept
    options: Sequence[str] = ()
    protocol: str = "tcp"
    workers: dict[str, Kept] = field(default_factory=dict)

    @property
    def address(self) -> str:
        """What `--executor` is given."""
        return f"{'tls' if self.protocol == 'tls' else 'dask'}://{self.host}:{self.port}"

    def start_worker(self, name: str, *, threads: int = 4, before: Sequence[str] = ()) -> None:
        """Start a worker of that name, again whenever it ends. It joins by itself. `before` are words that run it."""
        words = [
            *("/bin/sh", "-c", _AGAIN, "sh", *before),
            *(sys.executable, "-m", "distributed.cli.dask_worker", f"{self.protocol}://{self.host}:{self.port}"),
            *("--pid-file", str(self.folder / f"{name}.pid")),
            *("--name", name, "--nthreads", str(threads), "--no-nanny", "--no-dashboard", "--memory-limit", "0"),
            *("--local-directory", str(self.folder / "scratch"), *self.options),
        ]
        self.workers[name] = keep(words, self.folder / f"{name}.log")

    def kill_worker(self, name: str) -> None:
        """End a worker's process at once, if need be as soon as it is there; it is started again."""
        file, end = self.folder / f"{name}.pid", time.monotonic() + _START_LIMIT
        while True:
            try:
                return os.kill(int(file.read_text()), signal.SIGKILL)
            except (FileNotFoundError, ValueError, ProcessLookupError):  # it left, for want of a scheduler
                assert time.monotonic() < end, self.logs()
                time.sleep(0.05)

    def restart_scheduler(self) -> None:
        """End the scheduler at once and start it again where it was."""
        self.scheduler.kill()
        self.scheduler = _start_scheduler(self.folder, self.host, self.port, self.options, self.protocol)

    def logs(self) -> str:
        """All that scheduler and workers have written."""
        return "\n".join(path.read_text(errors="replace") for path in self.folder.glob("*.log"))

    def stop(self) -> None:
        """End all of it."""
        for each in [*self.workers.values(), self.scheduler]:
            each.kill()


def keep(words: Sequence[str], log: Path) -> Kept:
    """Start a program whose output goes into a file."""
    with log.open("ab") as said:
        keeper = subprocess.Popen(
            ["/bin/sh", "-c", _KEEPER, "sh", *words],
            stdin=subprocess.PIPE,
            stdout=said,
            stderr=said,
            text=True,
            start_new_session=True,
        )
    return Kept(keeper)


@contextmanager
def dask_cluster(
    folder: Path,
    workers: int,
    *,
    threads: int = 4,
    options: Sequence[str] = (),
    protocol: str = "tcp",
    host: str = "127.0.0.1",
) -> Iterator[Cluster]:
    """Run a scheduler and so many workers until the block ends."""
    folder.mkdir(parents=True, exist_ok=True)
    scheduler = _start_scheduler(folder, host, 0, options, protocol)
    address = json.loads((folder / "scheduler.json").read_text())["address"]
    cluster = Cluster(folder, host, int(address.rpartition(":")[2]), scheduler, options, protocol)
    try:
        for number in range(workers):
            cluster.start_worker(f"worker{number}", threads=threads)
        yield cluster
    finally:
        cluster.stop()


def _start_scheduler(folder: Path, host: str, port: int, options: Sequence[str], protocol: str) -> Kept:
    file = folder / "scheduler.json"
    file.unlink(missing_ok=True)
    words = [
        *(sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", host, "--port", str(port)),
        *("--protocol", protocol, "--no-dashboard", "--no-show", "--scheduler-file", str(file), *options),
    ]
    log = folder / "scheduler.log"
    scheduler = keep(words, log)
    end = time.monotonic() + _START_LIMIT
    while not file.exists():
        assert scheduler.keeper.poll() is None, log.read_text()
        assert time.monotonic() < end, log.read_text()
        time.sleep(0.05)
    return scheduler
