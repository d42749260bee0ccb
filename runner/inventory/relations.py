"""Whether what an inventory refers to is there: servers, services, people, secrets; and whether its days are days."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import date
from typing import Any

from runner.inventory.channels import find_faults
from runner.inventory.cycles import check_cycles
from runner.inventory.draft import Draft, Place, TargetDraft
from runner.inventory.register import has_form_of_day
from runner.shapes.faults import render_value
from runner.source import Where


def check_relations(draft: Draft) -> None:
    """Given a draft, add a mistake for everything that refers to nothing."""
    kinds: dict[str, set[str]] = {"server": set(), "service": set(), "website": set()}
    for name, target in draft.targets.items():
        kinds[target.kind].add(name)
    for name, target in draft.targets.items():
        _check_target(draft, name, target, kinds)
    for name, person in draft.people.items():
        _check_roles(draft, draft.places["people", name], person.get("roles"))
    for name, channel in draft.channels.items():
        _check_channel(draft, draft.places["channels", name], channel)
    for name, group in draft.groups.items():
        _check_secrets(draft, draft.groups[name].place, group.vars, ("vars",))
    for key, value in draft.vars.items():
        _check_secrets(draft, draft.places.get(("vars", key)), value, ())


def _check_target(draft: Draft, name: str, target: TargetDraft, kinds: Mapping[str, set[str]]) -> None:
    settings, place = target.settings, target.place
    if "server" in settings:
        _check_name(draft, place, ("server",), settings["server"], "server", kinds["server"])
    for key, kind, known in (("services", "service", kinds["service"]), ("responsible", "person", draft.people)):
        if key in settings:
            _check_names(draft, place, key, settings[key], kind, known)
    if "jump" in settings:
        _check_jump(draft, name, target, kinds["server"])
    if target.kind == "service":
        check_cycles(draft, target)
    if target.vars:
        _check_secrets(draft, place, target.vars, ("vars",))
    for key in ("password", "database", "ftps"):
        if key in settings:
            _check_secrets(draft, place, settings[key], (key,))


def _check_names(draft: Draft, place: Place, key: str, value: Any, kind: str, known: Collection[str]) -> None:
    if isinstance(value, list):
        for index, each in enumerate(value):
            _check_name(draft, place, (key, index), each, kind, known)
    else:
        _check_name(draft, place, (key,), value, kind, known)


def _check_name(draft: Draft, place: Place, at: Where, value: Any, kind: str, known: Collection[str]) -> None:
    if isinstance(value, str) and value not in known and not draft.may_stand_unread(value):
        other = draft.targets.get(value)
        message = f"'{value}' is a {other.kind}, not a {kind}" if other else f"there is no {kind} '{value}'"
        cure = draft.suggest(value, known) or f"define it under '{'people' if kind == 'person' else kind + 's'}'"
        draft.mistakes.append(place.mistake(message, cure, at=at))


def _check_jump(draft: Draft, name: str, target: TargetDraft, servers: Collection[str]) -> None:
    """In our form a jump without '@', '.' or ':' is the name of a server; those must not go round in a circle."""
    jump = target.settings["jump"]
    ours = target.place.path == ("servers", name)
    if ours and isinstance(jump, str) and not any(sign in jump for sign in "@.:,"):
        _check_name(draft, target.place, ("jump",), jump, "server", servers)
    way = [name]
    while isinstance(jump, str) and jump in draft.targets:
        way.append(jump)
        if jump in way[:-1]:
            message = f"the way goes round in a circle: {' → '.join(way)}"
            draft.mistakes.append(target.place.mistake(message, "leave one jump out", at=("jump",)))
            return
        jump = draft.targets[jump].settings.get("jump")


def _check_roles(draft: Draft, place: Place, roles: Any) -> None:
    for index, holding in enumerate(roles if isinstance(roles, list) else ()):
        if isinstance(holding, dict):
            at = ("roles", index)
            start = _check_day(draft, place, (*at, "from"), holding.get("from"))
            end = _check_day(draft, place, (*at, "until"), holding.get("until"))
            if start and end and end < start:
                message = f"the role ends on {end}, before it begins on {start}"
                draft.mistakes.append(place.mistake(message, "check both days", at=(*at, "until")))


def _check_channel(draft: Draft, place: Place, channel: Mapping[str, Any]) -> None:
    for at, message, cure in find_faults(channel):
        draft.mistakes.append(place.mistake(message, cure, at=at))
    _check_secrets(draft, place, channel, ())


def _check_day(draft: Draft, place: Place, at: Where, value: Any) -> date | None:
    if not isinstance(value, str) or not has_form_of_day(value):
        return None
    try:
        return date.fromisoformat(value)
    except ValueError:
        cure = "write it as YYYY-MM-DD, such as 2026-11-30"
        draft.mistakes.append(place.mistake(f"{render_value(value)} is not a day of the calendar", cure, at=at))
        return None


def _check_secrets(draft: Draft, place: Place | None, value: Any, at: tuple[str | int, ...]) -> None:
    for path, name in _references(value, at):
        if name not in draft.secrets and place is not None and not draft.may_stand_unread(name):
            cure = draft.suggest(name, draft.secrets) or "define it under 'secrets'"
            draft.mistakes.append(place.mistake(f"there is no secret '{name}'", cure, at=(*path, "secret")))


def _references(value: Any, at: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Give the place and name of every `{secret: name}` within a value."""
    if isinstance(value, dict):
        if value.keys() == {"secret"} and isinstance(value["secret"], str):
            yield at, value["secret"]
        for key, part in value.items():
            yield from _references(part, (*at, key))
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield from _references(part, (*at, index))
