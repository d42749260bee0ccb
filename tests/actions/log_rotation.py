"""A log that is written and rotated as servers do it, and a record of fetches and scans that counts its lines."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from runner.actions import ACTIONS
from runner.actions.logs.succession import check
from runner.contract import Command, Connection, Outcome, Result
from runner.durations import Deadline
from tests.calls import NOW, LocalConnection, make_call

FETCH = ACTIONS["logs.fetch"]
WIB = timezone(timedelta(hours=7))
PACKERS: Mapping[str, Callable[[bytes], bytes]] = {
    "gz": lambda data: gzip.compress(data, 6),
    "bz2": bz2.compress,
    "xz": lambda data: lzma.compress(data, preset=0),
    "zst": lambda data: subprocess.run(["zstd", "-qc"], input=data, capture_output=True, check=True).stdout,
}
LONG_AGO = NOW - timedelta(days=3)


class Server:
    """A log in a folder; `written` are all lines that were ended in it. A clock of its own gives each file its time."""

    def __init__(self, folder: Path, name: str = "access.log") -> None:
        self.folder = folder
        self.log = folder / name
        self.written: list[bytes] = []
        self.seconds = 0
        self._half = b""
        self._sent = 0
        folder.mkdir(parents=True, exist_ok=True)
        self.log.touch()

    def now(self) -> datetime:
        """The server's time; each question is a second later."""
        self.seconds += 1
        return LONG_AGO + timedelta(seconds=self.seconds)

    def write(self, count: int = 1, *, into: Path | None = None, padding: int = 0) -> None:
        """Write whole lines; the first ends one that was left unfinished."""
        with (into or self.log).open("ab") as file:
            for _ in range(count):
                line = self._half or self.line(padding)
                file.write(line[len(self._half) and self._sent :] + b"\n")
                self.written.append(line)
                self._half = b""
        self._sent = 0
        self.touch(into or self.log)

    def write_half(self) -> None:
        """Begin a line, and leave it unfinished."""
        if not self._half:
            self._half = self.line()
            self._sent = len(self._half) // 2
            with self.log.open("ab") as file:
                file.write(self._half[: self._sent])
            self.touch(self.log)

    @property
    def unfinished(self) -> bool:
        """Whether a line waits for its end."""
        return bool(self._half)

    def line(self, padding: int = 0) -> bytes:
        """A line that was never written before."""
        stamp = self.now().astimezone(WIB).strftime("%d/%b/%Y:%H:%M:%S %z")
        target = f"/berita/{self.seconds}?{'x' * padding}"
        return f'192.0.2.{self.seconds % 250} - - [{stamp}] "GET {target} HTTP/1.1" 200 512 "-" "Mozilla"'.encode()

    def touch(self, path: Path) -> None:
        """Give a file the server's time."""
        stamp = self.now().timestamp()
        os.utime(path, (stamp, stamp))

    def rename(self, *, pack: str = "", delay: bool = False, keep: int = 60) -> None:
        """Rotate by renaming: access.log.1, .2 …; packed at once, or (`delay`) one rotation later."""
        self._shift(keep)
        first = self.log.with_name(self.log.name + ".1")
        self.log.rename(first)
        self.log.touch()
        self.touch(self.log)
        if pack:
            self.pack(self.log.with_name(self.log.name + (".2" if delay else ".1")), pack)

    def copy_and_truncate(self, *, pack: str = "", keep: int = 60) -> None:
        """Rotate by copying and emptying, as for programs that cannot open their log anew."""
        self._shift(keep)
        first = self.log.with_name(self.log.name + ".1")
        shutil.copyfile(self.log, first)
        self.touch(first)
        os.truncate(self.log, 0)
        self.touch(self.log)
        if pack:
            self.pack(first, pack)

    def by_date(self, *, pack: str = "") -> None:
        """Rotate into a name with a date, access.log-20261119."""
        first = self.log.with_name(f"{self.log.name}-{self.now():%Y%m%d%H%M%S}")
        self.log.rename(first)
        self.log.touch()
        self.touch(self.log)
        if pack:
            self.pack(first, pack)

    def pack(self, path: Path, kind: str) -> None:
        """Pack a file where it lies, keeping its time."""
        if path.exists():
            packed = path.with_name(f"{path.name}.{kind}")
            packed.write_bytes(PACKERS[kind](path.read_bytes()))
            shutil.copystat(path, packed)
            path.unlink()

    def _shift(self, keep: int) -> None:
        """access.log.1.gz becomes access.log.2.gz; beyond `keep` files go."""
        old = [path for path in self.folder.iterdir() if path.name.startswith(f"{self.log.name}.")]
        numbered = sorted(
            ((int(path.name[len(self.log.name) + 1 :].split(".")[0]), path) for path in old), reverse=True
        )
        for number, path in numbered:
            ending = path.name[len(self.log.name) + 1 :].partition(".")[2]
            if number >= keep:
                path.unlink()
            else:
                path.rename(self.log.with_name(f"{self.log.name}.{number + 1}" + (f".{ending}" if ending else "")))


class Office:
    """Fetches and scans, and the record of those that ended. What was scanned is counted."""

    def __init__(self, folder: Path, path: str | Sequence[str], connect: Callable[[], Connection] = LocalConnection):
        self.folder = folder
        self.path = path
        self.connect = connect
        self.record: list[tuple[str, Mapping[str, Any]]] = []
        self.counted: Counter[bytes] = Counter()
        self.order: list[bytes] = []
        folder.mkdir(parents=True, exist_ok=True)

    def fetch(self, *, recorded: bool = True, **inputs: Any) -> Outcome:
        """Fetch; `recorded` tells that the machine lived until the outcome was in the journal."""
        given = {"path": self.path, "stale_after": "366 hari", "since": "366 hari", **inputs}
        outcome = FETCH.run(make_call(FETCH, given, directory=self.folder, past=self.record, connect=self.connect))
        if recorded:
            self.record.append(("logs.fetch", outcome.outputs))
        return outcome

    def scan(self, increment: Mapping[str, Any], *, recorded: bool = True) -> None:
        """Read an increment to its end, as a scan does; only what is recorded counts."""
        call = make_call(FETCH, {"path": "/x"}, directory=self.folder, past=self.record)
        check(call._replace(inputs={"increment": increment}))
        data = call.record.evidence(increment["sha256"])
        lines = gzip.decompress(data).split(b"\n")
        assert lines.pop() == b""
        assert len(lines) == increment["lines"]
        if recorded:
            self.record.append(("logs.scan", {"increment": increment}))
            self.counted.update(lines)
            self.order += lines

    def work(self, **inputs: Any) -> Outcome:
        """Fetch and scan, nothing goes wrong."""
        outcome = self.fetch(**inputs)
        self.scan(outcome.outputs["increment"])
        return outcome


class AsNobody(LocalConnection):
    """Runs each command as a user who may read little; only root can have it."""

    def run(self, command: Command, deadline: Deadline) -> Result:
        """Run the command to its end."""
        words = ("runuser", "-u", "nobody", "--", "sh", "-c", command.line, "sh", *command.parameters)
        return super().run(Command(argv=words, output_limit=command.output_limit), deadline)
