"""The SOP back as the official landscape form, word for word, and the supplement on a page of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from runner.messages import Language
from runner.reports.pages import render_page
from runner.reports.words import WORDS, Words

PARTS = ("legal_basis", "related", "warning", "qualifications", "equipment", "records")
HEADS = (
    ("number", "Nomor"),
    ("made", "Tanggal pembuatan"),
    ("revised", "Tanggal revisi"),
    ("effective", "Tanggal efektif"),
    ("approved_by", "Disahkan oleh"),
)

_COLUMNS = {"inputs": "inputs", "time_limit": "time", "outputs": "outputs", "remark": "remarks"}
_PARTS_OF_PLACE = {"title": "form_title", "roles": "performer"}

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class FormPart:
    """A lettered part of the identity block; `numbered` where the order of its items counts."""

    letter: str
    title: str
    items: Sequence[str]
    numbered: bool


@dataclass(frozen=True, slots=True)
class FormRow:
    """A row of the flow: `lanes` holds a symbol or "" for each performer."""

    number: int
    activity: str
    lanes: Sequence[str]
    inputs: Sequence[str]
    time: str
    outputs: Sequence[str]
    remark: str


def render_form(playbook: Json, *, language: Language = "id") -> str:
    """Given a playbook's plain data (its file's `procedure`, `steps`, `supplement`), return the form as one HTML page.

    The form itself is Indonesian and verbatim whatever the language; only the supplement's headings follow it.
    """
    procedure, steps = playbook["procedure"], playbook["steps"]
    roles = procedure.get("roles") or {}
    return render_page(
        "form.html",
        styles="form.css",
        language=language,
        form=WORDS["id"],
        words=WORDS[language],
        title=procedure["title"],
        unit=procedure.get("unit"),
        notes=procedure.get("notes") or (),
        heads=[(name, procedure[key]) for key, name in HEADS if procedure.get(key)],
        parts=_parts(procedure),
        flow_letter="ABCDEFG"[len(_parts(procedure))],
        roles=list(roles.values()),
        rows=[_row(number, step, list(roles)) for number, step in enumerate(steps, 1)],
        remarks=any(step.get("remark") for step in steps),
        supplement=_supplement(playbook, WORDS[language]),
    )


def _parts(procedure: Json) -> list[FormPart]:
    """The identity block's parts that the procedure has, lettered in the form's order."""
    known = [name for name in PARTS if procedure.get(name)]
    return [
        FormPart("ABCDEF"[index], WORDS["id"][name], _texts(procedure[name]), name == "legal_basis")
        for index, name in enumerate(known)
    ]


def _row(number: int, step: Json, roles: Sequence[str]) -> FormRow:
    return FormRow(
        number=number,
        activity=step["activity"],
        lanes=[_symbol(step, role) for role in roles],
        inputs=[each["text"] for each in step.get("inputs") or ()],
        time=_norm(step.get("time_limit")),
        outputs=[each["text"] for each in step.get("outputs") or ()],
        remark=step.get("remark") or "",
    )


def _symbol(step: Json, role: str) -> str:
    """The symbol in a performer's lane; none where the form does not show who acts."""
    if role in _texts(step.get("actor")):
        return "decision" if "decide" in step else "process"
    acts = [task for task in step.get("tasks") or () if role in _texts(task.get("actor")) and task.get("symbol")]
    return str(acts[0]["symbol"]) if acts else ""


def _norm(written: Any) -> str:
    return str(written["text"] if isinstance(written, Mapping) else written or "")


def _texts(value: Any) -> list[str]:
    if value is None:
        return []
    return [value] if isinstance(value, str) else [str(each) for each in value]


def _supplement(playbook: Json, words: Words) -> list[tuple[str, Sequence[str], Sequence[Sequence[str]]]]:
    """Tables of the supplement: heading, columns, rows."""
    supplement = playbook.get("supplement") or {}
    roles = playbook["procedure"].get("roles") or {}
    readings = supplement.get("readings") or {}
    spoken = {key: readings.get(f"roles.{key}", label) for key, label in roles.items()}
    numbers = {step["id"]: f"{number}" for number, step in enumerate(playbook["steps"], 1)}
    after = [numbers.get(step, step) for step in (supplement.get("after") or {}).get("problems") or ()]
    tables = [
        (
            words["readings"],
            (words["place"], words["written"], words["read"]),
            list(_readings(readings, playbook, numbers, words)),
        ),
        (words["actors"], (words["no"], words["performer"]), list(_actors(supplement, spoken, numbers))),
        (words["schedule"], (words["steps"], words["cron"], words["remarks"]), list(_schedule(supplement, numbers))),
        (words["after_problems"], ("",), [[", ".join(after)]] if after else []),
        (words["notes"], ("",), [[note] for note in supplement.get("notes") or ()]),
    ]
    return [table for table in tables if table[2]]


def _readings(readings: Json, playbook: Json, numbers: Json, words: Words) -> Iterator[list[str]]:
    for place, reading in readings.items():
        yield [name_place(place, numbers, words), find_written(playbook, place), str(reading)]


def name_place(place: str, numbers: Json, words: Words) -> str:
    """Given a place as readings name it and the steps' numbers, return it as people call it on the form."""
    part, name, *below = place.split(".")[:3] + [""] * (2 - place.count("."))
    if part == "steps" and name in numbers:
        column = _COLUMNS.get(below[0], "")
        return f"{words['activity']} {numbers[name]}" + (f", {words[column].lower()}" if column else "")
    return words[_PARTS_OF_PLACE[part]] if part in _PARTS_OF_PLACE else place


def find_written(playbook: Json, place: str) -> str:
    """Given a place as readings name it ("title", "roles.admin", "steps.backup.inputs.0"), return the text there."""
    names = place.split(".")
    node: Any = {**playbook["procedure"], "steps": {step["id"]: step for step in playbook["steps"]}}
    for name in names:
        if isinstance(node, Mapping):
            node = node.get(name)
        else:
            node = node[int(name)] if isinstance(node, list) and name.isdecimal() and int(name) < len(node) else None
    return str(node["text"] if isinstance(node, Mapping) and "text" in node else node or "")


def _actors(supplement: Json, roles: Json, numbers: Json) -> Iterator[list[str]]:
    for step, actor in (supplement.get("actors") or {}).items():
        yield [str(numbers.get(step, step)), ", ".join(str(roles.get(role, role)) for role in _texts(actor))]


def _schedule(supplement: Json, numbers: Json) -> Iterator[list[str]]:
    for entry in supplement.get("schedule") or ():
        steps = ", ".join(str(numbers.get(step, step)) for step in entry["steps"])
        yield [steps, str(entry["cron"]), str(entry.get("note") or "")]
