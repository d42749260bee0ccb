"""What an action that reads sets begins with: the target's sets, the one that is meant, what the record knows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runner.actions.backup.part import part_folder
from runner.actions.backup.set_schema import BEFORE_RESTORE
from runner.actions.backup.sets import BackupSet, Shelf, list_sets
from runner.actions.backup.unlocking import read_keys
from runner.contract import FINISHED_WELL, Call, JsonSchema
from runner.errors import Failed

SEAL, VERIFY, DRILL, MEDIA = "backup.seal", "backup.verify", "backup.drill", "backup.media"

SET: JsonSchema = {
    "description": "The set: its name, or the path of its folder where it lies elsewhere, as on a disc; without it the "
    "newest one that is no rescue set",
    "type": "string",
    "optional": True,
    "examples": ["WEB-PN-TAIS-2026-11-22-013000-P", "/media/cdrom/WEB-PN-TAIS-2026-11-22-013000-P"],
}


def open_shelf(call: Call) -> Shelf:
    """Given a call, return the sets of its target, or those that lie where its `set` does. Raise Failed."""
    meant = str(call.inputs.get("set", ""))
    folder = Path(meant).expanduser().parent if "/" in meant else part_folder(call)
    return list_sets(folder, read_keys(call.inputs))


def choose(call: Call, shelf: Shelf) -> BackupSet:
    """Given a call, return the set that it means; the newest is never a rescue set, which holds what was broken.

    Raise NotAccepted where it cannot be read, Failed without any.
    """
    meant = str(call.inputs.get("set", ""))
    if meant:
        return shelf.get(Path(meant).name)
    newest = next((each for each in reversed(shelf.sets) if each.reason != BEFORE_RESTORE), None)
    if newest is None:
        spoilt = f" {shelf.faults[-1].name}: {shelf.faults[-1].english}." if shelf.faults else ""
        raise Failed(f"{part_folder(call)}: there is no set that can be read.{spoilt} run the backup first")
    return newest


@dataclass(frozen=True, slots=True)
class Memory:
    """What the record knows of sets, by name: the SHA-256 of the manifest as it was sealed, and how backup.verify,
    backup.drill and backup.media ended where they ended well, the latest last."""

    sealed: Mapping[str, str]
    verified: Mapping[str, list[Mapping[str, Any]]]
    drilled: Mapping[str, list[Mapping[str, Any]]]
    media: Mapping[str, list[Mapping[str, Any]]]

    def is_as_sealed(self, found: BackupSet) -> bool | None:
        """Whether the set's manifest is the one that the record knows; None where it knows none."""
        known = self.sealed.get(found.name)
        return None if known is None else known == found.manifest_sha256

    def proved(self, found: BackupSet) -> Mapping[str, Any] | None:
        """The latest drill that proved this very set; None where none did."""
        proofs = (
            outcome
            for outcome in reversed(self.drilled.get(found.name, []))
            if outcome["outputs"].get("proved") and outcome["outputs"].get("manifest_sha256") == found.manifest_sha256
        )
        return next(proofs, None)

    def newest_proved(self, shelf: Shelf) -> BackupSet | None:
        """The newest set that a drill proved; None where none was."""
        return next((each for each in reversed(shelf.sets) if self.proved(each)), None)


def recall(call: Call) -> Memory:
    """Given a call, return what the record knows of its target's sets."""
    sealed: dict[str, str] = {}
    for outcome in call.record.outcomes(SEAL):
        manifest = (outcome["outputs"] or {}).get("manifest") or {}
        for kept in outcome["evidence"] if manifest else ():
            sealed[str(manifest.get("set"))] = kept["sha256"]
    return Memory(sealed, _by_set(call, VERIFY), _by_set(call, DRILL), _by_set(call, MEDIA))


def _by_set(call: Call, action: str) -> dict[str, list[Mapping[str, Any]]]:
    found: dict[str, list[Mapping[str, Any]]] = {}
    for outcome in call.record.outcomes(action):
        outputs = outcome["outputs"] or {}
        if outcome["status"] in FINISHED_WELL:
            for name in outputs.get("sets") or [outputs.get("set", "")]:
                found.setdefault(Path(name).name, []).append(outcome)
    return found
