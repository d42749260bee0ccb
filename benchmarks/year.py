"""A year of records: 50,000 runs with 1,000,000 outcomes, and how quickly they are read.

python benchmarks/year.py FOLDER [RUNS]     makes the records, unless they are there, and measures what reads them
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from typing import Any

from runner.contract import Outcome, Problem, Request, Severity, Status
from runner.events import Event, Kind, outcome_to_json
from runner.record.journal import Journal
from runner.record.marks import Mark, State
from runner.record.period import Period, events_in, outcomes_in, runs_in, sightings_in
from runner.record.problems import problems

ROOT = Path(__file__).resolve().parent.parent
RUNS = 50_000
ROUNDS = 3
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
YEAR = timedelta(days=365)
PLAYBOOK = "pemeliharaan-website"
SITES = [f"situs_{number:02}" for number in range(10)]
GROUP = 20_000  # events in one write
FAULTS = {
    "available": ("website.unavailable", Severity.CRITICAL, "tidak dapat diakses: tidak ada jawaban."),
    "updated": ("website.not_updated", Severity.MAJOR, "konten terbaru berumur lebih dari 7 hari."),
    "database": ("backup.database.incomplete", Severity.CRITICAL, "Backup tidak berhasil dibuat."),
    "scan": ("visitors.attack_attempts", Severity.MINOR, "Permintaan mencurigakan terbaca dalam log."),
}
STEPS = {
    "watch": ("available", "updated"),
    "backup": ("database", "files"),
    "visitors": ("scan", "summary"),
    "renew": ("domain", "due"),
}
OUTPUTS = {
    "available": True,
    "reason": "",
    "status": 200,
    "times": {"name_ms": 3.1, "connect_ms": 12.5, "tls_ms": 31.4, "first_byte_ms": 180.2, "total_ms": 240.9},
    "url": "https://pengadilan.example.id/",
    "page": {"title": "Pengadilan Negeri Contoh", "bytes": 48211, "links": 120},
}


class Year:
    """Makes the events of a year's runs; `broken` holds what is wrong at the moment, and until which run."""

    def __init__(self, runs: int) -> None:
        self._chance = random.Random(20261122)
        self._runs = runs
        self._broken: dict[tuple[str, str], int] = {}

    def events(self) -> Iterator[Event]:
        """All events, in order."""
        for number in range(self._runs):
            began = BEGAN + YEAR * number / self._runs
            yield from self._run(number, began)

    def _run(self, number: int, began: datetime) -> Iterator[Event]:
        run = f"{began:%Y%m%d-%H%M}-{number % 27**5:05}"
        steps = ["watch"] if number % 12 else [list(STEPS)[1 + number // 12 % 3]]
        now = began
        handled = number % 250 == 0
        told = [{"id": step, "activity": f"Kegiatan {step}"} for step in [*STEPS, "report", "solution"]]
        begun = {"playbook": PLAYBOOK, "title": "S.O.P. PEMELIHARAAN WEBSITE", "steps": told, "targets": SITES}
        yield Event(Kind.RUN_STARTED, run, now, data={**begun, "options": {}, "procedure": {}, "sources": []})
        for step in steps:
            for place, site in enumerate(SITES):
                yield from self._site(run, number, step, site, now + timedelta(seconds=place))
        status, code = ("ok", 0)
        if handled:
            yield from self._take_up(run, number, now + timedelta(seconds=50))
            yield from self._people(run, now + timedelta(seconds=60), answered=number < self._runs - 500)
            status, code = ("ok", 10) if number < self._runs - 500 else ("waiting", 3)
        yield Event(Kind.RUN_ENDED, run, now + timedelta(seconds=90), data={"status": status, "exit_code": code})

    def _site(self, run: str, number: int, step: str, site: str, now: datetime) -> Iterator[Event]:
        at = {"step": step, "attempt": 1, "target": site}
        yield Event(Kind.STEP_STARTED, run, now, **at, data={"time_limit": "1 hari", "due": None})
        for task in STEPS[step]:
            claim = {
                "action": f"{step}.{task}",
                "item": None,
                "limit_seconds": 60.0,
                "repeat": "safe",
                "effect": "read",
            }
            yield Event(Kind.TASK_STARTED, run, now, **at, task=task, tries=1, data=claim)
            outcome = outcome_to_json(self._outcome(number, site, task))
            done = {"action": f"{step}.{task}", "item": None, **outcome}
            yield Event(Kind.TASK_FINISHED, run, now + timedelta(seconds=1), **at, task=task, tries=1, data=done)
        end = {"status": "ok", "used_seconds": 2.0, "outputs": {"access": "dapat diakses"}, "deviations": []}
        end |= {"reason": None, "message": "", "earlier": []}
        yield Event(Kind.STEP_FINISHED, run, now + timedelta(seconds=2), **at, data=end)

    def _outcome(self, number: int, site: str, task: str) -> Outcome:
        if task not in FAULTS:
            return Outcome(Status.OK, OUTPUTS)
        if self._broken.get((site, task), -1) < number and self._chance.random() < 0.002:
            self._broken[site, task] = number + self._chance.randrange(5, 100)
        if self._chance.random() < 0.002:
            return Outcome(Status.UNREACHABLE, message="there was no connection")
        if self._broken.get((site, task), -1) >= number:
            key, severity, words = FAULTS[task]
            return Outcome(Status.OK, OUTPUTS, problems=(Problem(key, severity, f"{site} {words}"),))
        return Outcome(Status.OK, OUTPUTS)

    def _take_up(self, run: str, number: int, now: datetime) -> Iterator[Event]:
        for (site, task), until in self._broken.items():
            if until >= number:
                yield Mark(FAULTS[task][0], site, State.HANDLED, run, now).event()

    def _people(self, run: str, now: datetime, *, answered: bool) -> Iterator[Event]:
        at = {"step": "report", "attempt": 1}
        yield Event(Kind.STEP_STARTED, run, now, **at, data={"time_limit": "1 hari", "due": None})
        asked = Request("kasubbag", "Mohon laporan diperiksa.", ("signed", "returned"), "9f" * 32)
        told = outcome_to_json(Outcome(Status.WAITING, request=asked))["request"]
        yield Event(Kind.REQUESTED, run, now, **at, task="sign", tries=1, data={"action": "person.sign", **told})
        if not answered:
            return
        said = {"role": "kasubbag", "person": "Kasubbag Contoh", "label": "signed", "method": "login", "note": "sudah"}
        yield Event(Kind.ANSWERED, run, now, **at, task="sign", tries=1, data={**said, "subject": "9f" * 32})
        done = outcome_to_json(Outcome(Status.OK, {"label": "signed", "person": "Kasubbag Contoh"}))
        yield Event(Kind.TASK_FINISHED, run, now, **at, task="sign", tries=1, data={"action": "person.sign", **done})
        end = {"status": "ok", "used_seconds": 2.0, "outputs": {}, "deviations": [], "reason": None, "message": ""}
        yield Event(Kind.STEP_FINISHED, run, now, **at, data={**end, "earlier": []})


def make(records: Path, runs: int) -> None:
    """Write a year's events, many at a time."""
    group: list[Event] = []
    with Journal.open(records) as journal:
        for event in Year(runs).events():
            group.append(event)
            if len(group) >= GROUP:
                journal.append(group)
                group.clear()
        journal.append(group)


def commands(records: Path) -> Iterator[tuple[str, float, float]]:
    """What each command that reads takes, in seconds of CPU and by the clock; the best of three."""
    sample = str(ROOT / "inventory")
    report = ["report", "it", "2026-11", "-i", sample]
    for words in (["status"], ["history"], ["problems"], ["problems", "--all"], report):
        argv = [sys.executable, "-m", "runner", *words, "--records", str(records.resolve())]
        name = " ".join(words).removesuffix(f" -i {sample}")
        yield f"`sop {name}`", *min(_measure(argv) for _ in range(ROUNDS))


def _measure(argv: list[str]) -> tuple[float, float]:
    environment = {**os.environ, "COLUMNS": "80", "PYTHONPATH": str(ROOT)}
    with tempfile.TemporaryDirectory() as folder:
        before, started = getrusage(RUSAGE_CHILDREN), time.monotonic()
        done = subprocess.run(argv, cwd=folder, capture_output=True, text=True, check=False, env=environment)
        took, after = time.monotonic() - started, getrusage(RUSAGE_CHILDREN)
    if done.returncode:
        raise SystemExit(done.stderr)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, took


def queries(journal: Journal) -> Iterator[tuple[str, float, float]]:
    """What the questions of a monthly report take."""
    november = Period(datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC))
    asked: dict[str, Callable[[], Any]] = {
        "runs of a month": lambda: runs_in(journal, november),
        "finished steps of a month": lambda: list(events_in(journal, november, Kind.STEP_FINISHED)),
        "outcomes of one step in a month": lambda: list(outcomes_in(journal, november, step="backup")),
        "all outcomes of a month": lambda: sum(1 for _ in outcomes_in(journal, november)),
        "all outcomes of a month in short": lambda: sum(1 for _ in sightings_in(journal, november)),
        "problems of a month": lambda: problems(journal, november),
        "problems of all time": lambda: problems(journal),
    }
    for name, ask in asked.items():
        cpu, started = time.process_time(), time.monotonic()
        ask()
        yield name, time.process_time() - cpu, time.monotonic() - started


def main(arguments: list[str]) -> None:
    """Make the year where it is not there yet, and print what reading it takes, as a table."""
    records, runs = Path(arguments[0]), int(arguments[1]) if len(arguments) > 1 else RUNS
    if not (records / "journal.sqlite").exists():
        started = time.monotonic()
        make(records, runs)
        print(f"made in {time.monotonic() - started:.0f} s", file=sys.stderr)
    journal = Journal.open(records, create=False)
    size = journal.path.stat().st_size / 2**20
    print(f"## A year of records\n\n{runs} runs, {20 * runs} outcomes, {size:.0f} MiB.\n")
    print("| | CPU s | wall s |\n|---|---:|---:|")
    for rows in (commands(records), queries(journal)):
        for name, cpu, wall in rows:
            print(f"| {name} | {cpu:.2f} | {wall:.2f} |", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
