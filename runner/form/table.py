"""The flow's table: its columns as the source has them, and each row's texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from runner.form.chart import find_texts

Json = Mapping[str, Any]

NUMBER, ACTIVITY, ACTORS = "number", "activity", "actors"
INPUTS, TIME, OUTPUTS, REMARK = "inputs", "time", "outputs", "remark"
QUALITY = "Mutu Baku"
STANDARD = (
    (NUMBER, "No", ""),
    (ACTIVITY, "Aktivitas", ""),
    (ACTORS, "Pelaksana", ""),
    (INPUTS, "Kelengkapan", QUALITY),
    (TIME, "Waktu", QUALITY),
    (OUTPUTS, "Output", QUALITY),
    (REMARK, "Keterangan", ""),
)


class Column(NamedTuple):
    """A column: what it holds, its heading, the heading above it that it shares with its neighbours, and the numbers
    in the row below the headings, where the form has one (of the performers: one for each lane)."""

    key: str
    heading: str
    group: str = ""
    numbers: tuple[str, ...] = ()


class Row(NamedTuple):
    """A row's texts by column; `heading` is the line above it, where the form has one. `place` counts from 0."""

    place: int
    texts: Mapping[str, str]
    heading: str = ""


def read_columns(procedure: Json, steps: Sequence[Json]) -> tuple[Column, ...]:
    """Given a procedure and its steps, return the form's columns in order: the written ones, else the standard's.

    The standard's are those of Permenpan RB 35/2012; Keterangan only where a row has one.
    """
    written = procedure.get("columns")
    if written:
        return tuple(
            Column(
                each["is"], each.get("heading") or "", each.get("under") or "", tuple(find_texts(each.get("number")))
            )
            for each in written
        )
    remarks = any(step.get("remark") for step in steps)
    roles = bool(procedure.get("roles"))
    wanted = {REMARK: remarks, ACTORS: roles}
    return tuple(Column(*each) for each in STANDARD if wanted.get(each[0], True))


def read_over(procedure: Json) -> tuple[str, ...]:
    """Given a procedure, return what stands over each lane's heading, "" where nothing does."""
    over = {role: str(group["heading"]) for group in procedure.get("groups") or () for role in group["roles"]}
    return tuple(over.get(role, "") for role in procedure.get("roles") or {})


def read_rows(steps: Sequence[Json]) -> tuple[Row, ...]:
    """Given the steps, return their rows, word for word. A number that is not written is the step's place."""
    return tuple(Row(index, _texts(index, step), step.get("heading") or "") for index, step in enumerate(steps))


def list_texts(step: Json, key: str) -> list[str]:
    """Given a step, return its inputs or outputs as written."""
    return [each if isinstance(each, str) else str(each["text"]) for each in step.get(key) or ()]


def find_norm(written: Any) -> str:
    """Given a step's time limit as written, return its wording; "" for none."""
    return str(written["text"] if isinstance(written, Mapping) else written or "")


def _texts(index: int, step: Json) -> Mapping[str, str]:
    number = step.get("number", f"{index + 1}.")
    return {
        NUMBER: str(number or ""),
        ACTIVITY: step["activity"],
        INPUTS: "\n".join(list_texts(step, "inputs")),
        TIME: find_norm(step.get("time_limit")),
        OUTPUTS: "\n".join(list_texts(step, "outputs")),
        REMARK: step.get("remark") or "",
        **{key: str(text or "") for key, text in (step.get("cells") or {}).items()},
    }
