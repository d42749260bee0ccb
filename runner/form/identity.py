"""The identity block: numbers, dates and parts as the source has them; what it leaves blank stays blank."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from runner.form.chart import find_texts

Json = Mapping[str, Any]

HEADS: Mapping[str, str] = {
    "number": "Nomor SOP",
    "made": "Tanggal Pembuatan",
    "revised": "Tanggal Revisi",
    "effective": "Tanggal Efektif",
    "approved_by": "Disahkan oleh",
}
PARTS: Mapping[str, str] = {
    "legal_basis": "Dasar Hukum",
    "qualifications": "Kualifikasi Pelaksana",
    "related": "Keterkaitan",
    "equipment": "Peralatan/Perlengkapan",
    "warning": "Peringatan",
    "records": "Pencatatan dan Pendataan",
}
OTHERS: Mapping[str, str] = {"flow": "", "notes": "Keterangan:"}
HEADINGS: Mapping[str, str] = {"title": "", **HEADS, **PARTS, **OTHERS}

_MARKS = ("-", "–", "•", "*", "v ", "v' ")


class Part(NamedTuple):
    """A part of the block: its heading and items, marked "numbered", "listed" or "" (they carry their own marks)."""

    heading: str
    items: tuple[str, ...]
    manner: str


class Identity(NamedTuple):
    """The block. `heads` are labels with their text, the title's among them where it is `named`; `pairs` parts side by
    side (left, right), `sections` parts over the whole width."""

    title: str
    named: bool
    unit: str
    heads: tuple[tuple[str, str], ...]
    pairs: tuple[tuple[Part | None, Part | None], ...]
    sections: tuple[Part, ...]
    notes: Part | None


def read_identity(procedure: Json) -> Identity:
    """Given a procedure, return its identity block. A key that is null or not written is not on the form; "" is a
    place that the form leaves blank."""
    parts = {key: _part(procedure, key) for key in PARTS}
    names = list(PARTS)
    pairs = [(parts[left], parts[right]) for left, right in zip(names[::2], names[1::2], strict=True)]
    notes = procedure.get("notes")
    return Identity(
        title=procedure["title"],
        named="title" in (procedure.get("headings") or {}),
        unit=procedure.get("unit") or "",
        heads=tuple(_heads(procedure)),
        pairs=tuple(pair for pair in pairs if any(pair)),
        sections=tuple(_section(each) for each in procedure.get("sections") or ()),
        notes=Part(find_heading(procedure, "notes"), tuple(find_texts(notes)), "") if notes else None,
    )


def find_heading(procedure: Json, key: str) -> str:
    """Given a part's key, return its heading as the source words it, else as the standard does."""
    return str((procedure.get("headings") or {}).get(key, HEADINGS.get(key, "")) or "")


def _heads(procedure: Json) -> Iterator[tuple[str, str]]:
    further: dict[str, list[tuple[str, str]]] = {}
    for field in procedure.get("fields") or ():
        further.setdefault(field.get("after") or "", []).append((field["heading"], field.get("text") or ""))
    yield from further.pop("start", ())
    wanted = [key for key in procedure.get("headings") or () if key in HEADS or key == "title"]
    for key in [*wanted, *(key for key in HEADS if key not in wanted)]:
        if procedure.get(key) is not None:
            yield find_heading(procedure, key), str(procedure[key])
        yield from further.pop(key, ())
    for fields in further.values():
        yield from fields


def _part(procedure: Json, key: str) -> Part | None:
    if procedure.get(key) is None:
        return None
    items = tuple(find_texts(procedure[key]))
    return Part(find_heading(procedure, key), items, _manner(items, numbered=key == "legal_basis"))


def _section(body: Json) -> Part:
    items = tuple(find_texts(body.get("items")))
    return Part(body.get("heading") or "", items, "")


def _manner(items: Sequence[str], *, numbered: bool) -> str:
    """How items are marked: the source's own marks are part of their text."""
    if len(items) < 2 or all(_has_mark(item) for item in items):
        return ""
    return "numbered" if numbered else "listed"


def _has_mark(item: str) -> bool:
    head = item.split(maxsplit=1)[0] if item.strip() else ""
    return item.startswith(_MARKS) or (head.rstrip(".)") != head and len(head) <= 4)
