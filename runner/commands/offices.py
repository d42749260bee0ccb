"""Who there is, and by which hours they work: of each run as it began, or as an inventory that is named has it now."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

from runner.errors import RunnerError
from runner.inventory import Inventory, load_inventory
from runner.languages import chosen_language, language
from runner.messages import Language
from runner.people.turns import Office
from runner.record.document import Record
from runner.record.evidence import EvidenceStore
from runner.record.sources import load_kept_inventory


class Offices:
    """The offices of runs; each inventory is read once."""

    def __init__(self, records: Path, inventories: tuple[Path, ...]) -> None:
        self._store = EvidenceStore(records)
        self._inventories = inventories
        self._known: dict[tuple[str, ...], Office] = {}

    @cached_property
    def _named(self) -> Office | None:
        return Office.of(load_inventory(self._inventories)) if self._inventories else None

    def of(self, whole: Record) -> Office:
        """Given a run that belongs to no other, return its office; an empty one where its inventory cannot be had."""
        if self._named:
            return self._named
        sources = whole.started.get("sources") or ()
        key = tuple(source["kept"] for source in sources if source["kind"] == "inventory")
        if key not in self._known:
            try:
                self._known[key] = Office.of(load_kept_inventory(whole.started, self._store))
            except (RunnerError, ValueError, KeyError):
                self._known[key] = Office.of(Inventory())
        return self._known[key]


def language_of(office: Office) -> Language:
    """The language of an office's screens: as SOP_LANG says, else its own."""
    return chosen_language() or ("id" if office.inventory.office.get("language") == "id" else language())
