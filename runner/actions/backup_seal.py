"""backup.seal: makes one set of the parts of a backup, each read back from the disk; it exists whole or not at all."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from runner.actions.backup.encryption import check_recipients, encrypt_piece, keep_list
from runner.actions.backup.guide import GUIDE, render_guide, restore_lines
from runner.actions.backup.manifest import (
    MANIFEST,
    SUMS,
    Piece,
    build_manifest,
    files_part,
    pieces_of,
    render_manifest,
    render_sums,
    set_name,
)
from runner.actions.backup.part import PART
from runner.actions.backup.scripts import POWERSHELL, SHELL, Steps, parse_steps, render_powershell, render_shell
from runner.actions.backup.set_schema import REASONS, ROUTINE
from runner.actions.backup.sets import list_sets, load_set
from runner.actions.backup.storage import PARTIAL, locked, sync_folder, write_whole
from runner.actions.backup.verdict import incomplete, judged
from runner.actions.backup.verify import check_bytes, verify_piece
from runner.actions.backup.workspace import STEPS
from runner.contract import Action, Call, Effect, Outcome, Preview, Reach, Repeat, Status
from runner.errors import Failed
from runner.messages import render_size

MOST_PARTS = 1000


def run(call: Call) -> Outcome:
    """Verify every part and seal the set. Raise NotAccepted for a part that is spoilt, Failed otherwise."""
    parts = call.inputs["parts"]
    folder = _common_folder(parts)
    name, pieces = set_name(call, parts), pieces_of(parts)
    sealed, staged, recipients = folder / name, folder / (name + PARTIAL), check_recipients(call.inputs)
    with locked(folder, "backup.seal"):
        if not (recipients and _is_of(sealed, parts)):
            for piece in pieces:
                verify_piece(_find(piece, staged, sealed), piece, folder, call.deadline)
        if not sealed.exists():
            _seal(call, parts, pieces, staged, sealed, recipients)
        _clear(parts, encrypted=bool(recipients))
    page = (sealed / MANIFEST).read_bytes()
    evidence = call.keep(f"{name}-{MANIFEST}", page, "application/json")
    manifest = json.loads(page)
    outputs = {"manifest": manifest, "set": str(sealed), "total_bytes": manifest["total_bytes"]}
    message = f"{name}: {len(pieces)} files, {render_size(manifest['total_bytes'], 'en')}, read back and sealed"
    return Outcome(Status.CHANGED, outputs, evidence=(evidence,), message=message)


def preview(call: Call) -> Preview:
    """Say which set would come into being."""
    parts = call.inputs["parts"]
    return Preview(f"would read {len(parts)} parts again and seal {_common_folder(parts) / set_name(call, parts)}")


def _seal(
    call: Call,
    parts: Sequence[Mapping[str, Any]],
    pieces: Sequence[Piece],
    staged: Path,
    sealed: Path,
    recipients: Sequence[str],
) -> None:
    """Write the papers aside, move the parts to them or encrypt them there, then give the folder its name."""
    try:
        staged.mkdir(mode=0o700, exist_ok=True)
        if recipients:
            pieces = [encrypt_piece(_find(piece, staged, sealed), piece, staged, recipients) for piece in pieces]
            keep_list(parts, sealed)
        papers = _render_papers(call, sealed, parts, pieces, recipients)
        sums = {file: hashlib.sha256(data).hexdigest() for file, data in papers.items()}
        sums |= {piece.file: piece.sha256 for piece in pieces}
        for file, data in {**papers, SUMS: render_sums(sums)}.items():
            write_whole(staged / file, data)
        for piece in pieces:
            if recipients:
                check_bytes(piece.written, piece, call.deadline)
            else:
                _find(piece, staged, sealed).rename(staged / piece.file)
        sync_folder(staged)
        staged.rename(sealed)
        sync_folder(sealed.parent)
    except OSError as error:
        raise Failed(f"{sealed}: cannot be sealed: {error.strerror}. check the disk, then run the task again") from None


def _render_papers(
    call: Call,
    sealed: Path,
    parts: Sequence[Mapping[str, Any]],
    pieces: Sequence[Piece],
    recipients: Sequence[str],
) -> dict[str, bytes]:
    newest = list_sets(sealed.parent).newest
    sequence = newest.place[0] + 1 if newest else 1
    manifest = build_manifest(call, sealed.name, sequence, parts, pieces, recipients)
    manifest["restore"] = {language: restore_lines(manifest, language) for language in ("id", "en")}
    papers = {MANIFEST: render_manifest(manifest), GUIDE: render_guide(call, manifest)}
    if files := files_part(parts):
        steps = _load_steps(Path(files["path"]))
        papers |= {SHELL: render_shell(manifest, steps), POWERSHELL: render_powershell(manifest, steps)}
    return papers


def _load_steps(folder: Path) -> Steps:
    try:
        return parse_steps((folder / STEPS).read_bytes())
    except (OSError, ValueError, KeyError, TypeError):
        raise incomplete(
            f"Bagian backup {folder.name} tidak lengkap.", f"{folder}: {STEPS} is not there. make the backup again"
        ) from None


def _clear(parts: Sequence[Mapping[str, Any]], *, encrypted: bool) -> None:
    """Remove the folder that the volumes were moved out of, and what is now kept encrypted only."""
    for part in parts:
        if part["kind"] == "files":
            shutil.rmtree(part["path"], ignore_errors=True)
        elif encrypted:
            Path(part["path"]).unlink(missing_ok=True)


def _is_of(sealed: Path, parts: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a set that is there already was made of these parts."""
    if not sealed.exists():
        return False
    manifest, files = load_set(sealed).manifest, files_part(parts)
    found = manifest["files"]["list_sha256"] if manifest["files"] else None
    return bool(found == (files["list"]["sha256"] if files else None))


def _find(piece: Piece, staged: Path, sealed: Path) -> Path:
    """Where a piece lies: where it was written, or where a seal that was cut off has put it."""
    places = (sealed / piece.file, piece.written, staged / piece.file)
    found = next((place for place in places if place.exists()), piece.written)
    if sealed.exists() and found.parent != sealed:
        raise Failed(f"{sealed}: there already is another set of this name. run the backup again")
    return found


def _common_folder(parts: Sequence[Mapping[str, Any]]) -> Path:
    folders = {str(Path(part["path"]).parent) for part in parts}
    if len(folders) > 1:
        raise Failed(f"the parts lie in {len(folders)} folders. give the tasks that made them one destination")
    paths = [part["path"] for part in parts]
    if len(set(paths)) < len(paths):
        raise incomplete("Satu bagian backup disebut dua kali.", "one part is named twice. name each part once")
    if sum(part["kind"] == "files" for part in parts) > 1:
        raise Failed("a set holds one folder. name a root above both, or seal a set for each")
    return Path(folders.pop())


ACTION = Action(
    name="backup.seal",
    description="Makes the parts of a backup one set, once each was read back from the disk, a dump to its end mark: a "
    "folder with MANIFEST.json, SHA256SUMS and PULIHKAN.txt (.sh, .ps1), which restores with plain tools.",
    inputs={
        "parts": {
            "description": "The parts, as backup.database and backup.files gave them; their files are moved into it",
            "type": "array",
            "items": PART,
            "minItems": 1,
            "maxItems": MOST_PARTS,
            "examples": [["{{ tasks.database.part }}", "{{ tasks.files.part }}"]],
        },
        "encrypt_to": {
            "description": "Public keys of age (age1…, ssh-ed25519 …) to which the set is encrypted; without any it is "
            "not. Who holds one of their secret keys, or the sealed recovery key, restores it with the program age",
            "type": "array",
            "items": {"type": "string", "minLength": 1, "maxLength": 4000},
            "maxItems": 20,
            "default": [],
            "examples": [["age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"]],
        },
        "recovery_key": {
            "description": "Public key of age whose secret key is printed and lies sealed in an envelope; needed with "
            "encrypt_to",
            "type": "string",
            "optional": True,
            "examples": ["age1lggyhqrw2nlhcxprm67z43rta597azn8gknawjehu9d9dl0jq3yqqvfafg"],
        },
        "reason": {
            "description": "Why it is made: in the routine, after a problem was solved, or before data are restored",
            "enum": list(REASONS),
            "default": ROUTINE,
            "examples": ["routine", "after_repair"],
        },
    },
    outputs={
        "manifest": {
            "description": "What MANIFEST.json says: what, when, from where, by which tools, how to restore it",
            "type": "object",
            "required": ["format", "set", "target", "begun", "sealed", "total_bytes", "parts", "restore"],
            "examples": [{"format": 2, "set": "WEB-PN-TAIS-2026-11-22-013000-P", "total_bytes": 931000000}],
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
