"""What lies behind a period's report: each execution, each kept file with its hash, each run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from runner.calendar import Calendar
from runner.contract import FINISHED_WELL
from runner.reports.lists import MOST_ROWS, build_list
from runner.reports.office import Office
from runner.reports.paper.model import Block, Cell, Column, Heading, Line, Look, cell
from runner.reports.pen import Pen
from runner.reports.periodic.gathering import Execution, Gathered, Procedure
from runner.reports.periodic.realised import MOST_LISTED, Done, describe

EXECUTIONS = (
    Column("No", 9, "center"),
    Column("Sasaran dan keadaan", 45),
    Column("Waktu", 62),
    Column("Waktu kerja", 24),
    Column("Keterangan", 40),
)
EVIDENCE = (
    Column("No", 13, "center"),
    Column("Berkas", 40),
    Column("Kegiatan / sasaran", 26),
    Column("Ukuran", 16, "right"),
    Column("SHA-256", 65),
)
RUNS = (Column("Nomor pelaksanaan", 50), Column("Mulai", 45), Column("Selesai", 45), Column("Keadaan", 30))


def build_annexes(
    procedures: Sequence[tuple[Procedure, Sequence[Done]]],
    found: Gathered,
    office: Office,
    calendar: Calendar,
    pen: Pen,
) -> Iterator[Block]:
    """Given the procedures with what was done of them, and what the period holds, give the annexes."""
    yield Heading("Lampiran 1. Rincian pelaksanaan kegiatan", new_page=True)
    yield from _executions([each for _, done in procedures for each in done], office, calendar, pen)
    yield Heading("Lampiran 2. Daftar bukti dengan SHA-256")
    yield from _evidence([each for _, done in procedures for each in done], office, pen)
    yield Heading("Lampiran 3. Daftar pelaksanaan (run)")
    yield from _runs(found, pen)
    yield Heading("Lampiran 4. Berkas SOP dan inventaris yang dijalankan")
    sources = {source: None for procedure, _ in procedures for source in procedure.sources}
    rows = [(cell(name), cell(Line(digest, Look.CODE))) for name, digest in sources]
    yield from build_list((Column("Berkas", 60), Column("SHA-256", 100)), rows, none="Tidak ada yang tercatat.")


def _executions(done: Sequence[Done], office: Office, calendar: Calendar, pen: Pen) -> Iterator[Block]:
    """Those that the table of activities does not list one by one; where they are too many, those out of order only."""
    every = [(each.activity.number, e) for each in done if len(each.executions) > MOST_LISTED for e in each.executions]
    if len(every) > MOST_ROWS:
        count = len(every)
        every = [(number, each) for number, each in every if _is_odd(each)]
        odd = pen.number(len(every))
        yield Line(f"Dari {pen.number(count)} pelaksanaan, {odd} menyimpang atau tidak selesai dengan baik:", Look.NOTE)
    rows = [_execution(number, each, office, calendar, pen) for number, each in every]
    yield from build_list(EXECUTIONS, rows, none="Semua pelaksanaan telah tercantum dalam tabel kegiatan.")


def _is_odd(each: Execution) -> bool:
    return bool(each.deviations) or each.attempt > 1 or each.status not in FINISHED_WELL


def _execution(number: str, each: Execution, office: Office, calendar: Calendar, pen: Pen) -> Sequence[Cell]:
    status, *times = describe(each, office, calendar, pen)
    worked = str(times[1]).strip("()").removeprefix("waktu kerja ") if len(times) > 1 else ""
    remarks = [pen.deviation(deviation) for deviation in each.deviations]
    return cell(number), cell(status), cell(times[0]), cell(worked), cell(*remarks)


def _evidence(done: Sequence[Done], office: Office, pen: Pen) -> Iterator[Block]:
    kept = [(each.activity.number, mark, one) for each in done for mark, one in each.evidence]
    rows = [
        (
            cell(mark),
            cell(one.evidence.name, Line(pen.clock(one.at), Look.NOTE)),
            cell(" / ".join(filter(None, (number, one.target and office.title_of(one.target))))),
            cell(pen.size(one.evidence.size)),
            cell(Line(one.evidence.sha256, Look.CODE)),
        )
        for number, mark, one in kept
    ]
    yield from build_list(EVIDENCE, rows, none="Tidak ada bukti yang tercatat.")


def _runs(found: Gathered, pen: Pen) -> Iterator[Block]:
    lines = sorted(found.runs.values(), key=lambda line: (line.began, line.run))
    rows = [
        (
            cell(line.run),
            cell(pen.clock(line.began)),
            cell(pen.clock(line.ended) if line.ended else ""),
            cell(pen.status(line.status or None)),
        )
        for line in lines
    ]
    yield from build_list(RUNS, rows, none="Tidak ada pelaksanaan yang tercatat.")
