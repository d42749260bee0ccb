"""Putting a working folder's schedule into cron or systemd, and taking it out again."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from runner.errors import Refused
from runner.inventory import load_inventory
from runner.own.writers import check_writers
from runner.schedule import crontab, units
from runner.schedule.folder import Installed, ScheduleFolder
from runner.schedule.watching import files_of

CRON, SYSTEMD = "cron", "systemd"


def check_root_s_files(folder: Path, playbooks: Sequence[str], inventories: Sequence[str]) -> None:
    """Given what root's schedule names, raise Refused where others than root may write playbooks or inventory."""
    if os.geteuid() != 0:
        return
    files, found = files_of(folder, playbooks, inventories)
    beside = [path for file in files for path in file.parent.glob("*.yml")]
    inside = [path for each in found for path in (each.rglob("*") if each.is_dir() else _with_variables(each))]
    checked = dict.fromkeys(path for path in (*files, *beside, *found, *inside) if path.exists())
    if mistakes := dict.fromkeys(mistake for path in checked for mistake in check_writers(path)):
        raise Refused(*mistakes)


def _with_variables(inventory: Path) -> Iterator[Path]:
    for name in ("group_vars", "host_vars"):
        yield from (inventory.parent / name).rglob("*")


class Asked(NamedTuple):
    """What is to be installed: the record, playbooks and inventories as named, the pages' folder, and by what."""

    records: Path
    playbooks: tuple[str, ...]
    inventories: tuple[str, ...]
    dashboard: str
    systemd: bool


def install_schedule(asked: Asked, folder: Path, now: datetime) -> Iterator[str]:
    """Install, in place of what was installed for this folder; yield what to say. Raise Refused."""
    kept = ScheduleFolder(asked.records)
    before, place = kept.load(), str(folder)
    if before and before.by == SYSTEMD and not asked.systemd:
        units.remove_units(place)
    if asked.systemd:
        if before and before.by == CRON:
            _take_out(before)
        todo = _install_units(asked, place)
        yield f"{units.unit_folder() / units.unit_name(place)}.timer: written{'' if todo else ', and started'}"
        yield from [f"to start it: {todo}"] if todo else []
        yield "so that it runs while you are not logged in: loginctl enable-linger"
    alone = bool(before and before.by == CRON and before.alone)
    if not asked.systemd:
        found = crontab.load_crontab()
        alone = found is None or (alone and crontab.has_block(found, place))
        block = crontab.render_block(place, _words(asked), environment())
        crontab.save_crontab(crontab.replace_block(found or "", place, block))
        yield f"{place}: one block in the crontab; other lines are as they were"
    since = before.since if before and before.folder == place else now.isoformat()
    by = SYSTEMD if asked.systemd else CRON
    kept.save(Installed(place, since, by, asked.playbooks, asked.inventories, asked.dashboard, alone))
    yield from _notes(asked)
    yield "what comes: sop schedule next. whether it came: sop schedule show"


def remove_schedule(records: Path, folder: Path) -> Iterator[str]:
    """Take out what was installed for this folder; yield what to say. Raise Refused."""
    kept = ScheduleFolder(records)
    installed = kept.load()
    if installed is None:
        yield "it is not installed: nothing to remove"
        return
    if installed.by == SYSTEMD:
        units.remove_units(installed.folder)
    else:
        _take_out(installed)
    kept.forget()
    yield f"{installed.folder}: nothing runs by itself any more"


def environment() -> list[tuple[str, str]]:
    """What scheduled runs have around them; cron itself gives next to nothing."""
    language = os.environ.get("LANG") or "C.UTF-8"
    settings = [("PATH", crontab.path_for_cron(Path(sys.executable))), ("LANG", language), ("HOME", str(Path.home()))]
    return settings + [(name, os.environ[name]) for name in ("SOP_LANG",) if os.environ.get(name)]


def _install_units(asked: Asked, folder: str) -> str:
    return units.write_units(units.render_units(folder, [*_words(asked), "--apart"], environment()))


def _take_out(installed: Installed) -> None:
    found = crontab.load_crontab()
    if found is None:
        return
    left = crontab.replace_block(found, installed.folder, "")
    if left != found:
        crontab.save_crontab(None if installed.alone and not left else left)


def _words(asked: Asked) -> list[str]:
    program = Path(sys.executable).parent / "sop"
    start = [str(program)] if program.exists() else [sys.executable, "-m", "runner"]
    return [*start, "schedule", "begin", "--records", str(asked.records)]


def _notes(asked: Asked) -> Iterator[str]:
    """What scheduled runs will miss: secrets that stand in this terminal's environment only."""
    paths = tuple(map(Path, asked.inventories)) or tuple(
        p for p in map(Path, ("inventory", "inventory.yml")) if p.exists()
    )
    for name, place in load_inventory(paths[: len(asked.inventories) or 1]).secrets.items():
        if "env" in place:
            cure = f"write {{file: ~/.config/sop/{name}}}"
            yield f"note: the secret '{name}' comes from {place['env']}, which scheduled runs do not have. {cure}"
