"""Which medium a copy goes to, and what is said where it cannot go there now: none is named, or a disk is put away."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from runner.actions.backup.disks import MISSING
from runner.actions.backup.media import DISK, KINDS, WORDS
from runner.actions.backup.shelf import MEDIA
from runner.actions.backup.verdict import NotAccepted
from runner.contract import FINISHED_WELL, Call, Outcome, Problem, Severity, Status
from runner.messages import render_date

NAMED = "medium"  # the input that holds one of the others
UNNAMED = Problem(
    "backup.media.unnamed",
    Severity.MINOR,
    "Media backup belum ditetapkan: perangkat backup hanya tersimpan di komputer ini. Mohon Admin Website menetapkan "
    "hardisk, komputer lain, atau cakram pada `backup_media` dalam inventaris.",
)
NOTHING: Mapping[str, Any] = {
    "set": "",
    "sets": [],
    "manifest_sha256": "",
    "medium": "none",
    "label": "",
    "place": "",
    "files": 0,
    "bytes": 0,
    "recheck_due": "",
    "reminder": "",
    "images": [],
}


def take_named(call: Call) -> tuple[Call, str]:
    """Given a call, return it with the one medium that it names as an input of its own, and that input's name; "" where
    none is named."""
    inputs = {**call.inputs, **call.inputs.get(NAMED, {})}
    return call._replace(inputs=inputs), next((kind for kind in KINDS if kind in inputs), "")


def say_unnamed() -> Outcome:
    """Ask for a medium: nothing was copied."""
    told = {**NOTHING, "reminder": UNNAMED.message, "summary": "belum disalin (media backup belum ditetapkan)"}
    message = "nothing was copied: no medium is named. name one under `backup_media` in the inventory's vars"
    return Outcome(Status.OK, told, problems=(UNNAMED,), message=message)


def say_put_away(call: Call, error: NotAccepted) -> Outcome:
    """Given why a disk cannot be written, say that its turn has not come, where it was written in the last days.
    Raise the error where it is due, or is another one."""
    written = _last_written(call)
    days = timedelta(days=call.inputs["every_days"])
    if error.key != MISSING or written is None or call.now - written >= days:
        raise error
    last, due = (render_date(at.astimezone(call.zone).date(), "id") for at in (written, written + days))
    name = f"{WORDS[DISK]} {call.inputs[DISK]}"
    summary = f"{name} tidak terpasang; terakhir disalin {last}, disalin lagi paling lambat {due}"
    reminder = f"Pasang {name} paling lambat {due}, lalu jalankan langkah ini lagi."
    message = f"nothing was copied: disk '{call.inputs[DISK]}' is not connected, and not due before {due}"
    return Outcome(Status.OK, {**NOTHING, "reminder": reminder, "summary": summary}, message=message)


def _last_written(call: Call) -> datetime | None:
    """When the disk was written last, as far as the record knows."""
    times = [
        datetime.fromisoformat(outcome["at"])
        for outcome in call.record.outcomes(MEDIA)
        if outcome["status"] in FINISHED_WELL
        and (outcome["outputs"] or {}).get("sets")
        and outcome["outputs"]["label"] == call.inputs[DISK]
    ]
    return max(times, default=None)
