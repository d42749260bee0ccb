"""What a shell offers at the Tab key: playbooks, targets, steps, runs, actions, people, open problems.

Whatever is wrong with the files here, a Tab key must not print it: then nothing is offered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

VARIABLE = "_SOP_COMPLETE"  # where click looks for what a shell asks
MOST_RUNS = 30

Offer = tuple[str, str]  # what is typed, and what it is


def add_completion(command: click.Command) -> None:
    """Given a command, let its arguments and options offer what they mean; by their names, which mean one thing."""
    for each in command.commands.values() if isinstance(command, click.Group) else ():
        add_completion(each)
    for param in command.params:
        find = _actions if (command.name, param.name) == ("actions", "name") else _OFFERS.get(param.name)
        if find:
            param.shell_complete = _completer(find, param)  # type: ignore[assignment,method-assign]  # click asks it


def _completer(
    find: Callable[[click.Context], Iterable[Offer]], param: click.Parameter
) -> Callable[[click.Context, str], list[CompletionItem]]:
    def complete(context: click.Context, incomplete: str) -> list[CompletionItem]:
        before = "".join(incomplete.rpartition(",")[:2])
        try:
            found = [CompletionItem(f"{before}{each}", help=words) for each, words in find(context)]
        except Exception:  # noqa: BLE001  # see above
            found = []
        offered = [item for item in found if item.value.startswith(incomplete)]
        if not offered and isinstance(param.type, click.Path):
            return [CompletionItem(incomplete, type="file")]
        return offered

    return complete


def _playbooks(context: click.Context) -> Iterator[Offer]:
    for path in sorted(Path("playbooks").glob("*.yml")):
        yield str(path), ""


def _targets(context: click.Context) -> Iterator[Offer]:
    inventory = _inventory(context)
    yield from ((name, target.kind) for name, target in inventory.targets.items())
    yield from ((name, "group") for name in inventory.groups)


def _people(context: click.Context) -> Iterator[Offer]:
    yield from ((person.id, person.name) for person in _inventory(context).people.values())


def _inventory(context: click.Context) -> Any:
    from runner.commands.options import find_inventories
    from runner.inventory import load_inventory

    return load_inventory(find_inventories(context.params.get("inventories") or ()))


def _steps(context: click.Context) -> Iterator[Offer]:
    """The steps of the run or playbook that was typed before; of none, those of all playbooks here."""
    if run := context.params.get("run"):
        journal = _journal(context)
        begun = next(iter(journal.events(journal.find_run(run))))
        yield from ((step["id"], step["activity"]) for step in begun.data["steps"])
        return
    from runner.playbook.reading import load_playbook

    named = context.params.get("playbook")
    for path in (named,) if named else sorted(Path("playbooks").glob("*.yml")):
        playbook = load_playbook(path, [])
        yield from ((step.id, step.activity) for step in (playbook.steps if playbook else ()))


def _runs(context: click.Context) -> Iterator[Offer]:
    for run in _journal(context).runs(MOST_RUNS, None):
        yield run.run, f"{run.playbook}, {run.status}"


def _journal(context: click.Context) -> Any:
    from runner.record.journal import Journal

    return Journal.open(context.params.get("records") or Path("records"), create=False)


def _actions(context: click.Context) -> Iterator[Offer]:
    from runner.own import FOLDER, KnownActions

    yield from ((name, "") for name in KnownActions(FOLDER))


def _problems(context: click.Context) -> Iterator[Offer]:
    from runner.record.problems import problems

    for problem in problems(_journal(context)):
        yield problem.key, f"{problem.target or ''} {problem.message}".strip()


_OFFERS: dict[str | None, Callable[[click.Context], Iterable[Offer]]] = {
    "playbook": _playbooks,
    "playbooks": _playbooks,
    "run": _runs,
    "runs": _runs,
    "limit": _targets,
    "target": _targets,
    "pattern": _targets,
    "only": _steps,
    "start": _steps,
    "step": _steps,
    "to": _steps,
    "person": _people,
    "key": _problems,
    "problem": _problems,
}
