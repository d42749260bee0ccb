"""What a task costs the machine that `sop` runs on, and what its workers take off it.

    python benchmarks/capacity.py [ROUNDS [TARGETS]]

One OpenSSH server stands for all servers; only the CPU of the process of `sop` itself is counted, so what else goes on
here changes little. Runs with 1 and with 11 commands on each server tell apart what connecting and what a command
costs; the same over `processes:2` leave the engine, the journal and the handing out of acts.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import NamedTuple

from measuring import ROOT, fresh, render_machine

sys.path.insert(0, str(ROOT))
from tests.sshd import SshServer, ssh_server

ROUNDS, TARGETS = 3, 100
MORE = 10
RUN = """\
import sys, time
from runner.cli import run
code = run(sys.argv[1:])
print("cpu", time.process_time())
sys.exit(code)
"""
LARGE = 1_000_000


class Kind(NamedTuple):
    """Tasks to measure: a command line, how many of them on each server, and whether they only read."""

    line: str = "true"
    number: int = 1
    effect: str = "change"


def prepare(folder: Path, server: SshServer, kind: Kind, targets: int) -> dict[str, str]:
    """Write inventory and playbook into an empty folder; return the environment to run them in."""
    settings = {**server.settings, "host_key": server.host_key()}
    tasks = [
        {"id": f"task{n}", "action": "command.run", "effect": kind.effect, "with": {"command": kind.line}}
        for n in range(kind.number)
    ]
    steps = [{"id": "one", "activity": "a", "targets": "servers", "tasks": tasks}]
    fresh(folder)
    (folder / "inventory.yml").write_text(json.dumps({"servers": {f"web{n}": settings for n in range(targets)}}))
    (folder / "p.yml").write_text(json.dumps({"procedure": {"title": "T"}, "steps": steps}))
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    return environment


def measure(folder: Path, server: SshServer, kind: Kind, targets: int, executor: str) -> float:
    """Run them and return the seconds of CPU that the process of `sop` took."""
    environment = prepare(folder, server, kind, targets)
    words = [sys.executable, "-c", RUN, "run", "p.yml", "-f", "20", "--executor", executor]
    done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, check=True)
    return float(done.stdout.rpartition("cpu ")[2])


def costs(folder: Path, server: SshServer, targets: int, rounds: int) -> Iterator[tuple[str, float]]:
    """What each kind of work costs, in seconds of CPU: its name, and how much."""

    def cost(kind: Kind, executor: str, on: int = targets) -> float:
        return median(measure(folder, server, kind, on, executor) for _ in range(rounds))

    large = Kind(f"head -c {LARGE} /dev/zero | tr '\\0' x")
    for executor in ("threads", "processes:2"):
        alone, few = cost(Kind(), executor, on=1), cost(Kind(), executor)
        yield f"{executor}: starting and ending", alone
        yield f"{executor}: a server more, one command on it", (few - alone) / (targets - 1)
        for effect, words in (("change", "that changes something"), ("read", "that only reads")):
            more = cost(Kind(number=1 + MORE, effect=effect), executor) - few
            yield f"{executor}: a command more {words}", more / MORE / targets
        yield f"{executor}: a megabyte kept as evidence", (cost(large, executor) - few) / targets / (LARGE / 1e6)


def main(words: Sequence[str]) -> None:
    """Print a table of costs."""
    rounds, targets = (int(word) for word in (*words, *(str(ROUNDS), str(TARGETS))[len(words) :]))
    print(f"Measured on: {render_machine()}. {targets} servers, medians of {rounds} rounds.\n")
    print("| CPU of sop's own process | ms | a minute of one core |\n| --- | ---: | ---: |")
    with (
        tempfile.TemporaryDirectory() as name,
        ssh_server(Path(name) / "server", options={"MaxStartups": "100"}) as server,
    ):
        for kind, seconds in costs(Path(name) / "work", server, targets, rounds):
            print(f"| {kind} | {seconds * 1000:.2f} | {60 / seconds:,.0f} |", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
