"""`sop schedule`: what runs by itself: when, by what, and whether it did."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import closing
from datetime import datetime, timedelta
from heapq import merge
from itertools import islice
from pathlib import Path
from typing import Any

import click

from runner.commands.clock import take_clock
from runner.commands.installing import Asked, check_root_s_files, install_schedule, remove_schedule
from runner.commands.options import format_option, inventory_option, records_option
from runner.errors import Refused, RunnerError, refuse
from runner.languages import label, labels, language, translate
from runner.messages import WEEKDAYS
from runner.schedule.entries import Entry
from runner.schedule.folder import Installed, ScheduleFolder, Tried
from runner.schedule.standing import PAUSE, Standing
from runner.schedule.watching import Watch, entries_of, render_time, tell_late, tell_silence, watch
from runner.screen import print_json, show, show_paged, width
from runner.screen.tables import one_line, render_table, tell

PROBLEMS = 10
STATES = LATE, MISSED, DUE, OK, NEW = "late", "missed", "due", "ok", "new"
FARTHEST = timedelta(days=400)
Inventories = tuple[Path, ...]


@click.group("schedule")
def command() -> None:
    """What runs by itself, as the playbooks' supplement: schedule: says, by the office's clock."""


@command.command("show", short_help="each entry: last run, next run, whether it is late")
@click.argument("playbooks", nargs=-1, type=click.Path(path_type=Path, readable=False))
@inventory_option()
@records_option()
@format_option()
def show_schedule(playbooks: tuple[Path, ...], inventories: Inventories, records: Path, form: str) -> int:
    """Show when steps run by themselves, when they last did, and what did not run though it should have (exit 10)."""
    now, entries = take_clock().now(), _entries(records, playbooks, inventories)
    found = watch(records, entries, now)
    if form == "json":
        print_json(_document(found, now))
    else:
        parts = [*_told([_head(found)]), "", _table(found, now), *_told(_faults(found, now))]
        show_paged("\n".join(parts))
    return PROBLEMS if found.silent(now) or found.late(now) else 0


@command.command("next", short_help="the coming runs")
@click.argument("playbooks", nargs=-1, type=click.Path(path_type=Path, readable=False))
@click.option("-n", "--count", type=click.IntRange(1, 1000), default=10, help="How many (10).")
@inventory_option()
@records_option()
@format_option()
def show_next(playbooks: tuple[Path, ...], count: int, inventories: Inventories, records: Path, form: str) -> int:
    """List the coming runs in order, with their dates by the office's clock."""
    now, entries = take_clock().now(), _entries(records, playbooks, inventories)
    coming = [[(moment, n) for moment in islice(e.coming(now, now + FARTHEST), count)] for n, e in enumerate(entries)]
    runs = [(moment, entries[n]) for moment, n in islice(merge(*coming), count)]
    if form == "json":
        rows = [{"at": _iso(at, e), "playbook": e.playbook.stem, "steps": [*e.scheduled.steps]} for at, e in runs]
        print_json({"next": rows})
        return 0
    cells = [[_time(at, entry), entry.label, entry.playbook.stem] for at, entry in runs]
    headers = [f"{label('begins')} ({_zone(entries, now)})", *labels("steps", "playbook")]
    show_paged(render_table(headers, cells, width(), whole=1))
    return 0


@command.command("install", short_help="let cron, or systemd, begin what is due")
@click.argument("playbooks", nargs=-1, type=click.Path(path_type=Path, readable=False))
@click.option("--systemd", is_flag=True, help="Write a timer for the user's systemd, not a line for cron.")
@click.option("--dashboard", default="", help="Make the dashboard's pages in this folder too, every 15 minutes.")
@inventory_option()
@records_option()
def install(playbooks: tuple[Path, ...], systemd: bool, dashboard: str, inventories: Inventories, records: Path) -> int:
    """Put one block for this working folder into the crontab: each minute it begins what is due, and each five
    minutes sop tick. Other lines stay as they are. PLAYBOOK names what counts; without one, all of playbooks/."""
    named = [str(each) for each in playbooks]
    folder = Path.cwd()
    check_root_s_files(folder, named, [str(each) for each in inventories])
    entries = entries_of(folder, named, [str(each) for each in inventories])
    if not entries:
        raise refuse(
            "PLAYBOOK", "no playbook has a schedule", "write supplement: schedule: in one, see docs/schedule.md"
        )
    asked = Asked(records, tuple(named), tuple(map(str, inventories)), dashboard, systemd)
    for line in install_schedule(asked, folder, take_clock().now()):
        show(line)
    return 0


@command.command("remove", short_help="nothing runs by itself any more")
@records_option()
def remove(records: Path) -> int:
    """Take this working folder's block out of the crontab, which then is as it was; or its timer from systemd."""
    for line in remove_schedule(records, Path.cwd()):
        show(line)
    return 0


@command.command("begin", hidden=True)
@click.option("--apart", is_flag=True, help="Return at once; what was begun goes on.")
@records_option()
def begin(apart: bool, records: Path) -> int:
    """Begin what is due: what cron calls each minute."""
    from runner.schedule.beginning import Beginner
    from runner.schedule.log import Log

    clock, folder = take_clock(), ScheduleFolder(records)
    now, installed = clock.now(), folder.load()
    if installed is None:
        raise refuse("sop schedule", "it is not installed for this record", "type: sop schedule install")
    folder.note_call()
    if apart and os.fork():
        return 0
    try:
        check_root_s_files(Path(installed.folder), installed.playbooks, installed.inventories)
        entries = entries_of(Path(installed.folder), installed.playbooks, installed.inventories)
    except Refused as refused:
        return _tell_once(folder, refused, now)
    zone = entries[0].zone if entries else None
    log = Log(folder.path, lambda: clock.now().astimezone(zone))
    return Beginner(records, installed, log, lambda text: show(text, err=True)).begin(entries, now)


def _tell_once(folder: ScheduleFolder, refused: Refused, now: datetime) -> int:
    """Say once an hour why nothing can begin, not each minute."""
    memory = folder.take("refused")
    if memory is None:
        return RunnerError.exit_code
    with closing(memory):
        tried = memory.read()
        if not (tried and now - tried.at < PAUSE):
            memory.write(Tried(now, now))
            raise refused
    return RunnerError.exit_code


def _entries(records: Path, playbooks: Sequence[Path], inventories: Inventories) -> list[Entry]:
    """The entries of what was named; without names those that were installed, else the working folder's."""
    installed = ScheduleFolder(records).load()
    named, given = [str(each) for each in playbooks], [str(each) for each in inventories]
    if installed:
        folder, given = Path(installed.folder), given or [*installed.inventories]
        return entries_of(folder, named or installed.playbooks, given)
    return entries_of(Path.cwd(), named, given)


def _told(lines: Sequence[str]) -> list[str]:
    return [each for line in lines for each in tell(line, width(), indent="  ")]


def _head(found: Watch) -> str:
    installed = found.installed
    if installed is None:
        return "not installed: nothing runs by itself. to change that: sop schedule install"
    called = f"last called {_ago(found.called)}" if found.called else "has not called yet"
    return f"{installed.folder}: by {installed.by}, which {called}"


def _ago(moment: datetime) -> str:
    from runner.durations import render_duration

    seconds = max(0.0, (take_clock().now() - moment).total_seconds())
    return f"{render_duration(seconds, language())} ago" if seconds >= 1 else "just now"


def _table(found: Watch, now: datetime) -> str:
    if not found.standings:
        return translate("no playbook has a schedule")
    zone = _zone([each.entry for each in found.standings], now)
    headers = [*labels("steps", "last run"), f"{label('next')} ({zone})", label("state")]
    notes = [one_line(each.entry.scheduled.note or each.entry.scheduled.cron) for each in found.standings]
    return render_table(headers, [_row(each, now) for each in found.standings], width(), notes, whole=1)


def _row(standing: Standing, now: datetime) -> list[str]:
    entry, last = standing.entry, standing.last
    began = _time(last.at, entry) if last else label("never")
    coming = _time(standing.next, entry) if standing.next else label("never")
    return [entry.label, began, coming, label(_state(standing, now))]


def _time(moment: datetime, entry: Entry) -> str:
    """A moment by the office's clock, its weekday in the language of screens."""
    day = WEEKDAYS[moment.astimezone(entry.zone).weekday()]
    return render_time(moment, entry).replace(day.en[:3], getattr(day, language())[:3], 1)


def _state(standing: Standing, now: datetime) -> str:
    if standing.late(now):
        return LATE if standing.entry.scheduled.made_up else MISSED
    return (DUE if not standing.done else OK) if standing.last or standing.slot else NEW


def _faults(found: Watch, now: datetime) -> list[str]:
    faults = [tell_silence(found)] if found.silent(now) else []
    faults += [tell_late(each) for each in found.late(now)]
    return ["", *faults] if faults else []


def _document(found: Watch, now: datetime) -> dict[str, Any]:
    installed: Installed | None = found.installed
    return {
        "at": now.isoformat(),
        "installed": None if installed is None else {"folder": installed.folder, "by": installed.by},
        "called": found.called.isoformat() if found.called else None,
        "silent": found.silent(now),
        "entries": [_describe(each, now) for each in found.standings],
    }


def _describe(standing: Standing, now: datetime) -> dict[str, Any]:
    entry, last = standing.entry, standing.last
    return {
        "playbook": entry.playbook.stem,
        "steps": list(entry.scheduled.steps),
        "cron": entry.scheduled.cron,
        "delay_seconds": int(entry.delay.total_seconds()),
        "missed": "run" if entry.scheduled.made_up else "skip",
        "last": {"run": last.run, "began": _iso(last.at, entry)} if last else None,
        "next": _iso(standing.next, entry) if standing.next else None,
        "state": _state(standing, now),
    }


def _iso(moment: datetime, entry: Entry) -> str:
    return moment.astimezone(entry.zone).isoformat()


def _zone(entries: Sequence[Entry], now: datetime) -> str:
    return now.astimezone(entries[0].zone).strftime("%Z") if entries else "UTC"
