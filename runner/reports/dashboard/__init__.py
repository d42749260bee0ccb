"""The office's dashboard: static pages from the record alone, the same bytes for the same record and time."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from runner.record.problems import KnownProblem, open_problems
from runner.record.reader import JournalReader
from runner.reports.dashboard.basis import Basis, gather_basis
from runner.reports.dashboard.compliance import Place, Tally, gather_compliance
from runner.reports.dashboard.countdown import Countdown, gather_countdowns, title_of
from runner.reports.dashboard.latest import gather_outcomes
from runner.reports.dashboard.sites import Site, State, gather_sites
from runner.reports.dashboard.view import STATES, View, badge
from runner.reports.dashboard.waiting import Waiting, gather_waiting
from runner.reports.pages import render_screen

INDEX = "index.html"
FOLDER = "situs"
MOST_PROBLEMS = 200
MOST_WAITING = 100
MOST_LAPSING = 60
MOST_OPEN_ROWS = 60  # sites that are fine: more of them stand folded
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,79}\Z")


class Gathered(NamedTuple):
    """All that the record tells for the dashboard, at a time."""

    now: datetime
    head: str
    newest: datetime | None
    basis: Basis
    sites: tuple[Site, ...]
    problems: tuple[KnownProblem, ...]
    waiting: tuple[Waiting, ...]
    countdowns: tuple[Countdown, ...]
    tallies: Mapping[Place, Tally]

    def count(self, state: State) -> int:
        """How many sites are in a state."""
        return sum(site.state is state for site in self.sites)


def gather(journal: JournalReader, now: datetime) -> Gathered:
    """Given a journal and the time, return what the dashboard shows."""
    basis = gather_basis(journal)
    outcomes = gather_outcomes(journal)
    problems = open_problems(journal, now=now)
    countdowns = gather_countdowns(basis, outcomes, now)
    tallies = gather_compliance(journal, basis, now)
    return Gathered(
        now=now,
        head=journal.printed_head(),
        newest=max((each.last.at for each in outcomes.all), default=None),
        basis=basis,
        sites=gather_sites(basis, outcomes, problems, countdowns, tallies, now),
        problems=problems,
        waiting=gather_waiting(journal, basis, now),
        countdowns=countdowns,
        tallies=tallies,
    )


def render_dashboard(gathered: Gathered, every: float) -> dict[str, bytes]:
    """Given what was gathered and how often the pages are made anew, in seconds, return the pages by their path."""
    pages = {site.name: f"{FOLDER}/{file_name(site.name)}" for site in gathered.sites}
    names = {target.name: title_of(target) for target in gathered.basis.inventory.targets.values()}
    view = View(gathered.basis, gathered.now, pages, names)
    shared = _shared(gathered, view, every)
    rendered = {INDEX: render_screen("dashboard.html", **shared, **_index(gathered, view))}
    inside = View(gathered.basis, gathered.now, {}, names)
    for site in gathered.sites:
        rendered[pages[site.name]] = render_screen("dashboard_site.html", **shared, **_site(site, inside))
    return {path: text.encode() for path, text in rendered.items()}


def file_name(site: str) -> str:
    """Given a site's name, return that of its page; what no file can be called is told apart by its hash."""
    if _PLAIN.match(site):
        return f"{site}.html"
    return f"{re.sub('[^A-Za-z0-9]+', '-', site)[:60].strip('-')}-{hashlib.sha256(site.encode()).hexdigest()[:10]}.html"


def _shared(gathered: Gathered, view: View, every: float) -> dict[str, Any]:
    """What stands on every page."""
    office = gathered.basis.inventory.office
    return {
        "office": str(office.get("name") or "Kantor"),
        "made": view.time(gathered.now),
        "made_at": round(gathered.now.timestamp()),
        "every": round(every),
        "newest": view.at(gathered.newest),
        "head": gathered.head,
        "notes": gathered.basis.notes,
        "month": view.time(gathered.now).partition(" pukul")[0].split(" ", 2)[2],
    }


def _index(gathered: Gathered, view: View) -> dict[str, Any]:
    groups = [(badge(state), [view.site(site) for site in gathered.sites if site.state is state]) for state in STATES]
    lapsing = [view.lapse(each) for each in gathered.countdowns]
    return {
        "counts": [(badge(state), gathered.count(state)) for state in STATES],
        "groups": [(mark, rows, mark.kind == State.OK and len(rows) > MOST_OPEN_ROWS) for mark, rows in groups if rows],
        "problems": [view.problem(each) for each in gathered.problems[:MOST_PROBLEMS]],
        "problems_in_all": len(gathered.problems),
        "waiting": [view.waiting(each) for each in gathered.waiting[:MOST_WAITING]],
        "waiting_in_all": len(gathered.waiting),
        "lapsing": lapsing[:MOST_LAPSING],
        "lapsing_in_all": len(lapsing),
        "steps": list(view.steps(gathered.tallies)),
    }


def _site(site: Site, view: View) -> dict[str, Any]:
    return {
        "site": view.site(site),
        "unknown": site.unknown,
        "problems": [view.problem(each) for each in site.problems[:MOST_PROBLEMS]],
        "problems_in_all": len(site.problems),
        "checks": view.checks(site),
        "lapsing": [view.lapse(each) for each in site.countdowns],
        "lapsing_in_all": len(site.countdowns),
        "steps": list(view.steps(site.tallies)),
    }
