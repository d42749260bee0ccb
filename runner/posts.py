"""Roles of which any one may act, written as one: "camat|sekcam" is held by whoever holds either."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

_MARK = "|"


def join_roles(roles: Iterable[str]) -> str:
    """Given the roles of which any one may act, return them as one."""
    return _MARK.join(dict.fromkeys(roles))


def split_roles(role: str) -> tuple[str, ...]:
    """Given a role, return those of which any one may act: itself, where it is a single one."""
    return tuple(role.split(_MARK))


def say_roles(role: str) -> str:
    """Given a role, return it in words: "camat or sekcam"."""
    return " or ".join(split_roles(role))


def name_either(role: str, names: Mapping[str, str]) -> str:
    """Given a role and how roles are called, return what it is called: "Camat / Sekretaris Kecamatan"."""
    return " / ".join(str(names.get(each, each)) for each in split_roles(role))
