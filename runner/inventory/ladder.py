"""When to remind of a service that will lapse: each rung of the ladder once a cycle, also after days without a run.

A cycle is one last day of a service. What earlier runs told about it is handed in as `Memory`, and the new memory is
part of the answer: nothing else is remembered. Rungs are counted back from the deadline: the last day, or the end of
the budget year where that comes between the first rung and the last day, because the next year's money comes too late.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from runner.inventory.register import Paper, Service, move

LADDER = (90, 60, 30, 14, 7, 1)
LONGEST_CLOSURE = 60
CORRECTION_DAYS = 31
LONGEST_PART = 184  # half a year
LAST_WEEK = timedelta(days=7)
YEAR = "1 tahun"


@dataclass(frozen=True, slots=True)
class Rule:
    """How to remind: rungs in days, when the budget year ends (month, day; None: not heeded), how long papers silence.

    A payment silences for `settle` days; an invoice until its due day, without one for `patience` days.
    """

    is_working_day: Callable[[date], bool]
    rungs: Sequence[int] = LADDER
    year_end: tuple[int, int] | None = (12, 31)
    settle: timedelta = timedelta(days=3)
    patience: timedelta = timedelta(days=14)

    def of(self, service: Service) -> Rule:
        """Return the rule for one service: of one renewed every few months, only rungs within half its period count,
        and each budget year pays its own part."""
        days = _days_of(service)
        near = tuple(rung for rung in self.rungs if rung <= days // 2) or (min(self.rungs),)
        return replace(self, rungs=near, year_end=self.year_end if days > LONGEST_PART else None)

    def deadline(self, expires: date) -> date:
        """Given the last day of a service, return the day by which its renewal must be arranged."""
        first = expires - timedelta(days=max(self.rungs))
        for year in (expires.year, expires.year - 1) if self.year_end else ():
            month, day = self.year_end or (12, 31)
            end = date(year, month, min(day, monthrange(year, month)[1]))
            if first <= end < expires:
                return end
        return expires

    def day_of(self, rung: int, deadline: date) -> date:
        """Given a rung, return its day; of a day on which the office is closed, the working day before."""
        nominal = deadline - timedelta(days=rung)
        for back in range(LONGEST_CLOSURE):
            day = nominal - timedelta(days=back)
            if self.is_working_day(day):
                return day
        return nominal


@dataclass(frozen=True, slots=True)
class Memory:
    """What was told about a cycle: rungs told and passed over, other events told."""

    cycle: date | None = None
    told: tuple[int, ...] = ()
    skipped: tuple[int, ...] = ()
    announced: tuple[str, ...] = ()

    def of_cycle(self, expires: date, service: Service) -> Memory:
        """Return what is known about the cycle that ends on that day; a day that was only corrected is the same."""
        if self.cycle is None:
            return Memory(expires, announced=())
        near = min(CORRECTION_DAYS, _days_of(service) // 2)
        return replace(self, cycle=expires) if abs((expires - self.cycle).days) < near else Memory(expires)

    def telling(self, event: str, rungs: Sequence[int], *, quiet: bool) -> Memory:
        """Return the memory after a run in which these rungs were new, and the event (if any) was told."""
        told = () if quiet or not rungs or event == "expired" else (min(rungs),)
        passed = tuple(rung for rung in sorted(rungs, reverse=True) if rung not in told)
        more = () if event in ("", "rung") else (event,)
        return Memory(self.cycle, self.told + told, self.skipped + passed, self.announced + more)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a service stands today.

    `event` is what is to be told now, "" if nothing: "rung", "budget" (the budget year ended first), "expired", or
    "reopened: …" with the paper that had no effect. `paper` is the paper that silences (stage "arranged") or did.
    """

    days_left: int
    deadline: date
    rung: int | None
    stage: str
    event: str
    paper: Paper | None
    quiet_until: date | None
    memory: Memory


def judge(service: Service, expires: date, today: date, memory: Memory, rule: Rule) -> Standing:
    """Given a service, its last day, today, what was told and the rule, return where it stands and what to tell.

    It runs to the end of its last day.
    """
    memory, rule = memory.of_cycle(expires, service), rule.of(service)
    deadline, left = rule.deadline(expires), (expires - today).days
    reached = [rung for rung in rule.rungs if rule.day_of(rung, deadline) <= today]
    new = [rung for rung in reached if rung not in memory.told and rung not in memory.skipped]
    paper, until = _find_paper(service, expires, deadline, today, rule)
    quiet = until is not None and today < until and left >= 0
    stage = "expired" if left < 0 else "arranged" if quiet else "due" if reached or paper else "later"
    event = "" if quiet else _event(stage, new, paper, memory, past=deadline < today)
    rung = min(reached) if reached and left >= 0 else None
    return Standing(left, deadline, rung, stage, event, paper, until, memory.telling(event, new, quiet=quiet))


def _event(stage: str, new: Sequence[int], paper: Paper | None, memory: Memory, *, past: bool) -> str:
    """The worst thing that was not told yet."""
    if stage == "expired":
        return "" if "expired" in memory.announced else "expired"
    if stage == "later":
        return ""
    reopened = f"reopened: {paper.kind} {paper.day} {paper.number}".rstrip() if paper else ""
    if reopened and reopened not in memory.announced:
        return reopened
    if past and "budget" not in memory.announced:
        return "budget"
    return "rung" if new else ""


def _find_paper(
    service: Service, expires: date, deadline: date, today: date, rule: Rule
) -> tuple[Paper | None, date | None]:
    """The paper of the renewal that counts today, and the first day on which it no longer silences.

    An invoice alone never silences the last week, and before the first rung it says nothing.
    """
    renewal = service.renewal
    if renewal is None or renewal.expires is None or renewal.expires <= expires:
        return None, None
    payment, invoice = renewal.papers.get("payment"), renewal.papers.get("invoice")
    if payment and payment.day and payment.day <= today:
        return payment, min(payment.day + rule.settle, expires)
    first = rule.day_of(max(rule.rungs), deadline)
    if invoice and invoice.day and max(invoice.day, first) <= today:
        end = invoice.due + timedelta(days=1) if invoice.due else invoice.day + rule.patience
        return invoice, min(end, deadline - LAST_WEEK)
    return None, None


def _days_of(service: Service) -> int:
    """How long a period is, in days."""
    start = date(2001, 1, 1)
    return (move(start, service.period or YEAR) - start).days
