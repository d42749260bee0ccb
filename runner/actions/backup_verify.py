"""backup.verify: reads a sealed set again: its files, what is in them, or a sample of it against the server."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from runner.actions.backup.checking import Compared, check_contents, check_stored, compare
from runner.actions.backup.part import DESTINATION
from runner.actions.backup.sets import BackupSet, Fault, Shelf
from runner.actions.backup.shelf import SET, choose, open_shelf, recall
from runner.actions.backup.unlocking import KEY
from runner.actions.backup.verdict import reading
from runner.contract import Action, Call, Effect, Outcome, Problem, Reach, Repeat, Severity, Status
from runner.errors import Failed

QUICK, FULL, SOURCE = LEVELS = ("quick", "full", "source")
MOST_SAID = 10


def run(call: Call) -> Outcome:
    """Read the set as closely as `level` says, and report all that is wrong. Raise Failed where there is none."""
    level, shelf = call.inputs["level"], open_shelf(call)
    found = choose(call, shelf)
    chain = shelf.chain(found)
    faults = check_stored(chain.values(), call.deadline)
    locked = level != QUICK and any(each.is_locked for each in chain.values())
    files = found.manifest["files"]["entries"] if found.manifest.get("files") else 0
    read, compared = 0, None
    if level == FULL and not faults and not locked:
        read, files, lost = check_contents(chain, found, call.directory, call.deadline)
        faults += lost
    if level == SOURCE and not locked:
        compared = compare(found, call.connect(), _root(call), call.inputs["sample"], call.deadline, call.run_as)
        read = compared.sampled
    recorded = recall(call).is_as_sealed(found)
    problems = [*_problems(found, faults, recorded), *_shelf_problems(shelf), *_source_problems(found, compared)]
    problems += [_unknown(found)] if locked and not faults else []
    good = not faults and recorded is not False
    outputs: dict[str, Any] = {
        "set": found.name,
        "manifest_sha256": found.manifest_sha256,
        "level": level,
        "good": None if good and locked else good,
        "recorded": recorded,
        "bad": [fault.name for fault in faults],
        "files": read,
        "coverage": round(100 * min(1.0, read / files), 1) if files else 0.0 if locked else 100.0,
        "compared": compared and {**compared._asdict(), "differ": list(compared.differ)},
    }
    return Outcome(Status.OK, outputs, problems=tuple(problems), message=_summary(found, outputs))


def _root(call: Call) -> str:
    root = call.inputs.get("root") or (call.target or {}).get("root")
    if not root:
        raise Failed("root: the folder on the server is not known. give the website its `root`, or the task")
    return str(root)


def _problems(found: BackupSet, faults: Sequence[Fault], recorded: bool | None) -> list[Problem]:
    problems = []
    if faults:
        said = "; ".join(f"{fault.name} {fault.indonesian}" for fault in faults[:MOST_SAID])
        more = f" (+{len(faults) - MOST_SAID})" if len(faults) > MOST_SAID else ""
        message = f"Perangkat backup {found.name} rusak: {said}{more}."
        problems.append(Problem("backup.verify.spoilt", Severity.CRITICAL, message))
    if recorded is False:
        message = f"Perangkat backup {found.name} bukan yang dahulu disegel: MANIFEST.json-nya berbeda dari catatan."
        problems.append(Problem("backup.verify.altered", Severity.CRITICAL, message))
    return problems


def _shelf_problems(shelf: Shelf) -> list[Problem]:
    """A set that cannot even be opened must not pass for one that was never made."""
    if not shelf.faults:
        return []
    said = "; ".join(f"{fault.name} ({fault.indonesian})" for fault in shelf.faults[-MOST_SAID:])
    message = f"Perangkat backup yang tidak dapat dibuka: {said}."
    return [Problem("backup.verify.unreadable", Severity.CRITICAL, message)]


def _source_problems(found: BackupSet, compared: Compared | None) -> list[Problem]:
    if compared is None or not compared.differ:
        return []
    names = ", ".join(compared.differ[:MOST_SAID])
    message = f"Isi berkas di server berbeda dari backup {found.name}, padahal ukuran dan waktunya sama: {names}."
    return [Problem("backup.verify.differs", Severity.MAJOR, message)]


def _unknown(found: BackupSet) -> Problem:
    message = f"Isi perangkat backup {found.name} tidak diketahui: perangkat terenkripsi, kuncinya tidak diberikan."
    return Problem("backup.verify.unknown", Severity.MAJOR, message)


def _summary(found: BackupSet, outputs: dict[str, Any]) -> str:
    bad, compared = outputs["bad"], outputs["compared"]
    if bad:
        return f"{found.name}: {len(bad)} spoilt: {', '.join(bad[:MOST_SAID])}"
    text = f"{found.name}: every stored file is as it was sealed"
    if outputs["recorded"] is False:
        return f"{found.name}: it is not the set that the record knows: its manifest was altered"
    if outputs["good"] is None:
        return f"{text}; what is in it is unknown: it is encrypted, and no key was given (key_file)"
    if outputs["level"] == FULL:
        return f"{text}, {outputs['files']} files read"
    if compared:
        shares = f"{compared['same']} of {compared['sampled']} sampled files are the same on the server"
        return f"{text}; {shares}, {compared['changed']} changed since, {compared['gone']} gone"
    return text


ACTION = Action(
    name="backup.verify",
    description="Reads a sealed set again, and names what is spoilt: every stored file against its checksum (quick), "
    "every file and dump in it as well (full), or a sample of its files against the server's (source).",
    inputs={
        "set": SET,
        "level": {
            "description": "How closely: `quick`, `full` or `source`",
            "enum": list(LEVELS),
            "default": QUICK,
            "examples": [FULL],
        },
        "root": {
            "description": "For `source`: the folder on the server; without it the target's `root`",
            "type": "string",
            "minLength": 1,
            "optional": True,
            "examples": ["/var/www/html"],
        },
        "sample": {
            "description": "For `source`: how many files are held against the server's, others with each set",
            "type": "integer",
            "minimum": 1,
            "maximum": 10000,
            "default": 200,
            "examples": [500],
        },
        **KEY,
        "destination": DESTINATION,
    },
    outputs={
        "set": {"type": "string", "description": "Name of the set", "examples": ["WEB-PN-TAIS-2026-11-22-013000-P"]},
        "manifest_sha256": {
            "type": "string",
            "description": "SHA-256 of its manifest",
            "examples": ["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"],
        },
        "level": {"enum": list(LEVELS), "description": "How closely it was read", "examples": [QUICK]},
        "good": {
            "type": ["boolean", "null"],
            "description": "Whether nothing is spoilt; null where that is unknown, as the set is encrypted and no key "
            "was given for more than `quick`",
            "examples": [True],
        },
        "recorded": {
            "type": ["boolean", "null"],
            "description": "Whether its manifest is the one that the record knows; null where it knows none",
            "examples": [True],
        },
        "bad": {
            "type": "array",
            "items": {"type": "string"},
            "description": "What is spoilt: stored files as SET/FILE, and files in them by their path",
            "examples": [[]],
        },
        "files": {"type": "integer", "description": "How many files were read, or compared", "examples": [30162]},
        "coverage": {
            "type": "number",
            "description": "Share of its files that this is, in percent",
            "examples": [100.0],
        },
        "compared": {
            "type": ["object", "null"],
            "description": "For `source`: sampled, same, changed since, gone, and `differ`: the paths of those whose "
            "content differs though size and time do not",
            "examples": [{"sampled": 200, "same": 198, "changed": 2, "gone": 0, "differ": []}],
        },
    },
    effect=Effect.READ,
    repeat=Repeat.SAFE,
    reach=Reach.CONTROLLER,
    limit="4h",
    run=reading("backup.verify", run),
    targets=("website", "server", ""),
    example="""\
- id: verify
  action: backup.verify
  with: {level: full}
""",
)
