"""Whose account this is. A name from the environment proves nothing, so the kernel is asked."""

from __future__ import annotations

import os
import pwd

from runner.inventory import Inventory
from runner.inventory.people import Person

_EVERYBODY = frozenset({"root", "nobody", "guest"})


def account() -> str:
    """The login that this process runs under."""
    return login_of(os.getuid())


def login_of(number: int) -> str:
    """Given a user's number, return the login; of one without a name the number."""
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


def why_shared(inventory: Inventory, login: str) -> str:
    """Given a login, return why it is not one person's alone, "" where it is."""
    if login in _EVERYBODY:
        return f"the login '{login}' is nobody's own"
    if login in _texts(inventory.office.get("shared_logins")):
        return f"the inventory says that several people use the login '{login}'"
    people = [person.name for person in inventory.people.values() if person.login == login]
    return f"the login '{login}' belongs to several: {', '.join(people)}" if len(people) > 1 else ""


def person_of(inventory: Inventory, login: str) -> Person | None:
    """Given a login, return the one person that it belongs to, if it is one."""
    found = [person for person in inventory.people.values() if person.login == login]
    return found[0] if len(found) == 1 and not why_shared(inventory, login) else None


def _texts(value: object) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value) if isinstance(value, list) else ()
