"""What comes before what: the steps of a playbook and the tasks of a step, by `after` and the way they are written."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import groupby
from typing import NamedTuple

from runner.errors import Mistake, did_you_mean
from runner.playbook import Playbook, Step, Task, Where
from runner.source import Source

CIRCLE = "each of them would wait for the others"


class Order(NamedTuple):
    """Ids in the order in which they are written, and the ids that each of them waits for."""

    before: Mapping[str, tuple[str, ...]]

    def among(self, names: Collection[str]) -> Order:
        """The order of some of them; what is left out passes on what it waits for."""
        found: dict[str, tuple[str, ...]] = {}
        for name in self.before:
            if name in names:
                found[name] = tuple(dict.fromkeys(self._nearest(self.before[name], names)))
        return Order(found)

    def _nearest(self, before: Sequence[str], names: Collection[str]) -> Iterator[str]:
        left, seen = [*before], set(before)
        while left:
            name = left.pop(0)
            if name in names:
                yield name
            else:
                left += [each for each in self.before[name] if each not in seen]
                seen.update(self.before[name])

    def follows(self, name: str) -> frozenset[str]:
        """All that comes after one, straight or by others."""
        return _reach(name, self.after)

    def precedes(self, name: str) -> frozenset[str]:
        """All that comes before one, straight or by others."""
        return _reach(name, self.before)

    @property
    def after(self) -> Mapping[str, Sequence[str]]:
        """What waits for each of them."""
        found: dict[str, list[str]] = {name: [] for name in self.before}
        for name, waits_for in self.before.items():
            for each in waits_for:
                found[each].append(name)
        return found


def _reach(name: str, ways: Mapping[str, Sequence[str]]) -> frozenset[str]:
    found: set[str] = set()
    left = [name]
    while left:
        new = [each for each in ways[left.pop()] if each not in found]
        found.update(new)
        left += new
    return frozenset(found)


def order_tasks(tasks: Sequence[Task]) -> Order:
    """Given a step's tasks, return their order: without `after`, each waits for the one written before it."""
    ids = [task.id for task in tasks]
    before: dict[str, tuple[str, ...]] = {}
    for number, task in enumerate(tasks):
        waits_for = ids[max(number - 1, 0) : number] if task.after is None else task.after
        before[task.id] = tuple(name for name in waits_for if name in ids)
    return Order(before)


def order_steps(steps: Sequence[Step]) -> Order:
    """Given a playbook's steps, return their order.

    Steps that run on targets follow one another; a step that runs once waits for all that is written before it on
    targets, and among others that run once for what its `after` names.
    """
    before: dict[str, tuple[str, ...]] = {}
    passed: tuple[str, ...] = ()
    for _, group in groupby(steps, key=lambda step: bool(step.targets)):
        block = [*group]
        ids = [step.id for step in block]
        for number, step in enumerate(block):
            waits_for = ids[max(number - 1, 0) : number] if step.after is None or step.targets else step.after
            before[step.id] = tuple(name for name in waits_for if name in ids) or passed
        passed = tuple(ids)
    return Order(before)


def check_order(playbook: Playbook) -> Iterator[Mistake]:
    """Given a playbook, yield what is wrong with the `after` of its steps and tasks."""
    steps = playbook.steps
    ids = [step.id for step in steps]
    for number, step in enumerate(steps):
        if step.after is not None and step.targets:
            message = "after: stands only on steps that run once; those on targets follow one another"
            yield playbook.source.mistake((*step.where, "after"), message, "delete it", key=True)
            continue
        later = _beyond_targets(steps, number)
        for place, name in enumerate(step.after or ()):
            where = (*step.where, "after", place)
            if name in later:
                message = f"step '{name}' is written behind steps that run on targets, which wait for this one"
                yield playbook.source.mistake(where, message, "move it up")
            else:
                yield from _check_name(playbook.source, where, name, step.id, ids, "step")
    yield from _circles(playbook.source, order_steps(steps), {s.id: s.where for s in steps if s.after is not None})
    for step in steps:
        yield from _check_tasks(playbook.source, step)


def _check_tasks(source: Source, step: Step) -> Iterator[Mistake]:
    ids = [task.id for task in step.tasks]
    for task in step.tasks:
        for place, name in enumerate(task.after or ()):
            yield from _check_name(source, (*task.where, "after", place), name, task.id, ids, "task")
    yield from _circles(source, order_tasks(step.tasks), {t.id: t.where for t in step.tasks if t.after is not None})


def _check_name(source: Source, where: Where, name: str, own: str, ids: Sequence[str], noun: str) -> Iterator[Mistake]:
    if name == own:
        yield source.mistake(where, f"{noun} '{name}' would wait for itself", "name what comes before it")
    elif name not in ids:
        others = [each for each in ids if each != own]
        yield source.mistake(where, f"there is no {noun} '{name}' to wait for", did_you_mean(name, others))


def _circles(source: Source, order: Order, written: Mapping[str, Where]) -> Iterator[Mistake]:
    """Each circle once, at the first `after` that is part of it."""
    told: set[str] = set()
    for name, where in written.items():
        both = order.follows(name) & order.precedes(name)
        circle = [each for each in order.before if each in both]
        if len(circle) > 1 and told.isdisjoint(circle):
            names = ", ".join(f"'{each}'" for each in circle)
            yield source.mistake((*where, "after"), f"{names} go in a circle: {CIRCLE}", "take one out of after:")
            told.update(circle)


def _beyond_targets(steps: Sequence[Step], number: int) -> frozenset[str]:
    """Steps written after that one and after further ones that run on targets."""
    rest = steps[number:]
    first = next((place for place, step in enumerate(rest) if step.targets), len(rest))
    return frozenset(step.id for step in rest[first:])
