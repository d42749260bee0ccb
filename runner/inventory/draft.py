"""What the readers of inventories gather, before groups and references are looked at."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from runner.errors import Mistake, did_you_mean
from runner.source import Source, Where

MOST_SUGGESTIONS = 50  # comparing with ten thousand names takes time


class Place(NamedTuple):
    """Where something is written: a path into a YAML source, or a line of another one."""

    source: Source
    path: tuple[str | int, ...] = ()
    line: int = 0

    def mistake(self, message: str, cure: str = "", *, at: Where = (), key: bool = False) -> Mistake:
        """Return a mistake here, or further down at `at`."""
        if self.line or not self.path:
            return Mistake(self.source.file, self.line, min(self.line, 1), message, cure)
        return self.source.mistake((*self.path, *at), message, cure, key=key)

    def __str__(self) -> str:
        mistake = self.mistake("", key=True)
        return f"{mistake.file}:{mistake.line}" if mistake.line else mistake.file


@dataclass(slots=True)
class TargetDraft:
    """A target as read."""

    kind: str
    place: Place
    settings: Mapping[str, Any]
    vars: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class GroupDraft:
    """A group as read: `members` are terms still to be resolved, `targets` and `children` are names."""

    place: Place
    members: list[str] = field(default_factory=list)
    targets: dict[str, None] = field(default_factory=dict)
    children: list[str] = field(default_factory=list)
    vars: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Draft:
    """All that was read so far, with the mistakes found on the way."""

    targets: dict[str, TargetDraft] = field(default_factory=dict)
    groups: dict[str, GroupDraft] = field(default_factory=dict)
    people: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    channels: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    knowledge: list[Mapping[str, Any]] = field(default_factory=list)
    office: dict[str, Any] = field(default_factory=dict)
    vars: dict[str, Any] = field(default_factory=dict)
    secrets: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    plain: dict[str, str] = field(default_factory=dict, repr=False)
    places: dict[tuple[str, str], Place] = field(default_factory=dict)
    sources: list[Source] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    mistakes: list[Mistake] = field(default_factory=list)
    unread: list[str] = field(default_factory=list, repr=False)  # texts that are no YAML

    def suggest(self, word: str, known: Iterable[str]) -> str:
        """Given a word that is not known, return the cure that names the nearest; only for the first few mistakes."""
        return did_you_mean(word, known) if len(self.mistakes) < MOST_SUGGESTIONS else ""

    def may_stand_unread(self, name: str) -> bool:
        """Whether a name may be defined in a file that could not be read, so that nothing is missing but that file."""
        key = re.compile(rf"(^|[\s{{,\"']){re.escape(name)}[\"']?\s*:", re.MULTILINE)
        return any(key.search(text) for text in self.unread)

    def claim(self, section: str, name: str, place: Place) -> bool:
        """Take a name within a section; where it is taken, note the mistake with both places and return False."""
        first = self.places.setdefault((section, name), place)
        if first is place:
            return True
        message = f"'{name}' is already defined at {first}"
        self.mistakes.append(place.mistake(message, "give each a name of its own, or keep one", key=True))
        return False
