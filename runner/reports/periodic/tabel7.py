"""Tabel 7, the half-yearly monitoring form of Permenpan RB Nomor 35 Tahun 2012, filled in from the record."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from runner.contract import FINISHED_WELL
from runner.errors import refuse
from runner.reports.activities import name_activity
from runner.reports.office import BLANK, build_letterhead
from runner.reports.paper.model import (
    Block,
    Cell,
    Column,
    Heading,
    Line,
    Look,
    Pairs,
    Paper,
    Signature,
    Signatures,
    Table,
    Together,
    cell,
)
from runner.reports.pen import Pen
from runner.reports.periodic.gathering import Procedure
from runner.reports.periodic.it import Told
from runner.reports.periodic.realised import Done, count_late
from runner.reports.periodic.terms import Term
from runner.reports.situation import read_title

APPLICATION = "Penilaian terhadap penerapan"
MARK = "√"
COLUMNS = (
    Column("No", 10, "center"),
    Column("Prosedur", 70),
    Column("Berjalan baik", 22, "center", APPLICATION),
    Column("Tidak berjalan baik", 24, "center", APPLICATION),
    Column("Catatan hasil penilaian", 55),
    Column("Tindakan yang harus diambil", 50),
    Column("Paraf penilai", 22),
)
USE = (
    "Berjalan baik: dilaksanakan, semuanya selesai dengan baik, tanpa penyimpangan yang tercatat. Penilaian dan "
    "tindakan adalah usulan dari catatan pelaksanaan; penilai yang menetapkan. Paraf dibubuhkan oleh penilai."
)


class Judgement(NamedTuple):
    """How an activity went: True, False, None where nothing was carried out; what was seen, and what to do."""

    good: bool | None
    notes: list[str]
    measures: list[str]


def build_tabel7(told: Told) -> Paper:
    """Given all that is known of a half-year, return the form."""
    return Paper(
        name=f"tabel-7-{told.term.text.lower()}",
        title="MONITORING PELAKSANAAN SOP",
        subtitle=f"Tabel 7 – {told.term.name}",
        letterhead=build_letterhead(told.office.settings),
        blocks=list(_blocks(told)),
        as_of=told.as_of,
        head=told.head,
        numbered=False,
        landscape=True,
    )


def check_half_year(term: Term) -> None:
    """Raise Refused where a period is not the half-year that the form is made for."""
    if not term.name.startswith("Semester"):
        raise refuse(
            "PERIOD", f"Tabel 7 is filled in each half-year, and '{term.text}' is none", "write 2026-S1 or 2026-S2"
        )


def judge(done: Done, pen: Pen) -> Judgement:
    """Given what was done of an activity, return how it went, from the record alone."""
    executions = done.executions
    if not executions:
        return Judgement(None, ["Tidak ada pelaksanaan yang tercatat"], ["Pastikan kegiatan memang tidak diperlukan"])
    judged, late = count_late(executions)
    bad = sum(each.status not in (*FINISHED_WELL, "", "waiting", "skipped") for each in executions)
    deviations = sum(len(each.deviations) for each in executions) - late
    unfinished = sum(each.status in ("", "waiting") for each in executions)
    notes = [
        f"{pen.number(len(executions))} pelaksanaan, {pen.number(judged - late)} dari {pen.number(judged)} tepat waktu"
    ]
    found = (
        (late, "terlambat", "Telusuri sebab keterlambatan; bila berulang, tinjau mutu baku waktu"),
        (bad, "tidak selesai dengan baik", "Perbaiki sebab kegagalan pelaksanaan"),
        (deviations, "penyimpangan lain", "Lengkapi output dan bukti, atau tetapkan pelaksananya"),
        (unfinished, "belum selesai", "Selesaikan yang masih menunggu"),
    )
    notes += [f"{pen.number(count)} {words}" for count, words, _ in found if count]
    return Judgement(not (late or bad or deviations), notes, [measure for count, _, measure in found if count])


def _blocks(told: Told) -> Iterator[Block]:
    procedures = told.procedures()
    yield Pairs(_facts(told))
    if not procedures:
        yield Line("Tidak ada pelaksanaan yang tercatat dalam periode ini.")
    for procedure, done in procedures:
        yield Heading(read_title(procedure.started), 2)
        yield Table(COLUMNS, list(_rows(procedure, done, told.pen)))
    places = [
        Signature("", "Mengetahui,", BLANK, "", ""),
        Signature(f"{told.office.city}, ……………………", "Penilai,", BLANK, "", ""),
    ]
    yield Together([Line(USE, Look.NOTE), Signatures(places)])


def _facts(told: Told) -> list[tuple[str, str]]:
    pen, settings = told.pen, told.office.settings
    return [
        ("Satuan kerja", str(settings.get("name") or BLANK)),
        ("Periode", f"{pen.day(told.term.first)} s.d. {pen.day(told.term.last)}"),
        ("Keadaan catatan per", pen.time(told.as_of)),
    ]


def _rows(procedure: Procedure, done: Sequence[Done], pen: Pen) -> Iterator[Sequence[Cell]]:
    readings = procedure.started.get("readings") or {}
    for each in done:
        judged = judge(each, pen)
        yield (
            cell(each.activity.number),
            name_activity(each.activity.form, readings),
            cell(MARK) if judged.good else (),
            cell(MARK) if judged.good is False else (),
            cell(*judged.notes),
            cell(*judged.measures),
            (),
        )
