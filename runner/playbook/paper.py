"""What the paper shows beside the procedure's course: symbols, drawn arrows, columns, headings and further fields."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from runner.errors import Mistake, did_you_mean
from runner.playbook.pieces import ANSWER, Schema, mapping, text, texts
from runner.source import Source

COLUMNS = ("number", "activity", "actors", "inputs", "time", "outputs", "remark")
HEADINGS = (
    *("title", "number", "made", "revised", "effective", "approved_by"),
    *("legal_basis", "qualifications", "related", "equipment", "warning", "records", "flow", "notes"),
)

ARROW = mapping(
    {
        "to": {**ANSWER, "description": "where it leads, as an answer does"},
        "label": text("the label on it, word for word", "Selesai"),
    },
    "one arrow",
    {"to": "next", "label": "Selesai"},
    ("to",),
)
DRAWN: Mapping[str, Schema] = {
    "symbol": {
        "type": "string",
        "enum": ["start", "process", "decision", "connector", "end"],
        "description": "its symbol on the form",
        "examples": ["process"],
    },
    "caption": text("what the form writes into the symbol", "Mulai"),
    "arrows": {
        "type": "array",
        "maxItems": 100,
        "items": ARROW,
        "description": "the arrows that the form draws from here, where they are not those of the procedure's course; "
        "[]: none",
        "examples": [[{"to": "next", "label": "Selesai"}]],
    },
}
ROW: Mapping[str, Schema] = {
    "number": {
        "type": ["string", "integer", "null"],
        "description": "the row's number as written, null where the form leaves it blank; without it the step's place",
        "examples": ["1."],
    },
    "heading": text("a heading above the row, over the columns before the performers", "A. Persiapan"),
    "cells": {
        "type": "object",
        "additionalProperties": {"type": "string"},
        "description": "texts of further columns, which procedure: columns: declares",
        "examples": [{"risk": "Data hilang"}],
    },
    **DRAWN,
}
_COLUMN = mapping(
    {
        "is": text("number, activity, actors, inputs, time, outputs, remark, or a name for `cells`", "inputs"),
        "heading": text("the heading, word for word", "Kelengkapan"),
        "under": text("the heading above it, shared with its neighbours", "Mutu Baku"),
        "number": {
            "description": "the number in the row below the headings; of the performers, one for each",
            "examples": ["7", ["3", "4"]],
            "oneOf": [{"type": "string"}, {"type": "integer"}, {"type": "array", "items": {"type": "string"}}],
        },
    },
    "one column",
    {"is": "inputs", "heading": "Kelengkapan", "under": "Mutu Baku"},
    ("is",),
)
FORM: Mapping[str, Schema] = {
    "headings": mapping(
        {key: text(f"the wording of {key}", "Nomor SOP") for key in HEADINGS},
        "how the form words its headings, and in which order it has number, dates and title; else as usual",
        {"number": "Nomor SOP", "legal_basis": "A. DASAR HUKUM"},
    ),
    "fields": {
        "type": "array",
        "maxItems": 100,
        "items": mapping(
            {
                "heading": text("the field's name, word for word", "Revisi ke"),
                "text": text("what stands there, word for word", "00/2"),
                "after": text("the field before it: number, made, revised, effective, approved_by; start", "number"),
            },
            "one field",
            {"heading": "Halaman", "text": "1 dari 3"},
            ("heading",),
        ),
        "description": "further fields of the identity block",
        "examples": [[{"heading": "Revisi ke", "text": "00/2", "after": "revised"}]],
    },
    "sections": {
        "type": "array",
        "maxItems": 100,
        "items": mapping(
            {"heading": text("its heading, word for word", "Tujuan"), "items": texts("its paragraphs", ["Menjamin …"])},
            "one section",
            {"heading": "Tujuan", "items": ["Menjamin …"]},
            ("heading",),
        ),
        "description": "further sections of the identity block: purpose, scope, definitions",
        "examples": [[{"heading": "Tujuan", "items": ["Menjamin …"]}]],
    },
    "groups": {
        "type": "array",
        "maxItems": 40,
        "items": mapping(
            {
                "heading": text("the heading, word for word", "Bidang A"),
                "roles": {**texts("the neighbours that it stands over", ["kabid", "staf"]), "minItems": 1},
            },
            "one heading over several performers",
            {"heading": "Bidang A", "roles": ["kabid", "staf"]},
            ("heading", "roles"),
        ),
        "description": "headings between that of the performers' column and those of the performers",
        "examples": [[{"heading": "Bidang A", "roles": ["kabid", "staf"]}]],
    },
    "columns": {
        "type": "array",
        "minItems": 1,
        "maxItems": 40,
        "items": _COLUMN,
        "description": "the columns of the flow in order, as the form has them; without it the usual ones",
        "examples": [[{"is": "activity", "heading": "Uraian Prosedur"}, {"is": "actors", "heading": "Pelaksana"}]],
    },
}


def check_paper(source: Source, data: Mapping[str, Any]) -> Iterator[Mistake]:
    """Given a playbook's source and its data as far as it fits the schema, yield what the print could not show: texts
    without a column, arrows that lead nowhere."""
    yield from _check_columns(source, data)
    yield from _check_groups(source, data["procedure"])
    tasks = {step["id"]: [task["id"] for task in step.get("tasks", ())] for step in data["steps"]}
    for row, step in enumerate(data["steps"]):
        yield from _check_arrows(source, ("steps", row), step, step["id"], tasks)
        for place, task in enumerate(step.get("tasks", ())):
            yield from _check_arrows(source, ("steps", row, "tasks", place), task, step["id"], tasks)


def _check_columns(source: Source, data: Mapping[str, Any]) -> Iterator[Mistake]:
    written = data["procedure"].get("columns")
    names = [each["is"] for each in written] if written else [*COLUMNS]
    for place, name in enumerate(names):
        if name in names[:place]:
            where = ("procedure", "columns", place, "is")
            yield source.mistake(where, f"a second column is called '{name}'", "give it another name")
    if written and data["procedure"].get("roles") and "actors" not in names:
        message = "no column shows the performers of procedure: roles:"
        yield source.mistake(("procedure", "columns"), message, "add {is: actors, heading: Pelaksana}")
    for row, step in enumerate(data["steps"]):
        for key, column in (("inputs", "inputs"), ("time_limit", "time"), ("outputs", "outputs"), ("remark", "remark")):
            if step.get(key) and column not in names:
                cure = f"add {{is: {column}}} to procedure: columns:"
                yield source.mistake(("steps", row, key), "the form has no column for this", cure, key=True)
        for name in step.get("cells", ()):
            if name not in names or name in COLUMNS:
                others = [each for each in names if each not in COLUMNS]
                cure = did_you_mean(name, others) or "declare it under procedure: columns:"
                yield source.mistake(
                    ("steps", row, "cells", name), f"there is no further column '{name}'", cure, key=True
                )


def _check_groups(source: Source, procedure: Mapping[str, Any]) -> Iterator[Mistake]:
    """Headings over performers that the form does not have, has twice, or has apart from each other."""
    known, seen = list(procedure.get("roles") or {}), set[str]()
    for place, group in enumerate(procedure.get("groups") or ()):
        where = ("procedure", "groups", place, "roles")
        for index, role in enumerate(group["roles"]):
            if role not in known:
                cure = did_you_mean(role, known) or "add it to procedure: roles:"
                yield source.mistake((*where, index), f"there is no role '{role}'", cure)
            elif role in seen:
                yield source.mistake((*where, index), f"the role '{role}' stands under two headings", "leave one out")
            seen.add(role)
        places = sorted(known.index(role) for role in group["roles"] if role in known)
        if places and places[-1] - places[0] >= len(set(places)):
            cure = "put them next to each other in procedure: roles:"
            yield source.mistake(where, f"the performers under '{group['heading']}' are no neighbours", cure)


def _check_arrows(
    source: Source, where: tuple[str | int, ...], body: Mapping[str, Any], own: str, tasks: Mapping[str, list[str]]
) -> Iterator[Mistake]:
    for place, arrow in enumerate(body.get("arrows", ())):
        to = arrow["to"]
        if not isinstance(to, Mapping):
            continue
        step = to.get("step", own)
        at = (*where, "arrows", place, "to")
        if step not in tasks:
            yield source.mistake((*at, "step"), f"there is no step '{step}'", did_you_mean(step, tasks))
        elif "task" in to and to["task"] not in tasks[step]:
            cure = did_you_mean(to["task"], tasks[step])
            yield source.mistake((*at, "task"), f"step '{step}' has no task '{to['task']}'", cure)
