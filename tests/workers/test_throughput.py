"""What more workers bring where tasks wait: websites that take 50 ms to answer, over a real Dask cluster."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.cli import run as sop
from runner.record.journal import Journal
from tests.workers.clusters import Cluster, dask_cluster
from tests.workers.websites import website

pytestmark = pytest.mark.heavy

PLAYBOOK = """
procedure: {title: T}
steps:
  - id: look
    activity: a
    targets: websites
    tasks: [{id: up, action: website.available, with: {variants: false}}]
"""
WEBSITES = 150
WORKERS = 4
WAIT = 0.05
GROWTH = 3.5
MOST_ROUNDS = 6


@pytest.fixture
def websites(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A folder that watches many websites, each of which needs a moment to answer."""
    with website(lambda path: time.sleep(WAIT)) as address:  # this is what is measured
        monkeypatch.chdir(tmp_path)
        Path("inventory.yml").write_text(
            json.dumps({"websites": {f"w{n}": {"url": f"{address}/{n}"} for n in range(WEBSITES)}})
        )
        Path("p.yml").write_text(PLAYBOOK)
        yield


def _rate(cluster: Cluster) -> float:
    """How many websites a second were looked at, from the first outcome to the last."""
    assert sop(["run", "p.yml", "--executor", cluster.address]) == 0
    journal = Journal.open(Path("records"), create=False)
    ended = [each.at for each in journal.events(journal.find_run("last")) if each.kind == "task_finished"]
    return (len(ended) - 1) / (ended[-1] - ended[0]).total_seconds()


@pytest.mark.usefixtures("websites")
def test_four_workers_do_three_and_a_half_times_as_much_of_what_waits(tmp_path: Path) -> None:
    seen = []
    with (
        dask_cluster(tmp_path / "one", 1, threads=1) as one,
        dask_cluster(tmp_path / "four", WORKERS, threads=1) as four,
    ):
        for _ in range(MOST_ROUNDS):  # workers still join in the first; a machine busy elsewhere spoils others
            seen.append(_rate(four) / _rate(one))
            if seen[-1] >= GROWTH:
                return
    raise AssertionError(f"it grew by {seen}")
