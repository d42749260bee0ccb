"""Problems over a period: how many there were on each day, and what each is and how it stands."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date, datetime

from runner.record.problems import KnownProblem
from runner.reports.findings import NONE, STATES, Criterion, build_findings
from runner.reports.office import Office
from runner.reports.paper.drawing import choose_top
from runner.reports.paper.model import Block, Chart, Line, Series
from runner.reports.pen import Pen
from runner.reports.periodic.terms import Term

Spell = tuple[datetime, datetime | None]


def build_troubles(
    problems: Sequence[KnownProblem],
    criterion: Criterion,
    office: Office,
    term: Term,
    until: date,
    pen: Pen,
) -> Iterator[Block]:
    """Given the problems of a period, the norm that each offends, the office with what it knows of faults, and the last
    day on record, give the picture of them and each as a finding."""
    if not problems:
        yield Line(NONE)
        return
    yield Line(count_states(problems, pen))
    yield _chart(problems, term, until, pen)
    yield from build_findings(problems, criterion, office, pen)


def count_states(problems: Sequence[KnownProblem], pen: Pen) -> str:
    """Given problems, return how many there are and how they stand, as a sentence."""
    counts = Counter(str(problem.state) for problem in problems)
    states = ", ".join(f"{pen.number(counts[state])} {words}" for state, words in STATES.items() if counts[state])
    return f"{pen.number(len(problems))} permasalahan tercatat: {states}."


def _chart(problems: Sequence[KnownProblem], term: Term, until: date, pen: Pen) -> Chart:
    spells = [(pen.local(start).date(), pen.local(end).date() if end else None) for start, end in _spells(problems)]
    slices = list(term.slices(until))
    fresh = [float(sum(first <= start < end for start, _ in spells)) for _, first, end in slices]
    there = [float(sum(start < end and (gone is None or gone >= end) for start, gone in spells)) for *_, end in slices]
    top = max([*fresh, *there, 1])
    series = [Series("baru", fresh), Series("belum selesai pada akhirnya", there)]
    said = f"Permasalahan, {term.name}: baru {sum(fresh):.0f}, terbanyak belum selesai {max(there):.0f}."
    labels = [label for label, _, _ in slices]
    return Chart("Permasalahan dari waktu ke waktu", labels, series, "", choose_top(top), said)


def _spells(problems: Sequence[KnownProblem]) -> Iterator[Spell]:
    """When each problem was there, past occurrences too."""
    for problem in problems:
        yield problem.first_seen, problem.solved_at
        for past in problem.earlier:
            yield past.first_seen, past.solved_at
