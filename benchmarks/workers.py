"""What more workers bring when tasks wait: commands that sleep 50 ms, over a Dask cluster of 1, 2 and 4 workers.

    python benchmarks/workers.py [ROUNDS [TARGETS]]

Scheduler and workers are real, each worker takes one target at a time, and the servers are one OpenSSH server. The time
is that from the first outcome in the journal to the last; starting and connecting the first time are not in it.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from statistics import median

from capacity import Kind, prepare
from measuring import ROOT, render_machine

sys.path.insert(0, str(ROOT))
from runner.record.journal import Journal
from tests.sshd import SshServer, ssh_server
from tests.workers.clusters import dask_cluster

ROUNDS, TARGETS, TASKS = 3, 40, 20
WORKERS = (1, 2, 4)
GOAL = 3.5


def measure(folder: Path, server: SshServer, targets: int, executor: str) -> float:
    """Run the commands and return how many ended in a second."""
    environment = prepare(folder, server, Kind("sleep 0.05", TASKS), targets)
    words = [sys.executable, "-m", "runner", "run", "p.yml", "--executor", executor]
    subprocess.run(words, cwd=folder, env=environment, capture_output=True, check=True)
    journal = Journal.open(folder / "records", create=False)
    ended = [event.at for event in journal.events(journal.find_run("last")) if event.kind == "task_finished"]
    return (len(ended) - 1) / _seconds(ended)


def _seconds(moments: Sequence[datetime]) -> float:
    return (moments[-1] - moments[0]).total_seconds()


def main(words: Sequence[str]) -> None:
    """Print a table by the number of workers."""
    rounds, targets = (int(word) for word in (*words, *(str(ROUNDS), str(TARGETS))[len(words) :]))
    print(f"Measured on: {render_machine()}. {targets} servers × {TASKS} commands, medians of {rounds} rounds.\n")
    print("| workers | commands a second | against one |\n| ---: | ---: | ---: |")
    alone = 0.0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with ssh_server(folder / "server", options={"MaxStartups": "100"}) as server:
            for number in WORKERS:
                with dask_cluster(folder / f"cluster{number}", number, threads=1) as cluster:
                    measure(folder / "work", server, number, cluster.address)  # all of them have joined
                    rates = [measure(folder / "work", server, targets, cluster.address) for _ in range(rounds)]
                rate = median(rates)
                alone = alone or rate
                print(f"| {number} | {rate:.1f} | {rate / alone:.2f} × |", flush=True)
    print(f"\nGoal: {GOAL} × with 4 workers.")


if __name__ == "__main__":
    main(sys.argv[1:])
