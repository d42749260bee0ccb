"""The situation report ("Laporan situasi kondisi") from the record of a run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from runner.record.document import Record, TargetRecord
from runner.record.problems import KnownProblem
from runner.reports.activities import (
    MOST_RESULTS,
    Activity,
    EvidenceRow,
    Json,
    build_deviations,
    build_evidence,
    build_results,
    build_rules,
    build_table,
    moments,
    pair_activities,
)
from runner.reports.findings import build_findings
from runner.reports.lists import build_list
from runner.reports.office import Office, build_letterhead, build_signatures, lone_actors
from runner.reports.paper.model import (
    Block,
    Bullets,
    Column,
    Heading,
    Line,
    Look,
    Pairs,
    Paper,
    Signatures,
    Together,
    cell,
)
from runner.reports.pen import Pen, take_pen

DRAFT = "Konsep yang disusun dari catatan pelaksanaan; berlaku setelah ditandatangani pejabat yang berwenang."


def build_situation(
    record: Record,
    problems: Sequence[KnownProblem],
    office: Office,
    head: str = "",
    earlier: Mapping[str, Sequence[TargetRecord]] | None = None,
) -> Paper:
    """Given a run's record, the open problems, the office, the head of the chain, and how steps that the run leaves out
    last ended, return the report."""
    pen = take_pen(office.settings)
    activities = pair_activities(record, earlier)
    until = find_end(record, activities)
    return Paper(
        name="laporan-situasi",
        title="LAPORAN SITUASI KONDISI",
        subtitle="",
        letterhead=build_letterhead(office.settings),
        blocks=list(_blocks(record, activities, problems, office, pen, until)),
        as_of=pen.local(until),
        head=head,
    )


def read_roles(started: Json) -> dict[str, str]:
    """Given a run's first event, return its roles as they are read, which need not be how they are written."""
    readings = started.get("readings") or {}
    roles = (started.get("procedure") or {}).get("roles") or {}
    return {key: str(readings.get(f"roles.{key}", label)) for key, label in roles.items()}


def read_title(started: Json) -> str:
    """Given a run's first event, return its procedure's title as it is read."""
    return str((started.get("readings") or {}).get("title") or started.get("title") or started.get("playbook") or "")


def build_evidence_table(evidence: Sequence[EvidenceRow]) -> Iterator[Block]:
    """Given kept files, give the table of them with their sums."""
    columns = (
        Column("No", 11, "center"),
        Column("Berkas", 42),
        Column("Langkah / Sasaran", 27),
        Column("Ukuran", 17),
        Column("SHA-256", 63),
    )
    rows = [
        (cell(row.mark), cell(row.name), cell(row.origin), cell(row.size), cell(Line(row.sha256, Look.CODE)))
        for row in evidence
    ]
    yield from build_list(columns, rows, none="Belum ada bukti yang disimpan.")


def build_sources(sources: Sequence[Json]) -> Iterator[Line]:
    """Given the files that a run followed, give them with their sums."""
    if sources:
        yield Line("Dijalankan menurut berkas:", Look.NOTE)
    for source in sources:
        yield Line(f"{source.get('name')} – {source.get('sha256')}", Look.CODE)


def find_end(record: Record, activities: Sequence[Activity]) -> datetime:
    """Given a run's record, return the time of the last thing that it tells of."""
    times = [time for activity in activities for _, target in activity.targets() for time in moments(target)]
    return max([*times, *(answer.at for answer in record.answers), record.ended or record.began])


def _blocks(
    record: Record,
    activities: Sequence[Activity],
    problems: Sequence[KnownProblem],
    office: Office,
    pen: Pen,
    until: datetime,
) -> Iterator[Block]:
    roles = read_roles(record.started)
    evidence = build_evidence(activities, office, pen)
    yield Pairs(_facts(record, office, pen, until))
    yield Heading("A. Kegiatan yang Dilaksanakan")
    yield build_table(activities, record, roles, office, evidence, pen)
    yield from build_rules((each.number, target.counted) for each in activities for _, target in each.targets())
    yield Heading("B. Hasil yang Dicapai")
    yield from _results(activities, office, pen)
    yield Heading("C. Permasalahan")
    yield from build_findings(problems, lambda each: _criterion(each, record.playbook, activities), office, pen)
    yield Heading("D. Penyimpangan dari Mutu Baku")
    deviations = build_deviations(activities, office, pen)
    yield Bullets(deviations) if deviations else Line("Tidak ada penyimpangan yang tercatat.")
    yield Heading("E. Daftar Bukti")
    yield from build_evidence_table(evidence)
    signing = {role: roles.get(role, role) for role in lone_actors([activity.actors for activity in activities])}
    dated = f"{office.city}, {pen.day(until)}"
    places = Signatures(build_signatures(signing, office, pen.local(until).date(), dated))
    yield Together([Heading("F. Pengesahan"), places])
    yield from build_sources(record.started.get("sources") or ())
    yield Line(DRAFT, Look.NOTE)


def _facts(record: Record, office: Office, pen: Pen, until: datetime) -> list[tuple[str, str]]:
    period = pen.day(record.began)
    if pen.day(until) != period:
        period = f"{period} s.d. {pen.day(until)}"
    facts = [
        ("Prosedur", read_title(record.started)),
        ("Satuan kerja", str(office.settings.get("name") or "")),
        ("Periode", period),
        ("Nomor pelaksanaan", record.run),
        ("Dijalankan oleh", str(record.started.get("by") or "")),
        ("Keadaan per", pen.time(until)),
        ("Keadaan pelaksanaan", pen.status(record.status if record.ended else None)),
    ]
    return [(name, value) for name, value in facts if value]


def _results(activities: Sequence[Activity], office: Office, pen: Pen) -> Iterator[Block]:
    columns = (Column("Sasaran", 38), Column("Hasil", 122))
    found = [(activity, rows) for activity in activities if (rows := build_results(activity, office, pen))]
    if not found:
        yield Line("Belum ada hasil yang tercatat.")
    for activity, rows in found:
        yield Heading(f"{activity.number}. {'; '.join(activity.outputs)}", 2)
        yield from build_list(columns, rows, most=MOST_RESULTS)


def _criterion(problem: KnownProblem, playbook: str, activities: Sequence[Activity]) -> str:
    """The SOP's norm for the activity that found the problem; "" where this run does not know it."""
    found = next((a for a in activities if (playbook, a.id) == (problem.playbook, problem.step)), None)
    if found is None or not found.outputs:
        return ""
    return f"Mutu baku SOP, kegiatan {found.number}: {'; '.join(found.outputs)}"
