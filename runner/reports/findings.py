"""Problems in the five parts that auditors use: Kondisi, Kriteria, Sebab, Akibat, Rekomendasi."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from runner.record.problems import KnownProblem
from runner.reports.paper.model import Block, Heading, Line, Look, Sheet, cell
from runner.reports.pen import Pen
from runner.reports.values import shorten

MOST_PROBLEMS = 500
LONGEST_CONDITION = 100_000  # thirty pages
TO_FILL = "Baris kosong diisi oleh pelaksana; laporan ini tidak menduga sebab, akibat, atau rekomendasi."
NONE = "Tidak ada permasalahan terbuka yang tercatat."

Criterion = Callable[[KnownProblem], str]


def build_findings(problems: Sequence[KnownProblem], criterion: Criterion, pen: Pen) -> Iterator[Block]:
    """Given problems and what tells the norm that each offends ("" where it is not known), give each as a form.

    Of a problem its condition and the norm are known; cause, effect and recommendation are left to be filled in.
    """
    if not problems:
        yield Line(NONE)
        return
    yield Line(TO_FILL, Look.NOTE)
    for number, problem in enumerate(problems[:MOST_PROBLEMS], 1):
        yield Heading(f"{number}. {problem.target or 'Satuan kerja'}", 2)
        yield _sheet(problem, criterion(problem), pen)
    if len(problems) > MOST_PROBLEMS:
        yield left_out(len(problems) - MOST_PROBLEMS)


def left_out(count: int) -> Line:
    """Given how many rows do not stand on the paper, return the line that says so."""
    return Line(f"… dan {count} baris lain; selengkapnya dalam catatan pelaksanaan.", Look.NOTE)


def _sheet(problem: KnownProblem, criterion: str, pen: Pen) -> Sheet:
    return Sheet(
        [
            ("Tingkat", cell(pen.severity(problem.severity))),
            ("Kode", cell(problem.key)),
            ("Sejak", cell(pen.time(problem.first_seen))),
            ("Kondisi", cell(shorten(problem.message, LONGEST_CONDITION))),
            ("Kriteria", cell(criterion) if criterion else ()),
            ("Sebab", ()),
            ("Akibat", ()),
            ("Rekomendasi", ()),
        ]
    )
