"""Where a backup of files is made: a folder beside the sets, which a run that was cut off leaves to the next one."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

from runner.actions.backup.filelist import DELETIONS, LIST, end_of_unchanged, render_kept, render_path, write_lines
from runner.actions.backup.known import Known
from runner.actions.backup.ledger import Ledger
from runner.actions.backup.pace import PROGRESS
from runner.actions.backup.scripts import Cut, Steps, dump_steps
from runner.actions.backup.storage import PARTIAL, Stored, sync_folder, write_whole
from runner.actions.backup.volumes import Volume, Volumes
from runner.durations import Deadline
from runner.errors import Failed

SETTINGS, LEDGER = "settings.json", "ledger.sqlite"
_LEDGER_FILES = (LEDGER, f"{LEDGER}-wal", f"{LEDGER}-shm")
STEPS = "steps.json"
PARTS = "parts"
FORGOTTEN = 3 * 86400.0  # seconds


class Papers(NamedTuple):
    """The lists that belong to the volumes, and how many entries and bytes of files they name."""

    listed: Stored
    deleted: Stored | None
    entries: int
    size: int
    vanished: Sequence[bytes]


class Workspace:
    """A folder with the volumes, the lists and the ledger of one backup of files. Raise Failed."""

    def __init__(self, path: Path, settings: Mapping[str, Any]) -> None:
        self.path = path
        self._closed = False
        self.resumed = _settings_of(path) == settings
        try:
            if not self.resumed:
                shutil.rmtree(path, ignore_errors=True)
                path.mkdir(mode=0o700)
        except OSError as error:
            raise Failed(f"{path}: cannot be made: {error.strerror}. check the destination's disk") from None
        self.ledger = self._open_ledger()
        write_whole(path / SETTINGS, json.dumps(settings).encode())
        self.volumes = Volumes(path, self.ledger)

    def _open_ledger(self) -> Ledger:
        """Open the ledger; one that a power cut has spoilt is begun anew."""
        try:
            return Ledger(self.path / LEDGER)
        except Failed:
            for name in _LEDGER_FILES:
                (self.path / name).unlink(missing_ok=True)
            return Ledger(self.path / LEDGER)

    def finish(self, parent: str, known: Known, deadline: Deadline) -> tuple[list[Volume], Papers]:
        """End the volumes, read them back and write the lists. `parent` is the set that unchanged entries lie in, ""
        without one; of many of them nothing but what is `known` was noted. Raise NotAccepted where a volume is not what
        was written, TimeUp."""
        volumes, ledger = self.volumes.finish(deadline), self.ledger
        entries = known.entries

        def lines() -> Iterable[bytes]:
            nonlocal entries
            yield from known.unchanged(end_of_unchanged(parent))
            for kept in ledger.kept():
                entries += 1
                yield render_kept(kept, parent)

        listed = write_lines(self.path / LIST, lines())
        deletions = write_lines(self.path / DELETIONS, map(render_path, ledger.deleted())) if parent else None
        write_whole(self.path / STEPS, dump_steps(Steps(ledger.replaced(), ledger.left_over(), cut_of(ledger))))
        lost = ledger.lost()
        return volumes, Papers(listed, deletions, entries, ledger.listed()[1] + known.size, lost)

    def keep(self, path: Path) -> Path:
        """Give the folder its name: what is in it is whole."""
        self._closed = True
        self.volumes.close()
        self.ledger.close()
        for name in (*_LEDGER_FILES, SETTINGS, PROGRESS):
            (self.path / name).unlink(missing_ok=True)
        try:
            sync_folder(self.path)
            self.path.rename(path)
            sync_folder(path.parent)
        except OSError as error:
            raise Failed(f"{path}: cannot be kept: {error.strerror}. check the destination's disk") from None
        return path

    def close(self) -> None:
        """Let go of the files; what was stored stays for the next run, where there is any of it."""
        if not self._closed:
            stored = bool(self.ledger.frames())
            self._closed = True
            self.volumes.close()
            self.ledger.close()
            if not stored:
                shutil.rmtree(self.path, ignore_errors=True)

    def __enter__(self) -> Workspace:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def workspace_path(folder: Path, what: str) -> Path:
    """Given the target's folder and what is copied, return where that is done."""
    return folder / f"{what}{PARTIAL}"


def clear_forgotten(folder: Path) -> None:
    """Remove parts in the target's folder that were made days ago and never sealed."""
    for path in folder.glob(f"*.{PARTS}"):
        with suppress(OSError):
            if path.stat().st_mtime < time.time() - FORGOTTEN:
                shutil.rmtree(path)


def _settings_of(path: Path) -> Any:
    try:
        return json.loads((path / SETTINGS).read_bytes())
    except (OSError, ValueError):
        return None


def cut_of(ledger: Ledger) -> list[Cut]:
    """The files that are larger than a volume."""
    return [
        Cut(kept.path, json.loads(kept.slices)[0]["name"].rpartition(".")[0], kept.mode, kept.mtime_ns // 10**9)
        for kept in ledger.sliced()
    ]
