"""The full set that an increment stands on: which one that is, and what its list says."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from runner.actions.backup.encryption import known_list
from runner.actions.backup.filelist import LIST, parse_lines
from runner.actions.backup.known import Known
from runner.actions.backup.ledger import Ledger
from runner.actions.backup.part import part_folder
from runner.actions.backup.sets import BackupSet, list_sets
from runner.actions.backup.verify import hash_file
from runner.actions.backup.zstd import ZstdError
from runner.contract import Call
from runner.errors import Failed


def find_parent(call: Call) -> BackupSet | None:
    """The full set that an increment can stand on; None where a full one is due. Raise Failed."""
    inputs = call.inputs
    sets = [each for each in list_sets(part_folder(call)).sets if _holds(each, inputs["root"])]
    full = next((each for each in reversed(sets) if each.kind == "P" and _list_is_whole(call, each)), None)
    if full is None or full.manifest["files"].get("excluded") != inputs["exclude"]:
        return None
    grown = sum(each.parent is not None and each.parent["set"] == full.name for each in sets)
    return full if grown < inputs["increments"] else None


def load_known(call: Call, parent: BackupSet | None, *, hold: bool = True) -> Known:
    """What the parent says of files. Raise Failed where its list cannot be read."""
    if parent is None:
        return Known()
    with _explained(parent):
        return Known(_list_of(parent)[0], [bytes_of(name) for name in call.inputs["must_contain"]], hold=hold)


def note_parent(parent: BackupSet | None, known: Known, ledger: Ledger) -> None:
    """Note what the parent has and was not found as it was. Raise Failed where its list cannot be read."""
    if parent:
        with _explained(parent):
            ledger.add_parent(parse_lines(known.others()))


def bytes_of(name: str) -> bytes:
    """A path as a playbook names it, as the server lists it."""
    return name.encode("utf-8", "surrogateescape").rstrip(b"/")


def _holds(chosen: BackupSet, root: str) -> bool:
    """Whether a set is of this folder."""
    files = chosen.manifest.get("files") or {}
    return bool(files.get("source") == root)


@contextmanager
def _explained(parent: BackupSet) -> Iterator[None]:
    """Say in words for people that the list of a set is spoilt."""
    try:
        yield
    except (OSError, EOFError, ValueError, KeyError, ZstdError) as error:
        raise Failed(f"{parent.name}: its list of files cannot be read: {error}. remove that set") from None


def _list_of(chosen: BackupSet) -> tuple[Path, str | None]:
    """Where the list of a set can be read, and its SHA-256."""
    if chosen.manifest.get("encrypted_to"):
        return known_list(chosen.folder), chosen.manifest["files"].get("list_sha256")
    return chosen.file(LIST), chosen.sums.get(LIST)


def _list_is_whole(call: Call, chosen: BackupSet) -> bool:
    place, digest = _list_of(chosen)
    try:
        return hash_file(place, call.deadline) == digest
    except OSError:
        return False
