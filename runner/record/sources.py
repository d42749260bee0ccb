"""The files that a run began with, as they were: the record keeps their bytes."""

from __future__ import annotations

import hashlib
from codecs import BOM_UTF8
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from runner.errors import RecordError, refuse
from runner.inventory import Inventory, parse_inventory
from runner.inventory.documents import Document
from runner.record.evidence import EvidenceStore


def load_kept_inventory(started: Mapping[str, Any], store: EvidenceStore) -> Inventory:
    """Given what a run said at its start, return the inventory as the record keeps it, secrets masked.

    Raise RecordError where a kept file is missing or was altered, Refused where it cannot be read.
    """
    kept = [
        Document(str(source["file"]), _read_kept(source, store).decode())
        for source in started.get("sources") or ()
        if source["kind"] == "inventory"
    ]
    return parse_inventory(kept)


def kept_text(source: Mapping[str, Any], store: EvidenceStore) -> str:
    """Given what a run says of a file, return its text: from the record, or, where secrets in it were masked there,
    from the disk. Raise RecordError or Refused where it is not the same any more."""
    if source["kept"] == source["sha256"]:
        return _read_kept(source, store).decode()
    path = Path(source["file"])
    text = path.read_bytes().removeprefix(BOM_UTF8) if path.is_file() else b""
    if hashlib.sha256(text).hexdigest() != source["sha256"]:
        message = "it holds secrets, so the record keeps it masked, and the file is not the same any more"
        raise refuse(source["file"], message, "put the file back as it was")
    return text.decode()


def _read_kept(source: Mapping[str, Any], store: EvidenceStore) -> bytes:
    """A file as the record keeps it."""
    with store.open(source["kept"]) as file:
        kept = file.read()
    if hashlib.sha256(kept).hexdigest() != source["kept"]:
        raise RecordError(f"{store.path(source['kept'])}: '{source['file']}' was altered. see: sop verify")
    return kept
