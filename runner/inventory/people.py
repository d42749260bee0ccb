"""People and the roles they hold, from one day until another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

from runner.posts import split_roles
from runner.shapes.describe import VARS, day, keys, text, texts, word

HOLDING = keys(
    "A role, from one day until another",
    {
        "role": text("The role, as the procedure calls it", "kasubbag"),
        "from": day("The first day", "2026-01-02"),
        "until": day("The last day; left out: until further notice", "2026-12-31"),
        "as": word("As deputy: Plh (the holder is away) or Plt (nobody holds it)", "Plh", "Plt"),
        "decree": text("The number of the letter that says so", "W8-U6/12/KP.04.6/1/2026"),
    },
    ("role",),
)

PERSON = keys(
    "A person who may act",
    {
        "name": text("The full name with titles", "Budi Santoso, S.Kom."),
        "nip": text("The civil servant number (NIP)", "198701022010121001", pattern=r"^[0-9 ]{8,24}$"),
        "position": text("The position, as written under a signature", "Kasubbag PTIP"),
        "login": text("The user name on this machine", "budi"),
        "email": text("The mail address", "budi@example.go.id", pattern=r"^[^@\s]+@[^@\s]+$"),
        "phone": text("The telephone number, in quotes", "081200000000", pattern=r"^[+0-9][0-9 ()-]{3,24}$"),
        "telegram": text("The chat id at Telegram", "123456789"),
        "ssh_key": texts("The public SSH key to sign with", "ssh-ed25519 AAAA… budi"),
        "roles": {
            "type": "array",
            "items": HOLDING,
            "description": "The roles held",
            "examples": [[{"role": "admin", "from": "2026-01-02"}]],
        },
        "vars": VARS,
    },
    ("name",),
)


class Holding(NamedTuple):
    """A role held from one day until another (both included, None: open); `deputy` is "Plh", "Plt" or ""."""

    role: str
    start: date | None = None
    end: date | None = None
    deputy: str = ""
    decree: str = ""

    def covers(self, day: date) -> bool:
        """Say whether the role is held on that day."""
        return (self.start is None or self.start <= day) and (self.end is None or day <= self.end)


@dataclass(frozen=True, slots=True)
class Person:
    """Someone who may act; `id` is the short name in the inventory, `name` the full one."""

    id: str
    name: str
    roles: tuple[Holding, ...] = ()
    nip: str = ""
    position: str = ""
    login: str = ""
    email: str = ""
    phone: str = ""
    telegram: str = ""
    ssh_keys: tuple[str, ...] = ()
    vars: Mapping[str, Any] = field(default_factory=dict)

    def holding(self, role: str, day: date) -> Holding | None:
        """Given a role and a day, return how it is held, a full appointment before a deputy's; None if it is not."""
        roles = split_roles(role)
        held = [each for each in self.roles if each.role in roles and each.covers(day)]
        return min(held, key=lambda each: each.deputy != "", default=None)

    def __hash__(self) -> int:
        return hash(self.id)


def parse_person(name: str, data: Mapping[str, Any]) -> Person:
    """Given a person's short name and checked data, return the person. Raise ValueError for a day that is none."""
    plain = {
        key: data[key] for key in ("nip", "position", "login", "email", "phone", "telegram", "vars") if key in data
    }
    ssh_keys = data.get("ssh_key", ())
    return Person(
        name,
        data["name"],
        tuple(_parse_holding(each) for each in data.get("roles", ())),
        ssh_keys=(ssh_keys,) if isinstance(ssh_keys, str) else tuple(ssh_keys),
        **plain,
    )


def _parse_holding(data: Mapping[str, Any]) -> Holding:
    start, end = (date.fromisoformat(data[key]) if key in data else None for key in ("from", "until"))
    return Holding(data["role"], start, end, data.get("as", ""), data.get("decree", ""))
