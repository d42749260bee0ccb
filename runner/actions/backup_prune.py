"""backup.prune: removes old sets by days, weeks, months and years, and never what is proved or still needed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from runner.actions.backup.checking import check_stored
from runner.actions.backup.keeping import Keep, why_kept
from runner.actions.backup.part import DESTINATION, part_folder
from runner.actions.backup.sets import BackupSet, Shelf, spoilt
from runner.actions.backup.shelf import SEAL, open_shelf, recall
from runner.actions.backup.storage import locked, sync_folder
from runner.actions.backup.verdict import reading
from runner.contract import FINISHED_WELL, Action, Call, Effect, Outcome, Preview, Reach, Repeat, Status
from runner.errors import Failed
from runner.messages import render_size

GOING = ".dihapus"


class Choice(NamedTuple):
    """What goes, oldest first, and why each of the others stays."""

    going: list[BackupSet]
    kept: Mapping[str, list[str]]
    rule: str


def run(call: Call) -> Outcome:
    """Remove what no rule keeps, after the newest set was read again. Raise Failed where the last backup was bad."""
    folder = part_folder(call)
    if not folder.is_dir():
        return Outcome(Status.OK, _outputs(Choice([], {}, "")), message=f"{folder}: there are no sets")
    with locked(folder, "backup.prune"):
        shelf = open_shelf(call)
        choice = _choose(call, shelf)
        if choice.going:
            _check_newest(call, shelf)
        _finish_earlier(folder)
        for each in choice.going:
            _remove(each)
    return Outcome(Status.CHANGED if choice.going else Status.OK, _outputs(choice), message=f"removed {_say(choice)}")


def preview(call: Call) -> Preview:
    """Say what would go and why, and why the others stay. Raise Failed where the last backup was no good."""
    choice = _choose(call, open_shelf(call))
    lines = [f"would remove {_say(choice)}", *(f"  goes: {each.name}: {choice.rule}" for each in choice.going)]
    lines += [f"  stays: {name}: {', '.join(why)}" for name, why in choice.kept.items()]
    return Preview("\n".join(lines), changes=bool(choice.going))


def _choose(call: Call, shelf: Shelf) -> Choice:
    _check_last_run(call, shelf)
    keep = Keep(*(call.inputs[name] for name in ("daily", "weekly", "monthly", "yearly", "least")))
    reasons = why_kept(shelf, keep, recall(call).newest_proved(shelf), call.now, call.zone)
    going = [each for each in shelf.sets if not reasons[each.name]]
    rule = f"no rule keeps it (daily {keep.daily}, weekly {keep.weekly}, monthly {keep.monthly}, yearly {keep.yearly})"
    return Choice(going, {name: why for name, why in reversed(list(reasons.items())) if why}, rule)


def _check_last_run(call: Call, shelf: Shelf) -> None:
    """A streak of failures must not make the last good sets go."""
    if shelf.faults:
        names = ", ".join(fault.name for fault in shelf.faults)
        raise Failed(f"nothing is removed while a set cannot be read: {names}. see backup.verify, and move it away")
    sealed = call.record.outcomes(SEAL)
    if not sealed:
        return
    last = sealed[-1]
    name = Path(str((last["outputs"] or {}).get("set", ""))).name
    if last["status"] not in FINISHED_WELL:
        raise Failed("nothing is removed: the last backup failed. make a good one first")
    if name and name not in {each.name for each in shelf.sets}:
        raise Failed(f"nothing is removed: the last set, {name}, is not there. is the right disk mounted?")


def _check_newest(call: Call, shelf: Shelf) -> None:
    assert shelf.newest
    chain = shelf.chain(shelf.newest)
    for fault in check_stored(chain.values(), call.deadline):
        words = f"{fault.name} {fault.indonesian}", f"nothing is removed: {fault.name}: {fault.english}"
        raise spoilt(shelf.newest.folder, *words)


def _remove(each: BackupSet) -> None:
    """Take the set its name first: half of one is none."""
    gone = each.folder.with_name(each.name + GOING)
    try:
        each.folder.rename(gone)
        sync_folder(gone.parent)
        shutil.rmtree(gone)
    except OSError as error:
        raise Failed(f"{each.name}: cannot be removed: {error.strerror}. check the destination's rights") from None


def _finish_earlier(folder: Path) -> None:
    """Remove what an earlier run was cut off while removing."""
    for name in os.listdir(folder):
        if name.endswith(GOING) and not (folder / name).is_symlink():
            shutil.rmtree(folder / name, ignore_errors=True)


def _outputs(choice: Choice) -> dict[str, Any]:
    return {
        "removed": [each.name for each in choice.going],
        "kept": [{"set": name, "why": list(why)} for name, why in choice.kept.items()],
        "freed_bytes": sum(each.manifest["total_bytes"] for each in choice.going),
    }


def _say(choice: Choice) -> str:
    if not choice.going:
        return f"nothing: {len(choice.kept)} sets stay"
    size = render_size(sum(each.manifest["total_bytes"] for each in choice.going), "en")
    return f"{len(choice.going)} sets, {size}; {len(choice.kept)} stay"


def _count(description: str, default: int, example: int, least: int = 0) -> dict[str, Any]:
    text = {"description": description, "type": "integer", "minimum": least, "maximum": 1000}
    return {**text, "default": default, "examples": [example]}


ACTION = Action(
    name="backup.prune",
    description="Removes old sets: keeps the newest of so many days, weeks, months and years, and always the newest, "
    "the last proved, what a kept one needs, and 90 days those around a repair or a restore.",
    inputs={
        "daily": _count("Of how many days with a set the newest one is kept", 7, 14),
        "weekly": _count("Of how many weeks", 4, 8),
        "monthly": _count("Of how many months", 12, 24),
        "yearly": _count("Of how many years", 5, 10),
        "least": _count("How many of the newest sets are kept in any case", 3, 5, 1),
        "destination": DESTINATION,
    },
    outputs={
        "removed": {
            "type": "array",
            "items": {"type": "string"},
            "description": "The sets that were removed, oldest first",
            "examples": [["WEB-PN-TAIS-2025-11-22-013000-P"]],
        },
        "kept": {
            "type": "array",
            "items": {"type": "object"},
            "description": "The sets that stay, oldest first: set, why",
            "examples": [[{"set": "WEB-PN-TAIS-2026-11-22-013000-P", "why": ["newest", "daily"]}]],
        },
        "freed_bytes": {
            "type": "integer",
            "description": "Size of what was removed, in bytes",
            "examples": [931000000],
        },
    },
    effect=Effect.CHANGE,
    repeat=Repeat.SAFE,
    reach=Reach.CONTROLLER,
    limit="2h",
    run=reading("backup.prune", run),
    preview=preview,
    targets=("website", "server", ""),
    example="""\
- id: prune
  action: backup.prune
  with: {daily: 14, weekly: 8}
""",
)
