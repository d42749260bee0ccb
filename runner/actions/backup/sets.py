"""Sealed sets as they lie on a disk: opened, held against their own checksums, and put in order.

A set of the first release (format 1) has no sequence and no list of files; it is read all the same, and is older than
any of format 2.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from runner.actions.backup.manifest import AGE, MANIFEST, SUMS
from runner.actions.backup.set_schema import FILE, FIRST, NAME, ROUTINE, SECOND
from runner.actions.backup.storage import PARTIAL
from runner.actions.backup.unlocking import open_stored
from runner.actions.backup.verdict import NotAccepted, incomplete
from runner.errors import Failed
from runner.shapes import check_value

LARGEST_PAPER = 64 * 1024 * 1024
MOST_NAMED = 5
_LINE = re.compile(r"(?P<digest>[0-9a-f]{64}) [ *](?P<file>.+)")
_SCHEMAS = {1: FIRST, 2: SECOND}


@dataclass(frozen=True, slots=True)
class BackupSet:
    """A set: its folder, its manifest as it was sealed, that file's SHA-256 (hex), what SHA256SUMS says, and the
    keys that a person gave for what is encrypted."""

    folder: Path
    manifest: Mapping[str, Any]
    manifest_sha256: str
    sums: Mapping[str, str]
    keys: tuple[Any, ...] = field(default=(), compare=False, repr=False)

    @property
    def name(self) -> str:
        return str(self.manifest["set"])

    @property
    def kind(self) -> str:
        """P (full), T (increment) or D (databases only)."""
        return str(self.manifest.get("kind") or _kind_in(self.name))

    @property
    def reason(self) -> str:
        return str(self.manifest.get("reason", ROUTINE))

    @property
    def sealed(self) -> datetime:
        return datetime.fromisoformat(self.manifest["sealed"])

    @property
    def parts(self) -> Sequence[Mapping[str, Any]]:
        return list(self.manifest["parts"])

    @property
    def parent(self) -> Mapping[str, str] | None:
        """The set that this one's files hang on, and its manifest's SHA-256; None where it stands alone."""
        return self.manifest.get("parent")

    @property
    def needs(self) -> frozenset[str]:
        """Names of the sets without which this one cannot be restored whole."""
        deltas = {str(part["delta_of"]["set"]) for part in self.parts if part.get("delta_of")}
        return frozenset(deltas | ({self.parent["set"]} if self.parent else set()))

    @property
    def place(self) -> tuple[int, datetime, str]:
        """What orders sets: their sequence, never the clock; those of format 1 by when they were sealed."""
        return int(self.manifest.get("sequence", 0)), self.sealed, self.name

    @property
    def is_locked(self) -> bool:
        """Whether it is encrypted, and no key to it was given."""
        return bool(self.manifest.get("encrypted_to")) and not self.keys

    def file(self, name: str) -> Path:
        """Where a file of the set lies."""
        return self.folder / name

    def holds(self, name: str) -> bool:
        """Whether this file is part of the set, encrypted or not."""
        return name in self.sums or name + AGE in self.sums

    def open(self, name: str) -> BinaryIO:
        """The content of one of its files. Raise OSError; Failed where that is encrypted and no key given fits."""
        return open_stored(self.file(name if name in self.sums else name + AGE), self.keys)


class Fault(NamedTuple):
    """What is wrong with something in a folder of sets, in both languages."""

    name: str
    indonesian: str
    english: str


@dataclass(frozen=True, slots=True)
class Shelf:
    """The sets of one target, oldest first, and what lies among them that is none."""

    sets: tuple[BackupSet, ...]
    faults: tuple[Fault, ...] = ()

    @property
    def newest(self) -> BackupSet | None:
        return self.sets[-1] if self.sets else None

    def get(self, name: str) -> BackupSet:
        """The set of that name. Raise NotAccepted where it cannot be read, Failed where there is none."""
        found = next((each for each in self.sets if each.name == name), None)
        if found:
            return found
        fault = next((each for each in self.faults if each.name == name), None)
        if fault:
            raise incomplete(f"{name}: {fault.indonesian}.", f"{name}: {fault.english}. take another set")
        last = f" the newest is {self.newest.name}" if self.newest else " there are none yet"
        raise Failed(f"{name}: there is no such set.{last}")

    def chain(self, chosen: BackupSet) -> dict[str, BackupSet]:
        """A set and all that it needs, by name. Raise NotAccepted where one of them is missing or is another one."""
        found = {chosen.name: chosen}
        for name in sorted(chosen.needs):
            found[name] = self._needed(name, chosen)
        return found

    def needed(self) -> frozenset[str]:
        """Names of the sets that others hang on."""
        return frozenset(name for each in self.sets for name in each.needs)

    def _needed(self, name: str, by: BackupSet) -> BackupSet:
        try:
            found = self.get(name)
        except Failed as error:
            raise incomplete(
                f"{by.name} membutuhkan {name}, yang tidak ada atau rusak.", f"{by.name}: it needs {error}"
            ) from None
        if by.parent and by.parent["set"] == name and by.parent["manifest_sha256"] != found.manifest_sha256:
            raise incomplete(
                f"{by.name} membutuhkan {name}, tetapi isinya bukan lagi yang dahulu.",
                f"{by.name}: {name} is not the set that it was built on. take another set",
            )
        return found


def load_set(folder: Path) -> BackupSet:
    """Given a set's folder, return the set, its manifest held against its schema and SHA256SUMS. Raise NotAccepted
    where something of it was altered or is missing; its parts are not read."""
    page = _read(folder / MANIFEST)
    manifest_sha256 = hashlib.sha256(page).hexdigest()
    manifest, sums = _parse_manifest(folder, page), _parse_sums(folder, _read(folder / SUMS))
    if sums.get(MANIFEST) != manifest_sha256:
        raise _altered(folder, MANIFEST)
    listed = {part["file"]: part["sha256"] for part in manifest["parts"]}
    if len(listed) < len(manifest["parts"]):
        raise spoilt(folder, "satu bagian tercatat dua kali", "its manifest names one part twice")
    for file, digest in listed.items():
        if sums.get(file) != digest:
            raise spoilt(folder, f"{SUMS} tidak sesuai untuk {file}", f"{SUMS} does not say the same of {file}")
    for file in _lists_of(manifest):
        if file not in sums:
            raise spoilt(folder, f"{SUMS} tidak memuat {file}", f"{SUMS} does not name {file}")
    _check_present(folder, sums)
    return BackupSet(folder, manifest, manifest_sha256, sums)


def list_sets(folder: Path, keys: Sequence[Any] = ()) -> Shelf:
    """Given the folder of a target's sets, and keys where they are encrypted, return them in order; what cannot be read
    is named, not passed over.

    Where there is no folder, there are no sets. Raise Failed where it cannot be listed.
    """
    found, faults = [], []
    for path in _folders(folder):
        try:
            opened = load_set(path)
            if opened.name != path.name:
                raise spoilt(path, f"berisi {opened.name}", f"it holds {opened.name}: give it its own name again")
            found.append(replace(opened, keys=tuple(keys)))
        except NotAccepted as error:
            faults.append(Fault(path.name, _without_name(error.condition), _without_name(str(error))))
    return Shelf(tuple(sorted(found, key=lambda each: each.place)), tuple(faults))


def spoilt(folder: Path, indonesian: str, english: str) -> NotAccepted:
    """Given what is wrong with a set, in both languages, return the error to raise."""
    return incomplete(
        f"Perangkat backup {folder.name}: {indonesian}.", f"{folder.name}: {english}. restore nothing from it"
    )


def _without_name(text: str) -> str:
    return text.partition(": ")[2].partition(". ")[0].rstrip(".")


def _kind_in(name: str) -> str:
    return next(letter for letter in reversed(name) if letter in "PTD")


def _folders(folder: Path) -> Iterator[Path]:
    """The folders whose names are those of sets; what is still being written has another."""
    try:
        with os.scandir(folder) as entries:
            names = [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
    except FileNotFoundError:
        return
    except OSError as error:
        raise Failed(f"{folder}: cannot be listed: {error.strerror}. check the destination, and its disk") from None
    for name in sorted(names):
        if re.fullmatch(NAME.strip("^$"), name) and not name.endswith(PARTIAL):
            yield folder / name


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST_PAPER + 1)
    except FileNotFoundError:
        raise spoilt(path.parent, f"{path.name} tidak ada", f"{path.name} is not there") from None
    except OSError as error:
        raise spoilt(
            path.parent, f"{path.name} tidak dapat dibaca", f"{path.name} cannot be read: {error.strerror}"
        ) from None
    if len(data) > LARGEST_PAPER:
        raise spoilt(path.parent, f"{path.name} terlalu besar", f"{path.name} is larger than any can be")
    return data


def _parse_manifest(folder: Path, page: bytes) -> dict[str, Any]:
    try:
        manifest = json.loads(page)
    except (ValueError, RecursionError):
        raise spoilt(folder, f"{MANIFEST} tidak terbaca", f"{MANIFEST} is not JSON: was it cut off?") from None
    form = manifest.get("format") if isinstance(manifest, dict) else None
    schema = _SCHEMAS.get(form) if isinstance(form, int) else None
    if schema is None:
        raise spoilt(
            folder, f"{MANIFEST} bukan bentuk yang dikenal", f"{MANIFEST} has no form that this program knows: {form!r}"
        )
    faults = check_value(manifest, schema)
    if faults:
        shown = "; ".join(f"{'.'.join(map(str, fault.path))}: {fault.message}" for fault in faults[:MOST_NAMED])
        raise spoilt(folder, f"{MANIFEST} tidak sah ({shown})", f"{MANIFEST} is not valid: {shown}")
    _check_times(folder, manifest)
    return dict(manifest)


def _check_times(folder: Path, manifest: Mapping[str, Any]) -> None:
    for key in ("begun", "sealed"):
        try:
            aware = datetime.fromisoformat(manifest[key]).tzinfo is not None
        except ValueError:
            aware = False
        if not aware:
            raise spoilt(folder, f"{MANIFEST} memuat waktu yang salah", f"{MANIFEST}: {key} is no time with its zone")


def _parse_sums(folder: Path, page: bytes) -> dict[str, str]:
    sums: dict[str, str] = {}
    for line in page.decode("utf-8", "replace").splitlines():
        match = _LINE.fullmatch(line)
        if not match or not re.fullmatch(FILE, match["file"]) or match["file"] in sums:
            raise spoilt(folder, f"{SUMS} memuat baris yang salah", f"{SUMS} has a line that cannot be: {line[:80]!r}")
        sums[match["file"]] = match["digest"]
    return sums


def _lists_of(manifest: Mapping[str, Any]) -> list[str]:
    files = manifest.get("files") or {}
    return [files[key] for key in ("list", "deletions") if files.get(key)]


def _check_present(folder: Path, sums: Mapping[str, str]) -> None:
    missing = [file for file in sorted(sums) if not (folder / file).is_file() or (folder / file).is_symlink()]
    if missing:
        names = ", ".join(missing[:MOST_NAMED])
        raise spoilt(folder, f"berkas tidak ada: {names}", f"files are missing: {names}")


def _altered(folder: Path, file: str) -> NotAccepted:
    return spoilt(folder, f"{file} bukan lagi yang dahulu disegel", f"{file} is not what was sealed: it was altered")
