"""What a request chooses of a playbook: its steps, and the targets of each."""

from __future__ import annotations

from collections.abc import Mapping

from runner.errors import Mistake, Refused, did_you_mean
from runner.inventory import Inventory
from runner.plan import Selection, Targets
from runner.playbook import Playbook, Step


def choose_steps(playbook: Playbook, selection: Selection, mistakes: list[Mistake]) -> frozenset[str]:
    """Given a playbook and what is asked for, return the ids of the steps that are chosen; add what is wrong."""
    ids = [step.id for step in playbook.steps]
    for option, names in (("--only", selection.only), ("--from", (selection.start,))):
        for name in names:
            if name and name not in ids:
                mistakes.append(Mistake(option, 0, 0, f"there is no step '{name}'", did_you_mean(name, ids)))
    first = ids.index(selection.start) if selection.start in ids else 0
    chosen = frozenset(name for name in ids[first:] if not selection.only or name in selection.only)
    if not chosen and selection.start and not set(selection.only).isdisjoint(ids):
        mistakes.append(Mistake("--from", 0, 0, "together with --only it leaves no step", "leave one out"))
    return chosen


def choose_targets(
    playbook: Playbook, inventory: Inventory, selection: Selection, selected: frozenset[str], mistakes: list[Mistake]
) -> Mapping[str, Targets]:
    """Given a playbook and what is asked for, return the targets of each step; add what is wrong."""
    limited: frozenset[str] | None = None
    if selection.limit:
        try:
            limited = frozenset(t.name for t in inventory.select(selection.limit, option="--limit"))
        except Refused as refused:
            mistakes += refused.mistakes
    targets = {step.id: _targets(playbook, inventory, step, limited, mistakes) for step in playbook.steps}
    if limited is not None and selected and not any(targets[name] for name in selected):
        mistakes.append(Mistake("--limit", 0, 0, "it leaves no target for the chosen steps", "widen it"))
    return targets


def _targets(
    playbook: Playbook, inventory: Inventory, step: Step, limited: frozenset[str] | None, mistakes: list[Mistake]
) -> Targets:
    if not step.targets:
        return (None,)
    where = (*step.where, "targets")
    if "{{" in step.targets:
        cure = "write names of targets or groups"
        mistakes.append(playbook.source.mistake(where, "a pattern holds no expressions", cure))
        return ()
    try:
        chosen = inventory.select(step.targets, option="targets")
    except Refused as refused:
        mistakes += (playbook.source.mistake(where, mistake.message, mistake.cure) for mistake in refused.mistakes)
        return ()
    targets = tuple(t for t in chosen if limited is None or t.name in limited)
    return targets[:1] if step.once else targets
