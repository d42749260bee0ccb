"""What more workers bring where tasks wait: websites that take 50 ms to answer, over a real Dask cluster."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from runner.cli import run as sop
from runner.record.journal import Journal
from tests.workers.clusters import Cluster, dask_cluster

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
PAGE = b"<html><title>PN Contoh</title><body>Selamat datang di situs pengadilan</body></html>"


class _Slow(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        time.sleep(WAIT)  # this is what is measured
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(PAGE)))
        self.end_headers()
        self.wfile.write(PAGE)

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def websites(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A folder that watches many websites, each of which needs a moment to answer."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Slow) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.chdir(tmp_path)
        address = f"http://127.0.0.1:{server.server_port}"
        Path("inventory.yml").write_text(
            json.dumps({"websites": {f"w{n}": {"url": f"{address}/{n}"} for n in range(WEBSITES)}})
        )
        Path("p.yml").write_text(PLAYBOOK)
        yield
        server.shutdown()


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
        for _ in range(
            MOST_ROUNDS
        ):  # the first also waits for workers to join; a machine that is busy elsewhere may end
            seen.append(_rate(four) / _rate(one))
            if seen[-1] >= GROWTH:
                return
    raise AssertionError(f"it grew by {seen}")
