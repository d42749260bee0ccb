"""A dump's growth since the last whole one: what is kept of it where that is much less than the dump."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from runner.actions.backup.delta import SEGMENT, write_delta
from runner.actions.backup.part import part_folder
from runner.actions.backup.sets import BackupSet, list_sets
from runner.actions.backup.storage import PartFile, Stored
from runner.actions.backup.stream import unpacked
from runner.actions.backup.verdict import NotAccepted, incomplete
from runner.actions.backup.zstd import build_compressor
from runner.contract import Call

LARGEST_SHARE = 0.3  # of the whole dump as stored; a larger delta is not worth hanging on another set
_SAME = ("source", "kind", "format")


class Base(NamedTuple):
    """The last whole dump: the set it lies in, and its part there."""

    home: BackupSet
    part: Mapping[str, Any]

    @property
    def path(self) -> Path:
        """Where it lies."""
        return self.home.file(self.part["file"])


class _TooLarge(Exception):
    """The delta is not worth it."""


def shorten_dump(call: Call, part: dict[str, Any]) -> dict[str, Any]:
    """Given the part of a whole dump, return the part of its delta, where that is small; the whole one is then gone.

    Where the last whole dump cannot be read, this one stays whole and says so. Raise TimeUp.
    """
    base = find_base(call, part)
    if base is None:
        return part
    try:
        stored = _write(call, part, base)
    except _TooLarge:
        return part
    except (NotAccepted, OSError) as error:
        return {**part, "notes": [*part["notes"], f"stored whole: the last whole dump cannot be read: {error}"]}
    Path(part["path"]).unlink()
    origin = {"set": base.home.name, "file": base.part["file"], "content_sha256": base.part["content_sha256"]}
    facts = {"path": str(stored.path), "sha256": stored.sha256, "bytes": stored.bytes}
    return {**part, **facts, "delta_of": {**origin, "segment_bytes": SEGMENT}}


def find_base(call: Call, part: Mapping[str, Any]) -> Base | None:
    """Given a whole dump, return the last whole one of the same database; None where it is time for a whole one."""
    hanging = 0
    for home in reversed(list_sets(part_folder(call)).sets):
        for each in home.parts:
            if any(each.get(key) != part[key] for key in _SAME):
                continue
            if each.get("delta_of"):
                hanging += 1
            elif each.get("content_sha256") and not home.manifest.get("encrypted_to"):
                return Base(home, each) if hanging < call.inputs["increments"] else None
    return None


def _write(call: Call, part: Mapping[str, Any], base: Base) -> Stored:
    whole = Path(part["path"])
    ending = ".delta.tar.zst"
    with PartFile(whole.with_name(whole.name.removesuffix(".zst") + ending)) as file:
        packer, most, size = build_compressor(), part["bytes"] * LARGEST_SHARE, 0

        def write(data: bytes) -> None:
            nonlocal size
            size += len(data)
            if size > most:
                raise _TooLarge
            file.write(packer.compress(data))

        with unpacked(base.path, "zstd", call.deadline) as earlier, unpacked(whole, "zstd", call.deadline) as later:
            digest = write_delta(earlier, later, write)
        if digest != base.part["content_sha256"]:
            raise incomplete(f"{base.path.name} rusak.", f"{base.path}: its content is not what was written")
        file.write(packer.flush())
        return file.keep()
