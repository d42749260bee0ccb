"""Reads Ansible's INI form: `[group]`, `[group:children]`, `[group:vars]`, host lines with ranges and variables."""

from __future__ import annotations

import re

from runner.errors import did_you_mean
from runner.inventory.ansible_forms import parse_host_line, parse_value
from runner.inventory.ansible_found import Found, Scope
from runner.inventory.draft import MOST_SUGGESTIONS, Place
from runner.source import Source

_SECTION = re.compile(r"\[(?P<name>[^\s:\[\]]+)(?::(?P<part>\w+))?\]\s*([#;].*)?\Z")


class IniReader:
    """Reads one file line by line."""

    def __init__(self, source: Source, found: Found) -> None:
        self._source = source
        self._found = found
        self._group: Scope | None = None
        self._part = ""
        self._claimed: list[tuple[str, Place]] = []

    def read(self) -> None:
        """Add the file's hosts and groups to what was found; mistakes go there too."""
        for number, line in enumerate(self._source.text.splitlines(), 1):
            line = line.strip()
            if line and line[0] not in "#;":
                place = Place(self._source, line=number)
                try:
                    self._read_line(line, place)
                except ValueError as error:
                    self._mistake(place, str(error), "see Ansible's INI form: name key=value …")
        for name, place in self._claimed:
            if name not in self._found.groups:
                cure = did_you_mean(name, self._found.groups) if len(self._found.mistakes) < MOST_SUGGESTIONS else ""
                self._mistake(place, f"there is no group '{name}'", cure)

    def _read_line(self, line: str, place: Place) -> None:
        if line[0] == "[" and (section := _SECTION.match(line)):
            self._begin(section["name"], section["part"] or "hosts", place)
        elif self._part == "children" and self._group is not None:
            name = line.partition("#")[0].strip()
            self._group.children.setdefault(name, place)
            self._claimed.append((name, place))
        elif self._part == "vars" and self._group is not None:
            key, sign, value = line.partition("=")
            if not sign:
                raise ValueError(f"'{line}' is not key=value")
            self._group.set(key.strip(), parse_value(value.strip()), place)
        elif self._part != "unknown":
            self._read_host(line, place)

    def _begin(self, name: str, part: str, place: Place) -> None:
        self._part = part
        if part == "vars" and name not in (*self._found.groups, "all", "ungrouped"):
            self._claimed.append((name, place))
            self._group = Scope(place)
        elif part in ("hosts", "children", "vars"):
            self._group = self._found.group(name, place) if name != "ungrouped" else Scope(place)
        else:
            self._part = "unknown"
            self._mistake(place, f"'[{name}:{part}]' has no meaning", "write :children or :vars")

    def _read_host(self, line: str, place: Place) -> None:
        names, port, pairs = parse_host_line(line)
        for name in names:
            host = self._found.host(name, place)
            if port is not None:
                host.set("ansible_port", port, place)
            for key, value in pairs:
                host.set(key, value, place)
            if self._group is not None:
                self._group.hosts[name] = None

    def _mistake(self, place: Place, message: str, cure: str) -> None:
        self._found.mistakes.append(place.mistake(message, cure))
