"""Reads inventory files in our own form into a draft."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from runner.errors import Refused
from runner.inventory.documents import Document
from runner.inventory.draft import Draft, GroupDraft, Place, TargetDraft
from runner.inventory.nouns import INVENTORY_SCHEMA, KINDS
from runner.shapes import check_shape
from runner.source import Source

RESERVED = frozenset({"all", "ungrouped", *KINDS})


def read_ours(documents: Sequence[Document], draft: Draft) -> None:
    """Given documents, add those in our form to the draft; mistakes go there too."""
    for document in documents:
        try:
            if document.form == "ours":
                _read(document.source, draft)
        except Refused as error:
            draft.mistakes.extend(error.mistakes)
            draft.unread.append(document.text)


def _read(source: Source, draft: Draft) -> None:
    draft.sources.append(source)
    draft.mistakes.extend(check_shape(source, INVENTORY_SCHEMA))
    for section, kind in KINDS.items():
        _read_targets(source, draft, section, kind)
    _read_groups(source, draft)
    for section, into in (("people", draft.people), ("channels", draft.channels), ("secrets", draft.secrets)):
        for name, data in _entries(source, section):
            if draft.claim(section, name, Place(source, (section, name))):
                into[name] = data
    known = source.data.get("knowledge") if isinstance(source.data, dict) else None
    draft.knowledge += [each for each in known if isinstance(each, dict)] if isinstance(known, list) else []
    for section, plain in (("office", draft.office), ("vars", draft.vars)):
        for key, value in _section(source, section).items():
            if draft.claim(section, key, Place(source, (section, key))):
                plain[key] = value


def _section(source: Source, section: str) -> Mapping[str, Any]:
    data = source.data.get(section) if isinstance(source.data, dict) else None
    return data if isinstance(data, dict) else {}


def _entries(source: Source, section: str) -> list[tuple[str, dict[str, Any]]]:
    return [(name, data) for name, data in _section(source, section).items() if isinstance(data, dict)]


def _read_targets(source: Source, draft: Draft, section: str, kind: str) -> None:
    for name, data in _entries(source, section):
        place = Place(source, (section, name))
        if _take(draft, name, place):
            settings = {key: value for key, value in data.items() if key != "vars"}
            own = data.get("vars")
            draft.targets[name] = TargetDraft(kind, place, settings, own if isinstance(own, dict) else {})


def _read_groups(source: Source, draft: Draft) -> None:
    for name, data in _entries(source, "groups"):
        place = Place(source, ("groups", name))
        if _take(draft, name, place):
            members, children, own = data.get("members"), data.get("children"), data.get("vars")
            draft.groups[name] = GroupDraft(
                place, members=_texts(members), children=_texts(children), vars=own if isinstance(own, dict) else {}
            )


def _texts(items: Any) -> list[str]:
    return [item if isinstance(item, str) else "" for item in items] if isinstance(items, list) else []


def _take(draft: Draft, name: str, place: Place) -> bool:
    if name in RESERVED:
        draft.mistakes.append(place.mistake(f"'{name}' has a meaning of its own", "choose another name", key=True))
        return False
    return draft.claim("name", name, place)
