"""backup.files: copies a folder of the target's server to this machine: all of it, or what changed since a full set."""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping
from contextlib import closing
from secrets import token_hex
from typing import Any

from runner.actions.backup.files import copy_files, opened, survey_tree
from runner.actions.backup.ftps_inputs import FTPS
from runner.actions.backup.ledger import Ledger
from runner.actions.backup.parents import find_parent, note_parent
from runner.actions.backup.part import (
    ACCEPT_SMALLER,
    DESTINATION,
    PART,
    check_folder,
    make_folder,
    part_folder,
)
from runner.actions.backup.verdict import judged
from runner.contract import Action, Call, Effect, Outcome, Preview, Reach, Repeat, Status
from runner.messages import render_size


def run(call: Call) -> Outcome:
    """Copy the folder and keep the copy. Raise Failed where it cannot be reached or is not whole."""
    started = time.monotonic()
    make_folder(part_folder(call))
    part = copy_files(call)
    unsteady = [*part["changed_while_read"], *part["vanished"]]
    outputs = {
        "part": part,
        "entries": part["entries"],
        "unsteady": unsteady,
        "bytes": part["bytes"],
        "content_bytes": part["content_bytes"],
        "parent": part["parent"]["set"] if part["parent"] else "",
        "duration": round(time.monotonic() - started, 3),
    }
    return Outcome(Status.CHANGED, outputs, message=_summary(part, unsteady))


def preview(call: Call) -> Preview:
    """Say what would be copied, how much, and where to, having listed it. Raise Failed where it is refused."""
    folder = part_folder(call)
    free = render_size(shutil.disk_usage(check_folder(folder)).free, "en")
    parent = find_parent(call)
    with opened(call, parent) as tree, closing(Ledger(call.directory / f"{token_hex(8)}.sqlite")) as ledger:
        survey_tree(call, tree, ledger)
        note_parent(parent, tree.known(), ledger)
        entries, size = ledger.want_missing()
    what = f"what changed in {tree.root} since {parent.name}" if parent else tree.root
    about = f"{entries} entries, {render_size(size, 'en')} before compression"
    return Preview(f"would copy {what} ({about}) to {folder} ({free} free)")


def _summary(part: Mapping[str, Any], unsteady: list[str]) -> str:
    size = f"{part['entries']} entries, {render_size(part['bytes'], 'en')} stored"
    rest = [f"the rest in {part['parent']['set']}"] if part["parent"] else []
    text = "; ".join([f"{part['source']}: {size}", *rest])
    return text if not unsteady else f"{text}; changed or vanished meanwhile: {', '.join(unsteady[:10])}"


ACTION = Action(
    name="backup.files",
    description="Copies a folder of the target's server to this machine, with every file name there is: all of it, or "
    "what changed since the last full set. Kept only when it is whole and did not shrink by more than a fifth; it goes "
    "on where it was cut off.",
    inputs={
        "root": {
            "description": "The folder to copy, on the server",
            "type": "string",
            "minLength": 1,
            "examples": ["/var/www/html"],
        },
        "exclude": {
            "description": "Patterns of what to leave out, as tar's --exclude: `cache` leaves out every file or folder "
            "of that name, `./tmp` only the one at the top, `*.log` by ending",
            "type": "array",
            "items": {"type": "string", "minLength": 1},
            "default": [],
            "examples": [["cache", "./tmp", "*.log"]],
        },
        "must_contain": {
            "description": "Paths under the root that have to be there; without them the wrong disk is mounted",
            "type": "array",
            "items": {"type": "string", "minLength": 1},
            "default": [],
            "examples": [["configuration.php", "images"]],
        },
        "destination": DESTINATION,
        "increments": {
            "description": "How many increments follow a full backup before the next full one; 0: each is a full one",
            "type": "integer",
            "minimum": 0,
            "maximum": 366,
            "default": 6,
            "examples": [6, 0],
        },
        "volume_size": {
            "description": "Largest size of one stored file, in MiB; for CDs 600",
            "type": "integer",
            "minimum": 8,
            "maximum": 4000,
            "default": 4000,
            "examples": [4000, 600],
        },
        **FTPS,
        "rate": {
            "description": "At most so many MiB a second come over; 0: as many as can",
            "type": "number",
            "minimum": 0,
            "default": 0,
            "examples": [2, 0.5],
        },
        "quiet_hours": {
            "description": "Hours of the office's clock in which `rate` holds; without them it always does",
            "type": "string",
            "pattern": r"^([01]\d|2[0-3])[:.][0-5]\d *- *([01]\d|2[0-3])[:.][0-5]\d$",
            "optional": True,
            "examples": ["08:00-16:30"],
        },
        "accept_smaller": ACCEPT_SMALLER,
    },
    outputs={
        "part": PART,
        "entries": {
            "type": "integer",
            "description": "How many files, folders and links the folder has",
            "examples": [30162],
        },
        "unsteady": {
            "type": "array",
            "items": {"type": "string"},
            "description": "Files that changed or vanished while they were read",
            "examples": [["cache/index.html"]],
        },
        "bytes": {"type": "integer", "description": "Size as stored, in bytes", "examples": [836000000]},
        "content_bytes": {
            "type": "integer",
            "description": "Size of all its files, in bytes, unchanged ones too",
            "examples": [947000000],
        },
        "parent": {
            "type": "string",
            "description": "The full set that holds what is unchanged; empty where this one is full",
            "examples": ["WEB-PN-TAIS-2026-11-21-013000-P"],
        },
        "duration": {"type": "number", "description": "How long it took, in seconds", "examples": [5.2]},
    },
    effect=Effect.CHANGE,
    repeat=Repeat.SAFE,
    reach=Reach.SERVER,
    limit="4h",
    run=judged("backup.files", run),
    preview=preview,
    targets=("website", "server", ""),
    example="""\
- id: files
  action: backup.files
  with:
    root: "{{ target.root }}"
    exclude: [cache, ./tmp]
""",
)
