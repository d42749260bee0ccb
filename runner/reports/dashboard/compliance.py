"""How this month's steps kept their norms and their schedule: on time, late, failed, not done."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from runner.contract import FINISHED_WELL, Status
from runner.errors import RunnerError
from runner.record.period import Period, StepEnd, step_ends_in
from runner.record.reader import JournalReader
from runner.reports.dashboard.basis import Basis, Procedure
from runner.reports.dashboard.slots import GRACE, find_slots

Place = tuple[str, str, str | None]  # playbook, step, target


class Tally(NamedTuple):
    """How often something was done on time, late, in vain, and not at all."""

    on_time: int = 0
    late: int = 0
    failed: int = 0
    missed: int = 0

    @property
    def expected(self) -> int:
        """How often it should have been done."""
        return sum(self)

    @property
    def percent(self) -> int | None:
        """The share that was on time, rounded down: only all is 100; None where nothing was expected."""
        return 100 * self.on_time // self.expected if self.expected else None


def add(tallies: Iterable[Tally]) -> Tally:
    """Given tallies, return their sum."""
    return Tally(*(sum(counts) for counts in zip(*tallies, strict=True))) if (tallies := list(tallies)) else Tally()


def month_of(now: datetime, basis: Basis) -> datetime:
    """Given the time, return the beginning of its month by the office's clock."""
    local = now.astimezone(basis.calendar.office.zone)
    return local.replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def gather_compliance(journal: JournalReader, basis: Basis, now: datetime) -> dict[Place, Tally]:
    """Given a journal and the time, return the month's tally of each step on each target.

    A step with a schedule is expected at each of its moments since its playbook was first carried out; one without
    counts whenever it was done.
    """
    tallies: dict[Place, Tally] = {}
    since = month_of(now, basis)
    found = _ends(journal, Period(since, now + timedelta(microseconds=1)))
    for procedure in basis.procedures:
        for row in procedure.steps:
            step = str(row["id"])
            ends = found.get((procedure.name, step), {})
            slots = _slots(procedure, step, basis, since, now)
            targets = {**dict.fromkeys(_expected(procedure, step, basis) if slots else ()), **ends}
            for target in targets:
                tally = judge(ends.get(target, ()), slots, now)
                if tally.expected:
                    tallies[procedure.name, step, target] = tally
    return tallies


def _slots(procedure: Procedure, step: str, basis: Basis, since: datetime, now: datetime) -> list[datetime]:
    first = max(since, procedure.since)
    return find_slots(procedure.crons(step), first, now, basis.calendar.office.zone)


def _expected(procedure: Procedure, step: str, basis: Basis) -> Sequence[str | None]:
    """The targets that a step is for: those of its pattern, without one the place where it runs once."""
    pattern = procedure.patterns.get(step, "")
    if not pattern:
        return (None,)
    try:
        return [target.name for target in basis.inventory.select(pattern)]
    except RunnerError:
        return ()


def _ends(journal: JournalReader, period: Period) -> dict[tuple[str, str], dict[str | None, list[StepEnd]]]:
    """The ends of the period by playbook and step, then by target; a step that was skipped came to no end."""
    ends: dict[tuple[str, str], dict[str | None, list[StepEnd]]] = {}
    for end in step_ends_in(journal, period):
        if end.status is not Status.SKIPPED:
            ends.setdefault((end.playbook, end.step), {}).setdefault(end.target, []).append(end)
    return ends


def judge(ends: Sequence[StepEnd], slots: Sequence[datetime], now: datetime) -> Tally:
    """Given a step's ends on a target, the moments of its schedule (both in order) and the time, return its tally."""
    if not slots:
        return add(map(_count, ends))
    best: dict[int, StepEnd] = {}  # for each moment that something came for: what counts of it
    for end in ends:
        slot = bisect_right(slots, end.at) - 1
        best[slot] = min(best.get(slot, end), end, key=lambda each: (each.status not in FINISHED_WELL, each.late))
    best.pop(-1, None)  # it came before the first moment
    due = bisect_right(slots, now - GRACE)
    missed = due - sum(slot < due for slot in best)
    return add([*map(_count, best.values()), Tally(missed=missed)])


def _count(end: StepEnd) -> Tally:
    if end.status not in FINISHED_WELL:
        return Tally(failed=1)
    return Tally(late=1) if end.late else Tally(on_time=1)
