"""From files to a plan: a playbook bound to an inventory, now or as it was when a run began."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any, NamedTuple

from runner.calendar import Calendar
from runner.errors import Mistake, Refused, RunnerError
from runner.hours import OfficeError
from runner.inventory import Inventory, load_inventory, parse_inventory
from runner.inventory.documents import Document
from runner.own import FOLDER, KnownActions, Own
from runner.own.declared import action_from_json, action_to_json
from runner.plan import Plan, Selection
from runner.plan.planning import Earlier, build_plan
from runner.playbook import Playbook
from runner.playbook.reading import load_playbook
from runner.record.evidence import EvidenceStore
from runner.record.sources import kept_text

MOST_DAYS = 5
CALENDAR_KEYS = ("timezone", "hours", "holidays", "working_days", "day_norm")
Keep = Callable[[str, bytes, str], Any]
NO_EARLIER: Earlier = lambda step, target: False  # noqa: E731  # a value, as the default of a parameter


class Bound(NamedTuple):
    """A plan, the calendar of the office that carries it out, and the actions it uses that are not built in."""

    plan: Plan
    calendar: Calendar
    own: tuple[Own, ...] = ()


class Documents(NamedTuple):
    """What a plan is made of: the playbook's path, the inventory's files or folders, the folder of own actions."""

    playbook: Path
    inventories: tuple[Path, ...]
    actions: Path = FOLDER


def bind(documents: Documents, selection: Selection, *, now: datetime, earlier: Earlier = NO_EARLIER) -> Bound:
    """Given files and what is asked for, return the plan. Raise Refused with every mistake in any of them."""
    mistakes: list[Mistake] = []
    playbook = load_playbook(documents.playbook, mistakes)
    inventory = _gather(lambda: load_inventory(documents.inventories), mistakes)
    return _bind(playbook, inventory, selection, now, earlier, mistakes, KnownActions(documents.actions))


def rebind(
    started: Mapping[str, Any],
    store: EvidenceStore,
    selection: Selection,
    *,
    now: datetime,
    inventories: Sequence[Path] = (),
    earlier: Earlier = NO_EARLIER,
    looking: bool = False,
) -> Bound:
    """Given what a run said at its start, return its plan, from the exact bytes it began with.

    Another inventory in `inventories` may change only how to connect. Raise Refused otherwise. With `looking`, actions
    that are not built in are as the record declares them, and none of their code is loaded.
    """
    read = [source for source in started["sources"] if source["kind"] != "action"]
    texts = {str(source["file"]): kept_text(source, store) for source in read}
    kinds = {str(source["file"]): source["kind"] for source in read}
    actions = _actions_as_begun(started, looking=looking)
    mistakes: list[Mistake] = []
    playbook_texts = {file: text for file, text in texts.items() if kinds[file] == "playbook"}
    playbook = load_playbook(Path(started["file"]), mistakes, playbook_texts)
    kept = [Document(file, text) for file, text in texts.items() if kinds[file] == "inventory"]
    inventory = _gather(lambda: parse_inventory(kept), mistakes)
    if inventories and inventory is not None:
        other = load_inventory(inventories)
        _check_same(inventory, other)
        inventory = other
    return _bind(playbook, inventory, selection, now, earlier, mistakes, actions)


def _actions_as_begun(started: Mapping[str, Any], *, looking: bool) -> KnownActions:
    """The actions of a run. Raise Refused where a file of one is not as it was when the run began."""
    if looking:
        return KnownActions(FOLDER, [action_from_json(each) for each in started.get("actions") or ()])
    cure = "put it back as it was, which the record keeps, or end the run: sop cancel"
    changed = [
        Mistake(str(source["file"]), 0, 0, "it is not as it was when the run began", cure)
        for source in started["sources"]
        if source["kind"] == "action" and _digest(Path(source["file"])) != source["sha256"]
    ]
    if changed:
        raise Refused(*changed)
    return KnownActions(FOLDER)


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


def changed_calendar(started: Mapping[str, Any], kept: Inventory) -> tuple[str, ...]:
    """Given what a run said at its start and its inventory, return the keys of the office's calendar that its files
    have otherwise today, with the first days that differ; none where they cannot be read any more."""
    files = [Path(source["file"]) for source in started["sources"] if source["kind"] == "inventory"]
    try:
        now = load_inventory(files).office
    except RunnerError:
        return ()
    one, two = ({key: office.get(key) for key in CALENDAR_KEYS} for office in (kept.office, now))
    return tuple(_changes(one, two))


def keep_sources(bound: Bound, keep: Keep) -> list[dict[str, Any]]:
    """Keep the text of a plan's files as evidence; return what a run says of them."""
    kept = []
    plan, own = bound.plan, [each.file for each in bound.own if each.file]
    for kind, sources in (("playbook", plan.playbook.sources), ("inventory", plan.inventory.sources), ("action", own)):
        for source in {source.file: source for source in sources}.values():
            text = source.original.encode()
            evidence = keep(Path(source.file).name, text, "text/yaml")
            digest = hashlib.sha256(text).hexdigest()
            known = {"name": evidence.name, "sha256": digest, "kept": evidence.sha256, "size": evidence.size}
            kept.append({"kind": kind, "file": source.file, **known})
    return kept


def declare_own(bound: Bound) -> list[dict[str, Any]]:
    """What a run says of the actions that are not built in: where each comes from, and its declaration."""
    return [{"origin": each.origin, **action_to_json(each.action)} for each in bound.own]


def _gather(load: Callable[[], Inventory], mistakes: list[Mistake]) -> Inventory | None:
    try:
        return load()
    except Refused as refused:
        mistakes += refused.mistakes
        return None


def _bind(
    playbook: Playbook | None,
    inventory: Inventory | None,
    selection: Selection,
    now: datetime,
    earlier: Earlier,
    mistakes: list[Mistake],
    actions: KnownActions,
) -> Bound:
    if playbook is None or inventory is None:
        raise Refused(*mistakes)
    try:
        calendar = Calendar.from_office(inventory.office)
    except OfficeError as error:
        raise Refused(*mistakes, *_place_office(inventory, error)) from None
    today: date = now.astimezone(calendar.office.zone).date()
    if unfit := actions.mistakes(_names_of_actions(playbook)):
        raise Refused(*mistakes, *unfit)
    plan = build_plan(playbook, inventory, actions, selection, today=today, earlier=earlier, mistakes=mistakes)
    return Bound(plan, calendar, actions.loaded)


def _names_of_actions(playbook: Playbook) -> Iterator[str]:
    """The actions that a playbook names, and those that it includes."""
    for step in playbook.steps:
        yield from (task.action for task in step.tasks if task.action)
        if step.include:
            yield from _names_of_actions(step.include)


def _place_office(inventory: Inventory, error: OfficeError) -> list[Mistake]:
    """The office's mistakes at their places: each of its keys stands in one of the inventory's files."""
    offices = [s for s in inventory.sources if isinstance(s.data, dict) and isinstance(s.data.get("office"), dict)]
    return [
        next(s for s in offices if path[0] in s.data["office"]).mistake(("office", *path), message, cure)
        for path, message, cure in error.mistakes
    ]


_CONNECTING = frozenset({"address", "port", "user", "identity", "password", "jump", "host_key", "connection"})


def _check_same(kept: Inventory, other: Inventory) -> None:
    """Raise Refused where another inventory changes more than how to connect."""
    names = [name for name in kept.targets if _view(kept, name) != _view(other, name)]
    words = [f"'{name}' is not as it was when the run began" for name in names]
    words += [f"'{name}' was not there when the run began" for name in other.targets if name not in kept.targets]
    if kept.variables(None, {}) != other.variables(None, {}):
        words.append("'vars' are not as they were when the run began")
    for part in ("people", "channels"):
        if getattr(kept, part) != getattr(other, part):
            words.append(f"'{part}' is not as it was when the run began")
    if kept.office != other.office:
        changed = ", ".join(_changes(kept.office, other.office))
        words.append(f"'office' is not as it was when the run began: {changed}")
    if words:
        raise Refused(*(Mistake("--inventory", 0, 0, word, "change only how to connect") for word in words))


def _changes(kept: Mapping[str, Any], other: Mapping[str, Any]) -> Iterator[str]:
    """The keys of two offices that differ; of days off and days worked also which days, the first few of them."""
    for key in sorted({*kept, *other}):
        one, two = (office.get(key) or {} for office in (kept, other))
        if one != two:
            dated = key in ("holidays", "working_days") and isinstance(one, Mapping) and isinstance(two, Mapping)
            days = [str(day) for day in {**one, **two} if one.get(day) != two.get(day)] if dated else []
            more = ["…"] if len(days) > MOST_DAYS else []
            yield f"{key} ({', '.join([*days[:MOST_DAYS], *more])})" if days else key


def _view(inventory: Inventory, name: str) -> tuple[Any, ...] | None:
    """What must stay of a target: all but how to connect to it."""
    target = inventory.targets.get(name)
    if target is None:
        return None
    return target.kind, _steady(target.settings), inventory.variables(target, {}), target.groups


def _steady(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in settings.items() if key not in _CONNECTING}
