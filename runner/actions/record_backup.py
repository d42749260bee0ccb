"""`record.backup`: a second copy of the journal and its evidence in another folder, checked after it was written."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from runner.contract import Action, Call, Effect, Outcome, Preview, Reach, Repeat, Status
from runner.errors import Failed

_NUMBER = {"type": "integer", "minimum": 0}


def run(call: Call) -> Outcome:
    """Bring the copy up to this moment and check it. Raise Failed where it is not whole, or saves nothing."""
    folder = _folder(call)
    copied = call.record.back_up(folder, call.deadline)
    outputs = {**copied, "folder": str(folder), "summary": _summary(copied)}
    return Outcome(Status.CHANGED, outputs=outputs)


def preview(call: Call) -> Preview:
    """Say what would be copied."""
    return Preview(f"the journal, and the evidence that is not there yet, would be copied to {_folder(call)}")


def _folder(call: Call) -> Path:
    """The folder for the copy. Raise Failed where it is on the record's own disk, as when the other is not mounted."""
    folder = Path(call.inputs["folder"]).expanduser().absolute()
    if not call.inputs["accept_same_disk"] and call.record.shares_disk(folder):
        raise Failed(
            f"{folder}: it is on the disk that the record itself is on. mount the other disk; where another program "
            "carries this folder away, write accept_same_disk: true"
        )
    return folder


def _summary(copied: Mapping[str, Any]) -> str:
    went = f", {copied['deleted']} dihapus menurut masa simpannya" if copied["deleted"] else ""
    return (
        f"Salinan catatan utuh sampai catatan ke-{copied['record']} (kepala rantai {copied['head'][:12]}): "
        f"{copied['files']} berkas bukti, {copied['new_files']} baru{went}."
    )


ACTION = Action(
    name="record.backup",
    description="Copies the journal, as of one moment, and its evidence to another disk, and checks the copy; one that "
    "knows more than the journal is never written over.",
    inputs={
        "folder": {
            "type": "string",
            "minLength": 1,
            "description": "Where the copy is; on another disk, or another machine's that is mounted",
            "examples": ["/media/cadangan/catatan-sop"],
        },
        "accept_same_disk": {
            "type": "boolean",
            "description": "Accept a folder on the disk that the record itself is on; for one that another program "
            "carries away",
            "default": False,
            "examples": [True],
        },
    },
    outputs={
        "folder": {"type": "string", "description": "Where the copy is", "examples": ["/media/cadangan/catatan-sop"]},
        "record": {**_NUMBER, "description": "The number of its last record", "examples": [1234]},
        "head": {"type": "string", "description": "The hash of its last record", "examples": ["9f" * 32]},
        "files": {**_NUMBER, "description": "Files of evidence in it", "examples": [210]},
        "new_files": {**_NUMBER, "description": "Those that were not there before", "examples": [7]},
        "deleted": {**_NUMBER, "description": "Files deleted at the end of their retention", "examples": [0]},
        "summary": {
            "type": "string",
            "description": "The result in a sentence, for the report",
            "examples": [
                "Salinan catatan utuh sampai catatan ke-1234 (kepala rantai 9f9f9f9f9f9f): 210 berkas bukti, 7 baru."
            ],
        },
    },
    effect=Effect.CHANGE,
    repeat=Repeat.SAFE,
    reach=Reach.CONTROLLER,
    limit="1h",
    run=run,
    preview=preview,
    targets=("",),
    example="""\
- id: copy
  action: record.backup
  with: {folder: /media/cadangan/catatan-sop}
""",
)
