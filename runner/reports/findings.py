"""Problems in the five parts that auditors use: Kondisi, Kriteria, Sebab, Akibat, Rekomendasi."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from runner.inventory.knowledge import Advice, find_advice
from runner.record.problems import KnownProblem
from runner.reports.lists import say_left_out
from runner.reports.office import Office
from runner.reports.paper.model import WHOLE, Block, Cell, Heading, Line, Look, Sheet, Together, cell
from runner.reports.pen import Pen
from runner.reports.values import shorten

MOST_PROBLEMS = 500
LONGEST_CONDITION = 100_000  # thirty pages
TO_FILL = (
    "Baris kosong diisi oleh pelaksana; laporan ini tidak menduga sebab, akibat, atau rekomendasi. Baris bertanda * "
    "berasal dari berkas pengetahuan kantor, bukan dari pemeriksaan atas kejadian ini."
)
KNOWN = (
    ("Kemungkinan sebab *", "causes"),
    ("Perlu diperiksa *", "checks"),
    ("Alternatif pemecahan *", "remedies"),
    ("Dapat dihubungi *", "call"),
)
STATES = {"open": "terbuka", "handled": "ditangani", "solved": "selesai", "accepted": "diterima"}
NONE = "Tidak ada permasalahan terbuka yang tercatat."

Criterion = Callable[[KnownProblem], str]


def build_findings(problems: Sequence[KnownProblem], criterion: Criterion, office: Office, pen: Pen) -> Iterator[Block]:
    """Given problems, what tells the norm that each offends ("" where it is not known) and the office with what it
    knows of faults, give each as a form.

    Of a problem its condition and the norm are known; cause, effect and recommendation are left to be filled in.
    """
    if not problems:
        yield Line(NONE)
        return
    yield Line(TO_FILL, Look.NOTE)
    for number, problem in enumerate(problems[:MOST_PROBLEMS], 1):
        heading = Heading(f"{number}. {office.title_of(problem.target) if problem.target else 'Satuan kerja'}", 2)
        blocks: list[Block] = [heading, _sheet(problem, criterion(problem), office.knowledge, pen)]
        if len(problem.message) < WHOLE:
            yield Together(blocks)
        else:
            yield from blocks
    if len(problems) > MOST_PROBLEMS:
        yield say_left_out(len(problems) - MOST_PROBLEMS, "permasalahan")


def list_advice(problem: KnownProblem, knowledge: Sequence[Advice]) -> list[tuple[str, Cell]]:
    """Given a problem and what the office knows of faults, return what it knows of this one, by kind."""
    found = find_advice(knowledge, problem.key, problem.target)
    lists = [(name, [text for advice in found for text in getattr(advice, field)]) for name, field in KNOWN]
    return [(name, cell(*dict.fromkeys(texts))) for name, texts in lists if texts]


def _sheet(problem: KnownProblem, criterion: str, knowledge: Sequence[Advice], pen: Pen) -> Sheet:
    return Sheet(
        [
            ("Tingkat", cell(pen.severity(problem.severity))),
            ("Kode", cell(problem.key)),
            ("Sejak", cell(pen.time(problem.first_seen))),
            ("Keadaan", cell(*describe_state(problem, pen))),
            ("Kondisi", cell(shorten(problem.message, LONGEST_CONDITION))),
            ("Kriteria", cell(criterion) if criterion else ()),
            ("Sebab", ()),
            ("Akibat", ()),
            ("Rekomendasi", ()),
            *list_advice(problem, knowledge),
        ]
    )


def describe_state(problem: KnownProblem, pen: Pen) -> Iterator[str]:
    """Given a problem, give how it stands: solved when and by which run, accepted by whom and why, back again."""
    yield STATES[str(problem.state)].capitalize()
    if problem.times > 1:
        yield f"Terlihat {pen.number(problem.times)} kali, terakhir {pen.time(problem.last_seen)}"
    if problem.holder:
        roles = f", menunggu {', '.join(problem.holder.roles)}" if problem.holder.roles else ""
        yield f"Dalam pelaksanaan {problem.holder.run} sejak {pen.time(problem.holder.since)}{roles}"
    if problem.solved_at:
        by = f" oleh pelaksanaan {problem.solved_by}" if problem.solved_by else " dengan sendirinya"
        yield f"Tidak terlihat lagi sejak {pen.time(problem.solved_at)}{by}"
    if problem.accepted:
        yield f"Diterima oleh {problem.accepted.person}: {shorten(problem.accepted.reason, LONGEST_CONDITION)}"
    if problem.earlier:
        last = pen.day(problem.earlier[0].first_seen)
        yield f"Pernah terjadi {pen.number(len(problem.earlier))} kali, terakhir {last}"
