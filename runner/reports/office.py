"""The office as it stands on papers: its letterhead, and who signs what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from runner.inventory.knowledge import Advice
from runner.inventory.people import Person
from runner.posts import split_roles
from runner.reports.paper.model import Letterhead, Signature

MOST_SIGNATURES = 3
PREPARED, CHECKED, ACKNOWLEDGED = "Dibuat oleh,", "Diperiksa oleh,", "Mengetahui,"
BLANK = "……………………………………"

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Office:
    """The office and its people, as the inventory has them; `people` and `titles` of targets by their short names;
    `knowledge` is what it knows of faults."""

    settings: Json = field(default_factory=dict)
    people: Mapping[str, Person] = field(default_factory=dict)
    titles: Mapping[str, str] = field(default_factory=dict)
    knowledge: Sequence[Advice] = ()

    @property
    def city(self) -> str:
        """The place on letters; dots where it is not known."""
        return str(self.settings.get("city") or "…………………")

    def name_of(self, person: str) -> str:
        """Given a person's short name, return the full one, as far as it is known."""
        known = self.people.get(person)
        return known.name if known else person

    def title_of(self, target: str | None) -> str:
        """Given a target's name, return how people call it, as far as that is known; "–" without a target."""
        return self.titles.get(target, target) if target else "–"

    def holder(self, role: str, day: date) -> Person | None:
        """Given a role and a day, return who holds it, a full appointment before a deputy's; None if nobody does."""
        held = [(person, held) for person in self.people.values() if (held := person.holding(role, day))]
        return min(held, key=lambda each: each[1].deputy != "")[0] if held else None

    def sign(self, role: str, post: str, heading: str, day: date, dated: str = "") -> Signature:
        """Given a role, how its post is called and a day, return the place where its holder signs."""
        person = self.holder(role, day)
        if person is None:
            return Signature(dated, heading, post, "", "")
        holding = person.holding(role, day)
        deputy = f"{holding.deputy}. " if holding and holding.deputy else ""
        return Signature(dated, heading, deputy + post, person.name, person.nip)


def build_letterhead(settings: Json) -> Letterhead:
    """Given the office, return its letterhead as configured; of an office without one, its name and how to reach it."""
    head = settings.get("letterhead") or settings.get("name") or ()
    lines = head.splitlines() if isinstance(head, str) else [str(line) for line in head]
    contacts = [str(settings[name]) for name in ("phone", "website", "email") if settings.get(name)]
    return Letterhead(lines, [line for line in (str(settings.get("address") or ""), " · ".join(contacts)) if line])


def build_signatures(roles: Mapping[str, str], office: Office, day: date, dated: str) -> list[Signature]:
    """Given the posts that answer for a paper, in the procedure's order, return where they sign.

    The first prepared it, the last acknowledges; who prepared it signs at the right, as in official letters.
    """
    names = list(roles)[: MOST_SIGNATURES - 1] + list(roles)[MOST_SIGNATURES - 1 :][-1:]
    headings = [PREPARED, *[CHECKED] * (len(names) - 2), *[ACKNOWLEDGED] * (len(names) > 1)]
    blocks = [
        office.sign(name, roles[name], heading, day, dated if index == 0 else "")
        for index, (name, heading) in enumerate(zip(names, headings, strict=False))
    ]
    return blocks[::-1]


def lone_actors(steps: Sequence[Sequence[str]]) -> list[str]:
    """Given the actors of each step, return the roles that act alone in some step, in the order of the procedure; where
    any one of several may act, the first of them."""
    return list(dict.fromkeys(split_roles(actors[0])[0] for actors in steps if len(actors) == 1))
