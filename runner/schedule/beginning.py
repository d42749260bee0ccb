"""Beginning what is due: each entry as a process of its own, its output in the log, never twice at a time."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import IO, NamedTuple

from runner.errors import RecordError
from runner.record.journal import open_journal
from runner.schedule.entries import Entry
from runner.schedule.folder import Installed, Memory, ScheduleFolder, Tried
from runner.schedule.log import Log
from runner.schedule.standing import find_standings

LOCKED = 6
CALM = frozenset({0, 3, LOCKED})  # done, waits for a person, another run is at it
TICK_MINUTES, PAGES_MINUTES = 5, 15
MOST_TOLD = 200  # lines of one process

Tell = Callable[[str], None]


class Job(NamedTuple):
    """A process to begin: how it is called, its words after `sop`, and the entry's file that it holds."""

    label: str
    words: tuple[str, ...]
    memory: Memory | None = None


class Beginner:
    """Begins what is due of a working folder's schedule."""

    def __init__(self, records: Path, installed: Installed, log: Log, tell: Tell) -> None:
        self._records = records
        self._installed = installed
        self._log = log
        self._tell = tell

    def begin(self, entries: Sequence[Entry], now: datetime) -> int:
        """Begin what is due and wait for its end; return the first exit code that is not calm, else 0."""
        jobs = [*self._due(entries, now), *self._regular(now)]
        with ThreadPoolExecutor(max(1, len(jobs))) as pool:
            codes = list(pool.map(self._carry_out, jobs))
        return next((code for code in codes if code not in CALM), 0)

    def _due(self, entries: Sequence[Entry], now: datetime) -> Iterator[Job]:
        folder = ScheduleFolder(self._records)
        for entry in entries:
            memory = folder.take(entry.key)
            if memory is None:
                continue
            journal = open_journal(self._records)  # after the file is held: what another process did is seen
            (standing,) = find_standings([entry], journal, self._installed.began, now)
            if standing.slot and standing.due(now, memory.read()):
                memory.write(Tried(standing.slot, now))
                yield Job(entry.label, self._run(entry), memory)
            else:
                memory.close()

    def _run(self, entry: Entry) -> tuple[str, ...]:
        inventories = [word for name in self._installed.inventories for word in ("-i", name)]
        return ("run", str(entry.playbook), "--only", entry.label, "--scheduled", *inventories, *self._kept)

    @property
    def _kept(self) -> tuple[str, str]:
        return ("--records", str(self._records))

    def _regular(self, now: datetime) -> Iterator[Job]:
        if now.minute % TICK_MINUTES == 0 and open_journal(self._records):
            yield Job("tick", ("tick", *self._kept))
        if self._installed.dashboard and now.minute % PAGES_MINUTES == 0 and open_journal(self._records):
            memory = ScheduleFolder(self._records).take("dashboard")
            if memory:
                yield Job("dashboard", ("dashboard", "--out", self._installed.dashboard, *self._kept), memory)

    def _carry_out(self, job: Job) -> int:
        """Do it, and let go of its entry, which others may then begin while the rest still runs."""
        try:
            return self._do(job)
        finally:
            if job.memory:
                job.memory.close()

    def _do(self, job: Job) -> int:
        """Carry out a job, its output into the log; what it says of faults is told too, but not that it must wait."""
        self._write(job.label, f"begins: sop {' '.join(job.words)}")
        held = (job.memory.handle,) if job.memory else ()
        faults: deque[str] = deque(maxlen=MOST_TOLD)
        with subprocess.Popen(  # noqa: S603  # sop itself, its words from the installed schedule
            [sys.executable, "-m", "runner", *job.words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            pass_fds=held,
        ) as process:
            reader = threading.Thread(target=self._pump, args=(process.stdout, job.label, None))
            reader.start()
            self._pump(process.stderr, job.label, faults)
            reader.join()
        code = process.returncode
        self._write(job.label, f"ends, exit code {code}")
        if code == LOCKED:
            if job.memory:
                job.memory.write(None)  # tried again at the next call
            return code
        if faults or code not in CALM:
            self._tell("\n".join([f"{job.label}: exit code {code}. see: {self._log.path}", *faults]))
        return code

    def _pump(self, stream: IO[str] | None, label: str, faults: deque[str] | None) -> None:
        for line in stream or ():
            self._write(label, line)
            if faults is not None:
                faults.append(line.rstrip())

    def _write(self, label: str, text: str) -> None:
        with suppress(RecordError):  # a log that cannot be written stops nothing: the journal says it
            self._log.write(label, text)
