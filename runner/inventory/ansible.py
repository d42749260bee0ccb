"""Reads an existing Ansible inventory as it is: its hosts become servers.

Written after Ansible's public documentation. Differences, all on purpose: of variables in groups the nearest group
wins; in YAML only `true` and `false` are truth values; templates are kept as text; vaults are not opened.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from runner.errors import Refused
from runner.inventory.ansible_found import Found, Scope
from runner.inventory.ansible_ini import IniReader
from runner.inventory.ansible_variables import Variables, build_settings
from runner.inventory.ansible_yaml import read_listing, read_variables, read_yaml
from runner.inventory.documents import Document
from runner.inventory.draft import Draft, GroupDraft, Place, TargetDraft
from runner.inventory.groups import nearest_groups
from runner.source import Source

_ORDER = ("ini", "yaml", "listing", "vault", "variables")


def read_ansible(documents: Sequence[Document], draft: Draft) -> None:
    """Given documents, add the hosts and groups of those in Ansible's forms to the draft; mistakes go there too."""
    sorted_documents = _sorted(documents)
    if not sorted_documents:
        return
    found = Found(Scope(Place(Source(sorted_documents[0].file, sorted_documents[0].text))))
    for document in sorted_documents:
        try:
            draft.sources.append(_read(document, found))
        except Refused as error:
            found.mistakes.extend(error.mistakes)
    _take_over(found, draft)
    draft.mistakes.extend(found.mistakes)
    for message, (place, count) in found.notes.items():
        draft.notes.append(f"{place}: {message}" + (f" ({count} times)" if count > 1 else ""))


def _sorted(documents: Sequence[Document]) -> list[Document]:
    """Return Ansible's documents: inventories first, then the variables of all, of groups and of hosts."""
    forms: list[tuple[tuple[int, bool, bool], Document]] = []
    for document in documents:
        try:
            form = document.form
        except Refused:
            continue  # already said where our own form was looked for
        if form in _ORDER:
            scope = document.scope or ("", "")
            forms.append(((_ORDER.index(form), scope[0] == "host_vars", scope[1] != "all"), document))
    return [document for _, document in sorted(forms, key=lambda each: each[0])]


def _read(document: Document, found: Found) -> Source:
    source = Source(document.file, document.text)
    if document.form == "ini":
        IniReader(source, found).read()
    elif document.form == "listing":
        read_listing(source, document.listing or {}, found)
    elif document.form == "vault":
        found.note("the file is encrypted by Ansible's vault and cannot be read", Place(source))
    elif document.form == "variables":
        read_variables(document, found)
    else:
        read_yaml(document.source, found)
    return source


def _take_over(found: Found, draft: Draft) -> None:
    variables = Variables(found, draft)
    general, own = variables.sort(found.everything, "all")
    for key, value in own.items():
        if draft.claim("vars", key, found.everything.places.get(key, found.everything.place)):
            draft.vars[key] = value
    connections: dict[str, Mapping[str, Any]] = {}
    for name, group in found.groups.items():
        if name == "ungrouped":
            continue
        connections[name], own = variables.sort(group, name)
        children = [child for child in group.children if child in found.groups]
        if name in found.hosts:
            found.note(f"'{name}' is the name of a host and of a group: it means both", group.place)
        elif not draft.claim("name", name, group.place):
            continue
        draft.groups[name] = GroupDraft(group.place, targets=dict(group.hosts), children=children, vars=own)
    _take_hosts(found, draft, variables, general, connections)


def _take_hosts(
    found: Found,
    draft: Draft,
    variables: Variables,
    general: Mapping[str, Any],
    connections: Mapping[str, Mapping[str, Any]],
) -> None:
    nearest = nearest_groups({name: group for name, group in draft.groups.items() if name in connections})
    inherited: dict[tuple[str, ...], dict[str, Any]] = {}
    for name, host in found.hosts.items():
        if not draft.claim("name", name, host.place):
            continue
        groups = nearest.get(name, ())
        if groups not in inherited:
            inherited[groups] = dict(general)
            for group in reversed(groups):
                inherited[groups] |= connections[group]
        connection, own = variables.sort(host, name)
        settings = build_settings(name, {**inherited[groups], **connection}, host, found)
        draft.targets[name] = TargetDraft("server", host.place, settings, own)
