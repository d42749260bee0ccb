"""The dead man's check: whether cron still calls, and whether everything ran that should have."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from runner.errors import RunnerError, refuse
from runner.record.journal import open_journal
from runner.schedule.entries import Entry, load_entries
from runner.schedule.folder import Installed, ScheduleFolder
from runner.schedule.standing import SILENCE, Standing, find_standings

INVENTORIES = ("inventory", "inventory.yml")


class Watch(NamedTuple):
    """How the schedule of a record stands: how it was installed (None: not), when cron last called, each entry."""

    installed: Installed | None
    called: datetime | None
    standings: tuple[Standing, ...]

    def silent(self, now: datetime) -> bool:
        """Whether cron should have called, and did not."""
        return self.installed is not None and now - (self.called or self.installed.began) > SILENCE

    def late(self, now: datetime) -> tuple[Standing, ...]:
        """What should have begun, and did not."""
        return tuple(each for each in self.standings if each.late(now))


def files_of(folder: Path, playbooks: Sequence[str], inventories: Sequence[str]) -> tuple[list[Path], list[Path]]:
    """Given a working folder and what was named (none: the folder's own), return playbooks and inventories. Raise
    Refused."""
    base = Path() if folder == Path.cwd() else folder
    files = [base / name for name in playbooks] or sorted(base.joinpath("playbooks").glob("*.yml"))
    found = [base / name for name in inventories] or [base / name for name in INVENTORIES if (base / name).exists()][:1]
    if not files:
        raise refuse("PLAYBOOK", f"there is no playbooks/*.yml in {folder}", "name a playbook")
    if not found:
        raise refuse("--inventory", f"there is no inventory/ or inventory.yml in {folder}", "name one with -i")
    return files, found


def entries_of(folder: Path, playbooks: Sequence[str], inventories: Sequence[str]) -> list[Entry]:
    """Given a working folder and what was named (none: the folder's own), return the entries. Raise Refused."""
    files, found = files_of(folder, playbooks, inventories)
    return load_entries(files, tuple(found), folder)


def watch(records: Path, entries: Sequence[Entry], now: datetime) -> Watch:
    """Given a record and its entries, return how they stand."""
    folder = ScheduleFolder(records)
    installed = folder.load()
    since = installed.began if installed else None
    return Watch(installed, folder.called, tuple(find_standings(entries, open_journal(records), since, now)))


def find_silence(records: Path, now: datetime) -> Iterator[str]:
    """Given a record, yield what its installed schedule should have done and did not, a line each."""
    try:
        installed = ScheduleFolder(records).load()
        if installed is None:
            return
        entries = entries_of(Path(installed.folder), installed.playbooks, installed.inventories)
        found = watch(records, entries, now)
    except (RunnerError, ValueError) as error:
        yield f"the schedule cannot be read: {str(error).splitlines()[0]}"
        return
    if found.silent(now):
        yield f"{tell_silence(found)}. see: sop schedule show"
    for each in found.late(now):
        yield f"{tell_late(each)}. see: sop schedule show"


def tell_silence(found: Watch) -> str:
    """That cron does not call any more."""
    by = found.installed.by if found.installed else "cron"
    return f"{by} has not called since {_moment(found.called, found)}" if found.called else f"{by} has never called"


def tell_late(standing: Standing) -> str:
    """That an entry did not run."""
    entry = standing.entry
    since = render_time(standing.last.at, entry) if standing.last else "it was installed"
    asked = f", due {render_time(standing.slot, entry)}" if standing.slot else ""
    return f"no run of {entry.label} ({entry.playbook.stem}) since {since}{asked}"


def render_time(moment: datetime, entry: Entry) -> str:
    """A moment by the office's clock: "Mon 2026-11-23 08:00"."""
    return moment.astimezone(entry.zone).strftime("%a %Y-%m-%d %H:%M")


def _moment(moment: datetime, found: Watch) -> str:
    return render_time(moment, found.standings[0].entry) if found.standings else moment.isoformat(timespec="minutes")
