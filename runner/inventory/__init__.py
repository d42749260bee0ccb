"""The inventory: websites, servers, services, people, office, groups and variables.

Reads one file, several, or folders; ours (see `nouns`) and Ansible's (see `ansible`), also mixed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

from runner.errors import Failed, Mistake, Refused, refuse
from runner.inventory.documents import Document, load_documents
from runner.inventory.draft import Draft, Place
from runner.inventory.groups import Group, resolve_groups
from runner.inventory.knowledge import Advice, parse_knowledge
from runner.inventory.nouns import KINDS
from runner.inventory.ours import read_ours
from runner.inventory.patterns import select_names
from runner.inventory.people import Person, parse_person
from runner.inventory.relations import check_relations
from runner.posts import split_roles
from runner.secrets import Redactor, SecretReference, resolve_secret
from runner.source import Source

NOWHERE = Place(Source("inventory", ""))


@dataclass(frozen=True, slots=True)
class Target:
    """A website, server or service; `groups` are those it belongs to, the nearest first."""

    name: str
    kind: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    vars: Mapping[str, Any] = field(default_factory=dict)
    groups: tuple[str, ...] = ()
    place: Place = field(default=NOWHERE, compare=False, repr=False)

    def __hash__(self) -> int:
        return hash(self.name)

    def view(self) -> Mapping[str, Any]:
        """Return what `target` means in an expression: the settings with `name` and `kind`.

        A service's own kind and name are read as `service` and `title` there.
        """
        settings = dict(self.settings)
        if self.kind == "service":
            settings["service"] = settings.pop("kind", "")
            settings["title"] = settings.pop("name", self.name)
        return {**settings, "name": self.name, "kind": self.kind}

    def mistake(self, message: str, cure: str = "", *key: str | int) -> Mistake:
        """Return a mistake at the target's definition, or at one of its keys."""
        return self.place.mistake(message, cure, at=key, key=not key)


@dataclass(frozen=True)
class Inventory:
    """What there is. `sources` keep the text that was read, `notes` what of it has no meaning here.

    `plain` holds the values of secrets that stand as plain text in an Ansible inventory; their entries in `secrets`
    say only where.
    """

    office: Mapping[str, Any] = field(default_factory=dict)
    targets: dict[str, Target] = field(default_factory=dict)
    people: dict[str, Person] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    vars: Mapping[str, Any] = field(default_factory=dict)
    secrets: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, repr=False)
    plain: Mapping[str, str] = field(default_factory=dict, repr=False)
    sources: tuple[Source, ...] = field(default=(), repr=False)
    notes: tuple[str, ...] = ()
    channels: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    knowledge: tuple[Advice, ...] = ()

    def select(self, pattern: str, *, kind: str | None = None, option: str = "--limit") -> tuple[Target, ...]:
        """Given a pattern (see `patterns`), return the targets it selects, in file order; with `kind` only those.

        Raise Refused when a term selects nothing or nothing is left; `option` is where messages say it was written.
        """
        names = select_names(pattern, self.targets, self._names_of_groups, option=option)
        targets = tuple(self.targets[name] for name in names)
        fitting = tuple(target for target in targets if kind in (None, target.kind))
        if not fitting:
            found = ", ".join(f"{target.name} ({target.kind})" for target in targets[:3])
            raise refuse(option, f"'{pattern}' selects no {kind}, only {found}", f"name a {kind}")
        return fitting

    def variables(self, target: Target | None, extra: Mapping[str, Any]) -> dict[str, Any]:
        """Return the variables a task sees: `extra` over the target's over its groups' (nearest first) over all."""
        result = dict(self.vars)
        if target is not None:
            for name in reversed(target.groups):
                result |= self.groups[name].vars
            result |= target.vars
        return result | dict(extra)

    def server_of(self, target: Target) -> Target | None:
        """Given a target, return the server it runs on (a server itself), or None."""
        return target if target.kind == "server" else self.targets.get(target.settings.get("server", ""))

    def resolve(self, name: str) -> str:
        """Given the name of a secret, return its value. Raise Failed, with a cure, if there is none."""
        if name in self.plain:
            return self.plain[name]
        return resolve_secret(name, SecretReference.parse(self.secrets[name]))

    def secrets_at_hand(self) -> dict[str, str]:
        """The secrets that can be had here without asking anybody, by name: plain ones, from the environment and from
        files. They may be seen where nothing asked for them: in what a command of this machine prints."""
        found = dict(self.plain)
        for name, reference in self.secrets.items():
            with suppress(Failed, ValueError):
                if next(iter(reference)) in ("env", "file"):
                    found[name] = self.resolve(name)
        return found

    def redactor(self) -> Redactor:
        """What masks the secrets at hand. For what people type, where no run has fetched the others."""
        return Redactor(self.secrets_at_hand())

    def holders(self, role: str, day: date) -> tuple[Person, ...]:
        """Given a role and a day, return the people who hold it then: full appointments first, then deputies; of roles
        of which any one may act, those of the first one first."""
        held = [(person.holding(role, day), person) for person in self.people.values()]
        order = split_roles(role).index
        found = [((holding.deputy != "", order(holding.role)), person) for holding, person in held if holding]
        return tuple(person for _, person in sorted(found, key=lambda each: each[0]))

    @cached_property
    def roles(self) -> frozenset[str]:
        """All roles that anybody holds, at whatever time."""
        return frozenset(holding.role for person in self.people.values() for holding in person.roles)

    @cached_property
    def _names_of_groups(self) -> dict[str, Sequence[str]]:
        grouped = {
            plural: [name for name, target in self.targets.items() if target.kind == kind]
            for plural, kind in KINDS.items()
        }
        alone = [name for name, target in self.targets.items() if not target.groups]
        defined = {name: group.members for name, group in self.groups.items()}
        return {"all": [*self.targets], "ungrouped": alone, **grouped, **defined}


def load_inventory(paths: Sequence[Path]) -> Inventory:
    """Given inventory files and folders, return the inventory. Raise Refused with all mistakes found."""
    return parse_inventory(load_documents(paths))


def parse_inventory(documents: Sequence[Document]) -> Inventory:
    """Given what was read from files (or kept from a run), return the inventory. Raise Refused for mistakes."""
    draft = Draft()
    read_ours(documents, draft)
    if any(document.is_foreign for document in documents):
        from runner.inventory.ansible import read_ansible  # costs a tenth of a start, and most inventories are ours

        read_ansible(documents, draft)
    groups, nearest = resolve_groups(draft)
    check_relations(draft)
    if draft.mistakes:
        raise Refused(*draft.mistakes)
    people = {name: parse_person(name, data) for name, data in draft.people.items()}
    targets = {
        name: Target(name, each.kind, each.settings, each.vars, nearest.get(name, ()), each.place)
        for name, each in draft.targets.items()
    }
    sources, notes = tuple(draft.sources), tuple(draft.notes)
    return Inventory(
        office=draft.office,
        targets=targets,
        people=people,
        groups=groups,
        vars=draft.vars,
        secrets=draft.secrets,
        plain=draft.plain,
        sources=sources,
        notes=notes,
        channels=draft.channels,
        knowledge=tuple(parse_knowledge(draft.knowledge)),
    )
