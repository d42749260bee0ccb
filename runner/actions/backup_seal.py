"""backup.seal: reads the parts of a backup again and makes them one set: a folder that exists whole or not at all."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from runner.actions.backup.manifest import (
    GUIDE,
    MANIFEST,
    SUMS,
    build_manifest,
    render_guide,
    render_manifest,
    render_sums,
    set_name,
)
from runner.actions.backup.part import PART
from runner.actions.backup.storage import PARTIAL, sync_folder, write_whole
from runner.actions.backup.verdict import incomplete, judged
from runner.actions.backup.verify import verify_part
from runner.contract import Action, Call, Effect, Outcome, Preview, Reach, Repeat, Status
from runner.errors import Failed
from runner.messages import render_size

MOST_PARTS = 1000


def run(call: Call) -> Outcome:
    """Verify every part and seal the set. Raise NotAccepted for a part that is spoilt, Failed otherwise."""
    parts = call.inputs["parts"]
    folder = _common_folder(parts)
    name = set_name(call, parts)
    sealed, staged = folder / name, folder / (name + PARTIAL)
    for part in parts:
        verify_part(_find(part, staged, sealed), part, call.deadline)
    if not sealed.exists():
        _seal(call, parts, staged, sealed)
    page = (sealed / MANIFEST).read_bytes()
    evidence = call.keep(f"{name}-{MANIFEST}", page, "application/json")
    manifest = json.loads(page)
    outputs = {"manifest": manifest, "set": str(sealed), "total_bytes": manifest["total_bytes"]}
    message = f"{name}: {len(parts)} parts, {render_size(manifest['total_bytes'], 'en')}, read back and sealed"
    return Outcome(Status.CHANGED, outputs, evidence=(evidence,), message=message)


def preview(call: Call) -> Preview:
    """Say which set would come into being."""
    parts = call.inputs["parts"]
    return Preview(f"would read {len(parts)} parts again and seal {_common_folder(parts) / set_name(call, parts)}")


def _seal(call: Call, parts: Sequence[Mapping[str, Any]], staged: Path, sealed: Path) -> None:
    """Write the papers aside, move the parts to them, then give the folder its name."""
    manifest = build_manifest(call, sealed.name, parts)
    papers = {MANIFEST: render_manifest(manifest), GUIDE: render_guide(call, manifest)}
    sums = {file: hashlib.sha256(data).hexdigest() for file, data in papers.items()}
    sums |= {Path(part["path"]).name: part["sha256"] for part in parts}
    try:
        staged.mkdir(mode=0o700, exist_ok=True)
        for file, data in {**papers, SUMS: render_sums(sums)}.items():
            write_whole(staged / file, data)
        for part in parts:
            place = _find(part, staged, sealed)
            place.rename(staged / place.name)
        sync_folder(staged)
        staged.rename(sealed)
        sync_folder(sealed.parent)
    except OSError as error:
        raise Failed(f"{sealed}: cannot be sealed: {error.strerror}. check the disk, then run the task again") from None


def _find(part: Mapping[str, Any], staged: Path, sealed: Path) -> Path:
    """Where a part lies: where it was written, or where a seal that was cut off has put it."""
    written = Path(part["path"])
    places = (sealed / written.name, written, staged / written.name)
    found = next((place for place in places if place.exists()), written)
    if sealed.exists() and found.parent != sealed:
        raise Failed(f"{sealed}: there already is another set of this name. run the backup again")
    return found


def _common_folder(parts: Sequence[Mapping[str, Any]]) -> Path:
    folders = {str(Path(part["path"]).parent) for part in parts}
    if len(folders) > 1:
        raise Failed(f"the parts lie in {len(folders)} folders. give the tasks that made them one destination")
    names = [Path(part["path"]).name for part in parts]
    if len(set(names)) < len(names):
        raise incomplete("Satu bagian backup disebut dua kali.", "one part is named twice. name each part once")
    return Path(folders.pop())


ACTION = Action(
    name="backup.seal",
    description="Reads every part of a backup again, from its bytes to its end mark, and makes them one set: a folder "
    "with MANIFEST.json, SHA256SUMS and PULIHKAN.txt, which restores with plain tools.",
    inputs={
        "parts": {
            "description": "The parts, as backup.database and backup.files gave them; their files are moved into it",
            "type": "array",
            "items": PART,
            "minItems": 1,
            "maxItems": MOST_PARTS,
            "examples": [["{{ tasks.database.part }}", "{{ tasks.files.part }}"]],
        },
    },
    outputs={
        "manifest": {
            "description": "What MANIFEST.json says: what, when, from where, by which tools, how to restore it",
            "type": "object",
            "required": ["format", "set", "target", "begun", "sealed", "total_bytes", "parts", "restore"],
            "examples": [{"format": 1, "set": "WEB-PN-TAIS-2026-11-22-013000-P", "total_bytes": 931000000}],
        },
        "set": {
            "description": "The set's folder on this machine",
            "type": "string",
            "examples": ["/srv/sop/backups/WEB-PN-TAIS/WEB-PN-TAIS-2026-11-22-013000-P"],
        },
        "total_bytes": {"description": "Size of all parts, in bytes", "type": "integer", "examples": [931000000]},
    },
    effect=Effect.CHANGE,
    repeat=Repeat.SAFE,
    reach=Reach.CONTROLLER,
    limit="2h",
    run=judged("backup.seal", run),
    preview=preview,
    targets=("website", "server", ""),
    example="""\
- id: set
  action: backup.seal
  with:
    parts: ["{{ tasks.database.part }}", "{{ tasks.files.part }}"]
""",
)
