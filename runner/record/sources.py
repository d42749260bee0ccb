"""The files that a run began with, as they were: the record keeps their bytes."""

from __future__ import annotations

import hashlib
import json
from codecs import BOM_UTF8
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from runner.contract import Evidence
from runner.errors import RecordError, refuse
from runner.inventory import Inventory, parse_inventory
from runner.inventory.documents import Document
from runner.record.evidence import EvidenceStore


def load_kept_inventory(started: Mapping[str, Any], store: EvidenceStore) -> Inventory:
    """Given what a run said at its start, return the inventory as the record keeps it, secrets masked.

    Raise RecordError where a kept file is missing or was altered, Refused where it cannot be read.
    """
    sources = [source for source in started.get("sources") or () if source["kind"] == "inventory"]
    return parse_inventory([Document(str(each["file"]), _read_kept(each, store).decode()) for each in sources])


def load_counted_inventory(kept: Sequence[Mapping[str, Any]], store: EvidenceStore) -> Inventory:
    """Given the files of an inventory that counted for an answer, return it. Raises as `load_kept_inventory` does."""
    files = [{"file": each["name"], "kept": each["sha256"]} for each in kept]
    return parse_inventory([Document(str(each["file"]), _read_kept(each, store).decode()) for each in files])


def named_files(body: str) -> list[Evidence]:
    """Given a record's body, return the files that it names: what was kept, the playbook and inventory that a run began
    with, and the inventory that counted for an answer; of an altered record, which the chain names, none."""
    if not any(f'"{name}":[{{' in body for name in ("evidence", "sources", "inventory")):
        return []
    try:
        data = json.loads(body)["data"]
        sources = [Evidence(each["name"], each["kept"], each["size"]) for each in data.get("sources") or ()]
        plain = [*(data.get("evidence") or ()), *(data.get("inventory") or ())]
        return [*sources, *(Evidence(**each) for each in plain)]
    except (ValueError, TypeError, KeyError, AttributeError):
        return []


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
