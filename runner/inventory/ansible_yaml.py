"""Reads Ansible's YAML form, its folders group_vars/ and host_vars/, and what inventory programs print."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runner.inventory.ansible_forms import parse_host
from runner.inventory.ansible_found import Found, Scope
from runner.inventory.documents import Document
from runner.inventory.draft import Place
from runner.source import Source


def read_yaml(source: Source, found: Found) -> None:
    """Given an inventory in YAML form, add its hosts and groups to what was found; mistakes go there too."""
    waiting: list[tuple[str, Any, tuple[str, ...]]]
    waiting = [(name, data, (name,)) for name, data in reversed([*source.data.items()])]
    while waiting:
        name, data, path = waiting.pop()
        place = Place(source, path)
        group = found.group(name, place)
        for key, part in (data or {}).items() if isinstance(data, dict) or data is None else ():
            if not isinstance(part, dict) and part is not None:
                message = f"'{key}' of the group '{name}' is not a mapping"
                found.mistakes.append(place.mistake(message, f"write {key}: {{name: …}}", at=(key,)))
            elif key == "hosts":
                _read_hosts(part or {}, group, found, Place(source, (*path, key)))
            elif key == "vars":
                _read_vars(part or {}, group, Place(source, (*path, key)))
            elif key == "children":
                children = [(n, d, (*path, key, n)) for n, d in (part or {}).items()]
                group.children |= {n: Place(source, p) for n, _, p in children if n not in group.children}
                waiting.extend(reversed(children))
            else:
                found.note(f"'{key}' in a group has no meaning", place)


def _read_hosts(hosts: Mapping[str, Any], group: Scope, found: Found, place: Place) -> None:
    for text, data in hosts.items():
        here = Place(place.source, (*place.path, text))
        if data is not None and not isinstance(data, dict):
            found.mistakes.append(here.mistake(f"the variables of '{text}' are not a mapping", "write key: value"))
            continue
        try:
            names, port = parse_host(text)
        except ValueError as error:
            found.mistakes.append(here.mistake(str(error), "write the name of a host", key=True))
            continue
        for name in names:
            host = found.host(name, here)
            group.hosts[name] = None
            if port is not None:
                host.set("ansible_port", port, here)
            for key, value in (data or {}).items():
                host.set(key, value, here)


def _read_vars(values: Mapping[str, Any], scope: Scope, place: Place) -> None:
    for key, value in values.items():
        scope.set(key, value, place)


def read_variables(document: Document, found: Found) -> None:
    """Given a file below group_vars/ or host_vars/, give its variables to that group or host."""
    folder, name = document.scope or ("", "")
    source, place = document.source, Place(document.source, line=1)
    known = found.hosts if folder == "host_vars" else {**found.groups, "all": found.everything}
    if source.data is None:
        return
    if not isinstance(source.data, dict):
        found.mistakes.append(place.mistake("variables are not a mapping", "write key: value"))
    elif name not in known:
        found.note(f"this is for '{name}', which is not in the inventory", place)
    else:
        for key, value in source.data.items():
            known[name].set(key, value, Place(source, (key,)))


def read_listing(source: Source, listing: Mapping[str, Any], found: Found) -> None:
    """Given what an inventory program printed, add its hosts and groups to what was found."""
    place = Place(source)
    for name, data in listing.items():
        if name != "_meta":
            _read_printed_group(name, data, found, place)
    meta = listing.get("_meta")
    variables = meta.get("hostvars") if isinstance(meta, dict) else None
    if not isinstance(variables, dict):
        found.note(f"{source.file} prints no _meta.hostvars: its hosts have no variables of their own", place)
        return
    for name, values in variables.items():
        if _is_host(name, found, place) and isinstance(values, dict):
            _read_vars(values, found.host(name, place), place)


def _read_printed_group(name: str, data: Any, found: Found, place: Place) -> None:
    data = {"hosts": data} if isinstance(data, list) else data
    if not isinstance(data, dict):
        found.mistakes.append(place.mistake(f"the group '{name}' is not a mapping", 'print {"hosts": […]}'))
        return
    group = found.group(name, place) if name != "ungrouped" else Scope(place)
    hosts, children, values = (data.get(key) for key in ("hosts", "children", "vars"))
    for host in hosts if isinstance(hosts, list) else ():
        if _is_host(host, found, place):
            found.host(host, place)
            group.hosts[host] = None
    for child in children if isinstance(children, list) else ():
        if isinstance(child, str) and child != "ungrouped":
            found.group(child, place)
            group.children.setdefault(child, place)
    _read_vars(values if isinstance(values, dict) else {}, group, place)


def _is_host(name: Any, found: Found, place: Place) -> bool:
    try:
        names, port = parse_host(name) if isinstance(name, str) else ([], None)
    except ValueError:
        names, port = [], None
    if names != [name] or port is not None:
        found.mistakes.append(place.mistake(f"{name!r} is not the name of a host", "print names only"))
        return False
    return True
