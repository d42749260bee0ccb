"""Groups: who belongs to them, through other groups too, and which of them is nearest to a target."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from runner.errors import Refused
from runner.inventory.draft import Draft, GroupDraft
from runner.inventory.nouns import KINDS
from runner.inventory.patterns import is_wild, match_names


@dataclass(frozen=True, slots=True)
class Group:
    """A group: `members` are all its targets in file order, `children` the groups directly in it."""

    name: str
    members: tuple[str, ...]
    children: tuple[str, ...] = ()
    vars: Mapping[str, Any] = field(default_factory=dict)

    def __hash__(self) -> int:
        return hash(self.name)


def resolve_groups(draft: Draft) -> tuple[dict[str, Group], dict[str, tuple[str, ...]]]:
    """Given a draft, return its groups, and for each target in one its groups, the nearest first.

    The distance of a group is the least number of memberships between it and the target. Of two at the same
    distance the one later in the alphabet stands first, so that its variables win. Mistakes go to the draft.
    """
    for group in draft.groups.values():
        _resolve_members(draft, group)
    cycle = _find_cycle({name: group.children for name, group in draft.groups.items()})
    if cycle:
        place = draft.groups[cycle[0]].place
        draft.mistakes.append(place.mistake(f"groups hold each other: {' → '.join(cycle)}", "leave one out", key=True))
        return {}, {}
    nearest = nearest_groups(draft.groups)
    members: dict[str, list[str]] = {name: [] for name in draft.groups}
    for target in draft.targets:
        for name in nearest.get(target, ()):
            members[name].append(target)
    groups = {n: Group(n, tuple(members[n]), tuple(dict.fromkeys(g.children)), g.vars) for n, g in draft.groups.items()}
    return groups, nearest


def _resolve_members(draft: Draft, group: GroupDraft) -> None:
    """Turn the terms of `members` into names of targets and child groups."""
    for index, term in enumerate(group.members):
        if term in draft.targets:
            group.targets[term] = None
        elif term in draft.groups:
            group.children.append(term)
        elif term == "all" or term in KINDS:
            kind = KINDS.get(term)
            group.targets |= dict.fromkeys(n for n, t in draft.targets.items() if kind in (None, t.kind))
        else:
            _resolve_wild(draft, group, index, term)
    for index, child in enumerate(group.children):
        if child not in draft.groups and not draft.may_stand_unread(child):
            cure = draft.suggest(child, draft.groups)
            mistake = group.place.mistake(f"there is no group '{child}'", cure, at=("children", index))
            draft.mistakes.append(mistake)
    group.children = [child for child in group.children if child in draft.groups]


def _resolve_wild(draft: Draft, group: GroupDraft, index: int, term: str) -> None:
    at = ("members", index)
    try:
        found = match_names(term, draft.targets, option=str(group.place)) if is_wild(term) else []
    except Refused as error:
        draft.mistakes.extend(group.place.mistake(each.message, each.cure, at=at) for each in error.mistakes)
        return
    if not found and not draft.may_stand_unread(term):
        cure = draft.suggest(term, [*draft.targets, *draft.groups])
        draft.mistakes.append(group.place.mistake(f"'{term}' is no target or group, and matches none", cure, at=at))
    group.targets |= dict.fromkeys(found)


def _find_cycle(children: Mapping[str, Iterable[str]]) -> list[str]:
    """Return the names on a cycle, the first one again at the end, or nothing."""
    finished: set[str] = set()
    for root in children:
        path, waiting = {root: None}, [iter(children[root])] if root not in finished else []
        while waiting:
            name = next(waiting[-1], None)
            if name is None:
                finished.add(path.popitem()[0])
                waiting.pop()
            elif name in path:
                names = [*path]
                return [*names[names.index(name) :], name]
            elif name not in finished:
                path[name] = None
                waiting.append(iter(children[name]))
    return []


def nearest_groups(groups: Mapping[str, GroupDraft]) -> dict[str, tuple[str, ...]]:
    """Given groups with their targets and children, return for each target its groups, the nearest first."""
    direct: dict[str, list[str]] = {}
    parents: dict[str, list[str]] = {}
    for name, group in groups.items():
        for target in group.targets:
            direct.setdefault(target, []).append(name)
        for child in group.children:
            parents.setdefault(child, []).append(name)
    known: dict[tuple[str, ...], tuple[str, ...]] = {}
    for names in {tuple(names) for names in direct.values()}:
        known[names] = _outwards(names, parents)
    return {target: known[tuple(names)] for target, names in direct.items()}


def _outwards(names: Iterable[str], parents: Mapping[str, Iterable[str]]) -> tuple[str, ...]:
    """Given the groups that hold a target, return them and the groups around them, the nearest first."""
    found: dict[str, None] = {}
    ring = set(names)
    while ring:
        found |= dict.fromkeys(sorted(ring, reverse=True))
        ring = {parent for name in ring for parent in parents.get(name, ())} - found.keys()
    return tuple(found)
