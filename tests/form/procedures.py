"""Real SOPs as playbooks: what the paper shows of them (written down from the pictures), and runs with answers."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree

from runner.actions import ACTIONS
from runner.events import Event, Kind
from runner.form.table import list_texts
from runner.inventory import Inventory
from runner.plan import Plan, Selection
from runner.plan.planning import build_plan
from runner.playbook import Playbook
from runner.playbook.reading import load_playbook
from tests.lab import NOW, Lab, build_inventory

FOLDER = Path(__file__).parents[1] / "cases" / "sop"
NAMES = sorted(path.stem for path in FOLDER.glob("*.yml"))
SVG = "{http://www.w3.org/2000/svg}"
MOST_ANSWERS = 80


class Paper(NamedTuple):
    """What the paper shows: symbols as "row@lanes:symbol", "+" between lanes and "(text)" or "#n" where several are
    alike; arrows as (from, to, label); runs as (answers, the steps that are then carried out)."""

    symbols: list[str]
    arrows: list[tuple[str, str, str]]
    runs: list[tuple[dict[str, list[str]], list[str]]]


def load(name: str) -> Playbook:
    """Given the SOP's name, return its playbook, which must have no mistakes."""
    mistakes: list[Any] = []
    playbook = load_playbook(FOLDER / f"{name}.yml", mistakes)
    assert mistakes == []
    assert playbook is not None
    return playbook


def read_paper(name: str) -> Paper:
    """Given the SOP's name, return what was written down of its paper."""
    paper = Paper([], [], [])
    for line in (FOLDER / f"{name}.paper.txt").read_text("utf-8").splitlines():
        if line.startswith("#") or not line.strip():
            continue
        if line.startswith("run "):
            answers, steps = line[4:].split("=>")
            paper.runs.append((_answers(answers), steps.split()))
        elif "->" in line:
            ends, _, label = line.partition(" = ")
            source, target = ends.split("->")
            paper.arrows.append((source.strip(), target.strip(), label.strip()))
        else:
            paper.symbols.append(line.strip())
    return paper


def _answers(text: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for part in filter(None, (each.strip() for each in text.split(";"))):
        place, label = part.split("=", 1)
        found.setdefault(place.strip(), []).append(label.strip())
    return found


def read_drawing(svg: str) -> tuple[list[str], list[tuple[str, str, str]]]:
    """Given an SVG of the flow, return its symbols and arrows in the same words, arrows over pages joined by their
    connectors' numbers."""
    tree = ElementTree.fromstring(svg.encode())
    names: dict[str, str] = {}
    for group in tree.iter(f"{SVG}g"):
        kind = group.get("class", "")
        if kind.startswith("symbol") and kind != "symbol over-page":
            text = "".join(group.itertext()).strip()
            lanes = group.get("data-lanes", "").replace(" ", "+")
            names[group.get("data-id", "")] = f"{group.get('data-row')}@{lanes}:{kind.split()[1]}" + (
                f"({text})" if text else ""
            )
    return list(_number(names).values()), sorted(_arrows(tree, _number(names)))


def _number(names: Mapping[str, str]) -> dict[str, str]:
    """Names that several symbols would share get "#2", "#3", … in the order of the drawing."""
    seen: Counter[str] = Counter()
    made = {}
    for key, name in names.items():
        seen[name] += 1
        made[key] = name if seen[name] == 1 else f"{name}#{seen[name]}"
    return made


def _arrows(tree: ElementTree.Element, names: Mapping[str, str]) -> Iterable[tuple[str, str, str]]:
    halves: dict[tuple[str, str, str], dict[str, str]] = {}
    for group in tree.iter(f"{SVG}g"):
        if group.get("class") != "arrow":
            continue
        ends = (group.get("data-from", ""), group.get("data-to", ""), group.get("data-label", ""))
        part, number = group.get("data-part", ""), group.get("data-connector", "")
        assert part not in halves.setdefault(ends, {}), f"{ends} is drawn twice"
        halves[ends][part] = number
    for (source, target, label), parts in halves.items():
        assert set(parts) in ({"whole"}, {"leaving", "arriving"}), parts
        assert len(set(parts.values())) == 1, "the halves bear different numbers"
        yield names[source], names[target], label


def text_of(svg: str) -> str:
    """Given an SVG, return all its text."""
    return "".join(ElementTree.fromstring(svg.encode()).itertext())


def squeeze(text: str) -> str:
    """Text without white space: lines and pages break anywhere."""
    return re.sub(r"\s+", "", text)


def texts_of(playbook: Mapping[str, Any]) -> list[str]:
    """All texts that the form of a playbook must show."""
    procedure = playbook["procedure"]
    found = [
        procedure[key] for key in ("title", "unit", "number", "made", "revised", "effective") if procedure.get(key)
    ]
    for key in ("legal_basis", "qualifications", "related", "equipment", "records", "notes", "warning"):
        value = procedure.get(key) or []
        found += [value] if isinstance(value, str) else value
    found += [text for each in procedure.get("sections", []) for text in (each["heading"], *each["items"])]
    found += [text for each in procedure.get("fields", []) for text in (each["heading"], each.get("text", ""))]
    return [text for text in [*found, procedure.get("approved_by") or "", *flow_texts(playbook)] if text]


def flow_texts(playbook: Mapping[str, Any]) -> list[str]:
    """All texts of the flow: headings and cells."""
    procedure = playbook["procedure"]
    found = [*procedure["roles"].values(), *(group["heading"] for group in procedure.get("groups", ()))]
    for column in procedure["columns"]:
        found += [column.get("heading", ""), column.get("under", "")]
    for step in playbook["steps"]:
        norm = step.get("time_limit") or ""
        found += [step["activity"], step.get("remark", ""), norm if isinstance(norm, str) else norm["text"]]
        found += [step.get("number") or ""]
        found += [*list_texts(step, "inputs"), *list_texts(step, "outputs")]
    return [text for text in found if text]


@cache
def office() -> Inventory:
    """People for every role that somebody of the office holds in one of the SOPs."""
    roles = sorted({role for name in NAMES for role in load(name).procedure["roles"]})
    held = ", ".join(f'{{role: {role}, from: "2020-01-01"}}' for role in roles)
    return build_inventory(
        "office: {name: Kantor Contoh, timezone: Asia/Jakarta}\n"
        f"people:\n  pejabat: {{name: Pejabat Contoh, login: pejabat, roles: [{held}]}}\n"
    )


class Rehearsed(Lab):
    """A real playbook in the lab, with the real actions; people answer as they are told to."""

    def __init__(self, playbook: Playbook) -> None:
        self._playbook = playbook
        super().__init__(steps="")

    def _plan(self) -> Plan:
        return build_plan(self._playbook, office(), ACTIONS, Selection(), today=date(2026, 11, 23))

    def actions(self) -> Mapping[str, Any]:  # type: ignore[override]  # the real ones
        """The real actions."""
        return ACTIONS

    def perform(self, choose: Callable[[Event], str]) -> list[Event]:
        """Run to the end; `choose` gives the label for each request. Return all events."""
        self.run()
        for _ in range(MOST_ANSWERS):
            waiting = self._open()
            if not waiting:
                return self.events
            event = waiting[0]
            data = {
                "role": event.data["role"],
                "person": "Pejabat Contoh",
                "label": choose(event),
                "method": "login",
                "note": "selesai",
                "subject": "",
                "at": NOW.isoformat(),
            }
            self.run(resume=[*self.events, replace(event, kind=Kind.ANSWERED, data=data)])
        raise AssertionError("the run does not end")

    def _open(self) -> list[Event]:
        answered = {event.key for event in self.events if event.kind is Kind.ANSWERED}
        asked = {event.key: event for event in self.events if event.kind is Kind.REQUESTED}
        return [event for key, event in asked.items() if key not in answered]


def place_of(event: Event) -> str:
    """Where something is asked: "step.task", or "step" for the decision that ends it."""
    return event.step if event.task == "decide" else f"{event.step}.{event.task}"


def steps_done(events: Iterable[Event]) -> list[str]:
    """The steps in the order in which they were carried out; those skipped are left out."""
    return [
        event.step
        for event in events
        if event.kind is Kind.STEP_FINISHED and event.data["status"] in ("ok", "changed") and event.step
    ]
