"""What the court added to carry the SOP out, as tables on a page of its own; never shown as the SOP's text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from runner.form.chart import find_texts

Json = Mapping[str, Any]

_COLUMNS = {"inputs": "kelengkapan", "time_limit": "waktu", "outputs": "output", "remark": "keterangan"}
_PARTS_OF_PLACE = {"title": "Judul", "roles": "Pelaksana"}


class Addition(NamedTuple):
    """A table of the supplement: heading, columns ("" where it has none), rows."""

    heading: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


def read_supplement(playbook: Json) -> list[Addition]:
    """Given a playbook's plain data, return its additions; those that are empty are left out."""
    supplement = playbook.get("supplement") or {}
    roles = playbook["procedure"].get("roles") or {}
    readings = supplement.get("readings") or {}
    spoken = {key: readings.get(f"roles.{key}", label) for key, label in roles.items()}
    numbers = {step["id"]: f"{number}" for number, step in enumerate(playbook["steps"], 1)}
    after = [numbers.get(step, step) for step in (supplement.get("after") or {}).get("problems") or ()]
    outside = [spoken.get(role, role) for role in supplement.get("outside") or ()]
    additions = [
        Addition(
            "Pembacaan bagian yang kurang terbaca",
            ("Tempat", "Tertulis", "Dibaca"),
            list(_readings(readings, playbook, numbers)),
        ),
        Addition(
            "Pelaksana yang tidak ternyata dari naskah",
            ("No", "Pelaksana"),
            list(_actors(supplement, spoken, numbers)),
        ),
        Addition("Pihak di luar satuan kerja", ("",), [[", ".join(outside)]] if outside else []),
        Addition("Jadwal", ("Kegiatan", "Waktu (cron)", "Keterangan"), list(_schedule(supplement, numbers))),
        Addition("Dimulai oleh permasalahan terbuka: kegiatan", ("",), [[", ".join(after)]] if after else []),
        Addition("Eskalasi", ("Terlambat", "Diberitahukan kepada"), list(_escalation(supplement, spoken))),
        Addition("Keterangan", ("",), [[note] for note in supplement.get("notes") or ()]),
    ]
    return [addition for addition in additions if addition.rows]


def name_place(place: str, numbers: Json) -> str:
    """Given a place as readings name it and the steps' numbers, return it as people call it on the form."""
    part, name, *below = place.split(".")[:3] + [""] * (2 - place.count("."))
    if part == "steps" and name in numbers:
        column = _COLUMNS.get(below[0], "")
        return f"Aktivitas {numbers[name]}" + (f", {column}" if column else "")
    return _PARTS_OF_PLACE.get(part, place)


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


def _readings(readings: Json, playbook: Json, numbers: Json) -> Iterator[list[str]]:
    for place, reading in readings.items():
        yield [name_place(place, numbers), find_written(playbook, place), str(reading)]


def _actors(supplement: Json, roles: Json, numbers: Json) -> Iterator[list[str]]:
    for step, actor in (supplement.get("actors") or {}).items():
        yield [str(numbers.get(step, step)), ", ".join(str(roles.get(role, role)) for role in find_texts(actor))]


def _schedule(supplement: Json, numbers: Json) -> Iterator[list[str]]:
    for entry in supplement.get("schedule") or ():
        steps = ", ".join(str(numbers.get(step, step)) for step in entry["steps"])
        yield [steps, str(entry["cron"]), str(entry.get("note") or "")]


def _escalation(supplement: Json, roles: Json) -> Iterator[list[str]]:
    for rung in supplement.get("escalation") or ():
        told = ", ".join(str(roles.get(role, role)) for role in find_texts(rung.get("to")))
        yield [str(rung.get("overdue") or ""), told]
