"""What stands in an Ansible inventory, gathered from all its files before it is understood."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from runner.errors import Mistake
from runner.inventory.draft import Place


@dataclass(slots=True)
class Scope:
    """A host, a group, or all: its variables, and where those stand that are not at its own place."""

    place: Place
    vars: dict[str, Any] = field(default_factory=dict)
    places: dict[str, Place] = field(default_factory=dict)
    hosts: dict[str, None] = field(default_factory=dict)
    children: dict[str, Place] = field(default_factory=dict)

    def set(self, key: str, value: Any, place: Place) -> None:
        """Give a variable its value; a later one replaces it."""
        self.vars[key] = value
        if place is not self.place:
            self.places[key] = place

    def mistake(self, key: str, message: str, cure: str) -> Mistake:
        """Return a mistake at one of the variables."""
        place = self.places.get(key, self.place)
        return place.mistake(message, cure, at=() if place.path[-1:] == (key,) else (key,), key=True)


@dataclass(slots=True)
class Found:
    """Hosts and groups by name, and what holds for all."""

    everything: Scope
    hosts: dict[str, Scope] = field(default_factory=dict)
    groups: dict[str, Scope] = field(default_factory=dict)
    mistakes: list[Mistake] = field(default_factory=list)
    notes: dict[str, tuple[Place, int]] = field(default_factory=dict)

    def host(self, name: str, place: Place) -> Scope:
        """Return the scope of a host, a new one where it was not seen yet."""
        found = self.hosts.get(name)
        if found is None:
            found = self.hosts[name] = Scope(place)
        return found

    def group(self, name: str, place: Place) -> Scope:
        """Return the scope of a group, a new one where it was not seen yet; `all` is everything."""
        if name == "all":
            return self.everything
        return self.groups.setdefault(name, Scope(place))

    def note(self, message: str, place: Place) -> None:
        """Keep a note once, with its first place and how often it holds."""
        first, count = self.notes.get(message, (place, 0))
        self.notes[message] = first, count + 1
