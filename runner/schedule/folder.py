"""What the schedule keeps beside the journal: what was installed, when cron last called, what was tried."""

from __future__ import annotations

import fcntl
import json
import os
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, NamedTuple

from runner.errors import RecordError
from runner.files import write_whole
from runner.record.folder import disk_errors, make_folder

NAME = "schedule"


@dataclass(frozen=True, slots=True)
class Installed:
    """How the schedule was installed: for which working folder, since when (ISO), by what ("cron" or "systemd"), for
    which playbooks and inventories (none: the folder's own), with pages in which folder ("": none), and whether there
    was no crontab before."""

    folder: str
    since: str
    by: str = "cron"
    playbooks: tuple[str, ...] = ()
    inventories: tuple[str, ...] = ()
    dashboard: str = ""
    alone: bool = False

    @property
    def began(self) -> datetime:
        """When it was first installed."""
        return datetime.fromisoformat(self.since)


class Tried(NamedTuple):
    """Which moment of the schedule was last tried, and when."""

    slot: datetime
    at: datetime


class Memory:
    """An entry's file, held by one process at a time; whatever inherits its handle holds it on."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file

    @property
    def handle(self) -> int:
        """The open file's number."""
        return self._file.fileno()

    def close(self) -> None:
        """Let go of it."""
        self._file.close()

    def read(self) -> Tried | None:
        """What was last tried; None where nothing, or nothing legible, is there."""
        self._file.seek(0)
        try:
            slot, at = json.loads(self._file.read())
            return Tried(datetime.fromisoformat(slot), datetime.fromisoformat(at))
        except (ValueError, TypeError):
            return None

    def write(self, tried: Tried | None) -> None:
        """Keep what was tried; None forgets it."""
        self._file.seek(0)
        self._file.truncate()
        self._file.write(json.dumps([each.isoformat() for each in tried]) if tried else "")
        self._file.flush()


class ScheduleFolder:
    """The folder `schedule/` of a record."""

    def __init__(self, records: Path) -> None:
        self.path = records / NAME

    @property
    def is_installed(self) -> bool:
        """Whether the schedule was installed."""
        return (self.path / "installed.json").exists()

    def load(self) -> Installed | None:
        """How the schedule was installed; None where it was not. Raise RecordError for a file that cannot be read."""
        path = self.path / "installed.json"
        if not self.is_installed:
            return None
        try:
            written: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            lists = {name: tuple(each) for name, each in written.items() if isinstance(each, list)}
            return Installed(**{**written, **lists})
        except (OSError, ValueError, TypeError, AttributeError) as error:
            raise RecordError(f"{path}: cannot be read: {error}. install it again: sop schedule install") from error

    def save(self, installed: Installed) -> None:
        """Keep how it was installed."""
        make_folder(self.path)
        path = self.path / "installed.json"
        with disk_errors(path):
            write_whole(path, f"{json.dumps(asdict(installed), indent=1)}\n".encode(), mode=0o644)

    def forget(self) -> None:
        """It is not installed any more."""
        with disk_errors(self.path):
            (self.path / "installed.json").unlink(missing_ok=True)
            (self.path / "called").unlink(missing_ok=True)

    def note_call(self) -> None:
        """Cron has called."""
        make_folder(self.path)
        with disk_errors(self.path / "called"):
            (self.path / "called").touch()

    @property
    def called(self) -> datetime | None:
        """When cron last called."""
        try:
            return datetime.fromtimestamp((self.path / "called").stat().st_mtime, UTC)
        except OSError:
            return None

    def take(self, key: str) -> Memory | None:
        """Hold an entry's file until it is closed; None where another process, or what it began, holds it."""
        make_folder(self.path)
        path = self.path / f"{key}.entry"
        with disk_errors(path):
            file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o660), "r+", encoding="utf-8")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return None
        return Memory(file)
