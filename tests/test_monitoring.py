"""Monitoring from cron, run after run: what comes and goes gives exactly the problems that people should see."""

from __future__ import annotations

import http.server
import json
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from runner.cli import run
from runner.record.journal import Journal
from runner.record.problems import problems
from tests.clocks import FixedClock
from tests.web_servers import closed_port

PLAYBOOK = Path(__file__).parents[1] / "playbooks" / "pemantauan-website.yml"
START = datetime(2026, 10, 31, 17, 0, tzinfo=UTC)  # midnight in WIB, Sunday the 1st of November
EVERY = 5  # minutes
HOME = b"<!doctype html><title>Pengadilan Negeri Contoh</title><main><h1>Selamat datang</h1></main>"
OFFICE = {"name": "Pengadilan Negeri Contoh", "timezone": "Asia/Jakarta"}


@dataclass
class Site:
    """A website on a port of its own that can be well, broken (503), or out of reach."""

    port: int = field(default_factory=closed_port)
    status: int = 200
    _server: http.server.ThreadingHTTPServer | None = None
    _thread: threading.Thread | None = None

    def reachable(self, *, wanted: bool) -> None:
        """Listen, or stop listening."""
        if wanted and self._server is None:
            self._server = _Server(("127.0.0.1", self.port), _handler(self))
            self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
            self._thread.start()
        elif not wanted and self._server and self._thread:
            self._server.shutdown()
            self._server.server_close()
            self._thread.join()
            self._server = None


class _Server(http.server.ThreadingHTTPServer):
    allow_reuse_address = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that leaves is no news."""


def _handler(site: Site) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(site.status)
            self.send_header("Content-Length", str(len(HOME)))
            self.end_headers()
            self.wfile.write(HOME)

        def log_message(self, *words: object) -> None:
            """Say nothing."""

    return Handler


@contextmanager
def running() -> Iterator[Site]:
    site = Site()
    site.reachable(wanted=True)
    try:
        yield site
    finally:
        site.reachable(wanted=False)


@dataclass(frozen=True)
class Event:
    """What happens from minute `begins` on for `lasts` minutes: "broken", "unreachable", or "isp": all is out of reach;
    "flaps" means broken at every second check."""

    what: str
    begins: int
    lasts: int

    def holds(self, minute: int) -> bool:
        return self.begins <= minute < self.begins + self.lasts


def at(day: int, hour: int, minute: int = 0) -> int:
    """The minute since START of a moment in WIB, day 1 being the first."""
    return ((day - 1) * 24 + hour) * 60 + minute


def simulate(
    folder: Path, minutes: Sequence[int], events: Sequence[Event], maintenance: Sequence[str], *, more: int = 0
) -> Journal:
    """Run the monitoring at those minutes and return its journal. `more` websites are other names of the same one."""
    with running() as site, running() as reference:
        url = f"http://127.0.0.1:{site.port}/"
        inventory = {
            "office": OFFICE,
            "websites": {"pn_contoh": {"url": url}, **{f"pn_{n}": {"url": f"{url}{n}"} for n in range(more)}},
            "vars": {
                "references": [f"127.0.0.1:{reference.port}"],
                "maintenance": list(maintenance),
                "retry_pause": "0.01s",
            },
        }
        (folder / "inventory.yml").write_text(yaml.safe_dump(inventory))
        words = ["run", str(PLAYBOOK), "--only", "monitor", "--records", str(folder / "records"), "--format", "json"]
        clock = FixedClock(START)
        for number, minute in enumerate(minutes):
            clock.advance((START + timedelta(minutes=minute) - clock.now()).total_seconds())
            now = [event.what for event in events if event.holds(minute)]
            site.status = 503 if "broken" in now or ("flaps" in now and number % 2) else 200
            site.reachable(wanted=not {"unreachable", "isp"} & set(now))
            reference.reachable(wanted="isp" not in now)
            assert run([*words, "-i", str(folder / "inventory.yml")], clock=clock) in (0, 10)
    return Journal.open(folder / "records", create=False)


def told(journal: Journal) -> list[tuple[str, int, int | None]]:
    """Every occurrence of every problem: its key, the minute it was first told, and that of its solution."""
    found = []
    for problem in problems(journal):
        for past in problem.earlier:
            found.append((problem.key, minute_of(past.first_seen), minute_of(past.solved_at)))
        solved = problem.solved_at
        found.append((problem.key, minute_of(problem.first_seen), minute_of(solved) if solved else None))
    return sorted(found, key=lambda each: each[1])


def minute_of(moment: datetime) -> int:
    return round((moment - START).total_seconds() / 60)


def test_an_hour_and_a_half_from_cron_tells_each_fault_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    events = [Event("broken", 10, 5), Event("unreachable", 25, 25), Event("isp", 60, 20), Event("broken", 95, 20)]
    journal = simulate(tmp_path, range(0, 130, EVERY), events, ["01.30-02.00 WIB"])
    assert told(journal) == [
        ("website.unavailable", 35, 55),  # the third check in a row, until the second good one
        ("office.network", 70, 85),
    ]
    folder = tmp_path / "laporan"
    words = ["report", "pemantauan", "2026-11", "--records", str(tmp_path / "records"), "-o", str(folder)]
    assert run(words) == 0
    page = (folder / "pemantauan-2026-11.html").read_text("utf-8")
    assert "1 November 2026, 00.35–00.55 WIB" in page
    assert page.count("<svg") == 3  # nothing looked at what ends
    assert "Traceback" not in capsys.readouterr().err


def test_an_outage_of_our_own_network_is_one_problem_for_all_websites(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    journal = simulate(tmp_path, range(0, 30, EVERY), [Event("isp", 5, 15)], [], more=4)
    (problem,) = problems(journal)
    assert (problem.key, problem.target, problem.times) == ("office.network", None, 5 * 2)
    assert told(journal) == [("office.network", 15, 25)]
    said = documents(capsys.readouterr().out)
    assert [[each["target"] for each in run["problems"]] for run in said] == [[], [], [], [None], [None], []]


def documents(text: str) -> list[dict[str, Any]]:
    """JSON documents that stand one after the other."""
    found = []
    while text.strip():
        one, end = json.JSONDecoder().raw_decode(text.strip())
        found.append(one)
        text = text.strip()[end:]
    return found


MONTH = 31 * 24 * 60
MONTH_EVENTS = [
    *(Event("broken", at(day, 3, 35), 5) for day in range(1, 31, 2)),  # a nightly restart: one failed check
    *(Event("unreachable", at(day, 13), 10) for day in (4, 11, 18, 25)),  # two failed checks
    Event("broken", at(5, 9), 120),
    Event("unreachable", at(9, 23, 40), 60),  # over midnight
    Event("isp", at(12, 8), 180),
    Event("flaps", at(16, 10), 120),  # at every second check
    Event("broken", at(20, 14), 300),
    Event("isp", at(20, 15), 60),  # our own network goes while the site is down
    Event("unreachable", at(21, 22), 240),  # all of it inside Saturday's window
    Event("broken", at(28, 21), 120),  # begins before the window, and ends in it
]
MONTH_TOLD = [
    ("website.unavailable", at(5, 9, 10), at(5, 11, 5)),
    ("website.unavailable", at(9, 23, 50), at(10, 0, 45)),
    ("office.network", at(12, 8, 10), at(12, 11, 5)),
    ("website.unstable", at(16, 10, 40), at(16, 12, 35)),
    ("website.unavailable", at(20, 14, 10), at(20, 19, 5)),
    ("office.network", at(20, 15, 10), at(20, 16, 5)),
    ("website.unavailable", at(28, 21, 10), at(28, 23, 5)),
]


@pytest.mark.heavy
@pytest.mark.timeout(3600)  # 8928 runs
def test_a_month_from_cron_tells_each_fault_once(capsys: pytest.CaptureFixture[str]) -> None:
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:  # a disk makes each of the runs wait for it
        journal = simulate(Path(folder), range(0, MONTH, EVERY), MONTH_EVENTS, ["Sabtu 22.00-02.00 WIB"])
        assert told(journal) == MONTH_TOLD
        assert len(journal.runs(limit=10_000)) == MONTH // EVERY
        assert journal.verify() == []
    assert "Traceback" not in capsys.readouterr().err
