"""The state of each site: what is wrong, what is not known, and how old that knowledge is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from runner.inventory import Target
from runner.record.problems import KnownProblem
from runner.reports.dashboard.basis import Basis, Procedure
from runner.reports.dashboard.compliance import Place, Tally, add
from runner.reports.dashboard.countdown import Countdown, title_of
from runner.reports.dashboard.latest import Last, Outcome, Outcomes
from runner.reports.dashboard.slots import USUAL, last_slot

BACKUP, DRILL = ("backup.seal",), ("backup.drill",)


class State(StrEnum):
    """How a site stands; the worst first. Unknown is not OK."""

    CRITICAL = "critical"
    MAJOR = "major"
    UNKNOWN = "unknown"
    MINOR = "minor"
    OK = "ok"


WORST_FIRST = tuple(State)


class Check(NamedTuple):
    """A task's last outcome on a site; `stale` tells that its schedule has asked for a newer one."""

    procedure: Procedure
    last: Last
    stale: bool


class Site(NamedTuple):
    """A website and all that is known of it. `unknown` says why its state is not known, in words."""

    name: str
    title: str
    url: str
    state: State
    unknown: tuple[str, ...]
    problems: tuple[KnownProblem, ...]
    checks: tuple[Check, ...]
    seen: datetime | None
    newest: str
    backup: Outcome | None
    backup_stale: bool
    drill: Outcome | None
    countdowns: tuple[Countdown, ...]
    tallies: Mapping[Place, Tally]

    @property
    def tally(self) -> Tally:
        """How its steps were kept this month, all together."""
        return add(self.tallies.values())


def gather_sites(
    basis: Basis,
    outcomes: Outcomes,
    problems: Sequence[KnownProblem],
    countdowns: Sequence[Countdown],
    tallies: Mapping[Place, Tally],
    now: datetime,
) -> tuple[Site, ...]:
    """Given all that was gathered, return the websites of the inventory: the worst first, then by title."""
    due = _Expectations(basis, now)
    by_target: dict[str | None, list[KnownProblem]] = {}
    for problem in problems:
        by_target.setdefault(problem.target, []).append(problem)
    of_site: dict[str | None, dict[Place, Tally]] = {}
    for place, tally in tallies.items():
        of_site.setdefault(place[2], {})[place] = tally
    lapsing: dict[str, list[Countdown]] = {}
    for countdown in countdowns:
        lapsing.setdefault(countdown.site, []).append(countdown)
    sites = [
        _build(target, basis, outcomes, by_target, lapsing, of_site.get(target.name, {}), due)
        for target in basis.inventory.targets.values()
        if target.kind == "website"
    ]
    return tuple(sorted(sites, key=lambda site: (WORST_FIRST.index(site.state), site.title.casefold(), site.name)))


class _Expectations:
    """Since when an outcome of each step counts as fresh."""

    def __init__(self, basis: Basis, now: datetime) -> None:
        self._basis = basis
        self._now = now
        self._known: dict[tuple[str, str], datetime] = {}

    def fresh_from(self, procedure: Procedure, step: str) -> datetime:
        """The latest moment at which the schedule asked for the step; without a schedule, about a day ago."""
        key = (procedure.name, step)
        if key not in self._known:
            asked = last_slot(procedure.crons(step), self._now, self._basis.calendar.office.zone)
            self._known[key] = asked or self._now - USUAL
        return self._known[key]


def _build(
    target: Target,
    basis: Basis,
    outcomes: Outcomes,
    problems: Mapping[str | None, Sequence[KnownProblem]],
    lapsing: Mapping[str, Sequence[Countdown]],
    tallies: Mapping[Place, Tally],
    due: _Expectations,
) -> Site:
    names = dict.fromkeys([target.name, *_hangs_on(target)])
    found = [problem for name in names for problem in problems.get(name, ())]
    own = tuple(sorted(found, key=lambda problem: WORST_FIRST.index(State(str(problem.severity)))))
    checks = tuple(_checks(target.name, basis, outcomes, due))
    unknown = tuple(dict.fromkeys(_why_unknown(checks)))
    backup = outcomes.good(target.name, *BACKUP)
    content = outcomes.good(target.name, "website.updated")
    return Site(
        name=target.name,
        title=title_of(target),
        url=str(target.settings.get("url") or ""),
        state=_state(own, unknown),
        unknown=unknown,
        problems=own,
        checks=checks,
        seen=max((check.last.last.at for check in checks), default=None),
        newest=str(content.outputs.get("newest") or "") if content else "",
        backup=backup,
        backup_stale=any(check.stale for check in checks if check.last.last.action in BACKUP),
        drill=outcomes.good(target.name, *DRILL),
        countdowns=tuple(lapsing.get(target.name, ())),
        tallies=tallies,
    )


def _hangs_on(target: Target) -> Iterator[str]:
    """The server and services of a website: their faults are its own."""
    if target.settings.get("server"):
        yield str(target.settings["server"])
    services = target.settings.get("services") or ()
    yield from (services,) if isinstance(services, str) else map(str, services)


def _checks(name: str, basis: Basis, outcomes: Outcomes, due: _Expectations) -> Iterator[Check]:
    """The last outcome of each task; what open problems start is done when there is need, so it is never stale."""
    for each in outcomes.of(name):
        procedure = basis.procedure(each.last.playbook)
        if procedure is None or procedure.number_of(each.last.step) == 0:
            continue
        asked = each.last.step not in procedure.reactive
        yield Check(procedure, each, asked and each.last.at < due.fresh_from(procedure, each.last.step))


def _why_unknown(checks: Sequence[Check]) -> Iterator[str]:
    asked = [check for check in checks if check.last.last.step not in check.procedure.reactive]
    if not asked:
        yield "Belum pernah diperiksa."
    for check in asked:
        number = check.procedure.number_of(check.last.last.step)
        if not check.last.known:
            yield f"Langkah {number} ({check.last.last.task}) tidak dapat diselesaikan."
        elif check.stale:
            yield f"Langkah {number} belum dilaksanakan lagi: data lama."


def _state(problems: Sequence[KnownProblem], unknown: Sequence[str]) -> State:
    found = [State(str(problem.severity)) for problem in problems]
    return min([*found, State.UNKNOWN if unknown else State.OK], key=WORST_FIRST.index)
